//go:build unix

package awstest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A manual page that lacks a flag is one that nobody can trust.
func TestManualPagesAreSoundAndHaveEveryFlag(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.1")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	bin := build(t)
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		program := strings.TrimSuffix(filepath.Base(page), ".1")
		help, err := exec.Command(filepath.Join(bin, program), "--help").Output()
		if err != nil {
			t.Fatal(err)
		}
		flags := regexp.MustCompile(`(?m)^ +(?:-\w, |    )--([a-z-]+)`).FindAllSubmatch(help, -1)
		if len(flags) < 5 {
			t.Fatalf("%s: got %d flags", program, len(flags))
		}
		for _, flag := range flags {
			if !regexp.MustCompile(`(?m)^\.It Fl .*-` + string(flag[1]) + `\b`).Match(text) {
				t.Errorf("%s: --%s is not told", page, flag[1])
			}
		}
		if ok, err := condition("tool:mandoc", nil); err != nil {
			t.Fatal(err)
		} else if ok {
			if out, _ := exec.Command("mandoc", "-Tlint", "-Wwarning", page).CombinedOutput(); len(out) > 0 {
				t.Errorf("%s", out)
			}
		}
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
