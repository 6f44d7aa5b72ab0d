package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A fake is a command that does what the test says.
type fake struct {
	Names []string `arg:"" optional:"" help:"Names."`
	Width int      `default:"80" help:"Width."`
	Flags
	run func(context.Context, *Voice) error
}

func (f *fake) Run(ctx context.Context, v *Voice) error { return f.run(ctx, v) }

// obey runs the command with those arguments, as Main does, and returns the
// exit status and what it said.
func obey(t *testing.T, do func(context.Context, *Voice) error, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	out, err := captured(t, &os.Stdout), captured(t, &os.Stderr)
	status = run("aws-mfa-test", "Test the tests.", &fake{run: do}, args)
	return status, out(), err()
}

// captured puts a file in the place of a stream, until what was written to it
// is asked for.
func captured(t *testing.T, stream **os.File) func() string {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	before := *stream
	*stream = file
	return func() string {
		*stream = before
		file.Close()
		data, err := os.ReadFile(file.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
}

func returns(err error) func(context.Context, *Voice) error {
	return func(context.Context, *Voice) error { return err }
}

func TestExitStatuses(t *testing.T) {
	mustNotRun := returns(errors.New("this must not run"))
	for _, c := range []struct {
		name   string
		do     func(context.Context, *Voice) error
		args   []string
		want   int
		stderr string
	}{
		{"done", returns(nil), nil, 0, ""},
		{"failed", returns(errors.New("no luck")), nil, 1, "aws-mfa-test: error: no luck\n"},
		{"not signed in", returns(Status(3)), nil, 3, ""},
		{"a status within", returns(fmt.Errorf("x: %w", Status(7))), nil, 7, ""},
		{"a bad flag", mustNotRun, []string{"--nonsense"}, 2, "aws-mfa-test: error: unknown flag --nonsense\naws-mfa-test: hint: aws-mfa-test --help\n"},
		{"a bad value", mustNotRun, []string{"--width", "wide"}, 2, "aws-mfa-test: error: --width: expected a valid 64 bit int but got \"wide\"\naws-mfa-test: hint: aws-mfa-test --help\n"},
		{"misused", returns(UsageError("not that way")), nil, 2, "aws-mfa-test: error: not that way\naws-mfa-test: hint: aws-mfa-test --help\n"},
		{"misused within a profile", returns(&ProfileError{Profile: "p", Err: UsageError("not that way")}), nil, 2, "aws-mfa-test: error: profile \"p\": not that way\naws-mfa-test: hint: aws-mfa-test --help\n"},
		{"interrupted", returns(fmt.Errorf("x: %w", interrupt{syscall.SIGINT})), nil, 130, ""},
		{"ended", returns(interrupt{syscall.SIGTERM}), nil, 143, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, stdout, stderr := obey(t, c.do, c.args...)
			if got != c.want || stdout != "" || stderr != c.stderr {
				t.Errorf("got %d, %q, %q\nwant %d and %q on stderr", got, stdout, stderr, c.want, c.stderr)
			}
		})
	}
}

func TestVersionAndHelpAreAnswers(t *testing.T) {
	mustNotRun := returns(errors.New("this must not run"))
	status, stdout, stderr := obey(t, mustNotRun, "--version")
	if status != 0 || stderr != "" || !regexp.MustCompile(`^aws-mfa-test \S+\n$`).MatchString(stdout) {
		t.Errorf("--version: got %d, %q, %q", status, stdout, stderr)
	}
	for _, args := range [][]string{{"--help"}, {"-h"}, {"--width", "1", "--help", "name"}} {
		status, stdout, stderr = obey(t, mustNotRun, args...)
		if status != 0 || stderr != "" {
			t.Errorf("%q: got %d, %q", args, status, stderr)
		}
		for _, part := range []string{"Usage: aws-mfa-test ", "Test the tests.", "--no-input", "--verbose", "AWS_PROFILE", "NO_COLOR", "130 interrupted"} {
			if !strings.Contains(stdout, part) {
				t.Errorf("%q: the help lacks %q:\n%s", args, part, stdout)
			}
		}
	}
}

func TestAnAnswerThatCannotBeWrittenIsNone(t *testing.T) {
	file, err := os.Open(os.DevNull) // to be read
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, args := range [][]string{{"--help"}, {"--version"}, {"--completion", "bash"}} {
		before, stderr := os.Stdout, captured(t, &os.Stderr)
		os.Stdout = file
		status := run("aws-mfa-test", "Test the tests.", &fake{run: returns(nil)}, args)
		os.Stdout = before
		if said := stderr(); status != Failed || !strings.HasPrefix(said, "aws-mfa-test: error: write "+os.DevNull+": ") {
			t.Errorf("%v: got status %d, want %d\n%s", args, status, Failed, said)
		}
	}
}

func TestArgumentsReachTheCommand(t *testing.T) {
	var names []string
	c := &fake{}
	c.run = func(context.Context, *Voice) error { names = c.Names; return nil }
	if status := run("aws-mfa-test", "", c, []string{"--width", "3", "--no-input", "--", "a", "-b"}); status != 0 {
		t.Errorf("got %d", status)
	}
	if strings.Join(names, ",") != "a,-b" || c.Width != 3 || !c.NoInput || c.Verbose {
		t.Errorf("got %q, %+v", names, c)
	}
}

// As for git and aws: flags and names in any order.
// Names stand together: kong takes them in one run.
func TestNamesMayStandBeforeOrBehindFlags(t *testing.T) {
	for _, args := range [][]string{{"a", "b", "--width", "3"}, {"--width", "3", "a", "b"}} {
		var names []string
		c := &fake{}
		c.run = func(context.Context, *Voice) error { names = c.Names; return nil }
		stderr := captured(t, &os.Stderr)
		status := run("aws-mfa-test", "", c, args)
		if said := stderr(); status != 0 || strings.Join(names, ",") != "a,b" || c.Width != 3 {
			t.Errorf("%q: got %d, %q, %d, %q", args, status, names, c.Width, said)
		}
	}
}

func TestAnInterruptEndsTheContextWithItsStatus(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot interrupt itself")
	}
	for signal, want := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143, syscall.SIGHUP: 129} {
		status, _, stderr := obey(t, func(ctx context.Context, _ *Voice) error {
			done := ctx.Done() // signals count from when somebody waits
			self, err := os.FindProcess(os.Getpid())
			if err != nil {
				return err
			}
			if err := self.Signal(signal); err != nil {
				return err
			}
			<-done
			return fmt.Errorf("on the way up: %w", context.Cause(ctx))
		})
		if status != want || stderr != "" {
			t.Errorf("%v: got %d, %q, want %d and silence", signal, status, stderr, want)
		}
	}
}

