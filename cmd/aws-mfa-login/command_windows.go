package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"aws-mfa/shared/cli"
)

// run runs the program on our standard streams, and waits for it; args begin
// with the command as typed. Its exit status is the cli.Status that is
// returned; other errors are a *startError, or ctx's cause if that ended before.
func run(ctx context.Context, path string, args, env []string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	// The console sends Ctrl-C to the program as well, and what comes of it is
	// the program's to say. signal.Ignore would end us, and nobody has to read
	// what is sent here.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	defer signal.Stop(signals)

	command := &exec.Cmd{Path: path, Args: args, Env: env, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	err := command.Run()
	var ended *exec.ExitError
	switch {
	case errors.As(err, &ended):
		return cli.Status(ended.ExitCode())
	case err != nil:
		return &startError{args[0], err}
	}
	return nil
}

// sameName compares the names of variables, which have no case.
func sameName(a, b string) bool { return strings.EqualFold(a, b) }

// withoutSpaces is the path by the short names of its directories, such as
// C:\PROGRA~1, where it needs that, and they have such names.
func withoutSpaces(path string) string {
	if _, ok := windowsWord(path); ok {
		return path
	}
	dir, err := syscall.UTF16PtrFromString(filepath.Dir(path))
	if err != nil {
		return path
	}
	short := make([]uint16, 1<<15)
	n, err := syscall.GetShortPathName(dir, &short[0], uint32(len(short)))
	if err != nil || n == 0 || int(n) >= len(short) {
		return path
	}
	return filepath.Join(syscall.UTF16ToString(short[:n]), filepath.Base(path))
}
