package mfa

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
)

// A text is a seed whose codes are those of RFC 6238 for what pquerna/otp finds
// in the URI, and which is read back as it is kept; or it is none, for a reason
// that quotes nothing of it.
func FuzzParseSeed(f *testing.F) {
	for _, text := range []string{
		"", rfcSecret, "jbsw y3dp\tehpk 3pxp\n", rfcSecret + "GE======", "GE=ZD", "é" + rfcSecret, rfcSecret + "\x00",
		"otpauth://totp/a?secret=" + rfcSecret + "&algorithm=SHA512&digits=6&period=60",
		"otpauth://totp/a?secret=" + rfcSecret + ";x=%zz", "otpauth://hotp/a", "otpauth-migration://offline?data=x",
		"otpauth://TOTP:1@x/?secret=A+B%20C#", "https://a", "x\ny", "otpauth://totp/%", "\ufeff", "\xff",
	} {
		f.Add(text)
	}
	// Every reason is one of these, so none quotes. What is left is a position.
	reasons := reasonsOf(f)
	number := regexp.MustCompile(`character \d+`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSeed(text)
		if err != nil {
			refused := new(SeedError)
			if !errors.As(err, &refused) || s != (Seed{}) {
				t.Fatalf("got %v, %v, want a SeedError", s, err)
			}
			if !slices.Contains(reasons, number.ReplaceAllString(refused.Reason, "character %d")) {
				t.Errorf("got %s, want one of %q", refused.Reason, reasons)
			}
			return
		}
		again := parseOK(t, s.uri(jane))
		if **again.kept != **s.kept {
			t.Errorf("read back %+v, want %+v", **again.kept, **s.kept)
		}
		at := time.Unix(int64(len(text))*1e6, 0)
		if got, want := s.Code(at), codeOf(t, text, at); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
		if next := s.Next(at); !next.After(at) || next.Sub(at) > longestStep*time.Second {
			t.Errorf("%q: the code of %v lasts until %v", text, at, next)
		}
	})
}

// codeOf is the code of a text that is a seed. Source:
// https://www.rfc-editor.org/rfc/rfc4226#section-5.3
func codeOf(t *testing.T, text string, at time.Time) string {
	t.Helper()
	secret, period, sum := text, uint64(30), sha1.New
	if text := strings.Trim(text, " \t\r\n"); strings.HasPrefix(strings.ToLower(text), "otpauth:") {
		key, err := otp.NewKeyFromURL(text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if !strings.EqualFold(key.Type(), "totp") || key.Digits() != otp.DigitsSix {
			t.Fatalf("%q: got a %s of %s digits", text, key.Type(), key.Digits())
		}
		secret, period = key.Secret(), key.Period()
		sum = map[otp.Algorithm]func() hash.Hash{otp.AlgorithmSHA1: sha1.New, otp.AlgorithmSHA256: sha256.New, otp.AlgorithmSHA512: sha512.New}[key.Algorithm()]
	}
	mac := hmac.New(sum, bits(secret))
	var step [8]byte
	binary.BigEndian.PutUint64(step[:], uint64(at.Unix())/period)
	mac.Write(step[:])
	digest := mac.Sum(nil)
	from := digest[len(digest)-1] & 0xf
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(digest[from:])&0x7fffffff)%1_000_000)
}

// bits are those of base32, five in each letter.
func bits(text string) (all []byte) {
	left, held := 0, uint(0)
	for _, c := range strings.ToUpper(text) {
		value := strings.IndexRune("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", c)
		if value < 0 {
			continue
		}
		held, left = held<<5|uint(value), left+5
		if left >= 8 {
			left -= 8
			all = append(all, byte(held>>left))
		}
	}
	return all
}

// reasonsOf is the quoted text in the source of ParseSeed: nothing of the input.
func reasonsOf(f *testing.F) []string {
	source, err := os.Open("seed.go")
	if err != nil {
		f.Fatal(err)
	}
	defer source.Close()
	text, err := io.ReadAll(source)
	if err != nil {
		f.Fatal(err)
	}
	var reasons []string
	for _, m := range regexp.MustCompile(`"((?:[^"\\\n]|\\.)*)"`).FindAllStringSubmatch(string(text), -1) {
		reasons = append(reasons, m[1])
	}
	for _, name := range []string{"secret", "algorithm", "digits", "period"} {
		reasons = append(reasons, "more than one "+name+" in the URI")
	}
	return reasons
}
