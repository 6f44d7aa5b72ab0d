package cache

import (
	"fmt"
	"strings"
	"unicode/utf16"
)

// member is one key of a JSON object with its value in JSON; "" is no value.
type member struct{ key, value string }

// object returns the members that have a value, in the order given and spelled
// as Python's json.dumps spells them. encoding/json leaves out the spaces that
// the hash needs, and escapes other characters.
func object(members ...member) string {
	var b strings.Builder
	for _, m := range members {
		if m.value == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quote(m.key) + ": " + m.value)
	}
	return "{" + b.String() + "}"
}

// quote returns s as a JSON string in ASCII.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch i := strings.IndexRune("\"\\\n\r\t\b\f", r); {
		case i >= 0:
			b.WriteString(`\` + `"\nrtbf`[i:i+1])
		case ' ' <= r && r <= '~':
			b.WriteRune(r)
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func nonEmpty(s string) string {
	if s == "" {
		return ""
	}
	return quote(s)
}

func optional(s *string) string {
	if s == nil {
		return ""
	}
	return quote(*s)
}
