package cache

import (
	"errors"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"aws-mfa/shared/awstest"
)

// readByPython reads an entry as the AWS CLI does (botocore, JSONFileCache and
// CachedCredentialFetcher). A text that cannot be sent counts as none.
const readByPython = `
import base64, calendar, json
from botocore.credentials import _parse_if_needed
def no(constant):
    raise ValueError(constant)
def text(value):
    return isinstance(value, str) and bool(value.encode("utf-8")) and chr(0xfffd) not in value # of which nobody can tell where it comes from
def member(value, *names):
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    try:
        return value if text(value) else ""
    except UnicodeEncodeError:
        return ""
def answer(question):
    try:
        written = base64.b64decode(question or "").decode("utf-8")
        entry = json.loads(written, parse_constant=no)
        keys = [entry["Credentials"][k] for k in ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")]
        if not all(text(key) for key in keys):
            return {"broken": "no text"}
        end = _parse_if_needed(keys[3])
        if end.tzinfo is None:
            return {"broken": "no zone"}
        return {"keys": keys, "seconds": calendar.timegm(end.utctimetuple()), "micros": end.microsecond, "again": json.dumps(entry) == written,
                "role": [member(entry, "AssumedRoleUser", "AssumedRoleId"), member(entry, "AssumedRoleUser", "Arn"), member(entry, "Credentials", "AccountId")]}
    except Exception as e:
        return {"broken": "%s: %s" % (type(e).__name__, e)}
`

// A pythonEntry is what the AWS CLI reads.
type pythonEntry struct {
	Broken          string
	Keys, Role      []string
	Seconds, Micros int64
	Again           bool // it would write the same
}

// pythonReads starts an oracle; one that knows nothing, if this machine has none.
func pythonReads(f *testing.F, program string) func(t *testing.T, data []byte) (e pythonEntry, known bool) {
	f.Helper()
	python, err := awstest.StartPython("botocore.credentials", program)
	if errors.Is(err, awstest.ErrNoPython) && os.Getenv("CI") == "" {
		f.Log(err)
		return func(*testing.T, []byte) (pythonEntry, bool) { return pythonEntry{}, false }
	} else if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { python.Close() })
	return func(t *testing.T, data []byte) (e pythonEntry, known bool) {
		if err := python.Ask(data, &e); err != nil {
			t.Fatal(err)
		}
		return e, true
	}
}

