package cli

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aws-mfa/shared/wording"

	"github.com/alecthomas/kong"
)

// runner is a command of the kinds of flags and arguments that there are.
type runner struct {
	Profiles []string `arg:"" optional:"" name:"profile"`
	Code     *string  `short:"t" help:"The code; - reads it."`
	Format   string   `enum:",one,two" default:"" help:"Print (or not)."`
	Table    bool     `short:"b" xor:"form" help:"As a table: with lines."`
	Watch    bool     `xor:"form"`
	Name     string   `short:"n"`
	Secret   string   `hidden:""`
}

func (*runner) Run(context.Context, *Voice) error { return nil }
func (*runner) Take([]string)                     {}
func (*runner) Suggest(flag string) []Suggestion {
	if flag != "name" {
		return nil
	}
	return []Suggestion{{"it's", "a quote"}, {"plain:x", ""}, {"an\x1besc", ""}, {"Pläne", "with\ttab"}}
}

// looker takes one profile, and runs nothing.
type looker struct {
	Profile string `arg:"" optional:""`
	All     bool
}

func (*looker) Run(context.Context, *Voice) error { return nil }

// answered is what a script gets for the words, as one line.
func answered(t *testing.T, c Command, shell string, words ...string) string {
	t.Helper()
	parser, err := kong.New(c)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	out := bufio.NewWriter(&b)
	answer(out, &line{model: parser.Model.Node, command: c}, shell, words)
	out.Flush()
	return strings.ReplaceAll(strings.TrimSuffix(b.String(), "\n"), "\n", "|")
}

func awsFiles(t *testing.T, config string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", path)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "")
}

func TestWhatMayStandInALine(t *testing.T) {
	awsFiles(t, "[profile a]\n[profile b]\n[profile -c]\n")
	const flags = "--help\tShow context-sensitive help|-h\tShow context-sensitive help|--code\tThe code|-t\tThe code|--format\tPrint|--table\tAs a table|-b\tAs a table|--watch\t|--name\t|-n\t"
	names := "it's\ta quote|plain:x\t|Pläne\twith\\ttab"
	for _, c := range []struct {
		words string
		want  string
	}{
		{"", "a\t|b\t"},
		{"a ", "b\t"},
		{"a b ", ""},
		{"-", flags},
		{"--", flags},
		{"--format o", "one\t|two\t"},
		{"--format=o", "--format=one\t|--format=two\t"},
		{"--format one a ", "b\t"},
		{"--format=one a ", "b\t"},
		{"--table=", ""},
		{"--nothing=", ""},
		{"--secret ", ""},
		{"-t ", ""},
		{"-t 123456 ", "a\t|b\t"},
		{"-t123456 ", "a\t|b\t"},
		{"-bn ", names},
		{"-nb ", "a\t|b\t"},
		{"-b ", "a\t|b\t"},
		{"-? ", "a\t|b\t"},
		{"- ", "a\t|b\t"},
		{"--format one --watch -t 1 --name x -h -", ""},
		{"a -- ", "--"},
		{"-- b x -", "--"},
		{"-t -- ", "--"},
	} {
		if got := answered(t, &runner{}, "fish", strings.Split(c.words, " ")...); got != c.want {
			t.Errorf("%q: got %q, want %q", c.words, got, c.want)
		}
	}
	for words, want := range map[string]string{"": "a\t|b\t", "a ": "", "--all ": "a\t|b\t", "-- ": "-c\t|a\t|b\t", "-- -": "-c\t|a\t|b\t"} {
		if got := answered(t, &looker{}, "fish", strings.Split(words, " ")...); got != want {
			t.Errorf("%q: got %q, want %q", words, got, want)
		}
	}
}

