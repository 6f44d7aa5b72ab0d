package mfa

import (
	"bytes"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp"
)

// rfcSecret is the SHA-1 seed of RFC 6238, "12345678901234567890".
const rfcSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

// tool finds a program. Where tests are run for others ($CI), it must be there.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return path
}

func parseOK(t *testing.T, text string) Seed {
	t.Helper()
	s, err := ParseSeed(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return s
}

// The table of RFC 6238, appendix B, with the seeds of the reference program in
// appendix A, which are as long as the digest (erratum 2866).
func TestCodesAreThoseOfRFC6238(t *testing.T) {
	for _, row := range []struct {
		unix                 int64
		sha1, sha256, sha512 string
	}{
		{59, "94287082", "46119246", "90693936"},
		{1111111109, "07081804", "68084774", "25091201"},
		{1111111111, "14050471", "67062674", "99943326"},
		{1234567890, "89005924", "91819424", "93441116"},
		{2000000000, "69279037", "90698825", "38618901"},
		{20000000000, "65353130", "77737706", "47863826"},
	} {
		for algorithm, want := range map[otp.Algorithm]string{
			otp.AlgorithmSHA1: row.sha1, otp.AlgorithmSHA256: row.sha256, otp.AlgorithmSHA512: row.sha512,
		} {
			size := map[otp.Algorithm]int{otp.AlgorithmSHA1: 20, otp.AlgorithmSHA256: 32, otp.AlgorithmSHA512: 64}[algorithm]
			secret := base32.StdEncoding.EncodeToString([]byte(strings.Repeat("1234567890", 7)[:size]))
			kept := &seed{strings.TrimRight(secret, "="), algorithm, otp.DigitsEight, 30}
			s := Seed{&kept}
			if got := s.Code(time.Unix(row.unix, 0)); got != want {
				t.Errorf("%v at %d: got %s, want %s", algorithm, row.unix, got, want)
			}
		}
	}
}

func TestCodesAreThoseOfOathtool(t *testing.T) {
	oathtool := tool(t, "oathtool")
	const shells, each = 8, 1250
	var wg sync.WaitGroup
	for range shells {
		wg.Go(func() {
			var script strings.Builder
			var want, asked []string
			for range each {
				secret := make([]byte, 10+rand.IntN(90))
				for i := range secret {
					secret[i] = byte(rand.Uint32())
				}
				text := strings.TrimRight(base32.StdEncoding.EncodeToString(secret), "=")
				algorithm := []string{"SHA1", "SHA256", "SHA512"}[rand.IntN(3)]
				period, unix := 1+rand.IntN(300), rand.Int64N(1<<33)
				s, err := ParseSeed(fmt.Sprintf("otpauth://totp/x?secret=%s&algorithm=%s&period=%d", text, algorithm, period))
				if err != nil {
					t.Error(err)
					return
				}
				want = append(want, s.Code(time.Unix(unix, 0)))
				asked = append(asked, fmt.Sprintf("--totp=%s -s %ds -N @%d -b %s", algorithm, period, unix, text))
				fmt.Fprintln(&script, oathtool, asked[len(asked)-1])
			}
			cmd := exec.CommandContext(t.Context(), "sh")
			cmd.Stdin = strings.NewReader(script.String())
			out, err := cmd.CombinedOutput()
			codes := strings.Fields(string(out))
			if err != nil || len(codes) != each {
				t.Errorf("oathtool: %v, %d lines, want %d: %.200s", err, len(codes), each, out)
				return
			}
			for i, code := range codes {
				if want[i] != code {
					t.Errorf("oathtool %s: got %s, want %s", asked[i], want[i], code)
				}
			}
		})
	}
	wg.Wait()
}

func TestSeedOfAQRCode(t *testing.T) {
	qrencode, zbarimg := tool(t, "qrencode"), tool(t, "zbarimg")
	picture := filepath.Join(t.TempDir(), "qr.png")
	// The form of the IAM console's codes, with 40 bytes of secret.
	uri := "otpauth://totp/Amazon%20Web%20Services:jane@123456789012?secret=" +
		rfcSecret + rfcSecret + "&issuer=Amazon%20Web%20Services"
	if out, err := exec.Command(qrencode, "-o", picture, uri).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := exec.Command(zbarimg, "--raw", "-q", picture).Output()
	if err != nil || string(out) != uri+"\n" {
		t.Fatalf("zbarimg: got %q, %v, want %q", out, err, uri+"\n")
	}
	if got := (*parseOK(t, string(out)).kept).secret; got != rfcSecret+rfcSecret {
		t.Errorf("got %s, want %s", got, rfcSecret+rfcSecret)
	}
}

func TestAcceptedSeeds(t *testing.T) {
	sha1 := func(secret string) seed { return seed{secret, otp.AlgorithmSHA1, otp.DigitsSix, 30} }
	const short = "JBSWY3DPEHPK3PXP" // 80 bits
	for text, want := range map[string]seed{
		rfcSecret:                                             sha1(rfcSecret),
		strings.ToLower(rfcSecret):                            sha1(rfcSecret),
		"\n" + rfcSecret + "\r\n":                             sha1(rfcSecret),
		" jbsw y3dp\tehpk 3pxp ":                              sha1(short),
		short + "GE":                                          sha1(short + "GE"),
		short + "GE======":                                    sha1(short + "GE"),
		short + "GE == ====\n":                                sha1(short + "GE"),
		short + "GF":                                          sha1(short + "GE"), // the odd bits are none of the secret
		"otpauth://totp/?secret=" + short:                     sha1(short),
		"otpauth://totp?secret=" + short:                      sha1(short),
		"OTPAuth://TOTP/a?secret=" + short + "\n":             sha1(short),
		"otpauth://totp/a?secret=jbsw+y3dp%20ehpk+3pxp":       sha1(short),
		"otpauth://totp/a?secret=" + short + "GE%3D%3D%3d===": sha1(short + "GE"),
		"otpauth://totp/Amazon Web Services:a@b?issuer=c&image=http%3A%2F%2Fx&x=%25&secret=" + short: sha1(short),
		"otpauth://totp/a?secret=" + short + "&algorithm=sha1&digits=6&period=30":                    sha1(short),
		"otpauth://totp/a?secret=" + short + "&algorithm=SHA256&period=1":                            {short, otp.AlgorithmSHA256, otp.DigitsSix, 1},
		"otpauth://totp/a?secret=" + short + "&algorithm=Sha512&period=300#x":                        {short, otp.AlgorithmSHA512, otp.DigitsSix, 300},
	} {
		s := parseOK(t, text)
		if **s.kept != want {
			t.Errorf("%q: got %+v, want %+v", text, **s.kept, want)
		}
		if again := parseOK(t, s.uri(jane)); **again.kept != want {
			t.Errorf("%q: read back %+v, want %+v", text, **again.kept, want)
		}
	}
}

func TestRefusedSeeds(t *testing.T) {
	// Secrets of letters that no reason is made of.
	const secret = "QXZQ7JQVXKZWQXJQ"
	const uri = "otpauth://totp/wxqz?secret=" + secret
	for text, want := range map[string]string{
		"":                                       "empty",
		" \r\n\t":                                "empty",
		"====":                                   "empty",
		uri[:len("otpauth://totp/wxqz?secret=")]: "empty",
		secret + "\n" + secret:                   "more than one line",
		uri + "\r" + uri:                         "more than one line",
		uri + " " + uri:                          "more than one otpauth URI",
		strings.Repeat(secret, 65):               "too long to be a seed: over 1 KiB",
		strings.Repeat("AAAAAAAA", 65):           "too long to be a seed: over 2560 bits",
		secret[:14]:                              "base32 cannot be of that length: characters are missing, or too many",
		secret + "QXZQ" + "===":                  "the padding (=) does not fit the length",
		secret + "=":                             "the padding (=) does not fit the length",
		secret + "QX" + "=======":                "the padding (=) does not fit the length",
		secret + "QX======" + secret:             "character 25 comes after padding (=), which ends base32",
		secret[:13]:                              "too short to be a seed: under 80 bits",
		"QXZQ":                                   "too short to be a seed: under 80 bits",
		secret[:4] + "1" + secret:                "character 5 is not base32, which is A-Z and 2-7",
		secret[:4] + "-" + secret:                "character 5 is not base32, which is A-Z and 2-7",
		" é" + secret:                            "character 1 is not base32, which is A-Z and 2-7",
		secret[:4] + "\u017f" + secret:           "character 5 is not base32, which is A-Z and 2-7", // upper case: S
		secret[:4] + "\u00a0" + secret:           "character 5 is not base32, which is A-Z and 2-7",
		secret + "?":                             "character 17 is not base32, which is A-Z and 2-7",
		"\ufeff" + secret:                        "character 1 is a byte order mark",
		secret + "\x00":                          "character 17 is a control character",
		uri + "\x1b[2J":                          "character 44 is a control character",
		secret + "\xff":                          "not UTF-8 text",
		"QR-Code:" + uri:                         "there is something before otpauth://",
		"https://wxqz.qxzq/" + secret:            "a URI of another kind than otpauth",
		"otpauth-migration://offline?data=" + secret:     "an export of Google Authenticator (otpauth-migration), not the QR code that AWS showed",
		"otpauth://hotp/wxqz?counter=1&secret=" + secret: "of a device that counts (hotp), and AWS's go by time (totp)",
		"otpauth://steam/wxqz?secret=" + secret:          "an otpauth URI of another kind than totp",
		"otpauth:totp/wxqz?secret=" + secret:             "an otpauth URI of another kind than totp",
		"otpauth://totp/wxqz?issuer=zzqx":                "no secret in the URI",
		"otpauth://totp/wxqz#?secret=" + secret:          "no secret in the URI",
		uri + "&secret=" + secret:                        "more than one secret in the URI",
		uri + "&period=30&period=30":                     "more than one period in the URI",
		uri + "&digits=8":                                "AWS takes codes of six digits, and these would have another number",
		uri + "&digits=":                                 "AWS takes codes of six digits, and these would have another number",
		uri + "&algorithm=MD5":                           "the algorithm is none of SHA1, SHA256 and SHA512",
		uri + "&algorithm=":                              "the algorithm is none of SHA1, SHA256 and SHA512",
		uri + "&period=0":                                "the period is not a whole number of seconds from 1 to 300",
		uri + "&period=301":                              "the period is not a whole number of seconds from 1 to 300",
		uri + "&period=-30":                              "the period is not a whole number of seconds from 1 to 300",
		uri + "&period=+30":                              "the period is not a whole number of seconds from 1 to 300",
		uri + "&period=29.5":                             "the period is not a whole number of seconds from 1 to 300",
		uri + "&period=99999999999999999999":             "the period is not a whole number of seconds from 1 to 300",
		uri + "&issuer=%zz":                              "the parameters of the URI are not well-formed: an invalid escape, or a semicolon",
		uri + ";digits=6":                                "the parameters of the URI are not well-formed: an invalid escape, or a semicolon",
		"otpauth://totp/%zz?secret=" + secret:            "not a well-formed URI",
		"otpauth://totp:wxqz/?secret=" + secret:          "not a well-formed URI",
		uri + "%00":                                      "character 17 is not base32, which is A-Z and 2-7",
	} {
		s, err := ParseSeed(text)
		refused := new(SeedError)
		if !errors.As(err, &refused) || refused.Reason != want || s != (Seed{}) {
			t.Errorf("%q: got %v, %v, want %s", text, s, err, want)
			continue
		}
		for i := range max(len(text)-3, 0) {
			if part := text[i : i+4]; strings.ContainsAny(part, "qxzQXZ") && strings.Contains(err.Error(), part) {
				t.Errorf("%q: the error quotes %q: %v", text, part, err)
			}
		}
	}
}

func TestNextCodeBeginsWithThePeriod(t *testing.T) {
	s := parseOK(t, "otpauth://totp/a?period=60&secret="+rfcSecret)
	for at, want := range map[time.Time]int64{
		time.Unix(0, 0):           60,
		time.Unix(59, 999999999):  60,
		time.Unix(60, 0):          120,
		time.Unix(1234567890, 5):  1234567920,
		time.Unix(-1, 0):          0,
		time.Unix(-60, 0):         0,
		time.Unix(-61, 0):         -60,
		time.Unix(20000000000, 0): 20000000040,
	} {
		got := s.Next(at)
		if got.Unix() != want || got.Nanosecond() != 0 {
			t.Errorf("%d: got %d, want %d", at.Unix(), got.Unix(), want)
		}
		if before, now, after := s.Code(got.Add(-1)), s.Code(at), s.Code(got); before != now || after == now {
			t.Errorf("%d: codes %s, until the next %s, then %s", at.Unix(), now, before, after)
		}
	}
}

func TestSeedIsNotShown(t *testing.T) {
	s := parseOK(t, rfcSecret)
	inside := struct {
		Shown  Seed
		hidden Seed
		many   []*Seed
	}{s, s, []*Seed{&s}}
	var shown bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%d", "%s", "%q", "%x", "%X", "%t", "%200v"} {
		fmt.Fprintf(&shown, verb+verb+verb+verb+verb, s, &s, inside, []Seed{s}, map[string]any{"a": s})
	}
	fmt.Fprintln(&shown, s, inside)
	for _, v := range []any{s, &s, inside} {
		text, err := json.Marshal(v)
		fmt.Fprintf(&shown, "%s %v", text, err)
	}
	got := strings.ToUpper(shown.String())
	for _, part := range []string{"GEZD", fmt.Sprintf("%X", "GEZD"), fmt.Sprintf("%X", "1234"), "SHA1"} {
		if strings.Contains(got, part) {
			t.Errorf("got %s, want no %s", got, part)
		}
	}
	if got := fmt.Sprint(s); got != "(seed)" {
		t.Errorf("got %s, want (seed)", got)
	}
}
