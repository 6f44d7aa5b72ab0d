package main

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"aws-mfa/shared/cli"
)

// Sources of the hosts are beside partitions.
func TestEachPartitionHasItsHosts(t *testing.T) {
	t.Parallel()
	want := map[string]page{
		"aws":        {destination: "https://us-east-1.console.aws.amazon.com/console/home?region=us-east-1", federation: "https://signin.aws.amazon.com/federation"},
		"aws-cn":     {destination: "https://cn-northwest-1.console.amazonaws.cn/console/home?region=cn-northwest-1", federation: "https://cn-northwest-1.signin.amazonaws.cn/federation"},
		"aws-us-gov": {destination: "https://us-gov-west-1.console.amazonaws-us-gov.com/console/home?region=us-gov-west-1", federation: "https://us-gov-west-1.signin.amazonaws-us-gov.com/federation"},
		"aws-eusc":   {destination: "https://eusc-de-east-1.console.amazonaws-eusc.eu/console/home?region=eusc-de-east-1", federation: "https://eusc-de-east-1.signin.amazonaws-eusc.eu/federation"},
		"aws-iso":    {destination: "https://us-iso-east-1.console.c2shome.ic.gov/console/home?region=us-iso-east-1", federation: "https://us-iso-east-1.signin.c2shome.ic.gov/federation"},
		"aws-iso-b":  {destination: "https://us-isob-east-1.console.sc2shome.sgov.gov/console/home?region=us-isob-east-1", federation: "https://us-isob-east-1.signin.sc2shome.sgov.gov/federation"},
		"aws-iso-e":  {destination: "https://eu-isoe-west-1.console.csphome.adc-e.uk/console/home?region=eu-isoe-west-1", federation: "https://eu-isoe-west-1.signin.csphome.adc-e.uk/federation"},
		"aws-iso-f":  {destination: "https://us-isof-south-1.console.csphome.hci.ic.gov/console/home?region=us-isof-south-1", federation: "https://us-isof-south-1.signin.csphome.hci.ic.gov/federation"},
	}
	for name := range partitions {
		if _, ok := want[name]; !ok {
			t.Errorf("partition %s is not tested", name)
		}
	}
	for name, want := range want {
		got, err := (&console{}).page(in(name))
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v\nwant %+v", name, got, err, want)
		}
		// The region that is set for another partition does not lead there.
		elsewhere := in(name)
		elsewhere.network.Region = set("ap-southeast-2")
		if name == "aws" {
			elsewhere.network.Region = set("us-gov-east-1")
		}
		if got, err := (&console{}).page(elsewhere); err != nil || got != want {
			t.Errorf("%s, region of another partition set: got %+v, %v\nwant %+v", name, got, err, want)
		}
	}
	for _, arn := range []string{"", "nonsense", "arn:aws-moon:sts::123456789012:assumed-role/Admin/jane"} {
		if got, err := (&console{}).page(bearer{arn: arn}); err == nil {
			t.Errorf("%q: got %+v", arn, got)
		}
	}
}

func TestRegions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ partition, flag, profile, want string }{
		{"aws", "", "eu-central-1", "eu-central-1"},
		{"aws", "ap-south-1", "eu-central-1", "ap-south-1"},
		{"aws", "us-east-1", "", "us-east-1"},
		{"aws", "ap-future-9", "", "ap-future-9"},
		{"aws-cn", "cn-north-1", "", "cn-north-1"},
		{"aws-cn", "", "cn-north-1", "cn-north-1"},
		{"aws-us-gov", "us-gov-east-1", "us-gov-west-1", "us-gov-east-1"},
		{"aws", "us-gov-west-1", "", ""},
		{"aws", "cn-north-1", "", ""},
		{"aws", "eusc-de-east-1", "", ""},
		{"aws", "us-isob-east-1", "", ""},
		{"aws-cn", "us-east-1", "", ""},
		{"aws-iso", "us-isob-east-1", "", ""},
		{"aws", "evil.example/", "", ""},
		{"aws", "evil.example#", "", ""},
		{"aws", "a b", "", ""},
		{"aws", "EU-WEST-1", "", ""},
		{"aws", "é", "", ""},
		{"aws-us-gov", "us-gov-x.evil.example/", "", ""},
	} {
		who := in(c.partition)
		if c.profile != "" {
			who.network.Region = set(c.profile)
		}
		got, err := (&console{Region: filled(c.flag)}).page(who)
		var misused cli.UsageError
		switch {
		case c.want == "":
			if !errors.As(err, &misused) || !strings.Contains(err.Error(), "--region") {
				t.Errorf("%+v: got %+v, %v, want misuse", c, got, err)
			}
		case err != nil || !strings.HasPrefix(got.destination, "https://"+c.want+".console.") || !strings.HasSuffix(got.destination, "?region="+c.want):
			t.Errorf("%+v: got %+v, %v", c, got, err)
		}
		if host := "https://" + c.want + ".signin."; c.want == "us-east-1" && got.federation != "https://signin.aws.amazon.com/federation" ||
			c.want != "us-east-1" && c.want != "" && !strings.HasPrefix(got.federation, host) {
			t.Errorf("%+v: got %s", c, got.federation)
		}
	}
}

