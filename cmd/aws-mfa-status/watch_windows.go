package main

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// A console is that of the process.
type console struct {
	keys   chan key       // at most one waits here; nothing is read behind it
	redraw chan os.Signal // never: another size is seen within the second

	in, out   *os.File // in is nil where there is no keyboard
	before    *uint32  // nil until it is changed
	outBefore uint32
	listening chan struct{} // closed when it has ended
}

func openConsole(out *os.File) (*console, error) {
	c := &console{keys: make(chan key, 1), out: out}
	screen := windows.Handle(out.Fd())
	if err := windows.GetConsoleMode(screen, &c.outBefore); err != nil {
		return nil, os.NewSyscallError("GetConsoleMode", err)
	}
	if windows.SetConsoleMode(screen, c.outBefore|windows.ENABLE_PROCESSED_OUTPUT|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) != nil {
		return nil, errors.New("--watch needs a console that can move its cursor, as Windows 10 and later have")
	}
	if in, err := os.OpenFile("CONIN$", os.O_RDWR, 0); err == nil {
		c.in = in
	}
	return c, nil
}

// close does not wait: closing a console ends only after a read of it has.
func (c *console) close() {
	windows.SetConsoleMode(windows.Handle(c.out.Fd()), c.outBefore)
	if c.in != nil {
		go c.in.Close()
	}
}

// foreground is true: Windows knows no process groups of a console.
func (c *console) foreground() bool { return true }

// listen makes the console give keys without Return, unseen, and has them
// read. Ctrl-C stays a signal.
func (c *console) listen() {
	if c.in == nil || !c.change() || c.reading() || len(c.keys) > 0 {
		return
	}
	c.listening = make(chan struct{})
	go c.read(c.listening)
}

func (c *console) change() bool {
	console := windows.Handle(c.in.Fd())
	var mode uint32
	if windows.GetConsoleMode(console, &mode) != nil {
		return false
	}
	if c.before == nil {
		c.before = new(mode)
	}
	ours := mode&^(windows.ENABLE_ECHO_INPUT|windows.ENABLE_LINE_INPUT) | windows.ENABLE_PROCESSED_INPUT
	return ours == mode || windows.SetConsoleMode(console, ours) == nil
}

func (c *console) reading() bool {
	if c.listening == nil {
		return false
	}
	select {
	case <-c.listening:
		return false
	default:
		return true
	}
}

// hush undoes what listen did. A read that is under way ends with the process.
func (c *console) hush() {
	if c.before != nil {
		windows.SetConsoleMode(windows.Handle(c.in.Fd()), *c.before)
		c.before = nil
	}
}

// read reads key by key up to one that means something.
func (c *console) read(ended chan<- struct{}) {
	defer close(ended)
	for b := make([]byte, 1); ; {
		if n, err := c.in.Read(b); err != nil || n == 0 {
			return
		}
		if b[0] == 'q' || b[0] == 'Q' {
			c.keys <- quit
			return
		}
	}
}

// stop is nothing that Windows has.
func stop() {}
