package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"aws-mfa/shared/cache"
	"aws-mfa/shared/profile"
)

var now = time.Date(2026, 11, 20, 13, 30, 0, 0, time.UTC)

// in sets the time zone of the process.
func in(t *testing.T, zone string, hours int) {
	t.Helper()
	before := time.Local
	t.Cleanup(func() { time.Local = before })
	time.Local = time.FixedZone(zone, hours*60*60)
}

const token = "IQoJb3JpZ2luX2VjEXAMPLE"

// rows are one of each state.
func rows() []*row {
	power := row{
		Profile: "mfa", Account: "123456789012", ARN: "arn:aws:sts::123456789012:assumed-role/PowerUserRole/jane", UserID: "AROAIOSFODNN7EXAMPLE:jane",
		RoleARN: "arn:aws:iam::123456789012:role/PowerUserRole", MFASerial: "arn:aws:iam::123456789012:mfa/jane", Region: "eu-central-1",
		Source: "aws-cli-cache", Current: true, keys: profile.Keys{AccessKeyID: "ASIAIOSFODNN7EXAMPLE", SecretAccessKey: token, SessionToken: token},
	}
	power.ends(now.Add(59*time.Minute+30*time.Second), now)
	short := row{Profile: "short", Account: "123456789012", ARN: "arn:aws:sts::123456789012:assumed-role/Short/jane", Source: "aws-cli-cache"}
	short.ends(now.Add(14*time.Minute), now)
	old := row{Profile: "old", RoleARN: "arn:aws:iam::123456789012:role/path/Old", Source: "aws-cli-cache"}
	old.ends(now.Add(-20*time.Hour), now)
	return []*row{
		&power, &short, &old,
		{Profile: "out", RoleARN: "arn:aws:iam::210987654321:role/Out", State: signedOut},
		{Profile: "bad", Account: "123456789012", ARN: "arn:aws:iam::123456789012:user/jane", Source: "credentials-file", State: rejected},
		{Source: "environment", Region: "us-east-1", State: unknown},
	}
}

func written(t *testing.T, form string, rows []*row, s style) string {
	t.Helper()
	var out bytes.Buffer
	if err := write(&out, form, rows, now, s); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func compare(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got\n%s\nwant\n%s\ngot %q", got, want, got)
	}
}

func TestText(t *testing.T) {
	in(t, "CET", 1)
	compare(t, written(t, "text", rows(), style{bar: true, colour: true}), ``+
		"mfa\tactive\t123456789012\tarn:aws:sts::123456789012:assumed-role/PowerUserRole/jane\t2026-11-20T14:29:30Z\t3570\taws-cli-cache\n"+
		"short\texpiring\t123456789012\tarn:aws:sts::123456789012:assumed-role/Short/jane\t2026-11-20T13:44:00Z\t840\taws-cli-cache\n"+
		"old\texpired\tNone\tNone\t2026-11-19T17:30:00Z\t0\taws-cli-cache\n"+
		"out\tsigned out\tNone\tNone\tNone\tNone\tNone\n"+
		"bad\trejected\t123456789012\tarn:aws:iam::123456789012:user/jane\tNone\tNone\tcredentials-file\n"+
		"(environment)\tunknown\tNone\tNone\tNone\tNone\tenvironment\n")
}

func TestJSON(t *testing.T) {
	in(t, "CET", 1)
	compare(t, written(t, "json", rows()[2:4], style{bar: true, colour: true}), `[
  {
    "profile": "old",
    "state": "expired",
    "roleArn": "arn:aws:iam::123456789012:role/path/Old",
    "expiration": "2026-11-19T17:30:00Z",
    "secondsLeft": 0,
    "source": "aws-cli-cache"
  },
  {
    "profile": "out",
    "state": "signed out",
    "roleArn": "arn:aws:iam::210987654321:role/Out"
  }
]
`)
}

// The names are the contract with whoever reads the JSON by program.
func TestJSONHasTheFieldsOfTheContractAndNoOther(t *testing.T) {
	want := []string{"account", "arn", "current", "expiration", "mfaSerial", "profile", "region", "roleArn", "secondsLeft", "source", "state", "userId"}
	text := written(t, "json", rows(), style{})
	var got []map[string]any
	if err := json.Unmarshal([]byte(text), &got); err != nil || len(got) != len(rows()) {
		t.Fatalf("got %d rows, %v", len(got), err)
	}
	var names []string
	for name := range got[0] { // of which everything is known
		names = append(names, name)
	}
	if slices.Sort(names); !slices.Equal(names, want) {
		t.Errorf("got  %q\nwant %q", names, want)
	}
	for i, fields := range got {
		for name, value := range fields {
			if value == "" || value == nil || value == false {
				t.Errorf("row %d: what is unknown is there: %q: %v", i, name, value)
			}
			if !slices.Contains(want, name) {
				t.Errorf("row %d: got field %q", i, name)
			}
		}
		if _, ok := fields["state"]; !ok {
			t.Errorf("row %d: got no state", i)
		}
	}
	if got[0]["current"] != true || got[0]["secondsLeft"] != 3570.0 || got[0]["expiration"] != "2026-11-20T14:29:30Z" {
		t.Errorf("got %v", got[0])
	}
	for _, form := range []string{"json", "text", "table"} {
		if strings.Contains(written(t, form, rows(), style{}), token) {
			t.Errorf("%s has a secret", form)
		}
	}
}

