package mfa

import "golang.org/x/sys/unix"

const (
	getMode      = unix.TCGETS
	setMode      = unix.TCSETS
	setModeFlush = unix.TCSETSF
)

// foregroundGroup reads 32 bits: unix.IoctlGetInt reads an int, whose other
// half it would be on a big-endian machine.
func foregroundGroup(fd int) (int, error) {
	group, err := unix.IoctlGetUint32(fd, unix.TIOCGPGRP)
	return int(group), err
}
