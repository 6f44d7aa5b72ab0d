//go:build unix

package cache

import (
	"errors"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

func TestOnlyTheUserMayReadWhatIsWritten(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o022))
	home := t.TempDir()
	d := In(home)
	if err := d.Write("new", session()); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]fs.FileMode{
		filepath.Join(home, ".aws"):        0o700,
		filepath.Join(home, ".aws", "cli"): 0o700,
		string(d):                          0o700,
		d.Path("new"):                      0o600,
	} {
		mode(t, path, want)
	}

	put(t, d.Path("old"), "old")
	chmod(t, d.Path("old"), 0o644)
	chmod(t, string(d), 0o755)                   // as the AWS CLI makes it
	chmod(t, filepath.Join(home, ".aws"), 0o755) // as the AWS CLI makes it, and holds more than ours
	if err := d.Write("old", session()); err != nil {
		t.Fatal(err)
	}
	mode(t, d.Path("old"), 0o600)
	mode(t, string(d), 0o700)
	mode(t, filepath.Join(home, ".aws"), 0o755)
}

func TestWhatIsNoFileIsBroken(t *testing.T) {
	d := Dir(t.TempDir())
	if err := syscall.Mkfifo(d.Path("fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(d.Path("directory"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(os.DevNull, d.Path("device")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"fifo", "directory", "device"} {
		_, err := d.Read(name)
		for action, err := range map[string]error{"read": err, "write": d.Write(name, session()), "remove": d.Remove(name)} {
			if broken := new(BrokenError); !errors.As(err, &broken) || broken.Reason != "not a regular file" {
				t.Errorf("%s %s: got %v, want a BrokenError", action, name, err)
			}
		}
	}
}

// A limit on file size fails a write half-way, as a full disk does.
func TestFullDiskLeavesTheOldEntry(t *testing.T) {
	d := Dir(t.TempDir())
	put(t, d.Path("x"), "old")
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	small := limit
	small.Cur = 100
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
		t.Fatal(err)
	}
	writing, checking := d.Write("x", session()), d.Check("x")
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(writing, syscall.EFBIG) || !errors.Is(checking, syscall.EFBIG) {
		t.Errorf("got %v and %v, want %v", writing, checking, syscall.EFBIG)
	}
	if got := get(t, d.Path("x")); got != "old" {
		t.Errorf("got %s, want old", got)
	}
	if got, want := files(t, d), []string{"x.json"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func mode(t *testing.T, path string, want fs.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != want {
		t.Errorf("%s: got %o, want %o", path, got, want)
	}
}

func chmod(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}
