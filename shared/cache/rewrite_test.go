package cache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func init() {
	helpers["line"] = line
	helpers["flip"] = flip
}

// with is a change that puts text in the place of everything.
func with(text string) func([]byte) ([]byte, error) {
	return func([]byte) ([]byte, error) { return []byte(text), nil }
}

func adding(text string) func([]byte) ([]byte, error) {
	return func(old []byte) ([]byte, error) { return append(old, text...), nil }
}

// line adds a line to a file, with the process's number on it.
func line(args []string) error {
	return Memory(args[0]).Rewrite(context.Background(), args[1], adding(fmt.Sprintln("process", os.Getpid())))
}

// flip makes a file of one letter one of the next letter, again and again.
func flip(args []string) error {
	for {
		err := Memory(args[0]).Rewrite(context.Background(), args[1], func(old []byte) ([]byte, error) {
			return bytes.Repeat([]byte{'a' + (old[0]-'a'+1)%26}, flipSize), nil
		})
		if err != nil {
			return err
		}
	}
}

const flipSize = 200000

func TestRewriteReplacesWhatIsThere(t *testing.T) {
	home := t.TempDir()
	m, path := MemoryIn(home), filepath.Join(home, "new", "deep", "config")
	for _, c := range []struct{ old, new string }{{"", "one"}, {"one", "two\x00\xff"}, {"two\x00\xff", ""}, {"", "four"}} {
		err := m.Rewrite(soon(t), path, func(old []byte) ([]byte, error) {
			if string(old) != c.old {
				t.Errorf("got %q, want %q", old, c.old)
			}
			return []byte(c.new), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := get(t, path); got != c.new {
			t.Errorf("got %q, want %q", got, c.new)
		}
	}
	if got := files(t, Dir(filepath.Dir(path))); len(got) != 1 {
		t.Errorf("got files %q", got)
	}
}

func TestRewriteWritesNothingIfNothingChanged(t *testing.T) {
	dir := t.TempDir()
	m, path := MemoryIn(t.TempDir()), filepath.Join(dir, "config")
	if err := m.Rewrite(soon(t), filepath.Join(dir, "new", "config"), with("")); err != nil || len(files(t, Dir(dir))) > 0 {
		t.Errorf("no file: got %v and files %q", err, files(t, Dir(dir)))
	}
	put(t, path, "old")
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	refused := errors.New("no")
	for what, change := range map[string]func([]byte) ([]byte, error){
		"same":     with("old"),
		"in place": func(old []byte) ([]byte, error) { old[0] = 'X'; return []byte("old"), nil },
		"error":    func(old []byte) ([]byte, error) { return []byte("new"), refused },
	} {
		err := m.Rewrite(soon(t), path, change)
		if want := map[bool]error{true: refused}[what == "error"]; err != want {
			t.Errorf("%s: got %v, want %v", what, err, want)
		}
		after, err := os.Stat(path)
		if err != nil || !os.SameFile(before, after) || get(t, path) != "old" {
			t.Errorf("%s: the file is another, %v", what, err)
		}
	}
	if err := m.Rewrite(soon(t), path, func(old []byte) ([]byte, error) { old[0] = 'X'; return old, nil }); err != nil || get(t, path) != "Xld" {
		t.Errorf("changed in place: got %q, %v", get(t, path), err)
	}
}

func TestRewritesAtOnceAreAllKept(t *testing.T) {
	home := t.TempDir()
	m, path := MemoryIn(home), filepath.Join(home, ".aws", "config")
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			if err := m.Rewrite(t.Context(), path, adding(fmt.Sprintln("goroutine", i))); err != nil {
				t.Error(err)
			}
		})
	}
	all(t, 20, "line", string(m), path)
	group.Wait()
	seen := map[string]bool{}
	for text := range strings.Lines(get(t, path)) {
		seen[text] = true
	}
	if len(seen) != 40 {
		t.Errorf("got %d lines, want 40", len(seen))
	}
}

