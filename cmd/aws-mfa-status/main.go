// Aws-mfa-status tells who you are for AWS, and for how long.
package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"
	"time"

	"aws-mfa/shared/cache"
	"aws-mfa/shared/cli"
	"aws-mfa/shared/profile"
	"aws-mfa/shared/session"
)

const description = `Tell who you are for AWS, and for how long. Without a profile: the current one, credentials in the environment, and every profile that has a session. The exit status is 0 when every profile asked for (with none named, at least one) is active or expiring, else 3.`

// Limits of asking AWS.
const (
	atOnce  = 8
	timeout = 5 * time.Second // for one identity
)

type status struct {
	Profiles []string `arg:"" optional:"" name:"profile" help:"Profiles of the AWS config files (default: all that have a session)."`
	Output   string   `enum:"table,json,text" default:"table" placeholder:"table|json|text" help:"Form of the answer: table, json or text (default: table)."`
	Offline  bool     `help:"Do not ask AWS: tell what is known here."`
	All      bool     `help:"Tell of the profiles that are signed out, too."`
	cli.Flags
}

func main() { cli.Main("aws-mfa-status", description, &status{}) }

// Validate refuses what makes no sense together.
func (s *status) Validate() error {
	if s.All && len(s.Profiles) > 0 {
		return errors.New("--all goes without PROFILE")
	}
	return nil
}

// Run finds the sessions here, asks AWS about them, and tells.
func (s *status) Run(ctx context.Context, v *cli.Voice) error {
	set, err := profile.Load(os.LookupEnv)
	if err != nil {
		return err
	}
	clocks := cli.NewClocks()
	finder := finder{set: set, store: cli.Store(), clocks: clocks, voice: v}
	rows, err := finder.rows(s.Profiles, s.All)
	if err != nil {
		return err
	}
	if !s.Offline {
		if err := identify(ctx, rows, clocks, v); err != nil {
			return err
		}
	}
	warnOfClocks(v, clocks, rows)
	if err := write(v.Stdout, s.Output, rows, time.Now(), styleOf(v.Stdout)); err != nil {
		return err
	}
	return s.verdict(v, rows)
}

// warnOfClocks tells once of each clock that this computer's differs from.
func warnOfClocks(v *cli.Voice, clocks *session.Clocks, rows []row) {
	told := map[*session.Clock]bool{}
	for _, r := range rows {
		if clock := clocks.Of(r.network); !told[clock] {
			told[clock] = true
			v.WarnOfClock(clock)
		}
	}
}

// verdict is the exit status, with what to do about it.
func (s *status) verdict(v *cli.Voice, rows []row) error {
	in := 0
	for _, r := range rows {
		if r.State.signedIn() {
			in++
		} else if len(s.Profiles) > 0 && r.State != unknown {
			v.Hint("%s", r.cure())
		}
	}
	switch {
	case len(s.Profiles) > 0 && in == len(rows), len(s.Profiles) == 0 && in > 0:
		return nil
	case len(rows) == 0:
		v.Say("no profile is signed in")
	}
	return cli.Status(cli.NotSignedIn)
}

// cure is the command to sign in with; a session that is good for all we know
// here, but not for AWS, would be kept without --force.
func (r row) cure() string {
	if r.Source == "credentials-file" {
		if command, ok := cli.CopyCommand(r.Profile, r.keys); ok {
			return command
		}
	}
	if r.SecondsLeft != nil && *r.SecondsLeft > 0 {
		return cli.LoginCommand(r.Profile, "--force")
	}
	return cli.LoginCommand(r.Profile)
}

// A finder knows what can be known without asking AWS.
type finder struct {
	set    *profile.Set
	store  session.Store
	clocks *session.Clocks
	voice  *cli.Voice
}

// rows are those of the named profiles; without names those of the current
// profile, the environment and all profiles with a session.
func (f finder) rows(names []string, all bool) ([]row, error) {
	var rows []row
	for _, name := range names {
		r, err := f.row(name)
		if err != nil {
			return nil, &cli.ProfileError{Profile: name, Err: err}
		}
		rows = append(rows, r)
	}
	if len(names) > 0 {
		return rows, nil
	}
	if r, ok, err := f.environment(); err != nil {
		return nil, err
	} else if ok {
		rows = append(rows, r)
	}
	if current := f.set.Current(); current.Set && !f.set.Has(current.Text) {
		_, err := f.set.Profile(current.Text) // a name that somebody chose must exist
		return nil, err
	}
	unusable := 0
	for _, name := range f.set.Names() {
		r, err := f.row(name)
		current := name == f.set.Current().Text
		told := &cli.ProfileError{Profile: name, Err: err}
		switch {
		case err == nil:
			if current || all && r.login || r.keys.Temporary() {
				rows = append(rows, r)
			}
		case errors.As(err, new(*profile.UnsupportedError)) && !current:
			f.voice.Trace("%v", told)
		case current || all || errors.As(err, new(*fs.PathError)):
			f.voice.Warn("%v", told)
		default:
			unusable++
			f.voice.Trace("%v", told)
		}
	}
	if unusable > 0 {
		f.voice.Warn("profiles with settings that cannot work: %d; aws-mfa-status --all tells which", unusable)
	}
	return rows, nil
}

