//go:build unix

package mfa

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

func TestPrintedCodesAreOfferedOnceEach(t *testing.T) {
	dir := t.TempDir()
	list := filepath.Join(dir, "codes")
	if err := os.WriteFile(list, []byte("111111\n222222\n222222\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// Prints the first line, and drops it while there is another.
	command := Command{Words: []string{"sh", "-c", `head -n 1 "$0"; [ $(wc -l <"$0") = 1 ] || sed -i 1d "$0"`, list}, From: "mfa_process (x:1)"}
	var waited time.Duration
	codes := Printed(nil, func(left time.Duration) { waited = max(waited, left) }, NoInput())
	d := &desk{used: []string{"111111"}}
	synctest.Test(t, func(t *testing.T) {
		q := d.question(nil)
		q.Command = command
		time.Sleep(10 * time.Second)
		got, err := codes.Next(t.Context(), q)
		if err != nil || got != (Code{"222222", FromProgram}) || waited != 20*time.Second {
			t.Errorf("got %v, %v after %s, want 222222 after 20s", got, err, waited)
		}
		if got, err := codes.Next(t.Context(), q); !errors.As(err, new(*UsedError)) {
			t.Errorf("the same one for ever: got %v, %v, want a UsedError", got, err)
		}
	})
	if got, err := codes.Next(t.Context(), d.question(nil)); !errors.As(err, new(*NoTerminalError)) {
		t.Errorf("without a command: got %v, %v", got, err)
	}
}
