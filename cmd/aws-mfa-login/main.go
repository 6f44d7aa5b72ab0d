// Aws-mfa-login signs in to an AWS profile with MFA and leaves the session
// where the AWS CLI looks for it, or hands it on to those who look elsewhere.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"aws-mfa/shared/cache"
	"aws-mfa/shared/cli"
	"aws-mfa/shared/mfa"
	"aws-mfa/shared/profile"
	"aws-mfa/shared/session"
)

const description = `Sign in to an AWS profile: assume its role with an MFA code, and keep the session where the AWS CLI looks for it; or open an MFA session, for a profile with mfa_serial and no role. A session that is good for at least 15 more minutes is kept. With -- COMMAND, run that with the session in its environment.`

type login struct {
	Profiles   []string `arg:"" optional:"" name:"profile" help:"Profiles of the AWS config files (default: $AWS_PROFILE, $AWS_DEFAULT_PROFILE, else \"default\")."`
	TokenCode  *string  `short:"t" placeholder:"NNNNNN" help:"The MFA code; - reads it from standard input. Without: made from a kept seed, else printed by mfa_process, else asked at the terminal."`
	Duration   duration `placeholder:"1h" help:"How long a new session should last: 90m, 12h, seconds, or max for the longest that AWS grants (default: duration_seconds, else 1h; 12h for an MFA session)."`
	Force      bool     `short:"f" help:"Open a new session even if the present one is good."`
	MFASession bool     `name:"mfa-session" help:"Open the MFA session of the source first and the roles from it: one code, many roles, each for 1h at most. An open one is used without this flag."`

	Format             string `enum:",process,env,env-no-export,fish,powershell,windows-cmd,nushell" default:"" placeholder:"FORMAT" help:"Print the credentials: process (for credential_process), env, env-no-export, fish, powershell, windows-cmd or nushell."`
	ProcessProfile     string `placeholder:"NAME" help:"Add profile NAME to the config file, which hands the session to every SDK by credential_process."`
	CredentialsProfile string `placeholder:"NAME" help:"Copy the session into the credentials file as profile NAME, for tools that read nothing else."`

	SaveSeed   bool   `help:"Keep the TOTP seed of the profile's MFA device, so that codes come by themselves: asked for at the terminal, or read from standard input, as base32 or an otpauth:// URI."`
	SeedStore  string `enum:",keyring,file" default:"" placeholder:"keyring|file" help:"Where --save-seed keeps it: in the system's keyring, or in a file under a passphrase (default: keyring)."`
	ForgetSeed bool   `help:"Forget the seed of the profile's MFA device."`
	Logout     bool   `help:"End the session locally: remove it, and what it was opened from, here and from the AWS CLI's cache."`
	All        bool   `help:"With --logout: of all profiles."`
	cli.Flags

	command *[]string // behind "--"; nil without
}

func main() {
	if text, ok := warm(os.Args[1:]); ok {
		if _, err := os.Stdout.WriteString(text); err == nil {
			return
		}
	}
	cli.Main("aws-mfa-login", description, &login{})
}

// warm is what an SDK gets that runs us at each of its starts, by the command
// that --process-profile writes, where the way to the session is known from
// before. Parsing the command line would take as long as all the rest.
func warm(args []string) (text string, ok bool) {
	if len(args) != 3 || strings.HasPrefix(args[0], "-") || args[1] != "--format" || args[2] != "process" {
		return "", false
	}
	entry, ok := session.Recall(cli.Store(), args[0], profile.Fingerprint(os.LookupEnv))
	if !ok {
		return "", false
	}
	text, err := printed("process", entry)
	return text, err == nil
}

// Take is given the command.
func (l *login) Take(words []string) { l.command = &words }

// A duration is what --duration takes.
type duration struct {
	length time.Duration
	max    bool
}

func (d *duration) UnmarshalText(text []byte) error {
	if string(text) == "max" {
		d.max = true
		return nil
	}
	s := string(text)
	if _, err := strconv.Atoi(s); err == nil {
		s += "s"
	}
	var err error
	if d.length, err = time.ParseDuration(s); err != nil {
		return fmt.Errorf("%q is not a duration such as 90m, 12h or 3600, nor max", string(text))
	}
	if d.length < profile.MinDuration || d.length > profile.MaxMFADuration || d.length%time.Second != 0 {
		return fmt.Errorf("a session lasts from 15 minutes to 12 hours (an MFA session: 36 hours), not %s", profile.Short(d.length))
	}
	return nil
}

