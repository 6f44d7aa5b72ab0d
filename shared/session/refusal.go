package session

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"aws-mfa/shared/mfa"
	"aws-mfa/shared/profile"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// A Reason is what a refusal of AWS means.
type Reason int

const (
	Other           Reason = iota // none of the below: Code and Message say what AWS said
	WrongCode                     // the code is wrong, or was used already
	WrongSerial                   // not a device of this user that works for the API
	NotAllowed                    // the role's trust or the user's policy says no, or wants MFA
	DurationTooLong               // above the role's MaxSessionDuration
	ChainTooLong                  // above one hour, from keys that are a session themselves
	UnknownKey                    // the access key does not exist (any more), or not in this partition
	WrongSecret                   // the secret key does not fit the access key
	ClockOff                      // this computer's clock is too far from AWS's
	ExpiredSession                // of the keys that made the request
	RegionDisabled                // STS is switched off there
	Unavailable                   // AWS is throttling or out of order, repeatedly
)

// A RefusedError is a request to which AWS said no.
type RefusedError struct {
	Reason    Reason
	Operation string // of STS
	Code      string // AWS's error code
	Message   string // AWS's words, made safe to print, without what was sent in confidence
	Busy      bool   // of Unavailable: there were too many requests to look at this one

	Login    *profile.Login // what was to be opened; nil for other requests
	Keys     profile.Keys
	Network  profile.Network
	Region   string
	Duration time.Duration // that was asked for; 0: none was
	Offset   time.Duration // how much this computer's clock is ahead of AWS's; 0 if not by more than a few seconds

	// About the code that was refused:
	Source mfa.Source
	Proven bool // codes made from that seed have worked, for all that is known
}

func (e *RefusedError) Error() string {
	role := ""
	if e.Login != nil {
		role = e.Login.RoleARN.Text
	}
	switch e.Reason {
	case WrongCode:
		return "AWS refused the MFA code: it is wrong, or was used already"
	case WrongSerial:
		return fmt.Sprintf("AWS cannot use the MFA device %s for this user", e.Login.SerialNumber.Text)
	case NotAllowed:
		return "AWS does not allow it: " + e.Message
	case DurationTooLong:
		return fmt.Sprintf("the role %s does not allow sessions of %s", role, profile.Short(e.Duration))
	case ChainTooLong:
		return fmt.Sprintf("the keys for the role %s are those of a session, so its own session lasts at most 1 hour, not %s", role, profile.Short(e.Duration))
	case UnknownKey:
		return fmt.Sprintf("AWS does not know the access key of %s", e.Keys.From)
	case WrongSecret:
		return fmt.Sprintf("the secret access key does not belong to the access key id of %s", e.Keys.From)
	case ClockOff:
		if e.Offset == 0 {
			return "this computer's clock is too far from AWS's"
		}
		return Off(e.Offset)
	case ExpiredSession:
		return fmt.Sprintf("the session of %s has expired, says AWS", e.Keys.From)
	case RegionDisabled:
		return fmt.Sprintf("STS is not activated in region %s for this account", e.Region)
	case Unavailable:
		return fmt.Sprintf("AWS cannot answer now (%s)", e.Code)
	}
	return fmt.Sprintf("AWS refused %s: %s: %s", e.Operation, e.Code, e.Message)
}

// A NetworkError is a request without an answer that could be read.
type NetworkError struct {
	Operation string
	Host      string        // that was called, "" where it did not come to that
	Endpoint  profile.Value // the setting that names the host, if one does
	MaybeDone bool          // the request was sent, so AWS may have done it and spent the code
	UsedCode  bool
	Err       error
}

func (e *NetworkError) Error() string {
	switch {
	case e.Untrusted():
		return fmt.Sprintf("%s cannot be trusted: %s", e.Host, e.cause())
	case e.MaybeDone && e.UsedCode:
		return fmt.Sprintf("no usable answer from %s: %s; AWS may have used up the MFA code", e.Host, e.cause())
	case e.MaybeDone:
		return fmt.Sprintf("no usable answer from %s: %s", e.Host, e.cause())
	case e.Host == "":
		return fmt.Sprintf("%s could not be sent: %s", e.Operation, e.cause())
	}
	return fmt.Sprintf("no connection to %s: %s", e.Host, e.cause())
}

