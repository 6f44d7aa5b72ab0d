package main

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"aws-mfa/shared/cache"
	"aws-mfa/shared/cli"
	"aws-mfa/shared/profile"
	"aws-mfa/shared/session"
)

// A finder knows what can be known without asking AWS.
type finder struct {
	set    *profile.Set
	store  session.Store
	clocks *session.Clocks
	warn   func(format string, args ...any)
	trace  *cli.Voice
}

// rows are those of the named profiles; without names those of the current
// profile, the environment, all profiles with a session, and the sign-ins to
// Identity Center. Broken are the errors of named profiles that cannot work.
func (f finder) rows(names []string, all bool) (rows []row, broken []error, err error) {
	if len(names) > 0 {
		for _, name := range names {
			r, err := f.row(name)
			if err != nil {
				broken = append(broken, &cli.ProfileError{Profile: name, Err: err})
				continue
			}
			rows = append(rows, r)
		}
		return rows, broken, nil
	}
	if r, ok, err := f.environment(); err != nil {
		return nil, nil, err
	} else if ok {
		rows = append(rows, r)
	}
	if current := f.set.Current(); current.Set && !f.set.Has(current.Text) {
		_, err := f.set.Profile(current.Text) // a name that somebody chose must exist
		return nil, nil, err
	}
	rows = append(rows, f.profiles(all)...)
	return append(rows, f.tokens()...), nil, nil
}

// profiles are the rows of the current profile and all others that have a
// session, or, with all, could have one.
func (f finder) profiles(all bool) (rows []row) {
	unusable := 0
	for _, name := range f.set.Names() {
		r, err := f.row(name)
		current := name == f.set.Current().Text
		told := &cli.ProfileError{Profile: name, Err: err}
		switch {
		case err == nil:
			if current || all && r.opens() || r.keys.Temporary() {
				rows = append(rows, r)
			}
		case errors.As(err, new(*profile.UnsupportedError)) && !current:
			f.trace.Trace("%v", told)
		case current || all || errors.As(err, new(*fs.PathError)):
			f.warn("%v", told)
		default:
			unusable++
			f.trace.Trace("%v", told)
		}
	}
	if unusable > 0 {
		f.warn("profiles with settings that cannot work: %d; aws-mfa-status --all tells which", unusable)
	}
	return rows
}

// row is what is known here of one profile.
func (f finder) row(name string) (row, error) {
	p, err := f.set.Profile(name)
	if err != nil {
		return row{}, err
	}
	r := row{Profile: name, Current: name == f.set.Current().Text, State: signedOut}
	kind := p.Kind()
	if kind == profile.IdentityCenter {
		err := f.identityCenter(&r, p)
		return r, err
	}
	if kind == profile.StaticKeys || kind == profile.MFASession {
		if r.keys, err = p.Keys(); err != nil {
			return row{}, err
		}
		if kind == profile.StaticKeys || r.keys.Temporary() {
			err := f.keys(&r, p)
			return r, err
		}
	}
	r.keys = profile.Keys{}
	if r.login, err = p.Login(); err != nil {
		return row{}, err
	}
	f.trace.TraceSettings(name, r.login.Settings())
	r.RoleARN, r.MFASerial, r.network = r.login.RoleARN.Text, r.login.SerialNumber.Text, r.login.Network
	r.Region, r.site = r.network.Region.Text, r.RoleARN
	err = f.session(&r)
	return r, err
}

// keys fills the row of a profile that has no session but the keys in it.
func (f finder) keys(r *row, p *profile.Profile) (err error) {
	if r.network, err = f.set.Network(p); err != nil {
		return err
	}
	f.trace.TraceSettings(r.Profile, r.network.Settings)
	r.Source, r.File, r.Region = "credentials-file", r.keys.From.File, r.network.Region.Text
	r.MFASerial = p.Value("mfa_serial").Text
	f.static(r)
	return nil
}

// session fills the row from the session that is kept.
func (f finder) session(r *row) error {
	source := "aws-cli-cache"
	if !r.login.IsRole() {
		source = "mfa-session"
	}
	entry, err := f.store.Find(r.login)
	return f.entry(r, entry, err, source, f.store.Path(r.login))
}

// entry fills the row from a session that was read from a file, or tells why
// there is none.
func (f finder) entry(r *row, e cache.Entry, err error, source, path string) error {
	var broken *cache.BrokenError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.As(err, &broken):
		f.warn("profile %q: the cached session is of no use, nor to the AWS CLI: %v", r.Profile, broken)
		return nil
	case err != nil:
		return err
	}
	r.Source, r.File = source, path
	r.Account, r.ARN, r.CachedARN = e.AccountID, e.AssumedRoleARN, e.AssumedRoleARN
	r.keys = profile.Keys{AccessKeyID: e.AccessKeyID, SecretAccessKey: e.SecretAccessKey, SessionToken: e.SessionToken, From: profile.Origin{File: path}}
	r.ends(e.Expiration, f.clocks.Of(r.network).Now())
	return nil
}

