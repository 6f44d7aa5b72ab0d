package main

import (
	"errors"
	"io"
	"time"

	"aws-mfa/cmd/aws-mfa-status/prompt"
	"aws-mfa/shared/cli"
)

// fill writes what the template makes of the rows.
func (s *status) fill(w io.Writer, rows []*row, now time.Time) error {
	segments := make([]prompt.Segment, len(rows))
	for i, r := range rows {
		segments[i] = r.segment(now)
	}
	err := s.Template.Write(w, segments...)
	if errors.As(err, new(prompt.Error)) {
		return cli.UsageError(err.Error())
	}
	return err
}

func (r row) segment(now time.Time) prompt.Segment {
	s := prompt.Segment{
		Profile: r.name(), State: string(r.State), Account: r.Account, ARN: r.ARN, RoleARN: r.RoleARN, MFASerial: r.MFASerial,
		UserID: r.UserID, Region: r.Region, Source: r.Source, SSOSession: r.SSOSession, Current: r.Current, SignedIn: r.State.signedIn(),
	}
	s.Identify(r.identity())
	if r.Expiration != nil {
		s.Last(*r.Expiration, *r.SecondsLeft, now)
	}
	return s
}
