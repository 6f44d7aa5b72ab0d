package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"aws-mfa/shared/cli"
)

const behaviour = "AWS_MFA_TEST_COMMAND" // what this program does in the place of a command

func TestMain(m *testing.M) {
	switch b := os.Getenv(behaviour); b {
	case "":
		os.Exit(m.Run())
	case "start":
		os.Exit(start(os.Args[1:]))
	case "report":
		json.NewEncoder(os.Stdout).Encode(report{os.Args, os.Environ(), os.Getpid()})
	default:
		var status int
		fmt.Sscan(b, &status)
		os.Exit(status)
	}
}

// start runs a command as aws-mfa-login does, with the behaviour that its first
// argument names, and returns the exit status where that is left to it.
func start(args []string) int {
	signals := make(chan os.Signal, 1)
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s) // as the command's context does
		}
	}
	os.Setenv(behaviour, args[0])
	env := os.Environ()
	if args[0] == "nothing" {
		env = nil
	}
	path, err := find(args[1])
	if err == nil {
		err = run(context.Background(), path, args[1:], env)
	}
	var status cli.Status
	var failed *startError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	case errors.As(err, &failed):
		fmt.Fprintln(os.Stderr, err)
		return failed.Status()
	}
	return -1
}

// A report is what a command was started with.
type report struct {
	Args, Env []string
	PID       int
}

