package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-mfa/shared/cache"
)

var end = time.Date(2026, 11, 21, 7, 41, 8, 0, time.UTC)

// example is a session as AWS makes them: base64, with its padding.
var example = cache.Entry{
	AccessKeyID:     "ASIAIOSFODNN7EXAMPLE",
	SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
	SessionToken:    "IQoJb3JpZ2luX2VjEHoaCWV1LXdlc3QtMSJGMEQCIB//aB+c==",
	Expiration:      end,
}

// hostile has all that is special somewhere, but for what cmd cannot quote.
var hostile = cache.Entry{
	AccessKeyID:     `-A' B\`,
	SecretAccessKey: "$(id)`id`$HOME\\'",
	SessionToken:    `~root:=ls &|<>^(){};#*[a]`,
	Expiration:      end,
}

// As exportcreds.py of AWS CLI v2 prints them since 2.33.8 (and as the one here does,
// see TestTheFormsAreThoseOfTheAWSCLI), but for process and nushell.
func TestOrdinaryCredentialsArePrintedAsTheAWSCLIDoes(t *testing.T) {
	t.Parallel()
	for form, want := range map[string]string{
		"process": `{"Version":1,"AccessKeyId":"ASIAIOSFODNN7EXAMPLE","SecretAccessKey":"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY","SessionToken":"IQoJb3JpZ2luX2VjEHoaCWV1LXdlc3QtMSJGMEQCIB//aB+c==","Expiration":"2026-11-21T07:41:08Z"}
`,
		"env": `export AWS_ACCESS_KEY_ID=ASIAIOSFODNN7EXAMPLE
export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
export AWS_SESSION_TOKEN=IQoJb3JpZ2luX2VjEHoaCWV1LXdlc3QtMSJGMEQCIB//aB+c==
export AWS_CREDENTIAL_EXPIRATION=2026-11-21T07:41:08+00:00
`,
		"env-no-export": `AWS_ACCESS_KEY_ID=ASIAIOSFODNN7EXAMPLE
AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
AWS_SESSION_TOKEN=IQoJb3JpZ2luX2VjEHoaCWV1LXdlc3QtMSJGMEQCIB//aB+c==
AWS_CREDENTIAL_EXPIRATION=2026-11-21T07:41:08+00:00
`,
		"fish": `set -gx AWS_ACCESS_KEY_ID "ASIAIOSFODNN7EXAMPLE"
set -gx AWS_SECRET_ACCESS_KEY "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
set -gx AWS_SESSION_TOKEN "IQoJb3JpZ2luX2VjEHoaCWV1LXdlc3QtMSJGMEQCIB//aB+c=="
set -gx AWS_CREDENTIAL_EXPIRATION "2026-11-21T07:41:08+00:00"
`,
		"powershell": `$Env:AWS_ACCESS_KEY_ID="ASIAIOSFODNN7EXAMPLE"
$Env:AWS_SECRET_ACCESS_KEY="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
$Env:AWS_SESSION_TOKEN="IQoJb3JpZ2luX2VjEHoaCWV1LXdlc3QtMSJGMEQCIB//aB+c=="
$Env:AWS_CREDENTIAL_EXPIRATION="2026-11-21T07:41:08+00:00"
`,
		"windows-cmd": `set AWS_ACCESS_KEY_ID=ASIAIOSFODNN7EXAMPLE
set AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
set AWS_SESSION_TOKEN=IQoJb3JpZ2luX2VjEHoaCWV1LXdlc3QtMSJGMEQCIB//aB+c==
set AWS_CREDENTIAL_EXPIRATION=2026-11-21T07:41:08+00:00
`,
		"nushell": `{"AWS_ACCESS_KEY_ID": "ASIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "AWS_SESSION_TOKEN": "IQoJb3JpZ2luX2VjEHoaCWV1LXdlc3QtMSJGMEQCIB//aB+c==", "AWS_CREDENTIAL_EXPIRATION": "2026-11-21T07:41:08+00:00"}
`,
	} {
		wantPrinted(t, form, example, want)
	}
}

