package cache

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/windows"
)

// inUse is how long a file may be in use by others: a virus scanner, a backup,
// or one of the many programs whose libraries share a file that they read with
// readers and writers, but with nobody who replaces or removes it. cmd/go waits
// as long. Source: https://go.dev/src/cmd/internal/robustio/robustio_flaky.go
const inUse = 2 * time.Second

// insist does again what fails because another process has the file open.
// Where it is replaced or removed, Windows may say of such a file what it says
// of one that the user has no right to, so that is waited for as well.
func insist(path string, do func() error, busy ...error) error {
	pause := time.Millisecond
	for began := time.Now(); ; pause = min(2*pause, 50*time.Millisecond) {
		err := do()
		if err == nil || !isAny(err, busy) {
			return err
		}
		if time.Since(began) > inUse {
			if errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
				return &BrokenError{path, "another program has it open, and lets nobody read or replace it"}
			}
			return err
		}
		time.Sleep(pause)
	}
}

func isAny(err error, targets []error) bool {
	for _, target := range targets {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// rename closes the file first: Windows renames none that is open.
func rename(from *os.File, to string) error {
	from.Close()
	return insist(to, func() error { return os.Rename(from.Name(), to) }, windows.ERROR_SHARING_VIOLATION, windows.ERROR_ACCESS_DENIED)
}

func removeFile(path string) error {
	return insist(path, func() error { return os.Remove(path) }, windows.ERROR_SHARING_VIOLATION, windows.ERROR_ACCESS_DENIED)
}

func openFile(path string, flag int) (f *os.File, err error) {
	err = insist(path, func() error {
		f, err = os.OpenFile(path, flag, 0)
		return err
	}, windows.ERROR_SHARING_VIOLATION)
	return f, err
}

// syncDir does nothing: Windows has no such call for directories.
func syncDir(string) error { return nil }

// createTemp makes a file of that name and a number, for the user only or, where
// like is a file, for those who may use that. Nobody else can open it meanwhile:
// it is made with its access list.
func createTemp(path string, like sight) (*os.File, error) {
	who, err := private(false)
	if like.info != nil {
		who, err = accessTo(like.path)
	}
	if err != nil {
		return nil, err
	}
	for {
		temp := path + strconv.FormatUint(uint64(rand.Uint32()), 10) + ".tmp"
		name, err := windows.UTF16PtrFromString(temp)
		if err != nil {
			return nil, err
		}
		file, err := windows.CreateFile(name, windows.GENERIC_READ|windows.GENERIC_WRITE,
			windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE, who, windows.CREATE_NEW, windows.FILE_ATTRIBUTE_NORMAL, 0)
		switch {
		case err == nil:
			return os.NewFile(uintptr(file), temp), nil
		case !errors.Is(err, fs.ErrExist):
			return nil, &fs.PathError{Op: "open", Path: temp, Err: err}
		}
	}
}

// liken does nothing: createTemp has.
func liken(*os.File, fs.FileInfo) error { return nil }

// claim has nothing to do: Windows removes no file that is open.
func claim(*os.File) bool { return true }

// removeAbandoned goes by age, since a staged file is not open while it is renamed.
func removeAbandoned(path string) error { return removeOld(path) }
