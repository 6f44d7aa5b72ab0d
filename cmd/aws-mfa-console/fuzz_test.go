package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"unicode"

	"aws-mfa/shared/awstest"
	"aws-mfa/shared/profile"
	"aws-mfa/shared/session"
)

// readTheToken reads an answer as the program does that AWS shows for it.
// Source:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html
const readTheToken = `
import base64, json
def answer(question):
    try:
        token = json.loads(base64.b64decode(question or "").decode("utf-8"))["SigninToken"]
        return token if isinstance(token, str) and token.isascii() and token.isprintable() and " " not in token else ""
    except Exception:
        return ""
`

func pythonReads(f *testing.F) func(t *testing.T, body []byte) (token string, known bool) {
	python, err := awstest.StartPython("json", readTheToken)
	if errors.Is(err, awstest.ErrNoPython) && os.Getenv("CI") == "" {
		f.Log(err)
		return func(*testing.T, []byte) (string, bool) { return "", false }
	} else if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { python.Close() })
	return func(t *testing.T, body []byte) (token string, known bool) {
		if err := python.Ask(body, &token); err != nil {
			t.Fatal(err)
		}
		return token, true
	}
}

// The token is that which Python finds in an answer; there is none in all others.
func FuzzToken(f *testing.F) {
	python := pythonReads(f)
	for _, answer := range someAnswers {
		_, body, _ := strings.Cut(answer, "\r\n\r\n")
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, ok := tokenIn(body)
		if want, known := python(t, body); known && (ok != (want != "") || ok && got != want) && len(want) <= 32<<10 {
			t.Fatalf("%q: got %q, %t, want %q", body, got, ok, want)
		}
	})
}

// Whatever comes back over the connection is a token that stands in there, or
// an error that is fit for a terminal and tells nothing of what was sent.
func FuzzFederation(f *testing.F) {
	for _, answer := range someAnswers {
		f.Add([]byte(answer))
	}
	var answer []byte
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			f.Error(err)
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			f.Error(err)
			return
		}
		defer conn.Close()
		conn.Write(answer)
	}))
	server.Start()
	f.Cleanup(server.Close)
	who := in("aws")
	who.keys = profile.Keys{AccessKeyID: "ASIAIOSFODNN7EXAMPLE", SecretAccessKey: "verysecretverysecret", SessionToken: "sessiontokensessiontoken"}
	who.network.MaxAttempts = 1
	p := page{destination: "https://console.aws.amazon.com/", federation: server.URL}
	f.Fuzz(func(t *testing.T, given []byte) {
		keys, _ := json.Marshal(map[string]string{"sessionId": who.keys.AccessKeyID, "sessionKey": who.keys.SecretAccessKey, "sessionToken": who.keys.SessionToken})
		answer = []byte(strings.NewReplacer("KEYS", string(keys), "FORM", url.QueryEscape(string(keys)), "SECRET", who.keys.SecretAccessKey, "TOKEN", who.keys.SessionToken).Replace(string(given)))
		var told strings.Builder
		link, err := p.signIn(context.Background(), who, 0, func(format string, args ...any) { fmt.Fprintf(&told, format+" ", args...) })
		switch {
		case err == nil:
			u, err := url.Parse(link)
			if token := u.Query().Get("SigninToken"); err != nil || token == "" || u.Fragment != "" || len(u.Query()) != 3 || u.Query().Get("Destination") != p.destination {
				t.Fatalf("%q: got the link %q, %v", answer, link, err)
			}
		case link != "":
			t.Fatalf("%q: got the link %q with the error %v", answer, link, err)
		case !errors.As(err, new(*federationError)) && !errors.As(err, new(*session.NetworkError)):
			t.Fatalf("%q: got a %T, %v", answer, err, err)
		}
		all := told.String() + fmt.Sprint(err)
		if strings.ContainsFunc(all, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("%q: told %q", answer, all)
		}
		for _, secret := range []string{who.keys.SecretAccessKey, who.keys.SessionToken} {
			if strings.Contains(all, secret) {
				t.Fatalf("%q: told a secret: %q", answer, all)
			}
		}
	})
}

// someAnswers are seeds: what comes back over the connection.
var someAnswers = []string{
	"", "\r\n\r\n", "KEYS\r\n\r\n", "HTTP/KEYS 200 OK\r\n\r\n", "HTTP/1.1 KEYS\r\n\r\n", "HTTP/1.1 200 OK\r\nKEYS\r\n\r\n", "HTTP/1.1 200 OK\r\nKEYS: FORM\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: SECRET\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: TOKEN\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nKEYS\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n13\r\n{\"SigninToken\":\"t\"}\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nTOKEN", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/?SECRET\r\n\r\n", "HTTP/1.1 307 \r\nLocation: TOKEN\r\n\r\n",
	"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{\"SigninToken\":\"t\"}", "HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.0 200\r\n\r\n{\"SigninToken\":\"t\"}",
	"HTTP/1.1 400 Bad Request\r\n\r\nKEYS", "HTTP/1.1 500 SECRET\r\n\r\n{\"SigninToken\":\"t\"}", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{\"SigninToken\":\"t\"}",
	"HTTP/1.1 200 OK\r\n\r\n{\"SigninToken\": \"a&b#c?d/e%20f+g\\\"h'i<j>`k\\\\l\"}", "HTTP/1.1 200 OK\r\n\r\n{\"SigninToken\": \"first\", \"SigninToken\": \"last\"}",
	"HTTP/1.1 200 OK\r\n\r\n{\"SigninToken\": \"t\\n\"}", "HTTP/1.1 200 OK\r\n\r\n{\"SigninToken\": null}", "HTTP/1.1 200 OK\r\n\r\n[{\"SigninToken\": \"t\"}]", "HTTP/1.1 200 OK\r\n\r\n{\"x\": [1e3, true, {}], \"SigninToken\": \"\\u0041\\ud800\"}",
	"HTTP/1.1 200 OK\r\n\r\n<html>SECRET</html>", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}", "HTTP/1.1 999 x\r\n\r\n", "\x00\x01\x02",
}
