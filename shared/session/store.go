package session

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"

	"aws-mfa/shared/cache"
	"aws-mfa/shared/profile"
)

// A Store is where sessions are kept: those of roles where the AWS CLI looks
// for them, those of users, which it does not keep, beside our memory.
type Store struct {
	Roles  cache.Dir
	Memory cache.Memory
	Tokens cache.Tokens // of Identity Center
}

// Find returns the session that was opened last for the login, by us or by the
// AWS CLI; it may have expired. Errors: fs.ErrNotExist, *cache.BrokenError.
func (s Store) Find(l *profile.Login) (cache.Entry, error) {
	dir, name := s.place(l)
	return dir.Read(name)
}

// A Snapshot is all sessions of roles of a Store at one moment, for those who
// look for many.
type Snapshot struct{ *cache.Snapshot }

// Snapshot reads all sessions of roles.
func (s Store) Snapshot() Snapshot { return Snapshot{s.Roles.Snapshot()} }

// Find is as Store.Find, for a role and without secrets. Where there was no
// session the error is fs.ErrNotExist itself.
func (s Snapshot) Find(l *profile.Login) (cache.Glimpse, error) {
	if s.Lacks(l.RoleARN.Text) { // before a key is made
		return cache.Glimpse{}, fs.ErrNotExist
	}
	return s.Read(key(l))
}

// Path is the file of the login's session.
func (s Store) Path(l *profile.Login) string {
	dir, name := s.place(l)
	return dir.Path(name)
}

// FindSSO returns the session of a role of Identity Center that the AWS CLI v2
// cached, and its file; it may have expired. Errors are those of Find.
func (s Store) FindSSO(role *profile.SSO) (e cache.Entry, path string, err error) {
	name := s.NameSSO(role)
	e, err = s.Roles.Read(name)
	return e, s.Roles.Path(name), err
}

// NameSSO is the name of the session of a role of Identity Center.
func (s Store) NameSSO(role *profile.SSO) string {
	of, isSession := role.Of()
	return cache.SSOName(of, isSession, role.AccountID.Text, role.RoleName.Text)
}

// Remove takes the login's session away, and what is known of it. It is no
// error if there is none.
func (s Store) Remove(l *profile.Login) error {
	dir, name := s.place(l)
	return errors.Join(dir.Remove(name), s.Memory.KeepOrigin(name, cache.Origin{}))
}

// Name is that of the login's session, for files that go with it.
func (s Store) Name(l *profile.Login) string {
	_, name := s.place(l)
	return name
}

func (s Store) place(l *profile.Login) (dir cache.Dir, name string) {
	if l.IsRole() {
		return s.Roles, key(l).Name()
	}
	return s.Memory.Sessions(), mfaKey(l)
}

// first is the login that opens the session: one of its sources, if that has
// the same one.
func (s Store) first(login *profile.Login) *profile.Login {
	_, name := s.place(login)
	for l := login.Source.Login; l != nil; l = l.Source.Login {
		if _, same := s.place(l); same == name {
			login = l
		}
	}
	return login
}

// key is what the AWS CLI makes the name of the role's session of.
func key(l *profile.Login) cache.Key {
	if l.TokenFile.Set {
		return cache.Key{RoleARN: l.RoleARN.Text, RoleSessionName: l.SessionName.Text}
	}
	k := cache.Key{RoleARN: l.RoleARN.Text, RoleSessionName: l.SessionName.Text, DurationSeconds: l.Seconds}
	if l.ExternalID.Set {
		k.ExternalID = &l.ExternalID.Text
	}
	if l.SerialNumber.Set {
		k.SerialNumber = &l.SerialNumber.Text
	}
	return k
}

// mfaKey is a name for what an MFA session is of: an access key and a device,
// in whatever profiles they are.
func mfaKey(l *profile.Login) string {
	sum := sha1.Sum(fmt.Appendf(nil, "%q %q", l.Source.Keys.AccessKeyID, l.SerialNumber.Text))
	return hex.EncodeToString(sum[:])
}
