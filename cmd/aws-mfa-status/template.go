package main

import (
	"errors"
	"io"
	"strings"
	"text/template"
	"time"

	"aws-mfa/shared/cli"
	"aws-mfa/shared/wording"
)

// A prompt is what --template takes: a Go template over one profile
// (https://pkg.go.dev/text/template).
type prompt struct {
	*template.Template
	meter *meter
}

// A segment is what a template sees of a profile. What is unknown is "" or 0.
// All text is fit for a terminal.
type segment struct {
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
var sample = segment{
	Profile: "mfa", State: "active", Left: "59m", SecondsLeft: 3599, Ends: "15:04", Expiration: "2006-01-02T15:04:05Z",
	Account: "123456789012", Role: "Admin", ARN: "arn:aws:sts::123456789012:assumed-role/Admin/jane", RoleARN: "arn:aws:iam::123456789012:role/Admin",
	MFASerial: "arn:aws:iam::123456789012:mfa/jane", UserID: "AROAIOSFODNN7EXAMPLE:jane", Region: "us-east-1", Source: "aws-cli-cache",
	SSOSession: "corp", Current: true, SignedIn: true,
}

func (p *prompt) UnmarshalText(text []byte) error {
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
		return cli.UsageError(errTooMuch.Error())
	}
	text := strings.TrimPrefix(err.Error(), "template: --template:")
	return cli.UsageError(strings.ReplaceAll(text, " in type main.segment", ""))
}

// write writes what the template makes of each row, on a line of its own
// unless it is nothing.
func (p *prompt) write(w io.Writer, rows []*row, now time.Time) error {
	var all strings.Builder
	for _, r := range rows {
		before := all.Len()
		if err := p.fill(&all, r.segment(now)); err != nil {
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
func (p *prompt) fill(w io.Writer, s segment) error {
	p.meter.left = mostMade
	if err := p.Execute(metered{w, p.meter}, s); err != nil {
		return inTemplate(err)
	}
	return nil
}

func (r row) segment(now time.Time) segment {
	s := segment{
		Profile: r.name(), State: string(r.State), Account: r.Account, ARN: r.ARN, RoleARN: r.RoleARN, MFASerial: r.MFASerial,
		UserID: r.UserID, Region: r.Region, Source: r.Source, SSOSession: r.SSOSession, Current: r.Current, SignedIn: r.State.signedIn(),
	}
	kind, name, found := strings.Cut(r.identity(), "/")
	s.Role = kind
	if found && (kind == "user" || kind == "role" || kind == "federated-user") {
		s.Role = name
	}
	if r.Expiration != nil {
		s.Left, s.SecondsLeft = wording.Left(r.left()), *r.SecondsLeft
		s.Ends, s.Expiration = wording.Clock(*r.Expiration, now), r.Expiration.Format(time.RFC3339)
	}
	for _, text := range []*string{&s.Profile, &s.Account, &s.Role, &s.ARN, &s.RoleARN, &s.MFASerial, &s.UserID, &s.Region, &s.SSOSession} {
		*text = wording.Printable(*text)
	}
	return s
}
