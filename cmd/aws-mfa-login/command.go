package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"slices"
	"strings"

	"aws-mfa/shared/cache"
)

// Exit statuses of a command that did not start, as shells and env(1) have
// them (POSIX, Shell Command Language, 2.8.2).
const (
	notRunnable = 126
	notFound    = 127
)

// A startError is a command that could not be started.
type startError struct {
	Command string // as typed
	Err     error
}

func (e *startError) Error() string {
	inner := e.Err
	for next := inner; next != nil; next = errors.Unwrap(next) {
		inner = next // without the names of calls and paths around it
	}
	return fmt.Sprintf("command %q: %v", e.Command, inner)
}

func (e *startError) Unwrap() error { return e.Err }

// Status is the exit status for it.
func (e *startError) Status() int {
	if errors.Is(e.Err, exec.ErrNotFound) || errors.Is(e.Err, fs.ErrNotExist) {
		return notFound
	}
	return notRunnable
}

// find returns the program that a command stands for, as exec.LookPath finds
// it: never in the current directory unless the command says so. All errors are
// *startError.
func find(command string) (path string, err error) {
	path, err = exec.LookPath(command)
	if err != nil {
		return "", &startError{command, err}
	}
	return path, nil
}

// misleading are variables that would lead a tool to other credentials. The
// last is the old name of AWS_SESSION_TOKEN, which boto3 and the AWS CLI still
// look at first (botocore, EnvProvider: TOKENS).
var misleading = []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SECURITY_TOKEN"}

// environmentOf is the inherited environment with the session in it, and
// nothing that leads elsewhere. A region of "" leaves the inherited one.
func environmentOf(inherited []string, c cache.Entry, region string) []string {
	ours := variables(c)
	if region != "" {
		ours = append(ours, variable{"AWS_REGION", region}, variable{"AWS_DEFAULT_REGION", region})
	}
	gone := slices.Clone(misleading)
	for _, v := range ours {
		gone = append(gone, v.name)
	}
	env := slices.DeleteFunc(slices.Clone(inherited), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.ContainsFunc(gone, func(g string) bool { return sameName(g, name) })
	})
	for _, v := range ours {
		env = append(env, v.name+"="+v.value)
	}
	return env
}
