package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"aws-mfa/shared/cli"
	"aws-mfa/shared/profile"
	"aws-mfa/shared/session"
	"aws-mfa/shared/wording"

	"github.com/clipperhouse/displaywidth"
)

// For how long what AWS said is shown before it is asked again.
const (
	answerLasts = 5 * time.Minute
	errorLasts  = 30 * time.Second
)

// A live table is what --watch shows. It reads the files anew for each frame,
// and asks AWS meanwhile.
type live struct {
	*status
	ctx     context.Context // of the questions
	clocks  *session.Clocks
	clients *session.Clients
	style   style
	last    look
	mu      sync.Mutex
	asking  bool
	known   map[question]learnt
}

type learnt struct {
	answer
	until time.Time
}

// live keeps the table on the terminal until the user has seen enough.
func (s *status) live(ctx context.Context, v *cli.Voice) error {
	out, err := watchable(v.Stdout)
	if err != nil {
		return err
	}
	if _, err := profile.Load(os.LookupEnv); err != nil {
		return err
	}
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	clocks := cli.NewClocks()
	l := &live{
		status: s, ctx: asking, clocks: clocks, clients: session.NewClients(clocks, nil), known: map[question]learnt{},
		style: styleOf(out),
	}
	if err := watch(ctx, out, l.frame); err != nil {
		return err
	}
	if l.last.err != nil {
		return l.last.err
	}
	return s.verdict(v, l.last.set, l.last.rows, l.last.broken)
}

// A look is what there was at some moment.
type look struct {
	set    *profile.Set
	rows   []*row
	broken []error // of profiles that were named
	err    error
}

// frame is what there is to see now: the table, and what is to be done about
// it.
func (l *live) frame(now time.Time, width, height int) string {
	var notes []string
	l.last = l.look(now, func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) })
	l.style.width = width
	lines := strings.Split(strings.TrimSuffix(table(l.last.rows, now, l.style), "\n"), "\n")
	if len(l.last.rows) == 0 && l.last.err == nil {
		lines = []string{"no profile is signed in"}
	}
	for _, r := range l.last.rows {
		if note := r.note(len(l.Profiles) > 0); note != "" {
			notes = append(notes, note)
		}
	}
	var below []string
	for _, note := range notes {
		below = append(below, wrapped(wording.Brief(note), width)...)
	}
	clock := shortened(now.Local().Format(time.TimeOnly)+"  q to quit", width, 2)
	return strings.Join(arranged(lines, below, clock, height), "\n")
}

// arranged puts the parts below each other, with lines between them where there
// is room. If that is scarce, what is to be done has half of it.
func arranged(table, notes []string, clock string, height int) []string {
	room := height - 1
	if len(notes) == 0 {
		table = cut(table, room)
	} else {
		notes = cut(notes, max(room/2, room-len(table)))
		table = cut(table, room-len(notes))
	}
	all := table
	for _, part := range [][]string{notes, {clock}} {
		if len(part) > 0 && len(table)+len(notes)+2+min(1, len(notes)) <= height {
			all = append(all, "")
		}
		all = append(all, part...)
	}
	return all
}

// cut counts in the last line what there is no room for.
func cut(lines []string, room int) []string {
	switch {
	case len(lines) <= room:
		return slices.Clip(lines)
	case room <= 0:
		return nil
	}
	return append(slices.Clip(lines[:room-1]), fmt.Sprintf("… %d more", len(lines)-room+1))
}

// look finds the rows, with what AWS said of them so far.
func (l *live) look(now time.Time, warn func(string, ...any)) (seen look) {
	defer func() {
		for _, err := range append(seen.broken, seen.err) {
			if err != nil {
				warn("%v", err)
			}
		}
	}()
	set, err := profile.Load(os.LookupEnv)
	if err != nil {
		return look{err: err}
	}
	seen.set = set
	finder := finder{offline: l.Offline, files: true, set: set, store: cli.Store(), clocks: l.clocks, warn: warn, trace: &cli.Voice{} /* the screen is taken */}
	if seen.rows, seen.broken, seen.err = finder.rows(l.Profiles, l.All); seen.err != nil {
		return seen
	}
	finder.compare(seen.rows, len(l.Profiles) == 0)
	date(seen.rows)
	if !l.Offline {
		l.identify(seen.rows, now)
	}
	l.warnOfClocks(seen.rows, warn)
	return seen
}

func (l *live) warnOfClocks(rows []*row, warn func(string, ...any)) {
	told := map[*session.Clock]bool{}
	for _, r := range rows {
		if r.network == nil {
			continue
		}
		if clock := l.clocks.Of(*r.network); !told[clock] {
			told[clock] = true
			if ahead := clock.Ahead(); ahead != 0 {
				warn("%s", session.Off(ahead))
			}
		}
	}
}

// identify takes the answers that are known, and has the others asked for.
func (l *live) identify(rows []*row, now time.Time) {
	asked, about := questions(rows, l.clients)
	l.mu.Lock()
	defer l.mu.Unlock()
	var missing []question
	for _, q := range asked {
		known, ok := l.known[q]
		if !ok || now.After(known.until) {
			missing = append(missing, q)
		}
		for _, r := range about[q] {
			if ok {
				r.answer(known.answer)
			}
		}
	}
	if l.asking || len(missing) == 0 {
		return
	}
	l.asking = true
	go func() {
		ask(l.ctx, missing, about, l.learn)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.asking = false
	}()
}

func (l *live) learn(q question, a answer) {
	lasts := answerLasts
	if a.err != nil {
		lasts = errorLasts
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known[q] = learnt{a, time.Now().Add(lasts)}
}

// note tells what is to be done about the row, "" if that is nothing, as about
// a profile that is signed out, unless it was asked for.
func (r row) note(asked bool) string {
	what := "is " + string(r.State)
	switch {
	case r.State == active, r.State == signedOut && !asked, r.State == unknown && r.Reason == "":
		return ""
	case r.State == expiring:
		what = "ends in " + wording.Left(r.left())
	case r.State == expired:
		what = "has expired"
	}
	if r.Reason != "" {
		what += ", " + r.Reason
	}
	if cure := r.cure(); cure != "" && r.State != unknown && !r.echo {
		return fmt.Sprintf("%s %s: %s", r.name(), what, cure)
	}
	return r.name() + " " + what
}

// wrapped breaks text into lines, between words where it can.
func wrapped(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && displaywidth.String(line+" "+word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		for g := displaywidth.StringGraphemes(word); g.Next(); {
			if displaywidth.String(line+g.Value()) > width {
				lines, line = append(lines, line), ""
			}
			line += g.Value()
		}
	}
	return append(lines, line)
}
