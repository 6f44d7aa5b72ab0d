//go:build unix

package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func init() {
	helpers["ordinary-rewrite"] = ordinaryRewrite
	helpers["full"] = full
}

func TestRewriteKeepsTheModeAndMakesItsOwnPrivate(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o022))
	dir := t.TempDir()
	m := MemoryIn(t.TempDir())
	fresh := filepath.Join(dir, "a", "b", "config")
	if err := m.Rewrite(soon(t), fresh, with("x")); err != nil {
		t.Fatal(err)
	}
	mode(t, fresh, 0o600)
	mode(t, filepath.Join(dir, "a"), 0o700)
	mode(t, filepath.Join(dir, "a", "b"), 0o700)

	aws := filepath.Join(dir, ".aws")
	if err := os.Mkdir(aws, 0o700); err != nil {
		t.Fatal(err)
	}
	chmod(t, aws, 0o755)
	for _, want := range []fs.FileMode{0o600, 0o644, 0o664, 0o666, 0o200 | 0o400, 0o700} {
		path := filepath.Join(aws, fmt.Sprintf("config-%o", want))
		if err := m.Rewrite(soon(t), path, with("first")); err != nil {
			t.Fatal(err)
		}
		mode(t, path, 0o600)
		mode(t, aws, 0o755)
		chmod(t, path, want)
		if err := m.Rewrite(soon(t), path, with("new")); err != nil {
			t.Fatal(err)
		}
		mode(t, path, want)
		mode(t, aws, 0o755)
	}
}

func TestRewriteKeepsTheOwner(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root may give files away")
	}
	dir := t.TempDir()
	for _, want := range [][2]int{{nobody, nobody - 1}, {0, nobody}, {nobody, 0}} {
		path := filepath.Join(dir, fmt.Sprint(want))
		put(t, path, "old")
		chmod(t, path, 0o640)
		if err := os.Chown(path, want[0], want[1]); err != nil {
			t.Fatal(err)
		}
		if err := MemoryIn(t.TempDir()).Rewrite(soon(t), path, with("new")); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if is := info.Sys().(*syscall.Stat_t); [2]int{int(is.Uid), int(is.Gid)} != want || get(t, path) != "new" {
			t.Errorf("got owner %d:%d, want %d", is.Uid, is.Gid, want)
		}
		mode(t, path, 0o640)
	}
}

// Permissions stop only an ordinary user, so a helper becomes one, in a
// directory of its own with a file of somebody else.
func TestRewriteStopsWhereTheUserMayNotWrite(t *testing.T) {
	dir, err := os.MkdirTemp("", "") // t.TempDir is closed to others than root
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	theirs := ""
	if os.Getuid() == 0 {
		theirs = filepath.Join(dir, "theirs")
		put(t, theirs, "theirs")
		chmod(t, theirs, 0o666)
		if err := os.Lchown(dir, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command(os.Args[0], "ordinary-rewrite", dir, theirs).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func ordinaryRewrite(args []string) error {
	if os.Getuid() == 0 {
		if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(nobody), syscall.Setuid(nobody)); err != nil {
			return err
		}
	}
	dir, theirs := args[0], args[1]
	m := MemoryIn(dir)
	var errs []error
	refused := func(what, path string) {
		old, _ := os.ReadFile(path)
		err := m.Rewrite(context.Background(), path, with("new"))
		if !errors.Is(err, fs.ErrPermission) {
			errs = append(errs, fmt.Errorf("%s: got %v, want that permission is denied", what, err))
		}
		if now, err := os.ReadFile(path); err != nil || string(now) != string(old) {
			errs = append(errs, fmt.Errorf("%s: got %q, %v, want %q", what, now, err, old))
		}
	}
	if theirs != "" {
		refused("a file of somebody else", theirs)
	}
	path := filepath.Join(dir, "config")
	errs = append(errs, os.WriteFile(path, []byte("old"), 0o400))
	refused("a read-only file", path)
	shut := filepath.Join(dir, "shut")
	errs = append(errs, os.Mkdir(shut, 0o700), os.WriteFile(filepath.Join(shut, "config"), []byte("old"), 0o600), os.Chmod(shut, 0o500))
	refused("a read-only directory", filepath.Join(shut, "config"))
	errs = append(errs, os.Chmod(shut, 0o700))
	for _, d := range []string{dir, shut} {
		if left, _ := filepath.Glob(filepath.Join(d, "*.tmp")); len(left) > 0 {
			errs = append(errs, fmt.Errorf("left are %q", left))
		}
	}
	return errors.Join(errs...)
}

func TestRewriteRefusesDevicesAndPipes(t *testing.T) {
	dir := t.TempDir()
	m := MemoryIn(t.TempDir())
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(os.DevNull, filepath.Join(dir, "null")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "fifo"), filepath.Join(dir, "null"), os.DevNull} {
		err := m.Rewrite(soon(t), path, with("x"))
		if broken := new(BrokenError); !errors.As(err, &broken) || broken.Reason != "not a regular file" {
			t.Errorf("%s: got %v, want a BrokenError", path, err)
		}
	}
}

// A limit on file size fails a write half-way, as a full disk does; in a helper,
// since it is one for all files of the process.
func TestFullDiskLeavesTheOldFileAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "config")
	put(t, path, "old")
	if out, err := exec.Command(os.Args[0], "full", t.TempDir(), path).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if get(t, path) != "old" || len(files(t, Dir(dir))) != 1 {
		t.Errorf("got %q and files %q", get(t, path), files(t, Dir(dir)))
	}
}

func full(args []string) error {
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 100, Max: 100}); err != nil {
		return err
	}
	err := Memory(args[0]).Rewrite(context.Background(), args[1], with(strings.Repeat("x", 8192)))
	if !errors.Is(err, syscall.EFBIG) {
		return fmt.Errorf("got %v, want %v", err, syscall.EFBIG)
	}
	return nil
}

func TestOtherHardLinksKeepTheOldFile(t *testing.T) {
	dir := t.TempDir()
	path, other := filepath.Join(dir, "config"), filepath.Join(dir, "other")
	put(t, path, "old")
	if err := os.Link(path, other); err != nil {
		t.Fatal(err)
	}
	if err := MemoryIn(t.TempDir()).Rewrite(soon(t), path, with("new")); err != nil || get(t, path) != "new" || get(t, other) != "old" {
		t.Errorf("got %q and %q, %v", get(t, path), get(t, other), err)
	}
}
