package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aws-mfa/shared/cli"
	"aws-mfa/shared/mfa"
	"aws-mfa/shared/profile"
)

const description = `Sign in to an AWS profile: assume its role with an MFA code, and keep the session where the AWS CLI looks for it; or open an MFA session, for a profile with mfa_serial and no role. A session that is good for at least 15 more minutes is kept. With -- COMMAND, run that with the session in its environment.`

type login struct {
	Profiles   []string `arg:"" optional:"" name:"profile" help:"Profiles of the AWS config files (default: $AWS_PROFILE, $AWS_DEFAULT_PROFILE, else \"default\")."`
	TokenCode  *string  `short:"t" placeholder:"NNNNNN" help:"The MFA code; - reads it from standard input. Without: made from a kept seed, else printed by mfa_process, else asked at the terminal."`
	Duration   duration `placeholder:"1h" help:"How long a new session should last: 90m, 12h, seconds, or max for the longest that AWS grants (default: duration_seconds, else 1h; 12h for an MFA session)."`
	Force      bool     `short:"f" help:"Open a new session even if the present one is good."`
	MFASession bool     `name:"mfa-session" help:"Open the MFA session of the source first and the roles from it: one code, many roles, each for 1h at most. An open one is used without this flag."`

	Format             string  `enum:",process,env,env-no-export,fish,powershell,windows-cmd,nushell" default:"" placeholder:"FORMAT" help:"Print the credentials: process (for credential_process), env, env-no-export, fish, powershell, windows-cmd or nushell."`
	ProcessProfile     *string `placeholder:"NAME" help:"Add profile NAME to the config file, which hands the session to every SDK by credential_process."`
	CredentialsProfile *string `placeholder:"NAME" help:"Copy the session into the credentials file as profile NAME, for tools that read nothing else."`

	SaveSeed   bool   `help:"Keep the TOTP seed of the profile's MFA device, so that codes come by themselves: asked for at the terminal, or read from standard input, as base32 or an otpauth:// URI."`
	SeedStore  string `enum:",keyring,file" default:"" placeholder:"keyring|file" help:"Where --save-seed keeps it: in the system's keyring, or in a file under a passphrase (default: keyring)."`
	ForgetSeed bool   `help:"Forget the seed of the profile's MFA device."`
	Logout     bool   `help:"End the session locally: remove it, and what it was opened from, here and from the AWS CLI's cache."`
	All        bool   `help:"With --logout, of all profiles."`
	cli.Flags

	command     *[]string // behind "--"; nil without
	fingerprint string    // of the AWS files, before they were read; for --format process
}

// Take is given the command.
func (l *login) Take(words []string) { l.command = &words }

// Suggest returns values for completion: names that --process-profile and
// --credentials-profile take, and what --duration takes beside lengths.
func (l *login) Suggest(flag string) []cli.Suggestion {
	switch flag {
	case "process-profile", "credentials-profile":
		return slices.DeleteFunc(cli.SuggestProfiles(), func(s cli.Suggestion) bool { return unreadable(&s.Text) })
	case "duration":
		return []cli.Suggestion{{Text: "1h"}, {Text: "12h"}, {Text: "max", About: "the longest that AWS grants"}}
	}
	return nil
}

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
	var err error
	if d.length, err = cli.ParseDuration(string(text)); err != nil {
		return fmt.Errorf("%w, nor max", err)
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
	case l.ProcessProfile != nil && l.CredentialsProfile != nil && *l.ProcessProfile == *l.CredentialsProfile:
		return errors.New("--process-profile and --credentials-profile: one profile cannot be both")
	case unreadable(l.ProcessProfile), unreadable(l.CredentialsProfile):
		return errors.New("--process-profile, --credentials-profile: a name that every SDK reads has A-Z a-z 0-9 and ._@+:/%- only")
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

// unreadable tells whether some SDK does not read a profile of that name. The
// JavaScript SDK takes least.
func unreadable(name *string) bool {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@+:/%-"
	return name != nil && (*name == "" || *name == "DEFAULT" || strings.HasPrefix(*name, "-") || strings.Trim(*name, plain) != "")
}

func count(given ...bool) (n int) {
	for _, is := range given {
		if is {
			n++
		}
	}
	return n
}

// asked is what the command line says beyond the profile and the code, as words
// of a shell.
func (l *login) asked() (words []string) {
	if l.Duration.max {
		words = append(words, "--duration", "max")
	} else if l.Duration.length != 0 {
		words = append(words, "--duration", profile.Short(l.Duration.length))
	}
	if l.Force {
		words = append(words, "--force")
	}
	if l.MFASession {
		words = append(words, "--mfa-session")
	}
	if l.ProcessProfile != nil {
		words = append(words, "--process-profile", *l.ProcessProfile)
	}
	if l.CredentialsProfile != nil {
		words = append(words, "--credentials-profile", *l.CredentialsProfile)
	}
	if l.command != nil {
		words = append(words, "--")
		for _, word := range *l.command {
			words = append(words, cli.ShellWord(word))
		}
	}
	return words
}

// alone counts the flags that do something else than signing in.
func (l *login) alone() int { return count(l.Logout, l.SaveSeed, l.ForgetSeed) }

// handsOn counts the ways in which the session is handed on.
func (l *login) handsOn() int {
	return count(l.Format != "", l.ProcessProfile != nil, l.CredentialsProfile != nil, l.command != nil)
}
