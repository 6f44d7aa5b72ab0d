package main

import (
	"bytes"
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
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aws-mfa/shared/awstest"
	"aws-mfa/shared/cache"
	"aws-mfa/shared/cli"
	"aws-mfa/shared/mfa"
	"aws-mfa/shared/profile"
	"aws-mfa/shared/session"
)

func set(text string) profile.Value {
	return profile.Value{Text: text, Set: true, From: profile.Origin{File: "~/.aws/config", Line: 7}}
}

// in is a bearer of that partition, with nothing set.
func in(partition string) bearer {
	return bearer{arn: "arn:" + partition + ":sts::123456789012:assumed-role/Admin/jane"}
}

const (
	janeARN  = "arn:aws:iam::123456789012:user/jane"
	adminARN = "arn:aws:iam::123456789012:role/Admin"
	spokeARN = "arn:aws:iam::123456789012:role/Spoke"
)

// A world is a local AWS with a user jane, and an ear for secrets in what is told.
type world struct {
	*awstest.AWS
	t    *testing.T
	env  map[string]string
	told bytes.Buffer
}

func start(t *testing.T) *world {
	t.Helper()
	a, err := awstest.Start()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	w := &world{AWS: a, t: t, env: map[string]string{"HOME": home, "USERPROFILE": home, "AWS_ENDPOINT_URL": a.URL()}}
	t.Cleanup(func() {
		a.Close()
		for _, secret := range a.Secrets() {
			if strings.Contains(w.told.String(), secret) {
				t.Errorf("a secret was told: %.4s… (%d characters)", secret, len(secret))
			}
		}
	})
	jane := a.AddUser(janeARN)
	a.AddRole(awstest.Role{ARN: adminARN, Trusts: []string{janeARN}})
	a.AddRole(awstest.Role{ARN: spokeARN, Trusts: []string{adminARN}})
	write := func(name, text string) error {
		path := filepath.Join(home, ".aws", name)
		return errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600))
	}
	if err := errors.Join(
		write("config", "[profile admin]\nrole_arn = "+adminARN+"\nsource_profile = default\n[profile spoke]\nrole_arn = "+spokeARN+"\ncredential_source = Environment\n"),
		write("credentials", "[default]\naws_access_key_id = "+jane.AccessKeyID+"\naws_secret_access_key = "+jane.SecretAccessKey+"\n"),
	); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) trace(format string, args ...any) { fmt.Fprintf(&w.told, format+"\n", args...) }

// bearer signs in to a profile.
func (w *world) bearer(name string) bearer {
	w.t.Helper()
	files, err := profile.Load(func(variable string) (string, bool) { value, ok := w.env[variable]; return value, ok })
	if err != nil {
		w.t.Fatal(err)
	}
	p, err := files.Profile(name)
	if err != nil {
		w.t.Fatal(err)
	}
	role, err := p.Login()
	if err != nil {
		w.t.Fatal(err)
	}
	s, err := session.Open(w.t.Context(), role, session.Options{Store: session.Store{Roles: cache.In(w.env["HOME"]), Memory: cache.MemoryIn(w.env["HOME"])}, Clock: session.NewClocks(cache.MemoryIn(w.env["HOME"])).Of(role.Network), Codes: mfa.NoInput(), Teller: &cli.Voice{}})
	if err != nil {
		w.t.Fatal(err)
	}
	return bearer{
		profile: name, login: role, arn: s.AssumedRoleARN, network: role.Network,
		keys: profile.Keys{AccessKeyID: s.AccessKeyID, SecretAccessKey: s.SecretAccessKey, SessionToken: s.SessionToken},
	}
}

// signIn exchanges the bearer's session, and hears what is told of it.
func (w *world) signIn(ctx context.Context, who bearer, duration time.Duration) (string, error) {
	w.t.Helper()
	p, err := (&console{Service: "s3", Region: "eu-west-1"}).page(who)
	if err != nil {
		w.t.Fatal(err)
	}
	link, err := p.signIn(ctx, who, duration, w.trace)
	if err != nil {
		w.trace("%v %+v", err, err)
	}
	return link, err
}

