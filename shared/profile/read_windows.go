package profile

import (
	"errors"
	"os"
	"syscall"
	"time"
)

const (
	sharingViolation = syscall.Errno(32) // ERROR_SHARING_VIOLATION
	inUse            = 2 * time.Second
)

// readFile waits for programs that have the file open and let nobody else read
// it, as a virus scanner or a backup does for a moment.
func readFile(path string) ([]byte, error) {
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		data, err := os.ReadFile(path)
		if !errors.Is(err, sharingViolation) || time.Since(began) > inUse {
			return data, err
		}
	}
}
