// Aws-mfa-console opens the AWS web console with the session of a profile.
package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"runtime"
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
	Service     filled       `placeholder:"NAME" xor:"where" help:"Open that service's page: s3, ec2, lambda, iam, … (\"list\" prints all names, and needs no profile)."`
	Destination filled       `placeholder:"PAGE" xor:"where" help:"Open that page of the console: a URL, or its path such as lambda/home#/functions. Only of the role's partition."`
	Region      filled       `placeholder:"REGION" help:"Region of the page (default: the profile's)."`
	Duration    cli.Duration `placeholder:"12h" help:"How long the console should stay signed in, 15m to 12h (default: as long as the session)."`
	LogoutFirst bool         `help:"Sign the browser out of the console first, for when AWS says that you must. Not the default: with multi-session support, where identities are signed in side by side, it would end theirs."`
	SwitchRole  bool         `help:"Open, or with --print print, the console's page that switches to the profile's role instead. It needs no credentials: whoever is signed in to the console switches."`

	AccountAlias accountAlias `placeholder:"NAME" help:"With --switch-role, the account's alias in place of its number."`
	opener
	cli.Flags
}

// filled is text that is not empty: a variable of a shell that is not set would
// go unnoticed.
type filled string

func (f *filled) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("is empty")
	}
	*f = filled(text)
	return nil
}

// Suggest returns values for completion.
func (c *console) Suggest(flag string) (all []cli.Suggestion) {
	switch flag {
	case "service":
		for _, s := range services {
			all = append(all, cli.Suggestion{Text: s.name, About: strings.Join(strings.Fields(s.also), ", ")})
		}
		return append(all, cli.Suggestion{Text: allServices, About: "print all names"})
	case "region":
		return regions
	case "browser":
		m := thisMachine()
		for _, words := range append(m.firefox(), m.chrome()...) {
			if _, err := m.look(words[0]); err == nil && len(words) == 1 {
				all = append(all, cli.Suggestion{Text: words[0]})
			}
		}
	}
	return all
}

func main() {
	runtime.GOMAXPROCS(1) // one thing is done after another: other threads would only look for work
	cli.Main("aws-mfa-console", description, &console{})
}

// Run gets a session, exchanges it for a sign-in URL, and opens that. What
// the flags ask for is checked before a code is.
func (c *console) Run(ctx context.Context, v *cli.Voice) error {
	if err := c.checkFlags(); err != nil {
		return err
	}
	if c.Service == allServices {
		return printServices(v.Stdout)
	}
	set, err := profile.Load(os.LookupEnv)
	if err != nil {
		return err
	}
	if c.SwitchRole {
		return c.switchRole(ctx, v, set)
	}
	who, err := bearerOf(ctx, v, set, c.Profile)
	if err != nil {
		return who.wrap(err)
	}
	page, err := c.page(who)
	if err != nil {
		return who.wrap(err)
	}
	way, err := c.way(who.site())
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
	url = page.open(url)
	if way.print {
		return c.tell(v, url, "; it is a secret, and good for 15 minutes")
	}
	if err := openOnce(ctx, url, way, v.Trace); err != nil {
		return who.wrap(err)
	}
	v.Say("the console is open as %s", who.arn)
	return nil
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
	b.arn, b.origin = s.AssumedRoleARN, s.Origin
	b.keys = profile.Keys{AccessKeyID: s.AccessKeyID, SecretAccessKey: s.SecretAccessKey, SessionToken: s.SessionToken}
	return nil
}

// signInURL exchanges the session for a URL. Where AWS refuses the asked for
// duration, it is asked once more without.
func (c *console) signInURL(ctx context.Context, v *cli.Voice, who bearer, page page) (string, error) {
	duration := time.Duration(c.Duration)
	if duration != 0 && who.origin != session.Direct {
		who.warnOfDuration(v)
		duration = 0
	}
	url, err := page.signIn(ctx, who, duration, v.Trace)
	var refused *federationError
	if duration != 0 && errors.As(err, &refused) && refused.status == http.StatusBadRequest {
		v.Warn("AWS did not take --duration %s for this session: going without", profile.Short(duration))
		url, err = page.signIn(ctx, who, 0, v.Trace)
	}
	if errors.As(err, &refused) {
		err = cli.WithHints(err, refused.hints(who)...)
	}
	return url, err
}
