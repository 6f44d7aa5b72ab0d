package profile

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"math/bits"
	"os"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"
	"unsafe"
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
	path   string
	data   string
	marks  []mark
	byName table
}

// A mark is where a section is: in byte offsets, and small, since there may be
// many thousands.
type mark struct {
	line             uint32 // of the header, from 1
	header           uint32 // its line
	name, nameEnd    uint32
	start            uint32 // the lines below the header
	roleArn, roleEnd uint32 // the value of role_arn, if that is plain to see; else 0
	like             uint32 // the first of the sections, one below the other, that differ in that value alone
}

// A section is a header and the lines up to the next one.
type section struct {
	name       string
	line       int // of the header, from 1
	header     int // byte offset of its line
	start, end int // byte range of the lines below the header
}

// at is the section of that index.
func (f *file) at(i int) *section {
	m := &f.marks[i]
	return &section{name: f.name(i), line: int(m.line), header: int(m.header), start: int(m.start), end: f.end(i)}
}

func (f *file) name(i int) string { return f.data[f.marks[i].name:f.marks[i].nameEnd] }

// end is the byte offset below the section.
func (f *file) end(i int) int {
	if i+1 < len(f.marks) {
		return int(f.marks[i+1].header)
	}
	return len(f.data)
}

// section is the one with that name, the last one of [DEFAULT]; nil without one.
func (f *file) section(name string) *section {
	if i := f.find(name); i >= 0 {
		return f.at(i)
	}
	return nil
}

// find is the index of the section with that name, -1 without one.
func (f *file) find(name string) int {
	if f.byName.lengths&lengthBit(name) == 0 {
		return -1
	}
	return int(*f.slot(name)) - 1
}

// A table finds sections by name.
type table struct {
	slots   []uint32 // the index of a section and 1, or 0; a power of two, never full
	seed    maphash.Seed
	lengths uint64 // of the names there are
}

func lengthBit(name string) uint64 { return 1 << (len(name) % 64) }

// slot is the one of the section with that name, or for it.
func (f *file) slot(name string) *uint32 {
	last := uint64(len(f.byName.slots) - 1)
	for at := maphash.String(f.byName.seed, name) & last; ; at = (at + 1) & last {
		if slot := &f.byName.slots[at]; *slot == 0 || f.name(int(*slot)-1) == name {
			return slot
		}
	}
}

// largest is how large a file may be, in bytes: enough for some 100,000 profiles,
// read in a fraction of a second, and little enough for a mark.
const largest = 64 << 20

// open reads and indexes the file. A file that is not there has no sections, nor
// has /dev/null. What else is no file, such as a pipe, the AWS CLI takes for not
// being there as well; but that is nothing that anybody could mean.
func open(path string) (*file, error) {
	info, err := os.Stat(path)
	unreadable := func(reason string) error {
		return &fs.PathError{Op: "read", Path: path, Err: errors.New(reason)}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return newFile(path, ""), nil
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, unreadable("is a directory")
	case info.Mode()&fs.ModeCharDevice != 0:
		return newFile(path, ""), nil
	case !info.Mode().IsRegular():
		return nil, unreadable("is not a regular file")
	case info.Size() > largest:
		return nil, unreadable("is larger than 64 MiB")
	}
	data, err := readText(path)
	if err != nil {
		return nil, err
	}
	f := newFile(path, data)
	return f, f.scan()
}

// readText reads the file as text. It is nobody else's, so it needs no copy.
func readText(path string) (string, error) {
	data, err := readFile(path)
	return unsafe.String(unsafe.SliceData(data), len(data)), err
}

func newFile(path, data string) *file {
	most := strings.Count(data, "[")
	return &file{path: path, data: data, marks: make([]mark, 0, most),
		byName: table{slots: make([]uint32, 2<<bits.Len(uint(most))), seed: maphash.MakeSeed()}}
}

// scan makes the index in a single pass and finds everything for which
// Python's configparser, in its strict mode, refuses a file.
func (f *file) scan() error {
	if strings.HasPrefix(f.data, "\ufeff") {
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
			return nil
		case headerToken:
			if err := f.add(tok); err != nil {
				return err
			}
			if f.repeats(&lex) {
				continue
			}
			if keys = &seen; tok.name == defaultSection {
				keys = &inherited
			} else {
				seen.reset()
			}
		case keyToken:
			if first := keys.add(tok.name, tok.line); first != 0 {
				return f.errorf(tok.line, "%s is set here again, first on line %d", printable(tok.name), first)
			}
			if keys == &seen && tok.name == "role_arn" && tok.from > 0 {
				m := &f.marks[len(f.marks)-1]
				m.roleArn, m.roleEnd = uint32(tok.from), uint32(tok.from+len(tok.value))
			}
		case continueToken:
			if m := &f.marks[len(f.marks)-1]; tok.value != "" {
				m.roleArn, m.roleEnd = 0, 0
			}
		}
	}
}

