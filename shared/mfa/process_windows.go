package mfa

import (
	"os"

	"golang.org/x/sys/windows"
)

// stdin is the console for another program to read.
func (t *terminal) stdin() *os.File { return t.console }

// remember keeps the mode for show to bring back.
func (t *terminal) remember() {
	var mode uint32
	if windows.GetConsoleMode(windows.Handle(t.console.Fd()), &mode) == nil {
		t.before = &mode
	}
}
