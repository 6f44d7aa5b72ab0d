//go:build unix

package mfa

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

const setting = "mfa_process (/home/jane/.aws/config:12)"

func shell(script string) Command {
	return Command{Words: []string{"sh", "-c", script}, From: setting}
}

func TestAProgramPrintsACode(t *testing.T) {
	for name, script := range map[string]string{
		"code":          `echo 012345`,
		"no newline":    `printf 012345`,
		"CRLF":          `printf '012345\r\n'`,
		"space around":  `printf '\n \t012345  \n\n'`,
		"in two writes": `printf 012; sleep 0.05; printf 345`,
		"and complains": `echo 012345; echo "(of a test, to be ignored)" >&2`,
		"a lot":         `printf '%4090d012345' 0 | tr 0 ' ' | sed 's/ 12345/012345/'`,
	} {
		if code, err := shell(script).run(t.Context(), nil); code != "012345" || err != nil {
			t.Errorf("%s: got %q, %v", name, code, err)
		}
	}
	out := &output{}
	out.text.WriteString("١٢٣٤٥٦")
	if _, err := shell("").code(nil, out); err == nil {
		t.Error("got no error for digits that are not 0 to 9")
	}
}

// Nothing that is printed, nor the arguments (all of which hold hunter2 here),
// is in any error.
func TestAProgramThatPrintsNoCode(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"nothing":          {`: hunter2`, "printed nothing"},
		"space":            {`printf ' \n\n'`, "printed nothing"},
		"a word":           {`echo hunter2`, "printed something that is not one code"},
		"seven digits":     {`echo 1234567`, "printed something that is not one code"},
		"five digits":      {`echo 12345`, "printed something that is not one code"},
		"code and word":    {`echo 123456 hunter2`, "printed something that is not one code"},
		"spaced code":      {`echo 123 456`, "printed something that is not one code"},
		"two lines":        {`echo hunter2; echo 123456`, "printed more than one line"},
		"two codes":        {`echo 123456; echo 654321`, "printed more than one line"},
		"failed":           {`echo 123456; exit 1 # hunter2`, "exit status 1"},
		"failed with text": {`echo hunter2; exit 3`, "exit status 3"},
		"killed":           {`echo 123456; kill -KILL $$ # hunter2`, "signal: killed"},
		"too much":         {`echo 123456; head -c 5000 /dev/zero | tr '\0' ' '; : hunter2`, "printed far too much"},
		"endless":          {`exec 2>/dev/null; trap '' PIPE; while :; do echo hunter2; done`, "printed far too much"},
		"endless, behind":  {`exec 2>/dev/null; while echo hunter2; do :; done & exit`, "printed far too much"},
	} {
		start := time.Now()
		code, err := shell(c.script).run(t.Context(), nil)
		refused(t, name, code, err, setting+": sh: "+c.want)
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
}

func refused(t *testing.T, name, code string, err error, want string) {
	t.Helper()
	var process *ProcessError
	if !errors.As(err, &process) || code != "" || err.Error() != want {
		t.Errorf("%s: got %q, %v, want %s", name, code, err, want)
	}
	if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, "hunter2") || strings.Contains(text, "123456") {
		t.Errorf("%s: the error tells what was printed: %s", name, text)
	}
}