func TestTheSignInURLOpensTheConsole(t *testing.T) {
	t.Parallel()
	w := start(t)
	who := w.bearer("admin")
	link, err := w.signIn(t.Context(), who, 0)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(link)
	if err != nil || !strings.HasPrefix(link, w.URL()+"/federation?") {
		t.Fatalf("got %s, %v", link, err)
	}
	query := u.Query()
	if query.Get("Action") != "login" || query.Get("Destination") != "https://eu-west-1.console.aws.amazon.com/s3/home?region=eu-west-1" || query.Get("SigninToken") == "" || len(query) != 3 {
		t.Errorf("got %v", query)
	}
	for _, secret := range []string{who.keys.SecretAccessKey, who.keys.SessionToken, who.keys.AccessKeyID} {
		if strings.Contains(link, secret) || strings.Contains(link, url.QueryEscape(secret)) {
			t.Errorf("the URL has %.4s… of the session", secret)
		}
	}
	calls := w.Calls()
	if last := calls[len(calls)-1]; last.Action != "getSigninToken" || last.Method != "POST" || last.DurationSeconds != 0 || last.Status != 200 {
		t.Errorf("got %+v", last)
	}
	jar := &oneCookie{}
	answer, err := (&http.Client{Jar: jar}).Get(link)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	for _, part := range []string{"Signed in as " + who.arn, "At https://eu-west-1.console.aws.amazon.com/s3/home?region=eu-west-1"} {
		if err != nil || !strings.Contains(string(body), part) {
			t.Errorf("the console lacks %q: %v\n%s", part, err, body)
		}
	}
	if !strings.Contains(w.told.String(), "getSigninToken: request to "+strings.TrimPrefix(w.URL(), "http://")) {
		t.Errorf("got trace %q", w.told.String())
	}
}

// oneCookie keeps the last cookies for whoever asks.
type oneCookie struct{ cookies []*http.Cookie }

func (o *oneCookie) SetCookies(_ *url.URL, c []*http.Cookie) { o.cookies = c }
func (o *oneCookie) Cookies(*url.URL) []*http.Cookie         { return o.cookies }

func TestADurationIsSentOnlyWhenAskedFor(t *testing.T) {
	t.Parallel()
	w := start(t)
	who := w.bearer("admin")
	for _, duration := range []time.Duration{0, 15 * time.Minute, 12 * time.Hour} {
		if _, err := w.signIn(t.Context(), who, duration); err != nil {
			t.Errorf("%s: %v", duration, err)
		}
		calls := w.Calls()
		if got := calls[len(calls)-1].DurationSeconds; got != int(duration.Seconds()) {
			t.Errorf("%s: got %d s asked for", duration, got)
		}
	}
}

// AWS takes a duration for roles that were assumed with long-term keys only.
func TestADurationForAChainIsARefusalWithStatus400(t *testing.T) {
	t.Parallel()
	w := start(t)
	hub := w.bearer("admin")
	w.env["AWS_ACCESS_KEY_ID"], w.env["AWS_SECRET_ACCESS_KEY"], w.env["AWS_SESSION_TOKEN"] = hub.keys.AccessKeyID, hub.keys.SecretAccessKey, hub.keys.SessionToken
	spoke := w.bearer("spoke")
	_, err := w.signIn(t.Context(), spoke, time.Hour)
	var refused *federationError
	if !errors.As(err, &refused) || refused.status != 400 {
		t.Errorf("got %v", err)
	}
	if _, err := w.signIn(t.Context(), spoke, 0); err != nil {
		t.Errorf("without: got %v", err)
	}
}

func TestWithoutADurationARefusalIsFinal(t *testing.T) {
	t.Parallel()
	w := start(t)
	who := w.bearer("admin")
	p, err := (&console{}).page(who)
	if err != nil {
		t.Fatal(err)
	}
	w.Fail(awstest.Fault{Action: "getSigninToken", Kind: awstest.Answer, Status: 400, Body: "<html>Bad Request</html>"})
	_, err = (&console{}).signInURL(t.Context(), &cli.Voice{}, who, p)
	var refused *federationError
	if !errors.As(err, &refused) || w.Count("getSigninToken") != 1 {
		t.Errorf("got %v after %+v", err, w.Calls())
	}
}

