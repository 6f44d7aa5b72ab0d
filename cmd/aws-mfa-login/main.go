// Aws-mfa-login signs in to an AWS profile with MFA and leaves the session
// where the AWS CLI looks for it.
package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"aws-mfa/shared/cli"
	"aws-mfa/shared/mfa"
	"aws-mfa/shared/profile"
	"aws-mfa/shared/session"
)

const description = `Sign in to an AWS profile: assume its role with an MFA code, and keep the session where the AWS CLI looks for it. A session that is good for at least 15 more minutes is kept.`

type login struct {
	Profiles  []string     `arg:"" optional:"" name:"profile" help:"Profiles of the AWS config files (default: $AWS_PROFILE, $AWS_DEFAULT_PROFILE, else \"default\")."`
	TokenCode *string      `short:"t" placeholder:"NNNNNN" help:"The MFA code; - reads it from standard input. Without: made from a kept seed, else printed by mfa_process, else asked at the terminal."`
	Duration  cli.Duration `placeholder:"1h" help:"How long a new session should last: 90m, 12h, or seconds (default: duration_seconds, else 1h)."`
	Force     bool         `short:"f" help:"Open a new session even if the present one is good."`
	Logout    bool         `help:"End the session locally: remove it from the AWS CLI's cache."`

	SaveSeed   bool   `help:"Keep the TOTP seed of the profile's MFA device, so that codes come by themselves: asked for at the terminal, or read from standard input, as base32 or an otpauth:// URI."`
	SeedStore  string `enum:",keyring,file" default:"" placeholder:"keyring|file" help:"Where --save-seed keeps it: in the system's keyring, or in a file under a passphrase (default: keyring)."`
	ForgetSeed bool   `help:"Forget the seed of the profile's MFA device."`
	cli.Flags
}

func main() { cli.Main("aws-mfa-login", description, &login{}) }

// Validate refuses what makes no sense together.
func (l *login) Validate() error {
	switch {
	case l.SeedStore != "" && !l.SaveSeed:
		return errors.New("--seed-store goes with --save-seed")
	case l.SeedStore == "file" && l.NoInput:
		return errors.New("--seed-store file asks for a passphrase, so it does not go with --no-input")
	case l.SaveSeed && len(l.Profiles) > 1:
		return errors.New("--save-seed: a seed is that of one MFA device, so name one profile")
	case l.alone() > 1, l.alone() == 1 && (l.TokenCode != nil || l.Force || l.Duration != 0):
		return errors.New("--logout, --save-seed and --forget-seed go alone")
	case l.TokenCode != nil && len(l.Profiles) > 1:
		return errors.New("--token-code: a code works once, so it can serve one profile only")
	case l.TokenCode != nil && *l.TokenCode != "-":
		_, err := mfa.Given(*l.TokenCode)
		return err
	}
	return nil
}

// alone counts the flags that do something else than signing in.
func (l *login) alone() (n int) {
	for _, given := range []bool{l.Logout, l.SaveSeed, l.ForgetSeed} {
		if given {
			n++
		}
	}
	return n
}

// Run signs in to each profile in turn, or does what the flags say instead.
func (l *login) Run(ctx context.Context, v *cli.Voice) error {
	set, err := profile.Load(os.LookupEnv)
	if err != nil {
		return err
	}
	if len(l.Profiles) == 0 {
		l.Profiles = []string{set.Current().Text}
	}
	if l.SaveSeed || l.ForgetSeed {
		return l.seeds(ctx, v, set)
	}
	return l.roles(ctx, v, set)
}

// roles signs in or out. Those that cannot work are told before a code is
// spent on another.
func (l *login) roles(ctx context.Context, v *cli.Voice, set *profile.Set) error {
	var roles []*profile.Role
	for _, name := range l.Profiles {
		role, err := cli.Role(v, set, name)
		if err != nil {
			return &cli.ProfileError{Profile: name, Err: err}
		}
		roles = append(roles, role)
	}
	codes, clocks := l.codes(v), cli.NewClocks()
	for _, role := range roles {
		var err error
		if l.Logout {
			err = signOut(v, role)
		} else {
			err = l.signIn(ctx, v, clocks.Of(role.Network), role, codes)
		}
		if err != nil {
			return &cli.ProfileError{Profile: role.Profile, Err: err}
		}
	}
	return nil
}

func (l *login) signIn(ctx context.Context, v *cli.Voice, clock *session.Clock, role *profile.Role, codes mfa.Codes) error {
	s, err := cli.SignIn(ctx, v, role, session.Options{Clock: clock, Codes: codes, Given: l.TokenCode != nil, Duration: time.Duration(l.Duration), Force: l.Force})
	if err != nil {
		return err
	}
	now := clock.Now()
	v.Say("%s is signed in as %s until %s (%s)", role.Profile, s.AssumedRoleARN, cli.Clock(s.Expiration, now), cli.Left(s.Left(now)))
	switch {
	case !s.Opened && l.Duration != 0:
		v.Hint("--duration counts for a new session: add --force")
	case !s.Good(time.Now()) && clock.Ahead() == 0:
		v.Warn("the AWS CLI does not use the last 15 minutes of a session, so it will ask again at once")
	}
	return nil
}

// codes is where the codes come from.
func (l *login) codes(v *cli.Voice) mfa.Codes {
	switch {
	case l.TokenCode == nil:
		return l.Codes(v)
	case *l.TokenCode == "-":
		return mfa.Read(v.Stdin)
	}
	codes, _ := mfa.Given(*l.TokenCode) // Validate has seen the error
	return codes
}

func signOut(v *cli.Voice, role *profile.Role) error {
	dir := cli.Cache()
	_, err := session.Find(role, dir)
	if err := dir.Remove(session.Key(role).Name()); err != nil {
		return err
	}
	if errors.Is(err, fs.ErrNotExist) {
		v.Say("%s was not signed in", role.Profile)
		return nil
	}
	v.Say("%s is signed out here; AWS itself lets the session run until its end", role.Profile)
	return nil
}
