package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"aws-mfa/shared/profile"
	"aws-mfa/shared/session"
)

const (
	powerSession = "arn:aws:sts::123456789012:assumed-role/PowerUserRole/jane"
	powerRole    = "arn:aws:iam::123456789012:role/path/PowerUserRole"
	janeSerial   = "arn:aws:iam::123456789012:mfa/jane"
	janeUser     = "arn:aws:iam::123456789012:user/jane"
)

func value(text string) profile.Value { return profile.Value{Text: text, Set: text != ""} }

func TestAWSAndTheCacheMustAgreeWhoOneIs(t *testing.T) {
	ofRole := func() row {
		return row{State: active, site: powerRole, login: &profile.Login{RoleARN: value(powerRole)}}
	}
	ofUser := func() row {
		return row{State: active, site: janeSerial, login: &profile.Login{SerialNumber: value(janeSerial)}}
	}
	ofCenter := func() row {
		return row{State: active, sso: &profile.SSO{AccountID: value("123456789012"), RoleName: value("Dev")}}
	}
	claims := func(r row, arn string) row { r.CachedARN, r.ARN = arn, arn; return r }
	for _, c := range []struct {
		name string
		row  row
		arn  string
		want string // in the reason; "" if they agree
	}{
		{"the session of the role", claims(ofRole(), powerSession), powerSession, ""},
		{"a role that the CLI spells otherwise", ofRole(), strings.ToLower(powerSession), ""},
		{"no claim", ofRole(), powerSession, ""},
		{"another session", claims(ofRole(), powerSession), "arn:aws:sts::123456789012:assumed-role/PowerUserRole/mallory", "the cache says of " + powerSession},
		{"another role", ofRole(), "arn:aws:sts::123456789012:assumed-role/OtherRole/jane", "which is not " + powerRole},
		{"another account", ofRole(), "arn:aws:sts::210987654321:assumed-role/PowerUserRole/jane", "which is not " + powerRole},
		{"a user", ofRole(), janeUser, "which is not " + powerRole},
		{"an MFA session", ofUser(), janeUser, ""},
		{"an MFA session of another account", ofUser(), "arn:aws:iam::210987654321:user/jane", "whose account is not that of " + janeSerial},
		{"a device without an account", row{State: active, site: "GAHT12345678", login: &profile.Login{SerialNumber: value("GAHT12345678")}}, janeUser, ""},
		{"Identity Center", ofCenter(), "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Dev_0123456789abcdef/jane", ""},
		{"another permission set", ofCenter(), "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Devil_0123456789abcdef/jane", "which is not Dev"},
		{"a permission set that begins alike", ofCenter(), "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Dev_Ops_0123456789abcdef/jane", "which is not Dev"},
		{"Identity Center in another account", ofCenter(), "arn:aws:sts::210987654321:assumed-role/AWSReservedSSO_Dev_0123456789abcdef/jane", "in account 123456789012"},
		{"keys that claim nothing", row{State: unknown}, janeUser, ""},
	} {
		r := c.row
		got, _ := profile.ParseARN(c.arn)
		r.answer(answer{who: session.Identity{ARN: c.arn, Account: got.Account, UserID: "AIDA"}})
		want := active
		if c.want != "" {
			want = rejected
		}
		if r.State != want || (c.want == "") != (r.Reason == "") || !strings.Contains(r.Reason, c.want) {
			t.Errorf("%s: got %s, %q; want %s, %q", c.name, r.State, r.Reason, want, c.want)
		}
		if r.ARN != c.arn || r.Account != got.Account || r.UserID != "AIDA" {
			t.Errorf("%s: got %s, %s, %s of AWS's answer", c.name, r.ARN, r.Account, r.UserID)
		}
	}
}

func TestWhatAWSRefusesAndWhatItDoesNotAnswer(t *testing.T) {
	for _, c := range []struct {
		err  error
		want state
	}{
		{&session.RefusedError{Reason: session.UnknownKey}, rejected},
		{&session.RefusedError{Reason: session.WrongSecret}, rejected},
		{&session.RefusedError{Reason: session.ExpiredSession}, expired},
		{&session.RefusedError{Reason: session.ClockOff}, unknown},
		{&session.RefusedError{Reason: session.RegionDisabled}, unknown},
		{&session.RefusedError{Reason: session.Unavailable}, unknown},
		{&session.NetworkError{Host: "sts.amazonaws.com", Err: errors.New("gone")}, unknown},
		{errors.New("CA bundle: no such file"), unknown},
	} {
		r := row{State: active, ARN: powerSession}
		if r.answer(answer{err: c.err}); r.State != c.want || r.Reason == "" || r.ARN != powerSession {
			t.Errorf("%v: got %s, %q, %s; want %s", c.err, r.State, r.Reason, r.ARN, c.want)
		}
	}
}

// Many questions to an endpoint that is dead must not add up.
func TestAnEndpointThatNeverAnswersIsAskedNoMore(t *testing.T) {
	dead, alive := question{id: "a", endpoint: "dead"}, question{id: "b", endpoint: "alive"}
	gone := answer{err: &session.NetworkError{Err: errors.New("timed out")}}
	s := silences{}
	for range enough {
		if _, known := s.of(dead); known {
			t.Error("one failure is no silence")
		}
		s.learn(dead, gone)
	}
	if a, known := s.of(dead); !known || a.err != gone.err {
		t.Errorf("got %v, %t", a, known)
	}
	s.learn(alive, answer{err: &session.RefusedError{}})
	for range 2 * enough {
		s.learn(alive, gone)
	}
	if _, known := s.of(alive); known {
		t.Error("an endpoint that answered once is asked again")
	}
}

func TestAskingGivesWayToItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var asked []question
	about := map[question][]*row{}
	for _, id := range []string{"a", "b", "c"} {
		q := question{id: id}
		asked, about[q] = append(asked, q), []*row{{}}
	}
	told := 0
	ask(ctx, asked, about, func(_ question, a answer) {
		told++
		if !errors.Is(a.err, context.Canceled) {
			t.Errorf("got %v", a.err)
		}
	})
	if told != len(asked) {
		t.Errorf("got %d answers", told)
	}
}
