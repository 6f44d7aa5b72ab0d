// Package mfa knows where the six digits come from: given, read from a stream,
// made from a kept seed, printed by another program, or typed at the terminal.
//
// It hides the terminal (finding it, hushing it, and leaving it as it was),
// TOTP, and the stores that seeds are kept in.
package mfa

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// Codes is where the codes of one sign-in come from.
type Codes interface {
	// Next returns a code that was claimed. Where AWS refused a code of the
	// user's before, a source that has no other returns that refusal. Next
	// waits no longer than ctx, and then returns its cause.
	Next(ctx context.Context, q Question) (Code, error)
}

// A Question is what a source needs to know.
type Question struct {
	Serial  string  // of the MFA device
	Command Command // that prints its codes, if there is one
	Refused error   // why AWS did not take the code before; nil at first

	// Now is the time on AWS's clock, as far as it is known.
	Now func() time.Time

	// Claim makes a code ours to offer to AWS, which takes it once. The error
	// is a *UsedError if it was offered before; any other means that this
	// cannot be known, and has been told.
	Claim func(ctx context.Context, code string) error
}

// claim tells whether the code was used. Where that cannot be known AWS says.
func (q Question) claim(ctx context.Context, code string) (used *UsedError) {
	errors.As(q.Claim(ctx, code), &used)
	return used
}

// A Code is six digits, for one use.
type Code struct {
	Digits string
	From   Source
}

// A Source is where a code came from.
type Source int

const (
	FromUser Source = iota // given or typed
	FromSeed
	FromProgram // mfa_process
)

// A UsedError is a code that was offered to AWS before.
type UsedError struct{ Ago time.Duration }

func (e *UsedError) Error() string {
	if e.Ago < 0 || e.Ago > time.Hour { // of no help, or by a clock that was set
		return "this MFA code was used already"
	}
	return fmt.Sprintf("this MFA code was used already, %s ago", e.Ago.Round(time.Second))
}

// CodeError is something in the place of a code. What it was is not told.
type CodeError struct{}

func (*CodeError) Error() string { return "an MFA code is six digits" }

// ErrEnded is the end of the input, such as Ctrl-D, in the place of a code.
var ErrEnded = errors.New("the input ended without an MFA code")

// ended is ErrEnded where something else was asked for.
type ended struct{ Wanted }

func (e ended) Error() string        { return "the input ended without the " + e.Wanted.String() }
func (e ended) Is(target error) bool { return target == ErrEnded }

var errSpent = errors.New("there is one MFA code, and it was used already")

// NoTerminalError is something that nobody could be asked for.
type NoTerminalError struct {
	Serial string // of the MFA device
	Wanted Wanted
	Reason Reason
}

// Wanted is what somebody is asked for.
type Wanted int

const (
	MFACode        Wanted = iota
	WholeSeed             // to keep it
	Passphrase            // of the file that the seed is kept in
	NewPassphrase         // for that file
	SamePassphrase        // once more
)

func (w Wanted) String() string {
	return [...]string{"MFA code", "seed", "passphrase of the seed", "new passphrase of the seed", "same passphrase again"}[w]
}

// Reason is why nobody could be asked.
type Reason int

const (
	NoTerminal   Reason = iota // the process has no controlling terminal
	InBackground               // the terminal belongs to other processes now
	NoInputAsked               // the user wants no questions (--no-input)
)

func (e *NoTerminalError) Error() string {
	what := fmt.Sprintf("the %s of %s", e.Wanted, printable(e.Serial))
	switch e.Reason {
	case InBackground:
		return "a process in the background of its terminal cannot ask for " + what
	case NoInputAsked:
		return "--no-input was given, and " + what + " is needed"
	default:
		return "there is no terminal to ask at for " + what
	}
}

// Width is how many characters fit into a line of the terminal f, or 0 if it is
// none or does not tell.
func Width(f *os.File) int {
	if !IsTerminal(f) {
		return 0
	}
	return width(f)
}

// NoInput never asks: Next returns a *NoTerminalError.
func NoInput() Codes { return noInput{} }

type noInput struct{}

func (noInput) Next(_ context.Context, q Question) (Code, error) {
	return Code{}, &NoTerminalError{q.Serial, MFACode, NoInputAsked}
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
		line, err := await(ctx, func() (string, error) { return readLine(r) })
		if err != nil {
			return "", err
		}
		return parse(line)
	}}
}

// once is a source of one code.
type once struct {
	code func(context.Context) (string, error) // nil when it was asked
}

func (o *once) Next(ctx context.Context, q Question) (Code, error) {
	read := o.code
	o.code = nil
	switch {
	case read == nil && q.Refused != nil:
		return Code{}, q.Refused
	case read == nil:
		return Code{}, errSpent
	}
	code, err := read(ctx)
	if err != nil {
		return Code{}, err
	}
	if used := q.claim(ctx, code); used != nil {
		return Code{}, used
	}
	return Code{Digits: code}, nil
}

// parse returns the code in what somebody typed, spaces or not.
func parse(text string) (string, error) {
	code := strings.Join(strings.Fields(withoutMark(text)), "")
	if !sixDigits(code) {
		return "", &CodeError{}
	}
	return code, nil
}

// withoutMark is text without the byte order mark that PowerShell may put before
// what it pipes. Source: https://github.com/microsoft/dotnet-framework-docker/issues/780
func withoutMark(text string) string { return strings.TrimPrefix(text, "\ufeff") }

func sixDigits(s string) bool {
	return len(s) == 6 && strings.Trim(s, "0123456789") == ""
}

// answer is what was waited for, or why there is none.
type answer[T any] struct {
	got T
	err error
}

// begin does something in a goroutine, which nothing can call back.
func begin[T any](do func() (T, error)) <-chan answer[T] {
	done := make(chan answer[T], 1)
	go func() {
		got, err := do()
		done <- answer[T]{got, err}
	}()
	return done
}

// await does something that may block for ever, and waits no longer than ctx.
func await[T any](ctx context.Context, do func() (T, error)) (none T, err error) {
	if ctx.Err() != nil {
		return none, context.Cause(ctx)
	}
	select {
	case <-ctx.Done():
		return none, context.Cause(ctx)
	case a := <-begin(do):
		return a.got, a.err
	}
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
			return strings.TrimSuffix(string(text), "\r"), nil // Windows's consoles end lines so
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
