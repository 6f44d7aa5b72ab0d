//go:build unix

package awstest_test

import (
	"crypto/rand"
	"crypto/sha1"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"aws-mfa/shared/awstest"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const jane = "arn:aws:iam::123456789012:user/jane"

// TestSuite runs the testscripts of all commands, cmd/*/testdata/*.txtar, on
// the built programs: each with a local AWS and a HOME of its own. All that a
// script showed is searched for secrets when it is over.
//
// The programs and the real clients find that AWS under AWS's own host names,
// through HTTPS_PROXY and AWS_CA_BUNDLE; there is a user jane with an MFA
// device whose keys are in [default] of the credentials file, and the roles
// PowerUserRole (MFA), AdminRole (MFA, up to 12 h) and PlainRole (no MFA).
//
// Commands besides testscript's own (and the programs "terminal", "headless",
// "many" and those of the real clients, see there):
//
//	user ARN                  add a user with keys and an MFA device
//	keys PROFILE ARN          write the user's keys to the credentials file
//	role ARN [trusts=ARN] [mfa] [external-id=X] [max=12h]
//	code [SERIAL]             set $CODE to a code that was not used yet (of jane's device)
//	seed FILE [period=1s]     write the seed of jane's device to a file; with a period, make it show codes for so long
//	clock DURATION            move AWS's clock
//	fault KIND ACTION TIMES   hang, throttle, lost, lost:504 (by a gateway), reset, redirect, redirect:307, endless:BODY, drip:BODY,
//	                          bomb:BODY, 503, or 400:BODY; TIMES -1 is for ever. The proxy's action is CONNECT
//	expire                    end all sessions and access tokens, at AWS
//	region-off REGION         switch STS off there
//	calls ACTION N            N calls since the script began
//	age NAME DURATION         let the cached session of that name end then, counted from now, as if it had begun earlier
//	status N PROGRAM ARG...   run a program that must exit with N
//	mode PERM FILE            FILE has those permissions, in octal
//	kept                      all below ~/.aws is what docs/security.md says that is kept there; shows what of that is not there
//	schema FILE               the output of aws-mfa-status --output json in FILE is what docs/ promises
//	page                      wait for the page that the program "browser" (or "headless") ended on, and show it
//	keep PICTURE              the picture shows something; with $AWSTEST_ARTEFACTS set here it is kept in that directory
//	watch                     look at the arguments and the environment of all processes from now on
//	watched                   show what was seen since: the script's processes, and which others had a secret, as SECRET
//	lines SHELL FILE          write the lines for that shell in docs/prompts.md to FILE
//	token FILE ROLEARN [expired]
//	                          write a web identity token that the role trusts to a file
//	sso NAME ACCOUNT ROLENAME [expired]
//	                          be signed in to that SSO session (or start URL) and assigned the role besides earlier ones,
//	                          $SSO_ROLE, arn:aws:iam::ACCOUNT:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_ROLENAME_0123456789abcdef
//	metadata instance|container ROLEARN
//	                          be on an instance, or in a container, that has the role
func TestSuite(t *testing.T) {
	scripts, err := filepath.Glob("../../cmd/*/testdata/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	bin, work := build(t), t.TempDir()
	clients := clients(bin)
	if err := os.Chmod(filepath.Dir(work), 0o711); err != nil { // some scripts play another user, who runs the programs
		t.Fatal(err)
	}
	testscript.RunT(&script{searched: searched{T: t}}, testscript.Params{
		Files:               scripts,
		RequireExplicitExec: true,
		WorkdirRoot:         work,
		Setup:               func(e *testscript.Env) error { return e.T().(*script).setup(e, bin) },
		Condition:           func(cond string) (bool, error) { return condition(cond, clients) },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"user":   command(1, 1, func(w *script, ts *testscript.TestScript, args []string) error { w.aws.AddUser(args[0]); return nil }),
			"keys":   command(2, 2, cmdKeys),
			"role":   command(1, 9, cmdRole),
			"code":   command(0, 1, cmdCode),
			"seed":   command(1, 2, cmdSeed),
			"clock":  command(1, 1, cmdClock),
			"fault":  command(3, 3, cmdFault),
			"expire": command(0, 0, func(w *script, _ *testscript.TestScript, _ []string) error { w.aws.ExpireSessions(); return nil }),
			"region-off": command(1, 1, func(w *script, _ *testscript.TestScript, args []string) error {
				w.aws.DisableRegion(args[0])
				return nil
			}),
			"calls":    command(2, 2, cmdCalls),
			"age":      command(2, 2, cmdAge),
			"status":   command(2, 99, cmdStatus),
			"mode":     command(2, 2, cmdMode),
			"kept":     command(0, 0, cmdKept),
			"schema":   command(1, 1, cmdSchema),
			"lines":    command(2, 2, cmdLines),
			"page":     command(0, 0, cmdPage),
			"keep":     command(1, 1, cmdKeep),
			"watch":    command(0, 0, cmdWatch),
			"watched":  command(0, 0, cmdWatched),
			"token":    command(2, 3, cmdToken),
			"sso":      command(3, 4, cmdSSO),
			"metadata": command(2, 2, cmdMetadata),
		},
	})
}

// A script is one testscript under way.
type script struct {
	searched
	users   map[string]*awstest.User
	sso     map[string][]string // the roles assigned in each SSO session
	lookout *lookout            // the last one
}

func (s *script) Run(name string, f func(testscript.T)) {
	s.T.Run(name, func(t *testing.T) {
		one := &script{searched: searched{T: t}, users: map[string]*awstest.User{}, sso: map[string][]string{}}
		defer one.end()
		f(one)
	})
}

// FailNow is called before the log is: mark the failure first.
func (s *script) FailNow() { s.T.FailNow() }

// setup makes the world of one script.
func (s *script) setup(e *testscript.Env, bin string) error {
	aws, err := awstest.Start()
	if err != nil {
		return err
	}
	s.aws = aws
	home := filepath.Join(e.WorkDir, "home")
	ca := filepath.Join(e.WorkDir, "aws-ca.pem")
	if err := errors.Join(os.MkdirAll(filepath.Join(home, ".aws"), 0o700), os.WriteFile(ca, aws.CA(), 0o600)); err != nil {
		return err
	}
	s.users[jane] = aws.AddUser(jane)
	for _, r := range []awstest.Role{
		{ARN: "arn:aws:iam::123456789012:role/PowerUserRole", RequireMFA: true},
		{ARN: "arn:aws:iam::123456789012:role/AdminRole", RequireMFA: true, MaxSessionDuration: 12 * time.Hour},
		{ARN: "arn:aws:iam::123456789012:role/PlainRole"},
	} {
		r.Trusts = []string{jane}
		aws.AddRole(r)
	}
	for name, value := range map[string]string{
		"HOME": home, "TZ": "UTC", "PATH": bin + string(os.PathListSeparator) + os.Getenv("PATH"),
		"HTTPS_PROXY": aws.ProxyURL(), "AWS_CA_BUNDLE": ca, "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": "",
		"XDG_DATA_HOME": filepath.Join(e.WorkDir, "xdg"), "XDG_CONFIG_HOME": filepath.Join(e.WorkDir, "xdg"), "XDG_RUNTIME_DIR": filepath.Join(e.WorkDir, "xdg"),
		"AWSTEST_URL": aws.URL(), "AWSTEST_PAGE": filepath.Join(e.WorkDir, "page"), "GOCOVERDIR": os.Getenv("GOCOVERDIR"), "TERM": "xterm",
	} {
		e.Setenv(name, value)
	}
	e.Values[worldKey{}] = s
	return s.writeKeys(home, "default", jane)
}

type worldKey struct{}

// command is a testscript command with so many arguments that works on the
// script's world.
func command(least, most int, do func(*script, *testscript.TestScript, []string) error) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) < least || len(args) > most {
			ts.Fatalf("wrong arguments")
		}
		ts.Check(do(ts.Value(worldKey{}).(*script), ts, args))
	}
}

