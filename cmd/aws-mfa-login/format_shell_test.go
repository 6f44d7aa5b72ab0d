//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aws-mfa/shared/cache"
)

// needed tells that a tool is missing: an error where $CI is set.
func needed(t *testing.T, tool string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is needed", tool)
	}
	t.Skipf("no %s", tool)
}

// awsCLI is the path of the AWS CLI v2, and its version.
func awsCLI(t *testing.T) (path, version string) {
	t.Helper()
	candidates := []string{"/usr/bin/aws", "/usr/local/bin/aws"}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		candidates = append(candidates, filepath.Join(dir, "aws"))
	}
	for _, path := range candidates {
		out, err := exec.Command(path, "--version").CombinedOutput()
		if err == nil && strings.HasPrefix(string(out), "aws-cli/2.") {
			return path, strings.TrimSpace(string(out))
		}
	}
	needed(t, "AWS CLI v2")
	return "", ""
}

const roleProfile = `[profile role]
role_arn = arn:aws:iam::123456789012:role/R
source_profile = default
region = eu-west-1
`

// The CLI finds the session in its cache, and prints it itself.
func TestTheFormsAreThoseOfTheAWSCLI(t *testing.T) {
	t.Parallel()
	aws, version := awsCLI(t)
	t.Log(version)
	whole := example
	whole.Expiration = time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	fraction := whole
	fraction.Expiration = whole.Expiration.Add(120 * time.Millisecond)
	for name, c := range map[string]cache.Entry{"whole seconds": whole, "a fraction": fraction} {
		home := t.TempDir()
		config := filepath.Join(home, ".aws", "config")
		for _, err := range []error{
			cache.In(home).Write(cache.Key{RoleARN: "arn:aws:iam::123456789012:role/R"}.Name(), c),
			os.WriteFile(config, []byte(roleProfile), 0o600),
			os.WriteFile(filepath.Join(home, ".aws", "credentials"), []byte("[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n"), 0o600),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		for form := range forms {
			if form == "nushell" { // not the CLI's
				continue
			}
			t.Run(form+" with "+name, func(t *testing.T) {
				t.Parallel()
				cmd := exec.Command(aws, "configure", "export-credentials", "--profile", "role", "--format", form)
				cmd.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "AWS_EC2_METADATA_DISABLED=true", "HTTPS_PROXY=http://127.0.0.1:9"}
				var stderr strings.Builder
				cmd.Stderr = &stderr
				out, err := cmd.Output()
				if form == "fish" && strings.Contains(strings.ToLower(stderr.String()), "invalid choice") {
					t.Skip("the CLI has it since 2.33.8")
				}
				if err != nil {
					t.Fatalf("%v: %s", err, stderr.String())
				}
				want, got := string(out), text(t, form, c)
				if form == "process" {
					want, got = normal(t, want), normal(t, got)
				}
				if got != want {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
			})
		}
	}
}

func text(t *testing.T, form string, c cache.Entry) string {
	t.Helper()
	got, err := printed(form, c)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// normal is what a credential_process printed, with its order, in one spelling
// and to the second.
func normal(t *testing.T, printed string) string {
	t.Helper()
	var tokens []string
	var v map[string]any
	for d := json.NewDecoder(strings.NewReader(printed)); ; {
		token, err := d.Token()
		if err != nil {
			break
		}
		if text, ok := token.(string); ok {
			tokens = append(tokens, text)
		}
	}
	if err := json.Unmarshal([]byte(printed), &v); err != nil {
		t.Fatal(err)
	}
	end, err := time.Parse(time.RFC3339, fmt.Sprint(v["Expiration"]))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%q %v %s", tokens[:len(tokens)-1], v["Version"], end.UTC().Truncate(time.Second))
}

// traps are values in which a shell could see something to do.
var traps = []string{
	`'`, `''`, `'''`, `a'b`, `'a'`, `\`, `\\`, `\'`, `'\`, `'\''`, `"`, `""`, `a"b"`, `\"`, `"'"'`, `'"'"'`,
	`$HOME`, `${HOME}`, `$(touch executed)`, "`touch executed`", `$((1+1))`, `$'a\nb'`, `$"a"`, `(touch executed)`, `<(touch executed)`, `=(touch executed)`,
	`;touch executed`, `&touch executed`, `&& touch executed`, `|touch executed`, `||touch executed`, `>executed`, `>>executed`, `<executed`,
	`';touch executed;'`, `\';touch executed;\'`, `";touch executed;"`, `'$(touch executed)'`, `\'$(touch executed)\'`, `a b`, ` a`, `a `, ` `, `  a  b  `,
	`a b=c`, `a AWS_PROFILE=x`, `!`, `!!`, `!touch`, `a!b`, `*`, `canary*`, `?anary`, `[c]anary`, `{a,b}`, `{1..3}`, `**/*`, `@(a|canary)`, `^canary`, `canary~x`,
	`~`, `~/a`, `~root`, `a:~root`, `~:~`, `=`, `==`, `=ls`, `=ls=`, `a=ls`, `a==ls`, `a=~`, `a:=ls`, `a:=`, `:`, `:~`, `::=`, `ls=:ls`,
	`#`, `#a`, `a #b`, `%`, `%1`, `%PATH%`, `%s%n`, `&`, `;`, `|`, `,`, `@`, `^`, `-`, `-n`, `--`, `--help`, `-e a`, `+x`, `a\nb`, `\0`, `\x41`, `a\`, `\$HOME`, "\\`id\\`",
	`(`, `)`, `()`, `{`, `}`, `[`, `]`, `<`, `>`, `/`, `/*`, `.`, `..`, `true`, `if`, `end`, `(id)`, `$`, `$$`, `a$`, `$1`, `$@`, `$AWS_PROFILE[1]`, `${(e)x}`,
}

// manyValues are the traps, all characters, and strings of them by chance;
// every second one of characters that are ordinary or nearly so.
func manyValues() []string {
	values := append([]string{example.SessionToken, example.SecretAccessKey}, traps...)
	var all strings.Builder
	for c := ' '; c <= '~'; c++ {
		all.WriteRune(c)
		values = append(values, string(c), "a"+string(c), string(c)+"a")
	}
	values = append(values, all.String())
	by := rand.New(rand.NewPCG(1, 2))
	for i := range 600 {
		of := all.String()
		if i%2 == 0 {
			of = "abZ09/+_.:-=~"
		}
		var b strings.Builder
		for range 1 + by.IntN(12) {
			b.WriteByte(of[by.IntN(len(of))])
		}
		values = append(values, b.String())
	}
	for len(values)%3 != 0 {
		values = append(values, "a")
	}
	return values
}

// show prints the variables, each ended by a NUL. It is run by the shell under
// test, or by another one, which sees what is exported only.
const show = `printf "%s\0" "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" "$AWS_SESSION_TOKEN" "$AWS_CREDENTIAL_EXPIRATION"`

// Each shell runs hundreds of what is printed for it, one after the other.
func TestShellsTakeNothingButTheValues(t *testing.T) {
	t.Parallel()
	const (
		posix = "for f in \"$1\"/*; do eval \"$(cat \"$f\")\"; SHOW; done"
		fish  = "for f in $argv[1]/*; cat $f | source; SHOW; end"
	)
	exported := func(script string) string { return strings.ReplaceAll(script, "SHOW", "sh -c '"+show+"'") }
	set := func(script string) string { return strings.ReplaceAll(script, "SHOW", show) }
	for _, c := range []struct {
		name, form, script string
		command            []string
	}{
		{"bash", "env", exported(posix), []string{"bash", "--norc", "-c"}},
		{"bash without export", "env-no-export", set(posix), []string{"bash", "--norc", "-c"}},
		{"bash as sh", "env", exported(posix), []string{"bash", "--posix", "--norc", "-c"}},
		{"bash with history and more globs", "env", exported("set -H -o history; shopt -s extglob nullglob globstar dotglob; " + posix), []string{"bash", "--norc", "-c"}},
		{"dash", "env", exported(posix), []string{"dash", "-c"}},
		{"dash without export", "env-no-export", set(posix), []string{"dash", "-c"}},
		{"zsh", "env", exported(posix), []string{"zsh", "-f", "-c"}},
		{"zsh without export", "env-no-export", set(posix), []string{"zsh", "-f", "-c"}},
		{"zsh as sh", "env", exported(posix), []string{"zsh", "--emulate", "sh", "-o", "norcs", "-c"}},
		{"zsh with all that interprets", "env", exported("setopt rcquotes magicequalsubst extendedglob braceccl globassign globsubst shwordsplit nullglob banghist interactivecomments kshglob; " + posix), []string{"zsh", "-f", "-c"}},
		{"zsh with all that interprets, without export", "env-no-export", set("setopt rcquotes magicequalsubst extendedglob braceccl globassign nullglob banghist interactivecomments kshglob; " + posix), []string{"zsh", "-f", "-c"}},
		{"fish", "fish", exported(fish), []string{"fish", "--no-config", "-c"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			shell, err := exec.LookPath(c.command[0])
			if err != nil {
				needed(t, c.command[0])
			}
			scripts, dir := t.TempDir(), t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "canary"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			want := writeScripts(t, scripts, c.form)
			cmd := exec.Command(shell, append(c.command[1:], c.script, "test", scripts)...)
			if c.command[0] == "fish" {
				cmd.Args = append(cmd.Args[:len(cmd.Args)-2], scripts)
			}
			cmd.Dir = dir
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "AWS_PROFILE=profile"}
			var stderr strings.Builder
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil || stderr.Len() != 0 {
				t.Errorf("got %v, %s", err, stderr.String())
			}
			got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
			if len(got) != len(want) {
				t.Errorf("got %d values, want %d", len(got), len(want))
			}
			for i := range min(len(got), len(want)) {
				if got[i] != want[i] {
					t.Errorf("got %q, want %q", got[i], want[i])
				}
			}
			left, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range left { // fish keeps its own in HOME
				if n := f.Name(); n != "canary" && n != ".config" && n != ".local" && n != ".cache" {
					t.Errorf("got a file %q", n)
				}
			}
		})
	}
}

// writeScripts prints each three of the values into a file, and returns what a
// shell should make of them all.
func writeScripts(t *testing.T, dir, form string) (want []string) {
	t.Helper()
	values := manyValues()
	for i := 0; i < len(values); i += 3 {
		c := cache.Entry{AccessKeyID: values[i], SecretAccessKey: values[i+1], SessionToken: values[i+2], Expiration: end}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%04d", i)), []byte(text(t, form, c)), 0o600); err != nil {
			t.Fatal(err)
		}
		want = append(want, values[i], values[i+1], values[i+2], isoFormat(end))
	}
	return want
}
