package profile

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func set(key, value string) Change { return Change{Key: key, Value: value} }
func unset(key string) Change      { return Change{Key: key, Remove: true} }

func TestEditChangesOnlyTheLinesOfItsKeys(t *testing.T) {
	region := []Change{set("region", "eu-west-1")}
	gone := []Change{unset("region")}
	for _, c := range []struct {
		name, old string
		changes   []Change
		want      string
	}{
		{"set: only the value", "[s]\n  Region\t:  us-east-1  \nk = v\n", region, "[s]\n  Region\t:  eu-west-1  \nk = v\n"},
		{"set: without spaces", "[s]\nregion=x\n", region, "[s]\nregion=eu-west-1\n"},
		{"set: the line's own end", "[s]\r\nregion = x\r\nk = v\n", region, "[s]\r\nregion = eu-west-1\r\nk = v\n"},
		{"set: old line ends", "[s]\rregion = x\rk = v\r", region, "[s]\rregion = eu-west-1\rk = v\r"},
		{"set: the last line stays without its end", "[s]\nregion = x", region, "[s]\nregion = eu-west-1"},
		{"set: what is so already", "[s]\nregion :\teu-west-1 \n\n", region, "[s]\nregion :\teu-west-1 \n\n"},
		{"set: an empty value", "[s]\nregion =\n", region, "[s]\nregion = eu-west-1\n"},
		{"set: an empty value without spaces", "[s]\nregion=\n", region, "[s]\nregion=eu-west-1\n"},
		{"set: an empty value with spaces", "[s]\nregion =  \n", region, "[s]\nregion =  eu-west-1\n"},
		{"set: spaces that only Python sees", "[s]\nregion =\u00a0\x1cx\u2003\n", region, "[s]\nregion =\u00a0\x1ceu-west-1\u2003\n"},
		{"set: a value with delimiters", "[s]\nregion = a=b:c\n", region, "[s]\nregion = eu-west-1\n"},
		{"set: a value over lines", "[s]\nregion = a\n  b\n\n  c\n\nk = v\n", region, "[s]\nregion = eu-west-1\n\nk = v\n"},
		{"set: comments in a value", "[s]\nregion = a\n# one\n  b\n  ; two\n  c\nk = v\n", region, "[s]\nregion = eu-west-1\n# one\n  ; two\nk = v\n"},
		{"set: a nested block", "[s]\nregion =\n  eu-west-1 = x\nk = v\n", region, "[s]\nregion = eu-west-1\nk = v\n"},
		{"set: a value looking like a comment is replaced", "[s]\nregion = us # mine\n", region, "[s]\nregion = eu-west-1\n"},
		{"set: to nothing", "[s]\nregion = x\n", []Change{set("region", "")}, "[s]\nregion = \n"},
		{"set: not the key of that name in a block", "[s]\ns3 =\n  region = x\n", region, "[s]\ns3 =\n  region = x\nregion = eu-west-1\n"},
		{"set: not the key of another section", "[r]\nregion = x\n[s]\nk = v\n[t]\nregion = x\n", region, "[r]\nregion = x\n[s]\nk = v\nregion = eu-west-1\n[t]\nregion = x\n"},

		{"add: below the last key", "[s]\nk = v\n[t]\n", region, "[s]\nk = v\nregion = eu-west-1\n[t]\n"},
		{"add: above blank lines and comments", "[s]\nk = v\n\n# of t\n[t]\n", region, "[s]\nk = v\nregion = eu-west-1\n\n# of t\n[t]\n"},
		{"add: below a value over lines", "[s]\nk = v\n  w\n  # c\n  x\n\n[t]\n", region, "[s]\nk = v\n  w\n  # c\n  x\nregion = eu-west-1\n\n[t]\n"},
		{"add: as deep as the last key", "[s]\n\tj = v\n k = v\n[t]\n", region, "[s]\n\tj = v\n k = v\n region = eu-west-1\n[t]\n"},
		{"add: without keys yet", "[s]\n# c\n[t]\nk = v\n", region, "[s]\nregion = eu-west-1\n# c\n[t]\nk = v\n"},
		{"add: as deep as its header", "  [s]\n", region, "  [s]\n  region = eu-west-1\n"},
		{"add: as deep as the next header", "[s]\n  [t]\nk = v\n", region, "[s]\n  region = eu-west-1\n  [t]\nk = v\n"},
		{"add: with the neighbour's line end", "[r]\nk = v\n[s]\r\nk = v\r\n\n", region, "[r]\nk = v\n[s]\r\nk = v\r\nregion = eu-west-1\r\n\n"},
		{"add: below a last line without its end", "[s]\r\nk = v", region, "[s]\r\nk = v\r\nregion = eu-west-1\r\n"},
		{"add: below a header without line end", "[s]", region, "[s]\nregion = eu-west-1\n"},
		{"add: in their order, unless they are there", "[s]\nb = 1\n", []Change{set("c", "3"), set("b", "2"), set("a", "")}, "[s]\nb = 2\nc = 3\na =\n"},
		{"add: in the place of the last key", "[s]\n  k = v\n    w\n# c\n", []Change{unset("k"), set("region", "x")}, "[s]\n  region = x\n# c\n"},
		{"add: in the place of a last line without its end", "[s]\nj = 1\nk = v", []Change{unset("k"), set("region", "x")}, "[s]\nj = 1\nregion = x\n"},
		{"add: below a last line that goes", "[s]\nk = v\n  w", []Change{set("k", ""), set("region", "x")}, "[s]\nk = \nregion = x\n"},
		{"add: below a value that goes", "[s]\nk = v", []Change{set("k", ""), set("region", "x")}, "[s]\nk = \nregion = x\n"},
		{"add: what DEFAULT has", "[DEFAULT]\nregion = x\n[s]\nk = v\n", region, "[DEFAULT]\nregion = x\n[s]\nk = v\nregion = eu-west-1\n"},

		{"append: to nothing", "", region, "[s]\nregion = eu-west-1\n"},
		{"append: below a blank line", "[r]\nk = v\n", region, "[r]\nk = v\n\n[s]\nregion = eu-west-1\n"},
		{"append: below one more blank line", "[r]\nk = v\n\n", region, "[r]\nk = v\n\n\n[s]\nregion = eu-west-1\n"},
		{"append: below a last line without its end", "[r]\n  k = v", region, "[r]\n  k = v\n\n[s]\nregion = eu-west-1\n"},
		{"append: with the file's line end", "[r]\nj = v\nk = v\r\n", region, "[r]\nj = v\nk = v\r\n\r\n[s]\r\nregion = eu-west-1\r\n"},
		{"append: below a comment", "# none yet", region, "# none yet\n\n[s]\nregion = eu-west-1\n"},
		{"append: only what is set", "[r]\nk = v\n", []Change{unset("k"), set("j", "w")}, "[r]\nk = v\n\n[s]\nj = w\n"},

		{"remove: its line", "[s]\nj = 1\nregion = x\nk = 1\n", gone, "[s]\nj = 1\nk = 1\n"},
		{"remove: a value over lines", "[s]\nregion =\n  a = 1\n\n  # c\n  b = 1\n\nk = 1\n", gone, "[s]\n  # c\n\nk = 1\n"},
		{"remove: what is not there", "[s]\nk = 1\n", gone, "[s]\nk = 1\n"},
		{"remove: from no section", "[r]\nregion = x", gone, "[r]\nregion = x"},
		{"remove: from an empty section", "[s]\n\n[t]\n", gone, "[s]\n\n[t]\n"},
		{"remove: not from DEFAULT", "[DEFAULT]\nregion = x\n[s]\nk = 1\nregion = y\n", gone, "[DEFAULT]\nregion = x\n[s]\nk = 1\n"},
		{"remove: the last key with its section", "[r]\nk = v\n\n[s]\nregion = x\n\n[t]\nk = v\n", gone, "[r]\nk = v\n\n[t]\nk = v\n"},
		{"remove: the blank line only where there is another", "[r]\nk = v\n\n[s]\nregion = x\n[t]\nk = v\n", gone, "[r]\nk = v\n\n[t]\nk = v\n"},
		{"remove: one blank line", "[r]\nk = v\n\n\n[s]\nregion = x", gone, "[r]\nk = v\n\n"},
		{"remove: no blank line with something in it", "[r]\nk = v\n \n[s]\nregion = x\n", gone, "[r]\nk = v\n \n"},
		{"remove: the only section", "[s]\nregion = x\n", gone, ""},
		{"remove: a comment keeps its section", "[r]\n\n[s]\n# c\nregion = x\n", gone, "[r]\n\n[s]\n# c\n"},
		{"remove: a comment in the value keeps its section", "[s]\nregion = x\n# c\n y\n", gone, "[s]\n# c\n"},
		{"remove: a comment below keeps its section", "[s]\nregion = x\n\n; k = v\n", gone, "[s]\n\n; k = v\n"},
		{"remove: a comment right below keeps its section", "[s]\nregion = x\n# c\n[t]\n", gone, "[s]\n# c\n[t]\n"},
		{"remove: a comment behind the header keeps its section", "[s] # c\nregion = x\n", gone, "[s] # c\n"},
		{"remove: the next header's comment does not", "[s]\nregion = x\n\n# of t\n# too\n[t]\n", gone, "\n# of t\n# too\n[t]\n"},
		{"remove: a header that the next one needs stays", "[r]\nk = v\n[s]\n  region = x\n  [t]\nk = v\n", gone, "[r]\nk = v\n[s]\n  [t]\nk = v\n"},
		{"remove: all, in another order", "[r]\n\n[s]\na = 1\n\nb = 2\n", []Change{unset("b"), unset("region"), unset("a")}, "[r]\n\n"},
		{"nothing", "[s]\n", nil, "[s]\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := append(make([]byte, 0, len(c.old)+100), c.old...)
			got, err := Edit("f", data, "s", c.changes)
			if err != nil || string(got) != c.want {
				t.Errorf("got  %q (%v)\nwant %q", got, err, c.want)
			}
			if string(data) != c.old || strings.Trim(string(data[:cap(data)][len(data):]), "\x00") != "" {
				t.Errorf("the old text is now %q", data[:cap(data)])
			}
		})
	}
}

