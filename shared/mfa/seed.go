package mfa

import (
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
)

// A Seed is the secret of a TOTP device (RFC 6238). Neither fmt nor
// encoding/json shows it.
type Seed struct {
	secret    string // base32, upper case, without padding
	algorithm otp.Algorithm
	digits    otp.Digits
	period    time.Duration
}

// A SeedError is a text that is no seed, or none for AWS. It quotes nothing.
type SeedError struct{ Reason string }

func (e *SeedError) Error() string { return "this is not a usable seed: " + e.Reason }

// step is how long a code is shown where nothing else is said (RFC 6238,
// section 5.2), as by all devices of AWS.
const step = 30 * time.Second

const (
	minSecret = 10   // octets; RFC 4226 wants 16, but seeds of 10 were common
	maxSecret = 1024 // octets
	maxPeriod = 300  // seconds
)

// ParseSeed reads a seed as AWS shows it, in base32 (RFC 4648; spaces, lower
// case and missing padding do not matter), or as a QR picture holds it, in an
// otpauth://totp/ URI with its algorithm and period
// (https://github.com/google/google-authenticator/wiki/Key-Uri-Format). The
// error is a *SeedError.
func ParseSeed(text string) (Seed, error) {
	text = strings.TrimSpace(text)
	scheme, _, isURI := strings.Cut(text, "://")
	switch {
	case text == "":
		return Seed{}, &SeedError{"there is none"}
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) && !unicode.IsSpace(r) }):
		return Seed{}, &SeedError{"it has control characters in it"}
	case strings.ContainsAny(text, "\r\n"):
		return Seed{}, &SeedError{"there is more than one line"}
	case isURI && strings.EqualFold(scheme, "otpauth"):
		return parseURI(text)
	case isURI && strings.EqualFold(scheme, "otpauth-migration"):
		return Seed{}, &SeedError{"it is an app's export of all its seeds; the URI of one device begins with otpauth://totp/"}
	case isURI || strings.Contains(text, "otpauth:"):
		return Seed{}, &SeedError{"a URI must begin with otpauth://totp/"}
	}
	return newSeed(text, otp.AlgorithmSHA1, step)
}

func newSeed(secret string, algorithm otp.Algorithm, period time.Duration) (Seed, error) {
	secret = strings.ToUpper(strings.Join(strings.Fields(secret), ""))
	bare := strings.TrimRight(secret, "=")
	for i, r := range bare {
		if !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", r) {
			return Seed{}, &SeedError{fmt.Sprintf("character %d, spaces not counted, is not base32, which has A to Z and 2 to 7", i+1)}
		}
	}
	octets, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(bare)
	switch {
	case err != nil, len(secret)-len(bare) > 6:
		return Seed{}, &SeedError{"base32 of that length does not exist: part of it is missing"}
	case len(octets) < minSecret:
		return Seed{}, &SeedError{fmt.Sprintf("it is too short: %d bits, where AWS's have 320", len(octets)*8)}
	case len(octets) > maxSecret:
		return Seed{}, &SeedError{"it is too long"}
	}
	return Seed{bare, algorithm, otp.DigitsSix, period}, nil
}

var algorithms = map[string]otp.Algorithm{"": otp.AlgorithmSHA1, "SHA1": otp.AlgorithmSHA1, "SHA256": otp.AlgorithmSHA256, "SHA512": otp.AlgorithmSHA512}

func parseURI(text string) (Seed, error) {
	// The errors of net/url quote what they stumble over.
	u, err := url.Parse(text)
	if err != nil {
		return Seed{}, &SeedError{"the URI cannot be read"}
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Seed{}, &SeedError{"the parameters of the URI cannot be read"}
	}
	switch {
	case strings.EqualFold(u.Host, "hotp"):
		return Seed{}, &SeedError{"its codes go by a counter (hotp), and AWS's by the time (totp)"}
	case !strings.EqualFold(u.Host, "totp"):
		return Seed{}, &SeedError{"a URI must begin with otpauth://totp/"}
	}
	for _, name := range []string{"secret", "algorithm", "digits", "period"} {
		if len(query[name]) > 1 {
			return Seed{}, &SeedError{"the URI has more than one " + name}
		}
	}
	algorithm, known := algorithms[strings.ToUpper(query.Get("algorithm"))]
	period, err := strconv.Atoi(query.Get("period"))
	switch {
	case query.Get("secret") == "":
		return Seed{}, &SeedError{"the URI has no secret"}
	case query.Has("digits") && query.Get("digits") != "6":
		return Seed{}, &SeedError{"AWS takes codes of six digits, and its codes have another number"}
	case !known:
		return Seed{}, &SeedError{"its algorithm is none of SHA1, SHA256 and SHA512"}
	case !query.Has("period"):
		return newSeed(query.Get("secret"), algorithm, step)
	case err != nil || period < 1 || period > maxPeriod:
		return Seed{}, &SeedError{fmt.Sprintf("its period is not a number of seconds from 1 to %d", maxPeriod)}
	}
	return newSeed(query.Get("secret"), algorithm, time.Duration(period)*time.Second)
}

// Code is the code that the device shows at t.
func (s Seed) Code(t time.Time) string {
	code, err := totp.GenerateCodeCustom(s.secret, t, totp.ValidateOpts{Period: uint(s.period / time.Second), Digits: s.digits, Algorithm: s.algorithm})
	if err != nil {
		panic(errors.New("mfa: a seed that was not parsed")) // not err, for it is not ours to say what it shows
	}
	return code
}

// Next is when the device shows another code than at t.
func (s Seed) Next(t time.Time) time.Time {
	seconds := int64(s.period / time.Second)
	return time.Unix((t.Unix()/seconds+1)*seconds, 0)
}

// uri is the form in which the seed is stored; ParseSeed reads it.
func (s Seed) uri(serial string) string {
	query := url.Values{"secret": {s.secret}, "issuer": {"Amazon Web Services"}, "algorithm": {s.algorithm.String()},
		"digits": {s.digits.String()}, "period": {strconv.Itoa(int(s.period / time.Second))}}
	// Apps show a plus sign as one, so spaces are %20.
	return (&url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + serial, RawQuery: strings.ReplaceAll(query.Encode(), "+", "%20")}).String()
}

// Format shows nothing of the seed, whatever the verb.
func (s Seed) Format(f fmt.State, _ rune) { io.WriteString(f, "(seed)") }