// The keys are in the body of the request and nowhere else.
func TestKeysTravelInTheBodyOnly(t *testing.T) {
	t.Parallel()
	who := in("aws")
	who.keys = profile.Keys{AccessKeyID: "ASIAIOSFODNN7EXAMPLE", SecretAccessKey: "se/cr+et=", SessionToken: "to/k+en=&\""}
	var got *http.Request
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		got = r
		io.WriteString(w, `{"SigninToken": "t+/=&x"}`)
	}))
	defer server.Close()
	link, err := page{destination: "https://console.aws.amazon.com/?a=b&c", federation: server.URL + "/federation"}.signIn(t.Context(), who, 0, func(string, ...any) {})
	if err != nil {
		t.Fatal(err)
	}
	if got.Method != http.MethodPost || got.RequestURI != "/federation" || got.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		t.Errorf("got %s %s, %s", got.Method, got.RequestURI, got.Header.Get("Content-Type"))
	}
	if head := fmt.Sprint(got.RequestURI, got.Header); strings.Contains(head, "ASIA") || strings.Contains(head, "cr+et") || strings.Contains(head, "k+en") {
		t.Errorf("got %s", head)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("Action") != "getSigninToken" || form.Has("SessionDuration") || len(form) != 2 {
		t.Errorf("got form %q, %v", body, err)
	}
	var keys map[string]string
	if err := json.Unmarshal([]byte(form.Get("Session")), &keys); err != nil || len(keys) != 3 ||
		keys["sessionId"] != "ASIAIOSFODNN7EXAMPLE" || keys["sessionKey"] != "se/cr+et=" || keys["sessionToken"] != "to/k+en=&\"" {
		t.Errorf("got %v, %v", keys, err)
	}
	u, err := url.Parse(link)
	if err != nil || u.Query().Get("SigninToken") != "t+/=&x" || u.Query().Get("Destination") != "https://console.aws.amazon.com/?a=b&c" {
		t.Errorf("got %s, %v", link, err)
	}
}

func TestAnswersWithoutATokenAreErrorsWithoutSecrets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		status int
		body   string // KEYS stands for what was sent
		want   string
	}{
		{"refused", 400, "<html>Invalid credentials parameter: KEYS</html>", "does not take the session: only sessions of a role that are still good open the console (HTTP status 400)"},
		{"forbidden", 403, "KEYS", "gave no sign-in token (HTTP status 403)"},
		{"out of order", 500, "KEYS", "gave no sign-in token (HTTP status 500)"},
		{"a token with an error status", 500, `{"SigninToken": "t"}`, "gave no sign-in token (HTTP status 500)"},
		{"not JSON", 200, "<html>KEYS</html>", "holds no sign-in token"},
		{"nothing", 200, "", "holds no sign-in token"},
		{"null", 200, "null", "holds no sign-in token"},
		{"no token", 200, "{}", "holds no sign-in token"},
		{"an empty token", 200, `{"SigninToken": ""}`, "holds no sign-in token"},
		{"a token that is no text", 200, `{"SigninToken": 7}`, "holds no sign-in token"},
		{"a list", 200, `[{"SigninToken": "t"}]`, "holds no sign-in token"},
		{"half of it", 200, `{"SigninToken": "KEYS`, "holds no sign-in token"},
		{"too much", 200, `{"SigninToken": "` + strings.Repeat("x", 2<<20) + `"}`, "holds no sign-in token"},
		{"no content", 204, "", "gave no sign-in token (HTTP status 204)"},
		{"a page", 200, " \n<!DOCTYPE html><html>KEYS</html>", "is a web page, and holds no sign-in token"},
		{"more than a token", 200, `{"SigninToken": "t"} KEYS`, "holds no sign-in token"},
		{"two tokens", 200, `{"SigninToken": "t"}{"SigninToken": "t"}`, "holds no sign-in token"},
		{"a token with a line break", 200, `{"SigninToken": "t\nKEYS"}`, "is none of AWS: it is too long, or has characters that are not those of URLs"},
		{"not found", 404, "KEYS", "gave no sign-in token (HTTP status 404)"},
		{"a proxy's no", 407, "KEYS", "gave no sign-in token (HTTP status 407)"},
		{"too hasty", 429, "KEYS", "gave no sign-in token (HTTP status 429)"},
		{"a gateway", 504, "KEYS", "gave no sign-in token (HTTP status 504)"},
		{"an unheard-of status", 999, "KEYS", "gave no sign-in token (HTTP status 999)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			who := w.bearer("admin")
			keys := who.keys.SecretAccessKey + who.keys.SessionToken
			w.Fail(awstest.Fault{Action: "getSigninToken", Times: -1, Kind: awstest.Answer, Status: c.status, Body: strings.ReplaceAll(c.body, "KEYS", keys)})
			link, err := w.signIn(t.Context(), who, 0)
			var refused *federationError
			if link != "" || !errors.As(err, &refused) || refused.status != c.status || !strings.HasSuffix(err.Error(), c.want) {
				t.Errorf("got %q, %v, want %q", link, err, c.want)
			}
			if host := strings.TrimPrefix(w.URL(), "http://"); err != nil && !strings.Contains(err.Error(), host) {
				t.Errorf("got %v, want %s named", err, host)
			}
		})
	}
}

