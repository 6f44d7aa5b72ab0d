package main

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

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

// partitionOf is the partition of an ARN, and its name.
func partitionOf(site string) (partition, string, error) {
	arn, _ := profile.ParseARN(site)
	where, ok := partitions[arn.Partition]
	if !ok {
		return partition{}, "", fmt.Errorf("the console of partition %q (of %s) is not known", arn.Partition, site)
	}
	return where, arn.Partition, nil
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

// endpoint is the base URL of the region's sign-in host; that of us-east-1 has
// no region in its name. Where a logout should lead on to the login, the aws
// partition has one host that does so, which then issues the token as well:
// https://github.com/99designs/aws-vault/pull/1268
func (p partition) endpoint(region string, logoutFirst bool) string {
	switch {
	case logoutFirst && p.regions == "":
		region = "us-east-1"
	case region == "us-east-1":
		return "https://" + p.signin
	}
	return "https://" + region + "." + p.signin
}

// A page is where the console opens, and where to sign in for it.
type page struct {
	destination string
	federation  string // URL of the federation endpoint
	logout      string // URL that ends the browser's session first; "": let it be
}

// page is the page that the flags ask for, of the partition of who.
func (c *console) page(who bearer) (page, error) {
	where, name, err := partitionOf(who.site())
	if err != nil {
		return page{}, err
	}
	region := string(c.Region)
	switch {
	case region != "" && !where.has(region):
		return page{}, cli.UsageError(fmt.Sprintf("--region: %q is not a region of partition %s", region, name))
	case region == "" && where.has(who.network.Region.Text):
		region = who.network.Region.Text
	}
	if region == "" {
		region = session.DefaultRegion(who.site())
	}
	base := where.endpoint(region, c.LogoutFirst)
	if endpoint := who.network.Signin; endpoint.Set {
		if endpoint.Exposed() {
			return page{}, fmt.Errorf("the sign-in endpoint %s (%s) would get the keys without encryption", endpoint.Text, endpoint.From)
		}
		base = strings.TrimSuffix(endpoint.Text, "/")
	}
	p := page{federation: base + "/federation"}
	if c.LogoutFirst {
		p.logout = base + "/oauth"
	}
	p.destination, err = c.destination(where, region)
	return p, err
}

// open is the URL that the browser gets: signIn itself, or one that ends its
// session and leads on to signIn.
func (p page) open(signIn string) string {
	if p.logout == "" {
		return signIn
	}
	return p.logout + "?" + url.Values{"Action": {"logout"}, "redirect_uri": {signIn}}.Encode()
}

// destination is the page's own URL.
func (c *console) destination(where partition, region string) (string, error) {
	switch {
	case c.Destination != "":
		u, err := where.parse(string(c.Destination), region, c.Region != "")
		if err != nil {
			return "", cli.UsageError("--destination: " + err.Error())
		}
		return u.String(), nil
	case c.Service != "":
		s, err := findService(string(c.Service))
		if err != nil {
			return "", err
		}
		return where.home(s, region), nil
	}
	return where.home(service{path: "console/home"}, region), nil
}

// home is the page of a service.
func (p partition) home(s service, region string) string {
	path, fragment, _ := strings.Cut(s.path, "#")
	u := url.URL{Scheme: "https", Host: region + "." + p.console, Path: "/" + path, RawQuery: "region=" + region, Fragment: fragment}
	switch s.scope {
	case global:
		u.Host, u.RawQuery = p.console, ""
	case hosted:
		u.Host, u.RawQuery = s.name+"."+p.console, ""
	}
	return u.String()
}

// sample is a destination to learn from.
const sample = "lambda/home#/functions"

var (
	isURL  = regexp.MustCompile(`^(?i:https)://`)
	isPath = regexp.MustCompile(`^(/|/?[A-Za-z0-9_-]+([/?].*)?)$`) // which a host is not, for its dots
	isHost = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)

	// ofSession begins a host of a browser with several sessions, each of which
	// has hosts of its own.
	ofSession = regexp.MustCompile(`^[0-9]{12}-[a-z0-9-]+\.`)
)

// quoted are the characters that the console's addresses have and URLs should
// not, as a browser sends them.
var quoted = strings.NewReplacer(`"`, "%22", "<", "%3C", ">", "%3E", "^", "%5E", "`", "%60", "{", "%7B", "|", "%7C", "}", "%7D")

// parse reads a page of the console: its URL, that without https://, or the
// path only. Without https:// it gets what it lacks from region; asked says
// that the user wants no other.
//
// Browsers take odd URLs for others than net/url does, so these are refused,
// and what comes back is made of the parts that were looked at.
// https://url.spec.whatwg.org/#url-parsing
func (p partition) parse(text, region string, asked bool) (*url.URL, error) {
	for _, r := range text {
		if r <= ' ' || r >= 0x7f || r == '\\' {
			return nil, fmt.Errorf("%q has the character %+q, which URLs do not have", text, r)
		}
	}
	front, fragment, _ := strings.Cut(quoted.Replace(text), "#")
	switch {
	case isURL.MatchString(front):
	case isPath.MatchString(front):
		front = "https://" + p.console + "/" + strings.TrimPrefix(front, "/")
	default:
		front = "https://" + front
	}
	u, err := url.Parse(front + "#" + strings.ReplaceAll(fragment, "#", "%23"))
	if err != nil || u.Scheme != "https" || u.User != nil {
		return nil, fmt.Errorf("%q is not a page at %s, such as %s", text, p.console, sample)
	}
	u.Host = ofSession.ReplaceAllString(strings.ToLower(u.Host), "")
	switch {
	case u.Host != p.console && !strings.HasSuffix(u.Host, "."+p.console) || !isHost.MatchString(u.Host):
		return nil, fmt.Errorf("%q is not a page at %s, such as %s", text, p.console, sample)
	case isOdd(u.Path):
		return nil, fmt.Errorf("%q has a path that leads elsewhere", text)
	}
	named := u.Query().Get("region")
	if asked && named != "" && named != region {
		return nil, fmt.Errorf("%q is of region %s, --region is %s", text, named, region)
	}
	if !isURL.MatchString(text) && u.Host == p.console {
		p.complete(u, region, named)
	}
	return u, nil
}

// isOdd tells whether a path, decoded, is one that somebody might resolve:
// browsers take %2e for a dot.
func isOdd(path string) bool {
	return strings.HasPrefix(path, "//") || strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) ||
		slices.ContainsFunc(strings.Split(path, "/"), func(s string) bool { return s == "." || s == ".." })
}

// complete gives a page at the console's own host the region's host, or the
// region that it names itself, as far as it is of a service that has regions.
func (p partition) complete(u *url.URL, region, named string) {
	switch scopeOf(u.Path) {
	case global:
		return
	case hosted:
		first, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
		u.Host = first + "." + p.console
		return
	}
	if p.has(named) {
		region = named
	}
	u.Host = region + "." + p.console
	if named == "" {
		u.RawQuery = strings.TrimSuffix("region="+region+"&"+u.RawQuery, "&")
	}
}