// Without the lock that makes ours take turns, the look before the replacement
// is what keeps what others write.
func TestWhatAnotherProgramWritesMeanwhileIsKept(t *testing.T) {
	outside := map[string]func(path string){
		"written":          func(path string) { put(t, path, "theirs\n") },
		"of the same size": func(path string) { put(t, path, "OLD\n") },
		"replaced": func(path string) {
			info, err := os.Stat(path)
			if err != nil {
				t.Error(err)
			}
			put(t, path+".new", "old\n")
			if err := errors.Join(os.Chtimes(path+".new", time.Time{}, info.ModTime()), os.Rename(path+".new", path)); err != nil {
				t.Error(err)
			}
		},
		"touched": func(path string) {
			if err := os.Chtimes(path, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
				t.Error(err)
			}
		},
		"removed": func(path string) {
			if err := os.Remove(path); err != nil {
				t.Error(err)
			}
		},
		"same size and time": func(path string) {
			info, err := os.Stat(path)
			if err != nil {
				t.Error(err)
			}
			put(t, path, "OLD\n")
			if err := os.Chtimes(path, time.Time{}, info.ModTime()); err != nil {
				t.Error(err)
			}
		},
	}
	for what, write := range outside {
		dir := t.TempDir()
		m, path := MemoryIn(t.TempDir()), filepath.Join(dir, "config")
		put(t, path, "old\n")
		calls, last := 0, "old\n"
		err := m.Rewrite(soon(t), path, func(old []byte) ([]byte, error) {
			if calls++; calls == 1 {
				write(path)
				data, _ := os.ReadFile(path)
				last = string(data)
			} else if string(old) != last {
				t.Errorf("%s: got %q, want %q", what, old, last)
			}
			return append(old, "ours\n"...), nil
		})
		if got := get(t, path); err != nil || calls != 2 || got != last+"ours\n" {
			t.Errorf("%s: got %q after %d calls, %v", what, got, calls, err)
		}
		if got := files(t, Dir(dir)); len(got) != 1 {
			t.Errorf("%s: got files %q", what, got)
		}
	}

	dir := t.TempDir()
	m, path := MemoryIn(t.TempDir()), filepath.Join(dir, "config")
	calls := 0
	err := m.Rewrite(soon(t), path, func(old []byte) ([]byte, error) {
		if calls++; calls == 1 { // made, where there was none
			put(t, path, "theirs\n")
		}
		return append(old, "ours\n"...), nil
	})
	if got := get(t, path); err != nil || got != "theirs\nours\n" {
		t.Errorf("made: got %q, %v", got, err)
	}

	calls = 0
	err = m.Rewrite(soon(t), path, func(old []byte) ([]byte, error) {
		calls++
		put(t, path, fmt.Sprintln("theirs", calls))
		return []byte("ours\n"), nil
	})
	if got, want := get(t, path), fmt.Sprintln("theirs", calls); !errors.As(err, new(*BrokenError)) || calls != rewriteTries || got != want {
		t.Errorf("without end: got %q after %d calls, %v", got, calls, err)
	}
	if got := files(t, Dir(dir)); len(got) != 1 {
		t.Errorf("without end: got files %q", got)
	}
}

