package cli

import (
	"bufio"
	_ "embed"
	"io"
	"os"
	"slices"
	"strings"

	"aws-mfa/shared/profile"
	"aws-mfa/shared/wording"

	"github.com/alecthomas/kong"
)

// The scripts know nothing of flags and profiles: at each TAB they ask the
// program with --complete, so that they never lag behind it.
var (
	//go:embed completion.bash
	bashScript string
	//go:embed completion.zsh
	zshScript string
	//go:embed completion.fish
	fishScript string
	//go:embed completion.ps1
	powershellScript string
)

// A completion is what --completion takes: the name of a shell.
type completion string

// BeforeApply prints the script of the shell, as --version does the version.
func (completion) BeforeApply(app *kong.Kong, ctx *kong.Context, at *kong.Path) error {
	var script string
	switch ctx.FlagValue(at.Flag) {
	case completion("bash"):
		script = bashScript
	case completion("zsh"):
		script = zshScript
	case completion("fish"):
		script = fishScript
	case completion("powershell"):
		script = powershellScript
	default:
		return nil // refused later on, for it is none of the enum
	}
	name := app.Model.Name
	_, err := io.WriteString(app.Stdout, strings.NewReplacer("__program", "_"+strings.ReplaceAll(name, "-", "_"), "PROGRAM", name).Replace(script))
	app.Exit(0)
	return err
}

// A Suggestion is a word that may stand in a command line.
type Suggestion struct {
	Text  string
	About string // what it is, "" where that is plain
}

// A Suggester is a Command that knows values for its flags, for completion.
type Suggester interface {
	Command
	// Suggest returns values for the flag of that name, such as "region".
	Suggest(flag string) []Suggestion
}

// SuggestProfiles are the profiles of the AWS files that can be named in a
// command line; none where the files cannot be read.
func SuggestProfiles() (all []Suggestion) {
	set, err := profile.Load(os.LookupEnv)
	if err != nil {
		return nil
	}
	for _, name := range set.Names() {
		all = append(all, Suggestion{Text: name})
	}
	return all
}

// asksToComplete is the first of two arguments that the scripts run us with;
// the second one is the shell.
const asksToComplete = "--complete"

// maxLine is how much of a command line is looked at.
const maxLine = 1 << 20

// complete answers a script: on stdin it has the words of the command line up
// to the cursor, each ended by NUL, or that line for bash; on stdout it finds
// the words that may stand there, a line each.
func complete(v *Voice, description string, c Command, shell string) int {
	given, err := io.ReadAll(io.LimitReader(v.Stdin, maxLine))
	if err != nil {
		return Failed
	}
	parser, err := newParser(v, description, c)
	if err != nil {
		return Failed
	}
	words := strings.Split(strings.TrimSuffix(string(given), "\x00"), "\x00")
	out := bufio.NewWriter(v.Stdout)
	answer(out, &line{model: parser.Model.Node, command: c}, shell, words)
	if out.Flush() != nil {
		return Failed
	}
	return Done
}

// answer writes what the script of that shell makes of a line.
func answer(out *bufio.Writer, l *line, shell string, words []string) {
	var t typed
	if shell == "bash" {
		t, words = bashLine(words)
	}
	l.read(words[:len(words)-1])
	word := words[len(words)-1]
	if l.behind { // the words of another command: the script has its completion
		out.WriteString("--\n")
		return
	}
	for _, s := range l.suggest(word) {
		if s.Text == "" || wording.Brief(s.Text) != s.Text {
			continue // not to be typed, not to be read, or not what it looks like
		}
		about := wording.Printable(s.About)
		switch shell {
		case "bash":
			if text, ok := t.insert(s.Text); ok {
				out.WriteString(text + "\n")
			}
		case "zsh":
			if name, value, ok := strings.Cut(word, "="); ok && strings.HasPrefix(name, "--") {
				s.Text = s.Text[len(word)-len(value):]
			}
			out.WriteString(forDescribe.Replace(s.Text) + ":" + about + "\n")
		case "fish":
			if !strings.HasPrefix(s.Text, "~") { // which it leaves to be a home directory
				out.WriteString(s.Text + "\t" + about + "\n")
			}
		case "powershell":
			if unquoted := strings.TrimLeft(word, `'"`); len(s.Text) >= len(unquoted) && strings.EqualFold(s.Text[:len(unquoted)], unquoted) {
				out.WriteString(forPowerShell(s.Text) + "\t" + s.Text + "\t" + about + "\n")
			}
		}
	}
}

