package awstest_test

import (
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"aws-mfa/shared/awstest"
)

const (
	home     = "https://eu-central-1.console.aws.amazon.com/s3/home?region=eu-central-1#x"
	signedIn = "Signed in as arn:aws:sts::123456789012:assumed-role/PowerUserRole/jane"
	federal  = "https://eu-central-1.signin.aws.amazon.com"
)

func tokenRequest(c *types.Credentials, duration string) url.Values {
	session, _ := json.Marshal(map[string]string{"sessionId": *c.AccessKeyId, "sessionKey": *c.SecretAccessKey, "sessionToken": *c.SessionToken})
	v := url.Values{"Action": {"getSigninToken"}, "Session": {string(session)}}
	if duration != "" {
		v.Set("SessionDuration", duration)
	}
	return v
}

// exchange asks for a sign-in token by POST; without one it returns the page.
func (w world) exchange(b *http.Client, base string, c *types.Credentials, duration string) (token, page string) {
	w.t.Helper()
	answer, err := b.PostForm(base+"/federation", tokenRequest(c, duration))
	if err != nil {
		w.t.Fatal(err)
	}
	return tokenOf(w.t, answer)
}

func tokenOf(t *testing.T, answer *http.Response) (token, page string) {
	t.Helper()
	page = read(t, answer)
	var body struct{ SigninToken string }
	if answer.StatusCode == http.StatusOK && json.Unmarshal([]byte(page), &body) == nil {
		return body.SigninToken, page
	}
	if answer.StatusCode != http.StatusBadRequest {
		t.Errorf("got %s, want 200 or 400", answer.Status)
	}
	return "", page
}

func loginURL(base, token, destination string) string {
	return base + "/federation?" + url.Values{"Action": {"login"}, "Issuer": {""}, "Destination": {destination}, "SigninToken": {token}}.Encode()
}

// visit follows redirections with cookies and returns where they ended.
func visit(t *testing.T, b *http.Client, u string) (*http.Response, string) {
	t.Helper()
	if b.Jar == nil {
		b.Jar, _ = cookiejar.New(nil)
	}
	b.CheckRedirect = nil
	answer, err := b.Get(u)
	if err != nil {
		t.Fatal(err)
	}
	return answer, read(t, answer)
}

func TestARoleSessionOpensTheConsoleOnLoopback(t *testing.T) {
	w := start(t)
	answer, err := http.Get(w.URL() + "/federation?" + tokenRequest(w.session(w.asJane()), "43200").Encode())
	if err != nil {
		t.Fatal(err)
	}
	token, page := tokenOf(t, answer)
	if token == "" {
		t.Fatal(page)
	}
	answer, page = visit(t, &http.Client{}, loginURL(w.URL(), token, home))
	if answer.StatusCode != 200 || !strings.Contains(page, signedIn) || !strings.Contains(page, "<title>PowerUserRole") || !strings.Contains(page, "Account 123456789012") {
		t.Errorf("got %s %s", answer.Status, page)
	}
	if want := w.URL() + "/console/eu-central-1.console.aws.amazon.com/s3/home?region=eu-central-1#x"; answer.Request.URL.String() != want {
		t.Errorf("got %s, want %s", answer.Request.URL, want)
	}
	if answer, _ = visit(t, &http.Client{}, loginURL(w.URL(), token, home)); answer.StatusCode != 400 {
		t.Errorf("second use: got %s, want 400", answer.Status)
	}
	if answer, page = visit(t, &http.Client{}, w.URL()+"/console/console.aws.amazon.com/"); answer.StatusCode != 403 || !strings.Contains(page, "not signed in") {
		t.Errorf("without a cookie: got %s %s", answer.Status, page)
	}
}

func TestARoleSessionOpensTheConsoleOnAWSHosts(t *testing.T) {
	w := start(t)
	b := w.browser()
	token, page := w.exchange(b, federal, w.session(w.asJane()), "")
	if token == "" {
		t.Fatal(page)
	}
	if other, _ := visit(t, w.browser(), loginURL("https://signin.amazonaws.cn", token, home)); other.StatusCode != 400 {
		t.Errorf("another partition's host: got %s, want 400", other.Status)
	}
	answer, page := visit(t, b, loginURL(federal, token, home))
	if answer.Request.URL.String() != home || !strings.Contains(page, signedIn) {
		t.Errorf("got %s %s", answer.Request.URL, page)
	}
	w.Shift(time.Hour + time.Second) // what was left of the credentials
	if answer, _ := visit(t, b, home); answer.StatusCode != 403 {
		t.Errorf("after its end: got %s, want 403", answer.Status)
	}
}

