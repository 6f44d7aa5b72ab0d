package prompt

import (
	"os"
	"strings"
	"time"

	"aws-mfa/shared/recall"
)

// A shell runs its prompt's commands before each line. So the line is made
// before the rest of aws-mfa-status is initialized, as package warm of
// aws-mfa-login does it, for a session that is good and found by the way that
// was remembered.
func init() {
	if text, profile, ok := asked(os.Args[1:]); ok && answers(text, profile, time.Now()) {
		os.Exit(0)
	}
}

// asked tells whether the arguments are those of a prompt for one profile:
// --offline --template TEXT [--] PROFILE.
func asked(args []string) (text, profile string, ok bool) {
	if len(args) < 4 || args[0] != "--offline" || args[1] != "--template" {
		return "", "", false
	}
	rest := args[3:]
	if rest[0] == "--" {
		rest = rest[1:]
	} else if strings.HasPrefix(rest[0], "-") {
		return "", "", false
	}
	if len(rest) != 1 {
		return "", "", false
	}
	return args[2], rest[0], !strings.HasPrefix(args[2], "-")
}

func answers(text, profile string, now time.Time) bool {
	s, ok := recall.Of(os.LookupEnv, profile)
	arn := strings.SplitN(s.AssumedRoleARN, ":", 6)
	identity, isRole := strings.CutPrefix(arn[len(arn)-1], "assumed-role/")
	if !ok || !isRole || len(arn) < 6 || s.Ahead != 0 {
		return false
	}
	segment := Segment{
		Profile: profile, State: "active", SignedIn: true, Account: s.AccountID, ARN: s.AssumedRoleARN, RoleARN: s.RoleARN,
		MFASerial: s.SerialNumber, Region: s.Region, Source: "aws-cli-cache", Current: profile == current(),
	}
	segment.Identify(identity)
	until := s.Expiration.UTC().Truncate(time.Second)
	segment.Last(until, int(until.Sub(now).Seconds()), now)
	var t Template
	return t.UnmarshalText([]byte(text)) == nil && t.Write(os.Stdout, segment) == nil
}

// current is the profile in force, as profile.Set.Current has it.
func current() string {
	for _, variable := range []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE"} {
		if name, set := os.LookupEnv(variable); set {
			return name
		}
	}
	return "default"
}
