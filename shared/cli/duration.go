package cli

import (
	"fmt"
	"strconv"
	"time"

	"aws-mfa/shared/profile"
)

// A Duration is what --duration takes, within the bounds of a role's session,
// which are also those of the console.
type Duration time.Duration

func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := ParseDuration(string(text))
	if err != nil {
		return err
	}
	*d = Duration(parsed)
	return profile.CheckDuration(parsed)
}

// ParseDuration reads a duration in Go's form (90m, 1h30m) or in seconds.
func ParseDuration(s string) (time.Duration, error) {
	text := s
	if _, err := strconv.Atoi(s); err == nil {
		text += "s"
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration such as 90m, 12h or 3600", s)
	}
	return d, nil
}
