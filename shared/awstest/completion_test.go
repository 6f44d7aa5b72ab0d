//go:build unix

package awstest_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// A shell is one that completes, at a terminal. In it the names of our programs
// are functions that show their arguments: the scripts must not care, and what
// a completion inserted is seen as the shell reads it.
type shell struct {
	t      *testing.T
	home   string
	master *os.File
	screen *screen
	dir    string // with a file "file"
	all    string // the keys that insert all completions; "" if there are none
}

// shells are the ways in which a shell gets our scripts. Each gives the
// command, and what is typed first, the directory with the installed files
// being $SHARE. CI has the tools.
var shells = []struct {
	name, tool string
	args       []string
	start      string
	all        string
	needs      string // a file
}{
	{"bash", "bash", []string{"--norc", "--noprofile", "-i"}, bashStart + `for p in login status console; do eval "$(command aws-mfa-$p --completion bash)"; done`, "\x1b*", ""},
	{"bash with bash-completion", "bash", []string{"--norc", "--noprofile", "-i"}, bashStart + `. ` + bashCompletion, "\x1b*", bashCompletion},
	{"zsh", "zsh", []string{"-f", "-i"}, zshStart + `for p in login status console; do source <(command aws-mfa-$p --completion zsh); done`, "\x18a", ""},
	{"zsh that autoloads", "zsh", []string{"-f", "-i"}, `fpath=($SHARE/zsh/site-functions $fpath); ` + zshStart, "\x18a", ""},
	{"fish", "fish", []string{"--no-config", "-i"}, fishStart + `for p in login status console; command aws-mfa-$p --completion fish | source; end`, "", ""},
	{"fish that autoloads", "fish", []string{"--no-config", "-i"}, fishStart + `set -p fish_complete_path $SHARE/fish/vendor_completions.d`, "", ""},
}

const (
	bashCompletion = "/usr/share/bash-completion/bash_completion"

	bashStart = `PS1=; bind 'set enable-bracketed-paste off'; shown() { printf '\001'; printf '%s\002' "$@"; printf '\003'; }; ` +
		`for p in login status console; do eval "aws-mfa-$p() { shown \"\$@\"; }"; done; `
	zshStart = `PS1=; unsetopt zle_bracketed_paste promptsp; autoload -Uz compinit; compinit -u -D; zstyle ':completion:*' insert-tab false; ` +
		`zle -C all-matches complete-word _generic; bindkey '^Xa' all-matches; zstyle ':completion:all-matches:*' insert true; zstyle ':completion:all-matches:*' completer _all_matches _complete; ` +
		`shown() { printf '\001'; printf '%s\002' "$@"; printf '\003' }; for p in login status console; do eval "aws-mfa-$p() { shown \"\$@\" }"; done; `
	fishStart = `function fish_prompt; end; function shown; printf '\001'; printf '%s\002' $argv; printf '\003'; end; ` +
		`for p in login status console; eval "function aws-mfa-$p; shown \$argv; end"; end; `
)

func startShell(t *testing.T, bin, share string, i int) *shell {
	t.Helper()
	how := shells[i]
	if ok, err := condition("tool:"+how.tool, nil); err != nil {
		t.Fatal(err)
	} else if !ok {
		t.Skipf("no %s", how.tool)
	}
	if _, err := os.Stat(how.needs); how.needs != "" && err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	home := t.TempDir()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer slave.Close()
	cmd := exec.Command(how.tool, how.args...)
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"HOME=" + home, "PATH=" + bin + ":" + os.Getenv("PATH"), "TERM=dumb", "LC_ALL=C.UTF-8", "SHARE=" + share, "BASH_COMPLETION_USER_DIR=" + share + "/bash-completion", "HISTFILE="}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &shell{t: t, home: home, dir: cmd.Dir, master: master, screen: &screen{}, all: how.all}
	s.screen.changed.L = &s.screen.mu
	go s.screen.read(master)
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		master.Close()
	})
	if err := errors.Join(os.WriteFile(filepath.Join(cmd.Dir, "file"), nil, 0o600), os.Mkdir(filepath.Join(home, ".aws"), 0o700)); err != nil {
		t.Fatal(err)
	}
	s.run(how.start + "\rshown started")
	return s
}

