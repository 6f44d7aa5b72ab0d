package profile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Change sets a key of a section, or removes it.
type Change struct {
	Key    string // lower-case
	Value  string // of one line, without spaces around it; may be empty
	Remove bool
}

// ConfigSection is the section that defines the profile in a config file with
// that text, however its name is spelled there; without one, it is the section
// to make. The path only names the file in errors, which are *SyntaxError.
//
// A credentials file has its profiles in sections of their own names.
func ConfigSection(path string, data []byte, profile string) (string, error) {
	f := newFile(path, string(data))
	if err := f.scan(); err != nil {
		return "", err
	}
	set := Set{config: f, odd: f.oddProfiles()}
	switch section := set.section(profile); {
	case section >= 0:
		return f.name(section), nil
	case profile == "default":
		return profile, nil
	case profile == "" || strings.ContainsAny(profile, " \t\r\n'\"\\"):
		return `profile "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(profile) + `"`, nil
	}
	return "profile " + profile, nil
}

// Edit makes changes in one section of an AWS file, whose text is data, and
// returns the new text; data stays as it is. The path only names the file in
// errors. The section is named as between its brackets.
//
// Nothing but the lines of those keys changes: a key that is there keeps its
// spelling, place and spacing and gets the value in place of its old lines; new
// keys follow the section's last one and look like it. A section that is not
// there is appended, below a blank line. A section whose last key is removed
// goes too, with that blank line: what was appended leaves nothing behind, but
// a line end after a last line that had none. Comments stay, and what they
// stand in: a section with comments left keeps its header, unless they stand
// directly above the next header, parted from the keys by a blank line.
//
// A removed key may still be inherited from [DEFAULT], which is never edited.
//
// A file that the AWS CLI refuses is a *SyntaxError. Changes that it would read
// back in any other way than written are refused, as is a result that says
// anything else in other places than data did. Errors hold no values.
func Edit(path string, data []byte, section string, changes []Change) ([]byte, error) {
	f := newFile(path, string(data))
	if err := f.scan(); err != nil {
		return nil, err
	}
	err := checkChanges(changes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s := f.section(section)
	if s == nil {
		err = checkSection(section)
	} else if section == defaultSection {
		err = errors.New("section [DEFAULT] is inherited by all others and is not edited")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if s == nil {
		return f.checked(f.appended(section, changes), section, changes)
	}
	lines, frame := f.splices(s, changes)
	out, err := f.checked(splice(f.data, lines, frame), section, changes)
	if err != nil && len(frame) > 0 {
		// An indented header may need the one above it, not to go on a value.
		return f.checked(splice(f.data, lines), section, changes)
	}
	return out, err
}

func checkChanges(changes []Change) error {
	for i, c := range changes {
		switch {
		case strings.Trim(c.Key, "abcdefghijklmnopqrstuvwxyz0123456789_-.") != "" || c.Key == "":
			return fmt.Errorf("%s is not a key (a-z, 0-9 and _-.)", quote(c.Key))
		case slices.ContainsFunc(changes[:i], func(d Change) bool { return d.Key == c.Key }):
			return fmt.Errorf("%s is changed twice", c.Key)
		case !c.Remove && !oneLine(c.Value):
			return fmt.Errorf("the value of %s has control characters, line ends, or spaces around it, or is not UTF-8", c.Key)
		}
	}
	return nil
}

func checkSection(name string) error {
	if name == "" || name == defaultSection || !oneLine(name) || strings.Contains(name, "]") {
		return fmt.Errorf("%s is not a name for a section", quote(name))
	}
	return nil
}

// oneLine tells whether Python reads s back as it is, whether it cuts lines as
// files or as strings.
func oneLine(s string) bool {
	text, _ := trimSpace(s)
	return len(text) == len(s) && utf8.ValidString(s) &&
		!strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' })
}

// An entry is a key of a section, its value, and the lines that both stand on:
// no comments between them, no blank lines below.
type entry struct {
	name, value string
	lines       []token
}

// end is the byte offset below the entry.
func (e entry) end() int { return e.lines[len(e.lines)-1].end }

// settle leaves out the blank lines below the value, which are not part of it,
// and joins the rest as Python does.
func (e *entry) settle() {
	for len(e.lines) > 1 && len(e.lines[len(e.lines)-1].value) == 0 {
		e.lines = e.lines[:len(e.lines)-1]
	}
	values := make([]string, len(e.lines))
	for i, line := range e.lines {
		values[i] = line.value
	}
	e.value = strings.Join(values, "\n")
}

func (f *file) entries(s *section) (all []entry) {
	lex := f.lexer(s)
	for {
		tok, err := lex.next()
		switch {
		case err != nil || tok.kind == endToken: // the index has seen every error
			for i := range all {
				all[i].settle()
			}
			return all
		case tok.kind == keyToken:
			all = append(all, entry{name: tok.name, lines: []token{tok}})
		default:
			last := &all[len(all)-1]
			last.lines = append(last.lines, tok)
		}
	}
}

// An edit puts text in the place of a range of bytes.
type edit struct {
	start, end int
	text       string
}

// splice makes the edits, of which none overlap.
func splice(text string, edits ...[]edit) string {
	all := slices.Concat(edits...)
	slices.SortStableFunc(all, func(a, b edit) int { return cmp.Or(a.start-b.start, a.end-b.end) })
	var out strings.Builder
	at := 0
	for _, e := range all {
		out.WriteString(text[at:e.start] + e.text)
		at = e.end
	}
	return out.String() + text[at:]
}

// splices are the changes as edits of the section's lines and, if no key is
// left, those of its frame: the header and the blank line above it.
func (f *file) splices(s *section, changes []Change) (lines, frame []edit) {
	all := f.entries(s)
	left := len(all)
	var added []Change
	for _, c := range changes {
		i := slices.IndexFunc(all, func(e entry) bool { return e.name == c.Key })
		switch {
		case i < 0 && !c.Remove:
			added = append(added, c)
		case i < 0:
		case c.Remove:
			lines = append(lines, removal(all[i].lines)...)
			left--
		case all[i].value != c.Value:
			lines = append(lines, f.newValue(all[i].lines[0], c.Value))
			lines = append(lines, removal(all[i].lines[1:])...)
		}
	}
	switch {
	case len(added) > 0:
		at, indent := f.foot(s, all)
		above := splice(f.data[:at], lines)
		lines = append(lines, edit{at, at, nextLine(above) + settings(added, indent, lineEnd(f.data[:at]))})
	case left == 0 && len(all) > 0:
		frame = f.frame(s, all)
	}
	return lines, frame
}

func removal(lines []token) (edits []edit) {
	for _, line := range lines {
		edits = append(edits, edit{start: line.start, end: line.end})
	}
	return edits
}

// newValue is the edit of a key's own line.
func (f *file) newValue(line token, value string) edit {
	text := trimLineEnd(f.data[line.start:line.end])
	from := strings.IndexAny(text, "=:") + 1
	rest := text[from:]
	gap := len(rest) - len(strings.TrimLeftFunc(rest, isSpace))
	if before, _ := utf8.DecodeLastRuneInString(text[:from-1]); len(rest) == 0 && isSpace(before) {
		value = " " + value // behind "key =", to look like "key = value"
	}
	at := line.start + from + gap
	return edit{at, at + len(line.value), value}
}

// foot is where the section's next key goes, and its indentation: as deep as
// the key above, which would else go on in it, and not less than a header
// below, which would else go on in the new key.
func (f *file) foot(s *section, all []entry) (at int, indent string) {
	if len(all) > 0 {
		last := all[len(all)-1]
		return last.end(), f.indent(last.lines[0].start)
	}
	indent = f.indent(s.header)
	if s.end < len(f.data) {
		if below := f.indent(s.end); utf8.RuneCountInString(below) > utf8.RuneCountInString(indent) {
			indent = below
		}
	}
	return s.start, indent
}

// indent is the space that the line at that offset starts with.
func (f *file) indent(start int) string {
	rest := f.data[start:]
	return rest[:len(rest)-len(strings.TrimLeftFunc(rest, isSpace))]
}

// nextLine is what it takes to start a line below the text.
func nextLine(text string) string {
	if len(text) == 0 || endsLine(text) {
		return ""
	}
	return lineEnd(text)
}

func endsLine(text string) bool {
	return strings.HasSuffix(text, "\n") || strings.HasSuffix(text, "\r")
}

// lineEnd is how the last line with an end ends: \n, \r\n or \r.
func lineEnd(text string) string {
	at := strings.LastIndexAny(text, "\r\n")
	switch {
	case at < 0:
		return "\n"
	case strings.HasSuffix(text[:at+1], "\r\n"):
		return "\r\n"
	}
	return text[at : at+1]
}

func settings(changes []Change, indent, end string) string {
	var b strings.Builder
	for _, c := range changes {
		b.WriteString(strings.TrimRight(indent+c.Key+" = "+c.Value, " ") + end)
	}
	return b.String()
}

// appended is the file with a new section, if there is a key for it.
func (f *file) appended(section string, changes []Change) string {
	changes = slices.DeleteFunc(slices.Clone(changes), func(c Change) bool { return c.Remove })
	if len(changes) == 0 {
		return f.data
	}
	end := lineEnd(f.data)
	text := "[" + section + "]" + end + settings(changes, "", end)
	if len(f.data) > 0 {
		// Also below a blank line: else nothing tells whose that is when the
		// section goes.
		text = nextLine(f.data) + end + text
	}
	return f.data + text
}

// frame is the edit that takes the section's header away, and the blank line
// above if it parts nothing then; none if comments need the header.
func (f *file) frame(s *section, all []entry) []edit {
	header := f.data[s.header:s.start]
	text, _ := trimSpace(header)
	foot := all[len(all)-1].end()
	if text[len(text)-1] != ']' || hasText(f.between(s, all)) || hasText(f.tail(s, foot)) {
		return nil
	}
	start := s.header
	above := trimLineEnd(f.data[:s.header])
	lex := newLexer(f.data[foot:])
	below, _ := lex.cutLine()
	if endsLine(above) && !hasText(below) {
		start = len(above)
	}
	return []edit{{start: start, end: s.start}}
}

// between is what stands among the lines of the keys.
func (f *file) between(s *section, all []entry) string {
	var text strings.Builder
	at := s.start
	for _, e := range all {
		for _, line := range e.lines {
			text.WriteString(f.data[at:line.start])
			at = line.end
		}
	}
	return text.String()
}

// tail is what stands below the keys, without the comments that belong to the
// next header.
func (f *file) tail(s *section, foot int) string {
	tail := f.data[foot:s.end]
	if s.end == len(f.data) {
		return tail
	}
	blank := -1
	for lex := newLexer(tail); len(lex.rest) > 0; {
		line, size := lex.cutLine()
		lex.rest, lex.offset = lex.rest[size:], lex.offset+size
		if !hasText(line) {
			blank = lex.offset
		}
	}
	if blank < 0 {
		return tail
	}
	return tail[:blank]
}

func hasText(text string) bool { return len(strings.TrimLeftFunc(text, isSpace)) > 0 }

func trimLineEnd(text string) string {
	if endsLine(text) {
		return text[:len(text)-len(lineEnd(text))]
	}
	return text
}

// checked is out, if the same reader finds in it what was there and what the
// changes say, and nothing else.
func (f *file) checked(out, section string, changes []Change) ([]byte, error) {
	others, own := f.content(section)
	for _, c := range changes {
		i := slices.IndexFunc(own, func(e Change) bool { return e.Key == c.Key })
		switch {
		case c.Remove && i >= 0:
			own = slices.Delete(own, i, i+1)
		case c.Remove:
		case i >= 0:
			own[i].Value = c.Value
		default:
			own = append(own, Change{Key: c.Key, Value: c.Value})
		}
	}
	made := newFile(f.path, out)
	if made.scan() == nil {
		othersMade, ownMade := made.content(section)
		if slices.Equal(others, othersMade) && slices.Equal(own, ownMade) {
			return []byte(out), nil
		}
	}
	return nil, fmt.Errorf("%s: section [%s] cannot be edited without an effect on others", f.path, printable(section))
}

// content is what the sections say: that one's keys with their values, and all
// of the others' in order, with the bytes that they are written in.
func (f *file) content(section string) (others []string, own []Change) {
	for i := range f.marks {
		s := f.at(i)
		end := s.start
		for _, e := range f.entries(s) {
			end = e.end()
			if s.name == section {
				own = append(own, Change{Key: e.name, Value: e.value})
			} else {
				others = append(others, e.name, e.value)
			}
		}
		if s.name != section {
			others = append(others, strings.TrimRightFunc(f.data[s.header:end], isSpace))
		}
	}
	return others, own
}
