package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"aws-mfa/shared/cli"
	"aws-mfa/shared/profile"
	"aws-mfa/shared/session"
)

// A partition is where the console of an AWS partition lives. Sources: the
// endpoint rules of the "signin" service in the AWS SDKs; "AWS Sign-In
// endpoints" in the AWS General Reference; the consoles of the iso partitions
// follow the sign-in hosts and are not documented openly.
type partition struct {
	console string // host, below which each region has its own
	signin  string // host, below which each region has its own
	regions string // how its regions begin
}

var partitions = map[string]partition{
	"aws":        {"console.aws.amazon.com", "signin.aws.amazon.com", ""},
	"aws-cn":     {"console.amazonaws.cn", "signin.amazonaws.cn", "cn-"},
	"aws-us-gov": {"console.amazonaws-us-gov.com", "signin.amazonaws-us-gov.com", "us-gov-"},
	"aws-eusc":   {"console.amazonaws-eusc.eu", "signin.amazonaws-eusc.eu", "eusc-"},
	"aws-iso":    {"console.c2shome.ic.gov", "signin.c2shome.ic.gov", "us-iso-"},
	"aws-iso-b":  {"console.sc2shome.sgov.gov", "signin.sc2shome.sgov.gov", "us-isob-"},
	"aws-iso-e":  {"console.csphome.adc-e.uk", "signin.csphome.adc-e.uk", "eu-isoe-"},
	"aws-iso-f":  {"console.csphome.hci.ic.gov", "signin.csphome.hci.ic.gov", "us-isof-"},
}

// has tells whether a region may be one of the partition: words and a number,
// joined by hyphens, that begin as its regions do.
func (p partition) has(region string) bool {
	words := strings.Split(region, "-")
	number := words[len(words)-1]
	if len(words) < 3 || number == "" || strings.Trim(number, "0123456789") != "" || slices.Contains(words, "") ||
		strings.Trim(strings.Join(words[:len(words)-1], ""), "abcdefghijklmnopqrstuvwxyz") != "" {
		return false
	}
	if p.regions != "" {
		return strings.HasPrefix(region, p.regions)
	}
	for _, other := range partitions {
		if other.regions != "" && strings.HasPrefix(region, other.regions) {
			return false
		}
	}
	return true
}

// services are the pages whose path is not the service's name. Source: the
// addresses that the console itself shows; granted's service map.
var services = map[string]string{
	"ec2": "ec2/v2", "iam": "iamv2", "route53": "route53/v2", "cfn": "cloudformation",
	"cw": "cloudwatch", "dynamodb": "dynamodbv2", "sfn": "states", "stepfunctions": "states",
	"ssm": "systems-manager", "waf": "wafv2", "redshift": "redshiftv2",
	"organizations": "organizations/v2", "sso": "singlesignon", "ce": "cost-management",
}

// A page is where the console opens, and where to sign in for it.
type page struct {
	destination string
	federation  string // URL of the federation endpoint
}

// page is the page that the flags ask for, of the partition of who.
func (c *console) page(who bearer) (page, error) {
	arn, _ := profile.ParseARN(who.site())
	where, ok := partitions[arn.Partition]
	if !ok {
		return page{}, fmt.Errorf("the console of partition %q (of %s) is not known", arn.Partition, who.site())
	}
	region := c.Region
	switch {
	case region != "" && !where.has(region):
		return page{}, cli.UsageError(fmt.Sprintf("--region: %q is not a region of partition %s", region, arn.Partition))
	case region == "" && where.has(who.network.Region.Text):
		region = who.network.Region.Text
	}
	if region == "" {
		region = session.DefaultRegion(who.site())
	}
	p := page{federation: where.federation(region)}
	if endpoint := who.network.Signin; endpoint.Set {
		if endpoint.Exposed() {
			return page{}, fmt.Errorf("the sign-in endpoint %s (%s) would get the keys without encryption", endpoint.Text, endpoint.From)
		}
		p.federation = strings.TrimSuffix(endpoint.Text, "/") + "/federation"
	}
	var err error
	p.destination, err = c.destination(where, region)
	return p, err
}