func TestEditFindsSectionsByTheirExactNames(t *testing.T) {
	for _, section := range []string{"default", "profile mfa-sdk", "profile  mfa", `profile "a b"`, " s ", "s] # see [t", "[s", "ü\u00a0日本", "S", "#s"} {
		old := "[s]\nk = 1\n[" + section + "]\nk = 1\n"
		want := "[s]\nk = 1\n[" + section + "]\nk = 2\n"
		if got, err := Edit("f", []byte(old), section, []Change{set("k", "2")}); err != nil || string(got) != want {
			t.Errorf("got  %q (%v)\nwant %q", got, err, want)
		}
	}
}

func TestEditRefusesWhatWouldNotBeReadBack(t *testing.T) {
	const old = "[r]\nk = v\n\n[s]\nk = s3cr3t\n[DEFAULT]\nj = v\n"
	refused := func(section string, changes ...Change) {
		t.Helper()
		got, err := Edit("f", []byte(old), section, changes)
		if err == nil || got != nil || !strings.HasPrefix(err.Error(), "f: ") || strings.Contains(err.Error(), "s3cr3t") || errors.As(err, new(*SyntaxError)) || strings.Contains(err.Error(), "effect on others") {
			t.Errorf("[%q] %v: got %q, %v", section, changes, got, err)
		}
	}
	for _, key := range []string{"", " ", "a b", "k=", "k:", "[k", "[k]", "#k", ";k", "K", "k\n", "\tk", "ké", "\u0130", "\xff", "k\x00"} {
		refused("s", set(key, "v"))
		refused("s", unset(key))
	}
	for _, space := range []string{" ", "\t", "\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x1f", "\u0085", "\u00a0", "\u2003", "\u2028", "\u2029"} {
		refused("s", set("k", "s3cr3t"+space))
		refused("s", set("k", space+"s3cr3t"))
		refused(space + "new")
		refused("new" + space)
	}
	for _, inside := range []string{"\n", "\r", "\x00", "\t", "\x1b", "\x7f", "\u0085", "\u2028", "\u2029", "\xff", "\n  ", "\r\n"} {
		refused("s", set("k", "s3cr3t"+inside+"x"))
		refused("new"+inside+"x", set("k", "v"))
	}
	for _, section := range []string{"", "DEFAULT", "]", "a]", "a] # [b"} {
		refused(section, set("k", "v"))
	}
	refused("s", set("k", "v"), set("k", "w"))
	refused("s", set("k", "v"), unset("k"))

	for _, value := range []string{"a b", "# v", "[v]", "= v", `"v"`, "%(k)s", "\\", "日本\u00a0é", strings.Repeat("v", 100000)} {
		for _, key := range []string{"k", "l"} {
			got, err := Edit("f", []byte(old), "s", []Change{set(key, value)})
			if err != nil || !strings.Contains(string(got), key+" = "+value+"\n") {
				t.Errorf("%.20q: got %.200q, %v", value, got, err)
			}
		}
	}
}

