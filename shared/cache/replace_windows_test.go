package cache

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

// keepOpen opens a file as Python and Go do, and so the AWS CLI and the SDKs: it may
// be read and written meanwhile, but not replaced or removed; or, as a backup
// does, for itself alone.
func keepOpen(t *testing.T, path string, share uint32) (release func()) {
	t.Helper()
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		t.Fatal(err)
	}
	handle, err := windows.CreateFile(name, windows.GENERIC_READ, share, nil, windows.OPEN_EXISTING, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	return func() { windows.CloseHandle(handle) }
}

const (
	asPython = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE
	alone    = 0
)

// A use is what is done to a file that others may have open.
type use struct {
	share uint32
	do    func(d Dir) error
}

var uses = map[string]use{
	"replaced": {asPython, func(d Dir) error { return d.Write("x", session()) }},
	"removed":  {asPython, func(d Dir) error { return d.Remove("x") }},
	"read":     {alone, func(d Dir) error { _, err := d.Read("x"); return err }},
	"edited": {alone, func(d Dir) error {
		return MemoryIn(string(d)).Rewrite(context.Background(), d.Path("x"), func(old []byte) ([]byte, error) { return append(old, ' '), nil })
	}},
}

func TestAFileThatOthersHaveOpenIsWaitedFor(t *testing.T) {
	for what, u := range uses {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			d := Dir(t.TempDir())
			if err := d.Write("x", session()); err != nil {
				t.Fatal(err)
			}
			release := keepOpen(t, d.Path("x"), u.share)
			go func() {
				time.Sleep(inUse / 4)
				release()
			}()
			if err := u.do(d); err != nil {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAFileThatStaysOpenIsAnErrorThatSaysSo(t *testing.T) {
	for what, u := range uses {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			d := Dir(t.TempDir())
			if err := d.Write("x", session()); err != nil {
				t.Fatal(err)
			}
			before := get(t, d.Path("x"))
			release := keepOpen(t, d.Path("x"), u.share)
			began := time.Now()
			err := u.do(d)
			release()
			var broken *BrokenError
			denied := errors.Is(err, windows.ERROR_ACCESS_DENIED) && what == "replaced" // as Windows has it
			if !denied && (!errors.As(err, &broken) || broken.Path != d.Path("x") || !strings.Contains(broken.Reason, "another program has it open")) {
				t.Errorf("got %v", err)
			}
			if took := time.Since(began); took < inUse/2 {
				t.Errorf("took %s", took)
			}
			if got := get(t, d.Path("x")); got != before {
				t.Errorf("got %s, want what was there", got)
			}
			if got := files(t, d); slices.ContainsFunc(got, isStaged) {
				t.Errorf("got files %q", got)
			}
		})
	}
}

func TestFilesOfOursAreForTheUserOnly(t *testing.T) {
	shared := sharedDir(t)
	d, config := Dir(filepath.Join(shared, "new", "cache")), filepath.Join(shared, "config")
	if err := d.Write("x", session()); err != nil {
		t.Fatal(err)
	}
	if err := MemoryIn(shared).Rewrite(t.Context(), config, func([]byte) ([]byte, error) { return []byte("x"), nil }); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(shared, "new"), string(d), d.Path("x"), config, filepath.Join(shared, ".aws"), filepath.Join(shared, ".aws", "mfa")} {
		if othersMayRead(path) {
			t.Errorf("others may read %s", path)
		}
	}
}

func TestADirectoryThatIsOpenToOthersIsClosed(t *testing.T) {
	d := Dir(filepath.Join(sharedDir(t), "cache"))
	openTo(t, string(d), "D:P(A;OICI;FA;;;WD)")
	put(t, d.Path("old"), "x")
	if err := d.Write("x", session()); err != nil {
		t.Fatal(err)
	}
	if closed := openTo(t, filepath.Join(t.TempDir(), "closed"), "D:P(A;OICI;FA;;;SY)"); othersMayRead(closed) {
		t.Skip("no access lists that are protected here, as in Wine 8")
	}
	for _, path := range []string{string(d), d.Path("old"), d.Path("x")} {
		if othersMayRead(path) {
			t.Errorf("others may read %s", path)
		}
	}
}

// Whoever shares a file with others goes on sharing it; who does not, not.
func TestAnEditedFileKeepsItsAccessList(t *testing.T) {
	shared := sharedDir(t)
	inherits, own := filepath.Join(shared, "inherits"), filepath.Join(shared, "own")
	put(t, inherits, "x")
	if err := replace(own, []byte("x"), whole); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{inherits: true, own: false} {
		err := MemoryIn(t.TempDir()).Rewrite(t.Context(), path, func(old []byte) ([]byte, error) { return append(old, 'y'), nil })
		if got := othersMayRead(path); err != nil || got != want || get(t, path) != "xy" {
			t.Errorf("%s: others may read: got %t, %v, want %t", path, got, err, want)
		}
	}
}

func othersMayRead(path string) bool {
	read, _ := OthersMay(path)
	return read
}

// sharedDir is a directory that everybody may use, with what will be in it.
func sharedDir(t *testing.T) string {
	t.Helper()
	dir := openTo(t, filepath.Join(t.TempDir(), "shared"), "D:P(A;OICI;FA;;;WD)")
	file := filepath.Join(dir, "file")
	put(t, file, "x")
	if !othersMayRead(file) {
		t.Skip("no access lists here")
	}
	return dir
}

// openTo makes a directory with that access list.
func openTo(t *testing.T, dir, list string) string {
	t.Helper()
	descriptor, err := windows.SecurityDescriptorFromString(list)
	if err != nil {
		t.Fatal(err)
	}
	acl, _, err := descriptor.DACL()
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err == nil {
		err = windows.SetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, acl, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
