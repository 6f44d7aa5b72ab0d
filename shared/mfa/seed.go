package mfa

import (
	"encoding/base32"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

// A Seed is the secret that a TOTP device (RFC 6238) makes its codes from, with
// how it makes them. Neither fmt nor encoding/json shows it. The zero Seed is
// none: asking it for codes panics.
type Seed struct {
	// Twice a pointer: in the unexported field of another type fmt cannot call
	// Format, and for some verbs shows what one pointer leads to.
	kept **seed
}

type seed struct {
	secret    string // base32, upper case, without padding
	algorithm otp.Algorithm
	digits    otp.Digits
	period    int64 // seconds
}

// SeedError is something in the place of a seed. It tells why it is none, and
// nothing of what it was.
type SeedError struct{ Reason string }

func (e *SeedError) Error() string { return "not a usable seed: " + e.Reason }

const (
	longestText  = 1 << 10 // bytes; AWS's URIs have 150
	longestSeed  = 320     // bytes, whose URI is shorter than that; more than 128 are hashed first (RFC 2104)
	shortestSeed = 80 / 8  // bytes; AWS's have 40, those of other services at least 10
	longestStep  = 300     // seconds
)

var algorithms = map[string]otp.Algorithm{
	"SHA1":   otp.AlgorithmSHA1,
	"SHA256": otp.AlgorithmSHA256,
	"SHA512": otp.AlgorithmSHA512,
}

// ParseSeed reads a seed as people get it: base32, in whatever groups and case,
// or the otpauth://totp/ URI of a QR code [Key URI Format], of which secret,
// algorithm, digits and period count. The error is a *SeedError.
//
// [Key URI Format]: https://github.com/google/google-authenticator/wiki/Key-Uri-Format
func ParseSeed(text string) (Seed, error) {
	s, reason := parseSeed(text)
	if reason != "" {
		return Seed{}, &SeedError{reason}
	}
	kept := &s
	return Seed{&kept}, nil
}

// parseSeed returns a seed, or the reason why it is none.
func parseSeed(text string) (seed, string) {
	if len(text) > longestText {
		return seed{}, "too long to be a seed: over 1 KiB"
	}
	if reason := unprintable(text); reason != "" {
		return seed{}, reason
	}
	text = strings.Trim(text, " \t\r\n")
	uri := strings.ToLower(text)
	switch {
	case text == "":
		return seed{}, "empty"
	case strings.ContainsAny(text, "\r\n"):
		return seed{}, "more than one line"
	case strings.Count(uri, "otpauth://") > 1:
		return seed{}, "more than one otpauth URI"
	case strings.HasPrefix(uri, "otpauth-migration:"):
		return seed{}, "an export of Google Authenticator (otpauth-migration), not the QR code that AWS showed"
	case strings.HasPrefix(uri, "otpauth:"):
		return parseURI(text)
	case strings.Contains(uri, "otpauth://"):
		return seed{}, "there is something before otpauth://"
	case strings.Contains(uri, "://"):
		return seed{}, "a URI of another kind than otpauth"
	}
	secret, reason := parseSecret(text)
	return seed{secret, otp.AlgorithmSHA1, otp.DigitsSix, 30}, reason
}

// unprintable is the reason not to take text that only looks like a seed.
func unprintable(text string) string {
	if !utf8.ValidString(text) {
		return "not UTF-8 text"
	}
	position := 0
	for _, c := range text {
		position++
		switch {
		case c == '\ufeff':
			return fmt.Sprintf("character %d is a byte order mark", position)
		case unicode.IsControl(c) && !strings.ContainsRune("\t\r\n", c):
			return fmt.Sprintf("character %d is a control character", position)
		}
	}
	return ""
}

// parseURI passes no error of net/url on: they quote.
func parseURI(text string) (seed, string) {
	u, err := url.Parse(text)
	if err != nil {
		return seed{}, "not a well-formed URI"
	}
	switch strings.ToLower(u.Host) {
	case "totp":
	case "hotp":
		return seed{}, "of a device that counts (hotp), and AWS's go by time (totp)"
	default:
		return seed{}, "an otpauth URI of another kind than totp"
	}
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return seed{}, "the parameters of the URI are not well-formed: an invalid escape, or a semicolon"
	}
	for _, name := range []string{"secret", "algorithm", "digits", "period"} {
		if len(values[name]) > 1 {
			return seed{}, "more than one " + name + " in the URI"
		}
	}
	if !values.Has("secret") {
		return seed{}, "no secret in the URI"
	}
	s := seed{algorithm: otp.AlgorithmSHA1, digits: otp.DigitsSix, period: 30}
	var reason string
	if s.secret, reason = parseSecret(values.Get("secret")); reason != "" {
		return seed{}, reason
	}
	if values.Has("digits") && values.Get("digits") != "6" {
		return seed{}, "AWS takes codes of six digits, and these would have another number"
	}
	if values.Has("algorithm") {
		var known bool
		if s.algorithm, known = algorithms[strings.ToUpper(values.Get("algorithm"))]; !known {
			return seed{}, "the algorithm is none of SHA1, SHA256 and SHA512"
		}
	}
	if values.Has("period") {
		period, err := strconv.ParseUint(values.Get("period"), 10, 63)
		if err != nil || period < 1 || period > longestStep {
			return seed{}, "the period is not a whole number of seconds from 1 to 300"
		}
		s.period = int64(period)
	}
	return s, ""
}

