package session

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"aws-mfa/shared/profile"
)

// A SourceError is keys that could not be had from where the profile says.
type SourceError struct {
	Setting profile.Setting
	Err     error
}

func (e *SourceError) Error() string {
	return fmt.Sprintf("%s (%s): %v", e.Setting.Name, e.Setting.From, e.Err)
}

func (e *SourceError) Unwrap() error { return e.Err }

const (
	processTimeout = time.Minute // as in the Go SDK
	maxOutput      = 1 << 20     // octets, as in the JavaScript SDK
	lingering      = 500 * time.Millisecond
)

// depthVariable tells a credential_process how many others it is run for: one
// that runs us again, by way of a shell, might never end. The AWS CLI has one for
// the same purpose, _AWS_CLI_PROFILE_CHAIN.
const (
	depthVariable = "_AWS_MFA_LOGIN_DEPTH"
	maxDepth      = 4
)

// run gets keys from a credential_process. It has our environment, input,
// standard error and terminal. What it prints is told to nobody. Source:
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
func run(ctx context.Context, command profile.Command, limit time.Duration) (profile.Keys, error) {
	setting := profile.Setting{Name: "credential_process", Value: command.Value}
	limited, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("did not finish within %s", profile.Short(limit)))
	defer cancel()
	depth, _ := strconv.Atoi(os.Getenv(depthVariable))
	if depth >= maxDepth {
		return profile.Keys{}, &SourceError{setting, fmt.Errorf("runs aws-mfa-login, which comes back here: %d deep", depth)}
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(limited, command.Words[0], command.Words[1:]...)
	cmd.Stdin, cmd.Stderr, cmd.WaitDelay = os.Stdin, os.Stderr, lingering
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", depthVariable, depth+1))
	printed := &limitedWriter{&out, maxOutput}
	cmd.Stdout = printed
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return profile.Keys{}, context.Cause(ctx)
	case limited.Err() != nil:
		err = context.Cause(limited)
	case printed.left < 0: // of which it has died
		err = errTooMuch
	case errors.Is(err, exec.ErrWaitDelay):
		err = nil
	}
	if err != nil {
		return profile.Keys{}, &SourceError{setting, fmt.Errorf("%s: %w", command.Words[0], innermost(err))}
	}
	keys, err := parseKeys(out.Bytes(), time.Now())
	if err != nil {
		return profile.Keys{}, &SourceError{setting, fmt.Errorf("%s: %w", command.Words[0], err)}
	}
	keys.From = command.From
	return keys, nil
}

// innermost is without the names that errors around it add.
func innermost(err error) error {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err
}

var errTooMuch = errors.New("printed far too much")

type limitedWriter struct {
	to   io.Writer
	left int
}

func (w *limitedWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, errTooMuch
	}
	return w.to.Write(p)
}

// parseKeys reads what a credential_process prints.
func parseKeys(text []byte, now time.Time) (profile.Keys, error) {
	var printed struct {
		Version                                   json.Number
		AccessKeyID                               string `json:"AccessKeyId"`
		SecretAccessKey, SessionToken, Expiration string
	}
	// Errors of encoding/json may quote what they stumble over.
	if !json.Valid(text) || json.Unmarshal(text, &printed) != nil {
		return profile.Keys{}, errors.New("printed no credentials in JSON")
	}
	switch {
	case printed.Version != "1":
		return profile.Keys{}, errors.New("printed no Version 1")
	case printed.AccessKeyID == "" || printed.SecretAccessKey == "":
		return profile.Keys{}, errors.New("printed no AccessKeyId or no SecretAccessKey")
	}
	if end, err := time.Parse(time.RFC3339, printed.Expiration); err == nil && !end.After(now) {
		return profile.Keys{}, errors.New("printed credentials that have expired")
	}
	return profile.Keys{AccessKeyID: printed.AccessKeyID, SecretAccessKey: printed.SecretAccessKey, SessionToken: printed.SessionToken}, nil
}

const maxToken = 64 << 10 // octets; STS takes 20,000

// readToken reads the token of a web identity.
func readToken(file profile.Value) (string, error) {
	setting := profile.Setting{Name: "web_identity_token_file", Value: file}
	text, err := readFile(file.Text, maxToken)
	switch token := strings.TrimSpace(string(text)); {
	case err != nil:
		return "", &SourceError{setting, err}
	case token == "":
		return "", &SourceError{setting, errors.New("holds no token")}
	default:
		return token, nil
	}
}
