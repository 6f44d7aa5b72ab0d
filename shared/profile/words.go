package profile

import (
	"errors"
	"strings"
)

// words splits s as Python's shlex.split does on POSIX, which is how the AWS
// CLI reads section names. The shell splitters for Go follow sh or comment
// rules that differ in escapes, '#' and unclosed quotes.
func words(s string) ([]string, error) {
	var (
		out    []string
		word   strings.Builder
		inWord bool
		quote  rune // ' or " while inside
		escape bool
	)
	for _, r := range s {
		switch {
		case escape:
			if quote != 0 && r != '\\' && r != quote {
				word.WriteByte('\\')
			}
			word.WriteRune(r)
			escape = false
		case r == '\\' && quote != '\'':
			escape, inWord = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inWord = r, true
		case strings.ContainsRune(" \t\r\n", r):
			if inWord {
				out = append(out, word.String())
				word.Reset()
				inWord = false
			}
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if quote != 0 || escape {
		return nil, errors.New("a quote or escape is not closed")
	}
	if inWord {
		out = append(out, word.String())
	}
	return out, nil
}