// The rules of PowerShell and cmd are not tried on the real ones: see forms.
func TestOtherCredentialsAreQuoted(t *testing.T) {
	t.Parallel()
	for form, want := range map[string]string{
		"process": "{\"Version\":1,\"AccessKeyId\":\"-A' B\\\\\",\"SecretAccessKey\":\"$(id)`id`$HOME\\\\'\",\"SessionToken\":\"~root:=ls &|<>^(){};#*[a]\",\"Expiration\":\"2026-11-21T07:41:08Z\"}\n",
		"env": `export AWS_ACCESS_KEY_ID='-A'\'' B\'
export AWS_SECRET_ACCESS_KEY='$(id)` + "`id`" + `$HOME\'\'''
export AWS_SESSION_TOKEN='~root:=ls &|<>^(){};#*[a]'
export AWS_CREDENTIAL_EXPIRATION=2026-11-21T07:41:08+00:00
`,
		"env-no-export": `AWS_ACCESS_KEY_ID='-A'\'' B\'
AWS_SECRET_ACCESS_KEY='$(id)` + "`id`" + `$HOME\'\'''
AWS_SESSION_TOKEN='~root:=ls &|<>^(){};#*[a]'
AWS_CREDENTIAL_EXPIRATION=2026-11-21T07:41:08+00:00
`,
		"fish": `set -gx AWS_ACCESS_KEY_ID '-A\' B\\'
set -gx AWS_SECRET_ACCESS_KEY '$(id)` + "`id`" + `$HOME\\\''
set -gx AWS_SESSION_TOKEN '~root:=ls &|<>^(){};#*[a]'
set -gx AWS_CREDENTIAL_EXPIRATION "2026-11-21T07:41:08+00:00"
`,
		"powershell": `$Env:AWS_ACCESS_KEY_ID='-A'' B\'
$Env:AWS_SECRET_ACCESS_KEY='$(id)` + "`id`" + `$HOME\'''
$Env:AWS_SESSION_TOKEN='~root:=ls &|<>^(){};#*[a]'
$Env:AWS_CREDENTIAL_EXPIRATION="2026-11-21T07:41:08+00:00"
`,
		"windows-cmd": `set "AWS_ACCESS_KEY_ID=-A' B\"
set "AWS_SECRET_ACCESS_KEY=$(id)` + "`id`" + `$HOME\'"
set "AWS_SESSION_TOKEN=~root:=ls &|<>^(){};#*[a]"
set AWS_CREDENTIAL_EXPIRATION=2026-11-21T07:41:08+00:00
`,
		"nushell": `{"AWS_ACCESS_KEY_ID": "-A' B\\", "AWS_SECRET_ACCESS_KEY": "$(id)` + "`id`" + `$HOME\\'", "AWS_SESSION_TOKEN": "~root:=ls &|<>^(){};#*[a]", "AWS_CREDENTIAL_EXPIRATION": "2026-11-21T07:41:08+00:00"}
`,
	} {
		wantPrinted(t, form, hostile, want)
	}
}

func wantPrinted(t *testing.T, form string, c cache.Entry, want string) {
	t.Helper()
	if got, err := printed(form, c); err != nil || got != want {
		t.Errorf("%s: got %v\n%s\nwant\n%s", form, err, got, want)
	}
}

func TestAnUnknownFormIsRefused(t *testing.T) {
	t.Parallel()
	if got, err := printed("csh", example); err == nil || got != "" || err.Error() != `there is no format "csh"` {
		t.Errorf("got %q, %v", got, err)
	}
}

// Values that a shell might take for more than text.
func TestOnlyWhatNoShellInterpretsIsOrdinary(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"a", "A/b+c==", "a:b", "-a", "+", "/etc", "a.b_c", "2026-11-21T07:41:08.000001+00:00"} {
		if !ordinary(value) {
			t.Errorf("%q: got quotes", value)
		}
	}
	for _, value := range []string{"", "=", "=ls", "a=ls", "a=:b", "a:=", "a:=ls", "~", "~root", "a:~root", "a b", "a\tb", "a\n", "a\x00", "é"} {
		if ordinary(value) {
			t.Errorf("%q: got no quotes", value)
		}
	}
	for _, c := range "!\"#$%&'()*,;<>?@[\\]^`{|}~" {
		for _, value := range []string{string(c), string(c) + "a", "a" + string(c), "a" + string(c) + "a"} {
			if ordinary(value) {
				t.Errorf("%q: got no quotes", value)
			}
		}
	}
}

