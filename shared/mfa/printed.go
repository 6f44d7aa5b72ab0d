package mfa

import (
	"context"
	"time"
)

// Printed is codes that the question's command prints; without a command, they
// come from otherwise. In its turn the command has the terminal; without a turn (nil),
// it may not ask there.
//
// A code that was used already is followed by what the command prints in the
// next step of 30 s, when that has come, unless it is the same one.
func Printed(turn Turn, countdown Countdown, otherwise Codes) Codes {
	return &printed{turn, countdown, otherwise}
}

// step is how long a code is shown where nothing else is said (RFC 6238,
// section 5.2), as by all devices of AWS.
const step = 30 * time.Second

type printed struct {
	turn      Turn
	countdown Countdown
	otherwise Codes
}

func (p *printed) Next(ctx context.Context, q Question) (Code, error) {
	if q.Refused != nil || len(q.Command.Words) == 0 {
		return p.otherwise.Next(ctx, q)
	}
	for last := ""; ; {
		code, err := q.Command.run(ctx, p.turn)
		if err != nil {
			return Code{}, err
		}
		used := q.claim(ctx, code)
		switch {
		case used == nil:
			return Code{code, FromProgram}, nil
		case code == last:
			return Code{}, used
		}
		last = code
		// The command goes by this computer's clock.
		now := time.Now()
		if err := count(ctx, now.Truncate(step).Add(step).Sub(now), p.countdown); err != nil {
			return Code{}, err
		}
	}
}