// The sign-in endpoint sends the browser, signed in, to the destination.
func TestDestinationsAreOfThePartitionsConsole(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ partition, text, want string }{
		{"aws", "https://console.aws.amazon.com/", ""},
		{"aws", "https://console.aws.amazon.com", ""},
		{"aws", "https://eu-west-1.console.aws.amazon.com/s3/home?region=eu-west-1#/buckets", ""},
		{"aws", "https://s3.console.aws.amazon.com/s3/buckets/b?prefix=a//b/", ""},
		{"aws", "https://health.console.aws.amazon.com/health/home#/account/dashboard/open-issues", ""},
		{"aws", "https://console.aws.amazon.com/a%2Fb?redirect=https%3A%2F%2Fevil.example", ""},
		{"aws", "https://eu-west-1.console.aws.amazon.com/wafv2/homev2/web-acls?region=global", ""},
		{"aws", "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Faws$252Flambda$252Ff/log-events$3Fstart$3D-3600000", ""},
		{"aws", "https://eu-west-1.console.aws.amazon.com/cloudwatch/home#metricsV2:graph=~(metrics~(~(~'AWS*2fEC2~'CPU))~period~300)", ""},
		{"aws-cn", "https://console.amazonaws.cn/", ""},
		{"aws-cn", "https://cn-north-1.console.amazonaws.cn/ec2", ""},
		{"aws-us-gov", "https://console.amazonaws-us-gov.com/", ""},
		{"aws-eusc", "https://eusc-de-east-1.console.amazonaws-eusc.eu/", ""},

		// As browsers read them.
		{"aws", "HTTPS://Console.AWS.Amazon.com/EC2", "https://console.aws.amazon.com/EC2"},
		{"aws", "https://console.aws.amazon.com/billing/home#/budgets#/home", "https://console.aws.amazon.com/billing/home#/budgets%23/home"},
		{"aws", "https://console.aws.amazon.com/x#a%2Fb#c", "https://console.aws.amazon.com/x#a%2Fb%23c"},
		{"aws", `https://console.aws.amazon.com/x%2Fy/{z}?a="b"#x%2Fy|<z>`, "https://console.aws.amazon.com/x%2Fy/%7Bz%7D?a=%22b%22#x%2Fy%7C%3Cz%3E"},
		{"aws", "https://console.aws.amazon.com/ec2#", "https://console.aws.amazon.com/ec2"},

		// Of another of the browser's sessions.
		{"aws", "https://123456789012-abcdefgh.us-east-1.console.aws.amazon.com/ec2/v2/home", "https://us-east-1.console.aws.amazon.com/ec2/v2/home"},
		{"aws", "https://123456789012-abc123.console.aws.amazon.com/iam/home", "https://console.aws.amazon.com/iam/home"},
		{"aws", "123456789012-abc123.us-east-1.console.aws.amazon.com/ec2/home", "https://us-east-1.console.aws.amazon.com/ec2/home"},

		// What lacks a host, or a region, gets the one of the profile.
		{"aws", "lambda/home", "https://eu-west-1.console.aws.amazon.com/lambda/home?region=eu-west-1"},
		{"aws", "/s3/buckets/b", "https://eu-west-1.console.aws.amazon.com/s3/buckets/b?region=eu-west-1"},
		{"aws", "lambda", "https://eu-west-1.console.aws.amazon.com/lambda?region=eu-west-1"},
		{"aws", "lambda#/functions", "https://eu-west-1.console.aws.amazon.com/lambda?region=eu-west-1#/functions"},
		{"aws", "/", "https://eu-west-1.console.aws.amazon.com/?region=eu-west-1"},
		{"aws", "s3/buckets?bucketType=general&next=a:b", "https://eu-west-1.console.aws.amazon.com/s3/buckets?region=eu-west-1&bucketType=general&next=a:b"},
		{"aws", "console.aws.amazon.com/ec2", "https://eu-west-1.console.aws.amazon.com/ec2?region=eu-west-1"},
		{"aws", "console.aws.amazon.com", "https://eu-west-1.console.aws.amazon.com?region=eu-west-1"},
		{"aws", "lambda/home?region=eu-west-1#/functions/x", "https://eu-west-1.console.aws.amazon.com/lambda/home?region=eu-west-1#/functions/x"},
		{"aws", "lambda/home?region=us-west-2#/functions/x", "https://us-west-2.console.aws.amazon.com/lambda/home?region=us-west-2#/functions/x"},
		{"aws", "wafv2/homev2/web-acls?region=global", "https://eu-west-1.console.aws.amazon.com/wafv2/homev2/web-acls?region=global"},
		{"aws", "us-east-1.console.aws.amazon.com/ec2/home", "https://us-east-1.console.aws.amazon.com/ec2/home"},
		{"aws-cn", "ec2/home", "https://cn-northwest-1.console.amazonaws.cn/ec2/home?region=cn-northwest-1"},

		// But not where the service has none.
		{"aws", "iam/home#/users", "https://console.aws.amazon.com/iam/home#/users"},
		{"aws", "console.aws.amazon.com/iam/home", "https://console.aws.amazon.com/iam/home"},
		{"aws", "/health/home", "https://health.console.aws.amazon.com/health/home"},
	} {
		want := c.want
		if want == "" {
			want = c.text
		}
		who := in(c.partition)
		who.network.Region = set("eu-west-1")
		got, err := (&console{Destination: filled(c.text)}).page(who)
		if err != nil || got.destination != want {
			t.Errorf("%s: got %q, %v, want %q", c.text, got.destination, err, want)
		}
	}
	for _, c := range refusedDestinations {
		got, err := (&console{Destination: filled(c.text)}).page(in(c.partition))
		var misused cli.UsageError
		if !errors.As(err, &misused) || !strings.HasPrefix(err.Error(), "--destination: ") || strings.ContainsAny(err.Error(), "\x00\x1b\r\n") {
			t.Errorf("%q in %s: got %q, %v, want misuse", c.text, c.partition, got.destination, err)
		}
	}
}

