package awstest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"aws-mfa/shared/awstest"
)

const deployARN = "arn:aws:iam::123456789012:role/Deploy"

// exchangeToken assumes the role Deploy by a web identity token, unsigned.
func (w world) exchangeToken(token string, edits ...func(*sts.AssumeRoleWithWebIdentityInput)) (*sts.AssumeRoleWithWebIdentityOutput, error) {
	in := &sts.AssumeRoleWithWebIdentityInput{RoleArn: aws.String(deployARN), RoleSessionName: aws.String("ci"), WebIdentityToken: &token}
	for _, edit := range edits {
		edit(in)
	}
	c := sts.New(sts.Options{Region: "eu-central-1", BaseEndpoint: aws.String(w.URL()), Retryer: aws.NopRetryer{}})
	return c.AssumeRoleWithWebIdentity(w.t.Context(), in)
}

func tokenLasting(d time.Duration) func(*sts.AssumeRoleWithWebIdentityInput) {
	return func(in *sts.AssumeRoleWithWebIdentityInput) { in.DurationSeconds = aws.Int32(int32(d / time.Second)) }
}

func TestAWebIdentityTokenOpensTheRoleThatTrustsIt(t *testing.T) {
	w := start(t)
	w.AddRole(awstest.Role{ARN: deployARN})
	token := w.AddWebIdentity("repo:example/app", w.Now().Add(time.Hour), deployARN)
	out, err := w.exchangeToken(token)
	if err != nil {
		t.Fatal(err)
	}
	const arn = "arn:aws:sts::123456789012:assumed-role/Deploy/ci"
	if *out.AssumedRoleUser.Arn != arn || !strings.HasSuffix(*out.AssumedRoleUser.AssumedRoleId, ":ci") {
		t.Errorf("got %s, %s", *out.AssumedRoleUser.Arn, *out.AssumedRoleUser.AssumedRoleId)
	}
	if *out.SubjectFromWebIdentityToken != "repo:example/app" || *out.Provider != "https://oidc.example.com" || *out.Audience != "sts.amazonaws.com" {
		t.Errorf("got %s, %s, %s", *out.SubjectFromWebIdentityToken, *out.Provider, *out.Audience)
	}
	if got, err := identify(t, w.as(out.Credentials)); err != nil || got != arn {
		t.Errorf("got %s, %v, want %s", got, err, arn)
	}
	if c := w.Calls()[0]; c.Action != "AssumeRoleWithWebIdentity" || c.RoleARN != deployARN || c.AccessKeyID != "" {
		t.Errorf("got %+v", c)
	}
}

func TestAWebIdentityLastsAsLongAsTheRoleAllows(t *testing.T) {
	w := start(t)
	const next = "arn:aws:iam::123456789012:role/Next"
	w.AddRole(awstest.Role{ARN: deployARN, MaxSessionDuration: 12 * time.Hour})
	w.AddRole(awstest.Role{ARN: next, Trusts: []string{deployARN}, MaxSessionDuration: 12 * time.Hour})
	token := w.AddWebIdentity("ci", w.Now().Add(time.Hour), deployARN)
	out, err := w.exchangeToken(token, tokenLasting(12*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if left := out.Credentials.Expiration.Sub(w.Now()); left < 12*time.Hour-time.Minute || left > 12*time.Hour {
		t.Errorf("got %v, want 12h", left)
	}
	_, err = w.as(out.Credentials).AssumeRole(t.Context(), w.request(withoutMFA, role(next), lasting(2*time.Hour)))
	wantRefusal(t, err, "ValidationError", chainTooLong)
	w.session(w.as(out.Credentials), withoutMFA, role(next))
}

func TestAssumeRoleWithWebIdentityIsRefused(t *testing.T) {
	const (
		untrusted = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
		foreign   = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL290aGVyLmV4YW1wbGUifQ.c2lnbmF0dXJl" // of https://other.example
	)
	w := start(t)
	w.AddRole(awstest.Role{ARN: deployARN})
	now := w.Now()
	token := w.AddWebIdentity("ci", now.Add(time.Hour), deployARN, "arn:aws:iam::123456789012:role/Missing")
	expired := w.AddWebIdentity("ci", now, deployARN)
	forged := token[:strings.LastIndexByte(token, '.')+1] + "c2lnbmF0dXJl"
	elsewhere := func(arn string) func(*sts.AssumeRoleWithWebIdentityInput) {
		return func(in *sts.AssumeRoleWithWebIdentityInput) { in.RoleArn = &arn }
	}

	tests := []struct {
		name, token, code, message string
		edits                      []func(*sts.AssumeRoleWithWebIdentityInput)
	}{
		{"not a JWT", "secret-token", "InvalidIdentityToken", "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)", nil},
		{"unknown provider", foreign, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://other.example", nil},
		{"forged", forged, "InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements", nil},
		{"expired", expired, "ExpiredTokenException", fmt.Sprintf("Token expired: current date/time %d must be before the expiration date/time %d", now.Unix(), now.Unix()), nil},
		{"untrusted", w.AddWebIdentity("ci", now.Add(time.Hour)), "AccessDenied", untrusted, nil},
		{"no such role", token, "AccessDenied", untrusted, []func(*sts.AssumeRoleWithWebIdentityInput){elsewhere("arn:aws:iam::123456789012:role/Missing")}},
		{"not a role", token, "ValidationError", janeARN + " is invalid", []func(*sts.AssumeRoleWithWebIdentityInput){elsewhere(janeARN)}},
		{"too long", token, "ValidationError", tooLong, []func(*sts.AssumeRoleWithWebIdentityInput){tokenLasting(2 * time.Hour)}},
		{"too short", token, "ValidationError", "1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900", []func(*sts.AssumeRoleWithWebIdentityInput){tokenLasting(899 * time.Second)}},
		{"short token", "abc", "ValidationError", "1 validation error detected: Value at 'webIdentityToken' failed to satisfy constraint: Member must have length greater than or equal to 4", nil},
	}
	for _, tt := range tests {
		_, err := w.exchangeToken(tt.token, tt.edits...)
		t.Run(tt.name, func(t *testing.T) { wantRefusal(t, err, tt.code, tt.message) })
	}
	if _, err := w.exchangeToken(token); err != nil {
		t.Error(err)
	}
}

func TestAWebIdentityIsHeldToRegionAndPartition(t *testing.T) {
	w := start(t)
	w.AddRole(awstest.Role{ARN: deployARN})
	token := w.AddWebIdentity("ci", w.Now().Add(time.Hour), deployARN)
	at := func(region string) error {
		c := sts.New(sts.Options{Region: region, HTTPClient: w.browser(), Retryer: aws.NopRetryer{}})
		_, err := c.AssumeRoleWithWebIdentity(t.Context(), &sts.AssumeRoleWithWebIdentityInput{
			RoleArn: aws.String(deployARN), RoleSessionName: aws.String("ci"), WebIdentityToken: &token,
		})
		return err
	}
	w.DisableRegion("ap-east-1")
	wantRefusal(t, at("ap-east-1"), "RegionDisabledException", "STS is not activated in this region for account:123456789012. Your account administrator can activate STS in this region using the IAM Console.")
	wantRefusal(t, at("us-gov-west-1"), "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
	if err := at("eu-central-1"); err != nil {
		t.Error(err)
	}
}
