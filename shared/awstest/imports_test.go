package awstest_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// rooms lists, for each package, what it may import of ours and of others.
// Packages on the same row are strangers, and each library has one door
// (golang.org/x/sys is the system, not a library).
var rooms = map[string][]string{
	"aws-mfa/cmd/aws-mfa-login":         {"aws-mfa/cmd/aws-mfa-login/warm", "aws-mfa/shared/recall", "aws-mfa/shared/wording", "aws-mfa/shared/cli", "aws-mfa/shared/session", "aws-mfa/shared/profile", "aws-mfa/shared/cache", "aws-mfa/shared/mfa"},
	"aws-mfa/cmd/aws-mfa-status":        {"aws-mfa/cmd/aws-mfa-status/prompt", "aws-mfa/shared/wording", "aws-mfa/shared/cli", "aws-mfa/shared/session", "aws-mfa/shared/profile", "aws-mfa/shared/cache", "golang.org/x/sys/", "golang.org/x/term", "github.com/clipperhouse/displaywidth"},
	"aws-mfa/cmd/aws-mfa-console":       {"aws-mfa/shared/wording", "aws-mfa/shared/cli", "aws-mfa/shared/session", "aws-mfa/shared/profile", "github.com/cli/browser"},
	"aws-mfa/cmd/aws-mfa-login/warm":    {"aws-mfa/shared/recall", "aws-mfa/shared/cache", "aws-mfa/shared/wording"},
	"aws-mfa/cmd/aws-mfa-status/prompt": {"aws-mfa/shared/recall", "aws-mfa/shared/wording"},
	"aws-mfa/shared/cli":                {"aws-mfa/shared/dump", "aws-mfa/shared/wording", "aws-mfa/shared/session", "aws-mfa/shared/profile", "aws-mfa/shared/cache", "aws-mfa/shared/mfa", "github.com/alecthomas/kong"},
	"aws-mfa/shared/session":            {"aws-mfa/shared/profile", "aws-mfa/shared/cache", "aws-mfa/shared/mfa", "github.com/aws/"},
	"aws-mfa/shared/recall":             {"aws-mfa/shared/cache", "aws-mfa/shared/dump"},
	"aws-mfa/shared/dump":               {},
	"aws-mfa/shared/wording":            {},
	"aws-mfa/shared/profile":            {"gopkg.in/ini.v1"},
	"aws-mfa/shared/cache":              {"golang.org/x/sys/", "github.com/gofrs/flock"},
	"aws-mfa/shared/mfa":                {"golang.org/x/sys/", "github.com/pquerna/otp", "github.com/zalando/go-keyring", "filippo.io/age"},
	"aws-mfa/shared/awstest":            {"github.com/pquerna/otp"},
	"aws-mfa/shared/release":            {"github.com/CycloneDX/cyclonedx-go"},
	"aws-mfa/shared/awstest/sandbox":    {"aws-mfa/shared/awstest", "golang.org/x/sys/"},
}

func TestImportsGoDownOnly(t *testing.T) {
	for _, goos := range []string{"linux", "darwin", "windows"} {
		seen := map[string]bool{}
		for _, p := range packages(t, goos) {
			seen[p.ImportPath] = true
			allowed, ok := rooms[p.ImportPath]
			if !ok {
				t.Errorf("%s: %s has no room", goos, p.ImportPath)
			}
			for _, path := range p.Imports {
				standard := !strings.Contains(strings.Split(path, "/")[0], ".") && !strings.HasPrefix(path, "aws-mfa/")
				if !standard && !slices.ContainsFunc(allowed, func(a string) bool { return path == a || strings.HasPrefix(path, strings.TrimSuffix(a, "/")+"/") }) {
					t.Errorf("%s: %s imports %s", goos, p.ImportPath, path)
				}
			}
		}
		for path := range rooms {
			if !seen[path] {
				t.Errorf("%s: there is no %s", goos, path)
			}
		}
	}
}

// The loader of aws-sdk-go-v2/config pulls in half of the SDK: a quarter of
// the start-up time. service/sso alone is 0.7 MB of each program.
func TestTheProgramsLinkLittleOfTheSDK(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "aws-mfa/cmd/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range strings.Fields(string(out)) {
		if strings.HasPrefix(path, "github.com/aws/aws-sdk-go-v2/config") || strings.HasPrefix(path, "github.com/aws/aws-sdk-go-v2/service/sso") || strings.HasPrefix(path, "aws-mfa/shared/awstest") {
			t.Errorf("the programs depend on %s", path)
		}
	}
}

type listed struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T, goos string) (all []listed) {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "aws-mfa/...")
	cmd.Env = append(cmd.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}