func (s *script) user(arn string) *awstest.User {
	if s.users[arn] == nil {
		s.users[arn] = s.aws.AddUser(arn)
	}
	return s.users[arn]
}

func (s *script) writeKeys(home, profile, arn string) error {
	u := s.user(arn)
	f, err := os.OpenFile(filepath.Join(home, ".aws", "credentials"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n", profile, u.AccessKeyID, u.SecretAccessKey)
	return errors.Join(err, f.Close())
}

func cmdKeys(s *script, ts *testscript.TestScript, args []string) error {
	return s.writeKeys(ts.Getenv("HOME"), args[0], args[1])
}

func cmdRole(s *script, _ *testscript.TestScript, args []string) error {
	r := awstest.Role{ARN: args[0]}
	for _, flag := range args[1:] {
		name, value, _ := strings.Cut(flag, "=")
		switch name {
		case "trusts":
			r.Trusts = append(r.Trusts, value)
		case "mfa":
			r.RequireMFA = true
		case "external-id":
			r.ExternalID = value
		case "max":
			d, err := time.ParseDuration(value)
			if err != nil {
				return err
			}
			r.MaxSessionDuration = d
		default:
			return fmt.Errorf("unknown: %s", flag)
		}
	}
	s.aws.AddRole(r)
	return nil
}

func cmdCode(s *script, ts *testscript.TestScript, args []string) error {
	serial := s.users[jane].Device.SerialNumber
	if len(args) > 0 {
		serial = args[0]
	}
	code, err := s.aws.Code(serial)
	ts.Setenv("CODE", code)
	return err
}

func cmdSeed(s *script, ts *testscript.TestScript, args []string) error {
	device := s.users[jane].Device
	text := device.Seed
	if len(args) > 1 {
		period, err := time.ParseDuration(strings.TrimPrefix(args[1], "period="))
		if err != nil {
			return err
		}
		if err := s.aws.Hasten(device.SerialNumber, period); err != nil {
			return err
		}
		text = fmt.Sprintf("otpauth://totp/Amazon%%20Web%%20Services:jane@123456789012?secret=%s&issuer=Amazon%%20Web%%20Services&period=%d", device.Seed, int(period.Seconds()))
	}
	return os.WriteFile(ts.MkAbs(args[0]), []byte(text+"\n"), 0o600)
}

func cmdClock(s *script, _ *testscript.TestScript, args []string) error {
	d, err := time.ParseDuration(args[0])
	s.aws.Shift(d)
	return err
}

func cmdFault(s *script, _ *testscript.TestScript, args []string) error {
	times, err := strconv.Atoi(args[2])
	f := awstest.Fault{Action: args[1], Times: times}
	kind, body, _ := strings.Cut(args[0], ":")
	switch kind {
	case "hang":
		f.Kind = awstest.Hang
	case "throttle":
		f.Kind = awstest.Throttle
	case "lost":
		f.Kind = awstest.Lost
		f.Status, _ = strconv.Atoi(body)
	case "reset":
		f.Kind = awstest.Reset
	case "redirect":
		f.Kind = awstest.Redirect
		f.Status, _ = strconv.Atoi(body)
	case "endless":
		f.Kind, f.Body = awstest.Endless, body
	case "drip":
		f.Kind, f.Body = awstest.Drip, body
	case "bomb":
		f.Kind, f.Body = awstest.Bomb, body
	default:
		f.Kind, f.Body = awstest.Answer, body
		if f.Status, err = strconv.Atoi(kind); err != nil {
			return err
		}
	}
	s.aws.Fail(f)
	return err
}

func cmdCalls(s *script, _ *testscript.TestScript, args []string) error {
	if got := s.aws.Count(args[0]); strconv.Itoa(got) != args[1] {
		return fmt.Errorf("got %d calls of %s, want %s: %+v", got, args[0], args[1], s.aws.Calls())
	}
	return nil
}

var expiration = regexp.MustCompile(`"Expiration": "[^"]*"`)

func cmdAge(_ *script, ts *testscript.TestScript, args []string) error {
	d, err := time.ParseDuration(args[1])
	if err != nil {
		return err
	}
	path := filepath.Join(ts.Getenv("HOME"), ".aws", "cli", "cache", args[0]+".json")
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	before, err := time.Parse(`"Expiration": "`+time.RFC3339+`"`, string(expiration.Find(data)))
	if err != nil { // a fixture without one
		before = info.ModTime().Add(time.Hour)
	}
	end := time.Now().Add(d).UTC().Truncate(time.Second)
	data = expiration.ReplaceAll(data, []byte(end.Format(`"Expiration": "`+time.RFC3339+`"`)))
	begun := end.Add(info.ModTime().Sub(before))
	return errors.Join(os.WriteFile(path, data, 0o600), os.Chtimes(path, begun, begun))
}

func cmdStatus(_ *script, ts *testscript.TestScript, args []string) error {
	want, got := args[0], 0
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		return err
	}
	if strconv.Itoa(got) != want {
		return fmt.Errorf("got exit status %d, want %s", got, want)
	}
	return nil
}

func cmdMode(_ *script, ts *testscript.TestScript, args []string) error {
	info, err := os.Stat(ts.MkAbs(args[1]))
	if err != nil {
		return err
	}
	if got := strconv.FormatUint(uint64(info.Mode().Perm()), 8); got != args[0] {
		return fmt.Errorf("%s: got mode %s, want %s", args[1], got, args[0])
	}
	return nil
}

func cmdSchema(_ *script, ts *testscript.TestScript, args []string) error {
	schema, err := jsonschema.NewCompiler().Compile("../../docs/aws-mfa-status.schema.json")
	if err != nil {
		return err
	}
	file, err := os.Open(ts.MkAbs(args[0]))
	if err != nil {
		return err
	}
	defer file.Close()
	output, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		return err
	}
	return schema.Validate(output)
}

