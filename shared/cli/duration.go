package cli

import (
	"fmt"
	"strconv"
	"time"

	"aws-mfa/shared/profile"
)

// A Duration is what --duration takes: Go's form (90m, 1h30m) or seconds,
// within the bounds of a role's session, which are also those of the console.
type Duration time.Duration

func (d *Duration) UnmarshalText(text []byte) error {
	s := string(text)
	if _, err := strconv.Atoi(s); err == nil {
		s += "s"
	}
	parsed, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf("%q is not a duration such as 90m, 12h or 3600", string(text))
	}
	*d = Duration(parsed)
	return profile.CheckDuration(parsed)
}