func TestRewriteFollowsSymbolicLinks(t *testing.T) {
	dir := t.TempDir()
	m := MemoryIn(t.TempDir())
	link := func(to, from string) {
		t.Helper()
		symlink(t, to, filepath.Join(dir, from))
	}
	link("b/two", "one")
	if err := os.MkdirAll(filepath.Join(dir, "b"), 0o755); err != nil {
		t.Fatal(err)
	}
	link("../dotfiles/deep/config", "b/two") // which is not there yet
	real := filepath.Join(dir, "dotfiles", "deep", "config")
	for i, want := range []string{"1", "12"} {
		if err := m.Rewrite(soon(t), filepath.Join(dir, "one"), adding(fmt.Sprint(i+1))); err != nil {
			t.Fatal(err)
		}
		if got := get(t, real); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for _, name := range []string{"one", "b/two"} {
		if info, err := os.Lstat(filepath.Join(dir, name)); err != nil || info.Mode().Type() != fs.ModeSymlink {
			t.Errorf("%s is no link any more: %v", name, err)
		}
	}

	// The link is led elsewhere meanwhile.
	other := filepath.Join(dir, "other")
	put(t, other, "other")
	calls := 0
	err := m.Rewrite(soon(t), filepath.Join(dir, "one"), func(old []byte) ([]byte, error) {
		if calls++; calls == 1 {
			if err := os.Remove(filepath.Join(dir, "one")); err != nil {
				t.Error(err)
			}
			link("other", "one")
		}
		return append(old, "!"...), nil
	})
	if get(t, other) != "other!" || get(t, real) != "12" || err != nil {
		t.Errorf("got %q and %q, %v", get(t, other), get(t, real), err)
	}

	// And from one file that is not there to another.
	link("missing", "dangling")
	calls = 0
	err = m.Rewrite(soon(t), filepath.Join(dir, "dangling"), func(old []byte) ([]byte, error) {
		if calls++; calls == 1 {
			if err := os.Remove(filepath.Join(dir, "dangling")); err != nil {
				t.Error(err)
			}
			link("missing too", "dangling")
		}
		return append(old, "!"...), nil
	})
	if _, gone := os.Stat(filepath.Join(dir, "missing")); get(t, filepath.Join(dir, "missing too")) != "!" || !errors.Is(gone, fs.ErrNotExist) || err != nil {
		t.Errorf("got %v, %v", gone, err)
	}

	link("loop", "loop")
	if err := m.Rewrite(soon(t), filepath.Join(dir, "loop"), with("x")); err == nil {
		t.Error("a loop of links: got no error")
	}
}

func TestPathsToOneFileShareOneLock(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "config"), "")
	for _, link := range []string{"link", "sub"} {
		symlink(t, map[string]string{"link": "config", "sub": "."}[link], filepath.Join(dir, link))
	}
	t.Chdir(dir)
	want := onePath(filepath.Join(dir, "config"))
	for _, path := range []string{"config", "./config", "link", "sub/config", "sub/link"} {
		if got := onePath(path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	if got := onePath("other"); got == want {
		t.Error("another file has the same lock")
	}
}

func TestRewriteRefusesWhatIsNoFileOfText(t *testing.T) {
	dir := t.TempDir()
	m := MemoryIn(t.TempDir())
	huge := filepath.Join(dir, "huge")
	put(t, huge, strings.Repeat("x", maxRewritten+1))
	put(t, filepath.Join(dir, "small"), "x")
	for path, change := range map[string]string{dir: "x", huge: "x", filepath.Join(dir, "small"): strings.Repeat("x", maxRewritten+1)} {
		err := m.Rewrite(soon(t), path, func([]byte) ([]byte, error) {
			if path != filepath.Join(dir, "small") {
				t.Errorf("%s is given to change", path)
			}
			return []byte(change), nil
		})
		if broken := new(BrokenError); !errors.As(err, &broken) || broken.Path != path {
			t.Errorf("%s: got %v, want a BrokenError", path, err)
		}
	}
	err := m.Rewrite(soon(t), "", func([]byte) ([]byte, error) {
		t.Error("no path is given to change")
		return nil, nil
	})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no path: got %v, want %v", err, fs.ErrNotExist)
	}
	if got := files(t, Dir(dir)); len(got) != 2 {
		t.Errorf("got files %q", got)
	}
}

