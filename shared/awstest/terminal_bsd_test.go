//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package awstest_test

import "golang.org/x/sys/unix"

const getModes = unix.TIOCGETA
