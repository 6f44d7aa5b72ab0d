package cache

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// keep puts data in the place of the file path, or of the file that it leads
// to as a symbolic link, and sweeps up after writers that were killed.
func keep(path string, data []byte) error {
	path, err := target(path)
	if err != nil {
		return err
	}
	if err := replace(path, data); err != nil {
		return err
	}
	return sweep(path, abandoned)
}

// discard removes the file, or the one that it leads to, and what is staged
// for it. It is no error if there is none.
func discard(path string) error {
	path, err := target(path)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return sweep(path, 0)
}

// open makes the directory, or closes the one there is to others.
func open(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if info.IsDir() && info.Mode().Perm()&0o077 != 0 {
		// What a link leads to may be shared on purpose, and the directory of
		// somebody else stays as it is; files are 0600.
		_ = os.Chmod(dir, info.Mode()&^0o077)
	}
	return nil
}

// target follows the symbolic links of path, also to a file that is not there
// yet, and refuses what is not a file of data: as root, replacing an entry
// linked to /dev/null would replace the device.
func target(path string) (string, error) {
	for range 40 { // as Linux
		info, err := os.Lstat(path)
		switch {
		case err != nil || info.Mode().IsRegular():
			return path, nil
		case info.Mode().Type() != fs.ModeSymlink:
			return "", &BrokenError{path, "not a regular file"}
		}
		link, err := os.Readlink(path)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(link) {
			// filepath.Join would drop "x/..", which is not the same if x is a link.
			dir, _ := filepath.Split(path)
			link = dir + link
		}
		path = link
	}
	return "", &fs.PathError{Op: "readlink", Path: path, Err: syscall.ELOOP}
}

// replace puts data in the place of the file path, or leaves everything as it
// was. The order (new file, fsync, rename, fsync of the directory) is what
// keeps one whole file under that name through a crash or a power cut.
//
// Of the libraries for this, google/renameio has no Windows, and
// natefinch/atomic neither syncs the directory nor sets the mode first.
func replace(path string, data []byte) error {
	temp, err := stage(path, data, nil)
	if err != nil {
		return err
	}
	return swap(temp, path)
}

// swap puts the staged file in the place of the file path, or removes it.
func swap(temp, path string) error {
	if err := rename(temp, path); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	return syncDir(dirOf(path))
}

// stage writes data to a new file beside path, for the user only or, unless it
// is nil, with the owner and mode of like, and to the disk. It returns the
// file's path, or an error and leaves no file.
func stage(path string, data []byte, like fs.FileInfo) (string, error) {
	f, err := os.CreateTemp(dirOf(path), filepath.Base(path)+".*.tmp") // 0600, O_EXCL
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err == nil && like != nil {
		err = liken(f, like)
	}
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

// abandoned is the age at which a staged file is nobody's any more: a write
// takes milliseconds.
const abandoned = time.Minute

// sweep removes the files staged for path that are older than age: a process
// that was killed leaves a session in one.
func sweep(path string, age time.Duration) error {
	left, err := filepath.Glob(filepath.Join(escape(dirOf(path)), escape(filepath.Base(path))+".*.tmp"))
	if err != nil {
		return err
	}
	for _, temp := range left {
		info, err := os.Lstat(temp)
		if err != nil || !info.Mode().IsRegular() || time.Since(info.ModTime()) < age {
			continue
		}
		if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// escape makes a name match only itself in filepath.Glob.
func escape(name string) string {
	if os.PathSeparator == '\\' {
		return name // Glob escapes nothing on Windows, where no name has *?
	}
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(name)
}

// dirOf is the directory of path; filepath.Dir would drop "x/..", which is not
// the same if x is a link.
func dirOf(path string) string {
	if dir, _ := filepath.Split(path); dir != "" {
		return dir
	}
	return "."
}
