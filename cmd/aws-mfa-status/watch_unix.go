//go:build unix

package main

import (
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"
)

// A console is the terminal of the process, with its keyboard.
type console struct {
	keys   chan key       // at most one waits here; nothing is read behind it
	redraw chan os.Signal // another size, or going on after a stop

	tty       int           // -1 where the process has no terminal of its own
	before    *unix.Termios // nil until it is changed
	stop      *os.File      // closed to end the listening
	listening chan struct{} // closed when it has ended
}

func openConsole(*os.File) (*console, error) {
	tty, err := unix.Open("/dev/tty", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		tty = -1
	}
	c := &console{keys: make(chan key, 1), redraw: make(chan os.Signal, 1), tty: tty}
	signal.Notify(c.redraw, unix.SIGWINCH, unix.SIGCONT)
	return c, nil
}

func (c *console) close() {
	signal.Stop(c.redraw)
	if c.tty >= 0 {
		unix.Close(c.tty)
	}
}

// foreground reports whether the terminal is this process group's: for others,
// reading it or changing it is a signal that stops them. One that is gone is
// nobody's: to draw on it fails, which ends the watch.
func (c *console) foreground() bool {
	group, err := foregroundGroup(c.tty)
	return err != nil || group == unix.Getpgrp()
}

// listen makes the terminal give keys without Return, unseen, and has them
// read. It is called again and again: whoever stops the process in other ways
// than by Ctrl-Z may change the terminal meanwhile.
//
// Ctrl-C stays a signal. Ctrl-Z becomes a key, since Go cannot undo the
// catching of its signal, without which the system does not stop a process
// properly.
func (c *console) listen() {
	if !c.change() || c.reading() || len(c.keys) > 0 {
		return
	}
	stopped, stop, err := os.Pipe()
	if err != nil {
		return
	}
	c.stop, c.listening = stop, make(chan struct{})
	go c.read(stopped, c.before.Cc[unix.VSUSP], c.listening)
}

func (c *console) change() bool {
	modes, err := unix.IoctlGetTermios(c.tty, getModes)
	if err != nil {
		return false
	}
	if c.before == nil {
		c.before = new(*modes)
	}
	ours := *modes
	ours.Lflag &^= unix.ICANON | unix.ECHO | unix.IEXTEN
	ours.Lflag |= unix.ISIG
	ours.Cc[unix.VMIN], ours.Cc[unix.VTIME], ours.Cc[unix.VSUSP] = 1, 0, noKey
	return ours == *modes || unix.IoctlSetTermios(c.tty, setModes, &ours) == nil
}

// reading tells whether keys are being read.
func (c *console) reading() bool {
	if c.listening == nil {
		return false
	}
	select {
	case <-c.listening:
		c.stop.Close()
		c.listening = nil
		return false
	default:
		return true
	}
}

// hush undoes what listen did, and leaves what was typed since to the next
// program. In the background the terminal has been set for others.
func (c *console) hush() {
	if c.listening != nil {
		c.stop.Close()
		<-c.listening
		c.listening = nil
	}
	if c.before != nil && c.foreground() {
		unix.IoctlSetTermios(c.tty, setModes, c.before)
	}
	c.before = nil
}

// read reads key by key up to one that means something.
func (c *console) read(stopped *os.File, suspends byte, ended chan<- struct{}) {
	defer close(ended)
	defer stopped.Close()
	for c.typed(int(stopped.Fd())) && c.foreground() {
		var b [1]byte
		n, err := unix.Read(c.tty, b[:])
		switch {
		case err == unix.EAGAIN || err == unix.EINTR:
		case err != nil || n == 0:
			return
		case b[0] == 'q' || b[0] == 'Q' || b[0] == 'C'-'@': // Ctrl-C, where another key is the signal
			c.keys <- quit
			return
		case b[0] == suspends && suspends != noKey:
			c.keys <- suspend
			return
		}
	}
}

// typed waits for a key, and reports false when there is to be none any more.
// It selects, because macOS can neither poll /dev/tty nor call back a read.
func (c *console) typed(stopped int) bool {
	for {
		var readable unix.FdSet
		readable.Set(c.tty)
		readable.Set(stopped)
		_, err := unix.Select(max(c.tty, stopped)+1, &readable, nil, nil, nil)
		if err != unix.EINTR {
			return err == nil && !readable.IsSet(stopped)
		}
	}
}

// stop stops the process group, as Ctrl-Z does, and returns when it goes on.
func stop() {
	resumed := make(chan os.Signal, 1)
	signal.Notify(resumed, unix.SIGCONT)
	defer signal.Stop(resumed)
	unix.Kill(0, unix.SIGTSTP)
	select {
	case <-resumed:
	case <-time.After(100 * time.Millisecond): // the system stops none that nobody could continue
	}
}