func cmdPage(_ *script, ts *testscript.TestScript, _ []string) error {
	path := ts.Getenv("AWSTEST_PAGE")
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if text, err := os.ReadFile(path); err == nil {
			ts.Stdout().Write(text)
			return os.Remove(path)
		}
	}
	return errors.New("no browser came to a page")
}

// life is the end of something that has expired, or has not.
func (s *script) life(flags []string) (time.Time, error) {
	switch {
	case len(flags) == 0:
		return s.aws.Now().Add(time.Hour), nil
	case flags[0] == "expired":
		return s.aws.Now().Add(-time.Hour), nil
	}
	return time.Time{}, fmt.Errorf("unknown: %s", flags[0])
}

func cmdToken(s *script, ts *testscript.TestScript, args []string) error {
	expires, err := s.life(args[2:])
	if err != nil {
		return err
	}
	return os.WriteFile(ts.MkAbs(args[0]), []byte(s.aws.AddWebIdentity("jane", expires, args[1])), 0o600)
}

func cmdSSO(s *script, ts *testscript.TestScript, args []string) error {
	expires, err := s.life(args[3:])
	if err != nil {
		return err
	}
	name, startURL := args[0], "https://example.awsapps.com/start"
	if strings.Contains(name, "://") {
		startURL = name
	}
	role := fmt.Sprintf("arn:aws:iam::%s:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_%s_0123456789abcdef", args[1], args[2])
	ts.Setenv("SSO_ROLE", role)
	s.sso[name] = append(s.sso[name], role)
	token := fmt.Sprintf(`{"startUrl": %q, "region": "us-east-1", "accessToken": %q, "expiresAt": %q}`,
		startURL, s.aws.AddAccessToken(expires, s.sso[name]...), expires.UTC().Format("2006-01-02T15:04:05Z"))
	dir := filepath.Join(ts.Getenv("HOME"), ".aws", "sso", "cache")
	path := filepath.Join(dir, fmt.Sprintf("%x.json", sha1.Sum([]byte(name))))
	return errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(path, []byte(token), 0o600))
}

