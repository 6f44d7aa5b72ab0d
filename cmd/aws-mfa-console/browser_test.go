package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aws-mfa/shared/session"
)

const (
	behaviour = "AWS_MFA_TEST_BROWSER" // what this program does in the place of a browser
	reportTo  = "AWS_MFA_TEST_REPORT"  // where it reports to
)

func TestMain(m *testing.M) {
	if b := os.Getenv(behaviour); b != "" {
		os.Exit(browse(b))
	}
	os.Exit(m.Run())
}

// A visit is what a browser reports.
type visit struct {
	Args     []string
	Keys     string // what its environment has of them
	Heard    bool   // whether somebody could hear what it prints
	Status   int
	Location string
	Body     string
	Err      string
}

// browse is a browser: it fetches the address that is its last argument.
func browse(behaviour string) int {
	report, err := net.Dial("tcp", os.Getenv(reportTo))
	if err != nil {
		return 1
	}
	defer report.Close()
	v := visit{Args: os.Args[1:], Heard: !isNull(os.Stdin) || !isNull(os.Stdout) || !isNull(os.Stderr)}
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN"} {
		v.Keys += os.Getenv(name)
	}
	address := os.Args[len(os.Args)-1]
	var early net.Conn
	switch behaviour {
	case "idle": // starts, and never fetches
		json.NewEncoder(report).Encode(v)
		return 0
	case "eager": // opens a connection before it has a use for it, as Chrome does
		u, _ := url.Parse(address)
		if early, err = net.Dial("tcp", u.Host); err != nil {
			return 1
		}
	case "slow": // the same, beginning a request that never ends
		u, _ := url.Parse(address)
		if early, err = net.Dial("tcp", u.Host); err != nil {
			return 1
		}
		fmt.Fprintf(early, "GET %s HTTP/1.1\r\nHost: %s\r\nX-", u.Path, u.Host)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Get(address)
	if err != nil {
		v.Err = err.Error()
	} else {
		body, _ := io.ReadAll(answer.Body)
		v.Status, v.Location, v.Body = answer.StatusCode, answer.Header.Get("Location"), string(body)
	}
	json.NewEncoder(report).Encode(v)
	if early != nil {
		io.Copy(io.Discard, early) // until it is closed
	}
	if behaviour == "grumpy" { // fails when all is done
		return 1
	}
	return 0
}

func isNull(f *os.File) bool {
	a, err := f.Stat()
	b, err2 := os.Stat(os.DevNull)
	return err == nil && err2 == nil && os.SameFile(a, b)
}

// usingBrowser sets $BROWSER, in which BROWSER stands for this program, and returns
// what the browser will report.
func usingBrowser(t *testing.T, list, does string) <-chan visit {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	t.Setenv("BROWSER", strings.ReplaceAll(list, "BROWSER", self))
	t.Setenv(behaviour, does)
	t.Setenv(reportTo, listener.Addr().String())
	visits := make(chan visit, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		var v visit
		if err := json.NewDecoder(conn).Decode(&v); err != nil {
			v.Err = err.Error()
		}
		visits <- v
	}()
	return visits
}

const secretURL = "https://signin.aws.amazon.com/federation?Action=login&Destination=https%3A%2F%2Fconsole.aws.amazon.com%2F&SigninToken=s3cr3t"

func silent(string, ...any) {}

// visitConsole opens the browser that the environment asks for.
func visitConsole(ctx context.Context, trace session.Trace) error {
	w, err := opener{}.way(thisMachine(), adminARN)
	if err != nil {
		return err
	}
	return openOnce(ctx, secretURL, w, trace)
}

func TestTheBrowserIsSentToTheURLByAnAddressThatIsNoSecret(t *testing.T) {
	visits := usingBrowser(t, "BROWSER", "fetch")
	var traced strings.Builder
	if err := visitConsole(t.Context(), func(format string, args ...any) { fmt.Fprintf(&traced, format+"\n", args...) }); err != nil {
		t.Fatal(err)
	}
	got := <-visits
	if got.Err != "" || got.Status != http.StatusFound || got.Location != secretURL || got.Body != "" {
		t.Errorf("got %+v", got)
	}
	if len(got.Args) != 1 || !strings.HasPrefix(got.Args[0], "http://127.0.0.1:") || strings.Contains(got.Args[0], "s3cr3t") {
		t.Errorf("got arguments %q", got.Args)
	}
	if strings.Contains(traced.String(), "s3cr3t") || strings.Contains(traced.String(), got.Args[0]) {
		t.Errorf("got trace %q", traced.String())
	}
	if answer, err := http.Get(got.Args[0]); err == nil {
		t.Errorf("later: got %s", answer.Status)
		answer.Body.Close()
	}
}

