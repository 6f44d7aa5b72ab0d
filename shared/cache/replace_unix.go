//go:build !windows

package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

func rename(from *os.File, to string) error { return os.Rename(from.Name(), to) }

func removeFile(path string) error { return os.Remove(path) }

func openFile(path string, flag int) (*os.File, error) { return os.OpenFile(path, flag, 0) }

// createTemp makes a file of that name and a number, for the user only.
func createTemp(path string, _ sight) (*os.File, error) {
	return os.CreateTemp(dirOf(path), filepath.Base(path)+"*.tmp") // 0600, O_EXCL
}

func makeDir(path string) error { return os.Mkdir(path, 0o700) }

// closeDir closes the directory to others, where the user may.
func closeDir(dir string, info fs.FileInfo) {
	if info.Mode().Perm()&0o077 != 0 {
		_ = os.Chmod(dir, info.Mode()&^0o077)
	}
}

// claim locks a new staged file, which tells others that its process lives. It
// is false if one of them has swept it up before. Where there are no locks, it
// is for removeOld to spare it.
func claim(f *os.File) bool {
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		return false
	}
	_, err := os.Lstat(f.Name())
	return !errors.Is(err, fs.ErrNotExist)
}

// removeAbandoned removes a staged file if its process is dead.
func removeAbandoned(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return removeOld(path)
	}
	defer f.Close()
	switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return nil
	case err != nil:
		return removeOld(path)
	}
	return os.Remove(path) // before the lock goes: claim looks for it
}

// syncDir makes the directory's names last. Some network file systems cannot.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	err = f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

// liken gives the file the owner, group and mode of like, or refuses: with
// another owner or group, others than before could read it.
func liken(f *os.File, like fs.FileInfo) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	is, ok := info.Sys().(*syscall.Stat_t)
	want, known := like.Sys().(*syscall.Stat_t)
	if ok && known && (is.Uid != want.Uid || is.Gid != want.Gid) {
		if err := f.Chown(int(want.Uid), int(want.Gid)); err != nil {
			return fmt.Errorf("a new file cannot have the owner of the old one: %w", err)
		}
	}
	return f.Chmod(like.Mode()) // last: a change of owner takes set-user-ID away
}
