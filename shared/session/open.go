package session

import (
	"context"
	"fmt"
	"time"

	"aws-mfa/shared/cache"
	"aws-mfa/shared/mfa"
	"aws-mfa/shared/profile"
)

// chained is how long a role's session lasts at most that is opened with the
// keys of a session. Source:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
const chained = time.Hour

// open opens a new session, and tells how. Where AWS does not take the session
// any more that it is opened from, that is opened anew, once.
func (o Options) open(ctx context.Context, login *profile.Login, from opener) (e cache.Entry, how Origin, err error) {
	if from.login == nil {
		if from.keys, err = o.keys(ctx, login); err != nil {
			return cache.Entry{}, Unknown, err
		}
	}
	e, err = o.openWith(ctx, login, from)
	switch {
	case from.login == nil || !from.found:
		return e, from.origin(login), err
	case refusedFor(err, ExpiredSession), refusedFor(err, UnknownKey):
		o.Teller.Trace("the session of %s is over for AWS: once more, with a new one", from.login.Profile)
		from, err = o.through(ctx, from.login, true)
	case refusedFor(err, NotAllowed) && from.hasMFA() && login.SerialNumber.Set && login.Source.MFA != nil:
		o.Teller.Say("AWS does not let %s be assumed from the MFA session, so it needs a code of its own", login.Profile)
		from, err = opener{keys: login.Source.Keys}, nil
	default:
		return e, from.origin(login), err
	}
	if err != nil {
		return cache.Entry{}, Unknown, err
	}
	e, err = o.openWith(ctx, login, from)
	return e, from.origin(login), err
}

// openWith opens the session with those keys, for as long as it should last.
func (o Options) openWith(ctx context.Context, login *profile.Login, from opener) (cache.Entry, error) {
	client, err := NewClient(login.Network, site(login), o.Clock, o.Teller.Trace)
	if err != nil {
		return cache.Entry{}, err
	}
	asked := o.Duration
	if login.Seconds != "" && asked == 0 {
		asked = login.Lasts(0)
	}
	try := func(d time.Duration) (cache.Entry, error) {
		return o.present(ctx, login, from, client.keepReady, func(code string) (cache.Entry, error) {
			return client.open(ctx, login, from.keys, code, d)
		})
	}
	switch isChained := login.IsRole() && from.keys.Temporary(); {
	case isChained && (o.Longest || asked > chained):
		o.Teller.Warn("%s: opened with the keys of a session, a role's session lasts 1 hour at most", login.Profile)
		return try(chained)
	case o.Longest && login.IsRole():
		return longest(o.Teller, login.Profile, try)
	case o.Longest:
		return try(profile.MaxMFADuration)
	}
	return try(asked)
}

// site is an ARN in the partition that the login is of.
func site(l *profile.Login) string {
	if l.IsRole() {
		return l.RoleARN.Text
	}
	return l.SerialNumber.Text
}

// present calls open with an MFA code where one is needed, again with another
// while AWS refuses the codes and there are others, and once more if the clock
// was the reason. No code is offered twice, unless AWS did not look at it. While
// a code is looked for, meanwhile goes on.
func (o Options) present(ctx context.Context, login *profile.Login, from opener, meanwhile func(context.Context), open func(code string) (cache.Entry, error)) (cache.Entry, error) {
	device := &device{serial: login.SerialNumber.Text, memory: o.Memory, teller: o.Teller}
	question := mfa.Question{Serial: device.serial, Now: o.Clock.Now, Claim: device.claim}
	if process := login.MFAProcess; process.Set {
		question.Command = mfa.Command{Words: process.Words, From: fmt.Sprintf("mfa_process (%s)", process.From)}
	}
	var code mfa.Code
	for repeated := false; ; {
		if login.SerialNumber.Set && !from.hasMFA() && code.Digits == "" {
			looking, found := context.WithCancel(ctx)
			go meanwhile(looking)
			var err error
			code, err = o.Codes.Next(ctx, question)
			found()
			if err != nil {
				return cache.Entry{}, err
			}
		}
		ahead := o.Clock.Ahead()
		entry, err := open(code.Digits)
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

// longest opens the longest session that AWS grants, in whole hours. Only AWS
// knows the role's maximum and each question may use up a code, so that the
// maxima that people set are told apart first: 1, 2, 4, 8 and 12 hours, which
// are those of the web console. Every role allows 1 hour.
func longest(teller Teller, name string, try func(time.Duration) (cache.Entry, error)) (best cache.Entry, err error) {
	least, most, found := 1, 12, false
	for least < most || !found {
		hours := nextHours(least, most)
		entry, err := try(time.Duration(hours) * time.Hour)
		switch {
		case err == nil:
			best, least, found = entry, hours, true
			if least < most {
				teller.Say("%s: %dh is granted, looking for more", name, hours)
			}
		case refusedFor(err, DurationTooLong) && hours > 1:
			teller.Say("%s: %dh is more than AWS grants", name, hours)
			most = hours - 1
		case found:
			teller.Warn("%s: there may be more than %dh to be had: %v", name, least, err)
			return best, nil
		default:
			return cache.Entry{}, err
		}
	}
	return best, nil
}

// nextHours is the question that tells most about a maximum from least to most.
func nextHours(least, most int) int {
	for _, hours := range []int{12, 2, 5, 9, 8, 4} {
		if least < hours && hours <= most {
			return hours
		}
	}
	return (least + most + 1) / 2
}
