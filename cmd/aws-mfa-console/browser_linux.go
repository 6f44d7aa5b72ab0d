package main

import (
	"os"
	"path/filepath"
	"strings"
)

// onWSL tells whether this is Linux within Windows, and can run its programs:
// a container there has the same kernel, but not that.
func onWSL() bool {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	interop, _ := filepath.Glob("/proc/sys/fs/binfmt_misc/WSLInterop*")
	return err == nil && strings.Contains(strings.ToLower(string(release)), "microsoft") && len(interop) > 0
}
