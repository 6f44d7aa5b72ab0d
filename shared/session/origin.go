package session

import (
	"aws-mfa/shared/cache"
	"aws-mfa/shared/profile"
)

// An Origin is how a role's session came to be. AWS treats them differently:
// only a direct one may ask for a console that outlasts it.
type Origin int

const (
	Unknown  Origin = iota // opened by another program, or with keys of which nobody knows what they are
	Direct                 // by AssumeRole, with the long-term keys of a user
	Indirect               // with the keys of another session, or with a token
)

// origin is that of a session of the login that is opened with these keys.
func (f opener) origin(login *profile.Login) Origin {
	switch {
	case !login.IsRole():
		return Unknown
	case f.keys.Temporary(), login.TokenFile.Set:
		return Indirect
	case login.Source.Temporary():
		return Unknown // a process or the machine handed them out
	}
	return Direct
}

// remember keeps how the session of that name was opened. A sign-in does not
// fail for it: it is then as if another program had opened the session.
func (s Store) remember(name string, opened Session) {
	var kept cache.Origin
	if opened.Origin != Unknown {
		kept = cache.Origin{AccessKeyID: opened.AccessKeyID, Direct: opened.Origin == Direct}
	}
	_ = s.Memory.KeepOrigin(name, kept)
}

// origin is how the session of that name came to be, if it is the one that was
// remembered: the AWS CLI may have put another in its place.
func (s Store) origin(name string, e cache.Entry) Origin {
	kept := s.Memory.Origin(name)
	switch {
	case kept.AccessKeyID != e.AccessKeyID:
		return Unknown
	case kept.Direct:
		return Direct
	}
	return Indirect
}