var refusedDestinations = []struct{ partition, text string }{
	{"aws", "https://console.aws.amazon.com.evil.example/"},
	{"aws", "https://evilconsole.aws.amazon.com/"},
	{"aws", "https://console-aws.amazon.com/"},
	{"aws", "https://aws.amazon.com/"},
	{"aws", "https://evil.example/console.aws.amazon.com"},
	{"aws", "https://evil.example/.console.aws.amazon.com"},
	{"aws", "https://evil.example?.console.aws.amazon.com"},
	{"aws", "https://evil.example#.console.aws.amazon.com"},
	{"aws", "https://evil.example\\.console.aws.amazon.com/"},
	{"aws", "https://evil.example\\@console.aws.amazon.com/"},
	{"aws", "https://console.aws.amazon.com\\@evil.example/"},
	{"aws", "https://console.aws.amazon.com@evil.example/"},
	{"aws", "https://user@console.aws.amazon.com/"},
	{"aws", "https://user:word@console.aws.amazon.com/"},
	{"aws", "https://console.aws.amazon.com:8443/"},
	{"aws", "https://console.aws.amazon.com:443/"},
	{"aws", "https://console.aws.amazon.com:/"},
	{"aws", "https://evil.example%2f.console.aws.amazon.com/"},
	{"aws", "https://evil.example%23.console.aws.amazon.com/"},
	{"aws", "https://evil.example%00.console.aws.amazon.com/"},
	{"aws", "http://console.aws.amazon.com/"},
	{"aws", "ftp://console.aws.amazon.com/"},
	{"aws", "javascript://console.aws.amazon.com/%0aalert(1)"},
	{"aws", "//console.aws.amazon.com/"},
	{"aws", "///console.aws.amazon.com/"},
	{"aws", "https:console.aws.amazon.com/"},
	{"aws", "https:/console.aws.amazon.com/"},
	{"aws", "https:///console.aws.amazon.com/"},
	{"aws", " https://console.aws.amazon.com/"},
	{"aws", "https://console.aws.amazon.com/\r\nSet-Cookie: x=y"},
	{"aws", "https://console.aws.amazon.com/\x1b[31m"},
	{"aws", "https://console.aws.amazon.com/\u009b31m"},
	{"aws", "https://console.aws.amazon.com/\x00"},
	{"aws", "https://console.amazonaws.cn/"},
	{"aws", "https://console.amazonaws-us-gov.com/"},
	{"aws-cn", "https://console.aws.amazon.com/"},
	{"aws-us-gov", "https://us-gov-west-1.console.aws.amazon.com/"},
	{"aws-iso", "https://console.sc2shome.sgov.gov/"},
	{"aws", "https://console.aws.amazon.com./"},
	{"aws", "https://eu-west-1..console.aws.amazon.com/"},
	{"aws", "https://.console.aws.amazon.com/"},
	{"aws", "https://-.console.aws.amazon.com/"},
	{"aws", "https://*.console.aws.amazon.com/"},
	{"aws", "https://a_b.console.aws.amazon.com/"},
	{"aws", "https://123456789012-abc123.console.aws.amazon.com.evil.example/"},
	{"aws", "https://123456789012-abc123.evil.example/"},
	{"aws", "https://console.aws.amaz%6fn.com/"},
	{"aws", "https://console%2eaws.amazon.com/"},
	{"aws", "https://console.aws.amazon.com%2eevil.example/"},
	{"aws", "https://console.aws.amazon.com%40evil.example/"},
	{"aws", "https://c\u043fnsole.aws.amazon.com/"},
	{"aws", "https://con\u017fole.aws.amazon.com/"},              // U+017F is an s in lower case
	{"aws", "https://console\u3002aws.amazon.com/"},              // a full stop, to browsers
	{"aws", "https://console.aws.amazon.com\uff0fevil.example/"}, // a slash, to some
	{"aws", "https://console.\u00adaws.amazon.com/"},
	{"aws", "https://xn--consle-wta.aws.amazon.com/"},
	{"aws", "https://[::1]/"},
	{"aws", "https://[::ffff:console.aws.amazon.com]/"},
	{"aws", "https://127.0.0.1/"},
	{"aws", "https://aws.amazon.com/console.aws.amazon.com"},
	{"aws", "https://signin.aws.amazon.com/"},
	{"aws", "https://lightsail.aws.amazon.com/"},
	{"aws", "https://\tconsole.aws.amazon.com/"},
	{"aws", "ht\ntps://console.aws.amazon.com/"},
	{"aws", "https:\\\\console.aws.amazon.com\\"},
	{"aws", "https:evil.example"},
	{"aws", "https:/evil.example"},
	{"aws", "https:////evil.example"},
	{"aws", "https:///evil.example/console.aws.amazon.com"},
	{"aws", "//evil.example"},
	{"aws", "///evil.example"},
	{"aws", "/\\evil.example"},
	{"aws", "\\\\evil.example"},
	{"aws", "/%5cevil.example"},
	{"aws", "/%2fevil.example"},
	{"aws", "/%2Fevil.example"},
	{"aws", "/.//evil.example"},
	{"aws", "evil.example"},
	{"aws", "evil.example/console.aws.amazon.com"},
	{"aws", "console.aws.amazon.com:443/ec2"},
	{"aws", "console.aws.amazon.com@evil.example/"},
	{"aws", "user@console.aws.amazon.com/"},
	{"aws", "javascript:alert(1)"},
	{"aws", "data:text/html,x"},
	{"aws", "view-source:https://console.aws.amazon.com/"},
	{"aws", "lambda:x"},
	{"aws", "."},
	{"aws", ".."},
	{"aws", "../x"},
	{"aws", "lambda/../../x"},
	{"aws", "lambda/./x"},
	{"aws", "lambda/%2e%2e/x"},
	{"aws", "lambda/.%2E/x"},
	{"aws", "lambda/%2e"},
	{"aws", "%2e%2e/x"},
	{"aws", "%6cambda"},
	{"aws", "https://console.aws.amazon.com/%2e%2e/x"},
	{"aws", "https://console.aws.amazon.com//evil.example"},
	{"aws", "https://console.aws.amazon.com/%00"},
	{"aws", "https://console.aws.amazon.com/a%0d%0ab"},
	{"aws", "https://console.aws.amazon.com/%zz"},
	{"aws", "https://console.aws.amazon.com/%"},
	{"aws", "lambda/home#%zz"},
	{"aws", "lambda home"},
	{"aws", "?x=y"},
	{"aws", "#x"},
	{"aws", ":"},
	{"aws", "@"},
	{"aws-cn", "console.aws.amazon.com/ec2"},
}

