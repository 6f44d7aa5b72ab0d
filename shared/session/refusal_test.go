package session

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"aws-mfa/shared/awstest"
	"aws-mfa/shared/cache"
	"aws-mfa/shared/profile"
)

// Every reason is what the local AWS really says in that situation.
func TestReasonsOfRefusal(t *testing.T) {
	t.Parallel()
	const twoHours = 2 * time.Hour
	for _, c := range []struct {
		name   string
		reason Reason
		open   func(w *world) (Session, error)
		text   string
	}{
		{"wrong code", WrongCode, func(w *world) (Session, error) {
			return w.open("power", Options{Codes: &script{codes: []string{other(w.code(), 1)}}})
		}, "AWS refused the MFA code: it is wrong, or was used already"},
		{"reused code", WrongCode, func(w *world) (Session, error) {
			code := w.code()
			w.mustOpen("power", Options{Codes: &script{codes: []string{code}}})
			w.forget()
			return w.open("admin", Options{Codes: &script{codes: []string{code}}})
		}, "AWS refused the MFA code: it is wrong, or was used already"},
		{"device of somebody else", WrongSerial, func(w *world) (Session, error) {
			john := w.AddUser("arn:aws:iam::123456789012:user/john")
			w.profile("john", "role_arn = "+powerARN, "source_profile = default", "mfa_serial = "+john.Device.SerialNumber)
			return w.open("john", Options{})
		}, "AWS cannot use the MFA device arn:aws:iam::123456789012:mfa/john for this user"},
		{"device that does not exist", WrongSerial, func(w *world) (Session, error) {
			w.profile("none", "role_arn = "+powerARN, "source_profile = default", "mfa_serial = GAHT12345678")
			return w.open("none", Options{})
		}, "AWS cannot use the MFA device GAHT12345678 for this user"},
		{"role that does not exist", NotAllowed, func(w *world) (Session, error) {
			w.profile("none", "role_arn = arn:aws:iam::123456789012:role/None", "source_profile = default", "mfa_serial = "+w.jane.Device.SerialNumber)
			return w.open("none", Options{})
		}, "AWS does not allow it: User: " + janeARN + " is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/None"},
		{"role that wants MFA", NotAllowed, func(w *world) (Session, error) {
			w.profile("bare", "role_arn = "+powerARN, "source_profile = default")
			return w.open("bare", Options{})
		}, "AWS does not allow it: User: "},
		{"wrong external id", NotAllowed, func(w *world) (Session, error) {
			w.AddRole(awstest.Role{ARN: plainARN, Trusts: []string{janeARN}, ExternalID: "xid-42"})
			w.profile("external", "role_arn = "+plainARN, "source_profile = default", "external_id = xid-43")
			return w.open("external", Options{})
		}, "AWS does not allow it: User: "},
		{"longer than the role allows", DurationTooLong, func(w *world) (Session, error) {
			return w.open("power", Options{Duration: twoHours})
		}, "the role " + powerARN + " does not allow sessions of 2h"},
		{"unknown key", UnknownKey, func(w *world) (Session, error) {
			w.keys("gone", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
			w.profile("gone", "role_arn = "+plainARN, "source_profile = gone")
			return w.open("gone", Options{})
		}, "AWS does not know the access key of "},
		{"key of another partition", UnknownKey, func(w *world) (Session, error) {
			w.env["AWS_REGION"] = "cn-north-1"
			return w.open("power", Options{})
		}, "AWS does not know the access key of "},
		{"wrong secret", WrongSecret, func(w *world) (Session, error) {
			w.keys("typo", w.jane.AccessKeyID, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
			w.profile("typo", "role_arn = "+plainARN, "source_profile = typo")
			return w.open("typo", Options{})
		}, "the secret access key does not belong to the access key id of "},
		{"clock slow", ClockOff, func(w *world) (Session, error) {
			w.Shift(26 * time.Hour)
			return w.open("power", Options{})
		}, " behind AWS's"},
		{"clock fast", ClockOff, func(w *world) (Session, error) {
			w.Shift(-26 * time.Hour)
			return w.open("power", Options{})
		}, " ahead of AWS's"},
		{"expired session", ExpiredSession, func(w *world) (Session, error) {
			w.session(w.mustOpen("power", Options{}), plainARN)
			w.ExpireSessions()
			return w.open("env", Options{})
		}, "the session of environment variable AWS_ACCESS_KEY_ID has expired, says AWS"},
		{"STS switched off", RegionDisabled, func(w *world) (Session, error) {
			w.env["AWS_REGION"] = "me-south-1"
			w.DisableRegion("me-south-1")
			return w.open("power", Options{})
		}, "STS is not activated in region me-south-1 for this account"},
		{"throttled for good", Unavailable, func(w *world) (Session, error) {
			w.env["AWS_MAX_ATTEMPTS"] = "1"
			w.Fail(awstest.Fault{Kind: awstest.Throttle, Times: -1})
			return w.open("power", Options{})
		}, "AWS cannot answer now (Throttling)"},
		{"out of order for good", Unavailable, func(w *world) (Session, error) {
			w.env["AWS_MAX_ATTEMPTS"] = "1"
			w.Fail(awstest.Fault{Kind: awstest.Answer, Status: 503, Body: "<html>Service Unavailable</html>", Times: -1})
			return w.open("power", Options{})
		}, "AWS cannot answer now (HTTP status 503)"},
		{"something else", Other, func(w *world) (Session, error) {
			w.Fail(awstest.Fault{Kind: awstest.Answer, Status: 400, Body: refusal("PackedPolicyTooLarge", "one\ntwo \x1b[31mred")})
			return w.open("power", Options{})
		}, "AWS refused AssumeRole: PackedPolicyTooLarge: one two"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			s, err := c.open(w)
			var refused *RefusedError
			if !errors.As(err, &refused) {
				t.Fatalf("got %v, %v", s, err)
			}
			if refused.Reason != c.reason || refused.Operation != "AssumeRole" {
				t.Errorf("got reason %d of %s, want %d (%v)", refused.Reason, refused.Operation, c.reason, err)
			}
			if !strings.Contains(err.Error(), c.text) || strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' }) {
				t.Errorf("got  %q\nwant %q", err, c.text)
			}
			if s.Opened || s.AccessKeyID != "" {
				t.Errorf("got a session: %v", s)
			}
			if refused.Login == nil || refused.Keys.AccessKeyID == "" || refused.Region == "" || refused.Network.STS.Text != w.URL() {
				t.Errorf("got role %v, %v, region %q, endpoint %q", refused.Login, refused.Keys, refused.Region, refused.Network.STS.Text)
			}
			if reported := c.reason == DurationTooLong; (refused.Duration == twoHours) != reported {
				t.Errorf("got duration %s", refused.Duration)
			}
			if want := time.Since(w.Now()); (refused.Offset - want).Abs() > time.Minute {
				t.Errorf("got offset %s, want %s for a clock that is off", refused.Offset, want)
			}
		})
	}
}

