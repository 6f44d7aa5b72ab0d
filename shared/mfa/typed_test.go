//go:build unix

package mfa

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// The tests run this program again, with the part it has to play in the
// environment, as the only process of a terminal of its own.
const part = "MFA_TEST_PART"

func TestMain(m *testing.M) {
	switch name := os.Getenv(part); name {
	case "":
		os.Exit(m.Run())
	case "background":
		child := again(context.Background(), part+"=1")
		child.Stdout = os.Stdout
		child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := child.Run(); err != nil {
			fmt.Println(err)
		}
	case "hasty":
		hasty()
	case "command":
		runCommand()
	default:
		uses, _ := strconv.Atoi(name)
		signIn(uses)
	}
}

// again is this program in another part.
func again(ctx context.Context, env ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), env...)
	return cmd
}

// signIn asks for that many codes, says what it got, and refuses each.
func signIn(uses int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	serial := jane
	if s := os.Getenv("MFA_TEST_SERIAL"); s != "" {
		serial = s
	}
	codes := Typed(3, first)
	var refused error
	for range uses {
		q := question(refused)
		q.Serial = serial
		code, err := codes.Next(ctx, q)
		switch {
		case err == nil:
			fmt.Println(code.Digits)
		case err == context.Cause(ctx):
			fmt.Println("interrupted")
		default:
			fmt.Println(err)
		}
		refused = errRefused
	}
}

// first is a turn that comes at once.
func first(context.Context, string) (func(), error) { return func() {}, nil }

// hasty gives up after every time from none to long enough to be waiting.
func hasty() {
	for i := range 300 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i)*2*time.Microsecond)
		if _, err := Typed(3, first).Next(ctx, question(nil)); !errors.Is(err, context.DeadlineExceeded) {
			fmt.Println("got", err)
		}
		cancel()
	}
	fmt.Println("done")
}

// dialogue is a terminal with a process on it.
type dialogue struct {
	t        *testing.T
	keyboard *os.File
	screen   *bufio.Reader
	tty      *os.File
	before   unix.Termios
	process  *os.Process
	answers  *bufio.Scanner // what the process writes to its standard output
}

// sit opens a new terminal, on which nobody plays yet.
func sit(t *testing.T) *dialogue {
	t.Helper()
	keyboard, tty, err := pty.Open()
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	t.Cleanup(func() { keyboard.Close(); tty.Close() })
	d := &dialogue{t: t, keyboard: keyboard, screen: bufio.NewReader(keyboard), tty: tty}
	d.before = d.mode()
	return d
}

// start plays a part on a new terminal, where typedAhead was typed already.
func start(t *testing.T, typedAhead string, env ...string) *dialogue {
	t.Helper()
	d := sit(t)
	if typedAhead != "" {
		d.enter(typedAhead)
		d.see(typedAhead + "\r\n")
	}
	cmd := again(t.Context(), env...)
	cmd.ExtraFiles = []*os.File{d.tty}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 3}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	d.answers = bufio.NewScanner(out)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Wait() })
	d.process = cmd.Process
	return d
}

// see reads the terminal, and wants to see exactly that next.
func (d *dialogue) see(want string) {
	d.t.Helper()
	got := make([]byte, len(want))
	n, err := io.ReadFull(d.screen, got)
	if string(got[:n]) != want {
		d.t.Fatalf("terminal: got %q, %v, want %q", got[:n], err, want)
	}
}

func (d *dialogue) press(keys string) {
	d.t.Helper()
	if _, err := d.keyboard.WriteString(keys); err != nil {
		d.t.Fatal(err)
	}
}

func (d *dialogue) enter(text string) { d.t.Helper(); d.press(text + "\r") }

// hear reads the standard output of the process.
func (d *dialogue) hear(want string) {
	d.t.Helper()
	d.answers.Scan()
	if got := d.answers.Text(); got != want {
		d.t.Fatalf("got %q, want %q", got, want)
	}
}

func (d *dialogue) mode() unix.Termios {
	d.t.Helper()
	mode, err := unix.IoctlGetTermios(int(d.tty.Fd()), getMode)
	if err != nil {
		d.t.Fatal(err)
	}
	return *mode
}

// restored wants the terminal to be as it was, with nothing left to see.
func (d *dialogue) restored() {
	d.t.Helper()
	if got := d.mode(); got != d.before {
		d.t.Errorf("terminal mode: got %+v, want %+v", got, d.before)
	}
	d.enter("end")
	d.see("end\r\n")
}