// A page that names its region is not another one's.
func TestTheRegionOfADestination(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, region, want string }{
		{"lambda/home", "us-west-2", "https://us-west-2.console.aws.amazon.com/lambda/home?region=us-west-2"},
		{"lambda/home?region=us-west-2", "us-west-2", "https://us-west-2.console.aws.amazon.com/lambda/home?region=us-west-2"},
		{"lambda/home?region=eu-west-1", "us-west-2", ""},
		{"https://eu-west-1.console.aws.amazon.com/lambda/home?region=eu-west-1", "us-west-2", ""},
		{"https://eu-west-1.console.aws.amazon.com/lambda/home", "us-west-2", "https://eu-west-1.console.aws.amazon.com/lambda/home"},
		{"iam/home", "us-west-2", "https://console.aws.amazon.com/iam/home"},
	} {
		got, err := (&console{Destination: filled(c.text), Region: filled(c.region)}).page(in("aws"))
		var misused cli.UsageError
		if c.want == "" {
			if !errors.As(err, &misused) || !strings.Contains(err.Error(), "--region is us-west-2") {
				t.Errorf("%+v: got %q, %v, want misuse", c, got.destination, err)
			}
		} else if err != nil || got.destination != c.want {
			t.Errorf("%+v: got %q, %v", c, got.destination, err)
		}
	}
}