func TestASigninTokenIsGoodForAQuarterOfAnHour(t *testing.T) {
	w := start(t)
	session := w.session(w.asJane())
	one, _ := w.exchange(http.DefaultClient, w.URL(), session, "")
	two, _ := w.exchange(http.DefaultClient, w.URL(), session, "")
	w.Shift(14 * time.Minute)
	if answer, page := visit(t, &http.Client{}, loginURL(w.URL(), one, home)); answer.StatusCode != 200 {
		t.Errorf("after 14 min: got %s %s", answer.Status, page)
	}
	w.Shift(time.Minute)
	if answer, _ := visit(t, &http.Client{}, loginURL(w.URL(), two, home)); answer.StatusCode != 400 {
		t.Errorf("after 15 min: got %s, want 400", answer.Status)
	}
}

func TestOnlyLiveRoleSessionsAreFederated(t *testing.T) {
	w := start(t)
	direct := w.session(w.asJane())
	mfa := w.mfaSession(12 * time.Hour)
	chained := w.session(w.as(mfa), withoutMFA)
	foreign := *direct
	foreign.SessionToken = chained.SessionToken

	tests := []struct {
		name     string
		session  *types.Credentials
		duration string
		ok       bool
	}{
		{"direct", direct, "", true},
		{"direct for 12 hours", direct, "43200", true},
		{"too short", direct, "899", false},
		{"too long", direct, "43201", false},
		{"not a number", direct, "1h", false},
		{"chained", chained, "", true},
		{"chained with a duration", chained, "900", false},
		{"MFA session", mfa, "", false},
		{"long-term keys", &types.Credentials{AccessKeyId: &w.jane.AccessKeyID, SecretAccessKey: &w.jane.SecretAccessKey, SessionToken: aws.String("")}, "", false},
		{"unknown", &types.Credentials{AccessKeyId: aws.String("ASIAX"), SecretAccessKey: aws.String("x"), SessionToken: aws.String("x")}, "", false},
		{"another session's token", &foreign, "", false},
	}
	for _, tt := range tests {
		token, page := w.exchange(http.DefaultClient, w.URL(), tt.session, tt.duration)
		if got := token != ""; got != tt.ok {
			t.Errorf("%s: got %v, want %v: %s", tt.name, got, tt.ok, page)
		}
		if !tt.ok && !strings.Contains(page, "Invalid credentials parameter") {
			t.Errorf("%s: got %s", tt.name, page)
		}
	}
	w.ExpireSessions()
	if token, _ := w.exchange(http.DefaultClient, w.URL(), direct, ""); token != "" {
		t.Error("an expired session was federated")
	}
}

func TestTheDestinationIsAConsoleOfThePartition(t *testing.T) {
	w := start(t)
	token, _ := w.exchange(http.DefaultClient, w.URL(), w.session(w.asJane()), "")
	for _, destination := range []string{
		"https://example.com/", "http://console.aws.amazon.com/", "https://console.amazonaws.cn/", "https://console.aws.amazon.com.example.com/",
		"https://console.aws.amazon.com@example.com/", "https://signin.aws.amazon.com/", "//console.aws.amazon.com/", "",
	} {
		if answer, _ := visit(t, &http.Client{}, loginURL(w.URL(), token, destination)); answer.StatusCode != 400 {
			t.Errorf("%q: got %s, want 400", destination, answer.Status)
		}
	}
	if answer, _ := visit(t, &http.Client{}, loginURL(w.URL(), token, "https://console.aws.amazon.com/")); answer.StatusCode != 200 {
		t.Errorf("after those: got %s, want 200", answer.Status)
	}
}

func TestAnotherAccountNeedsALogout(t *testing.T) {
	w := start(t)
	const other = "arn:aws:iam::210987654321:role/Other"
	w.AddRole(awstest.Role{ARN: other, Trusts: []string{janeARN}})
	b := w.browser()
	one, _ := w.exchange(b, federal, w.session(w.asJane()), "")
	two, _ := w.exchange(b, federal, w.session(w.asJane(), withoutMFA, role(other)), "")
	visit(t, b, loginURL(federal, one, home))
	if answer, page := visit(t, b, loginURL(federal, two, home)); answer.StatusCode != 400 || !strings.Contains(page, "You must first log out") {
		t.Errorf("got %s %s", answer.Status, page)
	}
	logout := func(at, token string) string {
		return at + "/oauth?Action=logout&redirect_uri=" + url.QueryEscape(loginURL(at, token, home))
	}
	for _, at := range []string{federal, "https://signin.aws.amazon.com"} {
		if answer, page := visit(t, b, logout(at, two)); answer.StatusCode != 200 || !strings.Contains(page, "You have signed out.") {
			t.Errorf("%s leads on: got %s %s", at, answer.Status, page)
		}
	}
	three, _ := w.exchange(b, chaining, w.session(w.asJane(), withoutMFA, role(other)), "")
	if answer, page := visit(t, b, logout(chaining, three)); answer.StatusCode != 200 || !strings.Contains(page, "assumed-role/Other/jane") {
		t.Errorf("got %s %s", answer.Status, page)
	}
}

