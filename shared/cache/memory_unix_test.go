//go:build unix

package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func init() { helpers["ordinary"] = ordinary }

func TestOnlyTheUserMayReadWhatIsRemembered(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	home := t.TempDir()
	m := MemoryIn(home)
	write := func() {
		t.Helper()
		release, err := m.Lock(soon(t), "x", nil)
		if err != nil {
			t.Fatal(err)
		}
		release()
		for _, err := range []error{
			m.ChangeDevice(t.Context(), jane, func(d *Device) error { d.Proven = !d.Proven; return nil }),
			m.KeepOffset("", Offset{time.Second, time.Now()}),
			m.KeepSealed(jane, []byte("sealed")),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		mode(t, filepath.Join(home, ".aws"), 0o700)
		mode(t, string(m), 0o700)
		for _, file := range files(t, Dir(m)) {
			mode(t, filepath.Join(string(m), file), 0o600)
		}
	}
	write()
	for _, path := range []string{m.file(jane, ".json"), m.SealedPath(jane), m.clock("")} {
		chmod(t, path, 0o644)
	}
	chmod(t, string(m), 0o777)
	write()
	for _, shut := range []fs.FileMode{0, 0o600, 0o400} {
		chmod(t, string(m), shut)
		write()
	}
}

func TestWhatIsNoFileIsNotRemembered(t *testing.T) {
	m := Memory(t.TempDir())
	for _, path := range []string{m.file(jane, ".json"), m.SealedPath(jane), m.clock(""), m.file("x", ".lock"), m.file("fifo", ".json.lock")} {
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(os.DevNull, m.file("y", ".lock")); err != nil {
		t.Fatal(err)
	}
	_, device := m.Device(jane)
	_, seed := m.Sealed(jane)
	_, offset := m.Offset("")
	_, lock := m.Lock(t.Context(), "x", nil)
	_, null := m.Lock(t.Context(), "y", nil)
	for what, err := range map[string]error{
		"device":  device,
		"seed":    seed,
		"offset":  offset,
		"lock":    lock,
		"null":    null,
		"change":  m.ChangeDevice(t.Context(), jane, become(Device{Proven: true})),
		"change2": m.ChangeDevice(t.Context(), "fifo", become(Device{Proven: true})),
		"keep":    m.KeepSealed(jane, []byte("sealed")),
		"remove":  m.RemoveSealed(jane),
		"clock":   m.KeepOffset("", Offset{time.Second, time.Now()}),
		"forget":  m.KeepOffset("", Offset{}),
	} {
		if broken := new(BrokenError); !errors.As(err, &broken) || broken.Reason != "not a regular file" {
			t.Errorf("%s: got %v, want a BrokenError", what, err)
		}
	}
}

// Permissions stop only an ordinary user, so a helper becomes one.
func TestPermissionsOfAnOrdinaryUser(t *testing.T) {
	dir, err := os.MkdirTemp("", "") // t.TempDir is closed to others than root
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if os.Getuid() == 0 {
		if err := os.Lchown(dir, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command(os.Args[0], "ordinary", dir).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

const nobody = 65534

func ordinary(args []string) error {
	if os.Getuid() == 0 {
		if err := errors.Join(syscall.Setgid(nobody), syscall.Setuid(nobody)); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	m := MemoryIn(args[0])
	lock := func(name string) error {
		release, err := m.Lock(ctx, name, nil)
		if err == nil {
			release()
		}
		return err
	}
	refused := func(err error, path string) error {
		if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), path) {
			return fmt.Errorf("got %v, want that permission for %s is denied", err, path)
		}
		return nil
	}
	var errs []error
	check := func(err error) { errs = append(errs, err) }

	check(m.ChangeDevice(ctx, jane, become(device())))
	for _, shut := range []fs.FileMode{0, 0o600, 0o400} {
		check(os.Chmod(string(m), shut))
		_, err := m.Device(jane)
		check(refused(err, m.file(jane, ".json"))) // reading changes nothing
		check(lock("x"))
		_, err = m.Device(jane)
		check(err)
	}
	check(os.Chmod(m.file("x", ".lock"), 0o400))
	check(lock("x"))
	check(os.Chmod(m.file("x", ".lock"), 0))
	check(refused(lock("x"), m.file("x", ".lock")))
	check(os.Chmod(m.file(jane, ".json"), 0))
	check(refused(m.ChangeDevice(ctx, jane, become(Device{})), m.file(jane, ".json")))

	check(os.Chmod(string(m), 0o500)) // may be meant so
	check(refused(lock("y"), m.file("y", ".lock")))
	check(refused(m.KeepSealed(jane, []byte("sealed")), string(m)))

	check(os.Chmod(string(m), 0o700))
	m = Memory("/") // somebody else's
	check(refused(lock("x"), m.file("x", ".lock")))
	return errors.Join(errs...)
}