// Untrusted tells whether the host's certificate was the reason.
func (e *NetworkError) Untrusted() bool {
	var invalid *tls.CertificateVerificationError
	return errors.As(e.Err, &invalid)
}

// Proxy tells whether a proxy was the reason.
func (e *NetworkError) Proxy() bool {
	var op *net.OpError
	return errors.As(e.Err, &op) && op.Op == "proxyconnect"
}

func (e *NetworkError) Unwrap() error { return e.Err }

// cause is the innermost fact, without the layers of the SDK, and without a
// URL, which could hold secrets.
func (e *NetworkError) cause() string {
	var timeout net.Error
	if errors.Is(e.Err, context.DeadlineExceeded) || errors.As(e.Err, &timeout) && timeout.Timeout() {
		return "timed out"
	}
	err := e.Err
	var inURL *url.Error
	if errors.As(err, &inURL) {
		err = inURL.Err
	}
	var op *net.OpError
	switch {
	case errors.As(err, &op) && e.Proxy():
		return "the proxy: " + plainly(op.Err)
	case op != nil:
		err = op.Err
	}
	return plainly(err)
}

// plainly is what an error says, in words that are not for programmers.
func plainly(err error) string {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the answer broke off"
	case errors.Is(err, io.EOF):
		return "the connection was closed"
	}
	return safe(err.Error())
}

// A call is a request under way: what its errors will have to tell.
type call struct {
	operation string
	login     *profile.Login
	keys      profile.Keys
	network   profile.Network
	region    string
	duration  time.Duration // 0: none is asked for
	code      string        // "" without an MFA device
	token     string        // of a web identity

	// Of the last attempt:
	host  string
	sent  bool
	ahead time.Duration // this computer's clock, of AWS's
}

// explain turns the SDK's error into a *RefusedError or *NetworkError.
func (c *call) explain(err error) error {
	var api smithy.APIError
	var answer *smithyhttp.ResponseError
	if !errors.As(err, &answer) || answer.HTTPStatusCode() == 0 {
		return c.unanswered(err)
	}
	status := answer.HTTPStatusCode()
	known := errors.As(err, &api) && api.ErrorCode() != "UnknownError" // the SDK's own
	switch {
	case !known && c.code != "" && (status == http.StatusBadGateway || status == http.StatusGatewayTimeout):
		return c.unanswered(fmt.Errorf("HTTP status %d of a gateway", status))
	case !known && (status >= http.StatusInternalServerError || status == http.StatusTooManyRequests):
		refused := c.refused(Unavailable, fmt.Sprintf("HTTP status %d", status), "")
		refused.Busy = isBusy("", status)
		return refused
	case !known && (timedOut(err) || errors.As(err, new(*net.OpError)) || errors.Is(err, io.ErrUnexpectedEOF)):
		return c.unanswered(err)
	case !known:
		return c.unanswered(fmt.Errorf("the answer is not one of %s (HTTP status %d)", c.service(), status))
	}
	reason := classify(api.ErrorCode(), api.ErrorMessage(), status)
	if c.login == nil && (reason == WrongCode || reason == WrongSerial || reason == DurationTooLong || reason == ChainTooLong) {
		reason = Other
	}
	message := api.ErrorMessage()
	if reason == WrongSecret {
		message = "" // may repeat the request with its session token
	}
	refused := c.refused(reason, api.ErrorCode(), message)
	refused.Busy = isBusy(api.ErrorCode(), status)
	return refused
}

// isBusy tells of a request too many, which was not looked at.
func isBusy(code string, status int) bool {
	_, known := retry.DefaultThrottleErrorCodes[code]
	return known || status == http.StatusTooManyRequests
}

func (c *call) service() string {
	if c.operation == getRoleCredentials {
		return "IAM Identity Center"
	}
	return "STS"
}

