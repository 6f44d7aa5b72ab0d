//go:build unix

package awstest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

const securityPage = "../../docs/security.md"

// rows are those of the page's tables: cells by the names of their columns.
func rows(t interface{ Fatalf(string, ...any) }, page string) (all []map[string]string) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatalf("%v", err)
	}
	var columns []string
	for line := range strings.Lines(string(text)) {
		line, isRow := strings.CutPrefix(strings.TrimSpace(line), "|")
		if !isRow {
			columns = nil
			continue
		}
		cells := strings.Split(strings.TrimSuffix(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case columns == nil:
			columns = cells
		case len(cells) != len(columns):
			t.Fatalf("%s: got %d cells, want %d: %s", page, len(cells), len(columns), line)
		case strings.Trim(line, "|- ") != "":
			row := map[string]string{}
			for i, cell := range cells {
				row[columns[i]] = cell
			}
			all = append(all, row)
		}
	}
	return all
}

var testName = regexp.MustCompile("`((?:Test|Fuzz)[^`]*)`")

// Whoever reads the page can look up what keeps each of its promises.
func TestEachClaimOfTheSecurityPageHasItsTest(t *testing.T) {
	all := rows(t, securityPage)
	if len(all) < 50 {
		t.Fatalf("got %d rows", len(all))
	}
	for _, row := range all {
		if !testName.MatchString(row["test"]) {
			t.Errorf("no test in %q", row)
		}
	}
	tests := testsOf(t, "../..")
	text, err := os.ReadFile(securityPage)
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range testName.FindAllStringSubmatch(string(text), -1) {
		if !tests[found[1]] {
			t.Errorf("there is no test %s", found[1])
		}
	}
}

// testsOf are the names of all tests, whatever they need to be built.
func testsOf(t *testing.T, root string) map[string]bool {
	all := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w*)\(`)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if name, isScript := strings.CutSuffix(d.Name(), ".txtar"); isScript {
			all["TestSuite/"+name] = true
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		source, err := os.ReadFile(path)
		for _, found := range declared.FindAllSubmatch(source, -1) {
			all[string(found[1])] = true
		}
		return err
	})
	if err != nil || !all["TestSuite"] {
		t.Fatalf("got %d tests, %v", len(all), err)
	}
	return all
}

// cmdKept holds each file below ~/.aws against the row that docs/security.md has
// for it: its mode, unless that is the user's own, and whether it has secrets.
func cmdKept(s *script, ts *testscript.TestScript, _ []string) error {
	var patterns []string
	promised, met := map[string]map[string]string{}, map[string]bool{}
	for _, row := range rows(ts, securityPage) {
		if file, ok := row["file"]; ok {
			file = strings.Trim(file, "`")
			patterns = append(patterns, file)
			promised[file] = row
		}
	}
	home := filepath.Join(ts.Getenv("HOME"), ".aws")
	var wrong []error
	check := func(file string, info fs.FileInfo) error {
		name := file
		if info.IsDir() {
			name += "/"
		}
		for _, pattern := range patterns {
			if is, _ := path.Match(pattern, name); !is {
				continue
			}
			met[pattern] = true
			row := promised[pattern]
			if mode := fmt.Sprintf("%#o", info.Mode().Perm()); !strings.HasPrefix(row["mode"], mode) && !strings.HasPrefix(row["mode"], "yours") {
				wrong = append(wrong, fmt.Errorf("%s: got mode %s, want %s", name, mode, row["mode"]))
			}
			if info.IsDir() {
				return nil
			}
			text, err := os.ReadFile(filepath.Join(home, file))
			if secret := s.secretIn(text); secret != "" && !strings.Contains(row["secret"], secret) {
				wrong = append(wrong, fmt.Errorf("%s: got a secret (%s), want %s", name, secret, row["secret"]))
			}
			return err
		}
		wrong = append(wrong, fmt.Errorf("%s: not on the page", name))
		return nil
	}
	err := filepath.WalkDir(home, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if file, err = filepath.Rel(home, file); err != nil || file == "." {
			return err
		}
		return check(filepath.ToSlash(file), info)
	})
	for _, pattern := range patterns {
		if !met[pattern] {
			fmt.Fprintln(ts.Stdout(), pattern)
		}
	}
	return errors.Join(append(wrong, err)...)
}

// secretIn is what of AWS's secrets the text has: "seed", "keys", "session", or "".
func (s *script) secretIn(text []byte) string {
	for _, u := range s.users {
		switch {
		case bytes.Contains(text, []byte(u.Device.Seed)):
			return "seed"
		case bytes.Contains(text, []byte(u.SecretAccessKey)):
			return "keys"
		}
	}
	for _, secret := range s.aws.Secrets() {
		if bytes.Contains(text, []byte(secret)) {
			return "session"
		}
	}
	return ""
}
