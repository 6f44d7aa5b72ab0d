package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A care is how much is done for what is written to outlive a power cut, for
// which programs wait for the disk.
type care int

const (
	passing care = iota // what is lost is found out anew
	whole               // the old one or the new one
	lasting             // the new one
)

// keep puts data in the place of the file path, or of the file that it leads
// to as a symbolic link, after sweeping up after writers that were killed.
func keep(path string, data []byte, c care) error {
	real, err := target(path)
	if err != nil {
		return err
	}
	_ = sweep(dirOf(real))
	return led(path, real, about(real, replace(real, data, c)))
}

// led adds to an error about a file the link that led there.
func led(path, real string, err error) error {
	if err == nil || path == real {
		return err
	}
	return fmt.Errorf("%s is a symbolic link: %w", path, err)
}

// discard removes the file, or the one that it leads to, and what killed
// writers left beside it. It is no error if there is none.
func discard(path string) error {
	path, err := target(path)
	if err != nil {
		return err
	}
	// Of a file that is not there, a file system that is read-only tells first
	// that it is read-only.
	if err := removeFile(path); err != nil && !isAbsent(err) {
		if _, look := os.Lstat(path); !isAbsent(look) {
			return err
		}
	}
	return sweep(dirOf(path))
}

// isAbsent tells whether there is no such file: also where a directory on the
// way to it is none.
func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// open makes the directory, or closes the one there is to others.
func open(dir string) error {
	if err := mkdir(dir); err != nil {
		return err
	}
	info, err := os.Lstat(dir)
	if err == nil && info.IsDir() {
		// What a link leads to may be shared on purpose, and the directory of
		// somebody else stays as it is; files are for the user only.
		closeDir(dir, info)
	}
	return err
}

// mkdir makes the directory, and those above it as far as .aws: what that is in
// is the user's home, and where that is not there (yet, or any more) is no place
// for keys.
func mkdir(dir string) error {
	switch info, err := os.Stat(dir); {
	case err == nil && !info.IsDir():
		return &fs.PathError{Op: "mkdir", Path: dir, Err: errors.New("not a directory")} // Windows says that there is none
	case errors.Is(err, fs.ErrNotExist):
		if filepath.Base(dir) != ".aws" {
			if err := mkdir(filepath.Dir(filepath.Clean(dir))); err != nil {
				return err
			}
		}
		if err := makeDir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return os.MkdirAll(dir, 0o700) // tells what is in the way
}

// target follows the symbolic links of path, also to a file that is not there
// yet, and refuses what is not a file of data: as root, replacing an entry
// linked to /dev/null would replace the device.
func target(path string) (string, error) {
	known := path
	for range 40 { // as Linux
		info, err := os.Lstat(path)
		switch {
		case err != nil || info.Mode().IsRegular():
			return path, nil
		case info.Mode().Type() != fs.ModeSymlink:
			return "", &BrokenError{known, "not a regular file"}
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
	return "", &fs.PathError{Op: "readlink", Path: known, Err: syscall.ELOOP}
}

// replace puts data in the place of the file path, or leaves everything as it
// was. The order (new file, fsync, rename, fsync of the directory) is what
// keeps one whole file under that name through a crash or a power cut.
//
// Of the libraries for this, google/renameio has no Windows, and
// natefinch/atomic neither syncs the directory nor sets the mode first.
func replace(path string, data []byte, c care) error {
	staged, err := stage(path, data, sight{}, c)
	if err != nil {
		return err
	}
	return swap(staged, path, c)
}

// swap puts the staged file in the place of the file path, or removes it.
func swap(staged *os.File, path string, c care) error {
	if err := rename(staged, path); err != nil {
		return errors.Join(err, drop(staged))
	}
	staged.Close()
	if c != lasting {
		return nil
	}
	return syncDir(dirOf(path))
}

// drop removes a staged file.
func drop(staged *os.File) error {
	staged.Close()
	if err := removeFile(staged.Name()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// about makes an error that is about a staged file, whose name means nothing to
// anybody and which is gone, one about the file it was to replace.
func about(path string, err error) error {
	var (
		at   *fs.PathError
		link *os.LinkError
	)
	switch {
	case errors.As(err, &link):
		return &fs.PathError{Op: "replace", Path: path, Err: link.Err}
	case errors.As(err, &at):
		if at.Path = path; at.Op == "open" {
			at.Op = "make a new file beside"
		}
	}
	return err
}

// stage writes data to a new file beside path, for the user only or, where like
// is a file, for those who may use that. The file is this process's as long as
// it is open. After an error there is none.
func stage(path string, data []byte, like sight, c care) (*os.File, error) {
	f, err := create(path, like)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(data)
	if err == nil && like.info != nil {
		err = liken(f, like.info)
	}
	if err == nil && c != passing {
		err = f.Sync()
	}
	if err != nil {
		return nil, errors.Join(err, drop(f))
	}
	return f, nil
}

// ours marks staged files in the names of files, also in directories that are
// not ours.
const ours = ".aws-mfa."

// create makes a file beside path that nobody sweeps up.
func create(path string, like sight) (*os.File, error) {
	for {
		f, err := createTemp(path+ours, like)
		if err != nil || claim(f) {
			return f, err
		}
		f.Close()
	}
}

// sweep removes what is staged in the directory by processes that are dead: they
// leave a session in it, or all that stood in an AWS file.
func sweep(dir string) error {
	all, err := os.ReadDir(dir)
	if err != nil && !isAbsent(err) {
		return err
	}
	var failed []error
	for _, file := range all {
		if !file.Type().IsRegular() || !isStaged(file.Name()) {
			continue
		}
		if err := removeAbandoned(filepath.Join(dir, file.Name())); !errors.Is(err, fs.ErrNotExist) {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

func isStaged(name string) bool {
	name, isTemp := strings.CutSuffix(name, ".tmp")
	at := strings.LastIndex(name, ours)
	return isTemp && at >= 0 && strings.Trim(name[at+len(ours):], "0123456789") == ""
}

// removeOld removes a staged file of which nothing but its age tells that it is
// nobody's any more: a write takes milliseconds.
func removeOld(path string) error {
	info, err := os.Lstat(path)
	if err != nil || time.Since(info.ModTime()) < time.Minute {
		return err
	}
	return removeFile(path)
}

// escape makes a name match only itself in filepath.Glob.
func escape(name string) string {
	if os.PathSeparator == '\\' {
		return strings.ReplaceAll(name, "[", "[[]") // no name has *? there, and nothing escapes
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