func cmdMetadata(s *script, ts *testscript.TestScript, args []string) error {
	switch args[0] {
	case "instance":
		s.aws.SetInstanceRole(args[1])
		ts.Setenv("AWS_EC2_METADATA_DISABLED", "false")
		ts.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", s.aws.InstanceURL())
	case "container":
		authorization := rand.Text()
		s.aws.SetContainerRole(args[1], authorization)
		ts.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", s.aws.ContainerURL())
		ts.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", authorization)
	default:
		return fmt.Errorf("unknown: %s", args[0])
	}
	return nil
}

// condition knows tools that a script needs: [tool:strace], and real clients:
// [client:boto3], and whether a variable is set here: [env:CI], and who runs
// the tests: [root]. With $CI set the tools must be there: nothing is skipped.
func condition(cond string, clients map[string]func() error) (bool, error) {
	if name, ok := strings.CutPrefix(cond, "client:"); ok {
		return present(clients, name)
	}
	if name, ok := strings.CutPrefix(cond, "env:"); ok {
		return os.Getenv(name) != "", nil
	}
	if cond == "root" {
		return os.Getuid() == 0, nil
	}
	tool, ok := strings.CutPrefix(cond, "tool:")
	if !ok {
		return false, fmt.Errorf("unknown condition %q", cond)
	}
	_, err := exec.LookPath(tool)
	if tool == "unshare" && err == nil { // there, and allowed to
		err = exec.Command("unshare", "-m", "true").Run()
	}
	if err != nil && os.Getenv("CI") != "" {
		return false, fmt.Errorf("%s is needed: %w", tool, err)
	}
	return err == nil, nil
}