// The first column is inserted as it is.
func TestCompletionsForPowerShellAreQuoted(t *testing.T) {
	awsFiles(t, "[profile prod]\n[profile Prod-2]\n[profile 'a b']\n[profile \"it's\"]\n[profile it’s]\n[profile '$(x)']\n[profile k=v:w]\n[profile =x]\n[profile @x]\n")
	for _, c := range []struct {
		words string
		want  string
	}{
		{"pr", "Prod-2\tProd-2\t|prod\tprod\t"},
		{"'a", "'a b'\ta b\t"},
		{"it", "'it''s'\tit's\t|'it’’s'\tit’s\t"},
		{"'$", "'$(x)'\t$(x)\t"},
		{"k", "k=v:w\tk=v:w\t"},
		{"=", "=x\t=x\t"},
		{"@", "'@x'\t@x\t"},
		{"--format=", "--format=one\t--format=one\t|--format=two\t--format=two\t"},
		{"--name=i", "'--name=it''s'\t--name=it's\ta quote"},
		{"--name=PLA", "--name=plain:x\t--name=plain:x\t"},
		{"--name=plä", "'--name=Pläne'\t--name=Pläne\twith\\ttab"},
	} {
		if got := answered(t, &runner{}, "powershell", strings.Split(c.words, " ")...); got != c.want {
			t.Errorf("%q: got %q, want %q", c.words, got, c.want)
		}
	}
}

// Windows PowerShell reads a script without a mark in the code page of the
// machine.
func TestTheScriptsAreASCII(t *testing.T) {
	for _, script := range []string{bashScript, zshScript, fishScript, powershellScript} {
		if wording.Printable(strings.NewReplacer("\n", "", "\t", "").Replace(script)) != strings.NewReplacer("\n", "", "\t", "").Replace(script) || strings.ContainsFunc(script, func(r rune) bool { return r > '~' }) {
			t.Errorf("%.60s has other characters", script)
		}
	}
}

func TestLinesOfBashAreReadAsBashDoes(t *testing.T) {
	for line, want := range map[string]string{
		"p ":              "|",
		"p a":             "a|a",
		"p  a\tb ":        "a|b||",
		`p 'a b' c\ d`:    `a b|c d|c\ d`,
		`p "a\"\$\b" x`:   `a"$\b|x|x`,
		`p a'b'"c"`:       `abc|a'b'"c"`,
		`p 'a b`:          `a b|'a b`,
		`p "a\`:           `a|"a\`,
		`p ''`:            `|''`,
		`p '' b`:          `|b|b`,
		`p $(touch hit) `: `$(touch|hit)||`,
		`p 日\本`:           `日本|日\本`,
	} {
		words, last, _ := unquote(line)
		if got := strings.Join(append(words[1:], last), "|"); got != want {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
}

// Readline replaces the end of what is typed, from the last colon, equals sign
// or open quote on.
func TestBashGetsTheEndOfAWord(t *testing.T) {
	for _, c := range []struct{ line, end, text, want string }{
		{"p ", "", "a b", `a\ b`},
		{"p team:p", "p", "team:prod", "prod"},
		{`p team\:p`, `team\:p`, "team:prod", "team:prod"},
		{"p --name=", "", "--name=a'b", `a\'b`},
		{"p 'a", "a", "a $b", "a $b"},
		{"p 'a", "a", "a'b", "no"},
		{`p "a`, "a", `a$b"`, `a\$b\"`},
		{`p "a`, "a", "a!b", "no"},
		{`p te"am p`, "am p", "team prod", "am prod"},
		{"p b", "b", "a", "no"},
		{"p a", "z", "a", "no"},
		{"p ", "", "=x", `\=x`},
		{"p ", "", "~x", `\~x`},
		{"p ", "", "日本", "日本"},
	} {
		typed, _ := bashLine([]string{c.line, c.end})
		got, ok := typed.insert(c.text)
		if !ok {
			got = "no"
		}
		if got != c.want {
			t.Errorf("%s with %s: got %s, want %s", c.line, c.text, got, c.want)
		}
	}
	if _, words := bashLine([]string{""}); len(words) != 1 {
		t.Errorf("got %q", words)
	}
}