// Validate refuses what makes no sense together.
func (l *login) Validate() error {
	opens := l.TokenCode != nil || l.Force || l.Duration != (duration{}) || l.MFASession || l.handsOn() > 0
	switch {
	case l.SeedStore != "" && !l.SaveSeed:
		return errors.New("--seed-store goes with --save-seed")
	case l.SeedStore == "file" && l.NoInput:
		return errors.New("--seed-store file asks for a passphrase, so it does not go with --no-input")
	case l.SaveSeed && len(l.Profiles) > 1:
		return errors.New("--save-seed: a seed is that of one MFA device, so name one profile")
	case l.alone() > 1, l.alone() == 1 && opens:
		return errors.New("--logout, --save-seed and --forget-seed go alone")
	case l.All && (!l.Logout || len(l.Profiles) > 0):
		return errors.New("--all goes with --logout, and without PROFILE")
	case l.command != nil && len(*l.command) == 0:
		return errors.New("-- goes before a command")
	case l.command != nil && l.Format != "":
		return errors.New("--format prints the credentials, so it goes without a command")
	case l.handsOn() > 0 && len(l.Profiles) > 1:
		return errors.New("one session can be handed on, so name one profile")
	case l.TokenCode != nil && len(l.Profiles) > 1 && !l.MFASession:
		return errors.New("--token-code: a code works once, so it can serve one profile only, or several with --mfa-session")
	case l.TokenCode != nil && *l.TokenCode != "-":
		_, err := mfa.Given(*l.TokenCode)
		return err
	}
	return nil
}

func count(given ...bool) (n int) {
	for _, is := range given {
		if is {
			n++
		}
	}
	return n
}

// alone counts the flags that do something else than signing in.
func (l *login) alone() int { return count(l.Logout, l.SaveSeed, l.ForgetSeed) }

// handsOn counts the ways in which the session is handed on.
func (l *login) handsOn() int {
	return count(l.Format != "", l.ProcessProfile != "", l.CredentialsProfile != "", l.command != nil)
}

// Run signs in to each profile in turn, or does what the flags say instead.
func (l *login) Run(ctx context.Context, v *cli.Voice) error {
	set, err := profile.Load(os.LookupEnv)
	if err == nil && len(l.Profiles) == 0 {
		l.Profiles = []string{set.Current().Text}
	}
	if l.Format == "process" {
		v.Terse(cli.LoginCommand(l.name()))
	}
	switch {
	case err != nil:
		return err
	case l.SaveSeed, l.ForgetSeed:
		return l.seeds(ctx, v, set)
	case l.Logout:
		return l.signOut(ctx, v, set)
	}
	return l.signIn(ctx, v, set)
}

// name is the one profile, or what stands for it in advice.
func (l *login) name() string {
	if len(l.Profiles) == 1 {
		return l.Profiles[0]
	}
	return "PROFILE"
}

// A target is a profile to sign in to.
type target struct {
	name string // as asked for
	*profile.Login
}

// signIn signs in to the profiles. What cannot work is told before a code is
// spent on another.
func (l *login) signIn(ctx context.Context, v *cli.Voice, set *profile.Set) error {
	var (
		targets []target
		logins  []*profile.Login
		program string
		err     error
	)
	if l.command != nil {
		if program, err = find((*l.command)[0]); err != nil {
			return err
		}
	}
	for _, name := range l.Profiles {
		to, err := cli.Login(v, set, name)
		if err == nil && l.Duration.length != 0 {
			if wrong := to.CheckDuration(l.Duration.length); wrong != nil {
				err = cli.UsageError("--duration: " + wrong.Error())
			}
		}
		if err == nil {
			err = l.prepare(ctx, v, set, target{name, to})
		}
		if err != nil {
			return &cli.ProfileError{Profile: name, Err: err}
		}
		targets, logins = append(targets, target{name, to}), append(logins, to)
	}
	clocks := cli.NewClocks()
	options := session.Options{
		Store: cli.Store(), Codes: l.codes(v), Given: l.TokenCode != nil,
		Duration: l.Duration.length, Longest: l.Duration.max, Force: l.Force, MFASession: l.MFASession, Teller: v,
	}
	options.Clock = clocks.Of(logins[0].Network)
	together := options.Together(logins)
	for _, to := range targets {
		options.Clock = clocks.Of(to.Network)
		options.MFASession = l.MFASession || together[to.Login]
		s, err := l.open(ctx, v, to, options)
		if err == nil {
			err = l.handOn(ctx, v, to, s, program)
		}
		if err != nil {
			return &cli.ProfileError{Profile: to.name, Err: err}
		}
	}
	return nil
}

