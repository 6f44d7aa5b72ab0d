// Aws-mfa-login signs in to an AWS profile with MFA and leaves the session
// where the AWS CLI looks for it, or hands it on to those who look elsewhere.
package main

import (
	"context"
	"os"
	"runtime"

	"aws-mfa/shared/cli"
	"aws-mfa/shared/profile"
	"aws-mfa/shared/recall"
)

func main() { // unless warm has answered
	runtime.GOMAXPROCS(1) // one thing is done after another: other threads would only look for work
	cli.Main("aws-mfa-login", description, &login{})
}

// Run signs in to each profile in turn, or does what the flags say instead.
func (l *login) Run(ctx context.Context, v *cli.Voice) error {
	l.fingerprint = recall.Fingerprint(os.LookupEnv) // of what will be read
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