// identityCenter fills the row of a profile that the AWS CLI signs in: from
// the session that it cached, or, where that is over, from the sign-in that it
// gets the next one with.
func (f finder) identityCenter(r *row, p *profile.Profile) (err error) {
	if r.sso, err = p.SSO(); err != nil {
		return err
	}
	if r.network, err = f.set.Network(p); err != nil {
		return err
	}
	f.trace.TraceSettings(r.Profile, r.network.Settings)
	of, isSession := r.sso.Of()
	if isSession {
		r.SSOSession = of
	}
	r.StartURL, r.Account, r.SSORoleName, r.Region = r.sso.StartURL.Text, r.sso.AccountID.Text, r.sso.RoleName.Text, r.network.Region.Text
	e, path, err := f.store.FindSSO(r.sso)
	if err := f.entry(r, e, err, "sso", path); err != nil || r.State.signedIn() {
		return err
	}
	if token, err := f.store.Tokens.Token(of); err == nil {
		before := *r
		r.token(token)
		if !r.State.signedIn() && before.State == expired {
			*r = before
		}
	}
	return nil
}

// tokens are the rows of the sign-ins to Identity Center, whatever profiles
// they serve.
func (f finder) tokens() (rows []row) {
	sessions := f.set.SSOSessions()
	for _, t := range f.store.Tokens.All(sessions) {
		r := row{SSOSession: t.Of, StartURL: t.StartURL, Source: "sso"}
		r.token(t)
		rows = append(rows, r)
	}
	return rows
}

// token fills the row from a sign-in to Identity Center. It says nothing of
// who somebody is for AWS.
func (r *row) token(t cache.Token) {
	r.Source, r.File, r.keys = "sso", t.Path, profile.Keys{}
	r.ends(t.ExpiresAt, time.Now())
	if r.State == expired && t.Renewable {
		r.State, r.Reason = unknown, "the AWS CLI renews this sign-in if Identity Center lets it"
	}
}

// static fills the row of keys that stand in a file or the environment.
func (f finder) static(r *row) {
	r.State = unknown // only AWS knows whether keys are good
	if end, err := time.Parse(time.RFC3339, r.keys.Expiration.Text); err == nil {
		r.ends(end, f.clocks.Of(r.network).Now())
	}
}

// environment is the row of the credentials in the environment, if any.
func (f finder) environment() (r row, ok bool, err error) {
	r.keys, ok, err = f.set.EnvironmentKeys()
	if !ok || err != nil {
		return row{}, false, err
	}
	if r.network, err = f.set.EnvironmentNetwork(); err != nil {
		return row{}, false, err
	}
	f.trace.TraceSettings(r.name(), r.network.Settings)
	r.Source, r.Region = "environment", r.network.Region.Text
	f.static(&r)
	return r, true, nil
}

// compare notes in each row which profile's session it is, if it is another's:
// the first one with the same role and arguments, the one that a
// credential_process signs in to, or the one that a copy is of. All profiles are
// looked through unless rows has all that have a session.
func (f finder) compare(rows []row, all bool) {
	owners, copies := map[string]string{}, f.store.Memory.AllCopies() // owners by access key
	if !all {
		f.owners(rows, owners)
	}
	for _, own := range []bool{true, false} { // who signs in to it comes before who is told so by others
		for _, r := range rows {
			if owner := r.owner(copies); owner != "" && owners[r.keys.AccessKeyID] == "" && own == (owner == r.Profile) {
				owners[r.keys.AccessKeyID] = owner
			}
		}
	}
	for i := range rows {
		if r := &rows[i]; r.keys.Temporary() && owners[r.keys.AccessKeyID] != r.Profile {
			r.SameAs = owners[r.keys.AccessKeyID]
		}
	}
}

// owner is the profile that signs in to the row's session, "" if none does.
func (r row) owner(copies []cache.Copy) string {
	switch {
	case !r.keys.Temporary():
		return ""
	case r.login != nil:
		return r.login.Profile
	case r.sso != nil:
		return r.Profile
	}
	for _, c := range copies {
		if c.Profile == r.Profile && c.AccessKeyID == r.keys.AccessKeyID {
			return c.Of
		}
	}
	return ""
}

// owners finds the first profile that signs in to the session of each row.
func (f finder) owners(rows []row, owners map[string]string) {
	keys, roles := map[string]string{}, map[string]bool{} // the access key by the session's name; its role
	for _, r := range rows {
		switch {
		case !r.keys.Temporary():
		case r.login != nil && r.login.IsRole():
			keys[f.store.Name(r.login)], roles[r.RoleARN] = r.keys.AccessKeyID, true
		case r.sso != nil:
			keys[f.store.NameSSO(r.sso)], roles[r.SSORoleName] = r.keys.AccessKeyID, true
		}
	}
	if len(keys) == 0 {
		return
	}
	for _, name := range f.set.Names() {
		p, err := f.set.Profile(name)
		if err != nil {
			continue
		}
		session := ""
		switch kind := p.Kind(); {
		case kind == profile.AssumeRole && roles[p.Value("role_arn").Text]:
			if l, err := p.Login(); err == nil {
				session = f.store.Name(l)
			}
		case kind == profile.IdentityCenter && roles[p.Value("sso_role_name").Text]:
			if sso, err := p.SSO(); err == nil {
				session = f.store.NameSSO(sso)
			}
		}
		if key := keys[session]; key != "" && owners[key] == "" {
			owners[key] = name
		}
	}
}

// date notes in each row when its session began, as far as its file tells.
func date(rows []row) {
	for i := range rows {
		if r := &rows[i]; r.Source == "aws-cli-cache" || r.Source == "mfa-session" || r.Source == "sso" {
			if info, err := os.Stat(r.File); err == nil {
				r.began = info.ModTime()
			}
		}
	}
}
