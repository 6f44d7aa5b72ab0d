package awstest_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"aws-mfa/shared/awstest"
)

const (
	step     = 30 * time.Second
	janeARN  = "arn:aws:iam::123456789012:user/team/jane"
	powerARN = "arn:aws:iam::123456789012:role/eng/PowerUserRole"
)

// world is a local AWS with one user and a role that trusts her with MFA.
type world struct {
	*awstest.AWS
	t    *testing.T
	jane *awstest.User
}

func start(t *testing.T) world {
	t.Helper()
	a, err := awstest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	now := a.Now()
	a.Shift(now.Truncate(step).Add(step).Sub(now)) // no step ends in the middle of a test
	jane := a.AddUser(janeARN)
	a.AddRole(awstest.Role{ARN: powerARN, Trusts: []string{jane.ARN}, RequireMFA: true})
	return world{a, t, jane}
}

// code is one that AWS accepts; the clock moves on when all are used.
func (w world) code() string {
	w.t.Helper()
	code, err := w.Code(w.jane.Device.SerialNumber)
	if err != nil {
		w.Shift(step)
		code, err = w.Code(w.jane.Device.SerialNumber)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return code
}

// client is the SDK's own, with keys of a user or a session, without retries.
func (w world) client(id, secret, token string, options ...func(*sts.Options)) *sts.Client {
	return sts.New(sts.Options{
		Region:       "eu-central-1",
		BaseEndpoint: aws.String(w.URL()),
		Credentials:  credentials.NewStaticCredentialsProvider(id, secret, token),
		Retryer:      aws.NopRetryer{},
	}, options...)
}

func (w world) asJane(options ...func(*sts.Options)) *sts.Client {
	return w.client(w.jane.AccessKeyID, w.jane.SecretAccessKey, "", options...)
}

func (w world) as(c *types.Credentials) *sts.Client {
	return w.client(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
}

// request is an AssumeRole of the PowerUserRole with a good code.
func (w world) request(edits ...func(*sts.AssumeRoleInput)) *sts.AssumeRoleInput {
	in := &sts.AssumeRoleInput{
		RoleArn:         aws.String(powerARN),
		RoleSessionName: aws.String("jane"),
		SerialNumber:    &w.jane.Device.SerialNumber,
		TokenCode:       aws.String(w.code()),
	}
	for _, edit := range edits {
		edit(in)
	}
	return in
}

func withoutMFA(in *sts.AssumeRoleInput) { in.SerialNumber, in.TokenCode = nil, nil }

func role(arn string) func(*sts.AssumeRoleInput) {
	return func(in *sts.AssumeRoleInput) { in.RoleArn = &arn }
}

func lasting(d time.Duration) func(*sts.AssumeRoleInput) {
	return func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(int32(d / time.Second)) }
}

// session assumes a role, and must not be refused.
func (w world) session(c *sts.Client, edits ...func(*sts.AssumeRoleInput)) *types.Credentials {
	w.t.Helper()
	out, err := c.AssumeRole(w.t.Context(), w.request(edits...))
	if err != nil {
		w.t.Fatal(err)
	}
	return out.Credentials
}

func (w world) mfaSession(duration time.Duration) *types.Credentials {
	w.t.Helper()
	out, err := w.asJane().GetSessionToken(w.t.Context(), &sts.GetSessionTokenInput{
		SerialNumber: &w.jane.Device.SerialNumber, TokenCode: aws.String(w.code()),
		DurationSeconds: aws.Int32(int32(duration / time.Second)),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out.Credentials
}

// wantRefusal wants AWS's code, and the message to the letter.
func wantRefusal(t *testing.T, err error, code, message string) {
	t.Helper()
	var refused smithy.APIError
	if !errors.As(err, &refused) {
		t.Fatalf("got %v, want %s", err, code)
	}
	if refused.ErrorCode() != code || refused.ErrorMessage() != message {
		t.Errorf("got  %s: %q\nwant %s: %q", refused.ErrorCode(), refused.ErrorMessage(), code, message)
	}
}

func identify(t *testing.T, c *sts.Client) (arn string, err error) {
	t.Helper()
	out, err := c.GetCallerIdentity(t.Context(), nil)
	if err != nil {
		return "", err
	}
	return *out.Arn, nil
}

// browser trusts the local AWS's proxy and CA, and follows no redirection by itself.
func (w world) browser() *http.Client {
	proxy, _ := url.Parse(w.ProxyURL())
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(w.CA())
	transport := &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: roots}}
	w.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func TestCallsAreLoggedInOrderWithoutSecrets(t *testing.T) {
	w := start(t)
	if _, err := identify(t, w.asJane()); err != nil {
		t.Fatal(err)
	}
	w.session(w.asJane(), lasting(15*time.Minute))
	identify(t, w.client(w.jane.AccessKeyID, "wrong", ""))

	calls := w.Calls()
	var got []string
	for _, c := range calls {
		got = append(got, c.Action+" "+c.Region+" "+c.Code)
		for _, secret := range w.Secrets() {
			if strings.Contains(c.Action+c.Host+c.AccessKeyID+c.RoleARN+c.Code, secret) {
				t.Errorf("a secret in %+v", c)
			}
		}
	}
	want := []string{"GetCallerIdentity eu-central-1 ", "AssumeRole eu-central-1 ", "GetCallerIdentity eu-central-1 SignatureDoesNotMatch"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if c := calls[1]; c.AccessKeyID != w.jane.AccessKeyID || c.RoleARN != powerARN || c.DurationSeconds != 900 || c.Status != 200 || c.Method != "POST" {
		t.Errorf("got %+v", c)
	}
	if n := w.Count("GetCallerIdentity"); n != 2 {
		t.Errorf("got %d calls, want 2", n)
	}
}

func TestTheDateHeaderTellsTheShiftedClock(t *testing.T) {
	w := start(t)
	before := time.Until(w.Now())
	w.Shift(time.Hour)
	w.Shift(time.Hour)
	answer, err := http.Get(w.URL())
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	date, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil {
		t.Fatal(err)
	}
	if ahead := time.Until(date) - before; ahead < 2*time.Hour-5*time.Second || ahead > 2*time.Hour {
		t.Errorf("AWS's clock is %v ahead, want 2h", ahead)
	}
}

func TestTheControlEndpointServesOtherProcesses(t *testing.T) {
	w := start(t)
	get := func(path string) (int, string) {
		t.Helper()
		answer, err := http.Get(w.URL() + "/_awstest/" + path)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, read(t, answer)
	}
	path := "code?serial=" + url.QueryEscape(w.jane.Device.SerialNumber)
	if status, got := get(path); status != 200 || got != w.code()+"\n" {
		t.Errorf("got %d %q, want the device's code", status, got)
	}
	if status, _ := get("code?serial=nobody"); status != 404 {
		t.Errorf("unknown device: got %d, want 404", status)
	}
	w.session(w.asJane())
	w.session(w.asJane())
	if status, got := get(path); status != 409 || got == "" {
		t.Errorf("used codes: got %d %q, want 409", status, got)
	}
	if status, got := get("calls"); status != 200 || strings.Count(got, `"Action":"AssumeRole"`) != 2 {
		t.Errorf("got %d %s, want two calls of AssumeRole", status, got)
	}
}

func TestFaults(t *testing.T) {
	tests := []struct {
		fault  awstest.Fault
		status int
		code   string
	}{
		{awstest.Fault{Action: "GetCallerIdentity", Kind: awstest.Throttle}, 400, "Throttling"},
		{awstest.Fault{Kind: awstest.Answer, Status: 503, Body: "<html>"}, 503, "Answer"},
		{awstest.Fault{Kind: awstest.Reset}, 0, "Reset"},
		{awstest.Fault{Kind: awstest.Lost}, 0, "Lost"},
	}
	for _, tt := range tests {
		w := start(t)
		w.Fail(awstest.Fault{Action: "AssumeRole", Kind: awstest.Reset}) // not for this call
		w.Fail(tt.fault)
		if _, err := identify(t, w.asJane()); err == nil {
			t.Errorf("%v: no error", tt.fault.Kind)
		}
		if c := w.Calls()[0]; c.Status != tt.status || c.Code != tt.code {
			t.Errorf("%v: got %d %q, want %d %q", tt.fault.Kind, c.Status, c.Code, tt.status, tt.code)
		}
		if _, err := identify(t, w.asJane()); err != nil {
			t.Errorf("%v: after the fault: %v", tt.fault.Kind, err)
		}
	}
}

func TestAnswersWithoutAnEnd(t *testing.T) {
	for _, kind := range []awstest.FaultKind{awstest.Endless, awstest.Drip, awstest.Bomb} {
		w := start(t)
		w.Fail(awstest.Fault{Kind: kind, Body: "begin"})
		answer, err := http.Get(w.URL())
		if err != nil {
			t.Fatal(err)
		}
		body := make([]byte, len("begin")+2)
		if _, err := io.ReadFull(answer.Body, body); err != nil || string(body) != "begin  " || answer.StatusCode != 200 {
			t.Errorf("%v: got %d %q, %v", kind, answer.StatusCode, body, err)
		}
		if kind != awstest.Drip { // which would take a while
			if rest, err := io.CopyN(io.Discard, answer.Body, 1<<20); err != nil {
				t.Errorf("%v: got %d more octets, %v", kind, rest, err)
			}
		}
		answer.Body.Close()
		if c := w.Calls()[0]; c.Status != 200 || c.Code != kind.String() {
			t.Errorf("%v: got %d %q", kind, c.Status, c.Code)
		}
	}
}

func TestAFaultOfTheProxyIsItsOwn(t *testing.T) {
	w := start(t)
	w.Fail(awstest.Fault{Kind: awstest.Answer, Status: 500}) // of any action, but not of the proxy
	w.Fail(awstest.Fault{Action: "CONNECT", Kind: awstest.Answer, Status: 407})
	if _, err := w.browser().Get("https://sts.amazonaws.com/"); err == nil || !strings.Contains(err.Error(), "Proxy Authentication Required") {
		t.Errorf("got %v", err)
	}
	answer, err := w.browser().Get("https://sts.amazonaws.com/")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != 500 {
		t.Errorf("got %s", answer.Status)
	}
	if c := w.Calls()[0]; c.Action != "CONNECT" || c.Status != 407 {
		t.Errorf("got %+v", c)
	}
}

func TestAFaultLastsAsLongAsAsked(t *testing.T) {
	w := start(t)
	w.Fail(awstest.Fault{Times: 2, Kind: awstest.Throttle})
	for want := range 3 {
		_, err := identify(t, w.asJane())
		if failed := err != nil; failed != (want < 2) {
			t.Errorf("call %d: got error %v", want, err)
		}
	}
	w.Fail(awstest.Fault{Times: -1, Kind: awstest.Reset})
	for range 5 {
		if _, err := identify(t, w.asJane()); err == nil {
			t.Error("no error from a lasting fault")
		}
	}
	w.Heal()
	if _, err := identify(t, w.asJane()); err != nil {
		t.Errorf("after Heal: %v", err)
	}
}

func TestAFaultOfEachThirdCall(t *testing.T) {
	w := start(t)
	w.Fail(awstest.Fault{Times: 2, Every: 3, Kind: awstest.Throttle})
	for n := range 9 {
		_, err := identify(t, w.asJane())
		if failed := err != nil; failed != (n == 2 || n == 5) {
			t.Errorf("call %d: got error %v", n, err)
		}
	}
}

func TestALostAnswerSpendsTheCode(t *testing.T) {
	w := start(t)
	in := w.request()
	w.Fail(awstest.Fault{Action: "AssumeRole", Kind: awstest.Lost})
	secrets := len(w.Secrets())
	if _, err := w.asJane().AssumeRole(t.Context(), in); err == nil {
		t.Fatal("no error")
	}
	if len(w.Secrets()) == secrets {
		t.Error("no session was issued")
	}
	_, err := w.asJane().AssumeRole(t.Context(), in)
	wantRefusal(t, err, "AccessDenied", wrongCode)
}

func TestAnAnswerThatBreaksOffSpendsTheCode(t *testing.T) {
	for _, kind := range []awstest.FaultKind{awstest.Half, awstest.Stall} {
		w := start(t)
		in := w.request()
		w.Fail(awstest.Fault{Action: "AssumeRole", Kind: kind})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if kind == awstest.Stall {
			go func() {
				for len(w.Calls()) == 0 {
					time.Sleep(time.Millisecond)
				}
				time.AfterFunc(100*time.Millisecond, cancel)
			}()
		}
		// Whether it is the end of ctx is luck: where an answer comes at once, the
		// SDK closes the request's body while net/http still looks for its end.
		if _, err := w.asJane().AssumeRole(ctx, in); err == nil {
			t.Errorf("%v: no error", kind)
		}
		if c := w.Calls()[0]; c.Status != 0 || c.Code != kind.String() {
			t.Errorf("%v: got %d %q", kind, c.Status, c.Code)
		}
		_, err := w.asJane().AssumeRole(t.Context(), in)
		wantRefusal(t, err, "AccessDenied", wrongCode)
	}
}

func TestAResetSpendsNothing(t *testing.T) {
	w := start(t)
	in := w.request()
	w.Fail(awstest.Fault{Action: "AssumeRole", Kind: awstest.Reset})
	if _, err := w.asJane().AssumeRole(t.Context(), in); err == nil || !strings.Contains(err.Error(), "reset") {
		t.Errorf("got %v, want a connection reset", err)
	}
	if _, err := w.asJane().AssumeRole(t.Context(), in); err != nil {
		t.Error(err)
	}
}

func TestAHangEndsWithTheClientOrWithClose(t *testing.T) {
	w := start(t)
	w.Fail(awstest.Fault{Times: -1, Kind: awstest.Hang})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := w.asJane().GetCallerIdentity(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
	ended := make(chan error)
	go func() {
		_, err := w.asJane().GetCallerIdentity(context.Background(), nil)
		ended <- err
	}()
	for w.Count("GetCallerIdentity") < 2 {
		time.Sleep(time.Millisecond)
	}
	w.Close()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("no error")
		}
	case <-time.After(5 * time.Second):
		t.Error("still hanging after Close")
	}
}

func TestAFollowedRedirectionIsLogged(t *testing.T) {
	w := start(t)
	w.Fail(awstest.Fault{Kind: awstest.Redirect})
	answer, err := http.Get(w.URL() + "/federation")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if n := w.Count("moved"); n != 1 {
		t.Errorf("got %d calls, want 1", n)
	}
}