// open gets the session and tells of it.
func (l *login) open(ctx context.Context, v *cli.Voice, to target, o session.Options) (session.Session, error) {
	var s session.Session
	var err error
	if l.Format == "process" && !l.Force {
		s, err = session.Serve(ctx, to.Login, o, l.UnaskedCodes(v))
	} else {
		s, err = cli.SignIn(ctx, v, to.Login, o)
	}
	if err != nil {
		return s, err
	}
	if l.Format == "process" {
		session.Remember(o.Store, to.name, profile.Fingerprint(os.LookupEnv), to.Login)
	}
	now := o.Clock.Now()
	if s.Opened || l.command == nil {
		v.Say("%s is signed in %s until %s (%s)", to.name, as(s, to.Login), cli.Clock(s.Expiration, now), cli.Left(s.Left(now)))
	}
	switch left := s.Left(now); {
	case !s.Opened && l.Duration != (duration{}):
		v.Hint("--duration counts for a new session: add --force")
	case !to.IsRole() || o.Clock.Ahead() != 0:
	case left < cache.Margin:
		v.Warn("the AWS CLI does not use the last 15 minutes of a session, so it will ask again at once")
	case s.Opened && left < 2*cache.Margin:
		v.Warn("the AWS CLI does not use the last 15 minutes of a session, so it will ask again in %s", cli.Left(left-cache.Margin))
	}
	if lasts := s.Left(now).Round(time.Minute); s.Opened && l.Duration.max && to.IsRole() && lasts > time.Hour {
		v.Hint("to ask for it at once from now on: %s", cli.AWSCommand(fmt.Sprintf("configure set duration_seconds %d", int(lasts.Seconds())), to.Login.Profile))
	}
	return s, nil
}

// as is who one is in the session, as far as it tells.
func as(s session.Session, login *profile.Login) string {
	switch {
	case !login.IsRole():
		return "with " + login.SerialNumber.Text
	case s.AssumedRoleARN == "":
		return "as " + login.RoleARN.Text
	}
	return "as " + s.AssumedRoleARN
}

// codes is where the codes come from.
func (l *login) codes(v *cli.Voice) mfa.Codes {
	switch {
	case l.TokenCode == nil:
		return l.Codes(v)
	case *l.TokenCode == "-":
		return mfa.Read(v.Stdin)
	}
	codes, _ := mfa.Given(*l.TokenCode) // Validate has seen the error
	return codes
}

// prepare does what needs no session, and tells what would hinder handing it
// on, before a code is spent on it.
func (l *login) prepare(ctx context.Context, v *cli.Voice, set *profile.Set, to target) error {
	if l.CredentialsProfile != "" {
		if err := mayCopy(set, l.CredentialsProfile); err != nil {
			return err
		}
	}
	if l.ProcessProfile != "" {
		return writeProcessProfile(ctx, v, set, l.ProcessProfile, to.Login)
	}
	return nil
}

// handOn gives the session to those who do not look where it is kept. Program
// is the command's, which does not return where it takes our place.
func (l *login) handOn(ctx context.Context, v *cli.Voice, to target, s session.Session, program string) error {
	if l.CredentialsProfile != "" {
		if err := copySession(ctx, v, l.CredentialsProfile, to.Login, s.Entry); err != nil {
			return err
		}
	}
	switch {
	case l.Format != "":
		text, err := printed(l.Format, s.Entry)
		if err != nil {
			return err
		}
		_, err = io.WriteString(v.Stdout, text)
		return err
	case l.command != nil:
		return run(ctx, program, *l.command, environmentOf(os.Environ(), s.Entry, to.Network.Region.Text))
	}
	return nil
}