// refusal is an error answer of STS.
func refusal(code, message string) string {
	return fmt.Sprintf(`<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>0</RequestId></ErrorResponse>`,
		code, strings.ReplaceAll(message, "\x1b", "\u009b")) // XML has no escape character, but has this one
}

// The texts as users captured them from AWS; sources are beside refusals.
func TestRefusalsInAWSsOwnWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code    string
		status  int
		message string
		want    Reason
	}{
		{"AccessDenied", 403, "MultiFactorAuthentication failed with invalid MFA one time pass code. ", WrongCode},
		{"AccessDenied", 403, "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.", WrongSerial},
		{"AccessDenied", 403, "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.", NotAllowed},
		{"ValidationError", 400, "1 validation error detected: Value '12345' at 'tokenCode' failed to satisfy constraint: Member must have length greater than or equal to 6", Other},
		{"ValidationError", 400, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.", DurationTooLong},
		{"ValidationError", 400, "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.", ChainTooLong},
		{"AccessDenied", 403, "User: arn:aws:iam::123456789012:user/x is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/R", NotAllowed},
		{"AccessDenied", 403, "User: arn:aws:iam::123456789012:user/x is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/R with an explicit deny in a service control policy", NotAllowed},
		{"AccessDenied", 403, "Roles may not be assumed by root accounts.", NotAllowed},
		{"AccessDenied", 403, "Cannot call GetSessionToken with session credentials", NotAllowed},
		{"InvalidClientTokenId", 403, "The security token included in the request is invalid.", UnknownKey},
		{"SignatureDoesNotMatch", 403, "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.", WrongSecret},
		{"SignatureDoesNotMatch", 403, "Signature expired: 20240217T171323Z is now earlier than 20240217T173539Z (20240217T175039Z - 15 min.)", ClockOff},
		{"SignatureDoesNotMatch", 403, "Signature not yet current: 20210502T183640Z is still later than 20210502T175140Z (20210502T173640Z + 15 min.)", ClockOff},
		{"SignatureDoesNotMatch", 403, "Signature not yet current: 20210502T183640Z is still later than 20210502T174140Z (20210502T173640Z + 5 min.)", ClockOff},
		{"ExpiredToken", 403, "The security token included in the request is expired", ExpiredSession},
		{"RegionDisabledException", 403, "STS is not activated in this region for account:123456789012. Your account administrator can activate STS in this region using the IAM Console.", RegionDisabled},
		{"MissingAuthenticationToken", 403, "Request is missing Authentication Token", Other},
		{"Throttling", 400, "Rate exceeded", Unavailable},
		{"ServiceUnavailable", 503, "", Unavailable},
		{"Whatever", 500, "", Unavailable},
		{"Whatever", 400, "MaxSessionDuration", Other},
		{"", 403, "", Other},
	} {
		if got := classify(c.code, c.message, c.status); got != c.want {
			t.Errorf("%s %d %q: got %d, want %d", c.code, c.status, c.message, got, c.want)
		}
	}
}

