package mfa

import (
	"context"
	"io"
)

// Typed is codes asked for at the terminal of the process, hidden, in as many
// tries (at least one) as given; typing something else than six digits is a
// try too. Standard input and output are left alone.
//
// Next returns a *NoTerminalError at once where nobody can be asked, ErrEnded
// at the end of the input (Ctrl-D), and after the last try the error of that
// one: refused, or a *CodeError. However it returns, the terminal is as it was
// before. Ctrl-C stays a signal, which the caller turns into the end of ctx.
func Typed(tries int) Codes { return &typed{tries: max(tries, 1)} }

type typed struct {
	tries, left int
	given       bool // a code, before
}

func (t *typed) Next(ctx context.Context, serial string, refused error) (string, error) {
	var note string
	switch {
	case refused == nil:
		t.left = t.tries
		if t.given {
			note = "the last code is used up: wait for the next one\n"
		}
	case t.left == 0:
		return "", refused
	default:
		note = "AWS refused this code: wrong, or used already (a code works once: wait for the next one)\n"
	}
	term, ok := openTerminal()
	if !ok {
		return "", &NoTerminalError{serial, NoTerminal}
	}
	defer term.close()
	for {
		text, err := term.ask(ctx, serial, note)
		if err != nil {
			return "", err
		}
		t.left--
		code, err := parse(text)
		if err == nil || t.left == 0 {
			t.given = err == nil
			return code, err
		}
		note = "a code is six digits\n"
	}
}

// ask changes the terminal in this goroutine and not in the one that reads:
// whenever ctx ends, the change is over, or was never begun, when it is undone.
func (t *terminal) ask(ctx context.Context, serial, note string) (string, error) {
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	defer t.leave()
	if err := t.prompt(serial, note); err != nil {
		return "", err
	}
	read := reading(t.in)
	for {
		select {
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case answer := <-read:
			return answer.line, answer.err
		case <-t.resumed:
			if ctx.Err() != nil {
				return "", context.Cause(ctx)
			}
			// A shell that Ctrl-Z led to makes the terminal show again what is typed.
			if err := t.prompt(serial, ""); err != nil {
				return "", err
			}
		}
	}
}

// prompt hides before it writes: hiding drops what was typed until then, and
// an answer to the prompt must not be among it.
func (t *terminal) prompt(serial, note string) error {
	if !t.foreground() {
		return &NoTerminalError{serial, InBackground}
	}
	if err := t.hide(); err != nil {
		return err
	}
	_, err := io.WriteString(t.out, note+"Enter MFA code for "+printable(serial)+": ")
	return err
}

// leave does nothing in the background: the terminal has been set for others,
// and setting it would stop the process.
func (t *terminal) leave() {
	if t.foreground() {
		t.show()
		io.WriteString(t.out, "\n")
	}
}
