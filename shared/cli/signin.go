package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"aws-mfa/shared/cache"
	"aws-mfa/shared/profile"
	"aws-mfa/shared/session"
)

// Login is what signing in to the named profile takes, told with --verbose.
func Login(v *Voice, set *profile.Set, name string) (*profile.Login, error) {
	p, err := set.Profile(name)
	if err != nil {
		return nil, err
	}
	login, err := p.Login()
	if err != nil {
		return nil, ofCopy(p, err)
	}
	for l := login; l != nil; l = l.Source.Login {
		v.TraceSettings(l.Profile, l.Settings())
		if l.Duration.Set && l.Seconds == "" {
			v.Warn("duration_seconds (%s) is not a whole number of seconds; like the AWS CLI we go without it", l.Duration.From)
		}
	}
	v.WarnOfExposure(login.Network)
	return login, nil
}

// WarnOfExposure tells of requests to STS that travel without encryption.
func (v *Voice) WarnOfExposure(n profile.Network) {
	if n.STS.Exposed() {
		v.Warn("what is sent to %s (%s) and comes back, sessions too, is not encrypted", n.STS.Text, n.STS.From)
	}
}

// ofCopy adds to the error of a profile that holds a copied session how that
// is made anew.
func ofCopy(p *profile.Profile, err error) error {
	var unsupported *profile.UnsupportedError
	if !errors.As(err, &unsupported) || unsupported.Kind != profile.StaticKeys || unsupported.Profile != p.Name {
		return err
	}
	keys, lost := p.Keys()
	if lost != nil {
		return err
	}
	if command, ok := CopyCommand(p.Name, keys); ok {
		return WithHints(err, "it is a copy of a session: "+command)
	}
	return err
}

// Store is where the sessions of this user are. That there is a home directory
// was seen when the profiles were loaded.
func Store() session.Store {
	home := profile.Home(os.LookupEnv)
	return session.Store{Roles: cache.In(home), Memory: cache.MemoryIn(home), Tokens: cache.TokensIn(home)}
}

// Memory is where we remember what sessions do not tell.
func Memory() cache.Memory { return cache.MemoryIn(profile.Home(os.LookupEnv)) }

// NewClocks are AWS's clocks, as remembered.
func NewClocks() *session.Clocks { return session.NewClocks(Memory()) }

// WarnOfClock tells how far this computer's clock is off, if it is.
func (v *Voice) WarnOfClock(c *session.Clock) {
	if ahead := c.Ahead(); ahead != 0 {
		v.Warn("%s: codes and requests are made for AWS's time, but not those of the AWS CLI, so set the clock", session.Off(ahead))
	}
}

// SignIn returns the profile's session, opening one where needed.
func SignIn(ctx context.Context, v *Voice, login *profile.Login, o session.Options) (session.Session, error) {
	o.Store, o.Teller = Store(), v
	s, err := session.Open(ctx, login, o)
	if err == nil && s.Healed != nil {
		v.Warn("the cached session could not be read and was replaced: %v", s.Healed)
	}
	if err == nil && s.Opened {
		v.WarnOfClock(o.Clock)
		v.warnOfFiles()
	}
	return s, err
}

// warnOfFiles tells of AWS files that are not the user's alone. It does so when a
// session is opened, which is often enough: what is told all day is not read.
// What is ours was closed to others as it was written; what is somebody else's
// cannot be.
func (v *Voice) warnOfFiles() {
	home := profile.Home(os.LookupEnv)
	dir := filepath.Join(home, ".aws")
	config, credentials := profile.Files(os.LookupEnv)
	for _, path := range []string{dir, filepath.Join(dir, "cli"), string(cache.In(home)), string(cache.MemoryIn(home)), config} {
		v.WarnOfOthers(path, false)
	}
	v.WarnOfOthers(credentials, true)
}