// It may begin like the one that is waited for, and be packed.
func TestOfAnAnswerWithoutAnEndOnlySoMuchIsRead(t *testing.T) {
	t.Parallel()
	for _, kind := range []awstest.FaultKind{awstest.Endless, awstest.Bomb} {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			w := start(t)
			w.Fail(awstest.Fault{Action: "getSigninToken", Kind: kind, Body: `{"SigninToken": "`})
			_, err := w.signIn(t.Context(), w.bearer("admin"), 0)
			if refused := new(federationError); !errors.As(err, &refused) || refused.status != 200 {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Nothing of it is of interest.
func TestTheAnswerOfARefusalIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		w.(http.Flusher).Flush()
		<-r.Context().Done() // until the client goes
	}))
	defer server.Close()
	_, err := page{federation: server.URL}.signIn(t.Context(), in("aws"), 0, func(string, ...any) {})
	if refused := new(federationError); !errors.As(err, &refused) || refused.status != 400 {
		t.Errorf("got %v", err)
	}
}

func TestSignInIsNotRedirected(t *testing.T) {
	t.Parallel()
	w := start(t)
	who := w.bearer("admin")
	for _, status := range []int{301, 302, 303, 307, 308} {
		w.Fail(awstest.Fault{Action: "getSigninToken", Kind: awstest.Redirect, Status: status})
		_, err := w.signIn(t.Context(), who, 0)
		var refused *federationError
		if !errors.As(err, &refused) || refused.status != status || w.Count("moved") != 0 {
			t.Errorf("%d: got %v, %d followed", status, err, w.Count("moved"))
		}
	}
}

func TestAWSIsAskedOnceMoreWhereItWasOutOfOrder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		fault       awstest.Fault
		maxAttempts int
		works       bool
		calls       int
	}{
		{"once", awstest.Fault{Status: 500}, 0, true, 2},
		{"throttled", awstest.Fault{Status: 429}, 0, true, 2},
		{"a gateway", awstest.Fault{Status: 502}, 5, true, 2},
		{"for longer", awstest.Fault{Status: 503, Times: -1}, 0, false, 2},
		{"max_attempts is 1", awstest.Fault{Status: 503}, 1, false, 1},
		{"refused", awstest.Fault{Status: 400}, 0, false, 1},
		{"forbidden", awstest.Fault{Status: 403}, 0, false, 1},
		{"no token", awstest.Fault{Status: 200, Body: "<html>"}, 0, false, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			who := w.bearer("admin")
			who.network.MaxAttempts = c.maxAttempts
			c.fault.Action, c.fault.Kind = "getSigninToken", awstest.Answer
			w.Fail(c.fault)
			link, err := w.signIn(t.Context(), who, time.Hour)
			if works := err == nil && link != ""; works != c.works || w.Count("getSigninToken") != c.calls {
				t.Errorf("got %q, %v after %d calls, want %d", link, err, w.Count("getSigninToken"), c.calls)
			}
			for _, call := range w.Calls() {
				if call.Action == "getSigninToken" && call.DurationSeconds != 3600 {
					t.Errorf("got %+v, want the same request", call)
				}
			}
		})
	}
}

func TestTheWaitBeforeAWSIsAskedAgainGivesWayToTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("the user has had enough")
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	trace := func(format string, _ ...any) {
		if strings.HasSuffix(format, "once more") {
			cancel(enough)
		}
	}
	if _, err := (page{federation: server.URL}).signIn(ctx, in("aws"), 0, trace); !errors.Is(err, enough) || asked != 1 {
		t.Errorf("got %v after %d requests, want the cause", err, asked)
	}
}

