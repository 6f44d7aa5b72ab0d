package session

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"time"

	"aws-mfa/shared/cache"
	"aws-mfa/shared/profile"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
	"github.com/aws/smithy-go/middleware"
)

// Time limits of what may hang, and the most that is read of an answer.
const (
	connectTimeout = 5 * time.Second
	callTimeout    = 20 * time.Second // of a request with all its repetitions
	maxAnswer      = 1 << 20          // octets; an answer of STS has a few thousand
	maxIdle        = 8                // connections to a host that are kept for the next request
	maxIdleTime    = 20 * time.Second // of a connection that is kept
)

// partitions are the default region of each, and how all its regions begin.
// Source: implicitGlobalRegion and regionRegex in the SDKs' partitions.json.
var partitions = map[string]struct{ region, prefix string }{
	"aws":        {"us-east-1", ""},
	"aws-cn":     {"cn-northwest-1", "cn-"},
	"aws-us-gov": {"us-gov-west-1", "us-gov-"},
	"aws-eusc":   {"eusc-de-east-1", "eusc-"},
	"aws-iso":    {"us-iso-east-1", "us-iso-"},
	"aws-iso-b":  {"us-isob-east-1", "us-isob-"},
	"aws-iso-e":  {"eu-isoe-west-1", "eu-isoe-"},
	"aws-iso-f":  {"us-isof-south-1", "us-isof-"},
}

// DefaultRegion is the region to use for an ARN where none is set: that of
// the ARN's partition which serves its global services.
func DefaultRegion(arn string) string {
	a, _ := profile.ParseARN(arn)
	if p, ok := partitions[a.Partition]; ok {
		return p.region
	}
	return partitions["aws"].region
}

// partitionOf is the partition of a region.
func partitionOf(region string) string {
	for name, p := range partitions {
		if p.prefix != "" && strings.HasPrefix(region, p.prefix) {
			return name
		}
	}
	return "aws"
}

// maxBundle is many times what systems come with.
const maxBundle = 16 << 20 // octets

// HTTPClient is an HTTP client with the proxy, the certificates and the limits
// that hold for all requests. It follows no redirect: what we send is secret. It
// speaks HTTP/1.1, since there is but one request to make. The CA bundle is read
// now.
func HTTPClient(n profile.Network) (*http.Client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if path := n.CABundle; path.Set {
		pem, err := readFile(path.Text, maxBundle)
		if err != nil {
			return nil, fmt.Errorf("CA bundle (%s): %w", path.From, err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("CA bundle (%s): %s holds no PEM certificate", path.From, path.Text)
		}
	}
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: connectTimeout}).DialContext,
		TLSClientConfig:     config,
		TLSHandshakeTimeout: connectTimeout,
		IdleConnTimeout:     maxIdleTime,
		MaxIdleConnsPerHost: maxIdle,
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
			if answer.StatusCode != http.StatusOK {
				return &net.OpError{Op: "proxyconnect", Net: "tcp", Err: fmt.Errorf("HTTP status %d", answer.StatusCode)}
			}
			return nil
		},
	}
	return &http.Client{
		Transport:     bounded{transport},
		Timeout:       callTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// bounded cuts answers at maxAnswer, and lets whoever made the call watch:
// with a proxy, a connection does not know which host is asked.
type bounded struct{ next http.RoundTripper }

func (b bounded) CloseIdleConnections() { (&http.Client{Transport: b.next}).CloseIdleConnections() }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	watch, watched := r.Context().Value(watchKey{}).(watch)
	if watched {
		watch.asks(r.URL.Host)
	}
	r, err := inOnePiece(r)
	if err != nil {
		return nil, err
	}
	sent := time.Now()
	resp, err := b.next.RoundTrip(r)
	if watched && err == nil {
		watch.answered(sent, time.Now(), resp.Header)
	}
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	}
	return resp, err
}