const stubborn = "AWS_MFA_TEST_STUBBORN"

// Whatever hangs in spite of the first signal ends with the second.
func TestTheSecondInterruptEndsTheHardWay(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("processes are not interrupted one by one")
	}
	if os.Getenv(stubborn) != "" {
		os.Exit(run("aws-mfa-test", "", &fake{run: func(ctx context.Context, _ *Voice) error {
			done := ctx.Done()
			fmt.Println("ready")
			<-done
			fmt.Println("interrupted")
			select {}
		}}, nil))
	}
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTheSecondInterruptEndsTheHardWay$")
	command.Env = append(os.Environ(), stubborn+"=1")
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for _, want := range []string{"ready", "interrupted"} {
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("got %q, want %q", lines.Text(), want)
		}
		if err := command.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
	}
	err = command.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatalf("got %v", err)
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGINT {
		t.Errorf("got %v, want the signal's death", err)
	}
}

func TestVerboseIsForTraces(t *testing.T) {
	speak := func(_ context.Context, v *Voice) error {
		v.Trace("region is %s", "eu-west-1")
		v.Say("hello")
		v.Warn("careful")
		fmt.Fprintln(v.Stdout, "answer")
		return nil
	}
	for args, want := range map[string]string{
		"":          "aws-mfa-test: hello\naws-mfa-test: warning: careful\n",
		"--verbose": "aws-mfa-test: region is eu-west-1\naws-mfa-test: hello\naws-mfa-test: warning: careful\n",
	} {
		_, stdout, stderr := obey(t, speak, strings.Fields(args)...)
		if stdout != "answer\n" || stderr != want {
			t.Errorf("%q: got %q, %q, want %q", args, stdout, stderr, want)
		}
	}
}

