package session

import (
	"context"
	"fmt"
	"time"

	"aws-mfa/shared/cache"
	"aws-mfa/shared/mfa"
	"aws-mfa/shared/profile"
)

// open calls AssumeRole, again with another code while AWS refuses the codes
// and there are others, and once more if the clock was the reason. No code is
// offered twice, unless AWS did not look at it.
func open(ctx context.Context, client *Client, role *profile.Role, o Options) (cache.Entry, error) {
	device := &device{serial: role.SerialNumber.Text, memory: o.Memory, teller: o.Teller}
	question := mfa.Question{Serial: device.serial, Now: o.Clock.Now, Claim: device.claim}
	if process := role.MFAProcess; process.Set {
		question.Command = mfa.Command{Words: process.Words, From: fmt.Sprintf("mfa_process (%s)", process.From)}
	}
	var code mfa.Code
	for repeated := false; ; {
		if role.SerialNumber.Set && code.Digits == "" {
			var err error
			if code, err = o.Codes.Next(ctx, question); err != nil {
				return cache.Entry{}, err
			}
		}
		ahead := o.Clock.Ahead()
		entry, err := client.assumeRole(ctx, role, code.Digits, o.Duration)
		off := (o.Clock.Ahead() - ahead).Abs()
		if refusedFor(err, ClockOff) && off > clockTolerance && !repeated {
			o.Teller.Trace("the clock was the reason: once more, on AWS's time")
			repeated = true
			if code.From == mfa.FromSeed {
				device.withdraw(ctx, code)
				code = mfa.Code{}
			}
			continue
		}
		if code.Digits == "" {
			return entry, err
		}
		device.learn(ctx, code, err)
		switch {
		case !refusedFor(err, WrongCode):
			return entry, err
		case code.From == mfa.FromUser:
			question.Refused = err
		case code.From == mfa.FromSeed && off > otherStep && !repeated:
			o.Teller.Trace("the clock was the reason: once more, with the code for AWS's time")
			repeated = true
		default:
			return entry, err
		}
		code = mfa.Code{}
	}
}

// otherStep is how far a clock must be off for the codes of the wrong time to
// be the reason: half a step, and AWS takes those of the steps beside it.
const otherStep = 15 * time.Second
