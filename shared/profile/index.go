package profile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A SyntaxError is a line for which the AWS CLI refuses the whole file, so
// that nothing else in the file can be relied on either.
type SyntaxError struct {
	File   string
	Line   int // from 1
	Reason string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Reason)
}

// defaultSection is inherited by every other section of its file, as in
// Python's configparser, which is what the AWS CLI reads these files with.
const defaultSection = "DEFAULT"

// A file is one AWS file and the index of its sections: what there is and
// where, but not yet what it says.
type file struct {
	path     string
	data     []byte
	sections []*section
	byName   map[string]*section
}

// A section is a header and the lines up to the next one.
type section struct {
	name       string
	line       int // of the header, from 1
	header     int // byte offset of its line
	start, end int // byte range of the lines below the header
}

// open reads and indexes the file. A file that is not there has no sections;
// the AWS CLI takes devices and pipes for not being there as well.
func open(path string) (*file, error) {
	f := newFile(path, nil)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f, nil
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("is a directory")}
	case !info.Mode().IsRegular():
		return f, nil
	}
	if f.data, err = os.ReadFile(path); err != nil {
		return nil, err
	}
	return f, f.scan()
}

func newFile(path string, data []byte) *file {
	return &file{path: path, data: data, byName: map[string]*section{}}
}

// scan makes the index in a single pass and finds everything for which
// Python's configparser, in its strict mode, refuses a file.
func (f *file) scan() error {
	if bytes.HasPrefix(f.data, []byte("\ufeff")) {
		return f.errorf(1, "starts with a byte order mark, which the AWS CLI does not read")
	}
	if at := invalidUTF8(f.data); at >= 0 {
		return f.errorf(lineOf(f.data, at), "is not UTF-8")
	}
	lex := newLexer(f.data)
	seen := keySet{}
	var inherited keySet // of all [DEFAULT] sections, which may be repeated
	keys := &seen
	for {
		tok, err := lex.next()
		if err != nil {
			return f.errorf(lex.line, "%v", err)
		}
		switch tok.kind {
		case endToken:
			f.close(len(f.data))
			return nil
		case headerToken:
			f.close(tok.start)
			name := string(tok.name)
			if first := f.byName[name]; first != nil && name != defaultSection {
				return f.errorf(tok.line, "section [%s] stands here again, first on line %d", printable(name), first.line)
			}
			f.byName[name] = &section{name: name, line: tok.line, header: tok.start, start: tok.end}
			f.sections = append(f.sections, f.byName[name])
			if keys = &seen; name == defaultSection {
				keys = &inherited
			} else {
				seen.reset()
			}
		case keyToken:
			if first := keys.add(tok.name, tok.line); first != 0 {
				return f.errorf(tok.line, "%s is set here again, first on line %d", printable(string(tok.name)), first)
			}
		}
	}
}

// close ends the section that is open, if any, before the byte offset end.
func (f *file) close(end int) {
	if n := len(f.sections); n > 0 {
		f.sections[n-1].end = end
	}
}

func (f *file) errorf(line int, format string, args ...any) error {
	return &SyntaxError{File: f.path, Line: line, Reason: fmt.Sprintf(format, args...)}
}

// A keySet finds keys that are set twice. Sections are short: a walk beats a map.
type keySet struct {
	names [][]byte
	lines []int
	more  map[string]int // beyond a few dozen
}

const fewKeys = 32

func (k *keySet) reset() { k.names, k.lines, k.more = k.names[:0], k.lines[:0], nil }

// add returns the line of an earlier key of that name, or 0.
func (k *keySet) add(name []byte, line int) int {
	for i, n := range k.names {
		if bytes.Equal(n, name) {
			return k.lines[i]
		}
	}
	if len(k.names) < fewKeys {
		k.names, k.lines = append(k.names, name), append(k.lines, line)
		return 0
	}
	if first := k.more[string(name)]; first != 0 {
		return first
	}
	if k.more == nil {
		k.more = map[string]int{}
	}
	k.more[string(name)] = line
	return 0
}

// A token is one line that says something.
type token struct {
	kind       tokenKind
	line       int    // from 1
	start, end int    // byte range of the line, with its end
	name       []byte // of the section or, in lower case, the key
	value      []byte // after the delimiter, or a continuation line; trimmed
}

type tokenKind int

const (
	endToken      tokenKind = iota
	headerToken             // [name]
	keyToken                // key = value, or key: value
	continueToken           // a line indented deeper than its key, or blank below one
)