// The one host of the aws partition that does so: see leadsOn.
const chaining = "https://us-east-1.signin.aws.amazon.com"

func TestALogoutLeadsOnToAWSOnly(t *testing.T) {
	w := start(t)
	for _, target := range []string{"https://example.com/", "https://signin.aws.amazon.com.example.com/", "https://sts.amazonaws.com/", "http://console.aws.amazon.com/"} {
		if answer, page := visit(t, w.browser(), chaining+"/oauth?Action=logout&redirect_uri="+url.QueryEscape(target)); answer.StatusCode != 400 {
			t.Errorf("%s: got %s %s, want 400", target, answer.Status, page)
		}
	}
	if answer, page := visit(t, w.browser(), chaining+"/oauth?Action=logout"); answer.StatusCode != 200 || !strings.Contains(page, "You have signed out.") {
		t.Errorf("got %s %s", answer.Status, page)
	}
}

func TestATokenIsRedeemedWhereItWasIssued(t *testing.T) {
	w := start(t)
	token, page := w.exchange(w.browser(), federal, w.session(w.asJane()), "")
	if token == "" {
		t.Fatal(page)
	}
	for _, at := range []string{chaining, "https://signin.aws.amazon.com", "https://signin.amazonaws.cn"} {
		if answer, _ := visit(t, w.browser(), loginURL(at, token, home)); answer.StatusCode != 400 {
			t.Errorf("%s: got %s, want 400", at, answer.Status)
		}
	}
	if answer, page := visit(t, w.browser(), loginURL(federal, token, home)); answer.StatusCode != 200 {
		t.Errorf("after those: got %s %s", answer.Status, page)
	}
}

func TestTheSwitchRolePageSaysWhatIsMissing(t *testing.T) {
	w := start(t)
	for _, c := range []struct{ query, want string }{
		{"account=123456789012&roleName=Admin", "Role Admin</p>"},
		{"account=123456789012&roleName=Admin&displayName=prod", "Display name prod</p>"},
		{"account=my-team&roleName=eng%2Ffront%2FA%2Bb%3D%2C.%40-_", "Role eng/front/A+b=,.@-_</p>"},
		{"account=123456789012&roleName=A&displayName=%3Cb%3E", "Display name &lt;b&gt;</p>"},
		{"account=123456789012&roleName=" + strings.Repeat("x", 64), "Account 123456789012</p>"},
		{"", "!Account must be"},
		{"roleName=Admin", "!Account must be"},
		{"account=12345678901&roleName=", "!IAM role name must be"}, // an alias of digits
		{"account=my--team&roleName=Admin", "!Account must be"},
		{"account=-team&roleName=Admin", "!Account must be"},
		{"account=Team&roleName=Admin", "!Account must be"},
		{"account=ab&roleName=Admin", "!Account must be"},
		{"account=" + strings.Repeat("x", 64) + "&roleName=Admin", "!Account must be"},
		{"account=123456789012", "!IAM role name must be"},
		{"account=123456789012&roleName=/Admin", "!IAM role name must be"},
		{"account=123456789012&roleName=A+b", "!IAM role name must be"}, // + is a space
		{"account=123456789012&roleName=" + strings.Repeat("x", 65), "!IAM role name must be"},
		{"account=123456789012&roleName=Admin&displayName=" + strings.Repeat("%C3%A9", 64), "Role Admin</p>"},
		{"account=123456789012&roleName=Admin&displayName=" + strings.Repeat("x", 65), "!Display name must"},
	} {
		want, wrong := strings.CutPrefix(c.want, "!")
		status := http.StatusOK
		if wrong {
			status = http.StatusBadRequest
		}
		for _, at := range []string{w.URL(), "https://signin.aws.amazon.com", "https://signin.amazonaws.cn"} {
			b := &http.Client{}
			if at != w.URL() {
				b = w.browser()
			}
			if answer, page := visit(t, b, at+"/switchrole?"+c.query); answer.StatusCode != status || !strings.Contains(page, want) {
				t.Errorf("%s: got %s %s, want %d %q", c.query, answer.Status, page, status, want)
			}
		}
	}
	if answer, _ := visit(t, w.browser(), "https://console.aws.amazon.com/switchrole?account=123456789012&roleName=A"); answer.StatusCode != 403 {
		t.Errorf("at the console: got %s", answer.Status)
	}
}
