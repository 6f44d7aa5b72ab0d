//go:build unix && faults

package awstest_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aws-mfa/shared/awstest"

	"golang.org/x/sys/unix"
)

// The suite of faults, which make faults runs: every test whose name begins
// with TestFault. What each tried is a row of the table in
// docs/reliability.md, which -update writes anew.

var (
	programsOf struct {
		sync.Once
		dir string
	}
	table struct {
		sync.Mutex
		rows []string
	}
)

const reliability = "../../docs/reliability.md"

// tried says that a fault was tried so often, by a test that fails if anything
// was lost. The numbers are those of every run, not of this one's luck.
func tried(t *testing.T, fault string, times int) {
	t.Cleanup(func() {
		if !t.Failed() && !t.Skipped() {
			table.Lock()
			defer table.Unlock()
			table.rows = append(table.rows, fmt.Sprintf("| %s | %d | nothing | `%s` |\n", fault, times, t.Name()))
		}
	})
}

func init() {
	afterTests = func(status int) int {
		if dir := programsOf.dir; dir != "" {
			os.RemoveAll(dir)
		}
		if err := compareTable(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return max(status, 1)
		}
		return status
	}
}

const tableHead = "| --- | --- | --- | --- |\n"

// compareTable compares the table with the rows of this run, which must all be
// in it. With -update it puts them in place of those of the same tests.
func compareTable() error {
	if len(table.rows) == 0 {
		return nil
	}
	page, err := os.ReadFile(reliability)
	if err != nil {
		return err
	}
	before, rows, ok := strings.Cut(string(page), tableHead)
	if !ok {
		return errors.New("no table in " + reliability)
	}
	rows, after := cutTable(rows)
	if *update {
		ran := func(row string) bool {
			return slices.ContainsFunc(table.rows, func(r string) bool { return testOf(r) == testOf(row) })
		}
		kept := slices.DeleteFunc(strings.SplitAfter(rows, "\n"), func(row string) bool { return row == "" || ran(row) })
		kept = append(kept, table.rows...)
		slices.SortFunc(kept, func(a, b string) int { return cmp.Or(strings.Compare(testOf(a), testOf(b)), strings.Compare(a, b)) })
		return os.WriteFile(reliability, []byte(before+tableHead+strings.Join(kept, "")+after), 0o644)
	}
	for _, row := range table.rows {
		if !strings.Contains(rows, row) {
			return fmt.Errorf("%s does not have this row (-update writes it): %s", reliability, row)
		}
	}
	return nil
}

// testOf is the test in the last column.
func testOf(row string) string {
	columns := strings.Split(row, "|")
	return columns[max(len(columns)-2, 0)]
}

// A place is a machine of jane's: a HOME, the programs, and a local AWS that
// they find under AWS's own host names. [default] has her keys, and the
// profile mfa is PowerUserRole, which wants MFA.
type place struct {
	*testing.T
	aws       *awstest.AWS
	user      *awstest.User
	bin, home string
	env       []string
}

const mfaProfile = "[profile mfa]\nrole_arn = arn:aws:iam::123456789012:role/PowerUserRole\nsource_profile = default\nmfa_serial = arn:aws:iam::123456789012:mfa/jane\nregion = eu-west-1\n"

func newPlace(t *testing.T) *place {
	t.Helper()
	programsOf.Do(func() { programsOf.dir = buildIn(t, mkdirTemp(t)) })
	aws, err := awstest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(aws.Close)
	p := &place{T: t, aws: aws, user: aws.AddUser(jane), bin: programsOf.dir, home: t.TempDir()}
	for name, mfa := range map[string]bool{"PowerUserRole": true, "AdminRole": true, "PlainRole": false} {
		aws.AddRole(awstest.Role{ARN: "arn:aws:iam::123456789012:role/" + name, RequireMFA: mfa, Trusts: []string{jane}, MaxSessionDuration: 12 * time.Hour})
	}
	ca := filepath.Join(t.TempDir(), "aws-ca.pem")
	p.write(ca, string(aws.CA()))
	p.write(p.inAWS("config"), mfaProfile)
	p.write(p.inAWS("credentials"), fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", p.user.AccessKeyID, p.user.SecretAccessKey))
	p.env = []string{
		"HOME=" + p.home, "TZ=UTC", "PATH=" + p.bin + ":" + os.Getenv("PATH"), "TERM=xterm",
		"HTTPS_PROXY=" + aws.ProxyURL(), "AWS_CA_BUNDLE=" + ca, "AWS_EC2_METADATA_DISABLED=true",
		"XDG_DATA_HOME=" + p.home + "/xdg", "XDG_CONFIG_HOME=" + p.home + "/xdg", "XDG_RUNTIME_DIR=" + p.home + "/xdg",
	}
	return p
}

func mkdirTemp(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "faults")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // other users run the programs
		t.Fatal(err)
	}
	return dir
}