// A host that is none of AWS's may send back what it got, in the place of what
// errors of net/http quote.
func TestAnAnswerThatIsNoHTTPIsNotQuoted(t *testing.T) {
	t.Parallel()
	for name, echo := range map[string]string{
		"status line":       "BODY\r\n\r\n",
		"version":           "HTTP/BODY 200 OK\r\n\r\n",
		"status":            "HTTP/1.1 BODY\r\n\r\n",
		"header":            "HTTP/1.1 200 OK\r\nBODY\r\n\r\n",
		"content length":    "HTTP/1.1 200 OK\r\nContent-Length: BODY\r\n\r\n",
		"transfer encoding": "HTTP/1.1 200 OK\r\nTransfer-Encoding: BODY\r\n\r\n",
		"chunk":             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nBODY\r\n",
		"gzip":              "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nBODY",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				io.WriteString(conn, strings.ReplaceAll(echo, "BODY", string(body)))
				conn.Close()
			}))
			defer server.Close()
			who := in("aws")
			who.keys = profile.Keys{AccessKeyID: "ASIAIOSFODNN7EXAMPLE", SecretAccessKey: "verysecret", SessionToken: "secrettoo"}
			told := ""
			_, err := page{federation: server.URL}.signIn(t.Context(), who, 0, func(format string, args ...any) { told += fmt.Sprintf(format, args...) })
			var network *session.NetworkError
			if !errors.As(err, &network) || !network.MaybeDone || !strings.HasSuffix(err.Error(), ": it cannot be read") {
				t.Errorf("got %v", err)
			}
			if all := fmt.Sprintf("%v %+v %#v %s", err, err, err, told); strings.Contains(all, "secret") || strings.Contains(all, "ASIA") {
				t.Errorf("got %s", all)
			}
		})
	}
}

// AWS says nothing about the form of a token; what it gives is base64 that is
// safe in URLs.
func TestWhatATokenIs(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 32<<10)
	for answer, want := range map[string]string{
		`{"SigninToken":"iD_JuxN8-3omqghU=="}`:                      "iD_JuxN8-3omqghU==",
		"\n{ \"SigninToken\" : \"t\", \"Other\": [1, {}] }\n":       "t",
		`{"SigninToken": "a&b#c?d/e%20f+g\"h'i<j>` + "`" + `k\\l"}`: "a&b#c?d/e%20f+g\"h'i<j>`k\\l",
		`{"SigninToken": "first", "SigninToken": "last"}`:           "last",
		`{"SigninToken": "` + long + `"}`:                           long,
		`{"SigninToken": "` + long + `x"}`:                          "",
		`{"SigninToken": "t\n"}`:                                    "",
		`{"SigninToken": "t\u001b[31m"}`:                            "",
		`{"SigninToken": "t\u0000"}`:                                "",
		`{"SigninToken": "t\u007f"}`:                                "",
		`{"SigninToken": "a b"}`:                                    "",
		`{"SigninToken": "tök"}`:                                    "",
		"{\"SigninToken\": \"t\xff\"}":                              "",
		`{"SigninToken": "t\ud800"}`:                                "",
		`{"SigninToken": 5}`:                                        "",
		`{"SigninToken": null}`:                                     "",
		`{"SigninToken": ["t"]}`:                                    "",
		`{"SigninToken": ""}`:                                       "",
		`{"Token": "t"}`:                                            "",
		`{"signintoken": "t"}`:                                      "",
		"{\"SigninToken\": \"t\", \"\xff\": 1}":                     "",
		`"t"`:                                                       "",
		`{"SigninToken": "t"`:                                       "",
		`{"SigninToken": "t"};`:                                     "",
		"\ufeff{\"SigninToken\": \"t\"}":                            "",
		strings.Repeat("[", 1<<20):                                  "",
		`{"x": ` + strings.Repeat("[", 10001) + strings.Repeat("]", 10001) + `, "SigninToken": "t"}`: "",
	} {
		got, ok := tokenIn([]byte(answer))
		if ok != (want != "") || ok && got != want {
			t.Errorf("%.60q: got %.60q, %t, want %.60q", answer, got, ok, want)
		}
		p := page{destination: "https://console.aws.amazon.com/", federation: "https://signin.aws.amazon.com/federation"}
		if u, err := url.Parse(p.link(got)); ok && (err != nil || u.Query().Get("SigninToken") != got || u.Fragment != "" || len(u.Query()) != 3) {
			t.Errorf("%.60q: got %.200s, %v", answer, p.link(got), err)
		}
	}
}

