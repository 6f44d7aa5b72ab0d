package main

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"aws-mfa/shared/cache"
	"aws-mfa/shared/cli"
	"aws-mfa/shared/profile"
	"aws-mfa/shared/session"
)

// A finder knows what can be known without asking AWS.
type finder struct {
	offline bool // nobody will be asked
	files   bool // somebody wants to know where sessions live
	set     *profile.Set
	store   session.Store
	clocks  *session.Clocks
	warn    func(format string, args ...any)
	trace   *cli.Voice
}

// rows are those of the named profiles; without names those of the current
// profile, the environment, all profiles with a session, and the sign-ins to
// Identity Center. Broken are the errors of named profiles that cannot work.
func (f finder) rows(names []string, all bool) (rows []*row, broken []error, err error) {
	if len(names) > 0 {
		for _, name := range names {
			r, err := f.row(name)
			if err != nil {
				broken = append(broken, &cli.ProfileError{Profile: name, Err: err})
				continue
			}
			rows = append(rows, &r)
		}
		return rows, broken, nil
	}
	if r, ok, err := f.environment(); err != nil {
		return nil, nil, err
	} else if ok {
		rows = append(rows, &r)
	}
	if current := f.set.Current(); current.Set && !f.set.Has(current.Text) {
		_, err := f.set.Profile(current.Text) // a name that somebody chose must exist
		return nil, nil, err
	}
	if !f.offline || all || f.trace.Verbose() {
		rows = append(rows, f.profiles(f.set.Names(), all)...)
	} else {
		rows = append(rows, f.survey()...)
	}
	return append(rows, f.tokens()...), nil, nil
}

// survey is profiles for many of them, with no more of each than is told
// offline.
func (f finder) survey() (rows []*row) {
	sessions, current := f.store.Snapshot(), f.set.Current().Text
	space := make([]row, 0, sessions.Len()) // grown in pieces, so that pointers into it stay good
	var endpoint string                     // and the time on its clock
	now := f.clocks.Of(profile.Network{}).Now()
	look := func(l *profile.Login) (done bool) {
		entry, err := sessions.Find(l)
		switch {
		case l.Profile == current:
			return false
		case err != nil:
			return err == fs.ErrNotExist
		case len(space) == cap(space):
			space = make([]row, 0, 16)
		}
		space = append(space, row{ // as row and entry fill it
			Profile: l.Profile, RoleARN: l.RoleARN.Text, MFASerial: l.SerialNumber.Text, Region: l.Network.Region.Text,
			Source: "aws-cli-cache", Account: entry.AccountID, ARN: entry.AssumedRoleARN, CachedARN: entry.AssumedRoleARN,
			network: &l.Network, session: entry.AccessKeyID, signsIn: l.Profile,
		})
		r := &space[len(space)-1]
		rows = append(rows, r)
		if f.files {
			r.File = f.store.Path(l)
		}
		if l.Network.STS.Text != endpoint {
			endpoint, now = l.Network.STS.Text, f.clocks.Of(l.Network).Now()
		}
		r.ends(entry.Expiration, now)
		return true
	}
	rest := f.set.Survey(look)
	if sessions.Doubt() {
		rows = nil
		rest = f.set.Survey(look)
	}
	rows = append(rows, f.profiles(rest, false)...)
	slices.SortFunc(rows, func(a, b *row) int { return strings.Compare(a.Profile, b.Profile) })
	return rows
}

func sourceOf(l *profile.Login) string {
	if l.IsRole() {
		return "aws-cli-cache"
	}
	return "mfa-session"
}

