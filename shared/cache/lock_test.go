package cache

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// helpers are what this test binary does instead of testing if its first
// argument names one.
var helpers = map[string]func(args []string) error{
	"count":  count,
	"hold":   hold,
	"parent": parent,
	"change": change,
	"sleep":  func([]string) error { time.Sleep(time.Minute); return nil },
}

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && helpers[os.Args[1]] != nil {
		if err := helpers[os.Args[1]](os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// count adds 1 to the number in a file, as often as told.
func count(args []string) error {
	n, _ := strconv.Atoi(args[2])
	for range n {
		release, err := Memory(args[0]).Lock(context.Background(), "x", nil)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(args[1])
		if err != nil {
			return err
		}
		old, err := strconv.Atoi(string(data))
		if err != nil {
			return err
		}
		if err := os.WriteFile(args[1], []byte(strconv.Itoa(old+1)), 0o600); err != nil {
			return err
		}
		release()
	}
	return nil
}

// hold takes the lock, says so, and keeps it until its input ends.
func hold(args []string) error {
	release, err := Memory(args[0]).Lock(context.Background(), "x", nil)
	if err != nil {
		return err
	}
	defer release()
	fmt.Println("held")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// parent is hold with a child, whose process ID it says.
func parent(args []string) error {
	release, err := Memory(args[0]).Lock(context.Background(), "x", nil)
	if err != nil {
		return err
	}
	defer release()
	child := exec.Command(os.Args[0], "sleep")
	if err := child.Start(); err != nil {
		return err
	}
	fmt.Println(child.Process.Pid)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// start runs a helper until it has said a line.
func start(t *testing.T, args ...string) (cmd *exec.Cmd, line string) {
	t.Helper()
	cmd = exec.Command(os.Args[0], args...)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(cmd) })
	line, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return cmd, strings.TrimSpace(line)
}

func kill(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// processes is how many of so many are started, one after the other, where that
// takes long.
func processes(n int) int {
	if runtime.GOOS == "windows" {
		return n / 4
	}
	return n
}

// all runs n helpers at once.
func all(t *testing.T, n int, args ...string) {
	t.Helper()
	ended := make(chan error)
	for range n {
		go func() {
			out, err := exec.Command(os.Args[0], args...).CombinedOutput()
			if err != nil {
				err = fmt.Errorf("%w: %s", err, out)
			}
			ended <- err
		}()
	}
	for range n {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// soon is an end to waiting for what should not take any time.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestLockExcludesOtherProcesses(t *testing.T) {
	const processes, times = 20, 10
	m, counter := MemoryIn(t.TempDir()), filepath.Join(t.TempDir(), "counter")
	put(t, counter, "0")
	if err := os.MkdirAll(m.file("x", ".lock"), 0o700); err != nil { // all of them find it to be healed
		t.Fatal(err)
	}
	all(t, processes, "count", string(m), counter, strconv.Itoa(times))
	if got, want := get(t, counter), strconv.Itoa(processes*times); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestLocksOfOtherNamesDoNotWait(t *testing.T) {
	m := MemoryIn(t.TempDir())
	start(t, "hold", string(m))
	for _, name := range []string{"X", "x/", "y", strings.Repeat("0", 40)} {
		release, err := m.Lock(soon(t), name, func() { t.Errorf("%s: waits", name) })
		if err != nil {
			t.Fatal(err)
		}
		defer release()
	}
	if _, err := os.Stat(filepath.Join(string(m), strings.Repeat("0", 40)+".lock")); err != nil {
		t.Errorf("a cache entry's lock has another name: %v", err)
	}
}

func TestKilledHolderBlocksNobody(t *testing.T) {
	m := MemoryIn(t.TempDir())
	for range 5 {
		holder, _ := start(t, "hold", string(m))
		release, err := m.Lock(soon(t), "x", func() { kill(holder) })
		if err != nil {
			t.Fatal(err)
		}
		release()
	}
}

func TestLockIsNotInherited(t *testing.T) {
	m := MemoryIn(t.TempDir())
	holder, pid := start(t, "parent", string(m))
	id, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	child, err := os.FindProcess(id)
	if err != nil {
		t.Fatal(err)
	}
	defer child.Kill()
	release, err := m.Lock(soon(t), "x", func() { kill(holder) })
	if err != nil {
		t.Fatalf("after the holder's death: %v", err)
	}

	child2 := exec.Command(os.Args[0], "sleep")
	if err := child2.Start(); err != nil {
		t.Fatal(err)
	}
	defer kill(child2)
	release()
	release, err = m.Lock(soon(t), "x", func() { t.Error("the child still holds the lock") })
	if err != nil {
		t.Fatalf("after release: %v", err)
	}
	release()
}

func TestWaitingEndsWithTheCauseOfItsContext(t *testing.T) {
	m := MemoryIn(t.TempDir())
	start(t, "hold", string(m))
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, cause)
		defer cancel()
		began, waited := time.Now(), 0
		_, err := m.Lock(ctx, "x", func() { waited++ })
		if err != cause {
			t.Errorf("got %v, want %v", err, cause)
		}
		if waited != 1 {
			t.Errorf("said %d times that it waits, want once", waited)
		}
		if got := time.Since(began); got != time.Minute {
			t.Errorf("waited %v, want a minute", got)
		}
		if _, err := m.Lock(ctx, "free", nil); err != cause {
			t.Errorf("a free lock, too late: got %v, want %v", err, cause)
		}
	})
}

func TestWaitingIsToldOfOnlyIfItHappens(t *testing.T) {
	m := MemoryIn(t.TempDir())
	for range 3 {
		release, err := m.Lock(t.Context(), "x", func() { t.Error("waits for nobody") })
		if err != nil {
			t.Fatal(err)
		}
		release()
		release() // does nothing
	}
}

func TestLockExcludesItsOwnProcess(t *testing.T) {
	m := MemoryIn(t.TempDir())
	first, err := m.Lock(t.Context(), "x", nil)
	if err != nil {
		t.Fatal(err)
	}
	waits := make(chan bool)
	go func() {
		<-waits
		first()
	}()
	second, err := m.Lock(soon(t), "x", func() { close(waits) })
	if err != nil {
		t.Fatal(err)
	}
	first() // again, and it is not the second's
	third, err := m.Lock(soon(t), "x", second)
	if err != nil {
		t.Fatal(err)
	}
	third()
}

func TestWhatIsInTheWayOfALockIsNamed(t *testing.T) {
	m := MemoryIn(t.TempDir())
	if err := os.MkdirAll(filepath.Join(m.file("x", ".lock"), "not empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := m.Lock(t.Context(), "x", nil)
	if broken := new(BrokenError); !errors.As(err, &broken) || broken.Path != m.file("x", ".lock") {
		t.Errorf("a directory that is not empty: got %v, want a BrokenError", err)
	}

	m = Memory(filepath.Join(t.TempDir(), "mfa"))
	put(t, string(m), "")
	if _, err := m.Lock(t.Context(), "x", nil); err == nil || !strings.Contains(err.Error(), string(m)) {
		t.Errorf("a file in place of the directory: got %v, want an error that names it", err)
	}
}

func BenchmarkTryingALockThatIsHeld(b *testing.B) {
	m := MemoryIn(b.TempDir())
	release, err := m.Lock(b.Context(), "x", nil)
	if err != nil {
		b.Fatal(err)
	}
	defer release()
	for b.Loop() {
		ctx, stop := context.WithCancel(b.Context())
		if _, err := m.Lock(ctx, "x", stop); err == nil {
			b.Fatal("two hold it")
		}
	}
}
