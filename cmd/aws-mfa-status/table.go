package main

import (
	"io"
	"math"
	"os"
	"path"
	"runtime"
	"strings"
	"time"

	"aws-mfa/shared/cli"
	"aws-mfa/shared/wording"

	"github.com/clipperhouse/displaywidth"
	"golang.org/x/term"
)

// A style is what a terminal allows beyond plain text, and how many characters
// fit into its lines; 0 is no limit.
type style struct {
	bar, colour bool
	width       int
}

// ansi tells whether terminals here understand escapes: the older ones of
// Windows do only when they are told to, Windows Terminal always does.
var ansi = runtime.GOOS != "windows" || os.Getenv("WT_SESSION") != ""

// styleOf looks whether w is a terminal, and whether NO_COLOR is set
// (https://no-color.org).
func styleOf(w io.Writer) style {
	if !cli.IsTerminal(w) {
		return style{}
	}
	s := style{bar: true, colour: os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && ansi, width: 80}
	if width, _, err := term.GetSize(int(w.(*os.File).Fd())); err == nil && width > 0 {
		s.width = width // a serial line does not tell
	}
	return s
}

const bold = "1"

var colours = map[state]string{active: "32", expiring: "33", expired: "31", rejected: "31", signedOut: "2", unknown: "35"}

func writeTable(w io.Writer, rows []*row, now time.Time, s style) error {
	_, err := io.WriteString(w, table(rows, now, s))
	return err
}

// table is the rows as text, a line each below one of heads, none wider than
// the style allows.
func table(rows []*row, now time.Time, s style) string {
	if len(rows) == 0 {
		return ""
	}
	columns := fit(newForms(rows, now, s.bar), s.width)
	var text strings.Builder
	text.Grow(80 * (len(rows) + 1))
	for i := range len(rows) + 1 {
		blank := 0
		for _, c := range columns {
			cell := &c.cells[i]
			if cell.width > 0 {
				for range blank {
					text.WriteByte(' ')
				}
				cell.draw(&text, s.colour)
				blank = 0
			}
			blank += c.width - cell.width + gap
		}
		text.WriteByte('\n')
	}
	return text.String()
}

// gap is the space between columns.
const gap = 2

// A layout is a way to set the columns: how long the bar is, whether the day
// and the identity are in full, and to what width each column may be cut (0: it
// is left out).
type layout struct {
	bar                                          int
	day, identity                                bool
	profile, account, role, state, expires, left int
}

// widest is more than a column needs: the path and name of a user have 576
// characters at most, and one with more must not set the width for all rows.
const widest = 600

// whole is the width of a column that is not cut.
const whole = math.MaxInt

// layouts are what gives way, and in which order: the first that fits is taken,
// and the last fits everywhere. The state and what is left go last.
var layouts = []layout{
	{20, true, true, whole, whole, whole, whole, whole, whole},
	{20, true, true, 48, whole, 48, whole, whole, whole},
	{10, true, true, 48, whole, 48, whole, whole, whole},
	{10, false, true, 48, whole, 48, whole, whole, whole},
	{5, false, true, 40, whole, 40, whole, whole, whole},
	{10, false, false, 40, whole, 32, whole, whole, whole},
	{5, false, false, 32, whole, 24, whole, whole, whole},
	{5, false, false, 24, whole, 20, whole, whole, whole},
	{0, false, false, 24, whole, 20, whole, whole, whole},
	{0, false, false, 18, whole, 14, whole, whole, whole},
	{5, false, false, 32, 0, 24, whole, whole, whole},
	{0, false, false, 32, 0, 24, whole, whole, whole},
	{0, false, false, 20, 0, 16, whole, whole, whole},
	{0, false, false, 12, 0, 12, whole, whole, whole},
	{0, false, false, 12, 0, 0, whole, whole, whole},
	{0, false, false, 8, 0, 0, whole, 0, whole},
	{0, false, false, 1, 0, 0, whole, 0, 0},
	{0, false, false, 1, 0, 0, 0, 0, 0},
}

// fit sets the columns in the first layout that fits. The room that is over
// goes to those that are cut, the profile first.
func fit(f forms, width int) []*column {
	if width <= 0 {
		width = math.MaxInt
	}
	for _, l := range layouts {
		columns, widths := f.set(l)
		over := width + gap
		for _, w := range widths {
			over -= w + gap
		}
		if over < 0 {
			continue
		}
		for i, c := range columns {
			more := min(over, c.width-widths[i])
			c.cut(widths[i] + more)
			over -= more
		}
		return columns
	}
	return nil
}

