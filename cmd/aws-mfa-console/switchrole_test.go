package main

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aws-mfa/shared/cli"
	"aws-mfa/shared/profile"
)

// link is the switch-role page of a profile in a config file.
func link(t *testing.T, c *console, config, name string) (string, error) {
	t.Helper()
	home := t.TempDir()
	path := filepath.Join(home, "config")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"HOME": home, "USERPROFILE": home, "AWS_CONFIG_FILE": path}
	files, err := profile.Load(func(variable string) (string, bool) { value, ok := env[variable]; return value, ok })
	if err != nil {
		t.Fatal(err)
	}
	link, _, err := c.switchLink(&cli.Voice{}, files, name)
	return link, err
}

func TestTheSwitchRolePageIsFilledIn(t *testing.T) {
	t.Parallel()
	const config = "[profile %]\nrole_arn = "
	for _, c := range []struct{ name, arn, host, account, role, display string }{
		{"prod", "arn:aws:iam::123456789012:role/Admin", "signin.aws.amazon.com", "123456789012", "Admin", "prod"},
		{"prod", "arn:aws:iam::123456789012:role/eng/front/Admin", "signin.aws.amazon.com", "123456789012", "eng/front/Admin", "prod"},
		{"prod", "arn:aws:iam::123456789012:role/a/A+b=,.@-_", "signin.aws.amazon.com", "123456789012", "a/A+b=,.@-_", "prod"},
		{"a&b=c #d", "arn:aws:iam::123456789012:role/Admin", "signin.aws.amazon.com", "123456789012", "Admin", "a&b=c #d"},
		{"été", "arn:aws:iam::123456789012:role/Admin", "signin.aws.amazon.com", "123456789012", "Admin", "été"},
		{strings.Repeat("é", 65), "arn:aws:iam::123456789012:role/Admin", "signin.aws.amazon.com", "123456789012", "Admin", strings.Repeat("é", 64)},
		{"cn", "arn:aws-cn:iam::123456789012:role/Admin", "signin.amazonaws.cn", "123456789012", "Admin", "cn"},
		{"gov", "arn:aws-us-gov:iam::123456789012:role/Admin", "signin.amazonaws-us-gov.com", "123456789012", "Admin", "gov"},
		{"eusc", "arn:aws-eusc:iam::123456789012:role/Admin", "signin.amazonaws-eusc.eu", "123456789012", "Admin", "eusc"},
		{"long", "arn:aws:iam::123456789012:role/" + strings.Repeat("x", 64), "signin.aws.amazon.com", "123456789012", strings.Repeat("x", 64), "long"},
	} {
		got, err := link(t, &console{}, strings.Replace(config, "%", "'"+c.name+"'", 1)+c.arn+"\n", c.name)
		u, bad := url.Parse(got)
		if err != nil || bad != nil || u.Scheme != "https" || u.Host != c.host || u.Path != "/switchrole" || u.Fragment != "" {
			t.Errorf("%s: got %s, %v", c.arn, got, err)
			continue
		}
		query := u.Query()
		if len(query) != 3 || query.Get("account") != c.account || query.Get("roleName") != c.role || query.Get("displayName") != c.display {
			t.Errorf("%q: got %v, want %+v", c.name, query, c)
		}
	}
}

func TestTheSwitchRolePageOfOddProfiles(t *testing.T) {
	t.Parallel()
	const role = "role_arn = arn:aws:iam::123456789012:role/Admin\n"
	for name, c := range map[string]struct{ config, want string }{
		"no source is needed":        {"[profile p]\n" + role, "https://signin.aws.amazon.com/switchrole?account=123456789012&displayName=p&roleName=Admin"},
		"a source that is not there": {"[profile p]\n" + role + "source_profile = nowhere\n", "https://signin.aws.amazon.com/switchrole?account=123456789012&displayName=p&roleName=Admin"},
		"one that is handed on":      {"[profile p]\ncredential_process = aws-mfa-login q --format process\n[profile q]\n" + role, "https://signin.aws.amazon.com/switchrole?account=123456789012&displayName=p&roleName=Admin"},
		"an endpoint of its own":     {"[profile p]\nendpoint_url = http://localhost:4566/\n" + role, "http://localhost:4566/switchrole?account=123456789012&displayName=p&roleName=Admin"},

		"no role":             {"[profile p]\nregion = eu-west-1\n", `!profile "p" has no role_arn, so there is no role to switch to`},
		"a user":              {"[profile p]\nrole_arn = arn:aws:iam::123456789012:user/jane\n", "!is not the ARN of a role"},
		"an assumed role":     {"[profile p]\nrole_arn = arn:aws:sts::123456789012:assumed-role/Admin/jane\n", "!is not the ARN of a role"},
		"no name":             {"[profile p]\nrole_arn = arn:aws:iam::123456789012:role/\n", "!is not the ARN of a role"},
		"nonsense":            {"[profile p]\nrole_arn = Admin\n", "!is not the ARN of a role"},
		"an unknown place":    {"[profile p]\nrole_arn = arn:aws-moon:iam::123456789012:role/Admin\n", `!the console of partition "aws-moon"`},
		"too long with path":  {"[profile p]\nrole_arn = arn:aws:iam::123456789012:role/eng/" + strings.Repeat("x", 61) + "\n", "!64 characters at most"},
		"a profile not there": {"[profile q]\n" + role, `!"p"`},
	} {
		got, err := link(t, &console{}, c.config, "p")
		if text, wrong := strings.CutPrefix(c.want, "!"); wrong {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: got %s, %v, want %q", name, got, err, text)
			}
		} else if err != nil || got != c.want {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, c.want)
		}
	}
}

func TestAnAccountAliasReplacesTheNumber(t *testing.T) {
	t.Parallel()
	var c console
	if err := c.AccountAlias.UnmarshalText([]byte("my-team1")); err != nil {
		t.Fatal(err)
	}
	got, err := link(t, &c, "[profile p]\nrole_arn = arn:aws:iam::123456789012:role/Admin\n", "p")
	if want := "https://signin.aws.amazon.com/switchrole?account=my-team1&displayName=p&roleName=Admin"; err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	for text, ok := range map[string]bool{
		"abc": true, "a-b": true, "1ab": true, "123": true, strings.Repeat("x", 63): true,
		"ab": false, strings.Repeat("x", 64): false, "a--b": false, "-ab": false, "ab-": false, "Team": false, "my_team": false,
		"my.team": false, "my team": false, "mün": false, "a&b": false, "123456789012": false, "": false, "abc\n": false,
	} {
		var a accountAlias
		if err := a.UnmarshalText([]byte(text)); (err == nil) != ok {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func TestFlagsThatSayNothingTogetherAreMisuse(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]console{
		"--service":       {SwitchRole: true, Service: "s3"},
		"--destination":   {SwitchRole: true, Destination: "/"},
		"--region":        {SwitchRole: true, Region: "eu-west-1"},
		"--duration":      {SwitchRole: true, Duration: 1},
		"--logout-first":  {SwitchRole: true, LogoutFirst: true},
		"--account-alias": {AccountAlias: "team"},
	} {
		var misused cli.UsageError
		if err := c.checkFlags(); !errors.As(err, &misused) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--switch-role") {
			t.Errorf("%s: got %v", want, err)
		}
	}
	for _, c := range []console{{}, {SwitchRole: true, AccountAlias: "team", Print: true}, {Service: "s3", Region: "eu-west-1", LogoutFirst: true, Duration: 1}} {
		if err := c.checkFlags(); err != nil {
			t.Errorf("%+v: got %v", c, err)
		}
	}
}
