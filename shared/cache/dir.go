package cache

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Dir is a directory of entries.
type Dir string

// In returns the directory that the AWS CLI uses for the user with that home
// directory. No setting moves it.
func In(home string) Dir { return Dir(filepath.Join(home, ".aws", "cli", "cache")) }

// Path returns the file of the entry.
func (d Dir) Path(name string) string { return filepath.Join(string(d), name+".json") }

// BrokenError is a file, an entry or one of Memory's, that is there but of no
// use. The AWS CLI fails on most such entries with nothing but the entry's
// name, until the file is gone.
type BrokenError struct {
	Path   string
	Reason string // "empty file", "no SessionToken"; never content
}

func (e *BrokenError) Error() string { return e.Path + ": " + e.Reason }

const (
	readTries = 6
	readPause = 10 * time.Millisecond
)

// Read returns the entry, expired or not. The error is fs.ErrNotExist when
// there is none, a *BrokenError when it cannot be used, else of the system.
func (d Dir) Read(name string) (Entry, error) {
	path := d.Path(name)
	for try := 1; ; try++ {
		data, err := load(path, maxSize)
		if err != nil {
			return Entry{}, err
		}
		if plain, ok := parsePlain(data); ok {
			return plain.entry(), nil
		}
		e, err := parse(data)
		if err == nil {
			return e, nil
		}
		// AWS CLI v2 empties the file, then fills it: what is not JSON may
		// be so a moment later.
		if try == readTries || json.Valid(data) {
			return Entry{}, &BrokenError{path, err.Error()}
		}
		time.Sleep(readPause)
	}
}

// load reads the file, and one byte more than limit if it is larger. It looks
// before it opens: opening a FIFO waits for its writer.
func load(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if isAbsent(err) {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &BrokenError{path, "not a regular file"}
	}
	f, err := openFile(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit+1))
}

// Write puts the entry, in the form of the AWS CLI, in place of the one there
// is. Readers see the old entry or the new one, never a part, whatever goes
// wrong. Nobody else may read it: the file is made 0600, the directory 0700
// where the user may (the AWS CLI makes it 0755); Windows has access lists for
// that. If the entry is a symbolic link, the file it leads to is replaced.
//
// An entry that Read would call broken, and anything but a regular file in the
// place of the old one, is refused with a *BrokenError.
func (d Dir) Write(name string, e Entry) error {
	data := e.encode()
	if _, err := parse(data); err != nil {
		return &BrokenError{d.Path(name), err.Error()}
	}
	if err := open(string(d)); err != nil {
		return err
	}
	return keep(d.Path(name), data, whole)
}

// Remove takes the entry away, with what killed processes may have left of any;
// if it is a symbolic link, the file it leads to, where the secrets are. It is
// no error if there is none. What is not a regular file stays, and is a
// *BrokenError.
func (d Dir) Remove(name string) error { return discard(d.Path(name)) }

// Names are those of all entries, good or not.
func (d Dir) Names() (names []string) {
	files, _ := filepath.Glob(filepath.Join(escape(string(d)), "*.json"))
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), ".json"))
	}
	return names
}

// Check reports whether the entry could be written now, by writing a file of a
// session's size beside it, replacing that, and removing it. It finds a disk
// that is full or read-only, or replaces no files, before a one-time code is
// spent on a session that could not be kept.
func (d Dir) Check(name string) error {
	if err := open(string(d)); err != nil {
		return err
	}
	return check(d.Path(name))
}

// check reports whether keep could keep something there now.
func check(path string) error {
	real, err := target(path)
	if err != nil {
		return err
	}
	_ = sweep(dirOf(real)) // which may make room
	return led(path, real, tryOut(real))
}

// tryOut does all that replace does, beside the file path, and undoes it.
func tryOut(path string) error {
	old, err := stage(path, bytes.Repeat([]byte{' '}, 8192), sight{}, whole)
	if err != nil {
		return about(path, err)
	}
	old.Close() // Windows replaces no file that is open
	f, err := create(path, sight{})
	if err == nil {
		if err = rename(f, old.Name()); err != nil {
			_ = drop(f)
		}
		f.Close()
	}
	return errors.Join(about(path, err), drop(old))
}
