//go:build unix

package main

import "syscall"

// apart lets a browser live on when we end or are interrupted.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
