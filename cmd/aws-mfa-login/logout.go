package main

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"time"

	"aws-mfa/shared/cache"
	"aws-mfa/shared/cli"
	"aws-mfa/shared/profile"
	"aws-mfa/shared/session"
)

// signOut ends the sessions of the profiles here. What cannot be ended hinders
// no other.
func (l *login) signOut(ctx context.Context, v *cli.Voice, set *profile.Set) error {
	names := l.Profiles
	if l.All {
		names = set.Names()
	}
	out := signOut{voice: v, store: cli.Store(), ended: map[string]bool{}, stuck: map[string]bool{}}
	var failed []error
	for _, name := range names {
		p, err := set.Profile(name)
		var login *profile.Login
		if err == nil {
			login, err = p.Login()
		}
		if err != nil && l.All {
			v.Trace("%v", &cli.ProfileError{Profile: name, Err: err})
			continue
		}
		if err == nil {
			err = out.of(ctx, name, login, l.All)
		}
		if err != nil {
			failed = append(failed, &cli.ProfileError{Profile: name, Err: err})
		}
	}
	if l.All {
		failed = append(failed, out.rest(ctx))
	}
	out.advise(l.All)
	return errors.Join(failed...)
}

// A signOut is under way.
type signOut struct {
	voice    *cli.Voice
	store    session.Store
	ended    map[string]bool // sessions, by name; false: there was none
	stuck    map[string]bool // those that could not be ended, which was told
	unlocked bool            // that there can be no locks was told
	roles    bool            // sessions of roles were among them
	users    bool            // and MFA sessions
}

// of ends the profile's session and those that it was opened from: signing in
// again then takes a code.
func (o *signOut) of(ctx context.Context, name string, login *profile.Login, quiet bool) error {
	found, stuck := false, false
	var failed []error
	var sources []string
	for l := login; l != nil; l = l.Source.Login {
		for _, each := range []*profile.Login{l, l.Source.MFA} {
			if each == nil {
				continue
			}
			was, err := o.end(ctx, each)
			found, stuck = found || was, stuck || o.stuck[o.store.Name(each)]
			if was && each != login {
				sources = append(sources, what(each))
			}
			failed = append(failed, err)
		}
	}
	switch {
	case stuck:
	case found:
		o.voice.Say("%s is signed out here", name)
		for _, source := range sources {
			o.voice.Say("so is %s", source)
		}
	case !quiet:
		o.voice.Say("%s was not signed in", name)
	}
	return errors.Join(failed...)
}

// what names a session that another was opened from.
func what(l *profile.Login) string {
	if l.IsRole() {
		return l.Profile + ", which it was opened from"
	}
	return "the MFA session of " + l.SerialNumber.Text
}

// end removes a session wherever we put it, and tells whether there was one.
func (o *signOut) end(ctx context.Context, l *profile.Login) (was bool, err error) {
	if l.IsRole() {
		return o.remove(ctx, o.store.Roles, o.store.Name(l), &o.roles)
	}
	return o.remove(ctx, o.store.Memory.Sessions(), o.store.Name(l), &o.users)
}

// rest removes what no profile of today leads to: MFA sessions, and sessions
// that there are copies of.
func (o *signOut) rest(ctx context.Context) error {
	var failed []error
	for _, name := range o.store.Memory.Copied() {
		_, err := o.remove(ctx, o.store.Roles, name, &o.roles)
		failed = append(failed, err)
	}
	for _, name := range o.store.Memory.Sessions().Names() {
		_, err := o.remove(ctx, o.store.Memory.Sessions(), name, &o.users)
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// patience is how long a sign-in to the session is waited for, which would
// leave it behind.
const patience = 5 * time.Second

// remove removes the session of that name, its copies, and what is known of it. Of those that
// AWS still takes, alive is made to tell.
func (o *signOut) remove(ctx context.Context, dir cache.Dir, name string, alive *bool) (was bool, err error) {
	if o.ended[name] || o.stuck[name] {
		return true, nil
	}
	limited, cancel := context.WithTimeoutCause(ctx, patience, errors.New("it takes too long to wait for it"))
	defer cancel()
	if release, err := o.store.Memory.Lock(limited, name, func() { o.voice.Say("waiting for a process that is signing in") }); err == nil {
		defer release()
	} else if ctx.Err() != nil {
		return false, context.Cause(ctx)
	} else if limited.Err() != nil || !o.unlocked {
		o.unlocked = o.unlocked || limited.Err() == nil
		o.voice.Warn("a process that is signing in may leave a session: %v", err)
	}
	entry, lost := dir.Read(name)
	was = !errors.Is(lost, fs.ErrNotExist)
	copies, err := o.store.Memory.Copies(name)
	failed := []error{err}
	for _, c := range copies {
		was = true
		failed = append(failed, removeCopy(ctx, c))
	}
	failed = append(failed, dir.Remove(name))
	if errors.Join(failed...) == nil {
		o.ended[name] = was
		*alive = *alive || lost == nil && entry.Left(time.Now()) > 0
		failed = append(failed, o.store.Memory.KeepOrigin(name, cache.Origin{}), o.store.Memory.ForgetCopies(ctx, name, copies))
	}
	err = errors.Join(failed...)
	o.stuck[name] = err != nil
	return was, err
}

// advise tells what signing out here does not do.
func (o *signOut) advise(all bool) {
	if all && !slices.Contains(slices.Collect(maps.Values(o.ended)), true) && !slices.Contains(slices.Collect(maps.Values(o.stuck)), true) {
		o.voice.Say("no profile was signed in")
	}
	if o.roles || o.users {
		o.voice.Say("AWS knows no sign-out: whoever has a copy of the session can use it until its end")
	}
	if o.roles {
		o.voice.Hint("to end a role's sessions at AWS: in the IAM console, the role's tab \"Revoke sessions\", which gives it the policy AWSRevokeOlderSessions")
	}
	if o.users {
		o.voice.Hint("to end MFA sessions at AWS: a policy for the user that denies all where aws:TokenIssueTime is before now, or deactivate the access key")
	}
}