// Whatever is accepted is a page at the partition's console, for net/url as
// for a browser: a host of plain letters, no user, no port, nothing to decode
// in another way, and the same again when it is read again.
func FuzzDestination(f *testing.F) {
	for _, c := range refusedDestinations {
		f.Add(c.partition, c.text)
	}
	for _, text := range []string{"lambda/home?region=eu-west-1#/functions/x", "/s3/buckets/b", "console.aws.amazon.com/ec2", "https://123456789012-abc123.eu-west-1.console.aws.amazon.com/a%2Fb?c=d#e%2Ff{g}#h"} {
		f.Add("aws", text)
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		where, ok := partitions[name]
		if !ok {
			return
		}
		u, err := where.parse(text, "xx-none-1", false)
		if err != nil {
			return
		}
		got := u.String()
		if i := strings.IndexFunc(got, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("\\\"<>^`{|}", r) }); i >= 0 {
			t.Errorf("%q became %q, which is no URL at %d", text, got, i)
		}
		host, ok := strings.CutPrefix(got, "https://")
		host = host[:len(host)-len(strings.TrimLeft(host, "abcdefghijklmnopqrstuvwxyz0123456789-."))]
		rest := strings.TrimPrefix(got, "https://"+host)
		if !ok || host != where.console && !strings.HasSuffix(host, "."+where.console) || strings.Contains("."+host+".", "..") || rest != "" && !strings.ContainsAny(rest[:1], "/?#") {
			t.Errorf("%q became %q, of host %q", text, got, host)
		}
		again, err := url.Parse(got)
		if err != nil || again.Scheme != "https" || again.Host != host || again.User != nil || again.Port() != "" || isOdd(again.Path) {
			t.Errorf("%q became %q, which is read as %+v, %v", text, got, again, err)
		}
		if u, err := where.parse(got, "xx-none-1", false); err != nil || u.String() != got {
			t.Errorf("%q became %q, and that became %q, %v", text, got, u, err)
		}
	})
}

