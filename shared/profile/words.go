package profile

import (
	"errors"
	"strings"
)

// CommandWords splits a command as the AWS CLI splits credential_process on
// that system (runtime.GOOS). Nothing is expanded: there is no shell.
func CommandWords(s, goos string) ([]string, error) {
	if goos == "windows" {
		return windowsWords(s)
	}
	return words(s)
}

// windowsWords splits s as botocore does on Windows, by the rules of
// Microsoft's C runtime: only spaces and tabs part words, only double quotes
// quote, and backslashes are plain but before a quote, where each pair stands
// for one and a single one makes the quote plain. Two quotes in a row are not
// one, as they are for the runtime. Source: _windows_shell_split in
// https://github.com/boto/botocore/blob/develop/botocore/compat.py
func windowsWords(s string) ([]string, error) {
	var (
		out         []string
		word        strings.Builder
		inWord      bool
		quoted      bool
		backslashes int // that may turn out to stand before a quote
	)
	for _, r := range s {
		if r == '\\' {
			backslashes, inWord = backslashes+1, true
			continue
		}
		if r == '"' {
			word.WriteString(strings.Repeat(`\`, backslashes/2))
			if backslashes%2 == 1 {
				word.WriteByte('"')
			} else {
				quoted, inWord = !quoted, true
			}
			backslashes = 0
			continue
		}
		word.WriteString(strings.Repeat(`\`, backslashes))
		backslashes = 0
		switch {
		case quoted || r != ' ' && r != '\t':
			word.WriteRune(r)
			inWord = true
		case inWord:
			out = append(out, word.String())
			word.Reset()
			inWord = false
		}
	}
	if quoted {
		return nil, errors.New("a quote is not closed")
	}
	if inWord {
		word.WriteString(strings.Repeat(`\`, backslashes))
		out = append(out, word.String())
	}
	return out, nil
}

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
