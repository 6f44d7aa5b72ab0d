package session

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"aws-mfa/shared/awstest"
	"aws-mfa/shared/cache"
	"aws-mfa/shared/profile"
)

// readByBotocore reads an answer of STS as the AWS CLI does.
const readByBotocore = `
import base64, botocore.parsers, botocore.session
model = botocore.session.Session().get_service_model("sts")
def answer(question):
    operation = model.operation_model(question["operation"])
    try:
        parsed = botocore.parsers.create_parser("query").parse(
            {"body": base64.b64decode(question["body"] or ""), "headers": {}, "status_code": question["status"]}, operation.output_shape)
        keys = parsed.get("Credentials") or {}
        return {"error": parsed.get("Error", {}).get("Code", ""), "user": {k: v or "" for k, v in (parsed.get("AssumedRoleUser") or {}).items()},
                "keys": {k: v.isoformat() if k == "Expiration" else v or "" for k, v in keys.items()}}
    except Exception as e:
        return {"failed": "%s: %s" % (type(e).__name__, e)}
`

// A stsAnswer is what botocore reads in an answer.
type stsAnswer struct {
	Failed, Error string
	Keys, User    map[string]string
}

// A roundTrip answers a request without a network.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// What STS answers, or somebody in its place, makes a session that stands in the
// answer as the AWS CLI reads it, or an error that is fit for a terminal and
// tells no secret.
func FuzzSTS(f *testing.F) {
	python, err := awstest.StartPython("botocore.parsers", readByBotocore)
	switch {
	case errors.Is(err, awstest.ErrNoPython) && os.Getenv("CI") == "":
		f.Log(err)
	case err != nil:
		f.Fatal(err)
	default:
		f.Cleanup(func() { python.Close() })
	}
	for _, body := range someAnswers() {
		for kind := range stsLogins {
			f.Add(byte(kind), 200, body)
		}
		f.Add(byte(0), 403, body)
		f.Add(byte(1), 500, body)
	}
	tokenFile := filepath.Join(f.TempDir(), "token")
	if err := os.WriteFile(tokenFile, []byte("webtokenwebtoken"), 0o600); err != nil {
		f.Fatal(err)
	}
	memory := cache.MemoryIn(f.TempDir())
	f.Fuzz(func(t *testing.T, kind byte, status int, body []byte) {
		login := stsLogins[int(kind)%len(stsLogins)]
		if login.TokenFile.Set {
			login.TokenFile.Text = tokenFile
		}
		if status < 200 || status > 999 {
			status = 200
		}
		sent := []string{"SECRET", fuzzKeys.SecretAccessKey, "TOKEN", fuzzKeys.SessionToken, "CODE", fuzzCode}
		if login.TokenFile.Set {
			sent = append(sent[:4], "WEB", "webtokenwebtoken")
		}
		opened := newExchange(memory, status, body, sent)
		entry, err := opened.open(context.Background(), &login, fuzzKeys, fuzzCode, 0)
		opened.check(t, err)
		asked := newExchange(memory, status, body, sent[:4])
		who, whoErr := asked.Identity(context.Background(), fuzzKeys)
		asked.check(t, whoErr)
		answer := opened.answer
		if whoErr == nil && (!inText(asked.answer, who.Account) || !inText(asked.answer, who.ARN) || !inText(asked.answer, who.UserID)) {
			t.Fatalf("%q: %+v is not in the answer", asked.answer, who)
		}
		if err != nil {
			if entry != (cache.Entry{}) {
				t.Fatalf("%q: got a session with the error %v", answer, err)
			}
			return
		}
		for _, value := range []string{entry.AccessKeyID, entry.SecretAccessKey, entry.SessionToken, entry.AssumedRoleARN, entry.AssumedRoleID} {
			if !inText(answer, value) {
				t.Fatalf("%q: %q is not in the answer", answer, value)
			}
		}
		if python != nil {
			sameAsBotocore(t, python, &login, status, answer, entry)
		}
	})
}

var fuzzKeys = profile.Keys{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "verysecretverysecret", SessionToken: "sessiontokensessiontoken"}

const fuzzCode = "598103"

// stsLogins make each of the requests.
var stsLogins = []profile.Login{
	{Profile: "p", RoleARN: set(powerARN), SerialNumber: set("arn:aws:iam::123456789012:mfa/jane")},
	{Profile: "p", SerialNumber: set("arn:aws:iam::123456789012:mfa/jane")},
	{Profile: "p", RoleARN: set(powerARN), TokenFile: set("")},
}

func operationOf(login *profile.Login) string {
	switch {
	case login.TokenFile.Set:
		return "AssumeRoleWithWebIdentity"
	case login.IsRole():
		return "AssumeRole"
	}
	return "GetSessionToken"
}

func sameAsBotocore(t *testing.T, python *awstest.Python, login *profile.Login, status int, answer string, got cache.Entry) {
	t.Helper()
	var want stsAnswer
	if err := python.Ask(map[string]any{"operation": operationOf(login), "status": status, "body": []byte(answer)}, &want); err != nil {
		t.Fatal(err)
	}
	if want.Failed != "" || isOdd(answer) { // the rest of an answer that has the session may be broken
		return
	}
	end, _ := time.Parse(time.RFC3339, want.Keys["Expiration"])
	if want.Keys["AccessKeyId"] != got.AccessKeyID || want.Keys["SecretAccessKey"] != got.SecretAccessKey || want.Keys["SessionToken"] != got.SessionToken ||
		!end.Equal(got.Expiration) || want.User["Arn"] != got.AssumedRoleARN || want.User["AssumedRoleId"] != got.AssumedRoleID {
		t.Fatalf("%d %q: got %s (%q %q) of %q, want %+v", status, answer, got, got.SecretAccessKey, got.SessionToken, got.AssumedRoleARN, want)
	}
}