func TestWhatIsNotPrintableASCIIIsRefusedInEveryForm(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"\n", "\r", "\t", "\x00", "\x1b", "\x7f", "\u0085", "é", "‘", "’", "‚", "‛", "“", "”", "„", "\u00a0", "\u2028", "\xff"} {
		for form := range forms {
			for name, c := range spoiled("s3cr3t" + bad) {
				wantRefused(t, form, c, name+" has a character that is not printable ASCII")
			}
		}
	}
}

func TestWhatCmdCannotQuoteIsRefused(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{`"`, "%PATH%", "!PATH!", "/?"} {
		for name, c := range spoiled("s3cr3t" + bad) {
			wantRefused(t, "windows-cmd", c, name+` has one of the characters "%!?, which cannot be quoted in this format`)
			for form := range forms {
				if _, err := printed(form, c); err != nil && form != "windows-cmd" {
					t.Errorf("%s: %q: got %v", form, bad, err)
				}
			}
		}
	}
}

// spoiled is the example with a value in the place of each of its own.
func spoiled(value string) map[string]cache.Entry {
	a, b, c := example, example, example
	a.AccessKeyID, b.SecretAccessKey, c.SessionToken = value, value, value
	return map[string]cache.Entry{"AWS_ACCESS_KEY_ID": a, "AWS_SECRET_ACCESS_KEY": b, "AWS_SESSION_TOKEN": c}
}

// wantRefused wants exactly that error, in which no value can be.
func wantRefused(t *testing.T, form string, c cache.Entry, want string) {
	t.Helper()
	got, err := printed(form, c)
	if err == nil || err.Error() != want || got != "" {
		t.Errorf("%s: got %q, %v, want %s", form, got, err, want)
	}
}

// As Python 3 prints datetime(…, tzinfo=timezone.utc).isoformat().
func TestTheExpirationIsWrittenAsPythonDoes(t *testing.T) {
	t.Parallel()
	for want, at := range map[string]time.Time{
		"2026-11-21T07:41:08+00:00":        end,
		"2026-11-21T07:41:08.123456+00:00": end.Add(123456789 * time.Nanosecond),
		"2026-11-21T07:41:08.500000+00:00": end.Add(time.Second / 2),
		"2026-11-21T07:41:08.000001+00:00": end.Add(time.Microsecond),
		"2026-11-21T05:41:08+00:00":        time.Date(2026, 11, 21, 7, 41, 8, 999, time.FixedZone("", 2*60*60)),
		"0001-02-03T04:05:06+00:00":        time.Date(1, 2, 3, 4, 5, 6, 0, time.UTC),
	} {
		if got := isoFormat(at); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// What a credential_process prints, as the SDKs read it.
func TestProcessIsOneLineOfJSON(t *testing.T) {
	t.Parallel()
	c := hostile
	c.SessionToken = `"<&>\u0041` + "`" + `!%`
	c.Expiration = end.Add(999 * time.Millisecond)
	text, err := printed("process", c)
	if err != nil || strings.Index(text, "\n") != len(text)-1 {
		t.Fatalf("got %q, %v", text, err)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{"Version": 1.0, "AccessKeyId": c.AccessKeyID, "SecretAccessKey": c.SecretAccessKey, "SessionToken": c.SessionToken, "Expiration": "2026-11-21T07:41:08Z"} {
		if got[key] != want {
			t.Errorf("%s: got %v, want %v", key, got[key], want)
		}
	}
	if len(got) != 5 {
		t.Errorf("got %d keys", len(got))
	}
}

// Nushell takes JSON for nuon, but for escapes by number (\u).
func TestNushellIsOneLineOfJSONWithoutNumberedEscapes(t *testing.T) {
	t.Parallel()
	c := hostile
	c.SessionToken = `"<&>\` + "`" + `!%$(id)`
	text, err := printed("nushell", c)
	if err != nil || strings.Index(text, "\n") != len(text)-1 || strings.Contains(text, `\u`) {
		t.Fatalf("got %q, %v", text, err)
	}
	var got map[string]string
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	var values []string
	for _, v := range variables(c) {
		values = append(values, got[v.name])
	}
	if want := []string{c.AccessKeyID, c.SecretAccessKey, c.SessionToken, "2026-11-21T07:41:08+00:00"}; !slices.Equal(values, want) || len(got) != 4 {
		t.Errorf("got %q, want %q", values, want)
	}
}
