package awstest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"aws-mfa/shared/awstest"
)

const hostARN = "arn:aws:iam::123456789012:role/service/Host"

// wantHost wants credentials of the role Host that a role can trust.
func (w world) wantHost(c aws.Credentials, err error, session string, life time.Duration) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	if left := c.Expires.Sub(w.Now()); left < life-time.Minute || left > life {
		w.t.Errorf("got %v, want %v", left, life)
	}
	const next = "arn:aws:iam::123456789012:role/Next"
	w.AddRole(awstest.Role{ARN: next, Trusts: []string{hostARN}, MaxSessionDuration: 12 * time.Hour})
	client := w.client(c.AccessKeyID, c.SecretAccessKey, c.SessionToken)
	if got, err := identify(w.t, client); err != nil || got != "arn:aws:sts::123456789012:assumed-role/Host/"+session {
		w.t.Errorf("got %s, %v", got, err)
	}
	_, err = client.AssumeRole(w.t.Context(), w.request(withoutMFA, role(next), lasting(2*time.Hour)))
	wantRefusal(w.t, err, "ValidationError", chainTooLong)
	w.session(client, withoutMFA, role(next))
}

func TestAnInstanceHandsOutItsRole(t *testing.T) {
	w := start(t)
	w.SetInstanceRole(hostARN)
	c, err := ec2rolecreds.New(func(o *ec2rolecreds.Options) {
		o.Client = imds.New(imds.Options{Endpoint: w.InstanceURL(), EnableFallback: aws.FalseTernary})
	}).Retrieve(t.Context())
	w.wantHost(c, err, "i-0123456789abcdef0", time.Hour) // the SDK's own limit
	for _, action := range []string{"InstanceToken", "InstanceRole", "InstanceCredentials"} {
		if n := w.Count(action); n != 1 {
			t.Errorf("got %d calls of %s, want 1", n, action)
		}
	}
	if c := w.Calls()[2]; c.RoleARN != hostARN {
		t.Errorf("got %+v", c)
	}
}

// ask is a request with one header to the metadata service of an instance.
func (w world) ask(method, path, header, value string) (*http.Response, string) {
	w.t.Helper()
	req, err := http.NewRequest(method, w.URL()+"/latest/"+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set(header, value)
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer, read(w.t, answer)
}

func TestAnInstanceTellsNothingWithoutAToken(t *testing.T) {
	const (
		ttl     = "X-aws-ec2-metadata-token-ttl-seconds"
		bearing = "X-aws-ec2-metadata-token"
		roles   = "meta-data/iam/security-credentials/"
	)
	w := start(t)
	_, token := w.ask("PUT", "api/token", ttl, "60")
	if answer, _ := w.ask("GET", roles, bearing, token); answer.StatusCode != 404 {
		t.Errorf("no role: got %s, want 404", answer.Status)
	}
	w.SetInstanceRole(hostARN)
	tests := []struct {
		method, path, header, value string
		status                      int
	}{
		{"PUT", "api/token", ttl, "0", 400},
		{"PUT", "api/token", ttl, "21601", 400},
		{"PUT", "api/token", "Accept", "*/*", 400},
		{"PUT", "api/token", "X-Forwarded-For", "192.0.2.1", 403},
		{"GET", "api/token", ttl, "60", 405},
		{"GET", roles, bearing, "", 401},
		{"GET", roles, bearing, "wrong", 401},
		{"GET", roles + "Host", bearing, "wrong", 401},
		{"GET", roles + "Other", bearing, token, 404},
		{"GET", roles, bearing, token, 200},
		{"GET", roles + "Host", bearing, token, 200},
	}
	for _, tt := range tests {
		answer, body := w.ask(tt.method, tt.path, tt.header, tt.value)
		if answer.StatusCode != tt.status || tt.status != 200 && strings.Contains(body, "Host") {
			t.Errorf("%s %s with %s %q: got %s %s, want %d", tt.method, tt.path, tt.header, tt.value, answer.Status, body, tt.status)
		}
	}
	w.Shift(time.Minute)
	if answer, _ := w.ask("GET", roles, bearing, token); answer.StatusCode != 401 {
		t.Errorf("after its end: got %s, want 401", answer.Status)
	}
}

func TestAContainerHandsOutItsRole(t *testing.T) {
	w := start(t)
	client := func(authorization string) (aws.Credentials, error) {
		return endpointcreds.New(w.ContainerURL(), func(o *endpointcreds.Options) {
			o.AuthorizationToken, o.Retryer = authorization, aws.NopRetryer{}
		}).Retrieve(t.Context())
	}
	_, err := client("")
	wantRefusal(t, err, "InvalidIdInRequest", "no credentials for this container")
	w.SetContainerRole(hostARN, "Bearer secret")
	_, err = client("Bearer other")
	wantRefusal(t, err, "AccessDeniedException", "Access denied")
	c, err := client("Bearer secret")
	w.wantHost(c, err, "0123456789abcdef0123456789abcdef", 6*time.Hour)
	if n := w.Count("ContainerCredentials"); n != 3 {
		t.Errorf("got %d calls, want 3", n)
	}
	w.SetContainerRole(hostARN, "")
	c, err = client("")
	w.wantHost(c, err, "0123456789abcdef0123456789abcdef", 6*time.Hour)
}
