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
	"time"
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

// A process may be stopped, or the machine asleep, for as long as it likes.
func TestStagedFilesAreSweptWhenTheirProcessIsDead(t *testing.T) {
	dir := t.TempDir()
	d := Dir(dir)
	living, err := stage(d.Path("x"), []byte("living"), sight{}, whole)
	if err != nil {
		t.Fatal(err)
	}
	age(t, living.Name())
	dead := d.Path("y") + ".aws-mfa.123.tmp"
	for _, sweeps := range []func() error{
		func() error { return d.Write("x", session()) },
		func() error { return d.Check("x") },
		func() error { return d.Remove("x") },
		func() error { return MemoryIn(t.TempDir()).Rewrite(soon(t), filepath.Join(dir, "config"), with("x")) },
		func() error { return MemoryIn(t.TempDir()).Rewrite(soon(t), filepath.Join(dir, "config"), with("x")) }, // which writes nothing
	} {
		put(t, dead, "dead")
		if err := sweeps(); err != nil {
			t.Fatal(err)
		}
		if got, _ := filepath.Glob(filepath.Join(dir, "*.tmp")); !slices.Equal(got, []string{living.Name()}) {
			t.Errorf("got %q, want %q", got, living.Name())
		}
	}
	if err := swap(living, d.Path("x"), whole); err != nil || get(t, d.Path("x")) != "living" {
		t.Errorf("got %q, %v", get(t, d.Path("x")), err)
	}
}

func TestAFileThatIsSweptBeforeItIsClaimedIsNotUsed(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "x.aws-mfa.*.tmp")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := removeAbandoned(f.Name()); err != nil || claim(f) {
		t.Errorf("it is claimed though it is gone: %v", err)
	}
}

func TestWhereThereAreNoLocksTheAgeTells(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.aws-mfa.1.tmp")
	for put(t, path, "x"); ; age(t, path) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		young := time.Since(info.ModTime()) < time.Minute
		if err := removeOld(path); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); (err == nil) != young {
			t.Errorf("young: %t: got %v", young, err)
		}
		if !young {
			return
		}
	}
}