// build builds the programs into a directory, with those that the scripts need.
func build(t testing.TB) string {
	t.Helper()
	return buildIn(t, t.TempDir())
}

func buildIn(t testing.TB, dir string) string {
	t.Helper()
	// What the child reads is unknown to go test, which would repeat an old
	// result for new sources if they were not read here.
	for _, root := range []string{"../../cmd", "../../shared"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				_, err = os.ReadFile(path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"build", "-trimpath", "-tags", "nethttpomithttp2", "-ldflags", "-s -w -X aws-mfa/shared/cli.version=v0.0.0-test", "-o", dir + string(filepath.Separator)}
	if os.Getenv("GOCOVERDIR") != "" {
		args = append(args, "-cover", "-coverpkg=aws-mfa/...")
	}
	compile := exec.Command("go", append(args, "../../cmd/...")...)
	compile.Env = append(compile.Environ(), "CGO_ENABLED=0") // as the Makefile has it
	if out, err := compile.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name := range programs {
		if err := os.Symlink(self, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	linkClients(t, dir)
	err = errors.Join(os.WriteFile(filepath.Join(dir, "keyring"), []byte(keyring), 0o755), os.WriteFile(filepath.Join(dir, "session.conf"), []byte(sessionBus), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// keyring runs a program beside a Secret Service of its own, whose keyring is
// found again by the next run, and which ends with it. Its bus starts no other.
const keyring = `#!/bin/sh
mkdir -p -m 700 "$XDG_RUNTIME_DIR"
exec dbus-run-session --config-file="${0%/*}/session.conf" -- sh -c '
	printf test | gnome-keyring-daemon --foreground --unlock --components=secrets >/dev/null & daemon=$!
	until dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner string:org.freedesktop.secrets | grep -q true; do
		sleep 0.02
	done
	"$@" 2>&3
	status=$?
	kill $daemon
	wait $daemon
	exit $status' keyring "$@" 3>&2 2>/dev/null
`

const sessionBus = `<busconfig>
<type>session</type>
<listen>unix:tmpdir=/tmp</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
`

// linkClients makes the AWS CLI of each major version known as aws1 and aws2.
func linkClients(t testing.TB, dir string) {
	t.Helper()
	candidates := []string{"/usr/bin/aws", "/usr/local/bin/aws"}
	for _, d := range filepath.SplitList(os.Getenv("PATH")) {
		candidates = append(candidates, filepath.Join(d, "aws"))
	}
	for _, path := range candidates {
		out, err := exec.Command(path, "--version").CombinedOutput()
		version, ok := strings.CutPrefix(string(out), "aws-cli/")
		if err != nil || !ok {
			continue
		}
		link := filepath.Join(dir, "aws"+version[:1])
		if _, err := os.Lstat(link); err != nil {
			if err := wrap(dir, filepath.Base(link), path); err != nil {
				t.Fatal(err)
			}
			t.Logf("%s is %s", filepath.Base(link), strings.TrimSpace(string(out)))
		}
	}
}