// forms are the columns in all the forms that layouts ask for, made when the
// first one does.
type forms struct {
	rows []*row
	now  time.Time
	bars bool
	made map[form]*column
}

// A form is a column, and in which way it is set.
type form struct {
	head string
	full bool
	bar  int
}

func newForms(rows []*row, now time.Time, bars bool) forms {
	return forms{rows, now, bars, map[form]*column{}}
}

func (f forms) column(head string, full bool, bar int) *column {
	at := form{head, full, bar}
	if f.made[at] == nil {
		f.made[at] = newColumn(head, f.rows, func(r *row) cell {
			switch head {
			case "PROFILE":
				return r.profileCell()
			case "ACCOUNT":
				return cell{text: r.Account}
			case "ROLE OR USER":
				return cell{text: r.role(full)}
			case "STATE":
				return cell{text: string(r.State), colour: colours[r.State]}
			case "EXPIRES":
				return cell{text: r.expires(f.now, full)}
			}
			return r.leftCell(bar, f.bars)
		})
	}
	return f.made[at]
}

// set is the columns of a layout, and the width that each has at least.
func (f forms) set(l layout) (columns []*column, widths []int) {
	for _, c := range []struct {
		head  string
		full  bool
		bar   int
		width int
	}{
		{"PROFILE", true, 0, l.profile}, {"ACCOUNT", true, 0, l.account}, {"ROLE OR USER", l.identity, 0, l.role},
		{"STATE", true, 0, l.state}, {"EXPIRES", l.day, 0, l.expires}, {"LEFT", true, l.bar, l.left},
	} {
		if c.width > 0 {
			column := f.column(c.head, c.full, c.bar)
			columns, widths = append(columns, column), append(widths, min(c.width, column.width))
		}
	}
	return columns, widths
}

func (r *row) profileCell() cell {
	c := cell{text: r.name()}
	if r.Current {
		c.colour, c.rest = bold, " *"
	}
	return c
}

// role is whose the session is, and of which other row the session is.
func (r *row) role(full bool) string {
	switch {
	case r.SameAs == "" && full:
		return r.identity()
	case r.SameAs == "":
		return r.shortIdentity()
	case full && r.identity() != "":
		return r.identity() + " = " + r.SameAs
	}
	return "= " + r.SameAs
}

// shortIdentity is the identity without paths and the session's name, and of a
// role that IAM Identity Center made the name of the permission set.
func (r *row) shortIdentity() string {
	identity := r.identity()
	kind, name, ok := strings.Cut(identity, "/")
	switch {
	case !ok:
		return identity
	case !strings.Contains(r.ARN, ":assumed-role/"):
		return kind + "/" + path.Base(name)
	}
	return or(permissionSet(kind), kind)
}

// expires is when the session ends; if not in full, with the day of the week
// only where that tells which day.
func (r *row) expires(now time.Time, full bool) string {
	if r.Expiration == nil {
		return ""
	}
	clock := wording.Clock(*r.Expiration, now)
	switch away := r.Expiration.Sub(now).Abs(); {
	case full, !strings.Contains(clock, " "):
		return clock
	case away < 6*24*time.Hour:
		return r.Expiration.Local().Format("Mon 15:04")
	}
	return r.Expiration.Local().Format(time.DateOnly)
}

func (r *row) leftCell(cells int, bars bool) cell {
	switch {
	case r.Expiration == nil:
		return cell{}
	case !bars || cells == 0:
		return cell{text: wording.Left(r.left())}
	}
	left := r.left()
	return cell{text: bar(left, r.length(left), cells), rest: " " + wording.Left(left), colour: colours[r.State]}
}

// length is how long the session is, all in all. Where its beginning is not
// known, it is the shortest that holds what is left, of what AWS gives: an hour
// and twelve unless asked otherwise, and thirty-six at most.
func (r *row) length(left time.Duration) time.Duration {
	if !r.began.IsZero() && r.began.Before(*r.Expiration) {
		return r.Expiration.Sub(r.began)
	}
	for _, length := range []time.Duration{time.Hour, 12 * time.Hour} {
		if left <= length {
			return length
		}
	}
	return 36 * time.Hour
}