// add begins a section.
func (f *file) add(header token) error {
	slot := f.slot(header.name)
	if *slot != 0 && header.name != defaultSection {
		return f.errorf(header.line, "section [%s] stands here again, first on line %d", printable(header.name), f.marks[*slot-1].line)
	}
	n := uint32(len(f.marks))
	*slot = n + 1
	f.byName.lengths |= lengthBit(header.name)
	f.marks = append(f.marks, mark{line: uint32(header.line), header: uint32(header.start), start: uint32(header.end),
		name: uint32(header.from), nameEnd: uint32(header.from + len(header.name)), like: n})
	return nil
}

// repeats passes over the lines of the section that has just begun, if all but
// the value of role_arn is as in the section above: what was found to be in
// order there is so here.
func (f *file) repeats(lex *lexer) bool {
	n := len(f.marks) - 1
	if n == 0 || lex.hasCR || f.marks[n-1].roleArn == 0 || f.name(n) == defaultSection {
		return false
	}
	before, after := f.aroundRole(n - 1)
	rest, ok := strings.CutPrefix(lex.rest, before)
	if !ok {
		return false
	}
	size := strings.IndexByte(rest, '\n')
	if size <= 0 || !isGraphic(rest[0]) || !isGraphic(rest[size-1]) {
		return false
	}
	if rest, ok = strings.CutPrefix(rest[size:], after); !ok || rest != "" && !startsWithHeader(rest) {
		return false
	}
	m, above := &f.marks[n], &f.marks[n-1]
	m.roleArn = uint32(lex.offset + len(before))
	m.roleEnd = m.roleArn + uint32(size)
	m.like = above.like
	lex.skip(len(before)+size+len(after), int(m.line-above.line)-1)
	return true
}

// aroundRole is the text of the section's lines before and after the value of
// role_arn.
func (f *file) aroundRole(i int) (before, after string) {
	m := &f.marks[i]
	return f.data[m.start:m.roleArn], f.data[m.roleEnd:f.end(i)]
}

func startsWithHeader(text string) bool {
	line, _, _ := strings.Cut(text, "\n")
	return strings.HasPrefix(line, "[") && strings.LastIndexByte(line, ']') > 1
}

func (f *file) errorf(line int, format string, args ...any) error {
	return &SyntaxError{File: f.path, Line: line, Reason: fmt.Sprintf(format, args...)}
}

// A keySet finds keys that are set twice. Sections are short: a walk beats a map.
type keySet struct {
	names []string
	lines []int
	more  map[string]int // beyond a few dozen
}

const fewKeys = 32

func (k *keySet) reset() { k.names, k.lines, k.more = k.names[:0], k.lines[:0], nil }

// add returns the line of an earlier key of that name, or 0.
func (k *keySet) add(name string, line int) int {
	for i, n := range k.names {
		if n == name {
			return k.lines[i]
		}
	}
	if len(k.names) < fewKeys {
		k.names, k.lines = append(k.names, name), append(k.lines, line)
		return 0
	}
	if first := k.more[name]; first != 0 {
		return first
	}
	if k.more == nil {
		k.more = map[string]int{}
	}
	k.more[name] = line
	return 0
}

// A token is one line that says something.
type token struct {
	kind       tokenKind
	line       int    // from 1
	start, end int    // byte range of the line, with its end
	name       string // of the section or, in lower case, the key
	value      string // after the delimiter, or a continuation line; trimmed
	from       int    // byte offset of a section's name; of the value of a key, if that is plain to see, else 0
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
	rest   string
	offset int // of rest in the whole
	line   int // of the last token
	indent int // of the last header or key
	hasCR  bool

	inSection bool
	inKey     bool
	nested    bool // the key's own line has no value: what follows is key=value lines
}

func newLexer(data string) lexer {
	return lexer{rest: data, hasCR: strings.IndexByte(data, '\r') >= 0}
}

// next returns the next token; comments and blank lines outside of values are
// passed over.
func (l *lexer) next() (token, error) {
	for len(l.rest) > 0 {
		if tok, ok := l.plainHeader(); ok {
			return tok, nil
		}
		if tok, ok := l.plainKey(); ok {
			return tok, nil
		}
		raw, size := l.cutLine()
		tok := token{start: l.offset, end: l.offset + size}
		l.skip(size, 1)
		tok.line = l.line

		text, indent := trimSpace(raw)
		switch {
		case len(text) == 0 && l.inKey:
			tok.kind = continueToken
			return tok, nil
		case len(text) == 0, text[0] == '#', text[0] == ';':
			continue
		case l.inKey && indent > l.indent:
			if l.nested && !isBlock(text) {
				return tok, errors.New(`a line of a nested block is not "key = value"`)
			}
			tok.kind, tok.value = continueToken, text
			return tok, nil
		}
		l.indent = indent
		return l.statement(tok, raw, text)
	}
	return token{kind: endToken}, nil
}

// plainHeader reads what most headers are: all of their line.
func (l *lexer) plainHeader() (tok token, ok bool) {
	if l.rest[0] != '[' || l.hasCR {
		return token{}, false
	}
	size := strings.IndexByte(l.rest, '\n')
	if size < len("[x]") || l.rest[size-1] != ']' {
		return token{}, false
	}
	tok = token{kind: headerToken, line: l.line + 1, start: l.offset, end: l.offset + size + 1, name: l.rest[1 : size-1], from: l.offset + 1}
	l.skip(size+1, 1)
	l.indent, l.inSection, l.inKey = 0, true, false
	return tok, true
}

