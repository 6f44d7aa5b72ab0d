package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"aws-mfa/cmd/aws-mfa-login/warm"
	"aws-mfa/shared/cache"
	"aws-mfa/shared/cli"
	"aws-mfa/shared/mfa"
	"aws-mfa/shared/profile"
	"aws-mfa/shared/session"
	"aws-mfa/shared/wording"
)

// A target is a profile to sign in to.
type target struct {
	name string // as asked for
	*profile.Login
}

// signIn signs in to the profiles. What cannot work is told before a code is
// spent on another.
func (l *login) signIn(ctx context.Context, v *cli.Voice, set *profile.Set) error {
	var (
		targets []target
		logins  []*profile.Login
		program string
		err     error
	)
	if l.command != nil {
		if program, err = find((*l.command)[0]); err != nil {
			return err
		}
	}
	for _, name := range l.Profiles {
		to, err := cli.Login(v, set, name)
		if err == nil && l.Duration.length != 0 {
			if wrong := to.CheckDuration(l.Duration.length); wrong != nil {
				err = cli.UsageError("--duration: " + wrong.Error())
			}
		}
		if err == nil {
			err = l.prepare(ctx, v, set, target{name, to})
		}
		if err != nil {
			return &cli.ProfileError{Profile: name, Err: err, Asked: l.asked()}
		}
		targets, logins = append(targets, target{name, to}), append(logins, to)
	}
	clocks := cli.NewClocks()
	options := session.Options{
		Store: cli.Store(), Codes: l.codes(v), Given: l.TokenCode != nil,
		Duration: l.Duration.length, Longest: l.Duration.max, Force: l.Force, MFASession: l.MFASession, Teller: v,
	}
	options.Clock = clocks.Of(logins[0].Network)
	together := options.Together(logins)
	for _, to := range targets {
		options.Clock = clocks.Of(to.Network)
		options.MFASession = l.MFASession || together[to.Login]
		s, err := l.open(ctx, v, set, to, options)
		if err == nil {
			err = l.handOn(ctx, v, to, s, program)
		}
		if err != nil {
			return &cli.ProfileError{Profile: to.name, Err: err, Asked: l.asked()}
		}
	}
	return nil
}

// open gets the session and tells of it.
func (l *login) open(ctx context.Context, v *cli.Voice, set *profile.Set, to target, o session.Options) (session.Session, error) {
	var s session.Session
	var err error
	if l.Format == "process" && !l.Force {
		s, err = session.Serve(ctx, to.Login, o, l.UnaskedCodes(v))
	} else {
		s, err = cli.SignIn(ctx, v, to.Login, o)
	}
	if err != nil {
		return s, err
	}
	if !set.ByCurrent() {
		session.Remember(o.Store, to.name, l.fingerprint, to.Login, !v.Advised())
	}
	now := o.Clock.Now()
	if s.Opened || l.command == nil {
		v.Say("%s", warm.SignedIn(to.name, as(s, to.Login), s.Expiration, now))
	}
	switch left := s.Left(now); {
	case !s.Opened && l.Duration != (duration{}):
		v.Hint("--duration counts for a new session: add --force")
	case !to.IsRole() || o.Clock.Ahead() != 0:
	case left < cache.Margin:
		v.Warn("the AWS CLI does not use the last 15 minutes of a session, so it will ask again at once")
	case s.Opened && left < 2*cache.Margin:
		v.Warn("the AWS CLI does not use the last 15 minutes of a session, so it will ask again in %s", wording.Left(left-cache.Margin))
	}
	if lasts := s.Left(now).Round(time.Minute); s.Opened && l.Duration.max && to.IsRole() && lasts > time.Hour {
		v.Hint("to ask for it at once from now on: %s", cli.AWSCommand(fmt.Sprintf("configure set duration_seconds %d", int(lasts.Seconds())), to.Login.Profile))
	}
	return s, nil
}

// as is who one is in the session, as far as it tells.
func as(s session.Session, login *profile.Login) string {
	switch {
	case !login.IsRole():
		return "with " + login.SerialNumber.Text
	case s.AssumedRoleARN == "":
		return "as " + login.RoleARN.Text
	}
	return "as " + s.AssumedRoleARN
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

// prepare does what needs no session, and tells what would hinder handing it
// on, before a code is spent on it.
func (l *login) prepare(ctx context.Context, v *cli.Voice, set *profile.Set, to target) error {
	if l.CredentialsProfile != nil {
		if err := mayCopy(set, *l.CredentialsProfile); err != nil {
			return err
		}
	}
	if l.ProcessProfile != nil {
		return writeProcessProfile(ctx, v, set, *l.ProcessProfile, to.Login)
	}
	return nil
}

// handOn gives the session to those who do not look where it is kept. Program
// is the command's, which does not return where it takes our place.
func (l *login) handOn(ctx context.Context, v *cli.Voice, to target, s session.Session, program string) error {
	if l.CredentialsProfile != nil {
		if err := copySession(ctx, v, *l.CredentialsProfile, to.Login, s.Entry); err != nil {
			return err
		}
	}
	switch {
	case l.Format != "":
		text, err := printed(l.Format, s.Entry)
		if err != nil {
			return err
		}
		_, err = io.WriteString(v.Stdout, text)
		return err
	case l.command != nil:
		return run(ctx, program, *l.command, environmentOf(os.Environ(), s.Entry, to.Network.Region.Text))
	}
	return nil
}
