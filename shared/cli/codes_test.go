//go:build unix

package cli

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

func TestCountdownIsOneLineWhereItCannotBeDrawn(t *testing.T) {
	var said bytes.Buffer
	v := &Voice{name: "aws-mfa-test", stderr: &said}
	for _, left := range []time.Duration{2001 * time.Millisecond, 2 * time.Second, time.Second, 0} {
		v.countdown(left)
	}
	v.countdown(time.Second)
	if got, want := said.String(), "aws-mfa-test: waiting 3s for the next code\naws-mfa-test: waiting 1s for the next code\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCountdownIsDrawnInOneLineOfATerminal(t *testing.T) {
	for _, width := range []uint16{0, 1, 2, 20, 30, 45, 46, 47, 80} {
		drawn(t, width)
	}
}

func drawn(t *testing.T, width uint16) {
	t.Helper()
	keyboard, tty, err := pty.Open()
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	defer keyboard.Close()
	if err := pty.Setsize(keyboard, &pty.Winsize{Rows: 24, Cols: width}); err != nil {
		t.Fatal(err)
	}
	v := &Voice{name: "aws-mfa-test", stderr: tty}
	v.countdown(10 * time.Second)
	v.countdown(9 * time.Second)
	v.countdown(0)
	v.countdown(8 * time.Second)
	v.Say("done")
	tty.Write([]byte("\x00"))
	shown := make([]byte, 0, 4096)
	for !bytes.HasSuffix(shown, []byte("\x00")) {
		n, err := keyboard.Read(shown[len(shown):cap(shown)])
		if err != nil {
			t.Fatal(err)
		}
		shown = shown[:len(shown)+n]
	}
	tty.Close()
	// What stays to be seen of a line: what was written last at each place.
	var screen []string
	for line := range strings.SplitSeq(strings.Trim(string(shown), "\x00"), "\r\n") {
		seen := []byte{}
		for part := range strings.SplitSeq(line, "\r") {
			seen = append([]byte(part), seen[min(len(part), len(seen)):]...)
		}
		screen = append(screen, strings.TrimRight(string(seen), " "))
	}
	if got, want := strings.Join(screen, "|"), "aws-mfa-test: done|"; got != want {
		t.Errorf("got %q, want %q (%q)", got, want, shown)
	}
	if !strings.Contains(string(shown), "waiting 9s for the next code") && (width == 0 || width > 30) {
		t.Errorf("width %d: got %q", width, shown)
	}
	for line := range strings.SplitSeq(string(shown), "\r") {
		if line = strings.Trim(line, "\n\x00"); width > 0 && len(line) >= int(width) && !strings.Contains(line, "done") {
			t.Errorf("width %d: %q does not fit", width, line)
		}
	}
}
