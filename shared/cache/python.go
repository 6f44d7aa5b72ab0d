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
	b := []byte{'{'}
	for _, m := range members {
		if m.value != "" {
			b = append(appendKey(b, m.key), m.value...)
		}
	}
	return string(append(b, '}'))
}

// appendKey begins a member of an object that was begun.
func appendKey(b []byte, key string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ", "...)
	}
	return append(appendQuoted(b, key), ": "...)
}

// quote returns s as a JSON string in ASCII.
func quote(s string) string { return string(appendQuoted(nil, s)) }

func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	plain := plainLength([]byte(s)) // not copied, since it is only read
	if at := strings.IndexByte(s[:plain], '"'); at >= 0 {
		plain = at
	}
	b = append(b, s[:plain]...)
	if plain < len(s) {
		b = appendEscaped(b, s[plain:])
	}
	return append(b, '"')
}

func appendEscaped(b []byte, s string) []byte {
	for _, r := range s {
		switch i := strings.IndexRune("\"\\\n\r\t\b\f", r); {
		case i >= 0:
			b = append(b, '\\', `"\nrtbf`[i])
		case ' ' <= r && r <= '~':
			b = append(b, byte(r))
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			b = fmt.Appendf(b, `\u%04x\u%04x`, high, low)
		default:
			b = fmt.Appendf(b, `\u%04x`, r)
		}
	}
	return b
}

func nonEmpty(s string) string {
	if s == "" {
		return ""
	}
	return quote(s)
}
