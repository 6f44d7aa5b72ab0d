// Aws-mfa-status tells who you are for AWS, and for how long.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime/debug"
	"time"

	"aws-mfa/cmd/aws-mfa-status/prompt"
	"aws-mfa/shared/cli"
	"aws-mfa/shared/profile"
	"aws-mfa/shared/session"
)

const description = `Tell who you are for AWS, and for how long. Without a profile: the current one, credentials in the environment, sign-ins to IAM Identity Center, and every profile that has a session. The exit status is 0 when every profile asked for (with none named, at least one) is active or expiring, else 3.`

type status struct {
	Profiles []string         `arg:"" optional:"" name:"profile" help:"Profiles of the AWS config files (default: all that have a session)."`
	Output   string           `enum:"table,json,text" default:"table" placeholder:"table|json|text" help:"Form of the answer: table, json or text (default: table)."`
	Template *prompt.Template `placeholder:"TEMPLATE" xor:"form" help:"Write a line for each profile by a Go template, for shell prompts: '{{.Profile}} {{.Left}}'. The fields are .Profile, .State, .SignedIn, .Left, .SecondsLeft, .Ends, .Expiration, .Account, .Role, .ARN, .UserID, .RoleARN, .MFASerial, .Region, .Source, .SSOSession and .Current."`
	Offline  bool             `help:"Do not ask AWS: tell what is known here."`
	All      bool             `help:"Tell of the profiles that are signed out, too."`
	Watch    bool             `xor:"form" help:"Redraw once a second, until q or Ctrl-C."`
	cli.Flags
}

func main() { cli.Main("aws-mfa-status", description, &status{}) }

// Validate refuses what makes no sense together.
func (s *status) Validate() error {
	switch {
	case s.All && len(s.Profiles) > 0:
		return errors.New("--all goes without PROFILE")
	case s.Output != "table" && (s.Template != nil || s.Watch):
		return errors.New("--output goes without --template and --watch")
	}
	return nil
}

// Run finds the sessions here, asks AWS about them, and tells.
func (s *status) Run(ctx context.Context, v *cli.Voice) error {
	if s.Watch {
		return s.live(ctx, v)
	}
	if s.Template != nil {
		v.Quiet()
	}
	if s.Offline {
		debug.SetGCPercent(4 * 100) // all that is read is needed until the end, which is near
	}
	set, err := profile.Load(os.LookupEnv)
	if err != nil {
		return err
	}
	clocks, style := cli.NewClocks(), styleOf(v.Stdout)
	finder := finder{offline: s.Offline, files: s.Output == "json" || style.bar, set: set, store: cli.Store(), clocks: clocks, warn: v.Warn, trace: v}
	rows, broken, err := finder.rows(s.Profiles, s.All)
	if err != nil {
		return err
	}
	if s.Template == nil {
		finder.compare(rows, len(s.Profiles) == 0)
	}
	if !s.Offline {
		if err := identify(ctx, rows, session.NewClients(clocks, v.Trace), v); err != nil {
			return err
		}
		recount(rows, clocks)
	}
	warnOfClocks(v, clocks, rows)
	if err := s.write(v.Stdout, rows, style); err != nil {
		return err
	}
	return s.verdict(v, set, rows, broken)
}

// write writes the answer.
func (s *status) write(w io.Writer, rows []*row, style style) error {
	if s.Template != nil {
		return s.fill(w, rows, time.Now())
	}
	if s.Output == "table" && style.bar {
		date(rows)
	}
	return write(w, s.Output, rows, time.Now(), style)
}

// recount counts what is left by AWS's clock, as its answers have set that.
func recount(rows []*row, clocks *session.Clocks) {
	for _, r := range rows {
		if r.Expiration == nil || r.network == nil || r.keys.AccessKeyID == "" {
			continue
		}
		before := r.State
		r.ends(*r.Expiration, clocks.Of(*r.network).Now())
		if before == rejected || before == unknown || r.Reason != "" {
			r.State = before // AWS knows better, or nobody
		}
	}
}

// warnOfClocks tells once of each clock that this computer's differs from, and
// notes it in the rows.
func warnOfClocks(v *cli.Voice, clocks *session.Clocks, rows []*row) {
	told := map[*session.Clock]bool{}
	offset, last := 0, (*profile.Network)(nil) // profiles that are written alike share one
	for _, r := range rows {
		switch r.network {
		case nil:
			continue
		case last:
			r.ClockOffset = offset
			continue
		}
		clock := clocks.Of(*r.network)
		offset, last = -int(clock.Ahead().Seconds()), r.network
		r.ClockOffset = offset
		if !told[clock] {
			told[clock] = true
			v.WarnOfClock(clock)
		}
	}
}

// verdict is the exit status, with what to do about it. Profiles that are
// broken did not keep the others from being told.
func (s *status) verdict(v *cli.Voice, set *profile.Set, rows []*row, broken []error) error {
	in := 0
	for _, r := range rows {
		if r.State.signedIn() && !r.isToken() {
			in++
		} else if len(s.Profiles) > 0 && r.State != unknown {
			if cure := r.cure(); cure != "" {
				v.Hint("%s", cure)
			}
		}
	}
	for _, err := range broken {
		v.Fail(err)
	}
	switch {
	case len(broken) > 0:
		return cli.Status(cli.Failed)
	case len(s.Profiles) > 0 && in == len(rows), len(s.Profiles) == 0 && in > 0:
		return nil
	case len(rows) == 0:
		v.Say("no profile is signed in")
		for _, name := range set.Roles() {
			v.Hint("%s", cli.LoginCommand(name))
		}
	}
	return cli.Status(cli.NotSignedIn)
}
