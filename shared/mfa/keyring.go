package mfa

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/zalando/go-keyring"
)

// Keyring keeps seeds in the store that the system has for secrets: Secret
// Service (GNOME Keyring, KWallet, KeePassXC), macOS Keychain, or Windows
// Credential Manager. A seed is a password of service "aws-mfa" there; the user
// name is the serial number of the device.
//
// The store may ask its user for a password, in a window of its own. Each method
// waits for it for 30 seconds at most, and no longer than ctx, whose cause it
// then returns. All other errors are a *KeyringError if not told otherwise.
type Keyring struct{}

// KeyringError is a store that cannot be used, or holds something else.
type KeyringError struct {
	Reason string
	Err    error // what the store said, if it did
}

func (e *KeyringError) Error() string { return "system keyring: " + e.Reason }
func (e *KeyringError) Unwrap() error { return e.Err }

// ErrNoSeed is a store that keeps no seed for that serial number.
var ErrNoSeed = errors.New("no seed is kept for this MFA device")

const (
	service  = "aws-mfa"
	patience = 30 * time.Second
)

// Save keeps the seed, in place of the one before.
func (Keyring) Save(ctx context.Context, serial string, s Seed) error {
	if s.kept == nil {
		return &SeedError{"empty"}
	}
	uri := s.uri(serial)
	_, err := askStore(ctx, serial, func() (string, error) {
		if err := keyring.Set(service, serial, uri); err != nil {
			return "", err
		}
		// Set does not hear of a refusal at a prompt of the Secret Service.
		kept, err := keyring.Get(service, serial)
		if err != nil || kept != uri {
			return "", &KeyringError{"it did not keep the seed", err}
		}
		return "", nil
	})
	return err
}

// Load returns the seed that is kept, or ErrNoSeed.
func (Keyring) Load(ctx context.Context, serial string) (Seed, error) {
	kept, err := askStore(ctx, serial, func() (string, error) { return keyring.Get(service, serial) })
	if err != nil {
		return Seed{}, err
	}
	s, err := ParseSeed(kept)
	if err != nil {
		return Seed{}, &KeyringError{"what it keeps for " + serial + " is " + err.Error(), err}
	}
	return s, nil
}

// Forget removes the seed. Where none is kept, it returns ErrNoSeed.
func (Keyring) Forget(ctx context.Context, serial string) error {
	_, err := askStore(ctx, serial, func() (string, error) { return "", keyring.Delete(service, serial) })
	return err
}

// askStore asks the store in a goroutine, which nothing can call back: a store that
// is stopped, or prompts, answers whenever it likes.
func askStore(ctx context.Context, serial string, question func() (string, error)) (string, error) {
	if !serialNumber(serial) {
		return "", &KeyringError{Reason: "it keeps seeds by serial number, and this is none: " + printable(serial)}
	}
	if reason := findBus(); reason != "" {
		return "", &KeyringError{Reason: reason}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, &KeyringError{Reason: "no answer in " + patience.String() + ": it may be waiting for its password, or be stuck"})
	defer cancel()
	kept, err := await(ctx, question)
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	return kept, explain(err)
}

// serialNumber keeps to what AWS allows in one (SerialNumber in the STS API
// Reference). On macOS a line break in it would be the next command to security.
func serialNumber(s string) bool {
	strange := func(c rune) bool {
		return !strings.ContainsRune("+=/:,.@-_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", c)
	}
	return len(s) >= 9 && len(s) <= 256 && !strings.ContainsFunc(s, strange)
}

// findBus returns why there is no D-Bus session where the Secret Service would
// be. Without an address, the library looks for one where only systemd has it, and
// then starts a bus of its own (dbus-launch), which stays behind at each call.
func findBus() string {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return ""
	}
	const variable = "DBUS_SESSION_BUS_ADDRESS"
	if address := os.Getenv(variable); address != "" {
		for one := range strings.SplitSeq(address, ";") {
			// Not autolaunch:, which starts a bus, nor tcp:, which shows secrets to others.
			if !strings.HasPrefix(one, "unix:") {
				return variable + " is not the address of a local bus (unix:)"
			}
		}
		return ""
	}
	directory := os.Getenv("XDG_RUNTIME_DIR")
	if directory == "" {
		directory = "/run/user/" + strconv.Itoa(os.Getuid())
	}
	bus := filepath.Join(directory, "bus")
	if info, err := os.Stat(bus); err != nil || info.Mode().Type() != os.ModeSocket {
		return "there is no D-Bus session here (" + variable + ") to find one in"
	}
	os.Setenv(variable, "unix:path="+url.PathEscape(bus)) // the library takes no argument
	return ""
}

// explain says in plain words what the libraries say in theirs, for which they
// have no types.
func explain(err error) error {
	if err == nil {
		return nil
	}
	var (
		known  *KeyringError
		exited interface{ ExitCode() int } // of macOS's security: the low byte of an OSStatus
		text   = err.Error()
		status int
	)
	if errors.As(err, &exited) {
		status = exited.ExitCode()
	}
	says := func(part string) bool { return strings.Contains(text, part) }
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, keyring.ErrNotFound), status == 44: // errSecItemNotFound
		return ErrNoSeed
	case says("failed to unlock correct collection") && says("/aliases/default"):
		// The default is not "login": KWallet's, KeePassXC's, or none yet.
		return &KeyringError{"it is locked, or has no default collection to keep seeds in", err}
	case says("failed to unlock correct collection"), status == 36, status == 51, status == 128:
		// errSecInteractionNotAllowed, errSecAuthFailed, userCanceledErr
		return &KeyringError{"it is locked, and was not unlocked", err}
	case says("was not provided by any .service files"), says("The name is not activatable"):
		// dbus-daemon, dbus-broker
		return &KeyringError{"no program offers one in this D-Bus session (org.freedesktop.secrets)", err}
	case says("dial unix"), says("write unix"), says("dbus: auth"):
		return &KeyringError{"the D-Bus session does not answer", err}
	default:
		return &KeyringError{printable(text), err}
	}
}