// run types a line, and returns the arguments that it shows.
func (s *shell) run(keys string) []string {
	s.t.Helper()
	if _, err := io.WriteString(s.master, keys+"\r"); err != nil {
		s.t.Fatal(err)
	}
	if err := s.screen.wait("\x01"); err != nil {
		s.t.Fatalf("%q: %v\n%q", keys, err, s.screen.text())
	}
	s.screen.mu.Lock()
	from := s.screen.seen
	s.screen.mu.Unlock()
	if err := s.screen.wait("\x03"); err != nil {
		s.t.Fatalf("%q: %v\n%q", keys, err, s.screen.text())
	}
	s.screen.mu.Lock()
	defer s.screen.mu.Unlock()
	shown := string(s.screen.data[from : s.screen.seen-1])
	return strings.Split(strings.TrimSuffix(shown, "\x02"), "\x02")
}

// profiles makes the config file hold these.
func (s *shell) profiles(names ...string) {
	s.t.Helper()
	var b strings.Builder
	for _, name := range names {
		quoted := "'" + strings.ReplaceAll(name, "'", `'"'"'`) + "'"
		fmt.Fprintf(&b, "[profile %s]\n", quoted)
	}
	if err := os.WriteFile(filepath.Join(s.home, ".aws", "config"), []byte(b.String()), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// installed puts the scripts where packages have them.
func installed(t *testing.T, bin string) (share string) {
	t.Helper()
	share = t.TempDir()
	for _, program := range []string{"aws-mfa-login", "aws-mfa-status", "aws-mfa-console"} {
		for shell, path := range map[string]string{"bash": "bash-completion/completions/" + program, "zsh": "zsh/site-functions/_" + program, "fish": "fish/vendor_completions.d/" + program + ".fish"} {
			cmd := exec.Command(filepath.Join(bin, program), "--completion", shell)
			cmd.Env = []string{}
			script, err := cmd.Output()
			path = filepath.Join(share, path)
			if err := errors.Join(err, os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, script, 0o644)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return share
}

func TestCompletionInShells(t *testing.T) {
	bin := build(t)
	share := installed(t, bin)
	for i, how := range shells {
		t.Run(how.name, func(t *testing.T) {
			t.Parallel()
			s := startShell(t, bin, share, i)
			s.profiles("mfa", "mfa-admin", "other", "team:prod", "my prof", "$(touch hit)")
			for _, c := range completions {
				if got := s.run(c.typed + "\t"); !slices.Equal(got, c.want) {
					t.Errorf("%s: got %q, want %q", c.typed, got, c.want)
				}
			}
			s.namesAreText(how.tool)
			s.namesAreLeftOut()
			s.commandsAreCompleted(how.tool)
			s.listsAreWhole(how.tool)
			s.troubleIsSilence()
			if left, err := os.ReadDir(s.dir); err != nil || len(left) != 1 {
				t.Errorf("got %v, %v: a name was run", left, err)
			}
		})
	}
}

// completions are what a single TAB makes of a line, in every shell.
var completions = []struct {
	typed string
	want  []string
}{
	{"aws-mfa-login ot", []string{"other"}},
	{"aws-mfa-login mfa mfa-a", []string{"mfa", "mfa-admin"}},
	{"aws-mfa-login other othe", []string{"other", "othe"}},
	{"aws-mfa-status --offline mfa-admin ot", []string{"--offline", "mfa-admin", "other"}},
	{"aws-mfa-console ot", []string{"other"}},
	{"aws-mfa-console other mf", []string{"other", "mf"}},

	{"aws-mfa-login --form", []string{"--format"}},
	{"aws-mfa-login --format win", []string{"--format", "windows-cmd"}},
	{"aws-mfa-login --format=win", []string{"--format=windows-cmd"}},
	{"aws-mfa-login other --seed-store=k", []string{"other", "--seed-store=keyring"}},
	{"aws-mfa-login --duration=m", []string{"--duration=max"}},
	{"aws-mfa-login --process-profile ot", []string{"--process-profile", "other"}},
	{"aws-mfa-login -ft other", []string{"-ft", "other"}},
	{"aws-mfa-login -t 123456 ot", []string{"-t", "123456", "other"}},
	{"aws-mfa-status --output js", []string{"--output", "json"}},
	{"aws-mfa-console --service dyn", []string{"--service", "dynamodb"}},
	{"aws-mfa-console --region eu-central-2", []string{"--region", "eu-central-2"}},
	{"aws-mfa-console --region=eu-n", []string{"--region=eu-north-1"}},

	// No files, of which there is one.
	{"aws-mfa-login --duration fil", []string{"--duration", "fil"}},
	{"aws-mfa-login -t fil", []string{"-t", "fil"}},
	{"aws-mfa-login fil", []string{"fil"}},
	{"aws-mfa-console --destination fil", []string{"--destination", "fil"}},

	// As somebody may have begun the word.
	{"aws-mfa-login team:p", []string{"team:prod"}},
	{`aws-mfa-login team\:p`, []string{"team:prod"}},
	{`aws-mfa-login "team:p`, []string{"team:prod"}},
	{`aws-mfa-login 'team:p`, []string{"team:prod"}},
	{`aws-mfa-login my\ p`, []string{"my prof"}},
	{`aws-mfa-login "my p`, []string{"my prof"}},
	{`aws-mfa-login 'my p`, []string{"my prof"}},
	{`aws-mfa-login 'my prof' ot`, []string{"my prof", "other"}},
	{`aws-mfa-login --process-profile=te`, []string{"--process-profile=team:prod"}},
	{`aws-mfa-login '$(tou`, []string{"$(touch hit)"}},
}

// A name is text, whatever it looks like.
func (s *shell) namesAreText(tool string) {
	for _, name := range []string{
		"a b", " a", "a  b", `a'b`, `'`, `a"b`, `"`, `a\b`, `\`, `\\`, `$HOME`, `a$`, `$(touch hit)`, "`touch hit`", "a`", `${x}`, `a;touch hit`, `a&touch hit`, `a|touch hit`, `a>hit`, `>hit`, `a<b`,
		`*`, `f*`, `?ile`, `[f]ile`, `{a,b}`, `~`, `~root`, `a~`, `=ls`, `a=b`, `==`, `#a`, `a#b`, `!`, `!!`, `a!b`, `%1`, `^a^b`, `a:b`, `:a`, `a:`, `a@b`, `@a`, `a,b`, `(touch hit)`, `()`, `$'a'`, `x-`, `äö`, `日本`, `a\nb`, `a:b c`, `k=v w`, `|`, `&`, `;`,
	} {
		s.profiles(name)
		want := name
		if tool == "fish" && strings.HasPrefix(name, "~") {
			want = "" // it cannot be told that this is no home directory
		}
		if got := s.run("aws-mfa-login \t"); !slices.Equal(got, []string{want}) {
			s.t.Errorf("got %q, want %q", got, want)
		}
	}
}

// What cannot be typed, or is not what it looks like, is not offered.
func (s *shell) namesAreLeftOut() {
	for _, name := range []string{"\x1b[31mred", "a\x07", "a\u202eb", "-f", "--logout", "a\x7f", "a\u00a0b", "a\tb"} {
		s.profiles(name)
		if got := s.run("aws-mfa-login \t"); !slices.Equal(got, []string{""}) {
			s.t.Errorf("got %q, want nothing", got)
		}
	}
}

// What stands behind -- is completed as a command of its own.
func (s *shell) commandsAreCompleted(tool string) {
	s.profiles("mfa")
	s.run(map[string]string{
		"bash": `_tool() { COMPREPLY=("$COMP_CWORD-${#COMP_WORDS[@]}-$1-${COMP_WORDS[1]}-$COMP_POINT-$2-$3-${COMP_LINE// /_}"); }; complete -F _tool tool; older() { echo "older-$1-$2-$3-${COMP_LINE// /_}-$COMP_POINT"; }; complete -C older older; complete -W 'wordy list' words; shown`,
		"zsh":  `_tool() { compadd -- "$CURRENT-$#words-$words[1]-$words[2]-$PREFIX" }; zstyle ':completion:*' matcher 'b:=*'; compdef _tool tool; shown`,
		"fish": `complete -c tool -f -a '(string join -- - (commandline -op))'; shown`,
	}[tool])
	for typed, want := range map[string]map[string][]string{
		"aws-mfa-login mfa -- cat fi":        {"": {"mfa", "--", "cat", "file"}},
		"aws-mfa-login -- aws-mfa-stat":      {"": {"--", "aws-mfa-status"}},
		"aws-mfa-login -- aws-mfa-status mf": {"": {"--", "aws-mfa-status", "mfa"}},
		"aws-mfa-login mfa -- tool a\\ b ":   {"bash": {"mfa", "--", "tool", "a b", `2-3-tool-a b-10--a b-tool_a_b_`}, "zsh": {"mfa", "--", "tool", "a b", `3-3-tool-a\ b-`}},
		"aws-mfa-login mfa -- older a":       {"bash": {"mfa", "--", "older", "older-older-a-older-older_a-7"}},
		"aws-mfa-login mfa -- words wor":     {"bash": {"mfa", "--", "words", "wordy"}},
		"aws-mfa-login mfa -- tool a x":      {"bash": {"mfa", "--", "tool", "a", "2-3-tool-a-8-x-a-tool_a_x"}},
	} {
		expected, ok := want[tool]
		if !ok {
			expected, ok = want[""]
		}
		if got := s.run(typed + "\t"); ok && !slices.Equal(got, expected) {
			s.t.Errorf("%s: got %q, want %q", typed, got, expected)
		}
	}
}

// listsAreWhole looks at all that is offered.
func (s *shell) listsAreWhole(tool string) {
	s.profiles("b", "a")
	for line, want := range map[string]string{
		"aws-mfa-login ":                        "a b",
		"aws-mfa-login --format ":               "env env-no-export fish nushell powershell process windows-cmd",
		"aws-mfa-console --duration ":           "",
		"aws-mfa-status -":                      "--all --completion --help --no-input --offline --output --template --verbose --version --watch -h",
		"aws-mfa-status --watch --offline --ou": "--output",
		"aws-mfa-status --watch --offline -":    "--all --completion --help --no-input --output --verbose --version -h",
	} {
		var got []string
		if s.all == "" {
			got = s.run("shown (complete -C '" + line + "' | string replace -r '\\t.*' '')")
		} else {
			got = s.run(line + s.all)
			words := strings.Fields(line)[1:]
			if !strings.HasSuffix(line, " ") {
				words = words[:len(words)-1]
			}
			got = got[min(len(words), len(got)):]
		}
		slices.Sort(got)
		if got := strings.TrimSpace(strings.Join(got, " ")); got != want {
			s.t.Errorf("%s: got %s, want %s", line, got, want)
		}
	}
}

// troubleIsSilence: nothing may appear in the line that is being typed.
func (s *shell) troubleIsSilence() {
	config := filepath.Join(s.home, ".aws", "config")
	before := len(s.screen.text())
	for _, text := range []string{"[profile", "key = value\n", "\xff\xfe", "[profile a]\n[profile a]\n"} {
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
		if got := s.run("aws-mfa-login \t"); !slices.Equal(got, []string{""}) {
			s.t.Errorf("%q: got %q", text, got)
		}
	}
	if err := errors.Join(os.Remove(config), os.Mkdir(config, 0o700)); err != nil {
		s.t.Fatal(err)
	}
	if got := s.run("aws-mfa-login --verb\t"); !slices.Equal(got, []string{"--verbose"}) {
		s.t.Errorf("got %q", got)
	}
	if got := s.run("aws-mfa-login \t"); !slices.Equal(got, []string{""}) {
		s.t.Errorf("got %q", got)
	}
	if shown := s.screen.text()[before:]; strings.Contains(shown, "error") || strings.Contains(shown, "directory") {
		s.t.Errorf("got %q", shown)
	}
}
