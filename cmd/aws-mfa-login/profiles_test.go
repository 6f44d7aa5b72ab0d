package main

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestACommandLineIsOneForEverySDK(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ goos, program, profile, want string }{
		{"linux", "/usr/bin/aws-mfa-login", "mfa", `/usr/bin/aws-mfa-login mfa --format process`},
		{"darwin", "/Users/Jane Doe/bin/aws-mfa-login", "mfa", `"/Users/Jane Doe/bin/aws-mfa-login" mfa --format process`},
		{"linux", "/p/a b/x", "my prod", `"/p/a b/x" "my prod" --format process`},
		{"linux", "/p/x", "it's", `/p/x "it's" --format process`},
		{"linux", "/p/x", `a$(b)'"c`, `/p/x 'a$(b)'\''"c' --format process`},
		{"linux", "/p/x", "Jürgen", `/p/x "Jürgen" --format process`},
		{"linux", "/p/x", "a #b", ""},
		{"linux", "/p/x", "a ;b", ""},
		{"linux", "/p/x", "a\nb", ""},
		{"windows", `C:\bin\aws-mfa-login.exe`, "mfa", `C:\bin\aws-mfa-login.exe mfa --format process`},
		{"windows", `C:\Program Files\aws-mfa-login.exe`, "mfa", ""}, // whose short name is
		{"windows", `C:\PROGRA~2\a(b)\aws-mfa-login.exe`, "jane@corp", `C:\PROGRA~2\a(b)\aws-mfa-login.exe jane@corp --format process`},
		{"windows", `C:\a,b\aws-mfa-login.exe`, "mfa", ""}, // a comma ends a command's name in cmd.exe
		{"windows", `C:\bin\aws-mfa-login.exe`, "my prod", ""},
		{"windows", `C:\bin\aws-mfa-login.exe`, "%PATH%", ""},
		{"windows", `C:\bin\aws-mfa-login.exe`, "a&calc", ""},
	} {
		got, err := commandLine(c.goos, c.program, c.profile)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s %s %s: got %s, %v, want %s", c.goos, c.program, c.profile, got, err, c.want)
		}
	}
}

// sh is what the Go and JavaScript SDKs use, shlex what botocore does.
func TestShellsAndShlexReadACommandLineAlike(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	var lines []string
	var want [][]string
	for range 2000 {
		words := make([]string, 2)
		for i := range words {
			for range 1 + random.IntN(8) {
				words[i] += string("ab \"'\\$`!#;&|<>()*?[]{}~=%^-+@"[random.IntN(30)])
			}
		}
		if line, err := commandLine("linux", words...); err == nil {
			lines, want = append(lines, line), append(want, append(words, "--format", "process"))
		}
	}
	if len(lines) < 1000 {
		t.Fatalf("only %d lines", len(lines))
	}
	input, _ := json.Marshal(lines)
	script := `import json, shlex, sys
json.dump([shlex.split(l) for l in json.load(sys.stdin)], sys.stdout)`
	cmd := exec.Command(python, "-c", script)
	cmd.Stdin = strings.NewReader(string(input))
	out, err := cmd.Output()
	var split [][]string
	if err != nil || json.Unmarshal(out, &split) != nil {
		t.Fatal(err)
	}
	shell := exec.Command("sh", "-c", "printf '%s\\0' "+strings.Join(lines, "\nprintf '%s\\0' "))
	inShell, err := shell.Output()
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Split(string(inShell), "\x00")
	for i := range lines {
		if !slices.Equal(split[i], want[i]) {
			t.Errorf("shlex: %s: got %q, want %q", lines[i], split[i], want[i])
		}
		if got := words[4*i : 4*i+4]; !slices.Equal(got, want[i]) {
			t.Errorf("sh: %s: got %q, want %q", lines[i], got, want[i])
		}
		if strings.Contains(lines[i], " #") || strings.Contains(lines[i], " ;") {
			t.Errorf("%s: has what looks like a comment", lines[i])
		}
	}
}
