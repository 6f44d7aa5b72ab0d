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
// process, such as an AWS CLI or a virus scanner, has open at that moment. Nor
// does it rename one that is open.
func rename(from *os.File, to string) error {
	from.Close()
	for try := 1; ; try++ {
		err := os.Rename(from.Name(), to)
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

// claim has nothing to do: Windows removes no file that is open.
func claim(*os.File) bool { return true }

// removeAbandoned goes by age, since a staged file is not open while it is renamed.
func removeAbandoned(path string) error { return removeOld(path) }