// AWS repeats the request, with its session token, in what it says about a
// signature that does not fit.
func TestWordsThatMayRepeatTheRequestAreNotTold(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.session(w.mustOpen("power", Options{}), plainARN)
	w.Fail(awstest.Fault{Kind: awstest.Answer, Status: 403, Body: refusal("SignatureDoesNotMatch",
		"The request signature we calculated does not match the signature you provided. The Canonical String for this request should have been 'POST / x-amz-security-token:"+w.env["AWS_SESSION_TOKEN"]+"'")})
	_, err := w.open("env", Options{})
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Reason != WrongSecret || refused.Message != "" {
		t.Errorf("got %v with message %q", err, refused.Message)
	}
}

// Whoever answers in the place of STS may say anything.
func TestEveryRefusalOfEveryOperationHasAText(t *testing.T) {
	t.Parallel()
	w := start(t)
	client, err := NewClient(w.role("power").Network, "", w.clock(), w.tell)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range refusals {
		t.Run(r.code+" "+r.text, func(t *testing.T) {
			w.Fail(awstest.Fault{Kind: awstest.Answer, Status: 403, Body: refusal(r.code, r.text)})
			if r.reason == Unavailable {
				client.network.MaxAttempts = 1
			}
			_, err := client.Identity(t.Context(), profile.Keys{AccessKeyID: w.jane.AccessKeyID, SecretAccessKey: w.jane.SecretAccessKey})
			defer func() {
				if p := recover(); p != nil {
					t.Errorf("the text of the error panics: %v", p)
				}
			}()
			var refused *RefusedError
			if !errors.As(err, &refused) || refused.Error() == "" {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAClockThatIsOffByAnUnknownTimeIsNotSaidToBeRight(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Date"] = nil
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, refusal("SignatureDoesNotMatch", "Signature expired: 20240217T171323Z is now earlier than 20240217T173539Z (20240217T175039Z - 15 min.)"))
	}))
	defer server.Close()
	_, err := identity(t, server.URL)
	if err == nil || strings.Contains(err.Error(), " 0s ") {
		t.Errorf("got %v", err)
	}
}

// identity asks the server at url.
func identity(t *testing.T, url string) (Identity, error) {
	t.Helper()
	client, err := NewClient(profile.Network{STS: set(url)}, "", NewClocks(cache.MemoryIn(t.TempDir())).Of(profile.Network{}), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.http.CloseIdleConnections()
	return client.Identity(t.Context(), profile.Keys{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "s"})
}

// AWS answered that it did nothing: the same code may be offered again.
func TestThrottlingAndOutagesPassWithinTheAttempts(t *testing.T) {
	t.Parallel()
	for _, f := range []awstest.Fault{
		{Kind: awstest.Throttle},
		{Kind: awstest.Answer, Status: 503, Body: "Service Unavailable"},
		{Kind: awstest.Answer, Status: 500, Body: refusal("InternalFailure", "")},
	} {
		t.Run(fmt.Sprintf("%s %d", f.Kind, f.Status), func(t *testing.T) {
			t.Parallel()
			w := start(t)
			w.env["AWS_MAX_ATTEMPTS"] = "2"
			w.Fail(f)
			codes := &script{codes: []string{w.code()}}
			if s := w.mustOpen("power", Options{Codes: codes}); !s.Opened || len(codes.serials) != 1 {
				t.Errorf("got opened %v after %d codes", s.Opened, len(codes.serials))
			}
			w.wantCalls(2)
		})
	}
}

// After an answer that was lost, AWS may have spent the code.
func TestARequestWhoseAnswerWasLostIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind  awstest.FaultKind
		spent bool
	}{{awstest.Lost, true}, {awstest.Reset, false}} {
		t.Run(c.kind.String(), func(t *testing.T) {
			t.Parallel()
			w := start(t)
			w.Fail(awstest.Fault{Action: "AssumeRole", Kind: c.kind})
			code := w.code()
			_, err := w.open("power", Options{Codes: &script{codes: []string{code}}})
			var network *NetworkError
			if !errors.As(err, &network) {
				t.Fatalf("got %v", err)
			}
			if !network.MaybeDone || !network.UsedCode || network.Operation != "AssumeRole" || network.Host != strings.TrimPrefix(w.URL(), "http://") || network.Endpoint.Text != w.URL() {
				t.Errorf("got maybe done %v, used code %v, %s, host %q, endpoint %q", network.MaybeDone, network.UsedCode, network.Operation, network.Host, network.Endpoint.Text)
			}
			if !strings.Contains(err.Error(), "AWS may have used up the MFA code") {
				t.Errorf("got %q", err)
			}
			w.wantCalls(1)
			if len(w.files()) != 0 {
				t.Errorf("got %d files", len(w.files()))
			}
			w.forget()
			_, err = w.open("power", Options{Codes: &script{codes: []string{code}}})
			var refused *RefusedError
			if spent := errors.As(err, &refused) && refused.Reason == WrongCode; spent != c.spent {
				t.Errorf("the same code again: got %v", err)
			}
		})
	}
}

