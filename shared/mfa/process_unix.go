//go:build unix

package mfa

import (
	"os"

	"golang.org/x/sys/unix"
)

// stdin is the terminal for another program to read: our standard input where
// that is this very terminal, for it has the name that others know it by. gpg,
// and so pass, gives the name to an agent, for which /dev/tty would be another.
func (t *terminal) stdin() *os.File {
	if group, err := foregroundGroup(int(os.Stdin.Fd())); err == nil && group == unix.Getpgrp() {
		return os.Stdin
	}
	return t.in // which exec makes blocking, as programs expect
}

// remember keeps the mode for show to bring back.
func (t *terminal) remember() {
	t.control(func(fd int) (err error) {
		t.before, err = unix.IoctlGetTermios(fd, getMode)
		return err
	})
}