func TestEditRefusesFilesThatTheAWSCLIRefuses(t *testing.T) {
	for old, line := range map[string]int{
		"[s]\nk = 1\n[s]\nk = 1\n":       3,
		"[s]\nk = 1\n[t]\nk = 1\nK: 2\n": 5,
		"\ufeff[s]\n":                    1,
		"k = 1\n":                        1,
		"[s]\nk = 1\nword\n":             3,
		"[s]\n\nk = \xff\n":              3,
		"[s]\nk =\n  a\n":                3,
		"[s\n":                           1,
	} {
		for _, changes := range [][]Change{nil, {set("k", "v")}, {unset("k")}} {
			got, err := Edit("f", []byte(old), "s", changes)
			if syntax := (*SyntaxError)(nil); !errors.As(err, &syntax) || syntax.Line != line || syntax.File != "f" || got != nil {
				t.Errorf("%q: got %q, %v, want a SyntaxError on line %d", old, got, err, line)
			}
		}
	}
}

func TestAnAppendedSectionLeavesNothingBehind(t *testing.T) {
	for _, old := range []string{"", "\n", "\n\n", "# c\n", "[r]\n", "[r]\nk = v\n", "[r]\r\nk = v\r\n", "[r]\nk = v\n  w\n\n\n", "[r]\rk = v\r", "  [r]\n  k = v\n  # c\n", "[r]\nk = v\n \t\n", "[r]\nk =\n  a = 1\n"} {
		made, err := Edit("f", []byte(old), "s", []Change{set("a", "1"), set("b", "")})
		if err != nil {
			t.Fatal(err)
		}
		got, err := Edit("f", made, "s", []Change{unset("b"), unset("a")})
		if err != nil || string(got) != old {
			t.Errorf("got  %q (%v)\nwant %q", got, err, old)
		}
	}
}

