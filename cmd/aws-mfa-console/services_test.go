package main

import (
	"bytes"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"aws-mfa/shared/cli"
)

func TestServicesHaveTheirPages(t *testing.T) {
	t.Parallel()
	const west, main = "https://eu-west-1.console.aws.amazon.com/", "https://console.aws.amazon.com/"
	for name, want := range map[string]string{
		"s3":              west + "s3/home?region=eu-west-1",
		"S3":              west + "s3/home?region=eu-west-1",
		"cfn":             west + "cloudformation/home?region=eu-west-1",
		"ddb":             west + "dynamodbv2/home?region=eu-west-1",
		"sm":              west + "secretsmanager/home?region=eu-west-1",
		"cw":              west + "cloudwatch/home?region=eu-west-1",
		"ssm":             west + "systems-manager/home?region=eu-west-1",
		"systems-manager": west + "systems-manager/home?region=eu-west-1",
		"StepFunctions":   west + "states/home?region=eu-west-1",
		"step functions":  west + "states/home?region=eu-west-1",
		"logs":            west + "cloudwatch/home?region=eu-west-1#logsV2:log-groups",
		"iam":             main + "iam/home",
		"r53":             main + "route53/v2/home",
		"cloudfront":      main + "cloudfront/v4/home",
		"organizations":   main + "organizations/v2/home",
		"billing":         main + "billing/home",
		"budgets":         main + "billing/home#/budgets",
		"health":          "https://health.console.aws.amazon.com/health/home",
	} {
		got, err := (&console{Service: filled(name), Region: "eu-west-1"}).page(in("aws"))
		if err != nil || got.destination != want {
			t.Errorf("%s: got %s, %v, want %s", name, got.destination, err, want)
		}
	}
	for name, want := range map[string]string{
		"iam": "https://console.amazonaws-us-gov.com/iam/home",
		"ec2": "https://us-gov-west-1.console.amazonaws-us-gov.com/ec2/home?region=us-gov-west-1",
	} {
		if got, err := (&console{Service: filled(name)}).page(in("aws-us-gov")); err != nil || got.destination != want {
			t.Errorf("%s: got %s, %v, want %s", name, got.destination, err, want)
		}
	}
}

func TestANameThatIsNoServiceIsMisuse(t *testing.T) {
	t.Parallel()
	if resembles("xx", "dx") {
		t.Error("two letters, of which one is wrong, are near")
	}
	for name, near := range map[string]string{
		"lamda":      "lambda",
		"lambdas":    "lambda",
		"lmabda":     "lambda",
		"dynamo-db2": "dynamodb",
		"formation":  "cloudformation",
		"ec3":        "ec2",
		"unheard-of": "",
		"../x":       "",
		"s3/buckets": "",
		"s3?x=y":     "",
		"%2e%2e":     "",
		"\x1b[31m":   "",
		"://evil":    "",
		"ſ3":         "", // is s3 in capitals
		".":          "",
		"-":          "",
	} {
		_, err := (&console{Service: filled(name), Region: "eu-west-1"}).page(in("aws"))
		var misused cli.UsageError
		if !errors.As(err, &misused) || !strings.HasPrefix(err.Error(), "--service: ") || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%q: got %v, want misuse", name, err)
		}
		if near == "" {
			continue
		}
		found := false
		for _, s := range services {
			found = found || s.name == near && resembles(plainName(name), plainName(near))
		}
		if !found {
			t.Errorf("%q: does not lead to %s", name, near)
		}
	}
}

// One name is one service, and the paths are such that nothing has to be
// escaped.
func TestTheServicesAreSound(t *testing.T) {
	t.Parallel()
	if len(services) < 80 {
		t.Errorf("got %d", len(services))
	}
	isName, isPath := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`), regexp.MustCompile(`^[a-z0-9-]+(/[A-Za-z0-9-]+)*(#[A-Za-z0-9/:-]+)?$`)
	seen := map[string]string{plainName(allServices): "the list"}
	for _, s := range services {
		if !isPath.MatchString(s.path) {
			t.Errorf("%s: path %s", s.name, s.path)
		}
		for _, name := range s.names() {
			if other, twice := seen[plainName(name)]; twice {
				t.Errorf("%s is %s and %s", name, other, s.name)
			}
			seen[plainName(name)] = s.name
			if !isName.MatchString(name) {
				t.Errorf("%s: name %q", s.name, name)
			}
		}
		for name, where := range partitions {
			home := where.home(s, "xx-none-1")
			u, err := where.parse(home, "xx-none-1", true)
			if err != nil || u.String() != home {
				t.Errorf("%s in %s: %s is no destination: got %v, %v", s.name, name, home, u, err)
			}
			// The path alone is the same page.
			path := strings.TrimPrefix(s.path, "/")
			if u, err := where.parse(path, "xx-none-1", false); err != nil || u.String() != home {
				t.Errorf("%s in %s: %s became %v, %v, want %s", s.name, name, path, u, err, home)
			}
		}
	}
}

// Who changes the one changes the other: aws-mfa-console --service list.
func TestTheDocumentedListIsTheProgramsOwn(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/console-services.md")
	if err != nil {
		t.Fatal(err)
	}
	var list bytes.Buffer
	if err := printServices(&list); err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "\n```\n")
	if got, _, _ := strings.Cut(rest, "```\n"); got != list.String() {
		t.Errorf("docs/console-services.md has\n%s\nwant\n%s", got, list.String())
	}
}