// parseSecret returns base32 as RFC 4648 writes it, without the padding.
func parseSecret(text string) (string, string) {
	var letters []byte
	padding, position := 0, 0
	for _, c := range text {
		position++
		switch {
		case c == ' ' || c == '\t':
			continue
		case c == '=':
			padding++
			continue
		case c >= 'a' && c <= 'z':
			c += 'A' - 'a'
		}
		if c >= utf8.RuneSelf || !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", c) {
			return "", fmt.Sprintf("character %d is not base32, which is A-Z and 2-7", position)
		}
		if padding > 0 {
			return "", fmt.Sprintf("character %d comes after padding (=), which ends base32", position)
		}
		letters = append(letters, byte(c))
	}
	encoding := base32.StdEncoding.WithPadding(base32.NoPadding)
	secret, err := encoding.DecodeString(string(letters))
	switch missing := -len(letters) & 7; {
	case len(letters) == 0:
		return "", "empty"
	case missing == 2 || missing == 5 || missing == 7 || err != nil:
		return "", "base32 cannot be of that length: characters are missing, or too many"
	case padding > 0 && padding != missing:
		return "", "the padding (=) does not fit the length"
	case len(secret) < shortestSeed:
		return "", "too short to be a seed: under 80 bits"
	case len(secret) > longestSeed:
		return "", "too long to be a seed: over 2560 bits"
	}
	return encoding.EncodeToString(secret), "" // without the odd bits that a last letter may have
}

// Code is the code of that time.
func (s Seed) Code(t time.Time) string {
	code, err := hotp.GenerateCodeCustom((*s.kept).secret, uint64(s.step(t)),
		hotp.ValidateOpts{Digits: (*s.kept).digits, Algorithm: (*s.kept).algorithm})
	if err != nil {
		panic("mfa: a parsed seed that is not base32")
	}
	return code
}

// Next is when the code after that of t begins.
func (s Seed) Next(t time.Time) time.Time {
	return time.Unix((s.step(t)+1)*(*s.kept).period, 0)
}

// step counts periods since 1970, those before it too: a clock may be that wrong.
func (s Seed) step(t time.Time) int64 {
	step := t.Unix() / (*s.kept).period
	if t.Unix()%(*s.kept).period < 0 {
		step--
	}
	return step
}

// uri is the form in which seeds are kept: ParseSeed reads it, and so does any
// app for codes.
func (s Seed) uri(serial string) string {
	const issuer = "Amazon%20Web%20Services"
	return fmt.Sprintf("otpauth://totp/%s:%s?secret=%s&issuer=%s&algorithm=%s&digits=%d&period=%d",
		issuer, url.PathEscape(serial), (*s.kept).secret, issuer, (*s.kept).algorithm, (*s.kept).digits, (*s.kept).period)
}

// Format implements fmt.Formatter: whatever the verb, the seed is not shown.
func (Seed) Format(f fmt.State, _ rune) { io.WriteString(f, "(seed)") }