// words are the SDK's own about an answer, for those who want to know why it
// is none; "" where there was none. They may quote what they stumbled over, so
// what is as long as a secret is left out.
func (c *call) words(err error) string {
	var answer *smithyhttp.ResponseError
	if !errors.As(err, &answer) || answer.HTTPStatusCode() == 0 || answer.Err == nil {
		return ""
	}
	return safe(masked(c.redact(answer.Err.Error())))
}

// masked is s without what may be a key or a token, in base64 or as a list of
// octets.
func masked(s string) string {
	const short = 32 // characters, which a secret key and a token have more of
	var b strings.Builder
	for _, of := range []string{" 0123456789", "+/=ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"} {
		b.Reset()
		for s != "" {
			run := len(s) - len(strings.TrimLeft(s, of))
			if run >= short {
				b.WriteString("…")
			} else {
				b.WriteString(s[:run])
			}
			s = s[run:]
			next := strings.IndexAny(s, of)
			if next < 0 {
				next = len(s)
			}
			b.WriteString(s[:next])
			s = s[next:]
		}
		s = b.String()
	}
	return s
}

// refusedFor tells whether err is AWS's no for that reason.
func refusedFor(err error, reason Reason) bool {
	var refused *RefusedError
	return errors.As(err, &refused) && refused.Reason == reason
}

func timedOut(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func (c *call) refused(reason Reason, code, message string) *RefusedError {
	return &RefusedError{Reason: reason, Operation: c.operation, Code: safe(c.redact(code)), Message: safe(c.redact(message)), Login: c.login, Keys: c.keys, Network: c.network, Region: c.region, Duration: c.duration, Offset: c.ahead}
}

// seconds is the duration as STS takes it: in range, since that was checked.
func (c *call) seconds() *int32 {
	if c.duration == 0 {
		return nil
	}
	return aws.Int32(int32(c.duration / time.Second))
}

// redact takes out of AWS's words what we sent in confidence.
func (c *call) redact(s string) string {
	for _, secret := range []string{c.keys.SecretAccessKey, c.keys.SessionToken, c.code, c.token} {
		if secret != "" {
			s = strings.NewReplacer(secret, "…", url.QueryEscape(secret), "…").Replace(s)
		}
	}
	return s
}

func (c *call) unanswered(err error) *NetworkError {
	return &NetworkError{Operation: c.operation, Host: c.host, Endpoint: c.network.STS, MaybeDone: c.sent, UsedCode: c.code != "", Err: err}
}

// refusals are AWS's codes and the part of the text that tells refusals with
// the same code apart, as users captured them: AWS documents codes, not texts.
// HTTP status codes vary and are not looked at. Sources: aws-cli#2279 and
// #6325, aws-vault#263 and #676, broamski/aws-mfa#46.
var refusals = []struct {
	code, text string
	reason     Reason
}{
	{"AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code", WrongCode},
	{"AccessDenied", "MultiFactorAuthentication failed, unable to validate MFA code", WrongSerial},
	{"AccessDenied", "", NotAllowed},
	{"ValidationError", "exceeds the MaxSessionDuration", DurationTooLong},
	{"ValidationError", "by role chaining", ChainTooLong},
	{"InvalidClientTokenId", "", UnknownKey},
	{"SignatureDoesNotMatch", "Signature expired", ClockOff},
	{"SignatureDoesNotMatch", "Signature not yet current", ClockOff},
	{"RequestExpired", "", ClockOff},
	{"RequestTimeTooSkewed", "", ClockOff},
	{"SignatureDoesNotMatch", "", WrongSecret},
	{"ExpiredToken", "", ExpiredSession},
	{"RegionDisabledException", "", RegionDisabled},
	{"ServiceUnavailable", "", Unavailable},
	{"InternalFailure", "", Unavailable},
}

func classify(code, message string, status int) Reason {
	for _, r := range refusals {
		if code == r.code && strings.Contains(message, r.text) {
			return r.reason
		}
	}
	if status >= http.StatusInternalServerError || isBusy(code, status) {
		return Unavailable
	}
	return Other
}

// safe makes the words of others fit for one line of a terminal.
func safe(s string) string {
	const enough = 300
	s = strings.ToValidUTF8(s, "\ufffd")
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if runes := []rune(s); len(runes) > enough {
		s = string(runes[:enough]) + "…"
	}
	return s
}
