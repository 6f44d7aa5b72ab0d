package awstest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"aws-mfa/shared/awstest"
	"aws-mfa/shared/profile"

	"github.com/rogpeppe/go-internal/testscript"
)

const jane = "arn:aws:iam::123456789012:user/jane"

func TestMain(m *testing.M) {
	if name, _ := strings.CutSuffix(filepath.Base(os.Args[0]), ".exe"); name == "gosdk" {
		os.Exit(gosdk(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// TestWindows runs the scripts of testdata/windows on the programs, which are
// built, or are in the directory $AWSTEST_BIN where there is no Go: each with a
// local AWS as TestSuite has it, and a home of its own, in a directory whose name
// has a space and brackets. All that a script showed is searched for secrets.
//
// Commands besides testscript's own (and the program "gosdk"):
//
//	code              set $CODE to a code that was not used yet
//	seed FILE         write the seed of jane's device to a file
//	calls ACTION N    N calls since the script began
//	status N PROGRAM ARG...
//	                  run a program that must exit with N
//	crlf FILE...      make the ends of lines those of Windows
//	lines FILE        all ends of lines are those of Windows
//	process PROFILE   run the credential_process of the profile in the config file as SDKs do, each must get a session
func TestWindows(t *testing.T) {
	bin, work := built(t), filepath.Join(t.TempDir(), "Jane Doe [work]")
	if err := os.Mkdir(work, 0o700); err != nil {
		t.Fatal(err)
	}
	testscript.RunT(&windowsScript{searched: searched{T: t}}, testscript.Params{
		Dir:                 "testdata/windows",
		RequireExplicitExec: true,
		WorkdirRoot:         work,
		Setup:               func(e *testscript.Env) error { return e.T().(*windowsScript).setup(e, bin) },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":    command(0, cmdCode),
			"seed":    command(1, cmdSeed),
			"calls":   command(2, cmdCalls),
			"status":  command(2, cmdStatus),
			"crlf":    command(1, cmdCRLF),
			"lines":   command(1, cmdLines),
			"process": command(1, cmdProcess),
		},
	})
}

// built is the directory of the programs.
func built(t *testing.T) string {
	dir := os.Getenv("AWSTEST_BIN")
	if dir == "" {
		dir = t.TempDir()
		if out, err := exec.Command("go", "build", "-trimpath", "-o", dir+string(filepath.Separator), "../../cmd/...").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(self)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "gosdk.exe"), data, 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// A windowsScript is one script under way.
type windowsScript struct {
	searched
	jane *awstest.User
}

func (s *windowsScript) Run(name string, f func(testscript.T)) {
	s.T.Run(name, func(t *testing.T) {
		one := &windowsScript{searched: searched{T: t}}
		defer one.end()
		f(one)
	})
}

func (s *windowsScript) setup(e *testscript.Env, bin string) (err error) {
	if s.aws, err = awstest.Start(); err != nil {
		return err
	}
	s.jane = s.aws.AddUser(jane)
	s.aws.AddRole(awstest.Role{ARN: "arn:aws:iam::123456789012:role/PowerUserRole", RequireMFA: true, Trusts: []string{jane}})
	home, ca := filepath.Join(e.WorkDir, "home"), filepath.Join(e.WorkDir, "aws-ca.pem")
	for name, value := range map[string]string{
		"USERPROFILE": home, "HOME": `Z:\no-home`, "USERNAME": "jane", "TZ": "UTC", "COMSPEC": os.Getenv("COMSPEC"),
		"PATH": bin + string(os.PathListSeparator) + os.Getenv("PATH"),
		"BIN":  bin, "HTTPS_PROXY": s.aws.ProxyURL(), "AWS_CA_BUNDLE": ca, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		e.Setenv(name, value)
	}
	e.Values[worldKey{}] = s
	keys := fmt.Sprintf("[default]\r\naws_access_key_id = %s\r\naws_secret_access_key = %s\r\n", s.jane.AccessKeyID, s.jane.SecretAccessKey)
	return errors.Join(
		os.MkdirAll(filepath.Join(home, ".aws"), 0o700),
		os.WriteFile(ca, s.aws.CA(), 0o600),
		os.WriteFile(filepath.Join(home, ".aws", "credentials"), []byte(keys), 0o600),
	)
}

type worldKey struct{}

// command is a command with so many arguments at least.
func command(least int, do func(*windowsScript, *testscript.TestScript, []string) error) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) < least {
			ts.Fatalf("wrong arguments")
		}
		ts.Check(do(ts.Value(worldKey{}).(*windowsScript), ts, args))
	}
}

func cmdCode(s *windowsScript, ts *testscript.TestScript, _ []string) error {
	code, err := s.aws.Code(s.jane.Device.SerialNumber)
	ts.Setenv("CODE", code)
	return err
}

func cmdSeed(s *windowsScript, ts *testscript.TestScript, args []string) error {
	return os.WriteFile(ts.MkAbs(args[0]), []byte(s.jane.Device.Seed+"\r\n"), 0o600)
}

func cmdCalls(s *windowsScript, _ *testscript.TestScript, args []string) error {
	if got := s.aws.Count(args[0]); strconv.Itoa(got) != args[1] {
		return fmt.Errorf("got %d calls of %s, want %s: %+v", got, args[0], args[1], s.aws.Calls())
	}
	return nil
}

func cmdStatus(_ *windowsScript, ts *testscript.TestScript, args []string) error {
	got := 0
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		return err
	}
	if strconv.Itoa(got) != args[0] {
		return fmt.Errorf("got exit status %d, want %s", got, args[0])
	}
	return nil
}

