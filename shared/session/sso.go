package session

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"aws-mfa/shared/profile"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// An SSOError is a sign-in to Identity Center that is missing, or over.
type SSOError struct {
	Profile string // to sign in to, with the AWS CLI
	SSO     *profile.SSO
	Expired bool
}

func (e *SSOError) Error() string {
	if e.Expired {
		return "the sign-in to IAM Identity Center at " + e.SSO.StartURL.Text + " has expired"
	}
	return "there is no sign-in to IAM Identity Center at " + e.SSO.StartURL.Text
}

// sso gets the keys of a role of Identity Center: those that the AWS CLI
// cached, else new ones with the token that it cached.
func (o Options) sso(ctx context.Context, source profile.Source, n profile.Network) (profile.Keys, error) {
	role := source.SSO
	if entry, path, err := o.FindSSO(role); err == nil && entry.Good(o.Clock.Now()) {
		o.Teller.Trace("session of %s: found in %s", source.Profile, path)
		return profile.Keys{AccessKeyID: entry.AccessKeyID, SecretAccessKey: entry.SecretAccessKey, SessionToken: entry.SessionToken, From: profile.Origin{File: path}}, nil
	}
	of, _ := role.Of()
	token, err := o.Tokens.Token(of)
	if err != nil {
		o.Teller.Trace("token of %s: %v", of, err)
	}
	if err != nil || !token.ExpiresAt.After(time.Now()) {
		return profile.Keys{}, &SSOError{Profile: source.Profile, SSO: role, Expired: err == nil}
	}
	keys, err := o.roleCredentials(ctx, role, token.AccessToken, n)
	var api smithy.APIError
	switch {
	case errors.As(err, &api) && api.ErrorCode() == "UnauthorizedException":
		return profile.Keys{}, &SSOError{Profile: source.Profile, SSO: role, Expired: true}
	case errors.As(err, new(*NetworkError)), errors.Is(ctx.Err(), context.Canceled):
		return profile.Keys{}, err
	case err != nil:
		return profile.Keys{}, &SourceError{profile.Setting{Name: "sso_role_name", Value: role.RoleName}, errors.New("no credentials from IAM Identity Center: " + inShort(err))}
	}
	keys.From = role.RoleName.From
	return keys, nil
}

const getRoleCredentials = "GetRoleCredentials"

var errNoKeys = errors.New("the answer holds no credentials")

// roleCredentials asks the portal of Identity Center. Errors: *NetworkError, that
// of the context, and those of the portal.
func (o Options) roleCredentials(ctx context.Context, role *profile.SSO, token string, n profile.Network) (keys profile.Keys, err error) {
	httpClient, err := HTTPClient(n)
	if err != nil {
		return profile.Keys{}, err
	}
	n.STS = profile.Value{} // the portal is AWS's own
	client := newClient(n, "", httpClient, o.Clock, o.Teller.Trace)
	client.region = role.Region.Text
	retryer := retry.NewStandard(func(r *retry.StandardOptions) { client.retries(r, false) })
	var answer error
	err = client.do(ctx, &call{operation: getRoleCredentials, token: token, network: n, region: client.region}, func(ctx context.Context) error {
		keys, answer = portal{httpClient, client.region, retryer}.roleCredentials(ctx, token, role.AccountID.Text, role.RoleName.Text)
		return answer
	})
	if errors.As(err, new(*RefusedError)) || errors.Is(answer, errNoKeys) {
		return profile.Keys{}, answer
	}
	return keys, err
}

// A portal is that of IAM Identity Center in a region. The SDK's own client
// for this one unsigned GET would be a fifth of what all three programs
// initialize at their start.
type portal struct {
	http    *http.Client
	region  string
	retryer *retry.Standard
}

// roleCredentials is GetRoleCredentials, repeated as requests to STS are.
// Source: https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html
func (p portal) roleCredentials(ctx context.Context, token, account, role string) (profile.Keys, error) {
	host, err := p.host(ctx)
	if err != nil {
		return profile.Keys{}, err
	}
	address := url.URL{Scheme: "https", Host: host, Path: "/federation/credentials", RawQuery: url.Values{"account_id": {account}, "role_name": {role}}.Encode()}
	for attempt := 1; ; attempt++ {
		keys, err := p.ask(ctx, address.String(), token)
		if err == nil || attempt == p.retryer.MaxAttempts() || !p.retryer.IsErrorRetryable(err) {
			return keys, err
		}
		delay, err := p.retryer.RetryDelay(attempt, err)
		if err != nil {
			return profile.Keys{}, err
		}
		select {
		case <-ctx.Done():
			return profile.Keys{}, ctx.Err()
		case <-time.After(delay):
		}
	}
}

// host is beside that of STS, whose rules know the partitions.
func (p portal) host(ctx context.Context) (string, error) {
	beside, err := sts.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, sts.EndpointParameters{Region: &p.region})
	if err != nil {
		return "", err
	}
	return "portal.sso." + strings.TrimPrefix(beside.URI.Host, "sts."), nil
}

func (p portal) ask(ctx context.Context, address, token string) (profile.Keys, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return profile.Keys{}, err
	}
	r.Header.Set("X-Amz-Sso_bearer_token", token)
	answer, err := p.http.Do(r)
	if err != nil {
		return profile.Keys{}, &smithyhttp.RequestSendError{Err: err}
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return profile.Keys{}, err
	}
	if answer.StatusCode != http.StatusOK {
		code, _, _ := strings.Cut(answer.Header.Get("X-Amzn-Errortype"), ":")
		return profile.Keys{}, &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: answer}, Err: &smithy.GenericAPIError{Code: code}}
	}
	var got struct {
		RoleCredentials struct{ AccessKeyID, SecretAccessKey, SessionToken string }
	}
	if json.Unmarshal(text, &got) != nil || got.RoleCredentials.AccessKeyID == "" || got.RoleCredentials.SecretAccessKey == "" {
		return profile.Keys{}, errNoKeys
	}
	k := got.RoleCredentials
	return profile.Keys{AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey, SessionToken: k.SessionToken}, nil
}