func TestManyRewritesAtOnceTakeTheirTurns(t *testing.T) {
	m, path := MemoryIn(t.TempDir()), filepath.Join(t.TempDir(), "config")
	put(t, path, "")
	synctest.Test(t, func(t *testing.T) {
		var group sync.WaitGroup
		for range 10 {
			group.Go(func() {
				err := m.Rewrite(t.Context(), path, func(old []byte) ([]byte, error) {
					time.Sleep(changeLimit / 2)
					return append(old, 'x'), nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	})
	if got := get(t, path); len(got) != 10 {
		t.Errorf("got %d changes, want 10", len(got))
	}
}

func TestRewriteDoesNotWaitForEver(t *testing.T) {
	m, path := MemoryIn(t.TempDir()), filepath.Join(t.TempDir(), "config")
	release, err := m.Lock(t.Context(), onePath(path), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		err := m.Rewrite(t.Context(), path, with("x"))
		if broken := new(BrokenError); !errors.As(err, &broken) || broken.Reason != HeldTooLong || broken.Path != m.file(onePath(path), ".lock") || time.Since(began) != changeLimit {
			t.Errorf("got %v after %v, want a BrokenError after %v", err, time.Since(began), changeLimit)
		}
		enough := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, enough)
		defer cancel()
		if err := m.Rewrite(ctx, path, with("x")); err != enough {
			t.Errorf("got %v, want %v", err, enough)
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.Rewrite(ctx, path+"2", with("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}

	ctx, cancel = context.WithCancel(t.Context())
	err = m.Rewrite(ctx, path+"3", func(old []byte) ([]byte, error) {
		put(t, path+"3", string(old)+"theirs") // so that it would have to start over
		cancel()
		return []byte("ours"), nil
	})
	if !errors.Is(err, context.Canceled) || get(t, path+"3") != "theirs" {
		t.Errorf("got %v and %q, want %v", err, get(t, path+"3"), context.Canceled)
	}
}

func TestRewriteGoesOnWhereThereIsNoLock(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "config")
	put(t, filepath.Join(dir, "mfa"), "a file in the place of the directory")
	if err := Memory(filepath.Join(dir, "mfa")).Rewrite(soon(t), path, with("x")); err != nil || get(t, path) != "x" {
		t.Errorf("got %v", err)
	}
}

func TestKilledRewriteLeavesTheOldFileOrTheNew(t *testing.T) {
	dir := t.TempDir()
	m, path := MemoryIn(t.TempDir()), filepath.Join(dir, "config")
	put(t, path, strings.Repeat("a", flipSize))
	mine := []string{path + ".1.tmp", path + ".aws-mfa.1.tmp2", path + ".aws-mfa.new.tmp", path + ".aws-mfa.old.1.tmp"}
	for _, file := range mine {
		put(t, file, "mine")
	}
	age(t, mine...)
	seen, limit := map[byte]bool{}, 25*time.Millisecond
	for range processes(60) {
		cmd := exec.Command(os.Args[0], "flip", string(m), path)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(limit))
		kill(cmd)
		text := get(t, path)
		if text != strings.Repeat(text[:1], flipSize) {
			t.Fatal("got a part of a file")
		}
		if seen[text[0]] = true; len(seen) < 2 {
			limit += limit / 4 // until there are changes: processes may start slowly
		}
	}
	if len(seen) < 2 {
		t.Error("every writer was killed before its first change")
	}
	staged, _ := filepath.Glob(path + ".aws-mfa.*.tmp")
	t.Logf("%d files left staged", len(staged))
	put(t, path+".aws-mfa.2.tmp", "left")
	put(t, filepath.Join(dir, "credentials.aws-mfa.3.tmp"), "left")
	age(t, append(staged, path+".aws-mfa.2.tmp", filepath.Join(dir, "credentials.aws-mfa.3.tmp"))...)
	if err := m.Rewrite(soon(t), path, with("x")); err != nil {
		t.Fatal(err)
	}
	if got := files(t, Dir(dir)); len(got) != 1+len(mine) {
		t.Errorf("got files %q", got)
	}
}

// Programs that write in place empty the file first.
func TestAnEmptiedFileIsWaitedFor(t *testing.T) {
	t.Parallel()
	m := MemoryIn(t.TempDir())
	path := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(100*time.Millisecond, func() { os.WriteFile(path, []byte("[other]\n"), 0o600) })
	err := m.Rewrite(t.Context(), path, func(old []byte) ([]byte, error) {
		if len(old) == 0 {
			t.Error("was given an empty file")
		}
		return append(old, "[own]\n"...), nil
	})
	if got, _ := os.ReadFile(path); err != nil || string(got) != "[other]\n[own]\n" {
		t.Errorf("got %q, %v", got, err)
	}
}
