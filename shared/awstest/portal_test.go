package awstest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sso"

	"aws-mfa/shared/awstest"
)

const developerARN = "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Dev_Ops_0123456789abcdef"

// roleCredentials asks the portal, by its own name without an endpoint.
func (w world) roleCredentials(token, account, role string, options ...func(*sso.Options)) (*sso.GetRoleCredentialsOutput, error) {
	c := sso.New(sso.Options{Region: "eu-central-1", HTTPClient: w.browser(), Retryer: aws.NopRetryer{}}, options...)
	return c.GetRoleCredentials(w.t.Context(), &sso.GetRoleCredentialsInput{AccessToken: &token, AccountId: &account, RoleName: &role})
}

func onLoopback(url string) func(*sso.Options) {
	return func(o *sso.Options) { o.BaseEndpoint, o.HTTPClient = &url, http.DefaultClient }
}

func TestAnAccessTokenOpensTheRolesThatAreAssigned(t *testing.T) {
	w := start(t)
	const next = "arn:aws:iam::123456789012:role/Next"
	w.AddRole(awstest.Role{ARN: next, Trusts: []string{developerARN}, MaxSessionDuration: 12 * time.Hour})
	token := w.AddAccessToken(w.Now().Add(time.Hour), developerARN, "arn:aws:iam::210987654321:role/Plain")
	for _, at := range []func(*sso.Options){func(*sso.Options) {}, onLoopback(w.URL())} {
		out, err := w.roleCredentials(token, "123456789012", "Dev_Ops", at)
		if err != nil {
			t.Fatal(err)
		}
		c := out.RoleCredentials
		if left := time.UnixMilli(c.Expiration).Sub(w.Now()); left < 59*time.Minute || left > time.Hour {
			t.Errorf("got %v, want 1h", left)
		}
		session := w.client(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
		const arn = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Dev_Ops_0123456789abcdef/user"
		if got, err := identify(t, session); err != nil || got != arn {
			t.Errorf("got %s, %v, want %s", got, err, arn)
		}
		_, err = session.AssumeRole(t.Context(), w.request(withoutMFA, role(next), lasting(2*time.Hour)))
		wantRefusal(t, err, "ValidationError", chainTooLong)
		w.session(session, withoutMFA, role(next))
	}
	if _, err := w.roleCredentials(token, "210987654321", "Plain"); err != nil {
		t.Error(err)
	}
	c := w.Calls()[0]
	if c.Host != "portal.sso.eu-central-1.amazonaws.com" || c.Region != "eu-central-1" || c.RoleARN != developerARN || w.Count("GetRoleCredentials") != 3 {
		t.Errorf("got %+v", c)
	}
}

func TestGetRoleCredentialsIsRefused(t *testing.T) {
	w := start(t)
	token := w.AddAccessToken(w.Now().Add(time.Hour), developerARN)
	tests := []struct{ name, token, account, role, code, message string }{
		{"unknown token", "unknown", "123456789012", "Dev_Ops", "UnauthorizedException", "Session token not found or invalid"},
		{"expired token", w.AddAccessToken(w.Now(), developerARN), "123456789012", "Dev_Ops", "UnauthorizedException", "Session token not found or invalid"},
		{"another account", token, "210987654321", "Dev_Ops", "ForbiddenException", "No access"},
		{"another role", token, "123456789012", "Dev", "ForbiddenException", "No access"},
		{"the name in IAM", token, "123456789012", "AWSReservedSSO_Dev_Ops_0123456789abcdef", "ForbiddenException", "No access"},
		{"no role", token, "123456789012", "", "InvalidRequestException", "Invalid request"},
	}
	for _, tt := range tests {
		_, err := w.roleCredentials(tt.token, tt.account, tt.role)
		t.Run(tt.name, func(t *testing.T) { wantRefusal(t, err, tt.code, tt.message) })
	}
	_, err := w.roleCredentials(token, "123456789012", "Dev_Ops", func(o *sso.Options) { o.Region = "us-gov-west-1" })
	wantRefusal(t, err, "ForbiddenException", "No access")
	w.ExpireSessions()
	_, err = w.roleCredentials(token, "123456789012", "Dev_Ops")
	wantRefusal(t, err, "UnauthorizedException", "Session token not found or invalid")
	if c := w.Calls()[0]; c.Status != http.StatusUnauthorized || c.Code != "UnauthorizedException" {
		t.Errorf("got %+v", c)
	}
}

func TestThePortalHasANameInEveryPartition(t *testing.T) {
	w := start(t)
	for region, partition := range map[string]string{
		"cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov", "eu-central-1": "aws", "us-iso-east-1": "aws-iso", "us-isob-east-1": "aws-iso-b",
		"eu-isoe-west-1": "aws-iso-e", "us-isof-south-1": "aws-iso-f", "eusc-de-east-1": "aws-eusc",
	} {
		token := w.AddAccessToken(w.Now().Add(time.Hour), "arn:"+partition+":iam::123456789012:role/Plain")
		for _, fips := range []aws.FIPSEndpointState{aws.FIPSEndpointStateDisabled, aws.FIPSEndpointStateEnabled} {
			_, err := w.roleCredentials(token, "123456789012", "Plain", func(o *sso.Options) {
				o.Region, o.EndpointOptions.UseFIPSEndpoint = region, fips
			})
			if err != nil {
				t.Errorf("%s: %v", region, err)
			}
			if c := w.Calls()[len(w.Calls())-1]; !strings.HasPrefix(c.Host, "portal.sso") || c.Region != region {
				t.Errorf("got %+v, want a portal of %s", c, region)
			}
		}
	}
}