// forDescribe is for what zsh's _describe takes.
var forDescribe = strings.NewReplacer(`\`, `\\`, `:`, `\:`)

// forPowerShell is a word as PowerShell's user would have to type it. It takes
// typographic quotes for single ones as well.
func forPowerShell(word string) string {
	if strings.Trim(word, shellPlain+"=:") == "" {
		return word
	}
	return "'" + strings.NewReplacer("'", "''", "‘", "‘‘", "’", "’’", "‚", "‚‚", "‛", "‛‛").Replace(word) + "'"
}

// shellPlain are characters that are text to every shell, wherever they stand.
const shellPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./"

// A line is a command line, as far as it is typed.
type line struct {
	model   *kong.Node
	command Command

	given   []*kong.Flag
	args    []string
	wanted  *kong.Flag // has its value in the next word
	noFlags bool       // "--" has been
	behind  bool       // in the command behind "--"
}

// read takes in the words before the one at the cursor.
func (l *line) read(words []string) {
	for _, word := range words {
		_, runs := l.command.(Runner)
		switch {
		case word == "--" && runs: // wherever, as run has it
			l.behind = true
			return
		case l.wanted != nil:
			l.wanted = nil
		case l.noFlags || !strings.HasPrefix(word, "-") || word == "-":
			l.args = append(l.args, word)
		case word == "--":
			l.noFlags = true
		case strings.HasPrefix(word, "--"):
			name, _, valued := strings.Cut(word[2:], "=")
			l.take(l.flag(func(f *kong.Flag) bool { return f.Name == name }), valued)
		default:
			for i, short := range word[1:] {
				flag := l.flag(func(f *kong.Flag) bool { return f.Short == short })
				l.take(flag, word[1+i+len(string(short)):] != "")
				if flag == nil || !flag.IsBool() {
					break
				}
			}
		}
	}
}

// take notes a flag that is given; without a value, that is wanted next.
func (l *line) take(flag *kong.Flag, valued bool) {
	if flag == nil {
		return
	}
	l.given = append(l.given, flag)
	if !valued && !flag.IsBool() {
		l.wanted = flag
	}
}

func (l *line) flag(is func(*kong.Flag) bool) *kong.Flag {
	if i := slices.IndexFunc(l.model.Flags, is); i >= 0 {
		return l.model.Flags[i]
	}
	return nil
}

// suggest returns what may stand at the cursor, where so much of a word is.
func (l *line) suggest(word string) []Suggestion {
	if l.wanted != nil {
		return l.values(l.wanted, "")
	}
	if l.noFlags || !strings.HasPrefix(word, "-") {
		return l.profiles()
	}
	if name, _, ok := strings.Cut(word, "="); ok {
		if flag := l.flag(func(f *kong.Flag) bool { return "--"+f.Name == name }); flag != nil && !flag.IsBool() {
			return l.values(flag, name+"=")
		}
		return nil
	}
	return l.flags()
}

// values are those of a flag, behind the text.
func (l *line) values(flag *kong.Flag, behind string) (all []Suggestion) {
	for _, value := range flag.EnumSlice() {
		if value != "" {
			all = append(all, Suggestion{Text: value})
		}
	}
	if suggester, ok := l.command.(Suggester); ok {
		all = append(all, suggester.Suggest(flag.Name)...)
	}
	for i := range all {
		all[i].Text = behind + all[i].Text
	}
	return all
}

// flags are those that may be given beside the others.
func (l *line) flags() (all []Suggestion) {
	for _, flag := range l.model.Flags {
		excluded := func(other *kong.Flag) bool {
			return other == flag || slices.ContainsFunc(other.Xor, func(group string) bool { return slices.Contains(flag.Xor, group) })
		}
		if flag.Hidden || slices.ContainsFunc(l.given, excluded) {
			continue
		}
		about := brief(flag.Help)
		all = append(all, Suggestion{"--" + flag.Name, about})
		if flag.Short != 0 {
			all = append(all, Suggestion{"-" + string(flag.Short), about})
		}
	}
	return all
}

// brief is the beginning of a help text.
func brief(help string) string {
	for _, end := range []string{". ", ": ", "; ", " ("} {
		help, _, _ = strings.Cut(help, end)
	}
	return strings.TrimSuffix(help, ".")
}

// profiles are those that may be named beside the others.
func (l *line) profiles() (all []Suggestion) {
	if len(l.model.Positional) == 0 || len(l.args) > 0 && !l.model.Positional[0].IsCumulative() {
		return nil
	}
	for _, s := range SuggestProfiles() {
		if !slices.Contains(l.args, s.Text) && (l.noFlags || !strings.HasPrefix(s.Text, "-")) {
			all = append(all, s)
		}
	}
	return all
}