// A lexer cuts lines the way configparser.RawConfigParser does: comments only
// on lines of their own, both delimiters, any line ending, values that go on
// in deeper indented lines.
type lexer struct {
	rest   []byte
	offset int // of rest in the whole
	line   int // of the last token
	indent int // of the last header or key
	hasCR  bool

	inSection bool
	inKey     bool
	nested    bool // the key's own line has no value: what follows is key=value lines
}

func newLexer(data []byte) lexer {
	return lexer{rest: data, hasCR: bytes.IndexByte(data, '\r') >= 0}
}

// next returns the next token; comments and blank lines outside of values are
// passed over.
func (l *lexer) next() (token, error) {
	for len(l.rest) > 0 {
		raw, size := l.cutLine()
		tok := token{start: l.offset, end: l.offset + size}
		l.rest, l.offset, l.line = l.rest[size:], l.offset+size, l.line+1
		tok.line = l.line

		text, indent := trimSpace(raw)
		switch {
		case len(text) == 0 && l.inKey:
			tok.kind = continueToken
			return tok, nil
		case len(text) == 0, text[0] == '#', text[0] == ';':
			continue
		case l.inKey && indent > l.indent:
			if l.nested && (bytes.IndexByte(text, '=') < 0 || bytes.ContainsAny(text, "\v\f\x1c\x1d\x1e\u0085\u2028\u2029")) { // where str.splitlines cuts
				return tok, errors.New(`a line of a nested block is not "key = value"`)
			}
			tok.kind, tok.value = continueToken, text
			return tok, nil
		}
		l.indent = indent
		return l.statement(tok, text)
	}
	return token{kind: endToken}, nil
}

// statement reads a line that is no continuation: a header or a key.
func (l *lexer) statement(tok token, text []byte) (token, error) {
	if end := bytes.LastIndexByte(text, ']'); text[0] == '[' && end > 1 {
		tok.kind, tok.name = headerToken, text[1:end]
		l.inSection, l.inKey = true, false
		return tok, nil
	}
	if !l.inSection {
		return tok, errors.New("a line stands before the first [section]")
	}
	at := bytes.IndexAny(text, "=:")
	if at < 0 {
		return tok, errors.New(`a line is neither a [section] nor "key = value"`)
	}
	name, _ := trimSpace(text[:at])
	if len(name) == 0 {
		return tok, errors.New("a value has no key")
	}
	if bytes.ContainsAny(name, "\u0130\u03a3") {
		return tok, errors.New("a key has a capital letter (İ or Σ) whose small one Python and Go see differently")
	}
	tok.kind, tok.name = keyToken, lower(name)
	tok.value, _ = trimSpace(text[at+1:])
	l.inKey, l.nested = true, len(tok.value) == 0
	return tok, nil
}

// cutLine returns the first line without its end (\n, \r\n or \r), and its
// size with it.
func (l *lexer) cutLine() (line []byte, size int) {
	end := bytes.IndexByte(l.rest, '\n')
	if l.hasCR {
		end = bytes.IndexAny(l.rest, "\r\n")
	}
	switch {
	case end < 0:
		return l.rest, len(l.rest)
	case bytes.HasPrefix(l.rest[end:], []byte("\r\n")):
		return l.rest[:end], end + 2
	}
	return l.rest[:end], end + 1
}

// lexer reads the section's lines, with their places in the whole file.
func (f *file) lexer(s *section) lexer {
	lex := newLexer(f.data[s.start:s.end])
	lex.offset, lex.line, lex.inSection = s.start, s.line, true
	return lex
}

// lineOf is the line that the byte offset at is on.
func lineOf(data []byte, at int) int {
	lex := newLexer(data)
	for line := 1; ; line++ {
		_, size := lex.cutLine()
		lex.rest, lex.offset = lex.rest[size:], lex.offset+size
		if at < lex.offset || len(lex.rest) == 0 {
			return line
		}
	}
}

// trimSpace trims what Python's str.strip does, and counts the characters it
// took on the left.
func trimSpace(s []byte) (text []byte, indent int) {
	for len(s) > 0 {
		r, size := rune(s[0]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(s)
		}
		if !isSpace(r) {
			break
		}
		s, indent = s[size:], indent+1
	}
	return bytes.TrimRightFunc(s, isSpace), indent
}

// isSpace is Python's str.isspace: Unicode's white space and four separators.
func isSpace(r rune) bool {
	return r == ' ' || r >= 0x1c && r <= 0x1f || unicode.IsSpace(r)
}

func lower(name []byte) []byte {
	for _, c := range name {
		if c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return bytes.ToLower(name)
		}
	}
	return name
}

// invalidUTF8 returns the offset of the first byte that is not UTF-8, or -1.
func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	for at := 0; at < len(data); {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return -1
}

// printable is s with what a terminal would interpret made visible.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "%+q", r)
		}
	}
	return b.String()
}
