package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"aws-mfa/shared/awstest"
)

// TestMain lets the test program be mfa-code, too, which is a link to it.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == codeCommand {
		main()
	}
	os.Exit(m.Run())
}

func TestTheCommandRunsInsideAndNothingRemains(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the command is a shell script")
	}
	t.Setenv("PATH", os.Getenv("PATH"))
	out := filepath.Join(t.TempDir(), "out")
	t.Setenv("OUT", out)
	err := run("", []string{"sh", "-c", `{ echo "$HOME"; mfa-code; grep -c aws_secret "$HOME/.aws/credentials"; } >"$OUT"; exit 7`})
	if got := report(err); got != 7 {
		t.Errorf("got status %d, want the command's 7", got)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) != 4 || !regexp.MustCompile(`^\d{6}$`).MatchString(lines[1]) || lines[2] != "1" {
		t.Errorf("got %q, want a home, a code, and one secret", lines)
	}
	if _, err := os.Stat(lines[0]); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the home %s is still there: %v", lines[0], err)
	}
}

func TestNothingOfTheCallersSettingsLeadsOut(t *testing.T) {
	a, err := awstest.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	env := environment([]string{
		"AWS_PROFILE=prod", "aws_region=x", "https_proxy=http://corp", "NO_PROXY=*", "ALL_PROXY=x", "XDG_RUNTIME_DIR=/run/user/1",
		"DBUS_SESSION_BUS_ADDRESS=x", "BROWSER=firefox", "HOME=/home/jane", "TERM=xterm",
	}, "/new", a)
	want := []string{
		"TERM=xterm", "HOME=/new", "USERPROFILE=/new", "AWS_ENDPOINT_URL_STS=" + a.URL(), "AWS_ENDPOINT_URL_SIGNIN=" + a.URL(),
		"HTTPS_PROXY=" + a.ProxyURL(), "AWS_CA_BUNDLE=" + filepath.Join("/new", "aws-ca.pem"), "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=",
	}
	if !slices.Equal(env, want) {
		t.Errorf("got  %q\nwant %q", env, want)
	}
}
