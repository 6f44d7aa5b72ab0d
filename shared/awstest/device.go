package awstest

import (
	"encoding/base32"
	"errors"
	"fmt"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
)

// step is how long a code is shown (RFC 6238, section 5.2).
const step = 30 * time.Second

// errCodesUsed: the codes of this step and the next one have been accepted.
var errCodesUsed = errors.New("the codes of this step and the next have been used")

// Device is a virtual MFA device.
type Device struct {
	SerialNumber string
	Seed         string // 64 characters of base32, as AWS issues them

	owner string         // ARN of the user
	used  map[int64]bool // steps whose code was accepted
}

func newDevice(user arn, owner string) *Device {
	return &Device{
		SerialNumber: fmt.Sprintf("arn:%s:iam::%s:mfa/%s", user.partition, user.account, user.name),
		Seed:         base32.StdEncoding.EncodeToString(random(40)),
		owner:        owner,
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
	current := stepAt(a.Now())
	for _, n := range []int64{current, current + 1} {
		if !d.used[n] {
			return totp.GenerateCode(d.Seed, timeOf(n))
		}
	}
	return "", errCodesUsed
}

// accept tells whether code is one of the device's at now, one step early or
// late at most, and not used before; it is used then.
func (d *Device) accept(code string, now time.Time) bool {
	exact := totp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}
	current := stepAt(now)
	for _, n := range []int64{current, current - 1, current + 1} {
		right, _ := totp.ValidateCustom(code, d.Seed, timeOf(n), exact)
		if right && !d.used[n] {
			d.used[n] = true
			return true
		}
	}
	return false
}

func stepAt(t time.Time) int64 { return t.Unix() / int64(step/time.Second) }
func timeOf(n int64) time.Time { return time.Unix(n*int64(step/time.Second), 0) }
