// Package session knows a profile's temporary credentials: it finds the
// session that is still good, opens a new one with AWS STS, and tells what
// AWS's refusals mean.
//
// It keeps AWS's time, and offers AWS no MFA code twice. It hides the AWS SDK: no
// SDK client is built and no connection opened before a request has to be made.
package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"aws-mfa/shared/cache"
	"aws-mfa/shared/mfa"
	"aws-mfa/shared/profile"
)

// A Session is temporary credentials for a role, or for a user who gave an MFA
// code.
type Session struct {
	cache.Entry
	Opened bool               // now, with AWS; else it was there
	Origin Origin             // of a role's session
	Healed *cache.BrokenError // the entry that was there and could not be used, if so
}

// Options say how to open a session.
type Options struct {
	Store
	Clock      *Clock
	Codes      mfa.Codes
	Duration   time.Duration // 0: what the profile says, else AWS's default
	Longest    bool          // the longest that AWS grants, instead of Duration
	Force      bool          // open a new session though the present one is good
	MFASession bool          // open the MFA session of the source first, where that serves
	Given      bool          // Codes has a code at hand, which does not wait long for others
	Teller     Teller

	renews bool // there is a session that is still good
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

// Open returns a session for the login that is good for at least cache.Margin:
// the present one, else a new one, kept where others look for it. So are the
// sessions that it is opened from. The code is asked for last, when nothing
// else that can be known is in the way.
//
// Of many processes that need the session at once, one opens it, and the
// others wait and use that one. Errors: *RefusedError, *NetworkError,
// *SourceError, *SSOError, *BusyError, *SharedError, those of o.Codes and of
// the cache.
func Open(ctx context.Context, login *profile.Login, o Options) (Session, error) {
	s := Session{}
	login = o.first(login)
	dir, name := o.place(login)
	present, err := dir.Read(name)
	switch {
	case errors.As(err, &s.Healed):
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return Session{}, err
	case !o.Force && o.serves(present, login):
		o.Teller.Trace("session of %s: found in %s", login.Profile, dir.Path(name))
		return Session{Entry: present, Origin: o.origin(name, present)}, nil
	}
	if ctx.Err() != nil {
		return Session{}, context.Cause(ctx)
	}
	// Before the lock: the roles of two chains may be each other's sources.
	from, err := o.through(ctx, o.via(login), false)
	if err != nil {
		return Session{}, err
	}
	unlock, since, unlocked := o.lock(ctx, login.Profile, name)
	if unlock == nil {
		return Session{}, unlocked
	}
	defer unlock()
	if latest, err := dir.Read(name); err == nil && latest.AccessKeyID != present.AccessKeyID && o.takes(latest) {
		o.Teller.Trace("session of %s: opened meanwhile, found in %s", login.Profile, dir.Path(name))
		return Session{Entry: latest, Origin: o.origin(name, latest)}, nil
	}
	if failure := o.Memory.Failure(name); !o.Given && !since.IsZero() && failure.At.After(since) && failure.For == o.wish(login) {
		return Session{}, &SharedError{failure.Text}
	}
	if err := dir.Check(name); err != nil {
		return Session{}, fmt.Errorf("a session could not be kept: %w", err)
	}
	if unlocked != nil {
		o.Teller.Warn("other processes may sign in at the same time: %v", unlocked)
	}
	if s.Entry, s.Origin, err = o.open(ctx, login, from); err != nil {
		if !o.Given && shared(err) {
			_ = o.Memory.KeepFailure(name, cache.Failure{Text: told(err), For: o.wish(login), At: time.Now()})
		}
		return Session{}, err
	}
	_ = o.Memory.KeepFailure(name, cache.Failure{})
	s.Opened = true
	if err := dir.Write(name, s.Entry); err != nil {
		return s, fmt.Errorf("signed in, but the session cannot be kept: %w", err)
	}
	o.Teller.Trace("session of %s: written to %s", login.Profile, dir.Path(name))
	o.remember(name, s)
	return s, nil
}

// serves tells whether the session is good by AWS's clock, which counts, and by
// this computer's, which the AWS CLI goes by; unless that is so far ahead that
// the CLI would find a new session no better.
func (o Options) serves(e cache.Entry, login *profile.Login) bool {
	hopeless := o.Clock.Ahead() > login.Lasts(o.Duration)-cache.Margin
	return e.Good(o.Clock.Now()) && (hopeless || e.Good(time.Now()))
}

// takes tells whether a session that another process has just opened will do,
// however short it was meant to be.
func (o Options) takes(e cache.Entry) bool {
	ownWish := o.Force && (o.Duration != 0 || o.Longest)
	return !ownWish && e.Left(o.Clock.Now()) > 0
}

// How long one sign-in waits for another: typing a code may take its time, but
// one that is at hand does not stay good, and who has a session can do without.
const (
	patience     = 3 * time.Minute
	givenPatient = 5 * time.Second
)

// A BusyError is a session that another process has been opening for too long.
type BusyError struct{ Profile string }

func (e *BusyError) Error() string {
	return fmt.Sprintf("another process has been signing in to %s for %s", e.Profile, profile.Short(patience))
}

// A SharedError is why another process, which this one waited for, could not
// sign in. It would be no other for this one.
type SharedError struct{ Text string }

func (e *SharedError) Error() string {
	return "another process could not sign in: " + e.Text
}

// told is why err came to be, in the words of the process that met it.
func told(err error) string {
	var other *SharedError
	if errors.As(err, &other) {
		return other.Text
	}
	return err.Error()
}

// shared tells whether those who waited would only meet the same: what AWS, the
// network or the person at the terminal said, not what this process lacks.
func shared(err error) bool {
	return errors.As(err, new(*SharedError)) || errors.As(err, new(*RefusedError)) || errors.As(err, new(*NetworkError)) || errors.As(err, new(*mfa.ProcessError)) ||
		errors.As(err, new(*mfa.CodeError)) || errors.As(err, new(*mfa.UsedError)) ||
		errors.Is(err, mfa.ErrEnded) || errors.Is(err, mfa.ErrPassphrase) || errors.Is(err, mfa.ErrNoPassphrase)
}

// wish is a name for all that the success of a sign-in depends on here: others
// may have the same session in mind, and go about it in another way.
func (o Options) wish(login *profile.Login) string {
	hash := sha256.New()
	fmt.Fprintf(hash, "%s %t %t\n", o.Duration, o.Longest, o.MFASession)
	for l := login; l != nil; l = l.Source.Login {
		fmt.Fprintf(hash, "%q %q %q\n", l.Source.Keys.AccessKeyID, l.MFAProcess.Text, l.Source.Process.Text)
		for _, s := range l.Settings() {
			fmt.Fprintf(hash, "%q = %q\n", s.Name, s.Text)
		}
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// lock keeps other processes from opening the same session. since is when it
// began to wait for one, if it did. Where there can be no lock the session is
// worth more: unlock is nil only if there should be none, but err tells why.
func (o Options) lock(ctx context.Context, in, name string) (unlock func(), since time.Time, err error) {
	limit := patience
	if o.Given || o.renews {
		limit = givenPatient
	}
	busy := &BusyError{in}
	limited, cancel := context.WithTimeoutCause(ctx, limit, busy)
	defer cancel()
	unlock, err = o.Memory.Lock(limited, name, func() {
		since = time.Now()
		o.Teller.Say("waiting for another process that is signing in to %s", in)
	})
	switch {
	case err == nil:
		return unlock, since, nil
	case ctx.Err() != nil, err == busy && !o.Given:
		return nil, since, err
	case err == busy:
		o.Teller.Say("not waiting any longer, since the code would not stay good")
		err = nil
	}
	return func() {}, since, err
}

// sessionName names the session in AWS's logs: what the profile says, else the
// MFA device, whose name is that of its user more often than not.
func sessionName(login *profile.Login) string {
	if login.SessionName.Text != "" {
		return login.SessionName.Text
	}
	for l := login; l != nil; l = l.Source.Login {
		serial := l.SerialNumber.Text
		if serial == "" && l.Source.MFA != nil {
			serial = l.Source.MFA.SerialNumber.Text
		}
		if name := serial[strings.LastIndexAny(serial, "/:")+1:]; len(name) >= 2 && len(name) <= 64 {
			return name
		}
	}
	return "aws-mfa"
}
