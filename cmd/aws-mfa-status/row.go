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
	"aws-mfa/shared/session"
	"aws-mfa/shared/wording"
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

// A row is what there is to tell of a profile, of the environment, or of a
// sign-in to Identity Center. The JSON names are the contract
// (docs/aws-mfa-status.schema.json); what is unknown is left out.
type row struct {
	Profile     string     `json:"profile,omitempty"`
	State       state      `json:"state"`
	Reason      string     `json:"reason,omitempty"` // for the state, where AWS or the network gave it
	Account     string     `json:"account,omitempty"`
	ARN         string     `json:"arn,omitempty"`
	CachedARN   string     `json:"cachedArn,omitempty"` // what the cache says that ARN is
	UserID      string     `json:"userId,omitempty"`
	RoleARN     string     `json:"roleArn,omitempty"`
	SSORoleName string     `json:"ssoRoleName,omitempty"`
	SSOSession  string     `json:"ssoSession,omitempty"`
	StartURL    string     `json:"ssoStartUrl,omitempty"`
	MFASerial   string     `json:"mfaSerial,omitempty"`
	Region      string     `json:"region,omitempty"`
	Expiration  *time.Time `json:"expiration,omitempty"`
	SecondsLeft *int       `json:"secondsLeft,omitempty"`
	Source      string     `json:"source,omitempty"`
	File        string     `json:"file,omitempty"`
	SameAs      string     `json:"sameSessionAs,omitempty"` // the profile whose session it is too
	Current     bool       `json:"current,omitempty"`
	ClockOffset int        `json:"clockOffset,omitempty"` // seconds from this computer's clock to AWS's

	began   time.Time // the session; zero where that is not known
	echo    bool      // the profile of SameAs is told of, too
	site    string    // an ARN in the partition that is asked
	keys    profile.Keys
	session string // its access key; "" where there is none
	signsIn string // the profile that is signed in to, if one is
	network *profile.Network
	client  *session.Client
	login   *profile.Login // what that takes; nil where many are told of offline
	sso     *profile.SSO   // the role of a profile of Identity Center
}

// opens tells whether there could be a session.
func (r *row) opens() bool { return r.signsIn != "" || r.sso != nil }

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

// isToken tells whether the row is a sign-in to Identity Center, with which
// nobody is anyone for AWS yet.
func (r *row) isToken() bool { return r.Profile == "" && r.Source == "sso" }

// left is how long the session lasts from when it was looked at, by AWS's clock.
func (r *row) left() time.Duration {
	if r.SecondsLeft == nil {
		return 0
	}
	return time.Duration(*r.SecondsLeft) * time.Second
}

// name is what the row is about, as people know it.
func (r *row) name() string {
	switch {
	case r.Profile != "":
		return r.Profile
	case r.SSOSession != "":
		return "(sso " + r.SSOSession + ")"
	case r.StartURL != "":
		return "(sso)"
	}
	return "(environment)"
}

// identity is the last part of the ARN, Admin/jane or user/jane, or what is
// known instead.
func (r *row) identity() string {
	arn := or(r.ARN, r.RoleARN)
	if a, ok := profile.ParseARN(arn); ok {
		return strings.TrimPrefix(a.Resource, "assumed-role/")
	}
	return or(arn, or(r.SSORoleName, r.StartURL))
}

// permissionSet is what the role with that name is made of, if IAM Identity
// Center made it: AWSReservedSSO_NAME_0123456789abcdef.
func permissionSet(role string) string {
	name, ok := strings.CutPrefix(role, "AWSReservedSSO_")
	if at := strings.LastIndexByte(name, '_'); ok && at >= 0 {
		return name[:at]
	}
	return ""
}

// cure is the command to sign in with, "" if there is none. A session that is
// good for all we know here, but not for AWS, would be kept without --force.
func (r *row) cure() string {
	good := r.SecondsLeft != nil && *r.SecondsLeft >= int(cache.Margin.Seconds())
	switch {
	case r.signsIn != "" && good:
		return cli.LoginCommand(r.signsIn, "--force")
	case r.signsIn != "":
		return cli.LoginCommand(r.signsIn)
	case r.sso != nil:
		return cli.AWSCommand("sso login", r.Profile)
	case r.SSOSession != "":
		return "aws sso login --sso-session " + cli.ShellWord(r.SSOSession)
	case r.Source == "environment" && r.keys.Temporary():
		return "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN"
	case r.Source == "credentials-file" && !r.keys.Temporary():
		return cli.AWSCommand("configure", r.Profile)
	}
	command, _ := cli.CopyCommand(r.Profile, r.keys)
	return command
}

// write writes the rows in one of the forms of --output.
func write(w io.Writer, form string, rows []*row, now time.Time, s style) error {
	switch form {
	case "json":
		return writeJSON(w, rows)
	case "text":
		return writeText(w, rows)
	}
	return writeTable(w, rows, now, s)
}

func writeJSON(w io.Writer, rows []*row) error {
	if rows == nil {
		rows = []*row{}
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
func writeText(w io.Writer, rows []*row) error {
	for _, r := range rows {
		expiration, left := "", ""
		if r.Expiration != nil {
			expiration, left = r.Expiration.Format(time.RFC3339), fmt.Sprint(*r.SecondsLeft)
		}
		fields := []string{r.name(), string(r.State), r.Account, r.ARN, expiration, left, r.Source}
		for i, f := range fields {
			if fields[i] = wording.Printable(f); f == "" {
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