// The token of a page is redeemed at the host that issued it, so all of its
// URLs are of one host.
func TestALogoutLeadsOnToTheSignIn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ partition, region, endpoint, want string }{
		{"aws", "", "", "https://us-east-1.signin.aws.amazon.com"},
		{"aws", "eu-west-1", "", "https://us-east-1.signin.aws.amazon.com"},
		{"aws", "us-east-1", "", "https://us-east-1.signin.aws.amazon.com"},
		{"aws-cn", "", "", "https://cn-northwest-1.signin.amazonaws.cn"},
		{"aws-cn", "cn-north-1", "", "https://cn-north-1.signin.amazonaws.cn"},
		{"aws-us-gov", "", "", "https://us-gov-west-1.signin.amazonaws-us-gov.com"},
		{"aws-eusc", "", "", "https://eusc-de-east-1.signin.amazonaws-eusc.eu"},
		{"aws", "eu-west-1", "http://127.0.0.1:4566/", "http://127.0.0.1:4566"},
	} {
		who := in(c.partition)
		if c.endpoint != "" {
			who.network.Signin = set(c.endpoint)
		}
		got, err := (&console{Region: filled(c.region), LogoutFirst: true}).page(who)
		if err != nil || got.federation != c.want+"/federation" || got.logout != c.want+"/oauth" {
			t.Errorf("%+v: got %+v, %v", c, got, err)
		}
		if c.region != "" && !strings.HasPrefix(got.destination, "https://"+c.region+".console.") {
			t.Errorf("%+v: got %s", c, got.destination)
		}
		signIn := got.federation + "?" + url.Values{"Action": {"login"}, "Destination": {got.destination + "&x=y#z"}, "SigninToken": {"a+b/c=&d"}}.Encode()
		outer, err := url.Parse(got.open(signIn))
		if err != nil || len(outer.Query()) != 2 || outer.Query().Get("Action") != "logout" || outer.Query().Get("redirect_uri") != signIn || outer.Fragment != "" {
			t.Errorf("%+v: got %v, %v", c, outer, err)
		}
		if plain := (page{federation: got.federation}).open(signIn); plain != signIn {
			t.Errorf("without a logout: got %s", plain)
		}
	}
}

// It gets the secret key itself.
func TestTheSignInEndpointIsEncryptedOrLocal(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string]string{
		"https://signin.example":        "https://signin.example/federation",
		"https://signin.example:8443/":  "https://signin.example:8443/federation",
		"https://signin.example/x":      "https://signin.example/x/federation",
		"http://127.0.0.1:8080":         "http://127.0.0.1:8080/federation",
		"http://127.8.9.10/":            "http://127.8.9.10/federation",
		"http://[::1]:8080":             "http://[::1]:8080/federation",
		"http://localhost:4566":         "http://localhost:4566/federation",
		"http://signin.example":         "",
		"http://localhost.evil.example": "",
		"http://127.0.0.1.evil.example": "",
		"http://127.0.0.1@evil.example": "",
		"http://0.0.0.0":                "",
		"http://10.0.0.1":               "",
		"http://[::]":                   "",
		"http://[::ffff:10.0.0.1]":      "",
		"http://169.254.169.254":        "",
		"http://0x7f000001":             "",
		"http://signin.aws.amazon.com":  "",
	} {
		who := in("aws")
		who.network.Signin = set(endpoint)
		got, err := (&console{}).page(who)
		if want == "" {
			if err == nil || !strings.Contains(err.Error(), "~/.aws/config:7") {
				t.Errorf("%s: got %+v, %v, want a refusal that names the setting", endpoint, got, err)
			}
		} else if err != nil || got.federation != want {
			t.Errorf("%s: got %s, %v, want %s", endpoint, got.federation, err, want)
		}
	}
}
