package session

import (
	"context"
	"errors"
	"fmt"
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
	// renewing is how long that may take.
	renewing = 20 * time.Second
)

var errNoAnswer = fmt.Errorf("no session within %s", profile.Short(Answering))

// Serve returns a session as a credential_process should: the present one as
// long as that is good, and then a new one if codes, which nobody is asked for,
// has one; else the present one until its true end, and only after that a new
// one by o.Codes.
//
// It takes no longer than Answering, which ends in an error too. Other errors
// are those of Open.
func Serve(ctx context.Context, login *profile.Login, o Options, codes mfa.Codes) (Session, error) {
	present, err := o.Find(login)
	if err == nil && o.serves(present, login) {
		return Session{Entry: present}, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, Answering, errNoAnswer)
	defer cancel()
	if err != nil || present.Left(o.Clock.Now()) <= 0 {
		return Open(ctx, login, o)
	}
	name := "renewal of " + o.Name(login)
	if since := time.Since(o.Memory.Failure(name).At); since.Abs() < renewal {
		return Session{Entry: present}, nil
	}
	s, err := o.renew(ctx, login, codes)
	switch {
	case err == nil:
		return s, nil
	case errors.Is(ctx.Err(), context.Canceled):
		return Session{}, context.Cause(ctx)
	case present.Left(o.Clock.Now()) > 0:
		o.Teller.Trace("the present session is handed out, since there is no other: %v", err)
		_ = o.Memory.KeepFailure(name, cache.Failure{Text: err.Error(), At: time.Now()})
		return Session{Entry: present}, nil
	}
	return Open(ctx, login, o)
}

// renew opens a new session beside one that is still good, which nobody who
// could have that should wait for.
func (o Options) renew(ctx context.Context, login *profile.Login, codes mfa.Codes) (Session, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, renewing, errNoAnswer)
	defer cancel()
	o.Codes, o.renews = codes, true
	return Open(ctx, login, o)
}

// Remember keeps the way from a profile to the login's session, for recall.Find.
// Silent tells that there is nothing to tell of the profile besides.
func Remember(store Store, name, fingerprint string, login *profile.Login, silent bool) {
	last := login
	for last.Source.Login != nil {
		last = last.Source.Login
	}
	if fingerprint == "" || last.Source.Keys.From.Env != "" {
		return // keys of the environment are no part of it
	}
	r := cache.Route{
		For: fingerprint, Session: store.Name(store.first(login)), OfUser: !login.IsRole(), Endpoint: login.Network.STS.Text, Silent: silent,
		RoleARN: login.RoleARN.Text, SerialNumber: login.SerialNumber.Text, Region: login.Network.Region.Text,
	}
	if r != store.Memory.Route(name) {
		_ = store.Memory.KeepRoute(name, r)
	}
}
