package session

import (
	"context"
	"time"

	"aws-mfa/shared/cache"
	"aws-mfa/shared/mfa"
	"aws-mfa/shared/profile"
)

const (
	// Answering is how long Serve takes at most: the Go SDK kills a
	// credential_process after 60 s.
	Answering = 50 * time.Second
	// renewal is how often a session that cannot be renewed is tried: an SDK
	// asks before each request when little is left.
	renewal = time.Minute
)

// Serve returns a session as a credential_process should: the present one as
// long as that is good, and then a new one if codes, which nobody is asked for,
// has one; else the present one until its true end, and only after that a new
// one by o.Codes.
//
// It takes no longer than Answering. Errors: those of Open, and
// context.DeadlineExceeded.
func Serve(ctx context.Context, login *profile.Login, o Options, codes mfa.Codes) (Session, error) {
	present, err := o.Find(login)
	if err == nil && o.serves(present, login) {
		return Session{Entry: present}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, Answering)
	defer cancel()
	if err != nil || present.Left(o.Clock.Now()) <= 0 {
		return Open(ctx, login, o)
	}
	name := "renewal of " + o.Name(login)
	if since := time.Since(o.Memory.Failure(name).At); since.Abs() < renewal {
		return Session{Entry: present}, nil
	}
	asking := o.Codes
	o.Codes = codes
	s, err := Open(ctx, login, o)
	switch {
	case err == nil:
		return s, nil
	case present.Left(o.Clock.Now()) > 0:
		o.Teller.Trace("the present session is handed out, since there is no other: %v", err)
		_ = o.Memory.KeepFailure(name, cache.Failure{Text: err.Error(), At: time.Now()})
		return Session{Entry: present}, nil
	}
	o.Codes = asking
	return Open(ctx, login, o)
}
