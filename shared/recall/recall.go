// Package recall finds the session of a profile without a look at what the
// profile says: by the way to it that was kept, which holds as long as nothing
// has changed that it depends on. The package imports next to nothing, so that a
// program can ask it before the rest of the program is initialized.
package recall

import (
	"os"
	"path/filepath"
	"time"

	"aws-mfa/shared/cache"
	"aws-mfa/shared/dump"
)

// Environment looks up a variable, as os.LookupEnv does.
type Environment = func(name string) (value string, ok bool)

// Home is the user's home directory, if the environment has one: that of
// wherever one happens to be is none.
func Home(env Environment) (dir string, ok bool) {
	variable := "HOME"
	if os.PathSeparator == '\\' {
		variable = "USERPROFILE"
	}
	dir, _ = env(variable)
	return dir, filepath.IsAbs(dir)
}

// A Session is one that a profile has, and the way to it.
type Session struct {
	cache.Entry
	cache.Route
	Ahead time.Duration // this computer's clock less AWS's, as far as that is known
}

// Find returns the profile's session if the way to it is known, holds for the
// fingerprint, and leads to a session that is good by this computer's clock and
// by AWS's.
func Find(m cache.Memory, roles cache.Dir, profile, fingerprint string) (Session, bool) {
	route := m.Route(profile)
	if fingerprint == "" || route.For != fingerprint {
		return Session{}, false
	}
	dir := roles
	if route.OfUser {
		dir = m.Sessions()
	}
	entry, err := dir.Read(route.Session)
	now := time.Now()
	ahead := m.Known(route.Endpoint, now).Ahead
	return Session{entry, route, ahead}, err == nil && entry.Good(now) && entry.Good(now.Add(-ahead))
}

// Of is Find for the user whose environment that is, now, for a process that has
// done nothing else yet.
func Of(env Environment, profile string) (Session, bool) {
	dump.Off()
	home, ok := Home(env)
	if !ok {
		return Session{}, false
	}
	return Find(cache.MemoryIn(home), cache.In(home), profile, Fingerprint(env))
}
