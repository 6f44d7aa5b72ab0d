package awstest_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-mfa/shared/awstest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func TestRealHostNamesAnswerThroughTheProxy(t *testing.T) {
	w := start(t)
	for region, partition := range map[string]string{
		"cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov", "eu-central-1": "aws", "us-iso-east-1": "aws-iso", "us-isob-east-1": "aws-iso-b",
		"eu-isoe-west-1": "aws-iso-e", "us-isof-south-1": "aws-iso-f", "eusc-de-east-1": "aws-eusc",
	} {
		user := w.AddUser("arn:" + partition + ":iam::123456789012:user/jane")
		for _, dualStack := range []aws.DualStackEndpointState{aws.DualStackEndpointStateDisabled, aws.DualStackEndpointStateEnabled} {
			client := sts.New(sts.Options{
				Region:          region,
				HTTPClient:      w.browser(),
				Credentials:     credentials.NewStaticCredentialsProvider(user.AccessKeyID, user.SecretAccessKey, ""),
				EndpointOptions: sts.EndpointResolverOptions{UseDualStackEndpoint: dualStack},
			})
			if got, err := identify(t, client); err != nil || got != user.ARN {
				t.Errorf("%s: got %s, %v, want %s", region, got, err, user.ARN)
			}
			if c := w.Calls()[len(w.Calls())-1]; !strings.HasPrefix(c.Host, "sts."+region+".") || c.Region != region {
				t.Errorf("got %+v, want a host of %s", c, region)
			}
		}
	}
	if n := w.Connections(); n < 16 {
		t.Errorf("got %d connections", n)
	}
}

func TestASignatureIsForTheRegionOfItsHost(t *testing.T) {
	w := start(t)
	client := w.asJane(func(o *sts.Options) {
		o.HTTPClient, o.BaseEndpoint = w.browser(), aws.String("https://sts.us-west-2.amazonaws.com")
	})
	_, err := identify(t, client)
	wantRefusal(t, err, "SignatureDoesNotMatch", "Credential should be scoped to a valid region. ")
}

func TestTheLogTellsTheNameGivenToTheProxy(t *testing.T) {
	w := start(t)
	for _, name := range []string{"run-17", ""} {
		browser := w.browser()
		if name != "" {
			proxy, err := url.Parse(w.ProxyURL())
			if err != nil {
				t.Fatal(err)
			}
			proxy.User = url.UserPassword(name, "x")
			browser.Transport.(*http.Transport).Proxy = http.ProxyURL(proxy)
		}
		client := w.asJane(func(o *sts.Options) { o.HTTPClient, o.BaseEndpoint = browser, nil })
		if _, err := identify(t, client); err != nil {
			t.Fatal(err)
		}
		if got := w.Calls()[len(w.Calls())-1].ProxyUser; got != name {
			t.Errorf("got %q, want %q", got, name)
		}
	}
	if _, err := identify(t, w.asJane()); err != nil || w.Calls()[len(w.Calls())-1].ProxyUser != "" {
		t.Errorf("without the proxy: %v, %+v", err, w.Calls())
	}
}

func TestTheProxyRefusesOtherHosts(t *testing.T) {
	w := start(t)
	for _, u := range []string{
		"https://example.com/", "https://sts.amazonaws.com.evil.example/", "https://s3.amazonaws.com/", "https://sts.cn-north-1.amazonaws.com/",
		"https://xsignin.aws.amazon.com/", "https://sts.amazonaws.com:8443/", "https://127.0.0.1/", "http://sts.amazonaws.com/",
		"https://portal.sso.amazonaws.com/", "https://portal.sso.cn-north-1.amazonaws.com/", "https://portal.sts.us-east-1.amazonaws.com/", "https://sso.us-east-1.amazonaws.com/",
	} {
		answer, err := w.browser().Get(u)
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode != http.StatusForbidden {
				t.Errorf("%s: got %s", u, answer.Status)
			}
		}
	}
	if n := w.Count("CONNECT"); n != 12 {
		t.Errorf("%d refused connections are logged, want 12", n)
	}
}

func TestAFaultOfTheHandshakeIsItsOwn(t *testing.T) {
	for kind, want := range map[awstest.FaultKind]string{
		awstest.Expired: "certificate has expired", awstest.OtherHost: "certificate is valid for other.sts.amazonaws.com",
		awstest.Reset: "reset by peer", awstest.Hang: "deadline exceeded",
	} {
		w := start(t)
		w.Fail(awstest.Fault{Action: "TLS", Kind: kind})
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://sts.amazonaws.com/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.browser().Do(request); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", kind, err, want)
		}
		if c := w.Calls()[0]; c.Action != "TLS" || c.Host != "sts.amazonaws.com" || c.Code != kind.String() {
			t.Errorf("%v: got %+v", kind, c)
		}
		if answer, err := w.browser().Get("https://sts.amazonaws.com/"); err != nil {
			t.Errorf("%v: after the fault: %v", kind, err)
		} else {
			answer.Body.Close()
		}
	}
}

func TestTheProxyWantsItsPassword(t *testing.T) {
	w := start(t)
	w.RequireProxyPassword("jane", "pa55")
	for userinfo, want := range map[string]bool{"": false, "jane:wrong@": false, "jane:pa55@": true} {
		proxy, err := url.Parse(strings.Replace(w.ProxyURL(), "://", "://"+userinfo, 1))
		if err != nil {
			t.Fatal(err)
		}
		client := w.browser()
		client.Transport.(*http.Transport).Proxy = http.ProxyURL(proxy)
		answer, err := client.Get("https://sts.amazonaws.com/")
		if err == nil {
			answer.Body.Close()
		}
		if (err == nil) != want || err != nil && !strings.Contains(err.Error(), "Proxy Authentication Required") {
			t.Errorf("%q: got %v", userinfo, err)
		}
	}
	if !slices.Contains(w.Secrets(), "pa55") {
		t.Error("the password is not one of the secrets")
	}
}
