package wording

import (
	"strings"
	"testing"
	"time"
	"unicode"
)

// What comes from files, from AWS or from arguments cannot steer a terminal,
// nor look like a line of ours.
func TestPrintable(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"":                          "",
		"plain, with 'quotes' \\":   "plain, with 'quotes' \\",
		"prod-über-日本 ✓":            "prod-über-日本 ✓",
		"one\ntwo":                  "one; two",
		"red \x1b[31m":              `red \x1b[31m`,
		"back\rto\tthe\bstart\a":    `back\rto\tthe\bstart\a`,
		"\x00\x7f":                  `\x00\x7f`,
		"csi \u009b31m":             `csi \u009b31m`,
		"gnp.\u202eexe":             `gnp.\u202eexe`,
		"line\u2028separator":       `line\u2028separator`,
		"a\u00a0b":                  `a\u00a0b`,
		"tag \U000e0041":            `tag \U000e0041`,
		"error: x\naws: error: y\n": "error: x; aws: error: y; ",
	} {
		if got := Printable(s); got != want {
			t.Errorf("%+q: got %+q, want %+q", s, got, want)
		}
	}
	// 0x9b alone is "ESC [" to a terminal that is not in UTF-8 mode.
	for _, s := range []string{"a\x9b31mb", "a\x9b31m\nb", "\xff"} {
		got := Printable(s)
		if strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) || !strings.Contains(string([]rune(got)), got) {
			t.Errorf("%+q: got %+q, which is not text", s, got)
		}
	}
}

func TestClock(t *testing.T) {
	before := time.Local
	defer func() { time.Local = before }()
	time.Local = time.FixedZone("CET", 60*60)
	at := func(year int, month time.Month, day, hour, minute int) time.Time {
		return time.Date(year, month, day, hour, minute, 59, 0, time.Local)
	}
	now := at(2026, 11, 20, 22, 30)
	for _, c := range []struct {
		t    time.Time
		want string
	}{
		{at(2026, 11, 20, 23, 4), "23:04"},
		{at(2026, 11, 20, 0, 0), "00:00"},
		{at(2026, 11, 20, 23, 4).UTC(), "23:04"},
		{at(2026, 11, 21, 0, 4), "Sat Nov 21 00:04"},
		{at(2026, 11, 19, 22, 30), "Thu Nov 19 22:30"},
		{at(2027, 11, 20, 22, 30), "Sat Nov 20 22:30"}, // the same day of another year
	} {
		if got := Clock(c.t, now); got != c.want {
			t.Errorf("%s: got %q, want %q", c.t, got, c.want)
		}
	}
}

func TestLeftIsRoundedDown(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Hour:                     "0s",
		0:                              "0s",
		999 * time.Millisecond:         "0s",
		time.Second:                    "1s",
		time.Minute - 1:                "59s",
		time.Minute:                    "1m",
		15*time.Minute - 1:             "14m",
		time.Hour - 1:                  "59m",
		time.Hour:                      "1h00m",
		time.Hour + 9*time.Minute:      "1h09m",
		12*time.Hour - 1:               "11h59m",
		36*time.Hour + 59*time.Minute:  "36h59m",
		100*time.Hour + 59*time.Second: "100h00m",
	} {
		if got := Left(d); got != want {
			t.Errorf("%s: got %q, want %q", d, got, want)
		}
	}
}

func TestWhatNobodyReadsIsCut(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "prod", "a\x1bb", strings.Repeat("x", enough)} {
		if got := Brief(s); got != Printable(s) {
			t.Errorf("%.20q: got %.20q, want it whole", s, got)
		}
	}
	for _, part := range []string{"x", "é", "日", "\x1b", "\xff", "\u202e", "👩‍💻"} {
		for _, n := range []int{enough/4 + 1, enough + 1, 1 << 20} {
			s := "begin" + strings.Repeat(part, n) + "end"
			got := Brief(s)
			if len(got) > enough+len("…") || Printable(got) != got && part != "👩‍💻" || len(Printable(s)) > enough && !(strings.HasPrefix(got, "begin") && strings.HasSuffix(got, "end") && strings.Count(got, "…") == 1) {
				t.Errorf("%d times %q: got %d octets: %.20q…%q", n, part, len(got), got, got[max(0, len(got)-20):])
			}
		}
	}
}