// plainKey reads what most other lines are: a key and a value on a line that
// starts with the key, with spaces, if any, around the delimiter alone.
func (l *lexer) plainKey() (tok token, ok bool) {
	if l.hasCR || !l.inSection {
		return token{}, false
	}
	name := 0
	for name < len(l.rest) && isPlain(l.rest[name]) {
		name++
	}
	from := skipSpaces(l.rest, name)
	if name == 0 || from == len(l.rest) || l.rest[from] != '=' && l.rest[from] != ':' {
		return token{}, false
	}
	from = skipSpaces(l.rest, from+1)
	size := strings.IndexByte(l.rest[from:], '\n')
	if size <= 0 || !isGraphic(l.rest[from]) || !isGraphic(l.rest[from+size-1]) {
		return token{}, false
	}
	tok = token{kind: keyToken, line: l.line + 1, start: l.offset, end: l.offset + from + size + 1,
		name: l.rest[:name], value: l.rest[from : from+size], from: l.offset + from}
	l.skip(from+size+1, 1)
	l.indent, l.inKey, l.nested = 0, true, false
	return tok, true
}

// isPlain tells whether c may be in a key that means nothing else, and is one
// in lower case.
func isPlain(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '-' || c == '.'
}

// isBlock tells whether the line is one of a nested block.
func isBlock(line string) bool {
	for _, part := range splitLines(line) {
		if strings.IndexByte(part, '=') < 0 && strings.TrimFunc(part, isSpace) != "" {
			return false
		}
	}
	return true
}

// splitLines cuts a line of a nested block once more, as Python's
// str.splitlines does there.
func splitLines(line string) []string {
	return strings.FieldsFunc(line, func(r rune) bool {
		return '\n' <= r && r <= '\r' || 0x1c <= r && r <= 0x1e || r == 0x85 || r == '\u2028' || r == '\u2029'
	})
}

// isGraphic tells a character of ASCII that is to be seen.
func isGraphic(c byte) bool { return ' ' < c && c <= '~' }

func skipSpaces(s string, at int) int {
	for at < len(s) && s[at] == ' ' {
		at++
	}
	return at
}

func (l *lexer) skip(size, lines int) {
	l.rest, l.offset, l.line = l.rest[size:], l.offset+size, l.line+lines
}

// statement reads a line that is no continuation: a header or a key.
func (l *lexer) statement(tok token, raw, text string) (token, error) {
	if end := strings.LastIndexByte(text, ']'); text[0] == '[' && end > 1 {
		tok.kind, tok.name = headerToken, text[1:end]
		tok.from = tok.start + strings.IndexByte(raw, '[') + 1
		l.inSection, l.inKey = true, false
		return tok, nil
	}
	if !l.inSection {
		return tok, errors.New("a line stands before the first [section]")
	}
	at := strings.IndexAny(text, "=:")
	if at < 0 {
		return tok, errors.New(`a line is neither a [section] nor "key = value"`)
	}
	name, _ := trimSpace(text[:at])
	if len(name) == 0 {
		return tok, errors.New("a value has no key")
	}
	if strings.ContainsAny(name, "\u0130\u03a3") {
		return tok, errors.New("a key has a capital letter (İ or Σ) whose small one Python and Go see differently")
	}
	tok.kind, tok.name = keyToken, strings.ToLower(name)
	tok.value, _ = trimSpace(text[at+1:])
	l.inKey, l.nested = true, len(tok.value) == 0
	return tok, nil
}

// cutLine returns the first line without its end (\n, \r\n or \r), and its
// size with it.
func (l *lexer) cutLine() (line string, size int) {
	end := strings.IndexByte(l.rest, '\n')
	if l.hasCR {
		end = strings.IndexAny(l.rest, "\r\n")
	}
	switch {
	case end < 0:
		return l.rest, len(l.rest)
	case strings.HasPrefix(l.rest[end:], "\r\n"):
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
func lineOf(data string, at int) int {
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
func trimSpace(s string) (text string, indent int) {
	for len(s) > 0 {
		r, size := rune(s[0]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s)
		}
		if !isSpace(r) {
			break
		}
		s, indent = s[size:], indent+1
	}
	if len(s) > 0 && isGraphic(s[len(s)-1]) {
		return s, indent
	}
	return strings.TrimRightFunc(s, isSpace), indent
}

// isSpace is Python's str.isspace: Unicode's white space and four separators.
func isSpace(r rune) bool {
	return r == ' ' || r >= 0x1c && r <= 0x1f || unicode.IsSpace(r)
}

// invalidUTF8 returns the offset of the first byte that is not UTF-8, or -1.
func invalidUTF8(data string) int {
	if utf8.ValidString(data) {
		return -1
	}
	for at := 0; at < len(data); {
		r, size := utf8.DecodeRuneInString(data[at:])
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