func TestWithoutAConnectionNothingWasDone(t *testing.T) {
	t.Parallel()
	w := start(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := listener.Addr().String()
	listener.Close()
	w.env["AWS_ENDPOINT_URL_STS"] = "http://" + closed
	_, err = w.open("power", Options{})
	refused, connect := syscall.ECONNREFUSED, "connect"
	if runtime.GOOS == "windows" {
		refused, connect = 10061, "connectex" // WSAECONNREFUSED
	}
	var network *NetworkError
	if !errors.As(err, &network) || !errors.Is(err, refused) {
		t.Fatalf("got %v", err)
	}
	if network.MaybeDone || network.Host != closed || network.Endpoint.From.Env != "AWS_ENDPOINT_URL_STS" {
		t.Errorf("got maybe done %v, host %q, from %v", network.MaybeDone, network.Host, network.Endpoint.From)
	}
	if want := "no connection to " + closed + ": " + connect + ": " + refused.Error(); err.Error() != want {
		t.Errorf("got  %q\nwant %q", err, want)
	}
}

func TestRedirectionsAreNotFollowed(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.Fail(awstest.Fault{Action: "AssumeRole", Kind: awstest.Redirect})
	if s, err := w.open("power", Options{}); err == nil || s.Opened {
		t.Errorf("got %v, %v", s, err)
	}
	w.wantCalls(1)
	if w.Count("moved") != 0 {
		t.Errorf("got calls %+v", w.Calls())
	}
}

func TestWhatIsNoAnswerOfSTSOpensNothing(t *testing.T) {
	t.Parallel()
	answer := func(credentials string) string {
		return `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser><AssumedRoleId>A:j</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/R/j</Arn></AssumedRoleUser>` +
			credentials + `</AssumeRoleResult></AssumeRoleResponse>`
	}
	for _, c := range []struct {
		name   string
		status int
		body   string
	}{
		{"nothing", 200, ""},
		{"a word", 200, "OK"},
		{"a page", 200, "<!DOCTYPE html><html><body>Log in to the hotel's network<br></body></html>"},
		{"JSON", 200, `{"AssumeRoleResponse": {}}`},
		{"another answer", 200, "<GetCallerIdentityResponse/>"},
		{"half an answer", 200, answer("<Credentials><AccessKeyId>ASIA")},
		{"no credentials", 200, answer("")},
		{"no token", 200, answer("<Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><Expiration>2030-01-01T00:00:00Z</Expiration></Credentials>")},
		{"no secret key", 200, answer("<Credentials><AccessKeyId>ASIA</AccessKeyId><SessionToken>t</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration></Credentials>")},
		{"no end", 200, answer("<Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken></Credentials>")},
		{"an end that is no time", 200, answer("<Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>soon</Expiration></Credentials>")},
		{"a page with an error status", 403, "<!DOCTYPE html><html><body>Blocked by the company's proxy<br></body></html>"},
		{"nothing with an error status", 404, ""},
		{"a redirection", 302, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			w.Fail(awstest.Fault{Kind: awstest.Answer, Status: c.status, Body: c.body})
			s, err := w.open("power", Options{})
			var network *NetworkError
			if !errors.As(err, &network) || !network.MaybeDone || s.Opened {
				t.Errorf("got %v, %v (%T), want a NetworkError that may be done", s, err, err)
			}
			w.wantCalls(1)
			if len(w.files()) != 0 {
				t.Errorf("got files %q", w.files())
			}
		})
	}
}

