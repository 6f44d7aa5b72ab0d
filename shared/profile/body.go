package profile

import (
	"bytes"
	"errors"
	"strings"

	"gopkg.in/ini.v1"
)

// Guards in front of each key and value keep ini.v1 from taking quotes,
// backticks, dashes and brackets for syntax of its own.
const (
	keyGuard   = "k"
	valueGuard = "v"
)

// body reads the section's keys. A value over several lines has them joined
// by \n; a nested block is one that starts with \n.
func (f *file) body(s *section) (map[string]Value, error) {
	if values, ok := f.plainBody(s); ok {
		return values, nil
	}
	return f.parsedBody(s)
}

// plainBody reads a section that leaves nothing to parse: each value stands on
// one line, and is all that stands there behind the key.
func (f *file) plainBody(s *section) (values map[string]Value, ok bool) {
	values = make(map[string]Value, fewKeys/4)
	for lex := f.lexer(s); ; {
		tok, err := lex.next()
		switch {
		case err != nil:
			return nil, false
		case tok.kind == endToken:
			return values, true
		case tok.kind == keyToken && tok.from > 0:
			values[tok.name] = Value{Text: tok.value, Set: true, From: Origin{File: f.path, Line: tok.line}}
		case tok.kind != continueToken || len(tok.value) > 0:
			return nil, false
		}
	}
}

// parsedBody reads any section.
func (f *file) parsedBody(s *section) (map[string]Value, error) {
	canonical, lines := f.canonical(s)
	parsed, err := ini.LoadSources(ini.LoadOptions{
		IgnoreContinuation:         true,
		IgnoreInlineComment:        true,
		PreserveSurroundedQuote:    true,
		AllowPythonMultilineValues: true,
		ChildSectionDelimiter:      "\x00",
		ReaderBufferSize:           len(canonical) + 1, // a continuation line must fit
	}, canonical)
	if err != nil {
		// The text of err would hold the line, and so perhaps a secret.
		return nil, f.errorf(s.line, "section [%s] cannot be read", printable(s.name))
	}
	values := make(map[string]Value, len(lines))
	for i, key := range parsed.Section("").Keys() {
		name := strings.TrimPrefix(key.Name(), keyGuard)
		text := strings.TrimPrefix(key.Value(), valueGuard)
		text = strings.TrimRightFunc(strings.ReplaceAll(text, "\n\t", "\n"), isSpace)
		values[name] = Value{Text: text, Set: true, From: Origin{File: f.path, Line: lines[i]}}
	}
	if len(values) != len(lines) {
		return nil, f.errorf(s.line, "section [%s] cannot be read", printable(s.name))
	}
	return values, nil
}

// canonical writes the section again in the one form that ini.v1 and Python's
// configparser read alike; lines are those of the keys.
func (f *file) canonical(s *section) (text []byte, lines []int) {
	lex := f.lexer(s)
	var b bytes.Buffer
	for {
		tok, err := lex.next()
		if err != nil || tok.kind == endToken { // the index has seen every error
			return b.Bytes(), lines
		}
		if tok.kind == keyToken {
			b.WriteString(keyGuard)
			b.WriteString(tok.name)
			b.WriteString("=" + valueGuard)
			lines = append(lines, tok.line)
		} else {
			b.WriteByte('\t')
		}
		b.WriteString(tok.value)
		b.WriteByte('\n')
	}
}

// values are those of the section with that name and what it inherits from
// [DEFAULT]; nil without such a section.
func (f *file) values(name string) (map[string]Value, error) {
	own := f.find(name)
	if own < 0 {
		return nil, nil
	}
	values, err := f.body(f.at(own))
	if err != nil {
		return nil, err
	}
	if f.find(defaultSection) < 0 {
		return values, nil
	}
	for i := range f.marks {
		if f.name(i) == defaultSection && i != own {
			inherited, err := f.body(f.at(i))
			if err != nil {
				return nil, err
			}
			for key, value := range inherited {
				if _, own := values[key]; !own {
					values[key] = value
				}
			}
		}
	}
	return values, nil
}

// nested returns one value of a nested block, such as endpoint_url below
// "sts =" in a services section.
func (v Value) nested(key string) (Value, error) {
	if !strings.HasPrefix(v.Text, "\n") {
		return Value{}, errors.New("is not a nested block")
	}
	found := Value{}
	for i, line := range strings.Split(v.Text, "\n") {
		for _, part := range splitLines(line) {
			name, text, ok := strings.Cut(part, "=")
			if ok && strings.TrimFunc(name, isSpace) == key {
				found = Value{Text: strings.TrimFunc(text, isSpace), Set: true, From: v.From}
				found.From.Line += i
			}
		}
	}
	return found, nil
}
