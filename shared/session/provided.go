package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"aws-mfa/shared/profile"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// provided gets keys from the machine that we are on.
func provided(ctx context.Context, source profile.Source) (profile.Keys, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	provider, err := providerOf(source.Provider)
	if err != nil {
		return profile.Keys{}, &SourceError{source.Setting, err}
	}
	k, err := provider.Retrieve(ctx)
	if err != nil {
		if ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return profile.Keys{}, context.Cause(ctx)
		}
		return profile.Keys{}, &SourceError{source.Setting, fmt.Errorf("no credentials from the %s service: %s", source.Provider, inShort(err))}
	}
	return profile.Keys{AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey, SessionToken: k.SessionToken, From: source.Setting.From}, nil
}

// inShort is what went wrong with a request, without words of whoever answered
// it, which may be those that were sent in confidence.
func inShort(err error) string {
	var answer *smithyhttp.ResponseError
	var network *net.OpError
	var file *fs.PathError
	var api smithy.APIError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "timed out"
	case errors.As(err, &api) && isCode(api.ErrorCode()) && api.ErrorCode() != "UnknownError":
		return api.ErrorCode()
	case errors.As(err, &answer):
		return fmt.Sprintf("HTTP status %d", answer.HTTPStatusCode())
	case errors.As(err, &file):
		return safe(file.Error())
	case errors.As(err, &network):
		return safe(network.Error())
	}
	return "the answer holds none"
}

// isCode tells an error code of AWS from the words of others.
func isCode(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.") == ""
}

func providerOf(name string) (aws.CredentialsProvider, error) {
	if name == profile.Ec2InstanceMetadata {
		if strings.EqualFold(os.Getenv("AWS_EC2_METADATA_DISABLED"), "true") {
			return nil, errors.New("is Ec2InstanceMetadata, but AWS_EC2_METADATA_DISABLED is true")
		}
		return ec2rolecreds.New(), nil
	}
	endpoint := os.Getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI")
	if relative := os.Getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); relative != "" {
		endpoint = "http://169.254.170.2" + relative
	}
	if endpoint == "" {
		return nil, errors.New("is EcsContainer, but neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set")
	}
	if !trusted(endpoint) {
		return nil, errors.New("AWS_CONTAINER_CREDENTIALS_FULL_URI is neither encrypted nor of this machine, ECS or EKS")
	}
	return endpointcreds.New(endpoint, func(o *endpointcreds.Options) {
		o.HTTPClient = &http.Client{
			Transport:     &http.Transport{DialContext: (&net.Dialer{Timeout: connectTimeout}).DialContext},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
		o.AuthorizationToken = os.Getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN")
		if file := os.Getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); file != "" {
			o.AuthorizationTokenProvider = endpointcreds.TokenProviderFunc(func() (string, error) {
				token, err := readFile(file, maxToken)
				return string(token), err
			})
		}
	}), nil
}

// trusted tells whether the SDKs would get credentials from that endpoint.
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
func trusted(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback() ||
		slices.Contains([]string{"169.254.170.2", "169.254.170.23", "fd00:ec2::23"}, u.Hostname()))
}
