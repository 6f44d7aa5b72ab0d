package mfa

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A desk is who claims codes: it knows which ones were used.
type desk struct {
	used    []string
	trouble error // that claiming meets
}

func (d *desk) question(refused error) Question {
	q := question(refused)
	q.Claim = func(_ context.Context, code string) error {
		if slices.Contains(d.used, code) {
			return &UsedError{}
		}
		if d.trouble == nil {
			d.used = append(d.used, code)
		}
		return d.trouble
	}
	return q
}

// keeper keeps a seed for jane's device only, and counts how often it is asked.
func keeper(t *testing.T, asked *int) Keeper {
	seed := parseOK(t, rfcSecret)
	return func(_ context.Context, serial string) (Seed, error) {
		*asked++
		if serial != jane {
			return Seed{}, ErrNoSeed
		}
		return seed, nil
	}
}

func TestKeptCodesAreOfferedOnceEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []time.Duration
		asked := 0
		d := &desk{}
		codes := Kept(keeper(t, &asked), func(left time.Duration) { told = append(told, left) }, NoInput())
		seed := parseOK(t, rfcSecret)
		time.Sleep(7 * time.Second)
		for i := range 3 {
			told = nil
			got, err := codes.Next(t.Context(), d.question(nil))
			if want := seed.Code(time.Now()); err != nil || got != (Code{want, FromSeed}) {
				t.Fatalf("code %d: got %v, %v, want %s", i, got, err, want)
			}
			switch {
			case i == 0 && told != nil:
				t.Errorf("waited for the first: %v", told)
			case i == 1 && (len(told) != 24 || told[0] != 23*time.Second || told[22] != time.Second || told[23] != 0):
				t.Errorf("told %v, want 23s to 1s, and 0", told)
			case i == 2 && len(told) != 31:
				t.Errorf("told %v, want 30s to 1s, and 0", told)
			}
		}
		if asked != 1 {
			t.Errorf("the seed was looked for %d times", asked)
		}
	})
}

func TestKeptCodesAreMadeForAWSsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, asked := &desk{}, 0
		codes := Kept(keeper(t, &asked), func(time.Duration) {}, NoInput())
		seed := parseOK(t, rfcSecret)
		const behind = 10*time.Minute + 12*time.Second
		q := d.question(nil)
		q.Now = func() time.Time { return time.Now().Add(behind) }
		begin := time.Now()
		for i, waited := range []time.Duration{0, 18 * time.Second} {
			got, err := codes.Next(t.Context(), q)
			if want := seed.Code(time.Now().Add(behind)); err != nil || got.Digits != want || time.Since(begin) != waited {
				t.Errorf("code %d: got %v, %v after %s, want %s after %s", i, got, err, time.Since(begin), want, waited)
			}
		}
	})
}

func TestCountingDownGivesWayToContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, asked := &desk{}, 0
		var last time.Duration = -1
		codes := Kept(keeper(t, &asked), func(left time.Duration) { last = left }, NoInput())
		interrupted := errors.New("interrupted")
		ctx, cancel := context.WithCancelCause(t.Context())
		if _, err := codes.Next(ctx, d.question(nil)); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		time.AfterFunc(1500*time.Millisecond, func() { cancel(interrupted) })
		if got, err := codes.Next(ctx, d.question(nil)); err != interrupted || last != 0 || time.Since(begin) != 1500*time.Millisecond {
			t.Errorf("got %v, %v after %s, last told %s", got, err, time.Since(begin), last)
		}
	})
}

// A code that cannot be known to be new is not made.
func TestWithoutASeedOrAMemoryCodesComeFromElsewhere(t *testing.T) {
	asked := 0
	for name, c := range map[string]struct {
		serial string
		desk   *desk
	}{
		"no seed":   {"arn:aws:iam::123456789012:mfa/john", &desk{}},
		"no memory": {jane, &desk{trouble: errors.New("disk full")}},
	} {
		given, err := Given("123456")
		if err != nil {
			t.Fatal(err)
		}
		codes := Kept(keeper(t, &asked), func(time.Duration) {}, given)
		q := c.desk.question(nil)
		q.Serial = c.serial
		if got, err := codes.Next(t.Context(), q); err != nil || got != (Code{Digits: "123456"}) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
		// Once refused, the other source is asked again: it may have more.
		q.Refused = errRefused
		if got, err := codes.Next(t.Context(), q); err != errRefused {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, errRefused)
		}
	}
}

func TestASeedThatCannotBeOpenedIsAnError(t *testing.T) {
	codes := Kept(func(context.Context, string) (Seed, error) { return Seed{}, ErrPassphrase }, func(time.Duration) {}, NoInput())
	if _, err := codes.Next(t.Context(), question(nil)); err != ErrPassphrase {
		t.Errorf("got %v, want %v", err, ErrPassphrase)
	}
}

func TestAUsedCodeIsToldWithoutAskingAWS(t *testing.T) {
	d := &desk{used: []string{"123456"}}
	given, err := Given("123456")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := given.Next(t.Context(), d.question(nil)); !errors.As(err, new(*UsedError)) {
		t.Errorf("got %v, %v", got, err)
	}
}
