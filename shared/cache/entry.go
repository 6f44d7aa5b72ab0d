package cache

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// encode returns the entry as AWS CLI v1 writes it, which v2 reads too: one
// line, keys in the order of STS's answer, no newline at the end.
func (e Entry) encode() []byte {
	account := e.AccountID
	if account == "" {
		account = accountOf(e.AssumedRoleARN)
	}
	var role, packed string
	if e.AssumedRoleID != "" || e.AssumedRoleARN != "" {
		role = object(
			member{"AssumedRoleId", quote(e.AssumedRoleID)},
			member{"Arn", quote(e.AssumedRoleARN)},
		)
	}
	if e.PackedPolicySize != nil {
		packed = strconv.Itoa(int(*e.PackedPolicySize))
	}
	return []byte(object(
		member{"Credentials", object(
			member{"AccessKeyId", quote(e.AccessKeyID)},
			member{"SecretAccessKey", quote(e.SecretAccessKey)},
			member{"SessionToken", quote(e.SessionToken)},
			member{"Expiration", quote(e.Expiration.UTC().Format("2006-01-02T15:04:05.999999Z"))},
			member{"AccountId", nonEmpty(account)},
		)},
		member{"AssumedRoleUser", role},
		member{"PackedPolicySize", packed},
		member{"ResponseMetadata", object(
			member{"RequestId", quote(e.RequestID)},
			member{"HTTPStatusCode", "200"},
			member{"HTTPHeaders", "{}"},
			member{"RetryAttempts", "0"},
		)},
	))
}

const maxSize = 1 << 20 // bytes; a session is a few thousand

// parse reads what any AWS CLI wrote. Its errors say why the CLI, or AWS,
// would not take the entry, and quote nothing of it.
func parse(data []byte) (e Entry, err error) {
	switch {
	case len(data) == 0:
		return Entry{}, errors.New("empty file")
	case len(data) > maxSize:
		return Entry{}, errors.New("larger than 1 MiB")
	case bytes.HasPrefix(data, []byte("\ufeff")):
		return Entry{}, errors.New("starts with a byte order mark")
	case !utf8.Valid(data) || !json.Valid(data):
		return Entry{}, errors.New("not JSON")
	}
	file := members(data)
	credentials := members(file["Credentials"])
	if credentials == nil {
		return Entry{}, errors.New("no Credentials")
	}
	var expiration string
	for _, f := range []struct {
		key string
		to  *string
	}{
		{"AccessKeyId", &e.AccessKeyID},
		{"SecretAccessKey", &e.SecretAccessKey},
		{"SessionToken", &e.SessionToken},
		{"Expiration", &expiration},
	} {
		raw := credentials[f.key]
		*f.to = text(raw)
		switch {
		case len(raw) == 0 || string(raw) == `""`:
			return Entry{}, fmt.Errorf("no %s", f.key)
		case *f.to == "":
			return Entry{}, fmt.Errorf("%s is not text", f.key)
		}
	}
	if e.Expiration, err = parseExpiration(expiration); err != nil {
		return Entry{}, err
	}

	role := members(file["AssumedRoleUser"])
	e.AssumedRoleID, e.AssumedRoleARN = text(role["AssumedRoleId"]), text(role["Arn"])
	if e.AccountID = text(credentials["AccountId"]); e.AccountID == "" {
		e.AccountID = accountOf(e.AssumedRoleARN)
	}
	if json.Unmarshal(file["PackedPolicySize"], &e.PackedPolicySize) != nil {
		e.PackedPolicySize = nil
	}
	e.RequestID = text(members(file["ResponseMetadata"])["RequestId"])
	return e, nil
}

// parseExpiration reads the time as spelled by AWS CLI v1 ("Z") and v2
// ("+00:00"), or by a boto3 program ("UTC").
func parseExpiration(s string) (time.Time, error) {
	if bare, ok := strings.CutSuffix(s, "UTC"); ok {
		s = bare + "Z"
	}
	t, err := time.Parse(time.RFC3339, s)
	if _, offset := t.Zone(); offset <= -24*60*60 || offset >= 24*60*60 { // which Go takes, and Python does not
		return time.Time{}, errors.New("no time in Expiration")
	}
	t = t.UTC().Truncate(time.Microsecond) // Python keeps no more
	switch {
	case err == nil && 1 <= t.Year() && t.Year() <= 9999: // what Python has
		return t, nil
	case err == nil:
		return time.Time{}, errors.New("time in Expiration is out of range")
	}
	if _, err := time.Parse("2006-01-02T15:04:05", s); err == nil {
		return time.Time{}, errors.New("time in Expiration has no zone")
	}
	return time.Time{}, errors.New("no time in Expiration")
}

// members returns nil if raw is not a JSON object. A struct would do for
// encoding/json, but it takes "sessiontoken" for SessionToken; the CLI does not.
func members(raw json.RawMessage) (m map[string]json.RawMessage) {
	if json.Unmarshal(raw, &m) != nil {
		return nil
	}
	return m
}

// text returns "" if raw is not a JSON string, or one with half of a character,
// which nobody can send and encoding/json replaces.
func text(raw json.RawMessage) (s string) {
	if json.Unmarshal(raw, &s) != nil || strings.ContainsRune(s, utf8.RuneError) {
		return ""
	}
	return s
}

// accountOf returns the account in arn:partition:service:region:account:resource.
func accountOf(arn string) string {
	for range 4 {
		_, arn, _ = strings.Cut(arn, ":")
	}
	account, _, ok := strings.Cut(arn, ":")
	if !ok {
		return ""
	}
	return account
}