// What is read of an answer is bounded.
func TestEndlessAnswersAreCut(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 400} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				for range 64 << 20 / 12288 { // no end, to whoever reads no more than maxAnswer and what is under way
					if _, err := w.Write(bytes.Repeat([]byte("<x>"), 4096)); err != nil {
						return
					}
				}
				t.Error("all of 64 MiB was read")
			}))
			defer server.Close()
			_, err := identity(t, server.URL)
			var network *NetworkError
			if !errors.As(err, &network) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Also where it is packed: a small answer may be a large one.
func TestAnswersAreCutUnpacked(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		pack := gzip.NewWriter(w)
		pack.Write(make([]byte, 8<<20))
		pack.Close()
	}))
	defer server.Close()
	client, err := HTTPClient(profile.Network{})
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	answer, err := client.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if n, err := io.Copy(io.Discard, answer.Body); n != maxAnswer || err != nil {
		t.Errorf("got %d octets, %v, want %d", n, err, maxAnswer)
	}
}

func TestHostsWithAnUnknownCertificateGetNoRequest(t *testing.T) {
	t.Parallel()
	w := start(t)
	client := w.through(profile.Network{}, "") // the system does not know the local AWS's authority
	_, err := client.open(t.Context(), w.role("power"), w.role("power").Source.Keys, w.code(), 0)
	w.tell("%v", err)
	var network *NetworkError
	if !errors.As(err, &network) || network.MaybeDone || !strings.Contains(err.Error(), "cannot be trusted: ") {
		t.Errorf("got %v", err)
	}
	if calls := w.Calls(); len(calls) != 0 {
		t.Errorf("got calls %+v", calls)
	}
	client = w.through(profile.Network{CABundle: w.ca()}, "")
	if _, err := client.open(t.Context(), w.role("power"), w.role("power").Source.Keys, w.code(), 0); err != nil {
		t.Errorf("with the CA bundle: got %v", err)
	}
}

// The proxy is the way there; what was asked, and cannot be trusted, is AWS.
func TestBehindAProxyItIsAWSsHostThatIsNamed(t *testing.T) {
	t.Parallel()
	w := start(t)
	_, err := w.through(profile.Network{}, "").Identity(t.Context(), profile.Keys{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "s"})
	const host = "sts.us-east-1.amazonaws.com"
	if err == nil || !strings.HasPrefix(err.Error(), host) {
		t.Errorf("got %v, want %s named", err, host)
	}
	if !strings.Contains(w.heard(), "request to "+host) {
		t.Errorf("got trace %q, want %s named", w.heard(), host)
	}
}

func TestACABundleThatIsNoneNamesItsSetting(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("# nothing yet\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := empty + ".gone"
	for path, want := range map[string]string{
		missing: "CA bundle (~/.aws/config:7): open " + missing,
		empty:   "CA bundle (~/.aws/config:7): " + empty + " holds no PEM certificate",
	} {
		_, err := HTTPClient(profile.Network{CABundle: set(path)})
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	// Before a code is asked for.
	w := start(t)
	w.env["AWS_CA_BUNDLE"] = missing
	codes := &script{codes: []string{w.code()}}
	_, err := w.open("power", Options{Codes: codes})
	if err == nil || !strings.Contains(err.Error(), "environment variable AWS_CA_BUNDLE") || len(codes.serials) != 0 {
		t.Errorf("got %v after %d codes", err, len(codes.serials))
	}
}

// Whoever waits for AWS gives way when the user gives up.
func TestOpenGivesWayToItsContext(t *testing.T) {
	t.Parallel()
	arrived, gone := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		close(arrived)
		<-r.Context().Done()
		close(gone)
	}))
	defer server.Close()
	w := start(t)
	w.env["AWS_ENDPOINT_URL_STS"] = server.URL
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("the user has had enough")
	go func() {
		<-arrived
		cancel(enough)
	}()
	if _, err := w.openRole(ctx, w.role("power"), Options{}); err != enough {
		t.Errorf("got %v, want the cause", err)
	}
	<-gone
	codes := &script{codes: []string{w.code()}}
	if _, err := w.openRole(ctx, w.role("power"), Options{Codes: codes}); err != enough {
		t.Errorf("already given up: got %v, want the cause", err)
	}
}

