package mfa

import (
	"context"
	"fmt"
	"io"
)

// Typed is codes asked for at the terminal of the process, hidden, in as many
// tries (at least one) as given; typing something else than six digits is a
// try too. Standard input and output are left alone.
//
// Of several processes at one terminal, one asks at a time.
//
// Next returns a *NoTerminalError at once where nobody can be asked, ErrEnded
// at the end of the input (Ctrl-D), and after the last try the error of that
// one: refused, or a *CodeError. However it returns, the terminal is as it was
// before. Ctrl-C stays a signal, which the caller turns into the end of ctx.
func Typed(tries int, turn Turn) Codes { return &typed{tries: max(tries, 1), turn: turn} }

type typed struct {
	tries, left int
	turn        Turn
	given       bool // a code, before
}

func (t *typed) Next(ctx context.Context, q Question) (Code, error) {
	var note string
	switch {
	case q.Refused == nil:
		t.left = t.tries
		if t.given {
			note = "the last code is used up: wait for the next one\n"
		}
	case t.left == 0:
		return Code{}, q.Refused
	default:
		note = "AWS refused this code: wrong, or used already (a code works once: wait for the next one)\n"
	}
	var code string
	err := ask(ctx, t.turn, q.Serial, MFACode, note, func(text string) (note string, err error) {
		t.left--
		code, err = parse(text)
		if err != nil {
			note = "a code is six digits\n"
		} else if used := q.claim(ctx, code); used != nil {
			note, err = "this code was used already: wait for the next one\n", used
		}
		if t.left > 0 && err != nil {
			return note, nil
		}
		return "", err
	})
	t.given = err == nil
	return Code{Digits: code}, err
}

// A Turn waits until no other process asks at the terminal of that name, and
// keeps others from asking until done is called. The name is good for a file.
// Two that ask at once would show what is typed for the one, and leave the
// terminal hushed by the other.
type Turn func(ctx context.Context, terminal string) (done func(), err error)

// ask asks at the terminal, hidden, until take wants no more: it returns a note
// for whoever has to try again. The error is a *NoTerminalError at once where
// nobody can be asked.
func ask(ctx context.Context, turn Turn, serial string, wanted Wanted, note string, take func(text string) (again string, err error)) error {
	term, ok := openTerminal()
	if !ok {
		return &NoTerminalError{serial, wanted, NoTerminal}
	}
	defer term.close()
	if !term.foreground() {
		return &NoTerminalError{serial, wanted, InBackground}
	}
	done, err := turn(ctx, term.name())
	if err != nil {
		return err
	}
	defer done()
	for {
		text, err := term.ask(ctx, serial, wanted, note)
		if err == ErrEnded && wanted != MFACode {
			return ended{wanted}
		}
		if err != nil {
			return err
		}
		if note, err = take(text); note == "" {
			return err
		}
	}
}

// ask changes the terminal in this goroutine and not in the one that reads:
// whenever ctx ends, the change is over, or was never begun, when it is undone.
func (t *terminal) ask(ctx context.Context, serial string, wanted Wanted, note string) (string, error) {
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	defer t.leave()
	if err := t.prompt(serial, wanted, note); err != nil {
		return "", err
	}
	read := begin(func() (string, error) { return readLine(t.in) })
	for {
		select {
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case answer := <-read:
			return answer.got, answer.err
		case <-t.resumed:
			if ctx.Err() != nil {
				return "", context.Cause(ctx)
			}
			// A shell that Ctrl-Z led to makes the terminal show again what is typed.
			if err := t.prompt(serial, wanted, ""); err != nil {
				return "", err
			}
		}
	}
}

// prompt hides before it writes: hiding drops what was typed until then, and
// an answer to the prompt must not be among it.
func (t *terminal) prompt(serial string, wanted Wanted, note string) error {
	if !t.foreground() {
		return &NoTerminalError{serial, wanted, InBackground}
	}
	if err := t.hide(); err != nil {
		return err
	}
	_, err := io.WriteString(t.out, fmt.Sprintf("%sEnter %s for %s: ", note, wanted, printable(serial)))
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