// inAWS is the path of a file in ~/.aws.
func (p *place) inAWS(names ...string) string {
	return filepath.Join(append([]string{p.home, ".aws"}, names...)...)
}

// write writes a file, and its directory where that is missing.
func (p *place) write(path, text string) {
	p.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		p.Fatal(err)
	}
}

// code is a code of jane's device that was not used yet.
func (p *place) code() string {
	p.Helper()
	code, err := p.aws.Code(p.user.Device.SerialNumber)
	if err != nil {
		p.Fatal(err)
	}
	return code
}

// command is one of the programs (or another), with the environment of the
// place and the variables given, "NAME=value" before its name, on top. It has no
// terminal.
func (p *place) command(ctx context.Context, args ...string) *exec.Cmd {
	i := slices.IndexFunc(args, func(a string) bool { return !strings.Contains(a, "=") })
	env, args := args[:i], args[i:]
	name := args[0]
	if strings.HasPrefix(name, "aws-mfa-") {
		name = filepath.Join(p.bin, name)
	}
	cmd := exec.CommandContext(ctx, name, args[1:]...)
	cmd.Env = append(slices.Clone(p.env), env...)
	cmd.Dir = p.home
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true}
	return cmd
}

// An outcome is how a program ended.
type outcome struct {
	stdout, stderr string
	status         int // -1 after a signal
	took           time.Duration
}

// run runs a program, as command has it, to its end, within a minute.
func (p *place) run(args ...string) outcome {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Context(), time.Minute)
	defer cancel()
	cmd := p.command(ctx, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	err := cmd.Run()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		p.Fatalf("%v: %v\n%s", args, errors.Join(err, ctx.Err()), stderr.String())
	}
	p.hasNoSecret(stdout.String()+stderr.String(), args)
	return outcome{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode(), time.Since(began)}
}

// must is run where anything but success is a failure.
func (p *place) must(args ...string) outcome {
	p.Helper()
	o := p.run(args...)
	if o.status != 0 {
		p.Fatalf("%v: status %d\n%s", args, o.status, o.stderr)
	}
	return o
}

// hasNoSecret looks for the secrets of the local AWS in what a program showed,
// unless it was asked for credentials.
func (p *place) hasNoSecret(shown string, args []string) {
	p.Helper()
	if slices.Contains(args, "--format") || slices.Contains(args, "--print") {
		return
	}
	for _, secret := range p.aws.Secrets() {
		if strings.Contains(shown, secret) {
			p.Errorf("%v showed a secret: %.4s… (%d characters)", args, secret, len(secret))
		}
	}
}

// startKeyring starts a Secret Service for all programs of the place.
func (p *place) startKeyring() {
	p.Helper()
	for _, tool := range []string{"gnome-keyring-daemon", "dbus-run-session", "dbus-send", "secret-tool"} {
		if ok, err := condition("tool:"+tool, nil); err != nil {
			p.Fatal(err)
		} else if !ok {
			p.Skip("without ", tool)
		}
	}
	ctx, cancel := context.WithCancel(context.Background()) // it lives until the cleanup
	cmd := p.command(ctx, filepath.Join(p.bin, "keyring"), "sh", "-c", `echo "$DBUS_SESSION_BUS_ADDRESS"; cat`)
	in, wrong := cmd.StdinPipe()
	out, err := cmd.StdoutPipe()
	if err := errors.Join(wrong, err, cmd.Start()); err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() {
		in.Close()
		timer := time.AfterFunc(patience, cancel)
		_ = cmd.Wait()
		timer.Stop()
		cancel()
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		p.Fatal(err)
	}
	p.env = append(p.env, "DBUS_SESSION_BUS_ADDRESS="+strings.TrimSpace(address))
}
