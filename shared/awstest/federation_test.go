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
	logout := federal + "/oauth?Action=logout&redirect_uri=" + url.QueryEscape(loginURL(federal, two, home))
	if answer, page := visit(t, b, logout); answer.StatusCode != 200 || !strings.Contains(page, "assumed-role/Other/jane") {
		t.Errorf("got %s %s", answer.Status, page)
	}
}
