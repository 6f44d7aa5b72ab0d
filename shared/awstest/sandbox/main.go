// Sandbox runs a command, or a shell, inside a local AWS: with a home of its
// own that holds AWS config files, a user with an MFA device, and roles to
// assume. Nothing leaves the machine, and nothing of it remains.
//
//	sandbox [-bin DIR] [COMMAND [ARG...]]
//
// Inside, mfa-code prints a code of the user's MFA device.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"aws-mfa/shared/awstest"
)

func main() {
	if strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe") == codeCommand {
		os.Exit(report(printCode(os.Args[1:])))
	}
	bin := flag.String("bin", "", "`directory` of the programs to try, put first in PATH")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: sandbox [-bin DIR] [COMMAND [ARG...]]")
		flag.PrintDefaults()
	}
	flag.Parse()
	os.Exit(report(run(*bin, flag.Args())))
}

// run sets the sandbox up, runs the command in it to its end, and clears up.
func run(bin string, command []string) (err error) {
	aws, err := awstest.Start()
	if err != nil {
		return err
	}
	defer aws.Close()
	stop := catchSignals() // before there is anything to clear up
	defer stop()
	home, err := os.MkdirTemp("", "aws-mfa-sandbox-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(home)) }()

	if err := furnish(home, aws); err != nil {
		return err
	}
	path, err := searchPath(bin, home)
	if err != nil {
		return err
	}
	os.Setenv("PATH", path) // for the command's own lookup, too
	if len(command) == 0 {
		command = []string{shell()}
		fmt.Fprint(os.Stderr, greeting)
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = environment(os.Environ(), home, aws)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return runUnderSignals(cmd)
}

// report says what went wrong, unless the command has said so itself, and
// turns it into an exit status.
func report(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exitStatus(exit.ProcessState)
	}
	fmt.Fprintln(os.Stderr, "sandbox: error:", err)
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return 127
	}
	return 1
}
