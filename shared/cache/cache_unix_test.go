//go:build unix

package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
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

func init() { helpers["full-entry"] = fullEntry }

// A limit on file size fails a write half-way, as a full disk does; in a helper,
// since it is one for all files of the process.
func TestFullDiskLeavesTheOldEntry(t *testing.T) {
	d := Dir(t.TempDir())
	put(t, d.Path("x"), "old")
	if out, err := exec.Command(os.Args[0], "full-entry", string(d)).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if got := get(t, d.Path("x")); got != "old" {
		t.Errorf("got %s, want old", got)
	}
	if got, want := files(t, d), []string{"x.json"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func fullEntry(args []string) error {
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 100, Max: 100}); err != nil {
		return err
	}
	d := Dir(args[0])
	writing, checking := d.Write("x", session()), d.Check("x")
	if !errors.Is(writing, syscall.EFBIG) || !errors.Is(checking, syscall.EFBIG) {
		return fmt.Errorf("got %v and %v, want %v", writing, checking, syscall.EFBIG)
	}
	return nil
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
