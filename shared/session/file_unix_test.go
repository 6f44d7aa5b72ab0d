//go:build unix

package session

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"aws-mfa/shared/profile"
)

func TestAFileWithoutAnEndIsNotRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fifo, huge := filepath.Join(dir, "fifo"), filepath.Join(dir, "huge")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(huge, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(huge, 1<<30); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{dir: "not a regular file", fifo: "not a regular file", "/dev/zero": "not a regular file", huge: "larger than"} {
		_, bundle := HTTPClient(profile.Network{CABundle: set(path)})
		_, token := readToken(set(path))
		for what, err := range map[string]error{"CA bundle": bundle, "web_identity_token_file": token} {
			if err == nil || !strings.HasPrefix(err.Error(), what+" (~/.aws/config:7): read "+path+": "+want) {
				t.Errorf("%s: got %v, want %s", what, err, want)
			}
		}
	}
}