func TestAProfileIsFoundUnderAnySpelling(t *testing.T) {
	for _, c := range []struct{ config, profile, want string }{
		{"", "default", "default"},
		{"", "mfa-sdk", "profile mfa-sdk"},
		{"", "a b", `profile "a b"`},
		{"", `a"b\c'd`, `profile "a\"b\\c'd"`},
		{"", "日本", "profile 日本"},
		{"[default]\n", "default", "default"},
		{"[profile default]\n", "default", "profile default"},
		{"[profile default]\n[default]\n", "default", "default"},
		{"[profile  x]\n", "x", "profile  x"},
		{"[profile 'x']\n", "x", "profile 'x'"},
		{"[profile x ]\n", "x", "profile x "},
		{"[profile\tx]\n", "x", "profile\tx"},
		{"[profile x]\n[profile \"x\"]\n", "x", `profile "x"`}, // the last one wins
		{"[x]\n[profile X]\n[profile x y]\n", "x", "profile x"},
	} {
		got, err := ConfigSection("f", []byte(c.config), c.profile)
		if err != nil || got != c.want {
			t.Errorf("%q: got %q, %v, want %q", c.config, got, err, c.want)
		}
		if name, ok := profileName(got); !ok || name != c.profile {
			t.Errorf("[%s]: is profile %q, want %q", got, name, c.profile)
		}
		made, err := Edit("f", []byte(c.config), got, []Change{set("k", "v")})
		if err != nil {
			t.Fatal(err)
		}
		p, err := mustLoad(t, string(made), "", nil).Profile(c.profile)
		if err != nil || p.Value("k").Text != "v" {
			t.Errorf("%q: profile %q: got %v", made, c.profile, err)
		}
	}
	if _, err := ConfigSection("f", []byte("k\n"), "x"); !errors.As(err, new(*SyntaxError)) {
		t.Errorf("got %v, want a SyntaxError", err)
	}
}

// A drawn file is put together from lines whose owners are known, so that what
// an edit may touch is known without reading the file.
type drawn struct {
	lines    []drawnLine
	sections []string
}

type drawnLine struct {
	text          string // with its end
	section, key  string
	kind          byte   // h: header, k: key, v: value that goes on, c: comment, b: blank
	before, value string // of a key: what stands before its value
}