// inOnePiece is r with a body that net/http has read before it writes any of it.
// Of others it looks for the end after it wrote the last octet, when the answer
// may be there; the SDK closes the body then, and what its WriteTo says of that
// (io.EOF) net/http takes for a failed request, whose connection it closes.
func inOnePiece(r *http.Request) (*http.Request, error) {
	if r.Body == nil || r.ContentLength <= 0 {
		return r, nil
	}
	defer r.Body.Close()
	body := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(r.Body, body); err != nil {
		return nil, err
	}
	r = r.WithContext(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	return r, nil
}

type watch struct {
	asks     func(host string)
	answered func(sent, received time.Time, header http.Header)
}

type watchKey struct{}

// A Client talks to STS.
type Client struct {
	network profile.Network
	region  string
	http    *http.Client
	clock   *Clock
	trace   Trace
}

// NewClient makes a client for the partition of an ARN (which may be ""). No
// connection is made yet. Requests are signed on the clock's time, and their
// answers set it.
func NewClient(n profile.Network, arn string, clock *Clock, trace Trace) (*Client, error) {
	httpClient, err := HTTPClient(n)
	if err != nil {
		return nil, err
	}
	return newClient(n, arn, httpClient, clock, trace), nil
}

func newClient(n profile.Network, arn string, httpClient *http.Client, clock *Clock, trace Trace) *Client {
	c := &Client{network: n, region: n.Region.Text, http: httpClient, clock: clock, trace: trace}
	if c.region == "" {
		c.region = DefaultRegion(arn)
	}
	return c
}

// Clients are clients that share their connections. They may be used
// concurrently.
type Clients struct {
	clocks *Clocks
	trace  Trace
	mu     sync.Mutex
	http   map[string]*http.Client // by the CA bundle
}

// NewClients are clients on those clocks.
func NewClients(clocks *Clocks, trace Trace) *Clients {
	return &Clients{clocks: clocks, trace: trace, http: map[string]*http.Client{}}
}

// Of is a client as NewClient makes it.
func (c *Clients) Of(n profile.Network, arn string) (*Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	shared := c.http[n.CABundle.Text]
	if shared == nil {
		var err error
		if shared, err = HTTPClient(n); err != nil {
			return nil, err
		}
		c.http[n.CABundle.Text] = shared
	}
	return newClient(n, arn, shared, c.clocks.Of(n), c.trace), nil
}

// Endpoint is what the client talks to: its region, and the URL that somebody
// set in AWS's place.
func (c *Client) Endpoint() string {
	return fmt.Sprint(c.region, c.network.STS.Text, c.network.FIPS, c.network.DualStack, c.network.LegacySTS)
}

// sts is the SDK's client for the call.
func (c *Client) sts(call *call) *sts.Client {
	k, usesCode := call.keys, call.code != ""
	o := sts.Options{
		Region: c.region,
		Credentials: credentials.StaticCredentialsProvider{Value: aws.Credentials{
			AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey, SessionToken: k.SessionToken,
		}},
		HTTPClient: c.http,
		Retryer:    retry.NewStandard(func(o *retry.StandardOptions) { c.retries(o, usesCode) }),
		// Ours serves the codes as well, and is remembered.
		HTTPSignerV4:               signer{v4.NewSigner(), c.clock},
		DisableClockSkewCorrection: true,
	}
	if c.network.STS.Set {
		o.BaseEndpoint = aws.String(c.network.STS.Text)
	}
	if c.network.FIPS {
		o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled
	}
	if c.network.DualStack {
		o.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled
	}
	if c.network.LegacySTS {
		o.EndpointResolverV2 = globalEndpoint{}
	}
	return sts.New(o)
}

// retries repeats a request only after AWS itself answered that it did not do
// it. Behind a 502 or 504 of a gateway, as after an answer that was lost, AWS
// may have done it and spent the code.
func (c *Client) retries(o *retry.StandardOptions, usesCode bool) {
	o.MaxBackoff = 2 * time.Second
	if c.network.MaxAttempts > 0 {
		o.MaxAttempts = c.network.MaxAttempts
	}
	o.Retryables = []retry.IsErrorRetryable{
		retry.RetryableErrorCode{Codes: retry.DefaultThrottleErrorCodes},
		retry.RetryableHTTPStatusCode{Codes: map[int]struct{}{http.StatusTooManyRequests: {}, http.StatusInternalServerError: {}, http.StatusServiceUnavailable: {}}},
	}
	if !usesCode {
		o.Retryables = append(o.Retryables, retry.RetryableHTTPStatusCode{Codes: retry.DefaultRetryableHTTPStatusCodes})
	}
}

// globalEndpoint is sts_regional_endpoints = legacy.
type globalEndpoint struct{}

func (globalEndpoint) ResolveEndpoint(ctx context.Context, p sts.EndpointParameters) (smithyendpoints.Endpoint, error) {
	p.UseGlobalEndpoint = aws.Bool(true)
	return sts.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, p)
}

