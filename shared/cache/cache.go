// Package cache is what is remembered between runs: sessions, in the
// assume-role cache of the AWS CLI, so that a session opened here serves `aws`,
// and the other way round; and in a directory of our own, what was learned of
// MFA devices and of the clock.
//
// It hides how the CLI names its entries, what it puts into them and what it
// stumbles over. It touches only the entries it is asked for: the directory
// also holds other people's (Identity Center, web identity, session.db). It
// hides too how files are replaced whole, and how processes wait for each other.
package cache

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"time"
)

// Margin is how much of a session must be left for it to be used. With less,
// the AWS CLI opens a new one (botocore, CachedCredentialFetcher:
// DEFAULT_EXPIRY_WINDOW_SECONDS).
const Margin = 15 * time.Minute

// Key is what the AWS CLI names an entry after: the arguments of AssumeRole as
// they stand in the profile (botocore, BaseAssumeRoleCredentialFetcher). The
// profile's name, its source and its region are no part of it.
type Key struct {
	RoleARN         string
	RoleSessionName string  // "" counts as absent
	ExternalID      *string // nil is absent, "" is not
	SerialNumber    *string // nil is absent, "" is not
	DurationSeconds string  // a decimal integer as Python prints it, of any size; "" is absent
}

// Name returns the name of the entry, 40 hexadecimal digits.
func (k Key) Name() string {
	sum := k.sum()
	return hex.EncodeToString(sum[:])
}

func (k Key) sum() [sha1.Size]byte {
	var space [256]byte // for more than most profiles have
	return sha1.Sum(k.appendJSON(space[:0]))
}

func (k Key) appendJSON(b []byte) []byte {
	b = append(b, '{')
	if k.DurationSeconds != "" {
		b = append(appendKey(b, "DurationSeconds"), k.DurationSeconds...)
	}
	if k.ExternalID != nil {
		b = appendQuoted(appendKey(b, "ExternalId"), *k.ExternalID)
	}
	b = appendQuoted(appendKey(b, "RoleArn"), k.RoleARN)
	if k.RoleSessionName != "" {
		b = appendQuoted(appendKey(b, "RoleSessionName"), k.RoleSessionName)
	}
	if k.SerialNumber != nil {
		b = appendQuoted(appendKey(b, "SerialNumber"), *k.SerialNumber)
	}
	return append(b, '}')
}

// Entry is one session, as STS gave it. Neither fmt nor encoding/json shows
// its secrets.
type Entry struct {
	AccessKeyID     string
	SecretAccessKey string    `json:"-"`
	SessionToken    string    `json:"-"`
	Expiration      time.Time // UTC, whole microseconds when read
	AccountID       string    // "" if neither STS nor AssumedRoleARN tells
	AssumedRoleID   string    // "" in a session without a role
	AssumedRoleARN  string    // "" in a session without a role

	PackedPolicySize *int32 // percent; nil if STS did not tell
	RequestID        string
}

// Good reports whether enough is left at now for the AWS CLI to use the session.
func (e Entry) Good(now time.Time) bool { return e.Left(now) >= Margin }

// Left returns how long the session lasts from now on, negative once it expired.
func (e Entry) Left(now time.Time) time.Duration { return e.Expiration.Sub(now) }

// String names the session by its access key ID and its end.
func (e Entry) String() string {
	return fmt.Sprintf("session %s until %s", e.AccessKeyID, e.Expiration.UTC().Format(time.RFC3339))
}

// Format writes String for every verb, since %#v and %d would print the fields.
func (e Entry) Format(f fmt.State, _ rune) { io.WriteString(f, e.String()) }
