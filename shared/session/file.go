package session

import (
	"bytes"
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
	size := int64(0)
	if info, err := os.Stat(path); err == nil {
		if !info.Mode().IsRegular() {
			return refused("not a regular file")
		}
		size = info.Size()
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text := bytes.NewBuffer(make([]byte, 0, min(size, limit)+bytes.MinRead)) // which need not grow
	_, err = text.ReadFrom(io.LimitReader(f, limit+1))
	if err == nil && int64(text.Len()) > limit {
		return refused(fmt.Sprintf("larger than %d KiB", limit>>10))
	}
	return text.Bytes(), err
}
