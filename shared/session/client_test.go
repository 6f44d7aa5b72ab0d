package session

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"aws-mfa/shared/awstest"
	"aws-mfa/shared/profile"
)

// Eight at a time need some eight connections, however many there are to ask.
func TestClientsShareTheirConnections(t *testing.T) {
	t.Parallel()
	w := start(t)
	clients := NewClients(NewClocks(w.memory()), w.tell)
	keys := profile.Keys{AccessKeyID: w.jane.AccessKeyID, SecretAccessKey: w.jane.SecretAccessKey}
	before := w.Connections()
	for range 5 {
		var group sync.WaitGroup
		for range maxIdle {
			group.Go(func() {
				client, err := clients.Of(w.role("power").Network, powerARN)
				if err != nil {
					t.Error(err)
					return
				}
				if who, err := client.Identity(t.Context(), keys); err != nil || who.ARN != janeARN {
					t.Errorf("got %v, %v", who, err)
				}
			})
		}
		group.Wait()
	}
	if got := w.Count("GetCallerIdentity"); got != 5*maxIdle {
		t.Errorf("got %d questions, want %d", got, 5*maxIdle)
	}
	// A connection may be made while another becomes free.
	if got := w.Connections() - before; got > 2*maxIdle {
		t.Errorf("got %d connections for %d questions, want some %d", got, 5*maxIdle, maxIdle)
	}
}

func TestClientsOfDifferentEndpointsAreToldApart(t *testing.T) {
	t.Parallel()
	w := start(t)
	clients := NewClients(NewClocks(w.memory()), w.tell)
	seen := map[string]bool{}
	for _, n := range []profile.Network{
		{}, {FIPS: true}, {DualStack: true}, {LegacySTS: true},
		{Region: profile.Value{Text: "eu-west-1", Set: true}}, {STS: profile.Value{Text: "http://127.0.0.1:1", Set: true}},
	} {
		client, err := clients.Of(n, powerARN)
		if err != nil {
			t.Fatal(err)
		}
		if seen[client.Endpoint()] {
			t.Errorf("%+v: got the endpoint %q again", n, client.Endpoint())
		}
		seen[client.Endpoint()] = true
	}
}

func TestAnIdentityIsOneOrNone(t *testing.T) {
	t.Parallel()
	answer := func(arn, user, account string) string {
		return `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>` +
			"<Arn>" + arn + "</Arn><UserId>" + user + "</UserId><Account>" + account + "</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
	}
	for name, c := range map[string]struct {
		body string
		good bool
	}{
		"a user":          {answer(janeARN, "AIDA", "123456789012"), true},
		"the root user":   {answer("arn:aws:iam::123456789012:root", "123456789012", "123456789012"), true},
		"nothing":         {"<GetCallerIdentityResponse><GetCallerIdentityResult/></GetCallerIdentityResponse>", false},
		"no ARN":          {answer("jane", "AIDA", "123456789012"), false},
		"another account": {answer(janeARN, "AIDA", "210987654321"), false},
		"no user id":      {answer(janeARN, "", "123456789012"), false},
		"odd characters":  {answer(janeARN, "AI\tDA", "123456789012"), false},
		"a long ARN":      {answer(janeARN+strings.Repeat("e", 1<<16), "AIDA", "123456789012"), false},
		"a long user id":  {answer(janeARN, strings.Repeat("A", 1<<14), "123456789012"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			w.Fail(awstest.Fault{Kind: awstest.Answer, Body: c.body})
			client, err := NewClient(w.role("power").Network, "", w.clock(), w.tell)
			if err != nil {
				t.Fatal(err)
			}
			who, err := client.Identity(t.Context(), profile.Keys{AccessKeyID: "AKIA", SecretAccessKey: "s"})
			if good := err == nil && who.ARN != ""; good != c.good {
				t.Errorf("got %+.100v, %.100v", who, err)
			}
			if !c.good && !errors.As(err, new(*NetworkError)) {
				t.Errorf("got %T, want a NetworkError", err)
			}
		})
	}
}

// A network that would have an older protocol spoken gets no request.
func TestOldTLSIsNotSpoken(t *testing.T) {
	for version, want := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true} {
		served := false
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served = true }))
		server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: version}
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		defer server.Close()
		ca := filepath.Join(t.TempDir(), "ca.pem")
		if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
			t.Fatal(err)
		}
		client, err := HTTPClient(profile.Network{CABundle: profile.Value{Text: ca, Set: true}})
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Get(server.URL)
		if err == nil {
			answer.Body.Close()
		}
		if served != want || (err == nil) != want {
			t.Errorf("%s: got served %t and %v, want %t", tls.VersionName(version), served, err, want)
		}
	}
}

// Requests are signed with it.
func TestTheSecretKeyIsSentToNobody(t *testing.T) {
	t.Parallel()
	const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	var sent []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request, err := httputil.DumpRequest(r, true)
		if err != nil {
			t.Error(err)
		}
		sent = append(sent, request...)
		http.Error(w, "no", http.StatusForbidden)
	}))
	defer server.Close()
	w := start(t)
	login := w.role("power")
	client, err := NewClient(profile.Network{STS: set(server.URL)}, "", w.clock(), w.tell)
	if err != nil {
		t.Fatal(err)
	}
	defer client.http.CloseIdleConnections()
	keys := profile.Keys{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: secret}
	if _, err := client.Identity(t.Context(), keys); err == nil {
		t.Error("who one is was told")
	}
	if _, err := client.open(t.Context(), login, keys, "123456", 0); err == nil {
		t.Error("a session was opened")
	}
	text, err := url.PathUnescape(string(sent))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Action=GetCallerIdentity", "Action=AssumeRole", "TokenCode=123456", "Credential=AKIAIOSFODNN7EXAMPLE/"} {
		if !strings.Contains(text, want) {
			t.Errorf("got %s, want %s", text, want)
		}
	}
	if strings.Contains(text, secret) || bytes.Contains(sent, []byte(secret)) {
		t.Error("the secret key was sent")
	}
}