// bar shows what is left of a session; as long as anything is, there is a cell.
func bar(left, length time.Duration, cells int) string {
	part := float64(left) * float64(cells) / float64(length)
	full := int(math.Ceil(min(max(part, 0), float64(cells))))
	return strings.Repeat("█", full) + strings.Repeat("░", cells-full)
}

// A column is cells below each other, and as wide as the widest.
type column struct {
	cells []cell
	width int
}

func newColumn(head string, rows []*row, of func(*row) cell) *column {
	c := &column{cells: make([]cell, 1, len(rows)+1)}
	c.cells[0].text = head
	for _, r := range rows {
		cell := of(r)
		cell.text = shortened(wording.Brief(or(cell.text, "-")), widest, 1)
		c.cells = append(c.cells, cell)
	}
	for i := range c.cells {
		c.width = max(c.width, c.cells[i].measure())
	}
	return c
}

// A cell is coloured text, which may be cut, and the rest, which is neither.
type cell struct {
	text, rest, colour string
	width              int
}

func (c *cell) measure() int {
	c.width = displaywidth.String(c.text) + displaywidth.String(c.rest)
	return c.width
}

func (c *cell) draw(to *strings.Builder, colour bool) {
	if colour && c.colour != "" {
		to.WriteString("\x1b[" + c.colour + "m")
		to.WriteString(c.text)
		to.WriteString("\x1b[0m")
	} else {
		to.WriteString(c.text)
	}
	to.WriteString(c.rest)
}

// cut shortens the cells that are wider.
func (c *column) cut(width int) {
	c.width = width
	alike := map[string][]*cell{}
	for i := range c.cells {
		if cell := &c.cells[i]; cell.width > width {
			if displaywidth.String(cell.rest) >= width {
				cell.text, cell.rest = cell.text+cell.rest, ""
			}
			short := shortened(cell.text, width-displaywidth.String(cell.rest), 1)
			alike[short] = append(alike[short], cell)
		}
	}
	for _, cells := range alike {
		apart(cells, width)
	}
}

const ellipsis = "…"

// apart shortens cells that look alike without their middle: where that tells
// more of them apart, without their end, their beginning, or what they all
// begin with.
func apart(cells []*cell, width int) {
	var best []string
	most, common := 0, commonPrefix(cells)
	for _, way := range []func(text string, width int) string{
		func(text string, width int) string { return shortened(text, width, 1) },
		func(text string, width int) string { return shortened(text, width, 2) },
		func(text string, width int) string { return shortened(text, width, 0) },
		func(text string, width int) string { return shortened(ellipsis+text[common:], width, 2) },
	} {
		shorts, distinct := make([]string, len(cells)), map[string]bool{}
		for i, c := range cells {
			shorts[i] = way(c.text, width-displaywidth.String(c.rest))
			distinct[shorts[i]] = true
		}
		if len(distinct) > most {
			best, most = shorts, len(distinct)
		}
	}
	for i, c := range cells {
		c.text = best[i]
		c.measure()
	}
}

// commonPrefix is the length of what all the cells begin with.
func commonPrefix(cells []*cell) int {
	prefix := cells[0].text
	for _, c := range cells {
		same := 0
		for g := displaywidth.StringGraphemes(prefix); g.Next() && strings.HasPrefix(c.text[same:], g.Value()); {
			same += len(g.Value())
		}
		prefix = prefix[:same]
	}
	return len(prefix)
}

// shortened cuts a text that is wider: no, one or two halves of the room are
// for its head, the rest for its tail.
func shortened(text string, width, halves int) string {
	if displaywidth.String(text) <= width {
		return text
	}
	room := width - displaywidth.String(ellipsis)
	head := (room*halves + 1) / 2
	var clusters []string
	for g := displaywidth.StringGraphemes(text); g.Next(); {
		clusters = append(clusters, g.Value())
	}
	first, last := 0, len(clusters)
	for ; first < last; first++ {
		w := displaywidth.String(clusters[first])
		if w > head {
			break
		}
		head, room = head-w, room-w
	}
	for ; first < last; last-- {
		w := displaywidth.String(clusters[last-1])
		if w > room {
			break
		}
		room -= w
	}
	return strings.Join(clusters[:first], "") + ellipsis + strings.Join(clusters[last:], "")
}