// An inside is a network without wires: its connections wait in the fake time
// of a synctest bubble.
type inside struct {
	conns chan net.Conn
	done  chan struct{}
}

func (i inside) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	i.conns <- theirs
	return ours, nil
}

func (i inside) Accept() (net.Conn, error) {
	select {
	case c := <-i.conns:
		return c, nil
	case <-i.done:
		return nil, net.ErrClosed
	}
}

func (i inside) Close() error   { close(i.done); return nil }
func (i inside) Addr() net.Addr { return &net.IPAddr{} }

// within calls test in a bubble with a client to whom everybody is the handler.
func within(t *testing.T, n profile.Network, handler http.HandlerFunc, test func(*testing.T, *Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		wire := inside{make(chan net.Conn), make(chan struct{})}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body) // else nobody sees that the client has gone
			handler(w, r)
		})}
		go server.Serve(wire)
		defer server.Close()
		client, err := NewClient(n, "", NewClocks(cache.MemoryIn(t.TempDir())).Of(profile.Network{}), nil)
		if err != nil {
			t.Fatal(err)
		}
		transport := client.http.Transport.(bounded).next.(*http.Transport)
		transport.DialContext, transport.Proxy = wire.dial, nil
		defer client.http.CloseIdleConnections()
		test(t, client)
	})
}

// A role that is assumed with a code, for requests to nobody in particular.
func someRole() *profile.Login {
	return &profile.Login{
		Profile: "p", RoleARN: set(powerARN), SerialNumber: set("arn:aws:iam::123456789012:mfa/jane"),
		Source: profile.Source{Profile: "default", Keys: profile.Keys{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "s"}},
	}
}

func TestASilentSTSIsGivenUp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
	}{
		{"no answer", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
		{"no end of an answer", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "<AssumeRoleResponse>")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}},
		{"a letter now and then", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				io.WriteString(w, " ")
				w.(http.Flusher).Flush()
				select {
				case <-time.After(time.Second):
				case <-r.Context().Done():
				}
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			within(t, profile.Network{STS: set("http://sts.example")}, c.answer, func(t *testing.T, client *Client) {
				begin := time.Now()
				_, err := client.open(t.Context(), someRole(), someRole().Source.Keys, "123456", 0)
				if took := time.Since(begin); took > callTimeout || took < callTimeout-time.Second {
					t.Errorf("got %s, want %s", took, callTimeout)
				}
				var network *NetworkError
				if !errors.As(err, &network) || !network.MaybeDone {
					t.Fatalf("got %v", err)
				}
				before, after := "no usable answer from sts.example", ": timed out; AWS may have used up the MFA code"
				if text := err.Error(); !strings.HasPrefix(text, before) || !strings.HasSuffix(text, after) {
					t.Errorf("got  %q\nwant %q … %q", text, before, after)
				}
			})
		})
	}
}

// Whoever has less patience gets the same answer sooner.
func TestTheDeadlineOfTheCallerCountsToo(t *testing.T) {
	t.Parallel()
	silent := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	within(t, profile.Network{STS: set("http://sts.example")}, silent, func(t *testing.T, client *Client) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begin := time.Now()
		_, err := client.Identity(ctx, someRole().Source.Keys)
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("got %s", took)
		}
		var network *NetworkError
		if !errors.As(err, &network) || network.UsedCode || !strings.HasSuffix(err.Error(), ": timed out") {
			t.Errorf("got %v", err)
		}
	})
}

// The sign-in endpoint is asked with the client alone.
func TestTheHTTPClientHasTheLimitOfACallToo(t *testing.T) {
	t.Parallel()
	silent := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	within(t, profile.Network{}, silent, func(t *testing.T, client *Client) {
		begin := time.Now()
		_, err := client.http.Get("http://signin.example")
		if took := time.Since(begin); err == nil || took != callTimeout {
			t.Errorf("got %v after %s, want an error after %s", err, took, callTimeout)
		}
	})
}

func TestAHostThatDoesNotSpeakTLSIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		wire := inside{make(chan net.Conn, 1), make(chan struct{})}
		client, err := NewClient(profile.Network{}, "", NewClocks(cache.MemoryIn(t.TempDir())).Of(profile.Network{}), nil)
		if err != nil {
			t.Fatal(err)
		}
		transport := client.http.Transport.(bounded).next.(*http.Transport)
		transport.DialContext, transport.Proxy = wire.dial, nil
		begin := time.Now()
		_, err = client.open(t.Context(), someRole(), someRole().Source.Keys, "123456", 0)
		if took := time.Since(begin); took != connectTimeout {
			t.Errorf("got %s, want %s", took, connectTimeout)
		}
		var network *NetworkError
		if !errors.As(err, &network) || network.MaybeDone {
			t.Errorf("got %v", err)
		}
	})
}

// A connection that served a request before may just have been closed, so
// net/http repeats some requests that got no answer there: not ours.
func TestARequestIsNotRepeatedOnAConnectionThatIsReused(t *testing.T) {
	t.Parallel()
	calls, connections := 0, 0
	once := func(w http.ResponseWriter, _ *http.Request) {
		if calls++; calls > 1 {
			panic(http.ErrAbortHandler)
		}
		io.WriteString(w, "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>"+janeARN+"</Arn><UserId>AIDA</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>")
	}
	within(t, profile.Network{STS: set("http://sts.example")}, once, func(t *testing.T, client *Client) {
		transport := client.http.Transport.(bounded).next.(*http.Transport)
		dial := transport.DialContext
		transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			connections++
			return dial(ctx, network, address)
		}
		if who, err := client.Identity(t.Context(), someRole().Source.Keys); err != nil || who.ARN != janeARN {
			t.Fatalf("got %v, %v", who, err)
		}
		time.Sleep(time.Second) // the connection is idle now
		_, err := client.open(t.Context(), someRole(), someRole().Source.Keys, "123456", 0)
		var network *NetworkError
		if !errors.As(err, &network) || !network.MaybeDone {
			t.Errorf("got %v", err)
		}
		if calls != 2 || connections != 1 {
			t.Errorf("got %d calls on %d connections, want 2 on one", calls, connections)
		}
	})
}

// A closing body has no end before it is closed, and is broken then.
type closingBody struct {
	io.Reader
	closed context.Context
	close  context.CancelFunc
}

func (b closingBody) Read(p []byte) (int, error) {
	if n, err := b.Reader.Read(p); err != io.EOF {
		return n, err
	}
	<-b.closed.Done()
	return 0, io.ErrClosedPipe
}

func (b closingBody) Close() error { b.close(); return nil }

// The SDK closes the body of a request as soon as the answer begins, however
// far net/http is with it.
func TestAnAnswerIsReadWhateverBecomesOfTheRequestsBody(t *testing.T) {
	t.Parallel()
	const answer = "an answer in two pieces"
	var begun chan struct{}
	slow := func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, answer[:5])
		http.NewResponseController(w).Flush()
		<-begun
		io.WriteString(w, answer[5:])
	}
	within(t, profile.Network{}, slow, func(t *testing.T, client *Client) {
		const form = "Action=GetCallerIdentity"
		begun = make(chan struct{})
		closed, finish := context.WithCancel(t.Context())
		request, err := http.NewRequest(http.MethodPost, "http://sts.example", closingBody{strings.NewReader(form), closed, finish})
		if err != nil {
			t.Fatal(err)
		}
		request.ContentLength = int64(len(form))
		response, err := client.http.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		request.Body.Close()
		synctest.Wait()
		close(begun)
		if got, err := io.ReadAll(response.Body); err != nil || string(got) != answer {
			t.Errorf("got %q, %v, want %q", got, err, answer)
		}
	})
}

