package session

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"aws-mfa/shared/awstest"
	"aws-mfa/shared/cache"
)

func TestHowASessionWasOpenedIsKnownAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		open func(w *world) string // makes the session there, and returns the profile's name
		want Origin
	}{
		{"with long-term keys", func(w *world) string { w.mustOpen("plain", Options{}); return "plain" }, Direct},
		{"with a code", func(w *world) string { w.mustOpen("power", Options{}); return "power" }, Direct},
		{"with long-term keys in the environment", func(w *world) string {
			w.env["AWS_ACCESS_KEY_ID"], w.env["AWS_SECRET_ACCESS_KEY"] = w.jane.AccessKeyID, w.jane.SecretAccessKey
			w.profile("env", "role_arn = "+plainARN, "credential_source = Environment")
			w.mustOpen("env", Options{})
			return "env"
		}, Direct},
		{"with the keys of a role", func(w *world) string {
			w.profile("spoke", "role_arn = "+plainARN, "source_profile = power", "external_id = spoke")
			w.mustOpen("spoke", Options{})
			return "spoke"
		}, Indirect},
		{"with a session in the environment", func(w *world) string {
			s := w.mustOpen("power", Options{})
			w.env["AWS_ACCESS_KEY_ID"], w.env["AWS_SECRET_ACCESS_KEY"], w.env["AWS_SESSION_TOKEN"] = s.AccessKeyID, s.SecretAccessKey, s.SessionToken
			w.profile("env", "role_arn = "+plainARN, "credential_source = Environment", "external_id = env")
			w.mustOpen("env", Options{})
			return "env"
		}, Indirect},
		{"from an MFA session", func(w *world) string { w.mustOpen("power", Options{MFASession: true}); return "power" }, Indirect},
		{"with a code, after AWS refused the MFA session", func(w *world) string {
			w.mfaProfile()
			w.mustOpen("jane", Options{})
			w.Shift(time.Minute)
			w.Fail(awstest.Fault{Kind: awstest.Answer, Status: 403, Action: "AssumeRole", Body: denied})
			w.mustOpen("power", Options{})
			return "power"
		}, Direct},
		{"with keys that a program printed", func(w *world) string {
			file := filepath.Join(w.home, "printed.json")
			text := fmt.Sprintf(`{"Version": 1, "AccessKeyId": %q, "SecretAccessKey": %q}`, w.jane.AccessKeyID, w.jane.SecretAccessKey)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				w.t.Fatal(err)
			}
			w.profile("src", "credential_process = "+prints+file)
			w.profile("printed", "role_arn = "+plainARN, "source_profile = src")
			w.mustOpen("printed", Options{})
			return "printed"
		}, Unknown},
		{"a user's, not a role's", func(w *world) string { w.mfaProfile(); w.mustOpen("jane", Options{}); return "jane" }, Unknown},
		{"by the AWS CLI", func(w *world) string { w.put("plain", time.Now().Add(time.Hour)); return "plain" }, Unknown},
		{"by the AWS CLI, after ours", func(w *world) string {
			w.mustOpen("plain", Options{})
			w.put("plain", time.Now().Add(time.Hour))
			return "plain"
		}, Unknown},
		{"directly, after one that was not", func(w *world) string {
			w.mustOpen("power", Options{MFASession: true})
			w.Shift(time.Minute)
			w.mustOpen("power", Options{Force: true, Given: true})
			return "power"
		}, Direct},
		{"and signed out, by the same key", func(w *world) string {
			s := w.mustOpen("plain", Options{})
			if err := w.store().Remove(w.role("plain")); err != nil {
				w.t.Fatal(err)
			}
			if err := w.dir().Write(w.store().Name(w.role("plain")), s.Entry); err != nil {
				w.t.Fatal(err)
			}
			return "plain"
		}, Unknown},
		{"and the record is garbage", func(w *world) string {
			w.mustOpen("plain", Options{})
			path := filepath.Join(string(w.memory()), w.store().Name(w.role("plain"))+".origin.json")
			if err := os.WriteFile(path, []byte("garbage"), 0o600); err != nil {
				w.t.Fatal(err)
			}
			return "plain"
		}, Unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			s := w.mustOpen(c.open(w), Options{Codes: &script{}})
			if s.Opened || s.Origin != c.want {
				t.Errorf("got origin %d (opened: %t), want %d", s.Origin, s.Opened, c.want)
			}
		})
	}
}

// The session is worth more than what is known of it.
func TestASessionIsOpenedThoughItsOriginCannotBeKept(t *testing.T) {
	t.Parallel()
	w := start(t)
	path := filepath.Join(string(w.memory()), w.store().Name(w.role("plain"))+".origin.json")
	if err := os.MkdirAll(filepath.Join(path, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if s := w.mustOpen("plain", Options{}); s.Origin != Direct {
		t.Errorf("opened now: got origin %d, want %d", s.Origin, Direct)
	}
	if s := w.mustOpen("plain", Options{}); s.Opened || s.Origin != Unknown {
		t.Errorf("found again: got origin %d (opened: %t), want %d", s.Origin, s.Opened, Unknown)
	}
}

func TestARoleOfAWebIdentityIsNotOpenedDirectly(t *testing.T) {
	t.Parallel()
	w := start(t)
	token := filepath.Join(w.home, "token")
	if err := os.WriteFile(token, []byte(w.AddWebIdentity("jane", w.Now().Add(time.Hour), plainARN)), 0o600); err != nil {
		t.Fatal(err)
	}
	w.profile("web", "role_arn = "+plainARN, "web_identity_token_file = "+token)
	for _, opened := range []bool{true, false} {
		if s := w.mustOpen("web", Options{}); s.Opened != opened || s.Origin != Indirect {
			t.Errorf("got origin %d (opened: %t), want %d (%t)", s.Origin, s.Opened, Indirect, opened)
		}
	}
}

// It is in the memory, whose files nobody else may read, without secrets.
func TestTheRecordOfAnOriginHasNoSecrets(t *testing.T) {
	t.Parallel()
	w := start(t)
	s := w.mustOpen("plain", Options{})
	name := w.store().Name(w.role("plain"))
	if got, want := w.memory().Origin(name), (cache.Origin{AccessKeyID: s.AccessKeyID, Direct: true}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	text, err := os.ReadFile(filepath.Join(string(w.memory()), name+".origin.json"))
	if err != nil {
		t.Fatal(err)
	}
	w.tell("%s", text)
}
