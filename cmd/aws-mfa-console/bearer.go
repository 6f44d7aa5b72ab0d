package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"aws-mfa/shared/cli"
	"aws-mfa/shared/profile"
	"aws-mfa/shared/session"
)

// A bearer is whom the console is opened as.
type bearer struct {
	profile string         // "": the environment
	login   *profile.Login // of the profile; nil where there are keys of a session instead
	origin  session.Origin // of the session
	arn     string         // of the assumed role
	keys    profile.Keys
	network profile.Network
}

// bearerOf is the role of the profile; or with no name whose the credentials
// in the environment are, if they can open the console; else the current
// profile's.
func bearerOf(ctx context.Context, v *cli.Voice, set *profile.Set, name string) (bearer, error) {
	if name != "" {
		return inProfile(ctx, v, set, name)
	}
	keys, ok, err := set.EnvironmentKeys()
	current := set.Current()
	switch {
	case err != nil:
		return bearer{}, err
	case !ok:
		return inProfile(ctx, v, set, current.Text)
	case keys.Temporary():
		return inEnvironment(ctx, v, set, keys)
	case !current.Set && !hasRole(set, current.Text):
		return bearer{}, refuse(set, "", "has a user's long-term keys")
	}
	b, err := inProfile(ctx, v, set, current.Text)
	if err == nil && !b.from(keys) {
		v.Warn("the long-term keys in the environment (%s) do not open the console: going by profile %q", keys.From.Env, current.Text)
	}
	return b, err
}

// hasRole tells whether the profile leads to a role.
func hasRole(set *profile.Set, name string) bool {
	p, err := set.Profile(name)
	if err != nil {
		return false
	}
	login, err := p.Login()
	return err == nil && login.IsRole()
}

// inProfile is the role that the profile leads to, or whose the keys of a
// session are that stand in it.
func inProfile(ctx context.Context, v *cli.Voice, set *profile.Set, name string) (bearer, error) {
	b := bearer{profile: name}
	p, err := set.Profile(name)
	if err != nil {
		return b, err
	}
	holder := p
	if behind, ok := p.Behind(); ok {
		holder = behind
	}
	if kind := holder.Kind(); kind == profile.StaticKeys || kind == profile.MFASession {
		if b.keys, err = holder.Keys(); err != nil {
			return b, err
		}
		switch {
		case b.keys.Temporary():
		case kind == profile.MFASession:
			return b, refuse(set, holder.Name, "gives a user's MFA session")
		default:
			return b, refuse(set, holder.Name, "has a user's long-term keys")
		}
		if b.network, err = set.Network(p); err != nil {
			return b, err
		}
		return b.identified(ctx, v, set)
	}
	if b.login, err = cli.Login(v, set, name); err != nil {
		return b, err
	}
	b.network = b.login.Network
	return b, nil
}

// inEnvironment is whose the keys of a session in the environment are.
func inEnvironment(ctx context.Context, v *cli.Voice, set *profile.Set, keys profile.Keys) (b bearer, err error) {
	b.keys = keys
	if b.network, err = set.EnvironmentNetwork(); err != nil {
		return b, err
	}
	return b.identified(ctx, v, set)
}

// identified asks AWS whose the keys of the session are, since a user's cannot
// open the console. Of our own MFA sessions that is known.
func (b bearer) identified(ctx context.Context, v *cli.Voice, set *profile.Set) (bearer, error) {
	if isMFASession(b.keys) {
		return b, refuse(set, b.profile, "has the keys of a user's MFA session")
	}
	v.TraceSettings(cmp.Or(b.profile, "environment"), b.network.Settings)
	v.WarnOfExposure(b.network)
	client, err := session.NewClient(b.network, "", cli.NewClocks().Of(b.network), v.Trace)
	if err != nil {
		return b, err
	}
	who, err := client.Identity(ctx, b.keys)
	var refused *session.RefusedError
	switch {
	case errors.As(err, &refused) && refused.Reason == session.ExpiredSession:
		return b, cli.WithHints(err, b.renewal())
	case err != nil:
		return b, err
	case !opens(who.ARN):
		return b, refuse(set, b.profile, "has keys of "+who.ARN)
	}
	b.arn = who.ARN
	return b, nil
}

