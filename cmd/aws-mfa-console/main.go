// Aws-mfa-console opens the AWS web console with the session of a profile.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"aws-mfa/shared/cli"
	"aws-mfa/shared/profile"
	"aws-mfa/shared/session"
)

const description = `Open the AWS web console as the role of a profile, signing in first where needed. With no profile named and role credentials in the environment, those are used.

The browser is the first of $BROWSER (a list with colons, %s stands for the address) that starts, else the system's. It gets an address on this machine that works once; the sign-in URL itself is in no command line.`

type console struct {
	Profile     string       `arg:"" optional:"" help:"Profile of the AWS config files (default: credentials in the environment, $AWS_PROFILE, $AWS_DEFAULT_PROFILE, else \"default\")."`
	Print       bool         `help:"Print the sign-in URL instead of opening it. It is good for 15 minutes, and a secret."`
	Service     string       `placeholder:"NAME" xor:"where" help:"Open that service's page: s3, ec2, lambda, iam, …"`
	Destination string       `placeholder:"URL" xor:"where" help:"Open that page of the console."`
	Region      string       `placeholder:"REGION" help:"Region of the page (default: the profile's)."`
	Duration    cli.Duration `placeholder:"12h" help:"How long the console should stay signed in, 15m to 12h (default: as long as the session)."`
	cli.Flags
}

func main() { cli.Main("aws-mfa-console", description, &console{}) }

// Run gets a session, exchanges it for a sign-in URL, and opens that.
func (c *console) Run(ctx context.Context, v *cli.Voice) error {
	set, err := profile.Load(os.LookupEnv)
	if err != nil {
		return err
	}
	who, err := c.credentials(ctx, v, set)
	if err != nil {
		return err
	}
	page, err := c.page(who)
	if err != nil {
		return who.wrap(err)
	}
	url, err := c.signInURL(ctx, v, who, page)
	var refused *federationError
	switch {
	case errors.As(err, &refused) && who.profile != "":
		return who.wrap(cli.WithHints(err, "with a new session: "+cli.LoginCommand(who.profile)+" --force"))
	case err != nil:
		return who.wrap(err)
	}
	if c.Print {
		_, err := fmt.Fprintln(v.Stdout, url)
		return err
	}
	if err := openOnce(ctx, url, v.Trace); err != nil {
		return who.wrap(err)
	}
	v.Say("the console is open as %s", who.arn)
	return nil
}

// A bearer is the credentials that the console is opened with.
type bearer struct {
	profile string // "": the environment
	arn     string // of the assumed role
	keys    profile.Keys
	network profile.Network
	direct  bool // AssumeRole was called with long-term keys: AWS takes SessionDuration
}

func (b bearer) wrap(err error) error {
	if b.profile == "" {
		return err
	}
	return &cli.ProfileError{Profile: b.profile, Err: err}
}

// credentials are those of the profile, signed in to where needed, or those
// in the environment.
func (c *console) credentials(ctx context.Context, v *cli.Voice, set *profile.Set) (bearer, error) {
	if c.Profile == "" {
		keys, ok, err := set.EnvironmentKeys()
		if err != nil || ok && keys.Temporary() {
			return environment(ctx, v, set, keys, err)
		}
		c.Profile = set.Current().Text
	}
	b := bearer{profile: c.Profile}
	role, err := cli.Role(v, set, c.Profile)
	if err != nil {
		return bearer{}, b.wrap(err)
	}
	s, err := cli.SignIn(ctx, v, role, session.Options{Codes: c.Codes()})
	if err != nil {
		return bearer{}, b.wrap(err)
	}
	b.arn, b.network = s.AssumedRoleARN, role.Network
	if b.arn == "" { // an entry without it: the partition is that of the role all the same
		b.arn = role.RoleARN.Text
	}
	b.keys = profile.Keys{AccessKeyID: s.AccessKeyID, SecretAccessKey: s.SecretAccessKey, SessionToken: s.SessionToken}
	b.direct = role.Source.Role == nil && !role.Source.Keys.Temporary()
	return b, nil
}

// environment asks AWS who the credentials in the environment are, since only
// a role's can open the console.
func environment(ctx context.Context, v *cli.Voice, set *profile.Set, keys profile.Keys, err error) (bearer, error) {
	if err != nil {
		return bearer{}, err
	}
	network, err := set.Network(nil)
	if err != nil {
		return bearer{}, err
	}
	client, err := session.NewClient(network, "", v.Trace)
	if err != nil {
		return bearer{}, err
	}
	who, err := client.Identity(ctx, keys)
	if err != nil {
		return bearer{}, err
	}
	if a, _ := profile.ParseARN(who.ARN); !strings.HasPrefix(a.Resource, "assumed-role/") {
		return bearer{}, fmt.Errorf("the credentials in the environment are those of %s: AWS opens the console for sessions of a role only", who.ARN)
	}
	return bearer{arn: who.ARN, keys: keys, network: network}, nil
}

// signInURL exchanges the session for a URL. Where AWS refuses the asked for
// duration, it is asked once more without.
func (c *console) signInURL(ctx context.Context, v *cli.Voice, who bearer, page page) (string, error) {
	duration := time.Duration(c.Duration)
	if duration != 0 && !who.direct {
		v.Warn("AWS takes --duration only for a role assumed with long-term keys: going without")
		duration = 0
	}
	url, err := page.signIn(ctx, who, duration, v.Trace)
	var refused *federationError
	if duration != 0 && errors.As(err, &refused) && refused.status == 400 {
		v.Warn("AWS did not take --duration %s for this session: going without", profile.Short(duration))
		url, err = page.signIn(ctx, who, 0, v.Trace)
	}
	return url, err
}
