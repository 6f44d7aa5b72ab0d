//go:build unix

package awstest_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdLines writes the lines that docs/prompts.md gives for a shell to a file.
func cmdLines(s *script, ts *testscript.TestScript, args []string) error {
	section := between(s.T, "../../docs/prompts.md", "\n## "+args[0]+"\n", "## ")
	block := regexp.MustCompile("(?ms)^```[a-z]+\n(.*?)^```$").FindStringSubmatch(section)
	if block == nil {
		return fmt.Errorf("docs/prompts.md: no lines for %s", args[0])
	}
	return os.WriteFile(ts.MkAbs(args[1]), []byte(block[1]), 0o600)
}

func TestPromptsPageHasEveryFieldOfTheTemplate(t *testing.T) {
	segment := between(t, "../../cmd/aws-mfa-status/prompt/template.go", "type Segment struct {\n", "}")
	table := between(t, "../../docs/prompts.md", "| field | |\n", "\n")
	fields := regexp.MustCompile(`(?m)^\t([A-Z]\w+) `).FindAllStringSubmatch(segment, -1)
	if len(fields) < 5 {
		t.Fatalf("got %d fields", len(fields))
	}
	for _, field := range fields {
		if !strings.Contains(table, "`."+field[1]+"`") {
			t.Errorf(".%s is not told", field[1])
		}
	}
}
