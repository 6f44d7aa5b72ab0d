package mfa

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/zalando/go-keyring"
)

// Keyring keeps seeds in the system's own store: the Secret Service, the macOS
// Keychain, or the Windows Credential Manager. Its methods wait no longer than
// ctx, and then return its cause; other errors are ErrNoSeed and *KeyringError.
//
// Of the libraries for this, 99designs/keyring has seen no release since 2022
// and needs cgo for the Keychain.
type Keyring struct{}

// ErrNoSeed is a device whose seed is not kept.
var ErrNoSeed = errors.New("no seed is kept for this MFA device")

// A KeyringError is a keyring that is not there, or does not do its work.
type KeyringError struct{ Reason string }

func (e *KeyringError) Error() string { return "the system's keyring cannot be used: " + e.Reason }

// service is the name that the seeds are kept under, beside the serial number.
const service = "aws-mfa"

// keyringPatience leaves time to unlock the keyring where it asks for that. A
// service that hangs, or that cannot ask, would never answer.
const keyringPatience = 30 * time.Second

// Save keeps the seed in place of the one there is, and looks whether it is
// kept: not every store tells.
func (k Keyring) Save(ctx context.Context, serial string, s Seed) error {
	_, err := asked(ctx, func() (string, error) { return "", keyring.Set(service, serial, s.uri(serial)) })
	if err != nil {
		return err
	}
	if kept, err := k.Load(ctx, serial); err != nil || kept != s {
		return &KeyringError{"it did not keep the seed"}
	}
	return nil
}

// Load returns the seed of the device.
func (Keyring) Load(ctx context.Context, serial string) (Seed, error) {
	text, err := asked(ctx, func() (string, error) { return keyring.Get(service, serial) })
	if err != nil {
		return Seed{}, err
	}
	s, err := ParseSeed(text)
	if err != nil {
		return Seed{}, &KeyringError{fmt.Sprintf("what it keeps as %s for %s is not a seed", service, printable(serial))}
	}
	return s, nil
}

// Forget removes the seed of the device.
func (Keyring) Forget(ctx context.Context, serial string) error {
	_, err := asked(ctx, func() (string, error) { return "", keyring.Delete(service, serial) })
	return err
}

// asked asks the store, which nothing can call back.
func asked(ctx context.Context, ask func() (string, error)) (string, error) {
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if err := findBus(); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, keyringPatience, &KeyringError{"it does not answer"})
	defer cancel()
	type answer struct {
		text string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		text, err := ask()
		answers <- answer{text, err}
	}()
	select {
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case a := <-answers:
		return a.text, explain(a.err)
	}
}

// explain tells in plain words what the Secret Service means. The library keeps
// the names of D-Bus's errors to itself.
func explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, keyring.ErrNotFound):
		return ErrNoSeed
	case errors.Is(err, keyring.ErrUnsupportedPlatform):
		return &KeyringError{"this system has none that we know"}
	}
	text := err.Error()
	for _, known := range []struct{ text, reason string }{
		{"was not provided by any .service files", "no Secret Service (GNOME Keyring, KWallet, KeePassXC) runs in this session"},
		{"failed to unlock", "it is locked"},
		{"locked collection", "it is locked"},
		{"Object does not exist at path", "it has no default keyring"},
		{"No such object path", "it has no default keyring"},
	} {
		if strings.Contains(text, known.text) {
			return &KeyringError{known.reason}
		}
	}
	return &KeyringError{printable(text)}
}

// findBus looks for the user's D-Bus, where the store is reached by that.
// Without an address the D-Bus library would start a bus, and leave it behind.
func findBus() error {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return nil
	}
	const variable = "DBUS_SESSION_BUS_ADDRESS"
	if address := os.Getenv(variable); address != "" && !strings.HasPrefix(address, "autolaunch:") {
		return nil
	}
	for _, dir := range []string{os.Getenv("XDG_RUNTIME_DIR"), "/run/user/" + strconv.Itoa(os.Getuid())} {
		bus := filepath.Join(dir, "bus")
		if info, err := os.Stat(bus); filepath.IsAbs(dir) && err == nil && info.Mode()&os.ModeSocket != 0 {
			return os.Setenv(variable, "unix:path="+url.PathEscape(bus))
		}
	}
	return &KeyringError{"there is no D-Bus session, which desktops have and servers and ssh do not"}
}