func (d drawn) text() string {
	var b strings.Builder
	for _, line := range d.lines {
		b.WriteString(line.text)
	}
	return b.String()
}

// keys of the section, in order.
func (d drawn) keys(section string) (keys []string) {
	for _, line := range d.lines {
		if line.kind == 'k' && line.section == section {
			keys = append(keys, line.key)
		}
	}
	return keys
}

var (
	drawnSections = []string{"default", "profile mfa", "profile mfa-sdk", `profile "a b"`, "profile 'a b'", "profile mfa ", "DEFAULT", "sso-session s", "日本", "s] # see [t", "services x"}
	drawnKeys     = []string{"region", "aws_access_key_id", "aws_session_token", "output", "s3", "key.x", "k"}
	drawnValues   = []string{"v", "", "a=b:c", "x # y", `"q"`, "日本\u00a0é", "%(region)s", "[v]", "\\", "a\tb"}
	drawnIndents  = []string{"", "", " ", "  ", "\t", "\u00a0 ", "    "}
)

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func draw(r *rand.Rand) drawn {
	var d drawn
	ends := []string{pick(r, []string{"\n", "\n", "\r\n", "\r"})}
	if r.IntN(4) == 0 {
		ends = []string{"\n", "\r\n"}
	}
	section, key := "", ""
	add := func(kind byte, text string) {
		d.lines = append(d.lines, drawnLine{text: text + pick(r, ends), section: section, key: key, kind: kind})
	}
	space := func() string { return pick(r, []string{"", " ", " ", "  ", "\t", "\u00a0", "\x1c"}) }
	fill := func() { // between statements
		for r.IntN(3) == 0 {
			if r.IntN(2) == 0 {
				add('b', pick(r, []string{"", "", " ", "\t\u2003"}))
			} else {
				add('c', pick(r, drawnIndents)+pick(r, []string{"# c", ";k = v", "#[profile mfa]", "#"}))
			}
		}
	}
	deepest := func(indent, otherwise string) string { // an indentation that does not go on
		if len([]rune(indent)) > len([]rune(otherwise)) {
			return otherwise
		}
		return indent
	}
	fill()
	above := "" // the indentation that the next statement may have at most
	first := true
	for _, n := range r.Perm(len(drawnSections))[:r.IntN(5)] {
		indent := pick(r, drawnIndents)
		if !first {
			indent = deepest(indent, above)
		}
		section, key, first = drawnSections[n], "", false
		d.sections = append(d.sections, section)
		add('h', indent+"["+section+"]"+pick(r, []string{"", "", "", " ", " # c"}))
		fill()
		above = "                "
		for _, m := range r.Perm(len(drawnKeys))[:r.IntN(4)] {
			key = drawnKeys[m]
			above = deepest(pick(r, drawnIndents), above)
			name := key
			if r.IntN(5) == 0 {
				name = strings.ToUpper(key[:1]) + key[1:]
			}
			value := pick(r, drawnValues)
			if key == "s3" {
				value = ""
			}
			before := above + name + space() + pick(r, []string{"=", "=", ":"}) + space()
			after := space()
			if value == "" { // is behind all spaces
				before, after = before+after, ""
			}
			add('k', before+value+after)
			line := &d.lines[len(d.lines)-1]
			line.before, line.value = before, value
			for r.IntN(3) == 0 {
				fill()
				add('v', above+" "+pick(r, drawnIndents)+"x"+pick(r, []string{"", " ", "\t"})+"= "+pick(r, drawnValues)+space())
				for i := len(d.lines) - 2; d.lines[i].kind != 'k'; i-- {
					if d.lines[i].kind == 'b' {
						d.lines[i].kind = 'v' // inside of the value
					}
				}
			}
			fill()
		}
	}
	if n := len(d.lines); n > 0 && r.IntN(3) == 0 {
		d.lines[n-1].text = strings.TrimRight(d.lines[n-1].text, "\r\n")
		if d.lines[n-1].text == "" { // was not there at all
			d.lines = d.lines[:n-1]
		}
	}
	return d
}

func drawChanges(r *rand.Rand, d drawn) (section string, changes []Change) {
	section = pick(r, append([]string{"profile new"}, drawnSections...))
	if len(d.sections) > 0 && r.IntN(5) > 0 {
		section = pick(r, d.sections)
	}
	if r.IntN(4) == 0 {
		for _, key := range d.keys(section) {
			changes = append(changes, unset(key))
		}
		return section, changes
	}
	for _, n := range r.Perm(len(drawnKeys))[:1+r.IntN(3)] {
		if r.IntN(3) == 0 {
			changes = append(changes, unset(drawnKeys[n]))
		} else {
			changes = append(changes, set(drawnKeys[n], pick(r, drawnValues[:len(drawnValues)-1])))
		}
	}
	return section, changes
}

