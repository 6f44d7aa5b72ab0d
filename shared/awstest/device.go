package awstest

import (
	"encoding/base32"
	"errors"
	"fmt"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
)

// period is how long AWS's devices show a code (RFC 6238, section 5.2).
const period = 30 * time.Second

// errCodesUsed: the codes of this step and the next one have been accepted.
var errCodesUsed = errors.New("the codes of this step and the next have been used")

// Device is a virtual MFA device.
type Device struct {
	SerialNumber string
	Seed         string // 64 characters of base32, as AWS issues them

	owner  string // ARN of the user
	period time.Duration
	used   map[int64]bool // steps whose code was accepted
}

func newDevice(user arn, owner string) *Device {
	return &Device{
		SerialNumber: fmt.Sprintf("arn:%s:iam::%s:mfa/%s", user.partition, user.account, user.name),
		Seed:         base32.StdEncoding.EncodeToString(random(40)),
		owner:        owner,
		period:       period,
		used:         map[int64]bool{},
	}
}

// Code is a code shown by the device with this serial that AWS would accept
// now: that of the current step of AWS's clock, or, if that has been used, of
// the next. When both have been used it is an error: Shift by 30 s.
func (a *AWS) Code(serial string) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	d := a.devices[serial]
	if d == nil {
		return "", fmt.Errorf("no MFA device %q", serial)
	}
	current := d.stepAt(a.Now())
	for _, n := range []int64{current, current + 1} {
		if !d.used[n] {
			return d.code(n)
		}
	}
	return "", errCodesUsed
}

// Hasten makes the device show a new code every period, for tests that use many.
// AWS takes codes for as long as before.
func (a *AWS) Hasten(serial string, period time.Duration) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	d := a.devices[serial]
	if d == nil {
		return fmt.Errorf("no MFA device %q", serial)
	}
	d.period = period
	return nil
}

// accept tells whether code is one of the device's at now, 30 s early or late
// at most, and not used before; it is used then.
func (d *Device) accept(code string, now time.Time) bool {
	current := d.stepAt(now)
	for near := range int64(period/d.period) + 1 {
		for _, n := range []int64{current - near, current + near} {
			right, err := d.code(n)
			if err == nil && code == right && !d.used[n] {
				d.used[n] = true
				return true
			}
		}
	}
	return false
}

// The reasons to refuse a code that was one of the device's.
const (
	CodeUsed = "used" // before
	CodeLate = "late" // by up to an hour
)

// refused tells why a code was not accepted, "" if it was never one.
func (d *Device) refused(code string, now time.Time) string {
	current, why := d.stepAt(now), ""
	for n := current - int64(time.Hour/d.period); n <= current+int64(period/d.period); n++ {
		switch right, err := d.code(n); {
		case err != nil || code != right:
		case d.used[n]:
			return CodeUsed
		default:
			why = CodeLate
		}
	}
	return why
}

func (d *Device) code(n int64) (string, error) {
	at := time.Unix(0, n*int64(d.period))
	return totp.GenerateCodeCustom(d.Seed, at, totp.ValidateOpts{Period: uint(d.period / time.Second), Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
}

func (d *Device) stepAt(t time.Time) int64 { return t.UnixNano() / int64(d.period) }
