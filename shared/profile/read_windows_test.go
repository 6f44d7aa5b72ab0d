package profile

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// keepToItself opens a file so that nobody else can, as a backup does.
func keepToItself(t *testing.T, path string) (release func()) {
	t.Helper()
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		t.Fatal(err)
	}
	handle, err := syscall.CreateFile(name, syscall.GENERIC_READ, 0, nil, syscall.OPEN_EXISTING, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	return func() { syscall.CloseHandle(handle) }
}

func TestAConfigThatAnotherProgramKeepsToItselfIsWaitedFor(t *testing.T) {
	for name, want := range map[string]error{"for a moment": nil, "for good": sharingViolation} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			path := filepath.Join(home, "config")
			if err := os.WriteFile(path, []byte("[profile p]\r\nregion = eu-west-1\r\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			release := keepToItself(t, path)
			if want == nil {
				time.AfterFunc(inUse/8, release)
			} else {
				defer release()
			}
			set, err := Load(environment(map[string]string{"USERPROFILE": home, "AWS_CONFIG_FILE": path}))
			if !errors.Is(err, want) {
				t.Fatalf("got %v, want %v", err, want)
			}
			if err == nil && len(set.Names()) != 1 {
				t.Errorf("got profiles %q", set.Names())
			}
		})
	}
}
