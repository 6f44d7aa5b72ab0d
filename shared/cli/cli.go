// Package cli is being one of our commands: parse, interrupt, speak, hint,
// exit.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"

	"aws-mfa/shared/dump"
	"aws-mfa/shared/profile"
	"aws-mfa/shared/wording"

	"github.com/alecthomas/kong"
)

// Exit statuses, the same for all commands.
const (
	Done        = 0
	Failed      = 1
	Misused     = 2 // a bad flag or argument
	NotSignedIn = 3
	Signalled   = 128 // and the signal's number, as shells have it: 130 for Ctrl-C
)

// A Status is an error that only sets the exit status: all has been said.
type Status int

func (s Status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// A UsageError is an argument or a combination of flags that makes no sense.
type UsageError string

func (e UsageError) Error() string { return string(e) }

// A ProfileError tells in which profile Err happened.
type ProfileError struct {
	Profile string
	Err     error
	Asked   []string // what else was on the command line, for the next try
}

func (e *ProfileError) Error() string {
	text, named := e.Err.Error(), fmt.Sprintf("profile %q", e.Profile)
	if strings.Contains(text, named) {
		return text
	}
	return named + ": " + text
}

func (e *ProfileError) Unwrap() error { return e.Err }

// A tell is the flag that tells the version. With kong's own there would be a
// variable to be looked for in each text of each flag, at each start.
type tell bool

// BeforeApply prints the version, whatever else is in the command line.
func (tell) BeforeApply(app *kong.Kong) error {
	_, err := io.WriteString(app.Stdout, app.Model.Name+" "+Version()+"\n")
	app.Exit(0)
	return err
}

// An interrupt is the signal that asked us to end.
type interrupt struct{ syscall.Signal }

func (i interrupt) Error() string { return i.Signal.String() }

// Flags are those that every command has.
type Flags struct {
	NoInput bool `help:"Never ask for anything: fail at once, saying what to run."`
	Verbose bool `help:"Say where each setting came from and what is requested; never a secret."`
	Version tell `help:"Print the version."`

	Completion completion `enum:",bash,zsh,fish,powershell" default:"" placeholder:"SHELL" help:"Print the script for completion in a shell: bash, zsh, fish or powershell."`
}

// AfterApply makes the voice as verbose as was asked for.
func (f Flags) AfterApply(v *Voice) error {
	v.verbose = f.Verbose
	return nil
}

// A Command is the kong struct of a program; it embeds Flags.
type Command interface {
	// Run does the work. It gives way to ctx, whose cause it then returns.
	Run(ctx context.Context, v *Voice) error
}

// A Runner is a Command that runs another one: what stands behind "--".
type Runner interface {
	Command
	// Take is given the words behind "--", which may be none.
	Take(words []string)
}

// A Voice is how a command speaks: answers on Stdout, speech on stderr.
type Voice struct {
	Stdin  io.Reader
	Stdout io.Writer

	name    string
	stderr  io.Writer
	verbose bool
	quiet   bool
	remedy  string          // in Terse speech
	exposed map[string]bool // files that were told to be open to others
	mu      sync.Mutex
	advised bool
	drawn   int // length of the live line that is to be seen
}

// Quiet makes the voice tell of nothing but errors, unless with --verbose.
func (v *Voice) Quiet() { v.quiet = true }

// Terse makes the voice that of a command that other programs run for their
// own users: it tells of nothing but an error, in one line with the command to
// run. With --verbose it tells all the same.
func (v *Voice) Terse(remedy string) { v.remedy = remedy }

// terse tells whether errors are told in one line.
func (v *Voice) terse() bool { return v.remedy != "" && !v.verbose }

// silent tells whether nothing but errors is told.
func (v *Voice) silent() bool { return v.terse() || v.quiet && !v.verbose }

// Say tells something on stderr, as one line.
func (v *Voice) Say(format string, args ...any) { v.tell("", format, args...) }

// Warn tells of something that did not stop the command.
func (v *Voice) Warn(format string, args ...any) { v.tell("warning: ", format, args...) }

// Hint tells a command that can be pasted, or a fact that helps.
func (v *Voice) Hint(format string, args ...any) { v.tell("hint: ", format, args...) }

// Advised tells whether there was a warning or a hint, to be told or not.
func (v *Voice) Advised() bool { return v.advised }

func (v *Voice) tell(kind, format string, args ...any) {
	v.advised = v.advised || kind != ""
	if !v.silent() {
		v.line(kind, fmt.Sprintf(format, args...))
	}
}

// Verbose tells whether Trace speaks.
func (v *Voice) Verbose() bool { return v.verbose }

// Trace speaks with --verbose only.
func (v *Voice) Trace(format string, args ...any) {
	if v.verbose {
		v.Say(format, args...)
	}
}

// TraceSettings tells where each setting of a profile came from.
func (v *Voice) TraceSettings(name string, settings []profile.Setting) {
	for _, s := range settings {
		v.Trace("%s: %s = %s (%s)", name, s.Name, s.Text, s.From)
	}
}

// Fail tells an error and its hints.
func (v *Voice) Fail(err error) {
	if v.terse() {
		v.line("error: ", err.Error()+"; run: "+remedy(err, v.remedy))
		return
	}
	v.line("error: ", err.Error())
	for _, h := range hints(err, v.name) {
		v.Hint("%s", h)
	}
}

func (v *Voice) line(kind, text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.erase()
	fmt.Fprintf(v.stderr, "%s: %s%s\n", v.name, kind, wording.Brief(text))
}

// Main runs the command with the arguments of the process, and ends it.
func Main(name, description string, c Command) {
	dump.Off()
	log.SetOutput(io.Discard) // where net/http quotes what nobody asked for
	os.Exit(run(name, description, c, os.Args[1:]))
}

func run(name, description string, c Command, args []string) int {
	v := &Voice{Stdin: os.Stdin, Stdout: os.Stdout, name: name, stderr: os.Stderr}
	if len(args) == 2 && args[0] == asksToComplete {
		return complete(v, description, c, args[1])
	}
	if runner, ok := c.(Runner); ok {
		if at := slices.Index(args, "--"); at >= 0 {
			runner.Take(args[at+1:])
			args = args[:at]
		}
	}
	status, err := parse(v, description, c, args)
	if err != nil {
		v.Fail(err)
	}
	if status >= 0 {
		return status
	}
	return v.report(c.Run(interruptible(), v))
}

// parse fills the command; a status of 0 or more says that this was all.
func parse(v *Voice, description string, c Command, args []string) (int, error) {
	parser, err := newParser(v, description, c)
	if err != nil {
		return Failed, err
	}
	status := -1
	var answer strings.Builder // of --help, --version and --completion
	parser.Stdout, parser.Exit = &answer, func(code int) { status = code }
	if _, err := parser.Parse(args); err != nil && status < 0 {
		// A value for --save-seed may be a seed.
		text, _, noValue := strings.Cut(err.Error(), ": bool value must be")
		if noValue {
			text += " takes no value"
		}
		text = strings.Replace(text, `must be one of "",`, "must be one of ", 1)
		return Misused, UsageError(text)
	}
	if answer.Len() > 0 {
		if _, err := io.WriteString(v.Stdout, answer.String()); err != nil {
			return Failed, err
		}
	}
	return status, nil
}

// newParser is the parser of the command.
func newParser(v *Voice, description string, c Command) (*kong.Kong, error) {
	parser, err := kong.New(c,
		kong.Name(v.name),
		kong.Description(description),
		kong.Bind(v),
		kong.Help(func(o kong.HelpOptions, ctx *kong.Context) error { return help(o, ctx, c) }),
	)
	if err == nil {
		parser.Model.HelpFlag.Help = "Show this help."
	}
	return parser, err
}

// environment ends every --help. Source:
// https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
const environment = `
Environment:
  AWS_PROFILE, AWS_DEFAULT_PROFILE    profile when none is named
  AWS_CONFIG_FILE                     instead of ~/.aws/config
  AWS_SHARED_CREDENTIALS_FILE         instead of ~/.aws/credentials
  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
                                      credentials (credential_source = Environment)
  AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, AWS_CONTAINER_CREDENTIALS_FULL_URI,
  AWS_CONTAINER_AUTHORIZATION_TOKEN, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE,
  AWS_EC2_METADATA_DISABLED, AWS_EC2_METADATA_SERVICE_ENDPOINT
                                      other values of credential_source
  AWS_REGION, AWS_DEFAULT_REGION      region, before the profile's
  AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL_SIGNIN, AWS_ENDPOINT_URL,
  AWS_IGNORE_CONFIGURED_ENDPOINT_URLS, AWS_STS_REGIONAL_ENDPOINTS,
  AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT
                                      where AWS is reached
  AWS_CA_BUNDLE, HTTPS_PROXY, NO_PROXY, AWS_MAX_ATTEMPTS
                                      how AWS is reached
  NO_COLOR                            no colour, if set

Exit status:
  0 done, 1 failed, 2 misused, 3 not signed in (aws-mfa-status), 130 interrupted
`

// help prints the answer to --help.
func help(options kong.HelpOptions, ctx *kong.Context, c Command) error {
	options.WrapUpperBound = 100
	out := ctx.Stdout
	var text strings.Builder
	ctx.Stdout = &text
	err := kong.DefaultHelpPrinter(options, ctx)
	ctx.Stdout = out
	if err != nil {
		return err
	}
	usage, end := "[flags]", environment
	if _, ok := c.(Runner); ok {
		usage += " [-- COMMAND [ARG ...]]"
		end += "  with a command: its own, 127 if it is not found, 126 if it cannot be run\n"
	}
	_, err = io.WriteString(out, strings.Replace(text.String(), "[flags]", usage, 1)+end)
	return err
}

// A patient context ends with the first signal to end; the second one ends
// the process the hard way. Signals are watched from when somebody first looks
// at it: before, nothing is under way that would have to be undone, and
// watching costs threads that a command which only tells what it knows does
// not need.
type patient struct {
	context.Context
	watch func() // once
}

func (p patient) Done() <-chan struct{} {
	p.watch()
	return p.Context.Done()
}

func (p patient) Err() error {
	p.watch()
	return p.Context.Err()
}

func interruptible() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	return patient{ctx, sync.OnceFunc(func() {
		signals := make(chan os.Signal, 1)
		for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP} {
			if !signal.Ignored(s) { // as nohup makes it
				signal.Notify(signals, s)
			}
		}
		go func() {
			if s, ok := (<-signals).(syscall.Signal); ok {
				signal.Stop(signals)
				cancel(interrupt{s})
			}
		}()
	})}
}

// report tells how the command ended, and returns the exit status for it.
func (v *Voice) report(err error) int {
	var (
		status  Status
		signal  interrupt
		misused UsageError
	)
	switch {
	case err == nil:
		return Done
	case errors.As(err, &status):
		return int(status)
	case errors.As(err, &signal):
		return Signalled + int(signal.Signal)
	}
	v.Fail(err)
	var own interface{ Status() int }
	switch {
	case errors.As(err, &misused):
		return Misused
	case errors.As(err, &own):
		return own.Status()
	}
	return Failed
}

// version is set by the linker for releases.
var version string

// Version is the program's version: the release, else what the Go toolchain
// recorded.
func Version() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