func TestEverythingSaidIsOneLine(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	v := &Voice{name: "aws-mfa-test", stderr: &said}
	v.Say("a\n%s", "b\x1bc")
	v.Fail(WithHints(errors.New("bad\nworse"), "do\nthis"))
	want := "aws-mfa-test: a; b\\x1bc\naws-mfa-test: error: bad; worse\naws-mfa-test: hint: do; this\n"
	if said.String() != want {
		t.Errorf("got %q, want %q", said.String(), want)
	}
}

func TestDurations(t *testing.T) {
	t.Parallel()
	const form, bounds = "is not a duration such as 90m, 12h or 3600", "lasts from 15 minutes to 12 hours, not "
	for text, want := range map[string]any{
		"900":                  15 * time.Minute,
		"15m":                  15 * time.Minute,
		"90m":                  90 * time.Minute,
		"1h30m":                90 * time.Minute,
		"1.5h":                 90 * time.Minute,
		"3600":                 time.Hour,
		"+3600":                time.Hour,
		"43200":                12 * time.Hour,
		"12h":                  12 * time.Hour,
		"899":                  bounds + "14m59s",
		"14m59s":               bounds + "14m59s",
		"43201":                bounds + "12h0m1s",
		"12h1ns":               bounds,
		"1h0.5s":               bounds,
		"0":                    bounds + "0s",
		"-3600":                bounds + "-1h",
		"":                     form,
		"1d":                   form,
		"1 h":                  form,
		"3600.5":               form,
		"0x1000":               form,
		"1_000":                form,
		"９００":                  form,
		"99999999999999999999": form,
		"9999999999999":        form,
		"\x1b[31m":             form,
	} {
		var d Duration
		err := d.UnmarshalText([]byte(text))
		switch want := want.(type) {
		case time.Duration:
			if err != nil || time.Duration(d) != want {
				t.Errorf("%q: got %s, %v, want %s", text, time.Duration(d), err, want)
			}
		case string:
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\x1b") {
				t.Errorf("%q: got %v, want %q", text, err, want)
			}
		}
	}
}

func TestAProfileIsNamedOnce(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"session expired":                                `profile "a b": session expired`,
		`profile "a b": role_arn: is missing`:            `profile "a b": role_arn: is missing`,
		`profile "a" takes its keys from profile "base"`: `profile "a b": profile "a" takes its keys from profile "base"`,
	} {
		inner := errors.New(text)
		err := &ProfileError{Profile: "a b", Err: inner}
		if err.Error() != want || !errors.Is(err, inner) {
			t.Errorf("got %q, want %q", err, want)
		}
	}
}

func TestStdinIsThatOfTheProcess(t *testing.T) {
	before := os.Stdin
	defer func() { os.Stdin = before }()
	var writer *os.File
	var err error
	if os.Stdin, writer, err = os.Pipe(); err != nil {
		t.Fatal(err)
	}
	io.WriteString(writer, "123456\n")
	writer.Close()
	obey(t, func(_ context.Context, v *Voice) error {
		got, err := io.ReadAll(v.Stdin)
		if string(got) != "123456\n" {
			t.Errorf("got %q, %v", got, err)
		}
		return nil
	})
}
