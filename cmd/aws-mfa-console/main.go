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

The browser gets an address on this machine that works once; the sign-in URL itself is in no command line. Over ssh, without a display, the URL is printed.`

type console struct {
	Profile     string       `arg:"" optional:"" help:"Profile of the AWS config files (default: credentials in the environment, $AWS_PROFILE, $AWS_DEFAULT_PROFILE, else \"default\")."`
	Print       bool         `help:"Print the sign-in URL instead of opening it. It is good for 15 minutes, and a secret."`
	Service     string       `placeholder:"NAME" xor:"where" help:"Open that service's page: s3, ec2, lambda, iam, …"`
	Destination string       `placeholder:"URL" xor:"where" help:"Open that page of the console."`
	Region      string       `placeholder:"REGION" help:"Region of the page (default: the profile's)."`
	Duration    cli.Duration `placeholder:"12h" help:"How long the console should stay signed in, 15m to 12h (default: as long as the session)."`
	opener
	cli.Flags
}

func main() { cli.Main("aws-mfa-console", description, &console{}) }

// Run gets a session, exchanges it for a sign-in URL, and opens that. What
// the flags ask for is checked before a code is.
func (c *console) Run(ctx context.Context, v *cli.Voice) error {
	set, err := profile.Load(os.LookupEnv)
	if err != nil {
		return err
	}
	who, err := c.bearer(ctx, v, set)
	if err != nil {
		return who.wrap(err)
	}
	page, err := c.page(who)
	if err != nil {
		return who.wrap(err)
	}
	way, err := c.way(who)
	if err != nil {
		return who.wrap(err)
	}
	if err := c.signIn(ctx, v, &who); err != nil {
		return who.wrap(err)
	}
	url, err := c.signInURL(ctx, v, who, page)
	if err != nil {
		return who.wrap(err)
	}
	if way.print {
		return c.tell(v, url)
	}
	if err := openOnce(ctx, url, way, v.Trace); err != nil {
		return who.wrap(err)
	}
	v.Say("the console is open as %s", who.arn)
	return nil
}

// A bearer is whom the console is opened as.
type bearer struct {
	profile string         // "": the environment
	login   *profile.Login // of the profile; nil for the environment
	chained bool           // the session was opened with the keys of another
	arn     string         // of the assumed role
	keys    profile.Keys
	network profile.Network
}

// site is an ARN in the partition whose console it is. What the profile says
// comes before what a cached session claims.
func (b bearer) site() string {
	if b.login != nil {
		return b.login.RoleARN.Text
	}
	return b.arn
}

// direct tells whether AssumeRole was called with long-term keys: only then
// AWS takes SessionDuration.
func (b bearer) direct() bool {
	return b.login != nil && !b.chained && !b.login.Source.Temporary()
}

func (b bearer) wrap(err error) error {
	if b.profile == "" {
		return err
	}
	return &cli.ProfileError{Profile: b.profile, Err: err}
}

// bearer is the role of the profile, or whose the credentials in the
// environment are.
func (c *console) bearer(ctx context.Context, v *cli.Voice, set *profile.Set) (bearer, error) {
	if c.Profile == "" {
		keys, ok, err := set.EnvironmentKeys()
		if err != nil || ok && keys.Temporary() {
			return environment(ctx, v, set, keys, err)
		}
		c.Profile = set.Current().Text
	}
	login, err := cli.Login(v, set, c.Profile)
	if err == nil && !login.IsRole() {
		err = &profile.UnsupportedError{Profile: c.Profile, Kind: profile.MFASession, Roles: set.Roles}
	}
	if err != nil {
		return bearer{profile: c.Profile}, err
	}
	return bearer{profile: c.Profile, login: login, network: login.Network}, nil
}

// signIn gives the bearer of a profile its session.
func (c *console) signIn(ctx context.Context, v *cli.Voice, b *bearer) error {
	if b.login == nil {
		return nil
	}
	s, err := cli.SignIn(ctx, v, b.login, session.Options{Clock: cli.NewClocks().Of(b.network), Codes: c.Codes(v)})
	if err != nil {
		return err
	}
	b.arn, b.chained = s.AssumedRoleARN, s.Chained
	b.keys = profile.Keys{AccessKeyID: s.AccessKeyID, SecretAccessKey: s.SecretAccessKey, SessionToken: s.SessionToken}
	return nil
}

// environment asks AWS who the credentials in the environment are, since only
// a role's can open the console.
func environment(ctx context.Context, v *cli.Voice, set *profile.Set, keys profile.Keys, err error) (bearer, error) {
	if err != nil {
		return bearer{}, err
	}
	network, err := set.EnvironmentNetwork()
	if err != nil {
		return bearer{}, err
	}
	v.TraceSettings("environment", network.Settings)
	client, err := session.NewClient(network, "", cli.NewClocks().Of(network), v.Trace)
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
	if duration != 0 && !who.direct() {
		v.Warn("AWS takes --duration only for a role assumed with long-term keys: going without")
		duration = 0
	}
	url, err := page.signIn(ctx, who, duration, v.Trace)
	var refused *federationError
	if duration != 0 && errors.As(err, &refused) && refused.status == 400 {
		v.Warn("AWS did not take --duration %s for this session: going without", profile.Short(duration))
		url, err = page.signIn(ctx, who, 0, v.Trace)
	}
	switch {
	case !errors.As(err, &refused):
		return url, err
	case refused.status == 400 && who.profile != "":
		return "", cli.WithHints(err, "with a new session: "+cli.LoginCommand(who.profile, "--force"))
	case who.network.Signin.Set:
		return "", cli.WithHints(err, fmt.Sprintf("the endpoint is %s (%s)", who.network.Signin.Text, who.network.Signin.From))
	}
	return "", cli.WithHints(err, "try again in a minute: AWS's sign-in may be out of order, or something between here and AWS answers for it")
}
