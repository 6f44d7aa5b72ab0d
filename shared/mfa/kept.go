package mfa

import (
	"context"
	"errors"
	"io"
	"time"
)

// A Keeper finds the seed that is kept for an MFA device. The error is ErrNoSeed
// where none is.
type Keeper func(ctx context.Context, serial string) (Seed, error)

// Countdown is told, each second, how long it is until the next code; at the
// end 0.
type Countdown func(left time.Duration)

// Kept is codes made from kept seeds, on AWS's time. A code that was used
// already is followed by the next one, when its time has come. For a device
// without a seed, or where it cannot be known which codes were used, codes come
// from otherwise.
func Kept(keeper Keeper, countdown Countdown, otherwise Codes) Codes {
	return &kept{keeper, countdown, otherwise, map[string]Seed{}}
}

type kept struct {
	keeper    Keeper
	countdown Countdown
	otherwise Codes
	open      map[string]Seed // by serial number: opening one may take a passphrase
}

func (k *kept) Next(ctx context.Context, q Question) (Code, error) {
	if q.Refused != nil {
		return k.otherwise.Next(ctx, q)
	}
	seed, err := k.seed(ctx, q.Serial)
	if errors.Is(err, ErrNoSeed) {
		return k.otherwise.Next(ctx, q)
	}
	if err != nil {
		return Code{}, err
	}
	for {
		now := q.Now()
		code := seed.Code(now)
		switch err := q.Claim(ctx, code); {
		case err == nil:
			return Code{code, FromSeed}, nil
		case ctx.Err() != nil:
			return Code{}, context.Cause(ctx)
		case !errors.As(err, new(*UsedError)):
			return k.otherwise.Next(ctx, q)
		}
		if err := count(ctx, seed.Next(now).Sub(now), k.countdown); err != nil {
			return Code{}, err
		}
	}
}

func (k *kept) seed(ctx context.Context, serial string) (Seed, error) {
	seed, ok := k.open[serial]
	if ok {
		return seed, nil
	}
	seed, err := k.keeper(ctx, serial)
	if err == nil {
		k.open[serial] = seed
	}
	return seed, err
}

// count lets time pass and tells of each second.
func count(ctx context.Context, left time.Duration, tell Countdown) error {
	defer tell(0)
	end := time.Now().Add(left)
	for {
		left = time.Until(end)
		if left <= 0 {
			return nil
		}
		tell(left)
		// To the next whole second, so that each is told once.
		timer := time.NewTimer((left-1)%time.Second + 1)
		select {
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		case <-timer.C:
		}
	}
}

// askTries is how often a seed or a passphrase may be typed.
const askTries = 3

// AskSeed asks for the seed of a device at the terminal, hidden. The error is a
// *SeedError after three that are none.
func AskSeed(ctx context.Context, turn Turn, serial string) (seed Seed, err error) {
	tries := askTries
	err = ask(ctx, turn, serial, WholeSeed, "", func(text string) (string, error) {
		var problem error
		if seed, problem = ParseSeed(text); problem == nil {
			return "", nil
		}
		if tries--; tries > 0 {
			return problem.Error() + "\n", nil
		}
		return "", problem
	})
	return seed, err
}

// ReadSeed reads all of r as a seed. A read that is blocked when ctx ends is
// left behind.
func ReadSeed(ctx context.Context, r io.Reader) (Seed, error) {
	text, err := await(ctx, func() ([]byte, error) { return io.ReadAll(io.LimitReader(r, longestText+1)) })
	if err != nil {
		return Seed{}, err
	}
	return ParseSeed(withoutMark(string(text)))
}

// AskNewPassphrase asks for a passphrase at the terminal, twice.
func AskNewPassphrase(ctx context.Context, turn Turn, serial string) (string, error) {
	for note := ""; ; note = "the two were not the same\n" {
		first, err := askPassphrase(ctx, turn, serial, NewPassphrase, note)
		if err != nil {
			return "", err
		}
		second, err := askPassphrase(ctx, turn, serial, SamePassphrase, "")
		if err != nil || first == second {
			return first, err
		}
	}
}

func askPassphrase(ctx context.Context, turn Turn, serial string, wanted Wanted, note string) (passphrase string, err error) {
	err = ask(ctx, turn, serial, wanted, note, func(text string) (string, error) {
		passphrase = text
		if text == "" {
			return "a passphrase is not empty\n", nil
		}
		return "", nil
	})
	return passphrase, err
}

// AskToUnseal asks for the passphrase of a sealed seed at the terminal. The
// error is ErrPassphrase after three wrong ones.
func AskToUnseal(ctx context.Context, turn Turn, serial string, sealed []byte) (seed Seed, err error) {
	tries := askTries
	err = ask(ctx, turn, serial, Passphrase, "", func(text string) (string, error) {
		var problem error
		seed, problem = Unseal(sealed, text)
		wrong := errors.Is(problem, ErrPassphrase) || errors.Is(problem, ErrNoPassphrase)
		if tries--; wrong && tries > 0 {
			return "this is not the passphrase\n", nil
		}
		return "", problem
	})
	return seed, err
}
