package cache

import (
	"os"
	"path/filepath"
)

// readSmall reads a regular file of the directory into a space that is larger; ok
// is false if that was not so easy.
func readSmall(dir *os.File, name string, space []byte) (data []byte, ok bool) {
	f, err := os.Open(filepath.Join(dir.Name(), name))
	if err != nil {
		return nil, false
	}
	defer f.Close()
	n, err := f.Read(space)
	return space[:n], err == nil && n < len(space)
}
