package main

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// signals holds those that came in, so that none of them ends the sandbox
// before it has cleared up.
var signals = make(chan os.Signal, 8)

func catchSignals() (stop func()) {
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	return func() { signal.Stop(signals) }
}

// runUnderSignals runs cmd to its end and passes signals on to it, except the
// keys of a terminal, which has sent them to the command already.
func runUnderSignals(cmd *exec.Cmd) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	terminal := hasTerminal()
	for {
		select {
		case err := <-ended:
			return err
		case s := <-signals:
			if key := s == os.Interrupt || s == syscall.SIGQUIT; !key || !terminal {
				cmd.Process.Signal(s)
			}
		}
	}
}

func hasTerminal() bool {
	tty, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	tty.Close()
	return true
}

// exitStatus is the command's own, or 128 and the number of the signal that ended it.
func exitStatus(p *os.ProcessState) int {
	if status, ok := p.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return p.ExitCode()
}