func TestAProgramThatCannotBeRun(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	plain := file("plain", "#!/bin/sh\necho 123456\n", 0o644)
	noInterpreter := file("headless", "#!/nowhere/sh\n", 0o755)
	noProgram := file("junk", "\x00\x01\x02\x03", 0o755)
	for _, c := range []struct {
		program, reason string
		is              error
	}{
		{"no-such-helper", exec.ErrNotFound.Error(), exec.ErrNotFound},
		{"plain", exec.ErrNotFound.Error(), exec.ErrNotFound},
		{dir + "/none", "no such file or directory", fs.ErrNotExist},
		{plain, "permission denied", fs.ErrPermission},
		{dir, "permission denied", fs.ErrPermission},
		{noInterpreter, "no such file or directory", fs.ErrNotExist},
		{noProgram, "exec format error", syscall.ENOEXEC},
	} {
		code, err := Command{Words: []string{c.program, "hunter2"}, From: setting}.run(t.Context(), nil)
		refused(t, c.program, code, err, setting+": "+c.program+": "+c.reason)
		if !errors.Is(err, c.is) {
			t.Errorf("%s: got %v, want that to be %v", c.program, err, c.is)
		}
	}
	_, err := Command{Words: []string{"a\x1b[2J"}, From: "mfa_process (\x1b[2J:1)"}.run(t.Context(), nil)
	if want := `mfa_process (\x1b[2J:1): a\x1b[2J: ` + exec.ErrNotFound.Error(); err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// quiet lets go test end before processes that are left behind do.
const quiet = "exec 2>/dev/null; "

func TestAProgramThatHangsIsKilled(t *testing.T) {
	for name, script := range map[string]string{
		"hangs":                 `exec sleep 20`,
		"hangs in a child":      `sleep 20; echo 123456`,
		"heeds no signal":       `trap '' TERM INT HUP; sleep 20; sleep 20`,
		"hangs after its code":  `echo 123456; exec sleep 20`,
		"hangs, closing output": `exec sleep 20 >&-`,
		"stops itself":          `kill -STOP $$`,
	} {
		start := time.Now()
		code, err := shell(quiet+script).runWithin(t.Context(), nil, 200*time.Millisecond)
		refused(t, name, code, err, setting+": sh: did not finish within 0.2 s")
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
}

func TestAProgramLeavesOneBehindThatHoldsItsOutput(t *testing.T) {
	start := time.Now()
	code, err := shell(quiet+`sleep 20 & echo 123456`).run(t.Context(), nil)
	if code != "123456" || err != nil {
		t.Errorf("got %q, %v", code, err)
	}
	code, err = shell(quiet+`sleep 20 & exit 4`).run(t.Context(), nil)
	refused(t, "failed", code, err, setting+": sh: exit status 4")
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestTheProgramGivesWayToContext(t *testing.T) {
	interrupted := errors.New("interrupted")
	for _, script := range []string{`exec sleep 20`, `sleep 20; :`, `exec sleep 20 >&-`} {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(50*time.Millisecond, func() { cancel(interrupted) })
		start := time.Now()
		if code, err := shell(quiet+script).run(ctx, nil); code != "" || err != interrupted {
			t.Errorf("%s: got %q, %v, want %v", script, code, err, interrupted)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: took %v", script, took)
		}
		marker := filepath.Join(t.TempDir(), "ran")
		if code, err := shell("echo 123456 >"+marker+"; echo 123456").run(ctx, nil); code != "" || err != interrupted {
			t.Errorf("after the end of ctx: got %q, %v, want %v", code, err, interrupted)
		}
		if _, err := os.Stat(marker); err == nil {
			t.Error("after the end of ctx: the program was run")
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := shell(`exec sleep 20`).run(ctx, nil); err != context.DeadlineExceeded {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
}

// runCommand runs a script as a Command: a part that this program plays for
// the tests below, as the only process of a terminal of its own.
func runCommand() {
	if os.Getenv("MFA_TEST_BACKGROUND") != "" {
		os.Unsetenv("MFA_TEST_BACKGROUND")
		child := again(context.Background())
		child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
		child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := child.Run(); err != nil {
			fmt.Println(err)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	limit := 20 * time.Second
	if short, err := time.ParseDuration(os.Getenv("MFA_TEST_LIMIT")); err == nil {
		limit = short
	}
	var turn Turn
	if os.Getenv("MFA_TEST_NO_INPUT") == "" {
		turn = first
	}
	code, err := shell(os.Getenv("MFA_TEST_SCRIPT")).runWithin(ctx, turn, limit)
	switch {
	case err == nil:
		fmt.Println(code)
	case err == context.Cause(ctx):
		fmt.Println("interrupted")
	default:
		fmt.Println(err)
	}
}

// runOnTerminal plays that part on a new terminal, with stdin (the terminal itself where
// nil) and both outputs in answers.
func runOnTerminal(t *testing.T, stdin io.Reader, script string, env ...string) *dialogue {
	t.Helper()
	d := sit(t)
	cmd := again(t.Context(), append(env, part+"=command", "MFA_TEST_SCRIPT="+script)...)
	cmd.Stdin = stdin
	if stdin == nil {
		cmd.Stdin = d.tty
	}
	cmd.ExtraFiles = []*os.File{d.tty}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 3}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	d.answers = bufio.NewScanner(r)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(func() { cmd.Wait(); r.Close() })
	d.process = cmd.Process
	return d
}

// The flags of a program's standard input are told by Linux alone.
const askOnStdin = `
if [ -r /proc/self/fdinfo/0 ]; then grep flags: /proc/$$/fdinfo/0; else echo flags: 02; fi >&2
echo ready >&2
read -r line
[ "$line" = hello ] && echo 123456`

func TestTheProgramReadsTheTerminal(t *testing.T) {
	for name, stdin := range map[string]io.Reader{"terminal": nil, "pipe": strings.NewReader("hunter2\n")} {
		t.Run(name, func(t *testing.T) {
			d := runOnTerminal(t, stdin, askOnStdin)
			blocking(t, d)
			d.hear("ready")
			d.enter("hello")
			d.see("hello\r\n")
			d.hear("123456")
			d.restored()
		})
	}
}

// blocking wants standard input not to be in a mode few programs expect.
func blocking(t *testing.T, d *dialogue) {
	t.Helper()
	d.answers.Scan()
	var flags int
	if _, err := fmt.Sscanf(d.answers.Text(), "flags: %o", &flags); err != nil {
		t.Fatalf("got %q: %v", d.answers.Text(), err)
	}
	if runtime.GOOS == "linux" && flags&syscall.O_NONBLOCK != 0 {
		t.Errorf("the program's standard input does not block: %o", flags)
	}
}

// The description of the terminal that others have must stay as it was.
func TestTheTerminalStillBlocksAfterTheProgram(t *testing.T) {
	d := runOnTerminal(t, nil, askOnStdin)
	blocking(t, d)
	d.hear("ready")
	d.enter("hello")
	d.hear("123456")
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, d.tty.Fd(), syscall.F_GETFL, 0)
	if errno != 0 || flags&syscall.O_NONBLOCK != 0 {
		t.Errorf("got flags %o (%v), want them without O_NONBLOCK", flags, errno)
	}
}

// gpg tells its agent the name of the terminal on its standard input, and the
// agent cannot ask on /dev/tty, which is not its own.
func TestTheProgramSeesTheTerminalsName(t *testing.T) {
	d := runOnTerminal(t, nil, `tty >&2; echo 123456`)
	d.hear(d.tty.Name())
	d.hear("123456")
}

func TestTheProgramHasNoTerminalToRead(t *testing.T) {
	const script = `read -r line && echo "read something" >&2; echo "end" >&2; echo 123456`
	for name, env := range map[string]string{"no input": "MFA_TEST_NO_INPUT=1", "background": "MFA_TEST_BACKGROUND=1"} {
		t.Run(name, func(t *testing.T) {
			d := runOnTerminal(t, nil, script, env)
			d.hear("end")
			d.hear("123456")
			d.restored()
		})
	}
	cmd := again(t.Context(), part+"=command", "MFA_TEST_SCRIPT="+script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Stdin = strings.NewReader("hunter2\n")
	if got, err := cmd.CombinedOutput(); string(got) != "end\n123456\n" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestWhatTheProgramSaysIsSeenAtOnce(t *testing.T) {
	d := runOnTerminal(t, nil, `echo touch your key >&2; read -r line; echo 123456`)
	d.hear("touch your key")
	d.enter("")
	d.hear("123456")
}

// The program is hit by Ctrl-C as well, and often dies before we know of it.
func TestInterruptIsNotTheProgramsFailure(t *testing.T) {
	for name, script := range map[string]string{
		"dies":    `echo ready >&2; exec sleep 20`,
		"fails":   `trap 'exit 1' INT; echo ready >&2; sleep 20; exit 2`,
		"nothing": `trap 'exit 0' INT; echo ready >&2; sleep 20; exit 2`,
		"ignores": `trap '' INT; echo ready >&2; sleep 20; exit 2`,
	} {
		t.Run(name, func(t *testing.T) {
			for range 5 {
				d := runOnTerminal(t, nil, script)
				d.hear("ready")
				d.press("\x03")
				d.see("^C")
				d.hear("interrupted")
				d.restored()
			}
		})
	}
}

func TestTheTerminalIsRestoredAfterAProgramThatWasKilled(t *testing.T) {
	d := runOnTerminal(t, nil, `stty -echo -icanon; echo ready >&2; sleep 20`, "MFA_TEST_LIMIT=1s")
	d.hear("ready")
	if d.mode() == d.before {
		t.Error("the program did not change the terminal")
	}
	d.hear(setting + ": sh: did not finish within 1 s")
	if got := d.mode(); got != d.before {
		t.Fatalf("terminal mode: got %+v, want %+v", got, d.before)
	}
	d.restored()
}
