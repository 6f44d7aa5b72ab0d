// Package wording puts times, and the words of others, into text for people.
package wording

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// What joins characters of emoji and some scripts, and is invisible elsewhere.
const zeroWidthJoiner, zeroWidthNonJoiner = '\u200d', '\u200c'

// Printable is s as one line, with all that a terminal would interpret made
// visible.
func Printable(s string) string {
	if isPlain(s) {
		return s
	}
	s = strings.ToValidUTF8(s, "\ufffd")
	if !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return s
	}
	var b strings.Builder
	before := rune(0)
	for i, r := range s {
		after, _ := utf8.DecodeRuneInString(s[i+utf8.RuneLen(r):])
		joins := (r == zeroWidthJoiner || r == zeroWidthNonJoiner) && before > unicode.MaxLatin1 && after > unicode.MaxLatin1
		before = r
		switch {
		case unicode.IsPrint(r), joins:
			b.WriteRune(r)
		case r == '\n':
			b.WriteString("; ")
		default:
			b.WriteString(strings.Trim(fmt.Sprintf("%+q", r), "'"))
		}
	}
	return b.String()
}

// enough is how much of a line somebody may want to read, in octets.
const enough = 4 << 10

// Brief is Printable, without the middle of what is longer than anybody reads.
func Brief(s string) string {
	if len(s) <= enough {
		if s = Printable(s); len(s) <= enough {
			return s
		}
	}
	head, tail := Printable(s[:min(len(s), enough/2)]), Printable(s[max(0, len(s)-enough/2):])
	head, tail = head[:min(len(head), enough/2)], tail[max(0, len(tail)-enough/2):]
	return strings.ToValidUTF8(head, "") + "…" + strings.ToValidUTF8(tail, "")
}

// isPlain tells whether s is ASCII, all of it to be seen.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// Clock is a time as people near it in time say it: local, with the date only
// when it is not today.
func Clock(t, now time.Time) string {
	t = t.Local()
	year, month, day := t.Date()
	if y, m, d := now.Local().Date(); d == day && m == month && y == year {
		hour, minute, _ := t.Clock()
		return string([]byte{byte('0' + hour/10), byte('0' + hour%10), ':', byte('0' + minute/10), byte('0' + minute%10)})
	}
	return t.Format("Mon Jan 2 15:04")
}

// Left is a duration in the two units that matter, rounded down: 11h59m, 59m,
// 42s.
func Left(d time.Duration) string {
	switch {
	case d <= 0:
		return "0s"
	case d < time.Minute:
		return strconv.Itoa(int(d/time.Second)) + "s"
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	}
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}