const (
	prompt  = "Enter MFA code for " + jane + ": "
	refusal = "AWS refused this code: wrong, or used already (a code works once: wait for the next one)\r\n"
)

func TestCodeIsAskedForHidden(t *testing.T) {
	for typed, want := range map[string]string{
		"123456":      "123456",
		" 123 456 ":   "123456",
		"9\x7f123456": "123456", // backspace
	} {
		d := start(t, "", part+"=1")
		d.see(prompt)
		if d.mode().Lflag&unix.ECHO != 0 {
			t.Error("what is typed at the prompt is shown")
		}
		d.enter(typed)
		d.see("\r\n")
		d.hear(want)
		d.restored()
	}
}

func TestThreeCodesAreRefused(t *testing.T) {
	d := start(t, "", part+"=4")
	d.see(prompt)
	for _, code := range []string{"111111", "222222"} {
		d.enter(code)
		d.see("\r\n")
		d.hear(code)
		d.see(refusal + prompt)
	}
	d.enter("333333")
	d.see("\r\n")
	d.hear("333333")
	d.hear("refused")
	d.restored()
}

func TestWhatIsNoCodeIsATry(t *testing.T) {
	d := start(t, "", part+"=1")
	d.see(prompt)
	for _, typed := range []string{"hunter2", ""} {
		d.enter(typed)
		d.see("\r\na code is six digits\r\n" + prompt)
	}
	d.enter("12345")
	d.see("\r\n")
	d.hear("an MFA code is six digits")
	d.restored()

	d = start(t, "", part+"=3")
	d.see(prompt)
	d.enter("111111")
	d.see("\r\n" + refusal + prompt)
	d.enter("2")
	d.see("\r\na code is six digits\r\n" + prompt)
	d.enter("333333")
	d.see("\r\n")
	d.hear("111111")
	d.hear("333333")
	d.hear("refused")
	d.restored()
}

func TestWhatWasTypedBeforeThePromptIsNoAnswer(t *testing.T) {
	d := start(t, "999999", part+"=1")
	d.see(prompt)
	d.enter("123456")
	d.see("\r\n")
	d.hear("123456")
	d.restored()
}

func TestInterruptRestoresTheTerminal(t *testing.T) {
	d := start(t, "", part+"=1")
	d.see(prompt)
	d.press("12\x03")
	d.see("\r\n")
	d.hear("interrupted")
	d.restored()
}

// A shell shows what is typed once it has stopped a process, and does not hide
// it again for one that goes on.
func TestCodeIsAskedForAgainAfterAStop(t *testing.T) {
	d := start(t, "", part+"=1")
	d.see(prompt)
	if err := unix.IoctlSetTermios(int(d.tty.Fd()), setMode, &d.before); err != nil {
		t.Fatal(err)
	}
	if err := d.process.Signal(unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	d.see(prompt)
	d.enter("123456")
	d.see("\r\n")
	d.hear("123456")
	d.restored()
}

func TestGivingUpAtAnyMomentRestoresTheTerminal(t *testing.T) {
	d := start(t, "", part+"=hasty")
	go io.Copy(io.Discard, d.screen) // what it prints depends on the moment
	d.hear("done")
	if got := d.mode(); got != d.before {
		t.Errorf("terminal mode: got %+v, want %+v", got, d.before)
	}
}

func TestEndOfInputIsNoTry(t *testing.T) {
	d := start(t, "", part+"=1")
	d.see(prompt)
	d.press("\x04")
	d.see("\r\n")
	d.hear(ErrEnded.Error())
	d.restored()
}

func TestSerialCannotDriveTheTerminal(t *testing.T) {
	d := start(t, "", part+"=1", "MFA_TEST_SERIAL=a\x1b]0;title\a\"\\\u202eé\xff")
	d.see(`Enter MFA code for a\x1b]0;title\a"\\u202eé\xff: `)
	d.enter("123456")
	d.hear("123456")
}

func TestBackgroundIsNotAsked(t *testing.T) {
	d := start(t, "", part+"=background")
	d.hear((&NoTerminalError{jane, MFACode, InBackground}).Error())
	d.restored()
}

func TestNoTerminalIsNotAsked(t *testing.T) {
	cmd := again(t.Context(), part+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Stdin = strings.NewReader("123456\n")
	got, err := cmd.CombinedOutput()
	if want := (&NoTerminalError{jane, MFACode, NoTerminal}).Error() + "\n"; string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}