// opens tells whether AWS opens the console for the session of that identity.
// Source:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html
func opens(arn string) bool {
	a, ok := profile.ParseARN(arn)
	return ok && a.Service == "sts" && (strings.HasPrefix(a.Resource, "assumed-role/") || strings.HasPrefix(a.Resource, "federated-user/"))
}

// isMFASession tells whether the keys are those of an MFA session that
// aws-mfa-login keeps.
func isMFASession(keys profile.Keys) bool {
	sessions := cli.Memory().Sessions()
	for _, name := range sessions.Names() {
		if entry, err := sessions.Read(name); err == nil && entry.AccessKeyID == keys.AccessKeyID {
			return true
		}
	}
	return false
}

// refuse says why the keys of a profile, or of the environment, do not open
// the console, and what does.
func refuse(set *profile.Set, name, why string) error {
	err := fmt.Errorf("%s %s: AWS opens the console with the session of a role only", bearer{profile: name}.place(), why)
	return cli.WithHints(err, cli.ConsoleHints(set, name)...)
}

// from tells whether the session is opened with the keys.
func (b bearer) from(keys profile.Keys) bool {
	last := b.login
	for last != nil && last.Source.Login != nil {
		last = last.Source.Login
	}
	return last != nil && last.Source.Keys.From == keys.From
}

// place is where the bearer is found.
func (b bearer) place() string {
	if b.profile == "" {
		return "the environment"
	}
	return fmt.Sprintf("profile %q", b.profile)
}

// site is an ARN in the partition whose console it is. What the profile says
// comes before what a cached session claims.
func (b bearer) site() string {
	if b.login != nil {
		return b.login.RoleARN.Text
	}
	return b.arn
}

// renewal is how the session is had anew.
func (b bearer) renewal() string {
	if b.login != nil {
		return "with a new session: " + cli.LoginCommand(b.profile, "--force")
	}
	if command, ok := cli.CopyCommand(b.profile, b.keys); ok {
		return "it is a copy of a session: " + command
	}
	return "the keys in " + b.place() + " stay as they are: get new ones where they came from"
}

// again is the command to run once more.
func (b bearer) again() string {
	if b.profile == "" {
		return "aws-mfa-console"
	}
	return cli.ConsoleCommand(b.profile)
}

// warnOfDuration says why the console lasts no longer than the session, and
// what would help.
func (b bearer) warnOfDuration(v *cli.Voice) {
	const only = "AWS takes --duration only for a role assumed with long-term keys"
	if b.origin == session.Indirect {
		v.Warn("%s, and this session was opened with others: going without", only)
	} else {
		v.Warn("%s, and how this session was opened is not known: going without", only)
	}
	switch {
	case b.login == nil:
		v.Hint("it is known of sessions that aws-mfa-login opened for a profile with a role")
	case b.login.Source.Temporary():
	case b.login.Source.MFA == nil, b.login.SerialNumber.Set && !hasMFASession(b.login):
		v.Hint("a new session, with long-term keys: %s", cli.LoginCommand(b.profile, "--force"))
	case b.login.SerialNumber.Set:
		v.Hint("a new session, with long-term keys and not the open MFA session: %s", cli.LoginCommand(b.profile, "--force", "--token-code NNNNNN"))
	}
}

// hasMFASession tells whether the role would be opened from an MFA session.
func hasMFASession(login *profile.Login) bool {
	entry, err := cli.Store().Find(login.Source.MFA)
	return err == nil && entry.Left(time.Now()) > 0
}

func (b bearer) wrap(err error) error {
	if b.profile == "" || errors.As(err, new(cli.UsageError)) {
		return err
	}
	return &cli.ProfileError{Profile: b.profile, Err: err}
}