// usual is how AWS CLI v1 and v2 and boto3 programs write a time.
var usual = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|UTC|\+00:00)$`)

// An entry is read as the AWS CLI reads it, or not at all where that would not
// take it; the short way of reading finds what the long one does; and what is
// written is read back.
func FuzzEntry(f *testing.F) {
	for _, entry := range entries(f) {
		f.Add([]byte(entry))
	}
	// An entry of a role of Identity Center, by AWS CLI v2 2.36.7.
	f.Add([]byte(`{"ProviderType": "sso", "Credentials": {"AccessKeyId": "ASIASSOSSOSSOSSOSSOX", "SecretAccessKey": "SECRET", "SessionToken": "SESSION", "Expiration": "2027-01-26T21:46:40Z", "AccountId": "123456789012"}}`))
	entry := func(token, end, more string) []byte {
		return []byte(`{"Credentials": {"AccessKeyId": "A", "SecretAccessKey": "s", "SessionToken": ` + token + `, "Expiration": ` + end + `}` + more + `}`)
	}
	for _, token := range []string{`"t"`, `"\ud800"`, `"\ud83d\ude00"`, `"\ufffd"`, `"\u0000\/"`, `""`, `null`, `7`, `["t"]`, `"t", "SessionToken": "u"`, `"t", "sessionToken": "u"`, `"t", "SessionToken": 7`} {
		f.Add(entry(token, `"2026-11-21T00:37:50Z"`, ""))
	}
	for _, end := range []string{`"2026-11-21T00:37:50.5+00:00"`, `"2026-11-21T00:37:50UTC"`, `"2026-11-21T24:00:00Z"`, `"2026-11-21T23:59:60Z"`, `"2026-02-29T00:00:00Z"`, `"0000-01-01T00:00:00Z"`, `"9999-12-31T23:59:59.9999999-23:59"`,
		`"2026-11-21T00:37:50,5Z"`, `"2026-11-21 00:37:50+0530"`, `"2026-11-21T00:37:50"`, `1795221470`, `"2026-11-21T00:37:50z"`, `"2026-11-21T00:37:50+24:00"`, `"2026-11-21T00:37:50.1234567Z"`, `"2026-11-21T0:37:50Z"`} {
		f.Add(entry(`"t"`, end, ""))
	}
	for _, more := range []string{`, "x": NaN`, `, "x": -Infinity`, `, "x": 1e999`, `, "x": -0.0E+1`, `, "x": 01`, `, "PackedPolicySize": 1.0`, `, "PackedPolicySize": 99999999999`, `, "AssumedRoleUser": {"Arn": "\ud800"}`,
		`, "AssumedRoleUser": {"arn": "x"}`, `, "AssumedRoleUser": []`, `, "x": ` + strings.Repeat("[", 600) + strings.Repeat("]", 600), `, "Credentials": {}`, "\x00", " \n", "}"} {
		f.Add(entry(`"t"`, `"2026-11-21T00:37:50Z"`, more))
	}
	python := pythonReads(f, readByPython)
	d := Dir(f.TempDir())
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := parse(data)
		samePlain(t, data)
		if want, known := python(t, data); known {
			switch {
			case err == nil && want.Broken != "":
				t.Fatalf("%q is read, but Python says %s", data, want.Broken)
			case err != nil && want.Broken == "" && usual.MatchString(want.Keys[3]) && want.Seconds > 0 && len(data) <= maxSize:
				t.Fatalf("%q: got %v, but Python reads it", data, err)
			case err == nil:
				samePython(t, data, got, want)
			}
		}
		if err != nil {
			if got != (Entry{}) && !reflect.DeepEqual(got, Entry{}) {
				t.Errorf("%q: got %s with the error %v", data, got, err)
			}
			return
		}
		writtenAndRead(t, d, got)
	})
}

func samePython(t *testing.T, data []byte, got Entry, want pythonEntry) {
	t.Helper()
	if got.AccessKeyID != want.Keys[0] || got.SecretAccessKey != want.Keys[1] || got.SessionToken != want.Keys[2] ||
		got.Expiration.Unix() != want.Seconds || got.Expiration.Nanosecond() != 1000*int(want.Micros) {
		t.Fatalf("%q: got %s, want %+v", data, got.encode(), want)
	}
	account := want.Role[2]
	if account == "" {
		account = accountOf(want.Role[1])
	}
	if got.AssumedRoleID != want.Role[0] || got.AssumedRoleARN != want.Role[1] || got.AccountID != account {
		t.Fatalf("%q: got %q, %q, %q, want %q", data, got.AssumedRoleID, got.AssumedRoleARN, got.AccountID, want.Role)
	}
}

func writtenAndRead(t *testing.T, d Dir, e Entry) {
	t.Helper()
	if err := d.Write("x", e); err != nil {
		t.Fatal(err)
	}
	if again, err := d.Read("x"); err != nil || !reflect.DeepEqual(again, e) {
		t.Fatalf("got %v, %s, want %s", err, again.encode(), e.encode())
	}
	if g, err := d.glimpse("x"); err != nil || g != glimpseOf(e) {
		t.Fatalf("got %+v, %v, want %+v", g, err, glimpseOf(e))
	}
}

// What AWS may give is written as Python writes it, and read back by both.
func FuzzWrite(f *testing.F) {
	e := session()
	f.Add(e.AccessKeyID, e.SecretAccessKey, e.SessionToken, e.Expiration.UnixMicro(), e.AccountID, e.AssumedRoleID, e.AssumedRoleARN, int32(6), e.RequestID)
	f.Add("A", "s\"\\/", "\x00\x7f\u2028", int64(1), "", "", "", int32(-1), "")
	f.Add("\U0001f600", "\uffff", "é<&>", int64(253402300799999999), "123456789012", "AROA:x", "arn:aws:sts::123456789012:assumed-role/A/x", int32(1<<30), "\n")
	python := pythonReads(f, readByPython)
	d := Dir(f.TempDir())
	f.Fuzz(func(t *testing.T, id, secret, token string, end int64, account, roleID, arn string, packed int32, request string) {
		e := Entry{AccessKeyID: id, SecretAccessKey: secret, SessionToken: token, Expiration: time.UnixMicro(end).UTC(), AccountID: account,
			AssumedRoleID: roleID, AssumedRoleARN: arn, RequestID: request}
		if packed >= 0 {
			e.PackedPolicySize = &packed
		}
		if e.AccountID == "" {
			e.AccountID = accountOf(arn)
		}
		all := strings.Join([]string{id, secret, token, account, roleID, arn, request}, " ")
		if id == "" || secret == "" || token == "" || end < 0 || e.Expiration.Year() > 9999 || !utf8.ValidString(all) || strings.ContainsRune(all, utf8.RuneError) {
			t.Skip("nothing that AWS could give")
		}
		writtenAndRead(t, d, e)
		if want, known := python(t, e.encode()); known {
			if want.Broken != "" || !want.Again {
				t.Fatalf("Python does not write %s: %s", e.encode(), want.Broken)
			}
			samePython(t, e.encode(), e, want)
		}
	})
}

// tokenByPython reads the token of a sign-in as botocore does (SSOTokenLoader).
const tokenByPython = `
import base64, calendar, json
from dateutil.parser import parse
def no(constant):
    raise ValueError(constant)
