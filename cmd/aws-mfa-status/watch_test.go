package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A watched is a watch without a terminal.
type watched struct {
	redraw chan os.Signal
	keys   chan key
	ended  chan error
	stops  int

	mu    sync.Mutex
	drawn []time.Duration // when, since it began
}

// begin begins to watch a quarter of a second after a full one.
func begin(ctx context.Context) *watched {
	time.Sleep(time.Second/4 - time.Duration(time.Now().Nanosecond()))
	w := &watched{redraw: make(chan os.Signal, 1), keys: make(chan key, 1), ended: make(chan error, 1)}
	began := time.Now()
	go func() {
		w.ended <- follow(ctx, w.redraw, w.keys, func(now time.Time) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.drawn = append(w.drawn, now.Sub(began))
			return nil
		}, func() { w.stops++ })
	}()
	return w
}

func (w *watched) compare(t *testing.T, want ...time.Duration) {
	t.Helper()
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Equal(w.drawn, want) {
		t.Errorf("drawn at: got %v, want %v", w.drawn, want)
	}
}

const ms = time.Millisecond

func TestDrawsAtOnceAndOnFullSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t.Context())
		w.compare(t, 0)
		time.Sleep(3 * time.Second)
		w.compare(t, 0, 750*ms, 1750*ms, 2750*ms)
		w.keys <- quit
		if err := <-w.ended; err != nil {
			t.Errorf("q: got %v", err)
		}
		time.Sleep(3 * time.Second)
		w.compare(t, 0, 750*ms, 1750*ms, 2750*ms)
	})
}

func TestAnotherSizeIsDrawnAtOnceAndSecondsStayFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t.Context())
		time.Sleep(100 * ms)
		w.redraw <- os.Interrupt // any signal
		w.compare(t, 0, 100*ms)
		time.Sleep(700 * ms)
		w.compare(t, 0, 100*ms, 750*ms)
		w.keys <- quit
		<-w.ended
	})
}

func TestDrawsAgainAfterAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t.Context())
		time.Sleep(100 * ms)
		w.keys <- suspend
		w.compare(t, 0, 100*ms)
		if w.stops != 1 {
			t.Errorf("got %d stops, want 1", w.stops)
		}
		w.keys <- quit
		<-w.ended
	})
}

func TestEndsWithTheCauseOfTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		w := begin(ctx)
		synctest.Wait()
		cause := errors.New("interrupt")
		cancel(cause)
		if err := <-w.ended; err != cause {
			t.Errorf("got %v, want %v", err, cause)
		}
		w.compare(t, 0)
	})
}

func TestEndsWhenItCannotDraw(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("gone")
		draws := 0
		err := follow(t.Context(), nil, nil, func(time.Time) error {
			if draws++; draws == 3 {
				return gone
			}
			return nil
		}, nil)
		if err != gone || draws != 3 {
			t.Errorf("got %v after %d draws, want %v after 3", err, draws, gone)
		}
	})
}

// A process that was told to end before does not touch the terminal.
func TestWatchesNothingWhenItIsOver(t *testing.T) {
	t.Parallel()
	cause := errors.New("interrupt")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	if err := watch(ctx, nil, nil); err != cause {
		t.Errorf("got %v, want %v", err, cause)
	}
}

// Each line is put in its place and erased before, and what is below is erased:
// nothing scrolls, wraps or stays.
func TestFramesAreDrawnOverTheOldOnes(t *testing.T) {
	t.Parallel()
	begin, end := "\x1b[?2026h\x1b[?25l\x1b[?7l", "\x1b[0m\x1b[J\x1b[?2026l"
	for _, c := range []struct {
		text   string
		height int
		want   string
	}{
		{"", 3, "\x1b[1;1H\x1b[K"},
		{"a\n\x1b[32mb\x1b[0m\n", 2, "\x1b[1;1H\x1b[Ka\x1b[2;1H\x1b[K\x1b[32mb\x1b[0m"},
		{"a\n\nc\n", 3, "\x1b[1;1H\x1b[Ka\x1b[2;1H\x1b[K\x1b[3;1H\x1b[Kc"},
		{"a\nb\nc\nd", 3, "\x1b[1;1H\x1b[Ka\x1b[2;1H\x1b[Kb\x1b[3;1H\x1b[K… 2 more"},
		{"a\nb", 1, "\x1b[1;1H\x1b[K… 2 more"},
	} {
		if got, want := composed(c.text, c.height), begin+c.want+end; got != want {
			t.Errorf("%q in %d lines: got %q, want %q", c.text, c.height, got, want)
		}
	}
	if long := composed(strings.Repeat("line\n", 1000), 24); strings.Count(long, "line") != 23 || !strings.Contains(long, "… 977 more") {
		t.Errorf("1000 lines in 24: got %q", long)
	}
}

func TestOnlyATerminalCanBeWatched(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if got, err := watchable(file); err == nil {
		t.Errorf("a file: got %v", got)
	}
	if got, err := watchable(&bytes.Buffer{}); err == nil {
		t.Errorf("a buffer: got %v", got)
	}
}
