package session

import (
	"context"
	"errors"
	"time"

	"aws-mfa/shared/cache"
	"aws-mfa/shared/mfa"
)

// A device is what happens to the codes of one MFA device in a sign-in.
type device struct {
	serial string
	memory cache.Memory
	teller Teller
	offers []cache.Offer // in this sign-in
	deaf   bool          // what is remembered is out of reach: told
}

// claim makes the code used before AWS is asked: whoever dies in between has
// used it up.
func (d *device) claim(ctx context.Context, code string) error {
	now := time.Now()
	if err := usedIn(d.offers, code, now); err != nil {
		return err
	}
	var broken *cache.BrokenError
	_, unknown := d.memory.Device(d.serial)
	offer := cache.Offer{Code: code, At: now}
	err := d.change(ctx, func(known *cache.Device) error {
		if err := usedIn(known.Offered, code, now); err != nil {
			return err
		}
		known.Offered = append(known.Offered, offer)
		return nil
	})
	if err == nil && errors.As(unknown, &broken) {
		d.teller.Warn("what was remembered of the MFA device was damaged, and is begun anew: %v", broken)
	}
	if !errors.As(err, new(*mfa.UsedError)) {
		d.offers = append(d.offers, offer)
	}
	return err
}

// withdraw makes a code that AWS did not look at as good as before.
func (d *device) withdraw(ctx context.Context, code mfa.Code) {
	d.offers = without(d.offers, code.Digits)
	_ = d.change(ctx, func(known *cache.Device) error {
		known.Offered = without(known.Offered, code.Digits)
		return nil
	})
}

func usedIn(offers []cache.Offer, code string, now time.Time) error {
	// Not by age: the clock may have been set in between. The same digits come
	// back by chance once in a hundred thousand times, and cost a wait.
	for _, o := range offers {
		if o.Code == code {
			return &mfa.UsedError{Ago: now.Sub(o.At)}
		}
	}
	return nil
}

// learn remembers what AWS's answer tells of the code, and adds to a refusal
// what is known of where the code came from.
func (d *device) learn(ctx context.Context, code mfa.Code, err error) {
	var refused *RefusedError
	switch {
	case err == nil && code.From == mfa.FromSeed:
		_ = d.change(ctx, func(known *cache.Device) error { known.Proven = true; return nil })
	case errors.As(err, &refused):
		known, unknown := d.memory.Device(d.serial)
		refused.Source, refused.Proven = code.From, known.Proven || unknown != nil
	}
	if unseen(err) {
		d.withdraw(ctx, code)
	}
}

// unseen tells whether AWS never came to look at the code, which is as good as
// before then.
func unseen(err error) bool {
	var network *NetworkError
	if errors.As(err, &network) {
		return !network.MaybeDone
	}
	var refused *RefusedError
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.Reason {
	case ClockOff, UnknownKey, WrongSecret, ExpiredSession, RegionDisabled:
		return true
	case Unavailable: // out of order is not the same as too busy to begin
		return refused.Busy
	}
	return false
}

func without(offers []cache.Offer, code string) (rest []cache.Offer) {
	for _, o := range offers {
		if o.Code != code {
			rest = append(rest, o)
		}
	}
	return rest
}

// change changes what is remembered of the device. It may fail for reasons of
// the disk: that is told, once.
func (d *device) change(ctx context.Context, change func(*cache.Device) error) error {
	err := d.memory.ChangeDevice(ctx, d.serial, change)
	if err != nil && !errors.As(err, new(*mfa.UsedError)) && ctx.Err() == nil && !d.deaf {
		d.deaf = true
		d.teller.Warn("which MFA codes were used cannot be remembered: %v", err)
	}
	return err
}
