//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package mfa

import "golang.org/x/sys/unix"

const (
	getMode      = unix.TIOCGETA
	setMode      = unix.TIOCSETA
	setModeFlush = unix.TIOCSETAF
)

func foregroundGroup(fd int) (int, error) { return unix.IoctlGetInt(fd, unix.TIOCGPGRP) }