// profiles are the rows of the current profile and all others that have a
// session, or, with all, could have one.
func (f finder) profiles(names []string, all bool) (rows []*row) {
	unusable := 0
	for _, name := range names {
		r, err := f.row(name)
		current := name == f.set.Current().Text
		told := &cli.ProfileError{Profile: name, Err: err}
		switch {
		case err == nil:
			if current || all && r.opens() || r.session != "" {
				rows = append(rows, &r)
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
	if f.trace.Verbose() {
		f.trace.TraceSettings(name, r.login.Settings())
	}
	r.RoleARN, r.MFASerial, r.network, r.signsIn = r.login.RoleARN.Text, r.login.SerialNumber.Text, &r.login.Network, r.login.Profile
	r.Region, r.site = r.network.Region.Text, r.RoleARN
	err = f.session(&r)
	return r, err
}

// keys fills the row of a profile that has no session but the keys in it.
func (f finder) keys(r *row, p *profile.Profile) error {
	if err := f.reach(r, p); err != nil {
		return err
	}
	f.trace.TraceSettings(r.Profile, r.network.Settings)
	r.Source, r.File, r.Region = "credentials-file", r.keys.From.File, r.network.Region.Text
	r.MFASerial = p.Value("mfa_serial").Text
	f.static(r)
	return nil
}

// reach notes in the row how AWS is reached for the profile.
func (f finder) reach(r *row, p *profile.Profile) error {
	network, err := f.set.Network(p)
	r.network = &network
	return err
}

// session fills the row from the session that is kept.
func (f finder) session(r *row) error {
	entry, err := f.store.Find(r.login)
	return f.entry(r, entry, err, sourceOf(r.login), f.store.Path(r.login))
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
	r.session = e.AccessKeyID
	r.keys = profile.Keys{AccessKeyID: e.AccessKeyID, SecretAccessKey: e.SecretAccessKey, SessionToken: e.SessionToken, From: profile.Origin{File: path}}
	r.ends(e.Expiration, f.clocks.Of(*r.network).Now())
	return nil
}

// identityCenter fills the row of a profile that the AWS CLI signs in: from
// the session that it cached, or, where that is over, from the sign-in that it
// gets the next one with.
func (f finder) identityCenter(r *row, p *profile.Profile) (err error) {
	if r.sso, err = p.SSO(); err != nil {
		return err
	}
	if err := f.reach(r, p); err != nil {
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
func (f finder) tokens() (rows []*row) {
	for _, t := range f.store.Tokens.All(f.set.SSOSessions) {
		r := row{SSOSession: t.Of, StartURL: t.StartURL, Source: "sso"}
		r.token(t)
		rows = append(rows, &r)
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
	if r.keys.Temporary() {
		r.session = r.keys.AccessKeyID
	}
	if end, err := time.Parse(time.RFC3339, r.keys.Expiration.Text); err == nil {
		r.ends(end, f.clocks.Of(*r.network).Now())
	}
}

// environment is the row of the credentials in the environment, if any.
func (f finder) environment() (r row, ok bool, err error) {
	r.keys, ok, err = f.set.EnvironmentKeys()
	if !ok || err != nil {
		return row{}, false, err
	}
	network, err := f.set.EnvironmentNetwork()
	if err != nil {
		return row{}, false, err
	}
	r.network = &network
	f.trace.TraceSettings(r.name(), r.network.Settings)
	r.Source, r.Region = "environment", r.network.Region.Text
	f.static(&r)
	return r, true, nil
}

// compare notes in each row which profile's session it is, if it is another's:
// the first one with the same role and arguments, the one that a
// credential_process signs in to, or the one that a copy is of. All profiles are
// looked through unless rows are complete: they have all that have a session.
func (f finder) compare(rows []*row, complete bool) {
	owners, copies := make(map[string]string, len(rows)), sync.OnceValue(f.store.Memory.AllCopies) // owners by access key
	if !complete {
		f.addOwners(owners, rows, copies)
	}
	var others []*row // that are not the first to sign in to their session themselves
	for _, r := range rows {
		switch owner := r.owner(copies); {
		case r.session == "":
		case owner != "" && owner == r.Profile && owners[r.session] == "":
			owners[r.session] = owner
		default:
			others = append(others, r)
		}
	}
	shown := map[string]bool{}
	if len(others) > 0 {
		for _, r := range rows {
			shown[r.Profile] = true
		}
	}
	for _, r := range others {
		if owners[r.session] == "" {
			owners[r.session] = r.owner(copies)
		}
		if owners[r.session] != r.Profile {
			r.SameAs = owners[r.session]
			r.echo = shown[r.SameAs]
		}
	}
}

// owner is the profile that signs in to the row's session, "" if none does.
func (r *row) owner(copies func() []cache.Copy) string {
	switch {
	case r.session == "":
		return ""
	case r.signsIn != "":
		return r.signsIn
	case r.sso != nil:
		return r.Profile
	}
	for _, c := range copies() {
		if c.Profile == r.Profile && c.AccessKeyID == r.session {
			return c.Of
		}
	}
	return ""
}

// addOwners finds the first profile that signs in to the session of each row.
func (f finder) addOwners(owners map[string]string, rows []*row, copies func() []cache.Copy) {
	keys := map[string]string{} // access keys by the session's name
	for _, r := range rows {
		if name := f.nameOf(r, copies); name != "" {
			keys[name] = r.session
		}
	}
	if len(keys) == 0 {
		return
	}
	add := func(profile, session string) {
		if key := keys[session]; key != "" && (owners[key] == "" || profile < owners[key]) {
			owners[key] = profile
		}
	}
	rest := f.set.Survey(func(l *profile.Login) (done bool) {
		add(l.Profile, f.store.Name(l))
		return true
	})
	for _, name := range rest {
		p, err := f.set.Profile(name)
		if err != nil {
			continue
		}
		if p.Kind() == profile.IdentityCenter {
			if sso, err := p.SSO(); err == nil {
				add(name, f.store.NameSSO(sso))
			}
		} else if l, err := p.Login(); err == nil && l.Profile == name {
			add(name, f.store.Name(l))
		}
	}
}

// nameOf is the name of the row's session, "" if it has none.
func (f finder) nameOf(r *row, copies func() []cache.Copy) string {
	switch {
	case r.session == "":
		return ""
	case r.login != nil:
		return f.store.Name(r.login)
	case r.sso != nil:
		return f.store.NameSSO(r.sso)
	}
	owner := r.owner(copies)
	if owner == "" {
		return ""
	}
	if p, err := f.set.Profile(owner); err == nil {
		if l, err := p.Login(); err == nil {
			return f.store.Name(l)
		}
	}
	return ""
}

// date notes in each row when its session began, as far as its file tells.
func date(rows []*row) {
	for _, r := range rows {
		if r.Source == "aws-cli-cache" || r.Source == "mfa-session" || r.Source == "sso" {
			if info, err := os.Stat(r.File); err == nil {
				r.began = info.ModTime()
			}
		}
	}
}
