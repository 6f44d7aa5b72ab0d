package session

import (
	"context"
	"time"

	"aws-mfa/shared/cache"
	"aws-mfa/shared/profile"
)

// An opener is the keys that a session is opened with.
type opener struct {
	keys  profile.Keys
	login *profile.Login // whose session they are; nil for others
	found bool           // that session was there already
}

// hasMFA tells whether the keys are those of an MFA session, so that no code
// goes with them.
func (f opener) hasMFA() bool { return f.login != nil && !f.login.IsRole() }

// keys are those of the login's source that is no session of ours.
func (o Options) keys(ctx context.Context, login *profile.Login) (profile.Keys, error) {
	switch source := login.Source; {
	case source.Process.Set:
		return run(ctx, source.Process, processTimeout)
	case source.Provider != "":
		return provided(ctx, source)
	case source.SSO != nil:
		return o.sso(ctx, source, login.Network)
	default:
		return source.Keys, nil
	}
}

// via is the session that the login's is opened with, or nil.
func (o Options) via(login *profile.Login) *profile.Login {
	if login.Source.Login != nil {
		return login.Source.Login
	}
	return o.mfaSession(login)
}

// through opens the session that another is opened with, where need be, and in
// any case if the one there is was refused.
func (o Options) through(ctx context.Context, source *profile.Login, anew bool) (opener, error) {
	if source == nil {
		return opener{}, nil
	}
	o.Duration, o.Longest, o.Force = 0, false, anew
	if !source.IsRole() && !anew {
		if entry, ok := o.stillOpen(source); ok {
			o.Teller.Trace("MFA session of %s: found in %s", source.SerialNumber.Text, o.Path(source))
			return opener{keys: o.keysOf(entry, source), login: source, found: true}, nil
		}
	}
	s, err := Open(ctx, source, o)
	if err != nil {
		return opener{}, err
	}
	if s.Opened && !source.IsRole() {
		o.Teller.Say("the MFA session of %s lasts %s: until then, roles of up to 1h need no other code", source.SerialNumber.Text, profile.Short(source.Lasts(0)))
	}
	return opener{keys: o.keysOf(s.Entry, source), login: source, found: !s.Opened}, nil
}

func (o Options) keysOf(e cache.Entry, l *profile.Login) profile.Keys {
	return profile.Keys{AccessKeyID: e.AccessKeyID, SecretAccessKey: e.SecretAccessKey, SessionToken: e.SessionToken, From: profile.Origin{File: o.Path(l)}}
}

// closing is what an MFA session must last for another to be opened from it:
// that takes a moment, and may take one more.
const closing = time.Minute

func (o Options) stillOpen(l *profile.Login) (cache.Entry, bool) {
	entry, err := o.Find(l)
	return entry, err == nil && entry.Left(o.Clock.Now()) > closing
}

// mfaSession is the MFA session that the login is opened from, or nil: one
// that is open, or is wanted, or without which the login has no code.
func (o Options) mfaSession(login *profile.Login) *profile.Login {
	m := login.Source.MFA
	if m == nil {
		return nil
	}
	_, isOpen := o.stillOpen(m)
	switch {
	case !login.SerialNumber.Set:
		return m
	case !o.MFASession && (o.Given || !isOpen):
		return nil
	case o.tooLong(login):
		o.Teller.Say("%s: a role's session of more than 1h cannot come from an MFA session, so it takes a code of its own", login.Profile)
		return nil
	}
	return m
}

func (o Options) tooLong(login *profile.Login) bool {
	return o.Longest || login.Lasts(o.Duration) > chained
}

// Together tells which of the logins should come from an MFA session for as
// few codes as AWS's rules allow: those of one device, where more than one
// needs it now.
func (o Options) Together(logins []*profile.Login) map[*profile.Login]bool {
	needs := map[string][]*profile.Login{} // by the MFA session
	seen := map[string]bool{}              // two profiles may have one session
	for _, l := range logins {
		entry, err := o.Find(l)
		name := o.Name(l)
		switch m := l.Source.MFA; {
		case seen[name]:
		case err == nil && !o.Force && o.serves(entry, l), o.Given:
		case !l.IsRole():
			needs[name] = append(needs[name], l)
		case m != nil && !o.tooLong(l):
			needs[o.Name(m)] = append(needs[o.Name(m)], l)
		}
		seen[name] = true
	}
	together := map[*profile.Login]bool{}
	for _, group := range needs {
		for _, l := range group {
			together[l] = len(group) > 1
		}
	}
	return together
}
