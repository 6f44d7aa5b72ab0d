// Aws-mfa-login signs in to an AWS profile with MFA and leaves the session
// where the AWS CLI looks for it, or hands it on to those who look elsewhere.
package main

import (
	"context"
	"os"
	"strings"

	"aws-mfa/shared/cli"
	"aws-mfa/shared/profile"
	"aws-mfa/shared/session"
)

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

// Run signs in to each profile in turn, or does what the flags say instead.
func (l *login) Run(ctx context.Context, v *cli.Voice) error {
	if l.Format == "process" {
		l.fingerprint = profile.Fingerprint(os.LookupEnv)
	}
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
