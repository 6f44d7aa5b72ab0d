//go:build unix

package cache

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestErrorsAreAboutTheFileThatPeopleKnow(t *testing.T) {
	d := Dir(t.TempDir())
	if err := os.Symlink(filepath.Join(string(d), "nowhere", "x"), d.Path("x")); err != nil {
		t.Fatal(err)
	}
	want := d.Path("x") + " is a symbolic link: make a new file beside " + filepath.Join(string(d), "nowhere", "x") + ": no such file or directory"
	for action, err := range map[string]error{"write": d.Write("x", session()), "check": d.Check("x")} {
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", action, err, want)
		}
	}
	if err := os.Symlink(os.DevNull, d.Path("device")); err != nil {
		t.Fatal(err)
	}
	if broken := new(BrokenError); !errors.As(d.Check("device"), &broken) || broken.Path != d.Path("device") {
		t.Errorf("a link to a device: got %v, want %s", broken, d.Path("device"))
	}
	for want, err := range map[string]error{
		"write /a/b: no space left on device":                &fs.PathError{Op: "write", Path: "/a/b.123.tmp", Err: syscall.ENOSPC},
		"make a new file beside /a/b: read-only file system": &fs.PathError{Op: "open", Path: "/a/b.123.tmp", Err: syscall.EROFS},
		"replace /a/b: invalid cross-device link":            &os.LinkError{Op: "rename", Old: "/a/b.123.tmp", New: "/a/b", Err: syscall.EXDEV},
	} {
		if got := about("/a/b", err); got.Error() != want || !errors.As(got, new(*fs.PathError)) {
			t.Errorf("got %v, want %s", got, want)
		}
	}
}

func TestAHomeThatIsNotThereIsNotMade(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	for action, err := range map[string]error{
		"write":    In(home).Write("x", session()),
		"remember": MemoryIn(home).KeepOffset("", Offset{Ahead: time.Minute, Measured: time.Now()}),
		"rewrite": MemoryIn(home).Rewrite(t.Context(), filepath.Join(home, ".aws", "config"), func([]byte) ([]byte, error) {
			return []byte("[x]\n"), nil
		}),
	} {
		if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), filepath.Join(home, ".aws")) {
			t.Errorf("%s: got %v, want that there is no %s", action, err, home)
		}
	}
	if _, err := os.Stat(home); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s: got %v, want it not to be there", home, err)
	}
}

// There is no file behind a file, nor is there one to be removed.
func TestBehindAFileThereIsNothing(t *testing.T) {
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, ".aws"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{"cli", "mfa"} {
		put(t, filepath.Join(home, ".aws", place), "in the way")
	}
	d, m := In(home), MemoryIn(home)
	if _, err := d.Read("x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("read: got %v, want %v", err, fs.ErrNotExist)
	}
	_, err := m.Copies("x")
	for action, err := range map[string]error{"remove": d.Remove("x"), "copies": err, "forget": m.RemoveSealed("x"), "sessions": m.Sessions().Remove("x")} {
		if err != nil {
			t.Errorf("%s: got %v, want nothing", action, err)
		}
	}
	if err := d.Check("x"); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("check: got %v, want %v", err, syscall.ENOTDIR)
	}
}
