package cache

import (
	"errors"
	"os"
	"path/filepath"
)

// replace puts data in the place of the file path, or leaves everything as it
// was. The order (new file, fsync, rename, fsync of the directory) is what
// keeps one whole file under that name through a crash or a power cut.
//
// Of the libraries for this, google/renameio has no Windows, and
// natefinch/atomic neither syncs the directory nor sets the mode first.
func replace(path string, data []byte) error {
	dir, _ := filepath.Split(path) // filepath.Dir would drop "x/.." here
	if dir == "" {
		dir = "."
	}
	temp, err := stage(dir, data)
	if err != nil {
		return err
	}
	if err := rename(temp, path); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	return syncDir(dir)
}

// stage writes data to a new file in dir, for the user only, and to the disk.
// It returns the file's path, or an error and leaves no file.
func stage(dir string, data []byte) (string, error) {
	f, err := os.CreateTemp(dir, "*.tmp") // 0600, O_EXCL
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}