// Each change alone, and all of them: outside of the lines that it owns, every
// byte stays.
func TestEditLeavesAllOtherLinesOfRandomFiles(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 15))
	edited := 0
	for range 20000 {
		d := draw(r)
		old := d.text()
		section, changes := drawChanges(r, d)
		got, err := Edit("f", []byte(old), section, changes)
		odd := strings.Contains(section, "]") || strings.HasSuffix(section, " ") // only where it is there already
		if section == "DEFAULT" || odd && !slices.Contains(d.sections, section) {
			if err == nil {
				t.Fatalf("[%s] is edited", section)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%v\n%q\n[%s] %+v", err, old, section, changes)
		}
		edited++
		if again, err := Edit("f", got, section, changes); !odd && (err != nil || !bytes.Equal(again, got)) {
			t.Fatalf("the same again: %v\n%q\n%q", err, got, again)
		}
		if err := d.outside(string(got), section, changes); err != nil {
			t.Fatalf("%v\nold %q\nnew %q\n[%s] %+v", err, old, got, section, changes)
		}
	}
	if edited < 10000 {
		t.Errorf("only %d files were edited", edited)
	}
}

// outside checks an edit against the lines' owners: the new text is that of all
// lines that stay, with what is new in one place.
func (d drawn) outside(got, section string, changes []Change) error {
	by := map[string]Change{}
	var added []string
	for _, c := range changes {
		by[c.Key] = c
		if !c.Remove && !slices.Contains(d.keys(section), c.Key) {
			added = append(added, strings.TrimRight(c.Key+" = "+c.Value, " "))
		}
	}
	var above, below string // of where new lines go
	var framed [3]string    // the text above the header, the header, the text above without a last blank line
	left := len(added)
	for i, line := range d.lines {
		c, owned := by[line.key]
		owned = owned && line.section == section
		text := line.text
		switch {
		case owned && (c.Remove || line.kind == 'v') && (line.kind == 'k' || line.kind == 'v'):
			text = ""
		case owned && line.kind == 'k':
			text = line.before + c.Value + line.text[len(line.before)+len(line.value):]
			if line.value == "" && strings.TrimRight(line.text, "\r\n") == line.before && strings.ContainsAny(line.before[len(line.before)-2:], " \t\u00a0\x1c") && strings.ContainsAny(line.before[len(line.before)-1:], "=:") {
				text = line.before + " " + c.Value + line.text[len(line.before):]
			}
		}
		if line.section == section && line.kind == 'k' && text != "" {
			left++
		}
		if line.section == section && line.kind == 'h' {
			framed[0] = above + below
			if i > 0 && strings.TrimRight(d.lines[i-1].text, "\r\n") == "" {
				framed[2] = strings.TrimSuffix(framed[0], d.lines[i-1].text)
			}
			framed[1] = text
		}
		below += text
		if line.section == section && strings.IndexByte("hkv", line.kind) >= 0 || !slices.Contains(d.sections, section) {
			above, below = above+below, ""
		}
	}
	all := above + below
	if left == 0 && len(d.keys(section)) > 0 {
		rest := strings.TrimPrefix(all, framed[0]+framed[1])
		if got == all || got == framed[0]+rest || got == framed[2]+rest {
			return nil
		}
		return fmt.Errorf("want %q, with the header or without", all)
	}
	if !strings.HasPrefix(got, above) || !strings.HasSuffix(got[len(above):], below) {
		return fmt.Errorf("want %q, with something in between, %q", above, below)
	}
	if !slices.Contains(d.sections, section) && len(added) > 0 {
		added = slices.Insert(added, 0, "["+section+"]")
	}
	var between []string
	for _, line := range strings.FieldsFunc(got[len(above):len(got)-len(below)], func(r rune) bool { return r == '\r' || r == '\n' }) {
		between = append(between, strings.TrimLeft(line, " \t\u00a0"))
	}
	if !slices.Equal(between, added) {
		return fmt.Errorf("want %q to be added, got %q", added, between)
	}
	return nil
}
