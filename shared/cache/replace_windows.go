package cache

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"
)

const sharingViolation = syscall.Errno(32) // ERROR_SHARING_VIOLATION

// rename tries for a tenth of a second: Windows replaces no file that another
// process, such as an AWS CLI or a virus scanner, has open at that moment.
func rename(from, to string) error {
	for try := 1; ; try++ {
		err := os.Rename(from, to)
		busy := errors.Is(err, sharingViolation) || errors.Is(err, syscall.ERROR_ACCESS_DENIED)
		if !busy || try == 10 {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// syncDir does nothing: Windows has no such call for directories.
func syncDir(string) error { return nil }

// liken does nothing: who may read a new file is up to its directory.
func liken(*os.File, fs.FileInfo) error { return nil }
