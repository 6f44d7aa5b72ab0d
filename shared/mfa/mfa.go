// Package mfa knows where the six digits come from: given, read from a stream,
// or typed at the terminal. It hides the terminal: finding it, hushing it, and
// leaving it as it was.
package mfa

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
)

// Codes is where the codes of one sign-in come from.
type Codes interface {
	// Next returns a code for the device with that serial number. refused is
	// nil at first, else why AWS did not take the code before; a source that
	// has no other returns refused itself. Next waits no longer than ctx, and
	// then returns its cause.
	Next(ctx context.Context, serial string, refused error) (string, error)
}

// CodeError is something in the place of a code. What it was is not told.
type CodeError struct{}

func (*CodeError) Error() string { return "an MFA code is six digits" }

// ErrEnded is the end of the input, such as Ctrl-D, in the place of a code.
var ErrEnded = errors.New("the input ended without an MFA code")

var errSpent = errors.New("there is one MFA code, and it was used already")

// NoTerminalError is a code that nobody could be asked for.
type NoTerminalError struct {
	Serial string // of the MFA device
	Reason Reason
}

// Reason is why nobody could be asked.
type Reason int

const (
	NoTerminal   Reason = iota // the process has no controlling terminal
	InBackground               // the terminal belongs to other processes now
	NoInputAsked               // the user wants no questions (--no-input)
)

func (e *NoTerminalError) Error() string {
	switch device := printable(e.Serial); e.Reason {
	case InBackground:
		return "a process in the background of its terminal cannot ask for the MFA code of " + device
	case NoInputAsked:
		return "--no-input was given, and the MFA code of " + device + " is needed"
	default:
		return "there is no terminal to ask at for the MFA code of " + device
	}
}

// NoInput never asks: Next returns a *NoTerminalError.
func NoInput() Codes { return noInput{} }

type noInput struct{}

func (noInput) Next(_ context.Context, serial string, _ error) (string, error) {
	return "", &NoTerminalError{serial, NoInputAsked}
}

// Given is one code that is known already. The error is a *CodeError if it is
// not six ASCII digits.
func Given(code string) (Codes, error) {
	if !sixDigits(code) {
		return nil, &CodeError{}
	}
	return &once{func(context.Context) (string, error) { return code, nil }}, nil
}

// Read is one code in a line of r, with or without spaces ("123 456"). Nothing
// is read until Next, and nothing after the line: what follows is left to
// others. Next returns a *CodeError for any other line and ErrEnded for none.
//
// A read that is blocked when ctx ends is left behind.
func Read(r io.Reader) Codes {
	return &once{func(ctx context.Context) (string, error) {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		select {
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case read := <-reading(r):
			if read.err != nil {
				return "", read.err
			}
			return parse(read.line)
		}
	}}
}

// once is a source of one code.
type once struct {
	code func(context.Context) (string, error) // nil when it was asked
}

func (o *once) Next(ctx context.Context, _ string, refused error) (string, error) {
	code := o.code
	o.code = nil
	switch {
	case code != nil:
		return code(ctx)
	case refused != nil:
		return "", refused
	default:
		return "", errSpent
	}
}

// parse returns the code in what somebody typed, spaces or not.
func parse(text string) (string, error) {
	code := strings.Join(strings.Fields(text), "")
	if !sixDigits(code) {
		return "", &CodeError{}
	}
	return code, nil
}

func sixDigits(s string) bool {
	return len(s) == 6 && strings.Trim(s, "0123456789") == ""
}

// answer is a line, or why there is none.
type answer struct {
	line string
	err  error
}

// reading reads a line of r in a goroutine, which nothing can call back.
func reading(r io.Reader) <-chan answer {
	read := make(chan answer, 1)
	go func() {
		line, err := readLine(r)
		read <- answer{line, err}
	}()
	return read
}

// readLine reads byte by byte, so that nothing after the line is lost, and at
// most 64 KiB: no terminal's line is longer, and its rest would go to the shell.
func readLine(r io.Reader) (string, error) {
	var text []byte
	for b := make([]byte, 1); len(text) < 1<<16; {
		_, err := io.ReadFull(r, b)
		switch {
		case err == io.EOF && len(text) == 0:
			return "", ErrEnded
		case err == io.EOF, err == nil && b[0] == '\n':
			return string(text), nil
		case err != nil:
			return "", err
		}
		text = append(text, b[0])
	}
	return string(text), nil
}

// printable escapes, as Go does, what would move the cursor or worse. Serial
// numbers come from files that others may have written.
func printable(s string) string {
	quoted := strconv.Quote(s)
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(quoted[1 : len(quoted)-1])
}