func TestNothingIsAnEmptyAnswer(t *testing.T) {
	t.Parallel()
	for form, want := range map[string]string{"json": "[]\n", "text": "", "table": ""} {
		for _, none := range [][]*row{nil, {}} {
			if got := written(t, form, none, style{bar: true, colour: true}); got != want {
				t.Errorf("%s: got %q, want %q", form, got, want)
			}
		}
	}
}

// The limits are the AWS CLI's: with less than the margin left it asks again.
func TestStatesAtTheLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		left    time.Duration
		state   state
		seconds int
	}{
		{12 * time.Hour, active, 43200},
		{cache.Margin + time.Second, active, 901},
		{cache.Margin, active, 900},
		{cache.Margin - time.Second, expiring, 899},
		{cache.Margin - time.Nanosecond, expiring, 899},
		{time.Second, expiring, 1},
		{0, expired, 0},
		{-time.Second, expired, 0},
		{-100 * time.Hour, expired, 0},
	} {
		var r row
		r.ends(now.Add(c.left), now)
		if r.State != c.state || *r.SecondsLeft != c.seconds {
			t.Errorf("%s left: got %s, %d s, want %s, %d s", c.left, r.State, *r.SecondsLeft, c.state, c.seconds)
		}
		if want := c.state != expired; r.State.signedIn() != want {
			t.Errorf("%s left: got signed in %v", c.left, !want)
		}
	}
	for _, s := range []state{signedOut, rejected, unknown} {
		if s.signedIn() {
			t.Errorf("%s is signed in", s)
		}
	}
}

// Names come from files that others may have written, accounts and ARNs from
// a cache or an endpoint: none of them steers the terminal or makes lines and
// columns of its own.
func TestControlCharactersAreHarmless(t *testing.T) {
	in(t, "UTC", 0)
	const evil = "a\x1b]0;gone\x07\nactive\tb\r\u009b31m\u202e\x00"
	bad := row{Profile: evil, Account: evil, ARN: evil, RoleARN: evil, UserID: evil, Region: evil, MFASerial: evil, Source: "aws-cli-cache", State: expired}
	for _, form := range []string{"table", "text"} {
		got := written(t, form, []*row{&bad, {Profile: "p", State: active}}, style{})
		lines := 2
		if form == "table" {
			lines = 3
		}
		if strings.Count(got, "\n") != lines {
			t.Errorf("%s: got %d lines, want %d: %q", form, strings.Count(got, "\n"), lines, got)
		}
		if at := strings.IndexFunc(got, func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' && r != '\t' }); at >= 0 {
			t.Errorf("%s: got a control character: %.20q", form, got[at:])
		}
	}
	text := written(t, "text", []*row{&bad}, style{})
	if got := strings.Count(text, "\t"); got != 6 {
		t.Errorf("got %d columns, want 7: %q", got+1, text)
	}
	var back []*row
	text = written(t, "json", []*row{&bad}, style{})
	if err := json.Unmarshal([]byte(text), &back); err != nil || back[0].Profile != evil {
		t.Errorf("JSON: got %q, %v", text, err)
	}
	if strings.ContainsAny(text, "\x1b\x07\r\t\x00") {
		t.Errorf("JSON: got %q", text)
	}
}

func TestIdentities(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		row  row
		want string
	}{
		{row{ARN: "arn:aws:sts::123456789012:assumed-role/Admin/jane", RoleARN: "arn:aws:iam::123456789012:role/path/Admin"}, "Admin/jane"},
		{row{ARN: "arn:aws-cn:iam::123456789012:user/team/jane"}, "user/team/jane"},
		{row{ARN: "arn:aws:iam::123456789012:root"}, "root"},
		{row{RoleARN: "arn:aws:iam::123456789012:role/path/Admin"}, "role/path/Admin"},
		{row{ARN: "not an ARN"}, "not an ARN"},
		{row{}, ""},
	} {
		if got := c.row.identity(); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.row, got, c.want)
		}
	}
}
