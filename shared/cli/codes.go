package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"aws-mfa/shared/cache"
	"aws-mfa/shared/mfa"
)

// tries is how many codes may be typed in one sign-in.
const tries = 3

// Codes are made from the seed that is kept for the device, else printed by
// mfa_process, else typed by a person, if one may be asked.
func (f Flags) Codes(v *Voice) mfa.Codes {
	if f.NoInput {
		return f.UnaskedCodes(v)
	}
	return mfa.Kept(f.seeds(v), v.countdown, mfa.Printed(v.Turn, v.countdown, mfa.Typed(tries, v.Turn)))
}

// UnaskedCodes are those for which nobody has to be asked.
func (f Flags) UnaskedCodes(v *Voice) mfa.Codes {
	f.NoInput = true
	return mfa.Kept(f.seeds(v), v.countdown, mfa.Printed(nil, v.countdown, mfa.NoInput()))
}

// turnLimit is how long one that asks waits for another, which may be stopped.
const turnLimit = time.Minute

// Turn is the turn to ask at the terminal. Where there can be no lock, or where
// it does not become free, whoever asks is not kept from it.
func (v *Voice) Turn(ctx context.Context, terminal string) (done func(), err error) {
	limited, cancel := context.WithTimeout(ctx, turnLimit)
	defer cancel()
	done, err = Memory().Lock(limited, terminal, func() {
		v.Say("waiting for another process that asks at this terminal (for a minute; is it stopped? then: fg)")
	})
	if err != nil && ctx.Err() == nil {
		return func() {}, nil
	}
	return done, err
}

// InKeyring is what cache.Device.Seed says of a seed in the system's keyring;
// one in a file is found by the file.
const InKeyring = "keyring"

// seeds finds seeds where --save-seed keeps them. One that is out of reach, as
// the desktop's keyring is over ssh, stands in nobody's way.
func (f Flags) seeds(v *Voice) mfa.Keeper {
	return func(ctx context.Context, serial string) (mfa.Seed, error) {
		seed, err := f.seed(ctx, v, serial)
		switch {
		case err == nil, ctx.Err() != nil, errors.Is(err, mfa.ErrNoSeed), errors.Is(err, mfa.ErrEnded), errors.Is(err, mfa.ErrPassphrase), errors.Is(err, mfa.ErrNoPassphrase):
			return seed, err
		}
		v.Warn("the seed kept for %s is out of reach: %v", serial, err)
		return mfa.Seed{}, mfa.ErrNoSeed
	}
}

func (f Flags) seed(ctx context.Context, v *Voice, serial string) (mfa.Seed, error) {
	memory := Memory()
	sealed, err := memory.Sealed(serial)
	switch {
	case err == nil && f.NoInput:
		return mfa.Seed{}, &mfa.NoTerminalError{Serial: serial, Wanted: mfa.Passphrase, Reason: mfa.NoInputAsked}
	case err == nil:
		v.Trace("seed of %s: in %s", serial, memory.SealedPath(serial))
		return mfa.AskToUnseal(ctx, v.Turn, serial, sealed)
	case !errors.Is(err, fs.ErrNotExist):
		v.Warn("the file of the seed for %s cannot be used: %v", serial, err)
	}
	device, err := memory.Device(serial)
	if device.Seed != InKeyring && !errors.As(err, new(*cache.BrokenError)) {
		return mfa.Seed{}, mfa.ErrNoSeed
	}
	slow := time.AfterFunc(2*time.Second, func() { v.Say("waiting for the system's keyring: does it ask for its password?") })
	defer slow.Stop()
	seed, lost := mfa.Keyring{}.Load(ctx, serial)
	switch {
	case lost == nil:
		v.Trace("seed of %s: in the system's keyring", serial)
	case err != nil: // nobody knows whether there was one
		return mfa.Seed{}, mfa.ErrNoSeed
	}
	return seed, lost
}

// countdown tells how long it is until the next code: each second in the same
// line of a terminal, else once.
func (v *Voice) countdown(left time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if left == 0 || v.silent() {
		v.erase()
		return
	}
	text := fmt.Sprintf("waiting %ds for the next code", int((left+time.Second-1)/time.Second))
	if v.width() > 0 {
		v.live(text)
	} else if full := v.name + ": " + text; v.drawn == 0 {
		fmt.Fprintln(v.stderr, full)
		v.drawn = len(full)
	}
}

// Progress tells how far something has come, in one line of a terminal that the
// next speech takes the place of; elsewhere nothing.
func (v *Voice) Progress(format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.width() > 0 && !v.silent() {
		v.live(fmt.Sprintf(format, args...))
	}
}

// Erase takes a line of Progress away.
func (v *Voice) Erase() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.erase()
}

// live draws text, of one byte a cell, in the place of what was drawn before.
func (v *Voice) live(text string) {
	width := v.width()
	if v.erase(); len(v.name)+len(": ")+len(text)+len(echoed) < width {
		text = v.name + ": " + text
	}
	v.drawn = min(len(text), width-1) // a line that wraps could not be taken back
	fmt.Fprint(v.stderr, text[:v.drawn])
}

// echoed is what the terminal shows behind the live line when somebody has
// enough of it.
const echoed = "^C"

// erase takes the live line away.
func (v *Voice) erase() {
	if v.drawn == 0 {
		return
	}
	if width := v.width(); width > 0 {
		fmt.Fprintf(v.stderr, "\r%s\r", strings.Repeat(" ", min(v.drawn+len(echoed), width-1)))
	}
	v.drawn = 0
}

// width is how many characters fit into a line of the terminal that speech goes
// to, or 0 if it goes elsewhere.
func (v *Voice) width() int {
	f, ok := v.stderr.(*os.File)
	if !ok || !mfa.IsTerminal(f) {
		return 0
	}
	if width := mfa.Width(f); width > 0 {
		return width
	}
	return 80 // a terminal that does not tell
}

// IsTerminal tells whether a stream is a terminal.
func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && mfa.IsTerminal(f)
}
