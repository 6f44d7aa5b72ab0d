package profile

import (
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
)

// An ARN is an Amazon Resource Name of IAM or STS, taken apart:
// arn:Partition:Service:Region:Account:Resource. Source:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
type ARN struct {
	Partition, Service, Account, Resource string
}

// ParseARN takes an ARN of IAM or STS apart; ok is false for anything else.
func ParseARN(s string) (a ARN, ok bool) {
	parts := strings.SplitN(s, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[3] != "" {
		return ARN{}, false
	}
	a = ARN{Partition: parts[1], Service: parts[2], Account: parts[4], Resource: parts[5]}
	return a, strings.HasPrefix(a.Partition, "aws") && isAccount(a.Account) && plain(s) && len(s) <= maxARN
}

// How long an ARN may be, and the serial number of an MFA device, in characters.
// Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const maxARN, maxSerial = 2048, 256

func isAccount(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) == 12
}

// plain tells whether s has only characters that STS takes in ARNs and serial
// numbers: [\w+=/:,.@-].
func plain(s string) bool {
	for i := range len(s) {
		if !plainSTS[s[i]] {
			return false
		}
	}
	return s != ""
}

// plainSTS are those characters.
var plainSTS = func() (is [256]bool) {
	for c := range byte(len(is) - 1) {
		is[c] = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("_+=/:,.@-", c) >= 0
	}
	return is
}()

// checkRoleARN says what is wrong with a role_arn, before AWS is asked.
func checkRoleARN(s string) error {
	if a, ok := ParseARN(s); !ok || a.Service != "iam" || !strings.HasPrefix(a.Resource, "role/") {
		return fmt.Errorf("%s is not the ARN of a role (arn:aws:iam::ACCOUNT:role/NAME)%s", quote(s), notTheCLIs(s))
	}
	return nil
}

// notTheCLIs tells of what other tools strip from a value and the AWS CLI does not.
func notTheCLIs(s string) string {
	switch {
	case strings.Contains(s, " #"), strings.Contains(s, " ;"), strings.Contains(s, "\t#"):
		return "; the AWS CLI takes a comment behind a value for a part of it"
	case strings.HasPrefix(s, `"`), strings.HasPrefix(s, "'"):
		return "; the AWS CLI takes quotes for a part of the value"
	}
	return ""
}

// checkSerial says why an mfa_serial cannot work with a role and a key, before
// AWS is asked (and a code spent). Serial numbers of hardware tokens are no
// ARNs and can't be told. keyAccount may be "", for not known.
func checkSerial(serial, roleARN, keyAccount string) error {
	if !strings.HasPrefix(serial, "arn:") {
		if len(serial) < 9 || len(serial) > maxSerial || !plain(serial) {
			return fmt.Errorf("%s is not the serial number of an MFA device%s", quote(serial), notTheCLIs(serial))
		}
		return nil
	}
	a, ok := ParseARN(serial)
	kind, name, _ := strings.Cut(a.Resource, "/")
	switch role, _ := ParseARN(roleARN); {
	case !ok || a.Service != "iam" || len(serial) > maxSerial:
		return fmt.Errorf("%s is not the ARN of an MFA device (arn:aws:iam::ACCOUNT:mfa/NAME)%s", quote(serial), notTheCLIs(serial))
	case kind == "u2f":
		return fmt.Errorf("%s is a security key or passkey: AWS takes those in the console only, not for the API", serial)
	case kind == "user":
		return fmt.Errorf("%s is a user, not an MFA device (often arn:%s:iam::%s:mfa/%s)", serial, a.Partition, a.Account, name)
	case kind != "mfa" || name == "":
		return fmt.Errorf("%s is not the ARN of an MFA device (arn:%s:iam::%s:mfa/NAME)", serial, a.Partition, a.Account)
	case role.Partition != "" && a.Partition != role.Partition:
		return fmt.Errorf("%s is in partition %s, the role %s is in %s", serial, a.Partition, roleARN, role.Partition)
	case keyAccount != "" && a.Account != keyAccount:
		return fmt.Errorf("%s is in account %s, the access key that would use it belongs to account %s", serial, a.Account, keyAccount)
	}
	return nil
}

// accountOf is the account an access key belongs to, read off its id, or ""
// where it can't be. Ids given out since 2019 hold the account number in 40
// bits behind the prefix; those that go on with I or J are older and do not.
// AWS has an API for it (sts get-access-key-info) but documents no form:
// https://medium.com/@TalBeerySec/a-short-note-on-aws-key-id-f88cc4317489
func accountOf(accessKeyID string) string {
	if len(accessKeyID) != 20 || accessKeyID[4] < 'Q' || accessKeyID[4] > 'Z' {
		return ""
	}
	raw, err := base32.StdEncoding.DecodeString(accessKeyID[4:])
	if err != nil {
		return ""
	}
	number := binary.BigEndian.Uint64(append([]byte{0, 0}, raw[:6]...)) & 0x7fffffffff80 >> 7
	if number > 999999999999 {
		return ""
	}
	return fmt.Sprintf("%012d", number)
}

// quote shows a wrong value, shortened: it may be anything.
func quote(s string) string {
	const enough = 100
	if runes := []rune(s); len(runes) > enough {
		s = string(runes[:enough]) + "…"
	}
	return fmt.Sprintf("%q", s)
}