def answer(question):
    try:
        token = json.loads(base64.b64decode(question or "").decode("utf-8"), parse_constant=no)
        access, end = token["accessToken"], token["expiresAt"]
        if not isinstance(access, str) or not isinstance(end, str) or not access.encode("utf-8") or chr(0xfffd) in access:
            return {"broken": "no text"}
        return {"keys": ["", "", access, end], "seconds": calendar.timegm(parse(end).utctimetuple())}
    except Exception as e:
        return {"broken": "%s: %s" % (type(e).__name__, e)}
`

// The token of a sign-in to Identity Center is the one that the AWS CLI finds.
func FuzzSSO(f *testing.F) {
	for _, raw := range []string{ // by AWS CLI v2 2.36.7
		`{"startUrl": "https://d-1234567890.awsapps.com/start", "region": "us-east-1", "accessToken": "ACCESSTOKEN", "expiresAt": "2026-11-21T07:36:57Z", "clientId": "CLIENTID", "clientSecret": "CLIENTSECRET", "registrationExpiresAt": "2027-01-26T21:46:40Z", "refreshToken": "REFRESHTOKEN"}`,
		`{"clientId": "CLIENTID", "clientSecret": "CLIENTSECRET", "expiresAt": "2027-01-26T21:46:40Z", "scopes": ["sso:account:access"], "grantTypes": ["authorization_code", "refresh_token"]}`,
		`{"accessToken": "\ud800", "expiresAt": "2026-11-21T07:36:57UTC"}`, `{"AccessToken": "t", "ExpiresAt": "2026-11-21T07:36:57Z"}`, `{"accessToken": "t", "expiresAt": "2026-11-21T07:36:57Z", "startUrl": 7}`, "[]", "",
	} {
		f.Add([]byte(raw))
	}
	python := pythonReads(f, tokenByPython)
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := parseToken(data)
		switch want, known := python(t, data); {
		case !known:
		case err == nil && want.Broken != "":
			t.Fatalf("%q is read, but Python says %s", data, want.Broken)
		case err == nil && (got.AccessToken != want.Keys[2] || got.ExpiresAt.Unix() != want.Seconds):
			t.Fatalf("%q: got %q until %v, want %+v", data, got.AccessToken, got.ExpiresAt, want)
		case err != nil && want.Broken == "" && usual.MatchString(want.Keys[3]) && want.Seconds > 0:
			t.Fatalf("%q: got %v, but Python reads it", data, err)
		}
	})
}