func TestARefusalSaysWhatHelps(t *testing.T) {
	t.Parallel()
	admin := bearer{profile: "admin", login: &profile.Login{RoleARN: set("arn:aws:iam::123456789012:role/Admin")}}
	behind := bearer{network: profile.Network{Settings: []profile.Setting{{Name: "https_proxy", Value: profile.Value{Text: "(not shown)", Set: true, From: profile.Origin{Env: "HTTPS_PROXY"}}}}}}
	other := bearer{profile: "admin", network: profile.Network{Signin: set("https://signin.example")}}
	const between = "this seems to be no answer of AWS, but of something on the way there: a network that wants you to sign in to it first, or a proxy"
	for _, c := range []struct {
		who    bearer
		status int
		want   []string
	}{
		{admin, 400, []string{"with a new session: aws-mfa-login admin --force"}},
		{bearer{}, 400, []string{"the keys in the environment stay as they are: get new ones where they came from"}},
		{admin, 503, []string{"try again in a minute: aws-mfa-console admin"}},
		{bearer{}, 429, []string{"try again in a minute: aws-mfa-console"}},
		{admin, 302, []string{between, "then aws-mfa-console admin"}},
		{admin, 200, []string{between, "then aws-mfa-console admin"}},
		{behind, 403, []string{between, "https_proxy is set in environment variable HTTPS_PROXY", "then aws-mfa-console"}},
		{other, 404, []string{"the endpoint is https://signin.example (~/.aws/config:7)"}},
		{other, 500, []string{"the endpoint is https://signin.example (~/.aws/config:7)", "try again in a minute: aws-mfa-console admin"}},
	} {
		if got := (&federationError{status: c.status}).hints(c.who); strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("%d for %s: got %q, want %q", c.status, c.who.place(), got, c.want)
		}
	}
}

func TestWhoMayOpenTheConsole(t *testing.T) {
	t.Parallel()
	for arn, want := range map[string]bool{
		"arn:aws:sts::123456789012:assumed-role/Admin/jane":    true,
		"arn:aws-cn:sts::123456789012:assumed-role/Admin/jane": true,
		"arn:aws:sts::123456789012:federated-user/bob":         true,
		"arn:aws:iam::123456789012:user/jane":                  false,
		"arn:aws:iam::123456789012:user/assumed-role/jane":     false,
		"arn:aws:iam::123456789012:assumed-role/jane":          false,
		"arn:aws:iam::123456789012:root":                       false,
		"":                                                     false,
	} {
		if got := opens(arn); got != want {
			t.Errorf("%s: got %t", arn, got)
		}
	}
}

func TestSignInWithoutAnAnswerIsANetworkError(t *testing.T) {
	t.Parallel()
	w := start(t)
	who := w.bearer("admin")
	for _, kind := range []awstest.FaultKind{awstest.Reset, awstest.Lost} {
		w.Fail(awstest.Fault{Action: "getSigninToken", Kind: kind})
		_, err := w.signIn(t.Context(), who, 0)
		var network *session.NetworkError
		if !errors.As(err, &network) || !network.MaybeDone || network.Operation != "getSigninToken" || network.Host != strings.TrimPrefix(w.URL(), "http://") || network.Endpoint.Text != w.URL() {
			t.Errorf("%s: got %v, want a NetworkError of a request that was sent", kind, err)
		}
	}
	if got := w.Count("getSigninToken"); got != 2 {
		t.Errorf("got %d calls, want none repeated", got)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	who.network.Signin = set("http://" + listener.Addr().String())
	var network *session.NetworkError
	if _, err = w.signIn(t.Context(), who, 0); !errors.As(err, &network) || network.MaybeDone || !strings.Contains(err.Error(), "refused") {
		t.Errorf("got %v", err)
	}
}

// An answer that breaks off is one to a request that was sent.
func TestHalfAnAnswerIsANetworkError(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		io.WriteString(w, `{"SigninToken": "`)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}))
	defer server.Close()
	_, err := page{federation: server.URL}.signIn(t.Context(), in("aws"), 0, func(string, ...any) {})
	var network *session.NetworkError
	if !errors.As(err, &network) || !network.MaybeDone {
		t.Errorf("got %v", err)
	}
}

// Whoever waits for AWS gives way when the user gives up, wherever it is.
func TestSignInGivesWayToItsContext(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]string{"before the answer": "", "in the answer": `{"SigninToken": "`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			enough := errors.New("the user has had enough")
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				if begin != "" {
					io.WriteString(w, begin)
					w.(http.Flusher).Flush()
				}
				cancel(enough)
				<-r.Context().Done()
			}))
			defer server.Close()
			_, err := page{federation: server.URL}.signIn(ctx, in("aws"), 0, func(string, ...any) {})
			if !errors.Is(err, enough) {
				t.Errorf("got %v, want the cause", err)
			}
		})
	}
}
