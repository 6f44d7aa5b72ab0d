package mfa

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// A Command is a program that prints a code. It is run without a shell and
// found as exec.LookPath finds it.
type Command struct {
	Words []string // the program, which must be there, and its arguments
	From  string   // the setting it stands in, for errors: "mfa_process (/home/jane/.aws/config:12)"
}

// A ProcessError is a program that gave no code. What it printed is not told,
// nor are its arguments.
type ProcessError struct {
	Setting string // From of the Command
	Program string
	Reason  string
	Err     error // an *exec.Error, *fs.PathError or *exec.ExitError, or nil
}

func (e *ProcessError) Error() string {
	return fmt.Sprintf("%s: %s: %s", printable(e.Setting), printable(e.Program), e.Reason)
}

func (e *ProcessError) Unwrap() error { return e.Err }

const (
	// processLimit leaves time to unlock a password store or touch a key.
	processLimit = time.Minute
	// outputLimit is in bytes, and far beyond any code.
	outputLimit = 4 << 10
	// lingering is how long a process left behind may keep the output of a
	// program that has ended.
	lingering = 500 * time.Millisecond
	// interrupting is how long Ctrl-C may take to reach us, in which case it
	// is not the program that failed: it was hit too, and may die first.
	interrupting = 100 * time.Millisecond
)

// run returns the code that the program prints. It shares our environment,
// standard error and, with a turn, terminal: where that is ours to use, it
// is the program's standard input, and afterwards as it was before. Standard
// input as such is never passed on.
//
// When ctx ends the program is killed and ctx's cause returned. All other
// errors are *ProcessError.
func (c Command) run(ctx context.Context, turn Turn) (string, error) {
	return c.runWithin(ctx, turn, processLimit)
}

func (c Command) runWithin(ctx context.Context, turn Turn, limit time.Duration) (string, error) {
	var stdin *os.File
	if turn != nil {
		if t, ok := openTerminal(); ok {
			defer t.close()
			if t.foreground() {
				done, err := turn(ctx, t.name())
				if err != nil {
					return "", err
				}
				defer done()
				stdin = t.stdin()
				t.remember()
				defer t.restore()
			}
		}
	}
	ctx, stop := context.WithTimeoutCause(ctx, limit, c.failed(fmt.Sprintf("did not finish within %v s", limit.Seconds()), nil))
	defer stop()
	ctx, kill := context.WithCancelCause(ctx)
	defer kill(nil)

	out := &output{full: func() { kill(c.failed("printed far too much", nil)) }}
	cmd := exec.CommandContext(ctx, c.Words[0], c.Words[1:]...)
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = out, os.Stderr, lingering
	// It stays in our process group: in one of its own, the terminal would
	// stop it for reading, and Ctrl-C not reach it.
	if stdin != nil {
		cmd.Stdin = stdin
	}
	code, err := c.code(cmd.Run(), out)
	if err != nil && cmd.ProcessState != nil {
		select {
		case <-ctx.Done():
		case <-time.After(interrupting):
		}
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	return code, err
}

// code is what was printed, if that is a code and the program ended well. A
// process that it left behind is no reason to refuse its code.
func (c Command) code(ended error, out *output) (string, error) {
	if ended != nil && !errors.Is(ended, exec.ErrWaitDelay) {
		return "", c.failed(innermost(ended).Error(), ended)
	}
	switch text := strings.TrimSpace(out.text.String()); {
	case sixDigits(text):
		return text, nil
	case text == "":
		return "", c.failed("printed nothing", nil)
	case strings.ContainsAny(text, "\r\n"):
		return "", c.failed("printed more than one line", nil)
	default:
		return "", c.failed("printed something that is not one code", nil)
	}
}

func (c Command) failed(reason string, err error) error {
	return &ProcessError{Setting: c.From, Program: c.Words[0], Reason: reason, Err: err}
}

// innermost is without the names of calls and paths that errors around it add.
func innermost(err error) error {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err
}

// restore brings back the mode that remember saw: a program that is killed
// while it asks for a passphrase leaves the terminal hushed.
func (t *terminal) restore() {
	if t.foreground() {
		t.show()
	}
}

// output keeps what is printed, up to a limit.
type output struct {
	text bytes.Buffer
	full func()
}

func (o *output) Write(p []byte) (int, error) {
	if o.text.Len()+len(p) > outputLimit {
		o.full()
		return 0, io.ErrShortWrite
	}
	return o.text.Write(p)
}