// row is what is known here of one profile.
func (f finder) row(name string) (row, error) {
	p, err := f.set.Profile(name)
	if err != nil {
		return row{}, err
	}
	r := row{Profile: name, Current: name == f.set.Current().Text, State: signedOut}
	if kind := p.Kind(); kind == profile.StaticKeys || kind == profile.MFASession {
		if r.keys, err = p.Keys(); err != nil {
			return row{}, err
		}
		if kind == profile.StaticKeys || r.keys.Temporary() {
			err := f.keys(&r, p)
			return r, err
		}
	}
	login, err := p.Login()
	if err != nil {
		return row{}, err
	}
	f.voice.TraceSettings(name, login.Settings())
	r.login, r.keys = true, profile.Keys{}
	r.RoleARN, r.MFASerial, r.Region, r.network = login.RoleARN.Text, login.SerialNumber.Text, login.Network.Region.Text, login.Network
	err = f.session(&r, login)
	return r, err
}

// keys fills the row of a profile that has no session but the keys in it.
func (f finder) keys(r *row, p *profile.Profile) (err error) {
	if r.network, err = f.set.Network(p); err != nil {
		return err
	}
	f.voice.TraceSettings(r.Profile, r.network.Settings)
	r.Source, r.Region = "credentials-file", r.network.Region.Text
	r.MFASerial = p.Value("mfa_serial").Text
	f.static(r)
	return nil
}

// session fills the row from the session that is kept.
func (f finder) session(r *row, login *profile.Login) error {
	entry, err := f.store.Find(login)
	var broken *cache.BrokenError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.As(err, &broken):
		f.voice.Warn("profile %q: the cached session is of no use, nor to the AWS CLI: %v", r.Profile, broken)
		return nil
	case err != nil:
		return err
	}
	r.Source = "aws-cli-cache"
	if !login.IsRole() {
		r.Source = "mfa-session"
	}
	r.Account, r.ARN = entry.AccountID, entry.AssumedRoleARN
	r.keys = profile.Keys{AccessKeyID: entry.AccessKeyID, SecretAccessKey: entry.SecretAccessKey, SessionToken: entry.SessionToken,
		From: profile.Origin{File: f.store.Path(login)}}
	r.ends(entry.Expiration, f.clocks.Of(r.network).Now())
	return nil
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
	f.voice.TraceSettings(r.name(), r.network.Settings)
	r.Source, r.Region = "environment", r.network.Region.Text
	f.static(&r)
	return r, true, nil
}

// identify asks AWS about all rows that may be signed in, side by side, and
// once for rows with the same session. What AWS does not answer leaves a row
// unknown, not the command failed.
func identify(ctx context.Context, rows []row, clocks *session.Clocks, v *cli.Voice) error {
	type question struct{ key, region, endpoint string }
	same := map[question][]*row{}
	for i := range rows {
		if r := &rows[i]; r.State != signedOut && r.State != expired {
			q := question{r.keys.AccessKeyID, r.network.Region.Text, r.network.STS.Text}
			same[q] = append(same[q], r)
		}
	}
	var group sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for _, asked := range same {
		group.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			who, err := ask(ctx, asked[0], clocks.Of(asked[0].network), v)
			asked[0].problem = err
			for _, r := range asked {
				r.answer(who, err)
			}
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for _, r := range rows {
		if r.problem != nil {
			v.Warn("%s: %v", r.name(), r.problem)
		}
	}
	return nil
}

// ask asks AWS whose the row's keys are.
func ask(ctx context.Context, r *row, clock *session.Clock, v *cli.Voice) (session.Identity, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	client, err := session.NewClient(r.network, r.RoleARN, clock, v.Trace)
	if err != nil {
		return session.Identity{}, err
	}
	return client.Identity(ctx, r.keys)
}

// answer takes what AWS said of the row's keys.
func (r *row) answer(who session.Identity, err error) {
	var refused *session.RefusedError
	switch {
	case err == nil:
		if r.State == unknown {
			r.State = active
		}
		r.Account, r.ARN, r.UserID = who.Account, who.ARN, who.UserID
	case !errors.As(err, &refused):
		r.State = unknown
	case refused.Reason == session.ExpiredSession:
		r.State = expired
	case refused.Reason == session.ClockOff, refused.Reason == session.Unavailable, refused.Reason == session.RegionDisabled:
		r.State = unknown
	default:
		r.State = rejected
	}
}
