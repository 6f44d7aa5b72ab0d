package main

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"aws-mfa/shared/cli"
	"aws-mfa/shared/profile"
	"aws-mfa/shared/wording"
)

const (
	// maxSwitched is how long the path and name of a role may be together for
	// the console to switch to it. Source:
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_manage.html
	maxSwitched = 64

	// maxDisplayed is how long a display name may be: with more the console
	// answers 400. https://github.com/tilfinltd/aws-extend-switch-roles/issues/244
	maxDisplayed = 64
)

// An accountAlias is the name of an account that the console takes instead of
// its number. Source:
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccountAlias.html
type accountAlias string

var (
	isAlias   = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	isAccount = regexp.MustCompile(`^[0-9]{12}$`)
)

func (a *accountAlias) UnmarshalText(text []byte) error {
	if s := string(text); len(s) < 3 || len(s) > 63 || !isAlias.MatchString(s) || isAccount.MatchString(s) {
		return fmt.Errorf("%q is not the alias of an account (3 to 63 lower-case letters, digits and single hyphens)", s)
	}
	*a = accountAlias(text)
	return nil
}

// checkFlags refuses flags that say nothing together.
func (c *console) checkFlags() error {
	if c.Print && (c.Browser != "" || c.Container != "" || c.ChromeProfile) {
		return cli.UsageError("--print starts no browser, so it goes without --browser, --container and --chrome-profile")
	}
	if !c.SwitchRole {
		if c.AccountAlias != "" {
			return cli.UsageError("--account-alias goes with --switch-role only")
		}
		return nil
	}
	for _, other := range []struct {
		flag  string
		given bool
	}{
		{"--service", c.Service != ""}, {"--destination", c.Destination != ""}, {"--region", c.Region != ""},
		{"--duration", c.Duration != 0}, {"--logout-first", c.LogoutFirst},
	} {
		if other.given {
			return cli.UsageError("--switch-role and " + other.flag + " can't be used together")
		}
	}
	return nil
}

// switchRole opens or prints the console's page that switches to the role of
// the profile. Whoever is signed in there does the switching: no credentials
// are needed here, and no request is made.
func (c *console) switchRole(ctx context.Context, v *cli.Voice, set *profile.Set) error {
	name := c.Profile
	if name == "" {
		name = set.Current().Text
	}
	link, role, err := c.switchLink(v, set, name)
	if err == nil {
		err = c.show(ctx, v, link, role)
	}
	if err != nil {
		return &cli.ProfileError{Profile: name, Err: err}
	}
	return nil
}

// show opens or prints the page.
func (c *console) show(ctx context.Context, v *cli.Voice, link, role string) error {
	way, err := c.way(role)
	switch {
	case err != nil:
		return err
	case way.print:
		return c.tell(v, link, "")
	}
	if err := openOnce(ctx, link, way, v.Trace); err != nil {
		return err
	}
	v.Say("the console asks whether to switch to %s", role)
	return nil
}

// switchLink is the page's URL, and the ARN of the role.
func (c *console) switchLink(v *cli.Voice, set *profile.Set, name string) (link, role string, err error) {
	p, err := set.Profile(name)
	if err != nil {
		return "", "", err
	}
	if behind, ok := p.Behind(); ok {
		p = behind
	}
	network, err := set.Network(p)
	if err != nil {
		return "", "", err
	}
	named := p.Value("role_arn")
	v.TraceSettings(p.Name, append([]profile.Setting{{Name: "role_arn", Value: named}}, network.Settings...))
	arn, ok := profile.ParseARN(named.Text)
	path, isRole := strings.CutPrefix(arn.Resource, "role/")
	switch {
	case !named.Set:
		return "", "", cli.WithHints(fmt.Errorf("profile %q has no role_arn, so there is no role to switch to", p.Name), roleHints(set)...)
	case !ok || !isRole || arn.Service != "iam" || path == "":
		return "", "", &profile.SettingError{Profile: p.Name, Key: "role_arn", From: named.From, Reason: fmt.Sprintf("%q is not the ARN of a role (arn:aws:iam::ACCOUNT:role/NAME)", named.Text)}
	case len(path) > maxSwitched:
		return "", "", fmt.Errorf("the console switches to roles whose path and name have %d characters at most: %s has %d", maxSwitched, path, len(path))
	}
	where, _, err := partitionOf(named.Text)
	if err != nil {
		return "", "", err
	}
	base := "https://" + where.signin
	if network.Signin.Set {
		base = strings.TrimSuffix(network.Signin.Text, "/")
	}
	fields := url.Values{"account": {arn.Account}, "roleName": {path}, "displayName": {displayName(name)}}
	if c.AccountAlias != "" {
		fields.Set("account", string(c.AccountAlias))
	}
	return base + "/switchrole?" + strings.ReplaceAll(fields.Encode(), "+", "%20"), named.Text, nil
}

// displayName is what the console calls the role from then on.
func displayName(profile string) string {
	runes := []rune(wording.Printable(profile))
	return string(runes[:min(len(runes), maxDisplayed)])
}

// roleHints names profiles that have a role.
func roleHints(set *profile.Set) (out []string) {
	for _, name := range set.Roles() {
		out = append(out, cli.ConsoleCommand(name, "--switch-role"))
	}
	return out
}
