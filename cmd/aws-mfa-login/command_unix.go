//go:build unix

package main

import (
	"context"
	"syscall"
)

// run makes this process the program, so that its terminal, signals and exit
// status are the command's own; args begin with the command as typed. It
// returns only if that did not work, with a *startError, or if ctx has ended,
// with its cause.
//
// Signals that were ignored at our start stay so if they are SIGHUP and SIGINT,
// as nohup makes them; the Go runtime does not know of others.
func run(ctx context.Context, path string, args, env []string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return &startError{args[0], syscall.Exec(path, args, env)}
}

// sameName compares the names of variables.
func sameName(a, b string) bool { return a == b }

// withoutSpaces is for Windows.
func withoutSpaces(path string) string { return path }
