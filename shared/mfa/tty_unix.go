//go:build unix

package mfa

import (
	"fmt"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// terminal is the controlling terminal.
type terminal struct {
	in, out *os.File
	resumed chan os.Signal // SIGCONT
	before  *unix.Termios  // nil until it is changed
}

func openTerminal() (*terminal, bool) {
	f, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, false
	}
	t := &terminal{in: f, out: f, resumed: make(chan os.Signal, 1)}
	signal.Notify(t.resumed, unix.SIGCONT)
	return t, true
}

// IsTerminal tells whether f is a terminal.
func IsTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), getMode)
	return err == nil
}

// name tells terminals apart, whose sessions have one each. Few names, since
// files of these names stay: two terminals may share one, and then wait.
func (t *terminal) name() string {
	session, _ := unix.Getsid(0)
	return fmt.Sprintf("terminal %d", session%256)
}

// width is how many characters fit into a line, or 0.
func width(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}

// close ends a read that is blocked too, where the system can poll terminals.
func (t *terminal) close() {
	signal.Stop(t.resumed)
	t.in.Close()
}

// foreground reports whether the terminal is this process group's: for others,
// reading it or changing it is a signal that stops them.
func (t *terminal) foreground() (ours bool) {
	t.control(func(fd int) error {
		group, err := foregroundGroup(fd)
		ours = err == nil && group == unix.Getpgrp()
		return err
	})
	return ours
}

// hide makes the terminal read lines without showing them, and drops what was
// typed before, as getpass, sudo and ssh do: it was shown, was no answer to the
// prompt, and a line meant for the shell would use up a try.
func (t *terminal) hide() error {
	return t.control(func(fd int) error {
		mode, err := unix.IoctlGetTermios(fd, getMode)
		if err != nil {
			return err
		}
		if t.before == nil {
			t.before = new(*mode)
		}
		mode.Lflag &^= unix.ECHO | unix.ECHONL
		mode.Lflag |= unix.ICANON | unix.ISIG
		mode.Iflag |= unix.ICRNL
		return unix.IoctlSetTermios(fd, setModeFlush, mode)
	})
}

// show undoes what hide did, and keeps what was typed since for the next to read.
func (t *terminal) show() {
	if t.before != nil {
		t.control(func(fd int) error { return unix.IoctlSetTermios(fd, setMode, t.before) })
	}
}

// control calls do with the descriptor. (*os.File).Fd could make it blocking,
// and then closing it would not end a read.
func (t *terminal) control(do func(fd int) error) error {
	conn, err := t.in.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := conn.Control(func(fd uintptr) { failed = do(int(fd)) }); err != nil {
		return err
	}
	return os.NewSyscallError("ioctl", failed)
}
