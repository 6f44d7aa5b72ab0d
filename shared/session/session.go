// Package session knows a profile's temporary credentials: it finds the
// session that is still good, opens a new one with AWS STS, and tells what
// AWS's refusals mean.
//
// It keeps AWS's time, and offers AWS no MFA code twice. It hides the AWS SDK: no
// SDK client is built and no connection opened before a request has to be made.
package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"aws-mfa/shared/cache"
	"aws-mfa/shared/mfa"
	"aws-mfa/shared/profile"
)

// A Session is temporary credentials for a role.
type Session struct {
	cache.Entry
	Opened bool               // now, with AWS; else it was there
	Healed *cache.BrokenError // the entry that was there and could not be used, if so
}

// Options say how to open a session.
type Options struct {
	Cache    cache.Dir
	Memory   cache.Memory
	Clock    *Clock
	Codes    mfa.Codes
	Duration time.Duration // 0: what the role says, else AWS's default (1 h)
	Force    bool          // open a new session though the present one is good
	Teller   Teller
}

// A Teller is told what happens, in words without secrets.
type Teller interface {
	Say(format string, args ...any)
	Warn(format string, args ...any)  // of what did not stop us
	Trace(format string, args ...any) // for those who want to know all
}

// A Trace is told what is done, in words without secrets. It may be nil.
type Trace func(format string, args ...any)

func (t Trace) say(format string, args ...any) {
	if t != nil {
		t(format, args...)
	}
}

// A ChainError is a role whose source is itself a role.
type ChainError struct{ Profile, Source string }

func (e *ChainError) Error() string {
	return fmt.Sprintf("profile %q takes its keys from profile %q, which is itself a role: such chains are not supported yet", e.Profile, e.Source)
}

// Key is the name under which the AWS CLI caches the role's session.
func Key(role *profile.Role) cache.Key {
	optional := func(v profile.Value) *string {
		if !v.Set {
			return nil
		}
		return &v.Text
	}
	return cache.Key{
		RoleARN:         role.RoleARN.Text,
		RoleSessionName: role.SessionName.Text,
		ExternalID:      optional(role.ExternalID),
		SerialNumber:    optional(role.SerialNumber),
		DurationSeconds: role.Seconds,
	}
}

// Find returns the session that was opened last for the role, by us or by the
// AWS CLI; it may have expired. Errors: fs.ErrNotExist, *cache.BrokenError.
func Find(role *profile.Role, dir cache.Dir) (cache.Entry, error) {
	return dir.Read(Key(role).Name())
}

// Open returns a session for the role that is good for at least cache.Margin:
// the present one, else a new one, kept where the AWS CLI looks. The code is
// asked for last, when nothing else that can be known is in the way.
//
// Of many processes that need the session at once, one opens it, and the
// others wait and use that one. Errors: *RefusedError, *NetworkError,
// *ChainError, *BusyError, those of o.Codes and o.Cache.
func Open(ctx context.Context, role *profile.Role, o Options) (Session, error) {
	s := Session{}
	name := Key(role).Name()
	present, err := o.Cache.Read(name)
	switch {
	case errors.As(err, &s.Healed):
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return Session{}, err
	case o.serves(present) && !o.Force:
		o.Teller.Trace("session of %s: found in %s", role.Profile, o.Cache.Path(name))
		return Session{Entry: present}, nil
	}
	if ctx.Err() != nil {
		return Session{}, context.Cause(ctx)
	}
	if role.Source.Role != nil {
		return Session{}, &ChainError{Profile: role.Profile, Source: role.Source.Profile}
	}
	unlock, err := o.lock(ctx, role.Profile, name)
	if err != nil {
		return Session{}, err
	}
	defer unlock()
	if latest, err := o.Cache.Read(name); err == nil && latest.AccessKeyID != present.AccessKeyID && o.serves(latest) {
		o.Teller.Trace("session of %s: opened meanwhile, found in %s", role.Profile, o.Cache.Path(name))
		return Session{Entry: latest}, nil
	}
	if err := o.Cache.Check(name); err != nil {
		return Session{}, fmt.Errorf("a session could not be kept: %w", err)
	}
	client, err := NewClient(role.Network, role.RoleARN.Text, o.Clock, o.Teller.Trace)
	if err != nil {
		return Session{}, err
	}
	if s.Entry, err = open(ctx, client, role, o); err != nil {
		return Session{}, err
	}
	s.Opened = true
	if err := o.Cache.Write(name, s.Entry); err != nil {
		return s, fmt.Errorf("signed in, but the session cannot be kept: %w", err)
	}
	o.Teller.Trace("session of %s: written to %s", role.Profile, o.Cache.Path(name))
	return s, nil
}

// serves tells whether the session is good by this computer's clock, which the
// AWS CLI goes by, and by AWS's, which counts.
func (o Options) serves(e cache.Entry) bool {
	now := time.Now()
	return e.Good(now) && (o.Clock.Ahead() >= 0 || e.Good(o.Clock.Now()))
}

// patience is how long one sign-in waits for another: typing a code may take
// its time.
const patience = 3 * time.Minute

// A BusyError is a session that another process has been opening for too long.
type BusyError struct{ Profile string }

func (e *BusyError) Error() string {
	return fmt.Sprintf("another process has been signing in to %s for %s", e.Profile, profile.Short(patience))
}

// lock keeps other processes from opening the same session. Where there can be
// no lock the session is worth more.
func (o Options) lock(ctx context.Context, in, name string) (unlock func(), err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, &BusyError{in})
	defer cancel()
	unlock, err = o.Memory.Lock(ctx, name, func() { o.Teller.Say("waiting for another process that is signing in to %s", in) })
	if err == nil || ctx.Err() != nil {
		return unlock, err
	}
	o.Teller.Warn("other processes may sign in at the same time: %v", err)
	return func() {}, nil
}

// sessionName names the session in AWS's logs: what the profile says, else the
// MFA device, whose name is that of its user more often than not.
func sessionName(role *profile.Role) string {
	if role.SessionName.Text != "" {
		return role.SessionName.Text
	}
	serial := role.SerialNumber.Text
	name := serial[strings.LastIndexAny(serial, "/:")+1:]
	if len(name) < 2 || len(name) > 64 {
		return "aws-mfa"
	}
	return name
}
