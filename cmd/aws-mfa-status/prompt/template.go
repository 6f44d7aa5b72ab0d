// Package prompt is a line about a session for a shell prompt, made by a Go
// template.
package prompt

import (
	"errors"
	"io"
	"strings"
	"text/template"
	"time"

	"aws-mfa/shared/wording"
)

// A Template is what --template takes: a Go template over a Segment
// (https://pkg.go.dev/text/template).
type Template struct {
	*template.Template
	meter *meter
}

// An Error is about a template, or about what it makes of a profile.
type Error string

func (e Error) Error() string { return string(e) }

// A Segment is what a template sees of a profile. What is unknown is "" or 0.
// All text is fit for a terminal.
type Segment struct {
	Profile     string // or "(environment)"
	State       string // active, expiring, expired, signed out, rejected, unknown
	Left        string // 59m
	SecondsLeft int
	Ends        string // 15:04, local time
	Expiration  string // RFC 3339, UTC
	Account     string
	Role        string // or user: PowerUserRole
	ARN         string
	RoleARN     string
	MFASerial   string
	UserID      string
	Region      string
	Source      string
	SSOSession  string
	Current     bool
	SignedIn    bool // active or expiring
}

// sample is what a template is tried with.
var sample = Segment{
	Profile: "mfa", State: "active", Left: "59m", SecondsLeft: 3599, Ends: "15:04", Expiration: "2006-01-02T15:04:05Z",
	Account: "123456789012", Role: "Admin", ARN: "arn:aws:sts::123456789012:assumed-role/Admin/jane", RoleARN: "arn:aws:iam::123456789012:role/Admin",
	MFASerial: "arn:aws:iam::123456789012:mfa/jane", UserID: "AROAIOSFODNN7EXAMPLE:jane", Region: "us-east-1", Source: "aws-cli-cache",
	SSOSession: "corp", Current: true, SignedIn: true,
}

// UnmarshalText reads the template, and tries it. The error is an Error.
func (p *Template) UnmarshalText(text []byte) error {
	p.meter = new(meter)
	t, err := template.New("--template").Funcs(p.meter.functions()).Parse(string(text))
	if err != nil {
		return inTemplate(err)
	}
	for _, t := range t.Templates() {
		p.meter.watch(t.Root, len(text))
	}
	p.Template = t
	return p.fill(io.Discard, sample)
}

// inTemplate is an error of a template without the words of its library.
func inTemplate(err error) error {
	if errors.Is(err, errTooMuch) {
		return Error(errTooMuch.Error())
	}
	text := strings.TrimPrefix(err.Error(), "template: --template:")
	return Error(strings.ReplaceAll(text, " in type prompt.Segment", ""))
}

// Write writes what the template makes of each profile, on a line of its own
// unless it is nothing. It writes all or nothing; the error is an Error, or w's.
func (p *Template) Write(w io.Writer, profiles ...Segment) error {
	var all strings.Builder
	for _, s := range profiles {
		before := all.Len()
		if err := p.fill(&all, s.visible()); err != nil {
			return err
		}
		if made := all.String()[before:]; made != "" && !strings.HasSuffix(made, "\n") {
			all.WriteByte('\n')
		}
	}
	_, err := io.WriteString(w, all.String())
	return err
}

// fill makes what the template makes of a profile.
func (p *Template) fill(w io.Writer, s Segment) error {
	p.meter.left = mostMade
	if err := p.Execute(metered{w, p.meter}, s); err != nil {
		return inTemplate(err)
	}
	return nil
}

// Identify sets what the last part of an ARN tells: assumed-role/ROLE/SESSION
// without its first word, user/NAME, or anything else.
func (s *Segment) Identify(identity string) {
	kind, name, found := strings.Cut(identity, "/")
	s.Role = kind
	if found && (kind == "user" || kind == "role" || kind == "federated-user") {
		s.Role = name
	}
}

// Last sets the session's end, and what is left of it, in seconds.
func (s *Segment) Last(until time.Time, seconds int, now time.Time) {
	s.Left, s.SecondsLeft = wording.Left(time.Duration(seconds)*time.Second), seconds
	s.Ends, s.Expiration = wording.Clock(until, now), until.Format(time.RFC3339)
}

// visible is the segment fit for a terminal.
func (s Segment) visible() Segment {
	for _, text := range []*string{&s.Profile, &s.Account, &s.Role, &s.ARN, &s.RoleARN, &s.MFASerial, &s.UserID, &s.Region, &s.SSOSession} {
		*text = wording.Printable(*text)
	}
	return s
}
