package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
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
	SameAs      string     `json:"sameSessionAs,omitempty"` // the first profile with the same session
	Current     bool       `json:"current,omitempty"`

	began   time.Time // the session; zero where that is not known
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

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
