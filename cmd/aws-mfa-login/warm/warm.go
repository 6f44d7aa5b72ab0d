// Package warm answers those who are signed in before the rest of aws-mfa-login
// is initialized, which takes longer than all that is to be done for them. That
// counts where an SDK runs the program at each of its starts, by the command
// that --process-profile writes.
//
// Go initializes packages in the order of their import paths, each one after
// what it imports (https://go.dev/ref/spec#Program_initialization). This one
// imports little, so that its turn comes before the AWS SDK's. Whatever is not
// plain sailing it leaves to the program's main.
package warm

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"aws-mfa/shared/cache"
	"aws-mfa/shared/recall"
	"aws-mfa/shared/wording"
)

func init() {
	if answers(os.Args[1:], time.Now()) {
		os.Exit(0)
	}
}

// answers tells whether that was all: a line for somebody who is signed in, or
// the credentials for an SDK.
func answers(args []string, now time.Time) bool {
	var to *os.File
	var text string
	switch {
	case len(args) == 0 || strings.HasPrefix(args[0], "-"):
		return false
	case len(args) == 1:
		to, text = os.Stderr, line(args[0], now)
	case len(args) == 3 && args[1] == "--format" && args[2] == "process":
		to, text = os.Stdout, credentials(args[0])
	}
	if text == "" {
		return false
	}
	_, err := to.WriteString(text)
	return err == nil
}

// line is what aws-mfa-login says when nothing is to be done.
func line(profile string, now time.Time) string {
	s, ok := recall.Of(os.LookupEnv, profile)
	if !ok || !s.Silent || s.Ahead != 0 || s.AssumedRoleARN == "" {
		return ""
	}
	text := SignedIn(profile, "as "+s.AssumedRoleARN, s.Expiration, now)
	return "aws-mfa-login: " + wording.Brief(text) + "\n"
}

// SignedIn is what one is told who is signed in as somebody.
func SignedIn(profile, as string, until, now time.Time) string {
	return fmt.Sprintf("%s is signed in %s until %s (%s)", profile, as, wording.Clock(until, now), wording.Left(until.Sub(now)))
}

func credentials(profile string) string {
	s, ok := recall.Of(os.LookupEnv, profile)
	if !ok || strings.ContainsFunc(s.AccessKeyID+s.SecretAccessKey+s.SessionToken, unprintable) {
		return ""
	}
	text, _ := Process(s.Entry)
	return text
}

func unprintable(r rune) bool { return r < ' ' || r > '~' }

// Process is what a credential_process prints, on one line. Source:
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
func Process(c cache.Entry) (string, error) {
	var b strings.Builder
	to := json.NewEncoder(&b)
	to.SetEscapeHTML(false)
	err := to.Encode(struct {
		Version                                                int
		AccessKeyId, SecretAccessKey, SessionToken, Expiration string
	}{1, c.AccessKeyID, c.SecretAccessKey, c.SessionToken, c.Expiration.UTC().Format("2006-01-02T15:04:05Z")})
	return b.String(), err
}
