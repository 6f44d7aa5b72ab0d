package awstest_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	question       = "Action=GetCallerIdentity&Version=2011-06-15"
	wrongSignature = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	invalidToken   = "The security token included in the request is invalid."
)

func read(t *testing.T, answer *http.Response) string {
	t.Helper()
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// signed is a GetCallerIdentity signed by the SDK's signer; a body makes it a POST.
func (w world) signed(query, body, service, region string, at time.Time, c aws.Credentials) *http.Request {
	w.t.Helper()
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	r, err := http.NewRequest(method, w.URL()+"/?"+query, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Amz-Odd", "  several   blanks ")
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(w.t.Context(), c, r, hex.EncodeToString(sum[:]), service, region, at); err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w world) keys() aws.Credentials {
	return aws.Credentials{AccessKeyID: w.jane.AccessKeyID, SecretAccessKey: w.jane.SecretAccessKey}
}

func (w world) wantAnswer(r *http.Request, status int, text string) {
	w.t.Helper()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	if body := read(w.t, answer); answer.StatusCode != status || !strings.Contains(body, text) {
		w.t.Errorf("got %d %s\nwant %d %s", answer.StatusCode, body, status, text)
	}
}

func TestGoodSignaturesByGetAndPost(t *testing.T) {
	w := start(t)
	w.wantAnswer(w.signed(question+"&b=%2B+%20/&a=2&a=1&c", "", "sts", "us-east-1", time.Now(), w.keys()), 200, "<Arn>"+janeARN+"</Arn>")
	w.wantAnswer(w.signed("x=1", question, "sts", "us-east-1", time.Now(), w.keys()), 200, "<UserId>AIDA")
}

func TestBadSignaturesAreRefused(t *testing.T) {
	w := start(t)
	post := func() *http.Request { return w.signed("", question, "sts", "eu-central-1", time.Now(), w.keys()) }
	auth := func(r *http.Request, old, new string) {
		header := r.Header.Get("Authorization")
		if !strings.Contains(header, old) {
			t.Fatalf("no %q in %q", old, header)
		}
		r.Header.Set("Authorization", strings.Replace(header, old, new, 1))
	}
	refusals := map[string]struct {
		r    *http.Request
		text string
		edit func(*http.Request)
	}{
		"unsigned":      {post(), "<Code>MissingAuthenticationToken</Code>", func(r *http.Request) { r.Header.Del("Authorization") }},
		"signature":     {post(), wrongSignature, func(r *http.Request) { auth(r, "Signature=", "Signature=0") }},
		"body":          {w.signed("", question+"&a=1", "sts", "eu-central-1", time.Now(), w.keys()), wrongSignature, func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(question + "&a=2")) }},
		"query":         {post(), wrongSignature, func(r *http.Request) { r.URL.RawQuery = "a=b" }},
		"header":        {post(), wrongSignature, func(r *http.Request) { r.Header.Set("X-Amz-Odd", "other") }},
		"service":       {w.signed(question, "", "iam", "us-east-1", time.Now(), w.keys()), "Credential should be scoped to correct service", nil},
		"partition":     {w.signed(question, "", "sts", "cn-north-1", time.Now(), w.keys()), invalidToken, nil},
		"host unsigned": {post(), "must be a &#39;SignedHeader&#39;", func(r *http.Request) { auth(r, "host;", "") }},
		"date unsigned": {post(), "must be a &#39;SignedHeader&#39;", func(r *http.Request) { auth(r, "x-amz-date;", "") }},
		"date of scope": {post(), "Date in Credential scope does not match", func(r *http.Request) { auth(r, "/20", "/19") }},
		"token for a key": {post(), invalidToken, func(r *http.Request) {
			r.Header.Set("X-Amz-Security-Token", "x")
			auth(r, "x-amz-odd", "x-amz-odd;x-amz-security-token")
		}},
	}
	for name, tt := range refusals {
		t.Run(name, func(t *testing.T) {
			if tt.edit != nil {
				tt.edit(tt.r)
			}
			world{w.AWS, t, w.jane}.wantAnswer(tt.r, 403, tt.text)
		})
	}
	r := post()
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 nonsense")
	w.wantAnswer(r, 400, "<Code>IncompleteSignature</Code>")
}

func TestKeysAndTokensMustBelongTogether(t *testing.T) {
	w := start(t)
	_, err := identify(t, w.client("AKIAQYLPMN5HNEXAMPLE", "x", ""))
	wantRefusal(t, err, "InvalidClientTokenId", invalidToken)
	_, err = identify(t, w.client(w.jane.AccessKeyID, "wrong", ""))
	wantRefusal(t, err, "SignatureDoesNotMatch", wrongSignature)

	one, two := w.session(w.asJane()), w.session(w.asJane())
	_, err = identify(t, w.client(*one.AccessKeyId, *one.SecretAccessKey, *two.SessionToken))
	wantRefusal(t, err, "InvalidClientTokenId", invalidToken)
	_, err = identify(t, w.client(*one.AccessKeyId, *one.SecretAccessKey, ""))
	wantRefusal(t, err, "InvalidClientTokenId", invalidToken)

	for _, k := range []struct {
		id, secret, token string
		of                string
	}{
		{w.jane.AccessKeyID, w.jane.SecretAccessKey, "", janeARN},
		{w.jane.AccessKeyID, w.jane.SecretAccessKey, *one.SessionToken, ""},
		{*one.AccessKeyId, *one.SecretAccessKey, *one.SessionToken, "arn:aws:sts::123456789012:assumed-role/PowerUserRole/jane"},
		{*one.AccessKeyId, *one.SecretAccessKey, *two.SessionToken, ""},
		{*one.AccessKeyId, *two.SecretAccessKey, *one.SessionToken, ""},
		{"", "", "", ""},
	} {
		if got := w.Identity(k.id, k.secret, k.token); got != k.of {
			t.Errorf("%+v: got %q", k, got)
		}
	}
}

// Both messages as AWS words them: see Signature expired and Signature not yet
// current in the IAM User Guide, "Troubleshoot Signature Version 4".
func TestASignatureIsGoodForAQuarterOfAnHour(t *testing.T) {
	w := start(t)
	w.wantAnswer(w.signed(question, "", "sts", "us-east-1", time.Now().Add(-14*time.Minute), w.keys()), 200, janeARN)
	w.wantAnswer(w.signed(question, "", "sts", "us-east-1", time.Now().Add(14*time.Minute), w.keys()), 200, janeARN)
	w.wantAnswer(w.signed(question, "", "sts", "us-east-1", time.Now().Add(-16*time.Minute), w.keys()), 403, "Z - 15 min.)")
	w.wantAnswer(w.signed(question, "", "sts", "us-east-1", time.Now().Add(16*time.Minute), w.keys()), 403, "Z + 15 min.)")

	w.Shift(20 * time.Minute)
	w.wantAnswer(w.signed(question, "", "sts", "us-east-1", time.Now(), w.keys()), 403, "<Message>Signature expired: ")
	w.Shift(-40 * time.Minute)
	w.wantAnswer(w.signed(question, "", "sts", "us-east-1", time.Now(), w.keys()), 403, "<Message>Signature not yet current: ")
}
