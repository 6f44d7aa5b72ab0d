package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"aws-mfa/shared/cli"
)

// A style is what a terminal allows beyond plain text.
type style struct{ bar, colour bool }

// ansi tells whether terminals here understand escapes: the older ones of
// Windows do only when they are told to, Windows Terminal always does.
var ansi = runtime.GOOS != "windows" || os.Getenv("WT_SESSION") != ""

// styleOf looks whether w is a terminal, and whether NO_COLOR is set
// (https://no-color.org).
func styleOf(w io.Writer) style {
	terminal := cli.IsTerminal(w)
	return style{bar: terminal, colour: terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && ansi}
}

var colours = map[state]string{active: "32", expiring: "33", expired: "31", rejected: "31", signedOut: "2", unknown: "35"}

func writeTable(w io.Writer, rows []row, now time.Time, s style) error {
	if len(rows) == 0 {
		return nil
	}
	var text strings.Builder
	tab := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tab, "PROFILE\tACCOUNT\tROLE OR USER\tSTATE\tEXPIRES\tLEFT")
	for _, r := range rows {
		expires, left := "-", "-"
		if r.Expiration != nil {
			expires = cli.Clock(*r.Expiration, now)
			left = cli.Left(r.Expiration.Sub(now))
			if s.bar {
				left = bar(r.Expiration.Sub(now)) + " " + left
			}
		}
		name := r.name()
		if r.Current {
			name += " *"
		}
		fmt.Fprintf(tab, "%s\t%s\t%s\t%s\t%s\t%s\n", cli.Printable(name), cli.Printable(or(r.Account, "-")), cli.Printable(or(r.identity(), "-")), r.State, expires, left)
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	out := text.String()
	if s.colour {
		out = coloured(out, rows)
	}
	_, err := io.WriteString(w, out)
	return err
}

// coloured colours the state in each line, after the columns are aligned:
// tabwriter would count the escapes.
func coloured(table string, rows []row) string {
	lines := strings.SplitAfter(table, "\n")
	for i, r := range rows {
		text := string(r.State)
		at := strings.LastIndex(lines[i+1], text+"  ")
		if at >= 0 {
			lines[i+1] = lines[i+1][:at] + "\x1b[" + colours[r.State] + "m" + text + "\x1b[0m" + lines[i+1][at+len(text):]
		}
	}
	return strings.Join(lines, "")
}

// bar shows what is left of an hour, which is how long most sessions last.
func bar(left time.Duration) string {
	const cells = 10
	full := min(cells, max(0, int((left*cells+time.Hour-1)/time.Hour)))
	return strings.Repeat("█", full) + strings.Repeat("░", cells-full)
}
