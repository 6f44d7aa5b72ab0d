package session

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// readFile reads a file that a setting names. It looks before it opens: a FIFO
// is waited for without an end, and a device may have none.
func readFile(path string, limit int64) ([]byte, error) {
	refused := func(reason string) ([]byte, error) {
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New(reason)}
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return refused("not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		return refused(fmt.Sprintf("larger than %d KiB", limit>>10))
	}
	return text, err
}
