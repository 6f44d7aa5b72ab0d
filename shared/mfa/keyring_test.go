package mfa

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zalando/go-keyring"
)

// reasonIs wants a *KeyringError for that reason.
func reasonIs(t *testing.T, err error, want string) {
	t.Helper()
	refused := new(KeyringError)
	if !errors.As(err, &refused) || refused.Reason != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestKeyringHas30SecondsToAnswer(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
	synctest.Test(t, func(t *testing.T) {
		never := make(chan bool)
		defer close(never)
		silent := func() (string, error) { <-never; return "", nil }
		begin := time.Now()
		_, err := askStore(t.Context(), jane, silent)
		reasonIs(t, err, "no answer in 30s: it may be waiting for its password, or be stuck")
		if got := time.Since(begin); got != 30*time.Second {
			t.Errorf("gave up after %v, want 30s", got)
		}

		interrupted := errors.New("interrupted")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(interrupted) })
		begin = time.Now()
		if _, err := askStore(ctx, jane, silent); err != interrupted || time.Since(begin) != time.Second {
			t.Errorf("got %v after %v, want %v after 1s", err, time.Since(begin), interrupted)
		}
		asked := false
		if _, err := askStore(ctx, jane, func() (string, error) { asked = true; return "", nil }); err != interrupted || asked {
			t.Errorf("after the end of ctx: got %v, asked %t, want %v", err, asked, interrupted)
		}
	})
}

func TestKeyringKeepsSeedsBySerialNumber(t *testing.T) {
	for _, serial := range []string{"", "GAHT1234", strings.Repeat("1", 257), jane + "\nhelp", jane + "'", jane + " ", jane + "é"} {
		_, err := Keyring{}.Load(t.Context(), serial)
		reasonIs(t, err, "it keeps seeds by serial number, and this is none: "+printable(serial))
	}
	for _, serial := range []string{jane, "GAHT12345678", "arn:aws-us-gov:iam::123456789012:mfa/a/b+=,.@-_c"} {
		if !serialNumber(serial) {
			t.Errorf("%s is refused", serial)
		}
	}
}

func TestNoSeedIsNotKept(t *testing.T) {
	if err := (Keyring{}).Save(t.Context(), jane, Seed{}); !errors.As(err, new(*SeedError)) {
		t.Errorf("got %v, want a SeedError", err)
	}
}

type exit int

func (e exit) Error() string { return "exit status" }
func (e exit) ExitCode() int { return int(e) }

// What macOS's security exits with is the low byte of an OSStatus in
// Security/SecBase.h, such as -25300 (errSecItemNotFound).
func TestKeychainIsExplainedByExitStatus(t *testing.T) {
	status := func(code int32) exit { return exit(uint8(code)) }
	for _, err := range []error{status(-25300), keyring.ErrNotFound} {
		if got := explain(err); got != ErrNoSeed {
			t.Errorf("got %v, want %v", got, ErrNoSeed)
		}
	}
	for _, code := range []int32{-25308, -25293, -128} {
		reasonIs(t, explain(status(code)), "it is locked, and was not unlocked")
	}
	reasonIs(t, explain(status(1)), "exit status")
}