// federation is the region's endpoint; that of us-east-1 has no region in it.
func (p partition) federation(region string) string {
	if region == "us-east-1" {
		return "https://" + p.signin + "/federation"
	}
	return "https://" + region + "." + p.signin + "/federation"
}

// destination is the page's own URL.
func (c *console) destination(where partition, region string) (string, error) {
	if c.Destination != "" {
		u, err := url.Parse(c.Destination)
		ours := err == nil && u.Scheme == "https" && u.User == nil && u.Port() == "" &&
			(u.Host == where.console || strings.HasSuffix(u.Host, "."+where.console)) &&
			!strings.ContainsFunc(c.Destination, func(r rune) bool { return unicode.IsControl(r) || r == '\\' })
		if !ours {
			return "", cli.UsageError(fmt.Sprintf("--destination: %q is not an https:// address at %s", c.Destination, where.console))
		}
		return u.String(), nil
	}
	path := "console"
	if c.Service != "" {
		if strings.Trim(c.Service, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return "", cli.UsageError(fmt.Sprintf("--service: %q is not the name of a service (such as s3)", c.Service))
		}
		path = c.Service
		if other := services[path]; other != "" {
			path = other
		}
	}
	return fmt.Sprintf("https://%s.%s/%s/home?region=%s", region, where.console, path, region), nil
}

// A federationError is an answer of the sign-in endpoint that holds no token.
type federationError struct {
	host   string
	status int // of HTTP
}

func (e *federationError) Error() string {
	switch {
	case e.status == http.StatusBadRequest:
		return fmt.Sprintf("%s does not take the session: only sessions of a role that are still good open the console (HTTP status 400)", e.host)
	case e.status == http.StatusOK:
		return fmt.Sprintf("the answer of %s holds no sign-in token", e.host)
	}
	return fmt.Sprintf("%s gave no sign-in token (HTTP status %d)", e.host, e.status)
}

// signIn exchanges the session for a sign-in URL that is good for 15 minutes.
// The keys travel in the body of a POST, never in a URL. Source:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html
func (p page) signIn(ctx context.Context, who bearer, duration time.Duration, trace session.Trace) (string, error) {
	keys, err := json.Marshal(map[string]string{
		"sessionId": who.keys.AccessKeyID, "sessionKey": who.keys.SecretAccessKey, "sessionToken": who.keys.SessionToken,
	})
	if err != nil {
		return "", err
	}
	form := url.Values{"Action": {"getSigninToken"}, "Session": {string(keys)}}
	if duration != 0 {
		form.Set("SessionDuration", strconv.Itoa(int(duration.Seconds())))
	}
	token, err := p.post(ctx, who, form, trace)
	if err != nil {
		return "", err
	}
	login := url.Values{"Action": {"login"}, "Destination": {p.destination}, "SigninToken": {token}}
	return p.federation + "?" + login.Encode(), nil
}

// post makes the request and reads the token in its answer.
func (p page) post(ctx context.Context, who bearer, form url.Values, trace session.Trace) (string, error) {
	client, err := session.HTTPClient(who.network)
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.federation, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	sent := false
	request = request.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent = true }}))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	host := request.URL.Host
	trace("getSigninToken: request to %s", host)
	response, err := client.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		return "", &session.NetworkError{Operation: "getSigninToken", Host: host, Endpoint: who.network.Signin, MaybeDone: sent, Err: err}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", &session.NetworkError{Operation: "getSigninToken", Host: host, Endpoint: who.network.Signin, MaybeDone: true, Err: err}
	}
	var answer struct{ SigninToken string }
	if response.StatusCode != http.StatusOK || json.Unmarshal(body, &answer) != nil || answer.SigninToken == "" {
		return "", &federationError{host: host, status: response.StatusCode}
	}
	trace("getSigninToken: done")
	return answer.SigninToken, nil
}
