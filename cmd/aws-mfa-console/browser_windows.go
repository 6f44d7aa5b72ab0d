package main

import "syscall"

// apart lets a browser live on when we end or are interrupted.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