// open is one request for the login's session; code is "" where none is
// needed, duration 0 for AWS's default.
func (c *Client) open(ctx context.Context, login *profile.Login, keys profile.Keys, code string, duration time.Duration) (cache.Entry, error) {
	call := &call{login: login, keys: keys, network: c.network, region: c.region, duration: duration, code: code}
	switch {
	case login.TokenFile.Set:
		return c.assumeRoleWithWebIdentity(ctx, call)
	case login.IsRole():
		return c.assumeRole(ctx, call)
	}
	return c.sessionToken(ctx, call)
}

func (c *Client) assumeRole(ctx context.Context, call *call) (cache.Entry, error) {
	call.operation = "AssumeRole"
	in := &sts.AssumeRoleInput{RoleArn: aws.String(call.login.RoleARN.Text), RoleSessionName: aws.String(sessionName(call.login)), DurationSeconds: call.seconds()}
	if id := call.login.ExternalID; id.Set {
		in.ExternalId = aws.String(id.Text)
	}
	if call.code != "" {
		in.SerialNumber, in.TokenCode = aws.String(call.login.SerialNumber.Text), aws.String(call.code)
	}
	var out *sts.AssumeRoleOutput
	err := c.do(ctx, call, func(ctx context.Context) (err error) {
		out, err = c.sts(call).AssumeRole(ctx, in)
		return err
	})
	if err != nil {
		return cache.Entry{}, err
	}
	//lint:ignore SA1019 the AWS CLI keeps this one
	return c.entry(call, out.Credentials, out.AssumedRoleUser, out.PackedPolicySize, out.ResultMetadata)
}

func (c *Client) assumeRoleWithWebIdentity(ctx context.Context, call *call) (cache.Entry, error) {
	call.operation = "AssumeRoleWithWebIdentity"
	token, err := readToken(call.login.TokenFile)
	if err != nil {
		return cache.Entry{}, err
	}
	call.token = token
	in := &sts.AssumeRoleWithWebIdentityInput{RoleArn: aws.String(call.login.RoleARN.Text), RoleSessionName: aws.String(sessionName(call.login)), DurationSeconds: call.seconds(), WebIdentityToken: aws.String(token)}
	var out *sts.AssumeRoleWithWebIdentityOutput
	err = c.do(ctx, call, func(ctx context.Context) (err error) {
		out, err = c.sts(call).AssumeRoleWithWebIdentity(ctx, in)
		return err
	})
	if err != nil {
		return cache.Entry{}, err
	}
	//lint:ignore SA1019 the AWS CLI keeps this one
	return c.entry(call, out.Credentials, out.AssumedRoleUser, out.PackedPolicySize, out.ResultMetadata)
}

func (c *Client) sessionToken(ctx context.Context, call *call) (cache.Entry, error) {
	call.operation = "GetSessionToken"
	in := &sts.GetSessionTokenInput{DurationSeconds: call.seconds(), SerialNumber: aws.String(call.login.SerialNumber.Text), TokenCode: aws.String(call.code)}
	var out *sts.GetSessionTokenOutput
	err := c.do(ctx, call, func(ctx context.Context) (err error) {
		out, err = c.sts(call).GetSessionToken(ctx, in)
		return err
	})
	if err != nil {
		return cache.Entry{}, err
	}
	return c.entry(call, out.Credentials, nil, nil, out.ResultMetadata)
}

// entry is the session in AWS's answer, which must be one, and of the role
// that was asked for: the console and the cache go by what it says.
func (c *Client) entry(call *call, k *types.Credentials, user *types.AssumedRoleUser, packed *int32, metadata middleware.Metadata) (cache.Entry, error) {
	if err := check(call.login, k, user, c.clock.Now()); err != nil {
		return cache.Entry{}, call.unanswered(err)
	}
	requestID, _ := awsmiddleware.GetRequestIDMetadata(metadata)
	e := cache.Entry{
		AccessKeyID:      aws.ToString(k.AccessKeyId),
		SecretAccessKey:  aws.ToString(k.SecretAccessKey),
		SessionToken:     aws.ToString(k.SessionToken),
		Expiration:       *k.Expiration,
		PackedPolicySize: packed,
		RequestID:        requestID,
	}
	if user != nil {
		e.AssumedRoleID, e.AssumedRoleARN = aws.ToString(user.AssumedRoleId), aws.ToString(user.Arn)
	}
	return e, nil
}

