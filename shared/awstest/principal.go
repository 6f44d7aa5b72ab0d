package awstest

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// User is an IAM user with one long-term access key and one MFA device.
type User struct {
	ARN, AccessKeyID, SecretAccessKey string
	Device                            *Device
}

// Role is an IAM role that can be assumed.
type Role struct {
	ARN                string
	Trusts             []string      // ARNs of users, of roles, or of an account's root: all of that account
	RequireMFA         bool          // the trust is on condition of aws:MultiFactorAuthPresent
	ExternalID         string        // the trust is on condition of this sts:ExternalId
	MaxSessionDuration time.Duration // 1 h if zero
}

type role struct {
	Role
	id string // AROA…
}

// key is an access key that AWS issued, and the identity it gives.
type key struct {
	id, secret, token string
	identity          arn
	arn, userID       string // as GetCallerIdentity tells them
	user              *User  // nil in a role's session
	roleARN           string // "" unless a role's session
	mfa               bool   // the session was opened with a code
	chained           bool   // the role's session was opened by a session
	expires           time.Time
}

func (k *key) session() bool { return k.token != "" }

// AddUser creates a user, such as arn:aws:iam::123456789012:user/jane, with an
// access key and a virtual MFA device named like the user. It panics when arn
// is not a user's.
func (a *AWS) AddUser(arn string) *User {
	identity, ok := parseARN(arn)
	if !ok || identity.kind != "user" {
		panic(fmt.Sprintf("awstest: %q is not the ARN of a user", arn))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	u := &User{ARN: arn, Device: newDevice(identity, arn)}
	k := a.issue(key{identity: identity, arn: arn, userID: uniqueID("AIDA"), user: u})
	u.AccessKeyID, u.SecretAccessKey = k.id, k.secret
	a.devices[u.Device.SerialNumber] = u.Device
	a.keep(u.Device.Seed)
	return u
}

// AddRole creates a role, or changes the one with the same ARN. It panics
// when the ARN is not a role's.
func (a *AWS) AddRole(r Role) {
	if identity, ok := parseARN(r.ARN); !ok || identity.kind != "role" {
		panic(fmt.Sprintf("awstest: %q is not the ARN of a role", r.ARN))
	}
	if r.MaxSessionDuration == 0 {
		r.MaxSessionDuration = time.Hour
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.roles[r.ARN] = role{r, uniqueID("AROA")}
}

// addServiceRole creates a role whose sessions a service of AWS hands out,
// unless it is there: nobody else need be trusted to assume it.
func (a *AWS) addServiceRole(arn string) {
	a.mu.Lock()
	_, exists := a.roles[arn]
	a.mu.Unlock()
	if !exists {
		a.AddRole(Role{ARN: arn})
	}
}

// admits evaluates the trust policy: who asks, with MFA or not, and for whom.
func (r role) admits(k *key, mfa bool, externalID string) bool {
	if r.RequireMFA && !mfa || r.ExternalID != "" && r.ExternalID != externalID {
		return false
	}
	root := fmt.Sprintf("arn:%s:iam::%s:root", k.identity.partition, k.identity.account)
	return slices.ContainsFunc(r.Trusts, func(t string) bool {
		return t == root || k.user != nil && t == k.user.ARN || k.roleARN != "" && t == k.roleARN
	})
}

// open issues a session of the role under that name.
func (a *AWS) open(r role, name string, duration time.Duration, chained bool) *key {
	identity, _ := parseARN(r.ARN)
	return a.issue(key{
		identity: identity,
		arn:      fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/%s", identity.partition, identity.account, identity.name, name),
		userID:   r.id + ":" + name,
		roleARN:  r.ARN,
		chained:  chained,
		expires:  a.Now().Add(duration),
	})
}

// issue completes k by an id and secrets, a token too if it expires.
func (a *AWS) issue(k key) *key {
	prefix := "AKIA"
	k.secret = secretKey()
	if !k.expires.IsZero() {
		prefix, k.token = "ASIA", sessionToken()
		a.keep(k.token)
	}
	k.id = accessKeyID(prefix, k.identity.account)
	a.keep(k.secret)
	a.keys[k.id] = &k
	return &k
}

// arn is an IAM ARN, arn:PARTITION:iam::ACCOUNT:KIND/path/NAME.
type arn struct{ partition, account, kind, name string }

func parseARN(s string) (arn, bool) {
	f := strings.SplitN(s, ":", 6)
	if len(f) != 6 || f[0] != "arn" || f[2] != "iam" || f[3] != "" {
		return arn{}, false
	}
	kind, path, _ := strings.Cut(f[5], "/")
	name := path[strings.LastIndexByte(path, '/')+1:]
	_, err := strconv.ParseUint(f[4], 10, 40)
	return arn{f[1], f[4], kind, name}, err == nil && len(f[4]) == 12 && name != ""
}

// accessKeyID makes an id of 20 characters that says whose it is, as AWS's
// do: what follows the prefix is base32, and bits 46 to 7 of its first six
// bytes are the account number. Bit 47 is set in all ids of this kind; the
// older ones, which begin with I or J there, tell no account.
func accessKeyID(prefix, account string) string {
	number, err := strconv.ParseUint(account, 10, 40)
	if err != nil {
		panic(err) // parseARN let it through
	}
	b := random(10)
	n := 1<<47 | number<<7 | uint64(b[5]&0x7f)
	for i := range 6 {
		b[i] = byte(n >> (40 - 8*i))
	}
	return prefix + base32.StdEncoding.EncodeToString(b)
}

// uniqueID makes the id of a user (AIDA) or a role (AROA): 21 characters.
func uniqueID(prefix string) string {
	return prefix + base32.StdEncoding.EncodeToString(random(15))[:17]
}

// secretKey makes 40 characters of base64.
func secretKey() string { return base64.StdEncoding.EncodeToString(random(30)) }

// sessionToken makes 400 characters of base64, all of its special ones (+/=)
// among them, so that nobody gets away with forgetting to escape.
func sessionToken() string {
	for {
		token := base64.StdEncoding.EncodeToString(random(298))
		if strings.Contains(token, "+") && strings.Contains(token, "/") {
			return token
		}
	}
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}
