package mfa

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

const jane = "arn:aws:iam::123456789012:mfa/jane"

var errRefused = errors.New("refused")

func TestGivenCodeIsOfferedOnce(t *testing.T) {
	codes, err := Given("012345")
	if err != nil {
		t.Fatal(err)
	}
	next(t, codes, nil, "012345", nil)
	next(t, codes, errRefused, "", errRefused)
	next(t, codes, nil, "", errSpent)
}

func TestGivenCodeIsSixDigits(t *testing.T) {
	for _, code := range []string{"", "12345", "1234567", "123 456", "12345a", "-12345", "١٢٣٤٥٦", "12345\n"} {
		codes, err := Given(code)
		if !errors.As(err, new(*CodeError)) || codes != nil {
			t.Errorf("%q: got %v, want a CodeError", code, err)
		}
	}
}

func TestCodeIsReadFromOneLine(t *testing.T) {
	for input, want := range map[string]string{
		"123456\nls\n":       "123456",
		" 123 456\t\r\nls\n": "123456",
		"123456":             "123456",
	} {
		r := strings.NewReader(input)
		codes := Read(iotest.OneByteReader(r))
		if r.Len() != len(input) {
			t.Error("read before it was asked")
		}
		next(t, codes, nil, want, nil)
		if rest, _ := io.ReadAll(r); len(rest) > 0 && string(rest) != "ls\n" {
			t.Errorf("%q: left %q, want the other lines", input, rest)
		}
		next(t, codes, errRefused, "", errRefused)
	}
}

func TestWhatIsReadInPlaceOfACode(t *testing.T) {
	failed := errors.New("failed")
	for _, c := range []struct {
		r    io.Reader
		want error
	}{
		{strings.NewReader(""), ErrEnded},
		{iotest.ErrReader(failed), failed},
		{strings.NewReader("\n123456\n"), &CodeError{}},
		{strings.NewReader("secret\n"), &CodeError{}},
		{strings.NewReader(strings.Repeat("1", 5000)), &CodeError{}},
	} {
		next(t, Read(c.r), nil, "", c.want)
	}
	if got := (&CodeError{}).Error(); got != "an MFA code is six digits" {
		t.Errorf("got %s", got)
	}
}

func TestReadingGivesWayToContext(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	interrupted := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		w.Write([]byte("123")) // returns once the read has begun
		cancel(interrupted)
	}()
	if _, err := Read(r).Next(ctx, question(nil)); err != interrupted {
		t.Errorf("got %v, want %v", err, interrupted)
	}
	if _, err := Read(strings.NewReader("123456\n")).Next(ctx, question(nil)); err != interrupted {
		t.Errorf("after the end of ctx: got %v, want %v", err, interrupted)
	}
}

func TestNoInputNeverAsks(t *testing.T) {
	next(t, NoInput(), nil, "", &NoTerminalError{jane, MFACode, NoInputAsked})
	next(t, NoInput(), errRefused, "", &NoTerminalError{jane, MFACode, NoInputAsked})
}

func TestNoTerminalSaysWhy(t *testing.T) {
	for reason, want := range map[Reason]string{
		NoTerminal:   `there is no terminal to ask at for the MFA code of a\x1b[2J"\n`,
		InBackground: `a process in the background of its terminal cannot ask for the MFA code of a\x1b[2J"\n`,
		NoInputAsked: `--no-input was given, and the MFA code of a\x1b[2J"\n is needed`,
	} {
		if got := (&NoTerminalError{"a\x1b[2J\"\n", MFACode, reason}).Error(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// question is one about jane's device, to which every code is new.
func question(refused error) Question {
	return Question{Serial: jane, Refused: refused, Now: time.Now, Claim: func(context.Context, string) error { return nil }}
}

func next(t *testing.T, codes Codes, refused error, code string, want error) {
	t.Helper()
	got, err := codes.Next(t.Context(), question(refused))
	same := err == want || err != nil && want != nil && err.Error() == want.Error()
	if got.Digits != code || !same {
		t.Errorf("got %q, %v, want %q, %v", got.Digits, err, code, want)
	}
}

// Windows PowerShell, where it is told to pipe UTF-8, pipes such a mark first.
func TestAMarkBeforeWhatIsPipedIsNoPartOfIt(t *testing.T) {
	code, err := Read(strings.NewReader("\ufeff123456\r\n")).Next(t.Context(), question(nil))
	if err != nil || code.Digits != "123456" {
		t.Errorf("got %v, %v", code.Digits, err)
	}
	if _, err := ReadSeed(t.Context(), strings.NewReader("\ufeffGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\r\n")); err != nil {
		t.Error(err)
	}
}