func check(login *profile.Login, k *types.Credentials, user *types.AssumedRoleUser, now time.Time) error {
	if k == nil || k.Expiration == nil || login.IsRole() && user == nil ||
		!plain(k.AccessKeyId) || !plain(k.SecretAccessKey) || !plain(k.SessionToken) {
		return errors.New("the answer is not one of STS")
	}
	longest := profile.MaxMFADuration
	if login.IsRole() {
		longest = profile.MaxDuration
		asked, _ := profile.ParseARN(login.RoleARN.Text)
		got, _ := profile.ParseARN(aws.ToString(user.Arn))
		name := asked.Resource[strings.LastIndex(asked.Resource, "/")+1:]
		kind, rest, _ := strings.Cut(got.Resource, "/")
		gotName, _, _ := strings.Cut(rest, "/")
		if !plain(user.Arn) || got.Partition != asked.Partition || got.Account != asked.Account || kind != "assumed-role" || !strings.EqualFold(gotName, name) {
			return errors.New("the answer is about another role")
		}
	}
	// An hour more than AWS gives, since clocks differ.
	if left := k.Expiration.Sub(now); left <= 0 || left > longest+time.Hour {
		return errors.New("the answer has an impossible expiration")
	}
	return nil
}

// plain tells whether s is what keys and names of AWS are made of, and of a size
// that others take: a request with its headers has 8 to 64 KiB at most.
func plain(s *string) bool {
	const enough = 32 << 10
	return s != nil && *s != "" && len(*s) < enough && !strings.ContainsFunc(*s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// An Identity is who AWS says that keys belong to.
type Identity struct{ Account, ARN, UserID string }

// Identity asks AWS whose keys these are (GetCallerIdentity, which no policy
// can deny). Errors: *RefusedError, *NetworkError.
func (c *Client) Identity(ctx context.Context, k profile.Keys) (Identity, error) {
	call := &call{operation: "GetCallerIdentity", keys: k, network: c.network, region: c.region}
	var out *sts.GetCallerIdentityOutput
	ask := func(ctx context.Context) (err error) {
		out, err = c.sts(call).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		return err
	}
	signedAt := c.clock.Ahead()
	err := c.do(ctx, call, ask)
	if refusedFor(err, ClockOff) && c.clock.Ahead() != signedAt {
		err = c.do(ctx, call, ask)
	}
	if err != nil {
		return Identity{}, err
	}
	who := Identity{Account: aws.ToString(out.Account), ARN: aws.ToString(out.Arn), UserID: aws.ToString(out.UserId)}
	arn, ok := profile.ParseARN(who.ARN)
	switch {
	case !ok || len(who.ARN) > maxARN || arn.Account != who.Account || !plain(out.UserId) || len(who.UserID) > maxARN:
		return Identity{}, call.unanswered(errors.New("the answer is not one of STS"))
	case !c.network.STS.Set && arn.Partition != partitionOf(c.region): // or the console would be that of strangers
		return Identity{}, call.unanswered(errors.New("the answer is about another partition of AWS"))
	}
	return who, nil
}

// maxARN is how long an ARN is at most, in characters. Source:
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumedRoleUser.html
const maxARN = 2048

// do makes the request within callTimeout, watches how far it got, and turns
// its error into one of ours.
func (c *Client) do(ctx context.Context, call *call, request func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	traced := context.WithValue(bounded, watchKey{}, watch{
		asks: func(host string) {
			call.host, call.sent = host, false
			c.trace.say("%s: request to %s (region %s)", call.operation, host, c.region)
		},
		answered: func(sent, received time.Time, header http.Header) {
			call.ahead = c.clock.answered(sent, received, header)
		},
	})
	traced = httptrace.WithClientTrace(traced, &httptrace.ClientTrace{WroteHeaders: func() { call.sent = true }})
	err := request(traced)
	var canceled *aws.RequestCanceledError
	if errors.As(err, &canceled) { // while it waited to ask again
		call.sent = false
	}
	switch {
	case err == nil:
		c.trace.say("%s: done", call.operation)
		return nil
	case errors.Is(ctx.Err(), context.Canceled):
		return context.Cause(ctx)
	}
	explained := call.explain(err)
	c.trace.say("%s: %v", call.operation, explained)
	if words := call.words(err); words != "" && errors.As(explained, new(*NetworkError)) {
		c.trace.say("%s: in full: %s", call.operation, words)
	}
	return explained
}