// starting is this program about to run a command.
func starting(t *testing.T, does string, command ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(self(t), append([]string{does}, command...)...)
	cmd.Env = append(os.Environ(), behaviour+"=start")
	return cmd
}

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheCommandHasTheSessionAndTheRegion(t *testing.T) {
	t.Parallel()
	session := []string{
		"AWS_ACCESS_KEY_ID=" + example.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + example.SecretAccessKey,
		"AWS_SESSION_TOKEN=" + example.SessionToken,
		"AWS_CREDENTIAL_EXPIRATION=2026-11-21T07:41:08+00:00",
	}
	region := []string{"AWS_REGION=eu-west-1", "AWS_DEFAULT_REGION=eu-west-1"}
	for _, c := range []struct {
		name, region     string
		inherited, stays []string
		wantRegion       []string
	}{
		{name: "nothing inherited"},
		{name: "a region", region: "eu-west-1", wantRegion: region},
		{
			name: "all else stays, in order", region: "eu-west-1", wantRegion: region,
			inherited: []string{"PATH=/bin", "AWS_PROFILES=x", "A=1", "MY_AWS_PROFILE=y", "AWS_CA_BUNDLE=/ca", "EMPTY=", "A=2", "no equals sign", "E=a=b"},
			stays:     []string{"PATH=/bin", "AWS_PROFILES=x", "A=1", "MY_AWS_PROFILE=y", "AWS_CA_BUNDLE=/ca", "EMPTY=", "A=2", "no equals sign", "E=a=b"},
		},
		{
			name: "what was there before is replaced", region: "eu-west-1", wantRegion: region,
			inherited: []string{"AWS_SESSION_TOKEN=old", "A=1", "AWS_ACCESS_KEY_ID=old", "AWS_ACCESS_KEY_ID=older", "AWS_SECRET_ACCESS_KEY=", "AWS_CREDENTIAL_EXPIRATION=old", "AWS_REGION=old", "AWS_DEFAULT_REGION=old"},
			stays:     []string{"A=1"},
		},
		{
			name:      "what leads to other credentials goes",
			inherited: []string{"AWS_PROFILE=p", "AWS_DEFAULT_PROFILE=p", "A=1", "AWS_SECURITY_TOKEN=old"},
			stays:     []string{"A=1"},
		},
		{
			name:      "without a region the inherited one stays",
			inherited: []string{"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-2"},
			stays:     []string{"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-2"},
		},
		{
			name:      "the current directories of Windows drives stay",
			inherited: []string{`=C:=C:\Users\jane`, `=::=::\`},
			stays:     []string{`=C:=C:\Users\jane`, `=::=::\`},
		},
	} {
		inherited := slices.Clone(c.inherited)
		got, want := environmentOf(inherited, example, c.region), slices.Concat(c.stays, session, c.wantRegion)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", c.name, got, want)
		}
		if !slices.Equal(inherited, c.inherited) {
			t.Errorf("%s: what was inherited has changed: %q", c.name, inherited)
		}
	}
}

func TestNamesOfVariablesHaveNoCaseOnWindowsOnly(t *testing.T) {
	t.Parallel()
	got := len(environmentOf([]string{"aws_profile=p", "Aws_Access_Key_Id=old"}, example, "")) - len(variables(example))
	if want := map[bool]int{true: 0, false: 2}[runtime.GOOS == "windows"]; got != want {
		t.Errorf("got %d of them left, want %d", got, want)
	}
}

func TestACommandThatIsNotFoundHasTheExitStatusOfShells(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	for _, command := range []string{"", "nowhere", "two words", filepath.Join(dir, "nowhere"), "." + string(filepath.Separator) + "nowhere"} {
		wantNotStarted(t, command, 127, "")
	}
}

// wantNotStarted wants an error that begins with text, after the command.
func wantNotStarted(t *testing.T, command string, status int, text string) {
	t.Helper()
	path, err := find(command)
	var failed *startError
	if path != "" || !errors.As(err, &failed) || failed.Status() != status || !strings.HasPrefix(err.Error(), fmt.Sprintf("command %q: %s", command, text)) {
		t.Errorf("%q: got %q, %v, want %d: %s", command, path, err, status, text)
	}
}

func TestWhyACommandDidNotStartIsToldWithoutItsPaths(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err    error
		want   string
		status int
	}{
		{&exec.Error{Name: "x", Err: exec.ErrNotFound}, exec.ErrNotFound.Error(), 127},
		{&exec.Error{Name: "x", Err: &fs.PathError{Op: "stat", Path: "x", Err: fs.ErrNotExist}}, fs.ErrNotExist.Error(), 127},
		{&exec.Error{Name: "x", Err: fs.ErrPermission}, fs.ErrPermission.Error(), 126},
		{&exec.Error{Name: "x", Err: exec.ErrDot}, exec.ErrDot.Error(), 126},
	} {
		err := &startError{"x y", c.err}
		if got, want := err.Error(), `command "x y": `+c.want; got != want || err.Status() != c.status || !errors.Is(err, c.err) {
			t.Errorf("got %q, %d, want %q, %d", got, err.Status(), want, c.status)
		}
	}
}

func TestTheExitStatusIsTheCommands(t *testing.T) {
	t.Parallel()
	for _, want := range []int{0, 1, 3, 7, 126, 127, 255} {
		cmd := starting(t, fmt.Sprint(want), self(t))
		if out, err := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != want || len(out) != 0 {
			t.Errorf("got %v, %s, want %d", err, out, want)
		}
	}
}

func TestTheCommandHasItsArgumentsAndStreams(t *testing.T) {
	t.Parallel()
	want := []string{self(t), "a b", "", "--", "-t", "*", `"'\`, "$HOME", "é"}
	var stderr strings.Builder
	cmd := starting(t, "report", want...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() != 0 {
		t.Fatalf("got %v, %s", err, stderr.String())
	}
	var got report
	if err := json.Unmarshal(out, &got); err != nil || !slices.Equal(got.Args, want) {
		t.Errorf("got %q, %v, want %q", got.Args, err, want)
	}
	if !slices.Contains(got.Env, behaviour+"=report") {
		t.Errorf("got environment %q", got.Env)
	}
}

// Ctrl-C while the session is opened is for the command too.
func TestNothingIsStartedOnceTheContextHasEnded(t *testing.T) {
	t.Parallel()
	enough := errors.New("the user has had enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(enough)
	if err := run(ctx, self(t), []string{"x"}, []string{behaviour + "=1"}); err != enough {
		t.Errorf("got %v, want the cause", err)
	}
}