func cmdCRLF(_ *windowsScript, ts *testscript.TestScript, args []string) error {
	for _, name := range args {
		text := strings.ReplaceAll(ts.ReadFile(name), "\r\n", "\n")
		if err := os.WriteFile(ts.MkAbs(name), []byte(strings.ReplaceAll(text, "\n", "\r\n")), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func cmdLines(_ *windowsScript, ts *testscript.TestScript, args []string) error {
	text := ts.ReadFile(args[0])
	if all, ours := strings.Count(text, "\n"), strings.Count(text, "\r\n"); all == 0 || all != ours {
		return fmt.Errorf("%d of %d lines end as those of Windows: %q", ours, all, text)
	}
	return nil
}

// cmdProcess runs the line as the Go SDK does, whose exec.Command quotes it once
// more for cmd.exe (credentials/processcreds/provider.go), the one for .NET
// (ProcessAWSCredentials.cs), Node's child_process.exec, and botocore, which
// runs it without a shell.
func cmdProcess(_ *windowsScript, ts *testscript.TestScript, args []string) error {
	set, err := profile.Load(func(name string) (string, bool) { value := ts.Getenv(name); return value, value != "" })
	if err != nil {
		return err
	}
	p, err := set.Profile(args[0])
	if err != nil {
		return err
	}
	line := p.Value("credential_process").Text
	words, err := profile.CommandWords(line, "windows")
	if err != nil {
		return err
	}
	shell, err := exec.LookPath("cmd.exe")
	if err != nil {
		return err
	}
	by := func(commandLine string) *exec.Cmd {
		return &exec.Cmd{Path: shell, SysProcAttr: &syscall.SysProcAttr{CmdLine: commandLine}}
	}
	var all []error
	for sdk, cmd := range map[string]*exec.Cmd{
		"Go":       exec.Command("cmd.exe", "/C", line),
		".NET":     by("cmd.exe /c " + line),
		"Node":     by(`cmd.exe /d /s /c "` + line + `"`),
		"botocore": exec.Command(words[0], words[1:]...),
	} {
		cmd.Env = append(os.Environ(), "USERPROFILE="+ts.Getenv("USERPROFILE"))
		out, err := cmd.Output()
		var got struct{ AccessKeyId, SecretAccessKey, SessionToken, Expiration string }
		if err != nil || json.Unmarshal(out, &got) != nil || got.AccessKeyId == "" || got.SessionToken == "" || got.Expiration == "" {
			all = append(all, fmt.Errorf("%s: %s: got %d bytes, %v", sdk, line, len(out), err))
		}
	}
	return errors.Join(all...)
}
