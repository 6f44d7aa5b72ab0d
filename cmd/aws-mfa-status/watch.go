package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"aws-mfa/shared/cli"

	"golang.org/x/term"
)

// watchable is the terminal that out is, for watch, or why there is nothing
// to watch on.
func watchable(out io.Writer) (*os.File, error) {
	f, ok := out.(*os.File)
	switch {
	case !ok || !cli.IsTerminal(f):
		return nil, cli.UsageError("--watch needs a terminal, which standard output is not")
	case os.Getenv("TERM") == "dumb":
		return nil, cli.UsageError("--watch needs a terminal that can move its cursor; TERM is dumb")
	}
	c, err := openConsole(f)
	if err != nil {
		return nil, err
	}
	defer c.close()
	if !c.foreground() {
		return nil, errors.New("--watch needs the terminal, which is another program's while this one is in the background")
	}
	return f, nil
}

// watch shows what frame returns on the terminal out, anew each second and
// when the terminal's size changes, until the user ends it. What frame returns
// are lines no wider than width, which may have colours; those that height has
// no room for are counted in the last one.
//
// It returns nil after q, and the cause of ctx when that ends, as with Ctrl-C.
// However it returns, the terminal is as it was before, and what was typed
// after q is there for the next program. The keys come from the terminal of
// the process, wherever standard input is. Ctrl-Z stops the process with the
// terminal as it was; in the background nothing is drawn and no key is read.
//
// A frame that takes long delays everything: it must not wait for a network.
func watch(ctx context.Context, out *os.File, frame func(now time.Time, width, height int) string) error {
	if ctx.Err() != nil { // whose signals are caught from now on
		return context.Cause(ctx)
	}
	c, err := openConsole(out)
	if err != nil {
		return err
	}
	defer c.close()
	defer hold(ctx)()
	s := &screen{out: out, console: c}
	defer s.hide()
	return follow(ctx, c.redraw, c.keys, func(now time.Time) error { return s.show(now, frame) }, s.suspend)
}

// A key is one that means something here.
type key int

const (
	quit key = iota
	suspend
)

// follow draws at once, on each full second, and when redraw asks for it.
func follow(ctx context.Context, redraw <-chan os.Signal, keys <-chan key, draw func(now time.Time) error, suspended func()) error {
	for {
		now := time.Now()
		if err := draw(now); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case k := <-keys:
			if k == quit {
				return nil
			}
			suspended()
		case <-redraw:
		case <-time.After(time.Second - time.Duration(now.Nanosecond())):
		}
	}
}

// hold keeps a second signal close behind the first, which would end the
// process at once, from doing so before the terminal is as it was. After a
// second the terminal itself may be what hangs.
func hold(ctx context.Context) (release func()) {
	held := make(chan os.Signal, 1)
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signal.Notify(held, s)
		}
	}
	forget := context.AfterFunc(ctx, func() {
		time.AfterFunc(time.Second, func() { signal.Stop(held) })
	})
	return func() {
		forget()
		signal.Stop(held)
	}
}

// A screen is the terminal's alternate one, which leaves the lines and the
// cursor of the other as they are.
type screen struct {
	out     *os.File
	console *console
	shown   bool
}

// Control sequences of xterm, which all terminals of today have. Source:
// https://invisible-island.net/xterm/ctlseqs/ctlseqs.html; 2026, which lets a
// terminal show a frame in one go, and which others ignore:
// https://github.com/contour-terminal/vt-extensions/blob/master/synchronized-output.md
const (
	enterScreen = "\x1b[?1049h"
	leaveScreen = "\x1b[0m\x1b[H\x1b[2J\x1b[?7h\x1b[?25h\x1b[?1049l"
	beginFrame  = "\x1b[?2026h\x1b[?25l\x1b[?7l" // neither cursor nor wrapping
	beginLine   = "\x1b[%d;1H\x1b[K"             // erased first: behind a full line its last character would go
	endFrame    = "\x1b[0m\x1b[J\x1b[?2026l"
)

// show draws in the foreground only: in the background the terminal is another
// program's.
func (s *screen) show(now time.Time, frame func(now time.Time, width, height int) string) error {
	if !s.console.foreground() {
		return nil
	}
	width, height := size(s.out)
	text := composed(frame(now, width, height), height)
	s.console.listen()
	if !s.shown {
		s.shown = true
		text = enterScreen + text
	}
	_, err := s.out.WriteString(text)
	return err
}

// hide makes the terminal what it was.
func (s *screen) hide() {
	if !s.shown {
		return
	}
	s.shown = false
	s.console.hush()
	if s.console.foreground() {
		s.out.WriteString(leaveScreen)
	}
}

func (s *screen) suspend() {
	s.hide()
	stop()
}

// size is how many columns and lines the terminal has; one that does not know,
// such as a serial line, has those of a VT100.
func size(out *os.File) (width, height int) {
	width, height, err := term.GetSize(int(out.Fd()))
	if err != nil || width <= 0 || height <= 0 {
		return 80, 24
	}
	return width, height
}

// composed is what draws the text on a screen of that height, over what is
// there.
func composed(text string, height int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if len(lines) > height {
		more := fmt.Sprintf("… %d more", len(lines)-height+1)
		lines = append(lines[:height-1], more)
	}
	var b strings.Builder
	b.WriteString(beginFrame)
	for i, line := range lines {
		fmt.Fprintf(&b, beginLine+"%s", i+1, line)
	}
	b.WriteString(endFrame)
	return b.String()
}
