// Request makes one request through the proxy, and nothing else: AssumeRole
// with a code, signed by hand (Signature Version 4,
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html),
// or getSigninToken for a session.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

func main() {
	pem, err := os.ReadFile(os.Getenv("AWS_CA_BUNDLE"))
	must(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: roots}}}
	var r *http.Request
	if os.Args[1] == "AssumeRole" {
		r, err = assumeRole(os.Args[2], os.Args[3], os.Args[4], os.Args[5], os.Args[6])
	} else {
		r, err = http.NewRequest("GET", "https://us-east-1.signin.aws.amazon.com/federation?Action=getSigninToken&Session="+url.QueryEscape(os.Args[2]), nil)
	}
	must(err)
	resp, err := client.Do(r)
	must(err)
	body, err := io.ReadAll(resp.Body)
	must(err)
	os.Stdout.Write(body)
	if resp.StatusCode != 200 {
		os.Exit(1)
	}
}

func assumeRole(id, secret, role, serial, code string) (*http.Request, error) {
	const host, scope = "sts.eu-west-1.amazonaws.com", "/eu-west-1/sts/aws4_request"
	body := url.Values{"Action": {"AssumeRole"}, "Version": {"2011-06-15"}, "RoleArn": {role}, "RoleSessionName": {"jane"}, "SerialNumber": {serial}, "TokenCode": {code}}.Encode()
	r, err := http.NewRequest("POST", "https://"+host+"/", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	date := time.Now().UTC().Format("20060102T150405Z")
	const kind, signed = "application/x-www-form-urlencoded", "content-type;host;x-amz-date"
	canonical := "POST\n/\n\ncontent-type:" + kind + "\nhost:" + host + "\nx-amz-date:" + date + "\n\n" + signed + "\n" + hash(body)
	key := []byte("AWS4" + secret)
	for _, part := range []string{date[:8], "eu-west-1", "sts", "aws4_request", "AWS4-HMAC-SHA256\n" + date + "\n" + date[:8] + scope + "\n" + hash(canonical)} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	r.Header.Set("Content-Type", kind)
	r.Header.Set("X-Amz-Date", date)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+id+"/"+date[:8]+scope+", SignedHeaders="+signed+", Signature="+hex.EncodeToString(key))
	return r, nil
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func must(err error) {
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
}
