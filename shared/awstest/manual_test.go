//go:build unix

package awstest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A manual page that lacks a flag, or tells of one that is not there, is one
// that nobody can trust.
func TestManualPagesTellWhatHelpTells(t *testing.T) {
	bin := build(t)
	for _, program := range suite(t) {
		page, err := os.ReadFile(manual(program))
		if err != nil {
			t.Fatal(err)
		}
		help, err := exec.Command(filepath.Join(bin, program), "--help").Output()
		if err != nil {
			t.Fatal(err)
		}
		flags, variables, _ := strings.Cut(string(help), "\nEnvironment:\n")
		same(t, program+": flags", all(string(page), `(?m)^\.It Fl (?:\w , )?-([a-z-]+)`), all(flags, `(?m)^ +(?:-\w, |    )--([a-z-]+)`))
		told := all(between(t, manual(program), ".Sh ENVIRONMENT\n", ".Sh FILES"), `\b([A-Z_]{4,})\b`)
		for _, name := range all(variables, `\b([A-Z_]{4,})\b`) {
			if !slices.Contains(told, name) {
				t.Errorf("%s: the variable %s is not told", program, name)
			}
		}
	}
}

func TestManualPagesHaveTheirSections(t *testing.T) {
	programs := suite(t)
	for _, program := range programs {
		page, err := os.ReadFile(manual(program))
		if err != nil {
			t.Fatal(err)
		}
		rest := string(page)
		for _, section := range []string{"NAME", "SYNOPSIS", "DESCRIPTION", "ENVIRONMENT", "FILES", "EXIT STATUS", "EXAMPLES", "SEE ALSO"} {
			_, after, ok := strings.Cut(rest, "\n.Sh "+section+"\n")
			if !ok {
				t.Fatalf("%s: the section %s is missing, or not in its place", program, section)
			}
			rest = after
		}
		for _, other := range programs {
			if other != program && !strings.Contains(rest, ".Xr "+other+" 1") {
				t.Errorf("%s: there is no reference to %s", program, other)
			}
		}
	}
}

// What the sections of the three pages have in common is told in the same words.
func TestManualPagesAgreeOnTheEnvironment(t *testing.T) {
	var first string
	for _, program := range suite(t) {
		text := between(t, manual(program), ".Sh ENVIRONMENT\n", ".It Ev NO_COLOR")
		if first == "" {
			first = text
		}
		if text != first {
			t.Errorf("%s: got\n%s\nwant\n%s", program, text, first)
		}
	}
}

func TestManualPagesAreSound(t *testing.T) {
	if ok, err := condition("tool:mandoc", nil); err != nil || !ok {
		t.Skip("needs mandoc: ", err)
	}
	for _, program := range suite(t) {
		out, _ := exec.Command("mandoc", "-Tlint", "-Wstyle", manual(program)).Output()
		for line := range strings.Lines(string(out)) {
			if !strings.Contains(line, "referenced manual not found") { // it looks among those installed here
				t.Error(line)
			}
		}
	}
}

// suite is the names of the programs.
func suite(t *testing.T) (names []string) {
	t.Helper()
	directories, err := filepath.Glob("../../cmd/*")
	if err != nil || len(directories) != 3 {
		t.Fatalf("got %q, %v", directories, err)
	}
	for _, d := range directories {
		names = append(names, filepath.Base(d))
	}
	return names
}

func manual(program string) string { return filepath.Join("../../docs", program+".1") }

// all is the first group of every match, sorted, each once.
func all(text, pattern string) (found []string) {
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("%s:\ngot  %q\nwant %q", what, got, want)
	}
}

// Five sentences, the same ones in the README and the manual page.
func TestTheTradeOffIsToldInFiveSentences(t *testing.T) {
	plain := func(text string) string {
		return strings.Join(strings.Fields(strings.NewReplacer("`", "", "\n.Cm ", "\n", "\n.Fl ", "\n-").Replace(text)), " ")
	}
	readme, manual := between(t, "../../README.md", "#### When to keep a seed", "####"), between(t, "../../docs/aws-mfa-login.1", ".Sh WHEN TO KEEP A SEED", ".Sh")
	if plain(readme) != plain(manual) {
		t.Errorf("README.md:\n%s\nmanual page:\n%s", plain(readme), plain(manual))
	}
	if got := len(regexp.MustCompile(`\.( |$)`).FindAllString(plain(readme), -1)); got != 5 {
		t.Errorf("got %d sentences", got)
	}
}

// between is what stands in a file behind one line, up to the next mark.
func between(t *testing.T, path, after, before string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), after)
	if !ok {
		t.Fatalf("%s: no %q", path, after)
	}
	part, _, _ := strings.Cut(rest, "\n"+before)
	return part
}