// An exchange is a client and the one who answers it.
type exchange struct {
	*Client
	answer string
	sent   []string // secrets, each behind its name in the body
	told   strings.Builder
}

func newExchange(memory cache.Memory, status int, body []byte, sent []string) *exchange {
	end := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	x := &exchange{answer: strings.NewReplacer(append([]string{"LATER", end}, sent...)...).Replace(string(body)), sent: sent}
	answer := func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(strings.NewReader(x.answer)), Request: r}, nil
	}
	x.Client = newClient(profile.Network{MaxAttempts: 1}, powerARN, &http.Client{Transport: bounded{roundTrip(answer)}},
		NewClocks(memory).Of(profile.Network{}), func(format string, args ...any) { fmt.Fprintf(&x.told, format+" ", args...) })
	return x
}

// check fails the test if an error is none of ours, or if something that was
// told is nothing for a terminal, or tells a secret.
func (x *exchange) check(t *testing.T, err error) {
	t.Helper()
	if err != nil && !errors.As(err, new(*NetworkError)) && !errors.As(err, new(*RefusedError)) {
		t.Fatalf("%q: got a %T, %v", x.answer, err, err)
	}
	told := x.told.String() + fmt.Sprint(err)
	if strings.ContainsFunc(told, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Fatalf("%q: told %q", x.answer, told)
	}
	for i := 1; i < len(x.sent); i += 2 {
		if strings.Contains(told, x.sent[i]) {
			t.Fatalf("%q: told the secret %q: %q", x.answer, x.sent[i], told)
		}
	}
}

// isOdd tells of an answer that has an element more than once, of which botocore
// takes the first and the SDK the last, or in other letters than AWS's, which
// the SDK does not mind.
func isOdd(answer string) bool {
	seen := map[string]bool{}
	decoder := xml.NewDecoder(strings.NewReader(answer))
	for {
		token, err := decoder.Token()
		if err != nil {
			return false
		}
		if start, ok := token.(xml.StartElement); ok {
			name := start.Name.Local
			if seen[name] || slices.ContainsFunc(stsElements, func(known string) bool { return known != name && strings.EqualFold(known, name) }) {
				return true
			}
			seen[name] = true
		}
	}
}

var stsElements = []string{
	"AssumeRoleResult", "AssumeRoleWithWebIdentityResult", "GetSessionTokenResult", "Credentials", "AccessKeyId", "SecretAccessKey",
	"SessionToken", "Expiration", "AssumedRoleUser", "AssumedRoleId", "Arn",
}

// inText tells whether the value is the text of some element.
func inText(answer, value string) bool {
	var text strings.Builder
	decoder := xml.NewDecoder(strings.NewReader(answer))
	for {
		token, err := decoder.Token()
		switch token := token.(type) {
		case xml.CharData:
			text.Write(token)
		case xml.StartElement, xml.EndElement:
			if strings.TrimSpace(text.String()) == value {
				return true
			}
			text.Reset()
		}
		if err != nil {
			return value == ""
		}
	}
}

// someAnswers are seeds: answers of STS and of others in its place.
func someAnswers() (all [][]byte) {
	const keys = `<Credentials><AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId><SecretAccessKey>s+/=</SecretAccessKey><SessionToken>t+/=</SessionToken><Expiration>LATER</Expiration></Credentials>`
	const user = `<AssumedRoleUser><AssumedRoleId>AROA:jane</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/PowerUserRole/jane</Arn></AssumedRoleUser>`
	answer := func(operation, result string) string {
		return "<" + operation + `Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><` + operation + "Result>" + result + "</" + operation +
			"Result><ResponseMetadata><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ResponseMetadata></" + operation + "Response>"
	}
	for _, text := range []string{
		"", "<", "<html>SECRET</html>", "null", answer("AssumeRole", ""),
		answer("AssumeRole", keys+user+"<PackedPolicySize>6</PackedPolicySize>"), answer("GetSessionToken", keys), answer("AssumeRoleWithWebIdentity", user+keys+"<Provider>x</Provider>"),
		answer("AssumeRole", keys+keys+user), answer("AssumeRole", keys+user+user), answer("AssumeRole", "<!-- c -->"+keys+user)[:500],
		`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + strings.ReplaceAll(answer("AssumeRole", keys+user), "><", ">\n  <"),
		answer("AssumeRole", strings.ReplaceAll(keys, "t+/=", "<![CDATA[t]]>&amp;&#x2f;")+user), answer("AssumeRole", strings.ReplaceAll(keys, "LATER", "1e9")+user),
		answer("GetCallerIdentity", "<Arn>"+janeARN+"</Arn><UserId>AIDA</UserId><Account>123456789012</Account>"),
		refusal("AccessDenied", "User SECRET TOKEN CODE WEB\x1b[31m\u202e"), refusal("SignatureDoesNotMatch", "TOKEN"), refusal("Throttling", "Rate exceeded"),
		refusal("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. "), refusal("SECRET&#10;CODE", "SEC&#x200b;RET"),
		"<ErrorResponse><Error><Code>x</Code></Error></ErrorResponse>", "<Response><Errors><Error><Code>x</Code></Error></Errors></Response>",
	} {
		all = append(all, []byte(text))
	}
	return all
}
