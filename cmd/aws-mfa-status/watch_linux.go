package main

import "golang.org/x/sys/unix"

const (
	getModes = unix.TCGETS
	setModes = unix.TCSETS
	noKey    = 0 // _POSIX_VDISABLE
)

// foregroundGroup reads 32 bits: unix.IoctlGetInt reads an int, whose other
// half it would be on a big-endian machine.
func foregroundGroup(fd int) (int, error) {
	group, err := unix.IoctlGetUint32(fd, unix.TIOCGPGRP)
	return int(group), err
}
