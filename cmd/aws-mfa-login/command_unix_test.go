//go:build unix

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestTheProcessBecomesTheCommandAsTyped(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink(self(t), filepath.Join(dir, "tool")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	cmd := starting(t, "report", "tool", "a")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got report
	if err := json.Unmarshal(out, &got); err != nil || !slices.Equal(got.Args, []string{"tool", "a"}) {
		t.Errorf("got %q, %v", got.Args, err)
	}
	if got.PID != cmd.Process.Pid {
		t.Errorf("got process %d, want %d", got.PID, cmd.Process.Pid)
	}
}

func TestTheCommandHasNoOtherEnvironment(t *testing.T) {
	t.Parallel()
	env, err := exec.LookPath("env")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := starting(t, "nothing", env).CombinedOutput(); err != nil || len(out) != 0 {
		t.Errorf("got %s, %v", out, err)
	}
}

func TestASignalThatEndsTheCommandIsSeen(t *testing.T) {
	t.Parallel()
	for _, want := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGKILL} {
		cmd := starting(t, "", "sh", "-c", fmt.Sprintf("kill -%d $$; exit 7", want))
		err := cmd.Run()
		if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != want {
			t.Errorf("%v: got %v", want, err)
		}
	}
}

// What the command inherits is what we did, whatever the Go runtime and our
// own watching of signals made of it meanwhile.
func TestTheCommandHasTheSignalsAndLimitsThatWeWereStartedWith(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("no /proc")
	}
	const look = "cat /proc/self/status /proc/self/limits"
	for name, before := range map[string]string{
		"nothing":       ":",
		"nohup":         "trap '' HUP",
		"no Ctrl-C":     "trap '' INT",
		"few files":     "ulimit -Sn 123",
		"nohup and few": "trap '' HUP INT; ulimit -Sn 200",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := inherited(t, exec.Command("sh", "-c", before+"; exec "+look))
			cmd := starting(t, "")
			cmd.Args = []string{"sh", "-c", before + `; exec "$0" "" ` + look, cmd.Path}
			cmd.Path = "/bin/sh"
			if got := inherited(t, cmd); !slices.Equal(got, want) || len(got) != 4 {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// inherited is what a process has from the one before it, as it prints it.
func inherited(t *testing.T, cmd *exec.Cmd) (lines []string) {
	t.Helper()
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		for _, prefix := range []string{"SigBlk:", "SigIgn:", "SigCgt:", "Max open files"} {
			if strings.HasPrefix(line, prefix) {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
	}
	return lines
}

func TestWhatIsThereButCannotBeStarted(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
	}{
		"plain":    {"#!/bin/sh\n", 0o644},
		"binary":   {"\x00\x01\x02\x03", 0o755},
		"orphaned": {"#!/nonexistent/interpreter\n", 0o755},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(c.text), c.mode); err != nil {
			t.Fatal(err)
		}
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	wantNotStarted(t, in("plain"), 126, "permission denied")
	wantNotStarted(t, dir, 126, "is a directory")
	for name, want := range map[string]struct {
		err    syscall.Errno
		status int
	}{"binary": {syscall.ENOEXEC, 126}, "orphaned": {syscall.ENOENT, 127}} {
		path, err := find(in(name))
		if err != nil {
			t.Fatal(err)
		}
		err = run(t.Context(), path, []string{name}, nil)
		var failed *startError
		if !errors.As(err, &failed) || failed.Command != name || !errors.Is(err, want.err) || failed.Status() != want.status {
			t.Errorf("%s: got %v, want %v", name, err, want.err)
		}
	}
}

func TestNothingIsFoundInTheCurrentDirectoryByItsNameAlone(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("tool", []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{".", "", ":/nonexistent", "/nonexistent:."} {
		t.Setenv("PATH", path)
		_, err := find("tool")
		if err == nil {
			t.Errorf("%q: found", path)
		}
	}
	t.Setenv("PATH", ".")
	wantNotStarted(t, "tool", 126, "cannot run executable found relative to current directory")
	if path, err := find("./tool"); err != nil || path != "./tool" {
		t.Errorf("got %q, %v", path, err)
	}
}
