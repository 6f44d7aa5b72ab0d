package mfa

import (
	"io"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// terminal is the console of the process.
type terminal struct {
	console *os.File
	in      io.Reader
	out     *os.File
	resumed chan os.Signal // never: there is no Ctrl-Z that stops
	before  *uint32        // nil until it is changed
}

func openTerminal() (*terminal, bool) {
	in, err := os.OpenFile("CONIN$", os.O_RDWR, 0)
	if err != nil {
		return nil, false
	}
	out, err := os.OpenFile("CONOUT$", os.O_RDWR, 0)
	if err != nil {
		in.Close()
		return nil, false
	}
	return &terminal{console: in, in: typing{in}, out: out}, true
}

// IsTerminal tells whether f is a console.
func IsTerminal(f *os.File) bool {
	var mode uint32
	return windows.GetConsoleMode(windows.Handle(f.Fd()), &mode) == nil
}

// name is the same for all consoles of the user.
func (t *terminal) name() string { return "terminal" }

// width is how many characters fit into a line, or 0.
func width(f *os.File) int {
	var info windows.ConsoleScreenBufferInfo
	if windows.GetConsoleScreenBufferInfo(windows.Handle(f.Fd()), &info) != nil {
		return 0
	}
	return int(info.Window.Right-info.Window.Left) + 1
}

// close does not wait: closing a console ends only after a read of it has.
func (t *terminal) close() {
	go t.console.Close()
	t.out.Close()
}

// foreground is true: Windows knows no process groups of a console.
func (t *terminal) foreground() bool { return true }

// hide makes the console read lines without showing them, and drops what was
// typed before, as getpass does: it was no answer to the prompt.
func (t *terminal) hide() error {
	console := windows.Handle(t.console.Fd())
	var mode uint32
	if err := windows.GetConsoleMode(console, &mode); err != nil {
		return err
	}
	if t.before == nil {
		t.before = &mode
	}
	if err := windows.FlushConsoleInputBuffer(console); err != nil {
		return err
	}
	return windows.SetConsoleMode(console,
		mode&^windows.ENABLE_ECHO_INPUT|windows.ENABLE_LINE_INPUT|windows.ENABLE_PROCESSED_INPUT)
}

// show undoes what hide did.
func (t *terminal) show() {
	if t.before != nil {
		windows.SetConsoleMode(windows.Handle(t.console.Fd()), *t.before)
	}
}

// typing gives a signal time: Ctrl-C ends the read as well, as if by Ctrl-Z,
// and must not be taken for the end of the input.
type typing struct{ console *os.File }

func (t typing) Read(p []byte) (int, error) {
	n, err := t.console.Read(p)
	if err == io.EOF {
		time.Sleep(100 * time.Millisecond)
	}
	return n, err
}
