package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf16"

	"aws-mfa/shared/cache"
	"aws-mfa/shared/cli"
	"aws-mfa/shared/profile"
)

// A state is how it stands with a profile.
type state string

const (
	active    state = "active"
	expiring  state = "expiring" // less than cache.Margin left: the AWS CLI asks again
	expired   state = "expired"
	signedOut state = "signed out"
	rejected  state = "rejected" // AWS refuses it
	unknown   state = "unknown"  // AWS was not reached
)

func (s state) signedIn() bool { return s == active || s == expiring }

// A row is what there is to tell of a profile. The JSON names are the
// contract; what is unknown is left out.
type row struct {
	Profile     string     `json:"profile,omitempty"` // "": the environment
	State       state      `json:"state"`
	Account     string     `json:"account,omitempty"`
	ARN         string     `json:"arn,omitempty"`
	UserID      string     `json:"userId,omitempty"`
	RoleARN     string     `json:"roleArn,omitempty"`
	MFASerial   string     `json:"mfaSerial,omitempty"`
	Region      string     `json:"region,omitempty"`
	Expiration  *time.Time `json:"expiration,omitempty"`
	SecondsLeft *int       `json:"secondsLeft,omitempty"`
	Source      string     `json:"source,omitempty"`
	Current     bool       `json:"current,omitempty"`

	keys    profile.Keys
	network profile.Network
	login   bool  // the profile can be signed in to
	problem error // that AWS had with the keys; of rows with the same session the first has it
}

// ends sets the row's end, and what follows from it.
func (r *row) ends(at, now time.Time) {
	at = at.UTC().Truncate(time.Second)
	left := at.Sub(now)
	seconds := max(0, int(left.Seconds()))
	r.Expiration, r.SecondsLeft = &at, &seconds
	switch {
	case left <= 0:
		r.State = expired
	case left < cache.Margin:
		r.State = expiring
	default:
		r.State = active
	}
}

func (r row) name() string {
	if r.Profile == "" {
		return "(environment)"
	}
	return r.Profile
}

// identity is the last part of the ARN: assumed-role/Admin/jane, user/jane.
func (r row) identity() string {
	arn := r.ARN
	if arn == "" {
		arn = r.RoleARN
	}
	if a, ok := profile.ParseARN(arn); ok {
		return strings.TrimPrefix(a.Resource, "assumed-role/")
	}
	return arn
}

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

// write writes the rows in one of the forms of --output.
func write(w io.Writer, form string, rows []row, now time.Time, s style) error {
	switch form {
	case "json":
		return writeJSON(w, rows)
	case "text":
		return writeText(w, rows)
	}
	return writeTable(w, rows, now, s)
}

func writeJSON(w io.Writer, rows []row) error {
	if rows == nil {
		rows = []row{}
	}
	var text strings.Builder
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(rows); err != nil {
		return err
	}
	_, err := io.WriteString(w, visible(text.String()))
	return err
}

// visible escapes what a terminal would interpret and encoding/json leaves:
// C1 controls, and marks that turn the direction of writing.
func visible(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r == '\n' || unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
		}
	}
	return b.String()
}

// writeText writes tab-separated lines as the AWS CLI's text form: always the
// same columns, None for what is unknown.
func writeText(w io.Writer, rows []row) error {
	for _, r := range rows {
		expiration, left := "", ""
		if r.Expiration != nil {
			expiration, left = r.Expiration.Format(time.RFC3339), fmt.Sprint(*r.SecondsLeft)
		}
		fields := []string{r.name(), string(r.State), r.Account, r.ARN, expiration, left, r.Source}
		for i, f := range fields {
			if fields[i] = cli.Printable(f); f == "" {
				fields[i] = "None"
			}
		}
		if _, err := fmt.Fprintln(w, strings.Join(fields, "\t")); err != nil {
			return err
		}
	}
	return nil
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

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