// Three attempts, as the AWS SDKs make, with pauses that a person can wait for.
func TestAttemptsAreAsManyAsSetAndSoonOver(t *testing.T) {
	t.Parallel()
	for set, want := range map[int]int{0: 3, 1: 1, 2: 2, 5: 5} {
		t.Run(fmt.Sprint(set), func(t *testing.T) {
			t.Parallel()
			calls := 0
			throttle := func(w http.ResponseWriter, _ *http.Request) {
				calls++
				w.WriteHeader(http.StatusBadRequest)
				io.WriteString(w, refusal("Throttling", "Rate exceeded"))
			}
			network := profile.Network{STS: profile.Value{Text: "http://sts.example", Set: true}, MaxAttempts: set}
			within(t, network, throttle, func(t *testing.T, client *Client) {
				begin := time.Now()
				_, err := client.open(t.Context(), someRole(), someRole().Source.Keys, "123456", 0)
				var refused *RefusedError
				if !errors.As(err, &refused) || refused.Reason != Unavailable || refused.Code != "Throttling" {
					t.Errorf("got %v", err)
				}
				if calls != want {
					t.Errorf("got %d calls, want %d", calls, want)
				}
				if took := time.Since(begin); took > time.Duration(want-1)*2*time.Second+time.Second {
					t.Errorf("got %s in all, want at most 2 s between attempts", took)
				}
			})
		})
	}
}

// However many attempts are set, all of them together have callTimeout, and
// what AWS answered to the last one is what is told.
func TestManyAttemptsEndInTime(t *testing.T) {
	t.Parallel()
	throttle := func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, refusal("Throttling", "Rate exceeded"))
	}
	within(t, profile.Network{STS: set("http://sts.example"), MaxAttempts: 1000}, throttle, func(t *testing.T, client *Client) {
		begin := time.Now()
		_, err := client.open(t.Context(), someRole(), someRole().Source.Keys, "123456", 0)
		if took := time.Since(begin); took > callTimeout {
			t.Errorf("got %s, want at most %s", took, callTimeout)
		}
		var network *NetworkError
		if err == nil || errors.As(err, &network) && network.MaybeDone {
			t.Errorf("got %v, but AWS answered each time that it did nothing", err)
		}
	})
}

// Exactly the margin is enough, as for the AWS CLI; a moment less is not.
func TestTheMarginIsMetToTheMicrosecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := cache.In(t.TempDir())
		role := someRole()
		for _, c := range []struct {
			left time.Duration
			good bool
		}{{cache.Margin, true}, {cache.Margin - time.Microsecond, false}} {
			entry := cache.Entry{AccessKeyID: "ASIAIOSFODNN7EXAMPLE", SecretAccessKey: "s", SessionToken: "t", Expiration: time.Now().Add(c.left)}
			if err := dir.Write(Store{}.Name(role), entry); err != nil {
				t.Fatal(err)
			}
			_, err := Open(t.Context(), role, Options{Store: Store{Roles: dir, Memory: cache.MemoryIn(string(dir))}, Clock: NewClocks(cache.MemoryIn(string(dir))).Of(profile.Network{}), Codes: &script{}, Teller: &world{}})
			if good := err == nil; good != c.good || !good && err != errNoCode {
				t.Errorf("%s left: got %v, want a session: %v", c.left, err, c.good)
			}
		}
	})
}

// Who wants to know why an answer is none is told what the SDK says, which may
// quote it, without what may be secret.
func TestVerboseTellsWhyAnAnswerIsNone(t *testing.T) {
	t.Parallel()
	const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	for _, c := range []struct{ name, result, want string }{
		{"another element", "<Credentials><A></B>", "XML syntax error on line 1: element <A> closed by </B>"},
		{"a terminal's escape", "<Credentials><SecretAccessKey><x\u009b31m/></SecretAccessKey>", "in full: "},
		{"octets of the secret", "<Credentials><SecretAccessKey>s<![CDATA[" + secret + "]]></SecretAccessKey>", "got xml.CharData type […]"},
		{"the secret", "<Credentials><SecretAccessKey><" + strings.ReplaceAll(secret, "/", "") + "/></SecretAccessKey>", "{{ …} []}"},
		{"a time", "<Credentials><Expiration>soon</Expiration>", `cannot parse "soon"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			w.Fail(awstest.Fault{Kind: awstest.Answer, Body: "<AssumeRoleResponse><AssumeRoleResult>" + c.result})
			if _, err := w.open("power", Options{}); err == nil {
				t.Fatal("got a session")
			}
			heard := w.heard()
			if !strings.Contains(heard, "AssumeRole: in full: ") || !strings.Contains(heard, c.want) {
				t.Errorf("got %q, want %q in it", heard, c.want)
			}
			if strings.Contains(heard, "wJalr") || strings.Contains(heard, "119 74 97") || strings.ContainsRune(heard, '\u009b') {
				t.Errorf("got %q", heard)
			}
		})
	}
}