// A browser is there long after us: what it prints is for nobody, and nobody
// who reads what we print waits for it.
func TestTheBrowserHasNeitherOurStreamsNorTheKeys(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN"} {
		t.Setenv(name, "hunter2")
	}
	visits := usingBrowser(t, "BROWSER", "fetch")
	if err := visitConsole(t.Context(), silent); err != nil {
		t.Fatal(err)
	}
	if got := <-visits; got.Heard || got.Keys != "" || got.Location != secretURL {
		t.Errorf("got %+v", got)
	}
}

// The form of $BROWSER: commands with colons between them, %s for the address.
func TestTheFirstBrowserThatStartsIsUsed(t *testing.T) {
	for _, c := range []struct {
		list string
		args []string // before the address
	}{
		{"/nonexistent/browser:BROWSER", nil},
		{"::BROWSER", nil},
		{"/nonexistent/browser %s:BROWSER --new-window", []string{"--new-window"}},
		{`BROWSER -P "at work" %s`, []string{"-P", "at work"}},
		{"BROWSER:/nonexistent/browser", nil},
		{"unclosed 'quote:BROWSER", nil},
	} {
		t.Run(c.list, func(t *testing.T) {
			visits := usingBrowser(t, strings.ReplaceAll(c.list, ":", string(os.PathListSeparator)), "fetch")
			if err := visitConsole(t.Context(), silent); err != nil {
				t.Fatal(err)
			}
			got := <-visits
			if len(got.Args) != len(c.args)+1 || !slices.Equal(got.Args[:len(got.Args)-1], c.args) || got.Location != secretURL {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestABrowserThatFailsWhenItHasFetchedHasNotFailed(t *testing.T) {
	visits := usingBrowser(t, "BROWSER"+string(os.PathListSeparator)+"/nonexistent/browser", "grumpy")
	if err := visitConsole(t.Context(), silent); err != nil {
		t.Errorf("got %v", err)
	}
	if got := <-visits; got.Location != secretURL {
		t.Errorf("got %+v", got)
	}
}

func TestABrowserThatFailsAtOnceIsAnErrorAtOnce(t *testing.T) {
	w := way{commands: [][]string{{"/nonexistent/one", "%s"}, {"/nonexistent/two", "%s"}}}
	err := openOnce(t.Context(), secretURL, w, silent)
	if err == nil || !strings.HasPrefix(err.Error(), "no browser could be started: /nonexistent/one: ") || !strings.Contains(err.Error(), "\n/nonexistent/two: ") || strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("got %v", err)
	}
}

func TestWaitingForTheBrowserGivesWay(t *testing.T) {
	visits := usingBrowser(t, "BROWSER", "idle")
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("the user has had enough")
	go func() {
		<-visits
		cancel(enough)
	}()
	if err := visitConsole(ctx, silent); err != enough {
		t.Errorf("got %v, want the cause", err)
	}
}

// nobody is a listener that nobody comes to.
type nobody struct{ closed chan struct{} }

func (n nobody) Accept() (net.Conn, error) { <-n.closed; return nil, net.ErrClosed }
func (n nobody) Close() error              { close(n.closed); return nil }
func (n nobody) Addr() net.Addr            { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4321} }

func TestABrowserThatDoesNotComeIsAnErrorAfterHalfAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, listener := time.Now(), nobody{make(chan struct{})}
		w := way{settling: time.Hour} // which starts nothing
		err := w.lead(t.Context(), listener, secretURL, silent)
		if took := time.Since(began); took != 30*time.Second || err == nil || err.Error() != "no browser came within 30s" {
			t.Errorf("got %v after %v", err, took)
		}
		<-listener.closed
	})
}

// Windows sees a new port in WSL when it looks again, once a second.
func TestABrowserOfWindowsIsNotStartedBeforeItCanSeeThePort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		w := way{settling: relayed, commands: [][]string{{"/nonexistent/rundll32.exe", "%s"}}}
		err := w.lead(t.Context(), nobody{make(chan struct{})}, secretURL, silent)
		if took := time.Since(began); took <= time.Second || took > 3*time.Second || err == nil {
			t.Errorf("got %v after %v", err, took)
		}
	})
}

