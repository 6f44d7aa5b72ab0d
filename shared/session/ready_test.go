package session

import (
	"context"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aws-mfa/shared/mfa"
)

// slow has a code some time after somebody has connected.
type slow struct {
	code      string
	connected <-chan struct{}
	pause     time.Duration
}

func (s slow) Next(ctx context.Context, _ mfa.Question) (mfa.Code, error) {
	select {
	case <-s.connected:
		time.Sleep(s.pause)
		return mfa.Code{Digits: s.code}, nil
	case <-ctx.Done():
		return mfa.Code{}, context.Cause(ctx)
	}
}

// The request goes out on the connection that was made while the code was
// looked for, on which nothing was sent before.
func TestTheConnectionIsReadyBeforeTheCode(t *testing.T) {
	t.Parallel()
	w := start(t)
	calls := 0
	for pause := time.Millisecond; ; pause *= 4 { // a connection is ready some time after the other side has it
		address, accepted, connected := relay(t, strings.TrimPrefix(w.URL(), "http://"))
		w.env["AWS_ENDPOINT_URL_STS"] = "http://" + address
		w.mustOpen("power", Options{Force: true, Codes: slow{w.code(), connected, pause}})
		calls++
		w.wantCalls(calls)
		got := accepted.Load()
		if got == 1 {
			return
		}
		if pause > 4*time.Second {
			t.Fatalf("got %d connections, want 1", got)
		}
	}
}

func TestACodeThatIsAtHandNeedsNoConnectionBefore(t *testing.T) {
	t.Parallel()
	for try := 0; ; try++ { // what is at hand may take long on a machine that is busy
		w := start(t)
		address, accepted, _ := relay(t, strings.TrimPrefix(w.URL(), "http://"))
		w.env["AWS_ENDPOINT_URL_STS"] = "http://" + address
		w.mustOpen("power", Options{Codes: &script{codes: []string{w.code()}}})
		got := accepted.Load()
		if got == 1 {
			return
		}
		if try == 20 {
			t.Fatalf("got %d connections, want 1", got)
		}
	}
}

// A host that cannot be reached is told by the request, and is no hindrance to
// whoever looks for a code.
func TestWithoutAWayToAWSTheCodeIsAskedForAllTheSame(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.env["AWS_ENDPOINT_URL_STS"] = "http://127.0.0.1:1"
	never := make(chan struct{})
	time.AfterFunc(3*readyAfter, func() { close(never) })
	if _, err := w.open("power", Options{Codes: slow{w.code(), never, 0}}); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("got %v", err)
	}
}

// The address is the SDK's own, for all settings that change it.
func TestTheConnectionIsToWhereTheRequestGoes(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string]string{
		"region = eu-west-1":                                              "https://sts.eu-west-1.amazonaws.com",
		"region = eu-west-1\nuse_fips_endpoint = true":                    "https://sts-fips.eu-west-1.amazonaws.com",
		"region = eu-west-1\nuse_dualstack_endpoint = true":               "https://sts.eu-west-1.api.aws",
		"region = eu-west-1\nsts_regional_endpoints = legacy":             "https://sts.amazonaws.com",
		"region = cn-north-1":                                             "https://sts.cn-north-1.amazonaws.com.cn",
		"region = eu-west-1\nendpoint_url = https://sts.example.com/base": "https://sts.example.com/base",
	} {
		w := start(t)
		delete(w.env, "AWS_ENDPOINT_URL_STS")
		w.profile("p", append([]string{"role_arn = " + powerARN, "source_profile = default"}, strings.Split(settings, "\n")...)...)
		client, err := NewClient(w.role("p").Network, powerARN, w.clock(), w.tell)
		if err != nil {
			t.Fatal(err)
		}
		got, err := client.address(t.Context())
		if err != nil || got != want {
			t.Errorf("%q: got %s, %v; want %s", settings, got, err, want)
		}
	}
}

// relay hands connections on to an address, counts them, and closes connected
// at the first.
func relay(t *testing.T, to string) (address string, accepted *atomic.Int32, connected <-chan struct{}) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	accepted = new(atomic.Int32)
	first := make(chan struct{})
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			if accepted.Add(1) == 1 {
				close(first)
			}
			go func() {
				defer from.Close()
				there, err := net.Dial("tcp", to)
				if err != nil {
					return
				}
				defer there.Close()
				go io.Copy(there, from)
				io.Copy(from, there)
			}()
		}
	}()
	return listener.Addr().String(), accepted, first
}