// A browser, or somebody else, may keep a connection open and never use it.
func TestAConnectionThatIsNotUsedIsNotWaitedFor(t *testing.T) {
	for _, does := range []string{"eager", "slow"} {
		visits := usingBrowser(t, "BROWSER", does)
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second) // net/http takes such a connection for used until 5 s have passed
		defer cancel()
		if err := visitConsole(ctx, silent); err != nil {
			t.Errorf("%s: got %v", does, err)
		}
		if got := <-visits; got.Location != secretURL {
			t.Errorf("%s: got %+v", does, got)
		}
	}
}

// What is not the one request neither ends the wait nor keeps its connection.
func TestOtherRequestsAreTurnedAway(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	enough, ended := errors.New("the user has had enough"), make(chan error)
	go func() { ended <- way{settling: time.Hour}.lead(ctx, listener, secretURL, silent) }()
	for _, method := range []string{"GET", "HEAD", "POST"} {
		r, err := http.NewRequest(method, "http://"+listener.Addr().String()+"/favicon.ico", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusNotFound || !answer.Close {
			t.Errorf("%s: got %s, closed %t", method, answer.Status, answer.Close)
		}
	}
	cancel(enough)
	if err := <-ended; err != enough {
		t.Errorf("got %v", err)
	}
}

const (
	here = "127.0.0.1:4321"
	path = "/ONESHOT"
)

func get(h http.Handler, method, host, target string, header ...string) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	r.Host = host
	for name := range slices.Chunk(header, 2) {
		r.Header.Set(name[0], name[1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestTheOneShotAddressWorksOnce(t *testing.T) {
	t.Parallel()
	told := 0
	h := oneShot(here, path, secretURL, func() {}, func() { told++ })
	answer := get(h, "GET", here, path)
	if answer.StatusCode != http.StatusFound || answer.Header.Get("Location") != secretURL {
		t.Errorf("got %s, %s", answer.Status, answer.Header.Get("Location"))
	}
	for name, want := range map[string]string{"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "Content-Length": "0"} {
		if got := answer.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	for range 2 {
		wantNothing(t, get(h, "GET", here, path))
	}
	if told != 1 {
		t.Errorf("was told %d times", told)
	}
}

// What others ask for gets nothing, and does not use up the one shot.
func TestTheOneShotAddressIsForTheBrowserOnly(t *testing.T) {
	t.Parallel()
	h := oneShot(here, path, secretURL, func() {}, func() {})
	for _, c := range []struct{ method, host, target string }{
		{"GET", here, "/"},
		{"GET", here, "/favicon.ico"},
		{"GET", here, path + "/"},
		{"GET", here, path + "x"},
		{"GET", here, strings.ToLower(path)},
		{"GET", here, path + "?x"},
		{"GET", here, "/%4FNESHOT"},
		{"GET", "localhost:4321", path},
		{"GET", "evil.example:4321", path}, // its name leads here: DNS rebinding
		{"GET", "127.0.0.1", path},
		{"GET", "", path},
		{"POST", here, path},
		{"HEAD", here, path},
		{"OPTIONS", here, path},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) { wantNothing(t, get(h, c.method, c.host, c.target)) })
	}
	for _, ahead := range []string{"Sec-Purpose: prefetch;prerender", "Purpose: prefetch", "X-Moz: prefetch"} {
		name, value, _ := strings.Cut(ahead, ": ")
		t.Run(ahead, func(t *testing.T) { wantNothing(t, get(h, "GET", here, path, name, value)) })
	}
	if answer := get(h, "GET", here, path); answer.StatusCode != http.StatusFound {
		t.Errorf("the browser: got %s", answer.Status)
	}
}

func wantNothing(t *testing.T, answer *http.Response) {
	t.Helper()
	body, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusNotFound || strings.Contains(fmt.Sprint(answer.Header, string(body)), "s3cr3t") {
		t.Errorf("got %s, %v, %s", answer.Status, answer.Header, body)
	}
}

// Two that ask at the same time: one of them gets it.
func TestTheOneShotAddressHasOneWinner(t *testing.T) {
	t.Parallel()
	h := oneShot(here, path, secretURL, func() {}, func() {})
	const many = 32
	statuses := make(chan int, many)
	for range many {
		go func() { statuses <- get(h, "GET", here, path).StatusCode }()
	}
	won := 0
	for range many {
		if <-statuses == http.StatusFound {
			won++
		}
	}
	if won != 1 {
		t.Errorf("got %d winners", won)
	}
}
