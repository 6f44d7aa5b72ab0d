//go:build unix

package awstest_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"aws-mfa/shared/awstest"
)

// A situation is one in which programs are compared. All run in turns, so that
// what else the machine does falls on all of them alike; the medians' ratios to
// the first one, the base, are what counts.
type situation struct {
	name string
	runs []measured
	// before prepares a round; it may change the runs.
	before func(b *testing.B, runs []measured)
}

type measured struct {
	name  string
	env   []string
	args  []string
	goal  float64 // of CPU time, as a ratio to the base; 0: none
	every int     // how many rounds there are for each run of it; 0: one

	cpu, wall    []time.Duration
	faults       []int64
	instructions string // of one run, where valgrind is
}

// BenchmarkSpeed compares our programs with those in testdata/speed, which do no
// more than there is to be done. With -update it writes the table of docs/performance.md.
func BenchmarkSpeed(b *testing.B) {
	bin := build(b)
	for _, name := range []string{"hello", "reader", "request", "sdkrequest"} {
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", bin, filepath.Join("testdata", "speed", name+".go"))
		cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
	}
	var rows []string
	for _, s := range slices.Concat([]situation{warm(b, bin, 10), warm(b, bin, 10_000)}, offline(b), []situation{coldLogin(b), coldConsole(b, bin)}) {
		b.Run(strings.ReplaceAll(s.name, " ", "-"), func(b *testing.B) {
			runs := slices.Clone(s.runs)
			for round := 0; b.Loop(); round++ {
				if s.before != nil {
					s.before(b, runs)
				}
				for i := range runs {
					if round%max(runs[i].every, 1) == 0 {
						runs[i].measure(b, bin)
					}
				}
			}
			if s.before != nil {
				s.before(b, runs)
			}
			for i := range runs {
				runs[i].count(b, bin)
			}
			rows = append(rows, report(b, s.name, runs)...)
		})
	}
	for _, name := range []string{"aws-mfa-login", "aws-mfa-status", "aws-mfa-console"} {
		info, err := os.Stat(filepath.Join(bin, name))
		if err != nil {
			b.Fatal(err)
		}
		rows = append(rows, fmt.Sprintf("| size, stripped | `%s` | %.2f MB | | 12 MB | | | | |\n", name, float64(info.Size())/1e6))
	}
	if *update {
		if err := rewriteTable("../../docs/performance.md", rows); err != nil {
			b.Fatal(err)
		}
	}
}

// What is larger takes longer to load, and to start.
func TestProgramsAreSmall(t *testing.T) {
	bin := build(t)
	for _, name := range []string{"aws-mfa-login", "aws-mfa-status", "aws-mfa-console"} {
		if info, err := os.Stat(filepath.Join(bin, name)); err != nil || info.Size() > 12e6 {
			t.Errorf("%s: got %d bytes (%v), want at most 12 MB", name, info.Size(), err)
		}
	}
}

func (m *measured) program(bin string) string {
	if filepath.IsAbs(m.args[0]) {
		return m.args[0]
	}
	return filepath.Join(bin, m.args[0])
}

// count counts instructions, which is the same on a machine with much to do.
func (m *measured) count(b *testing.B, bin string) {
	valgrind, err := exec.LookPath("valgrind")
	if err != nil || m.every > 1 {
		return
	}
	cmd := exec.Command(valgrind, append([]string{"--tool=callgrind", "--callgrind-out-file=/dev/null", m.program(bin)}, m.args[1:]...)...)
	cmd.Env = append(m.env, "GODEBUG=asyncpreemptoff=1") // whose signals callgrind does not follow
	out, err := cmd.CombinedOutput()
	_, counted, ok := strings.Cut(string(out), "Collected : ")
	if err != nil || !ok {
		b.Logf("%s: no instructions: %v", m.name, err)
		return
	}
	n, _ := strconv.ParseFloat(strings.Fields(counted)[0], 64)
	m.instructions = fmt.Sprintf("%.1f M", n/1e6)
}

func (m *measured) measure(b *testing.B, bin string) {
	out, err := os.CreateTemp(b.TempDir(), "out")
	if err != nil {
		b.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(m.program(bin), m.args[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = m.env, out, out // a file takes no part, as a pipe does
	began := time.Now()
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(out.Name())
		b.Fatalf("%s: %v\n%s", strings.Join(m.args, " "), err, text)
	}
	m.wall = append(m.wall, time.Since(began))
	m.cpu = append(m.cpu, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	m.faults = append(m.faults, cmd.ProcessState.SysUsage().(*syscall.Rusage).Minflt)
}

// report tells the medians of a situation, as metrics and as rows.
func report(b *testing.B, name string, runs []measured) (rows []string) {
	cpu, wall := median(runs[0].cpu), median(runs[0].wall)
	for i, m := range runs {
		c, w := median(m.cpu), median(m.wall)
		ratios := [2]float64{float64(c) / float64(cpu), float64(w) / float64(wall)}
		if i == 0 {
			b.ReportMetric(float64(c.Microseconds()), "base-µs")
		} else {
			b.ReportMetric(ratios[0], strings.ReplaceAll(m.name, " ", "-")+"/base")
		}
		goal := ""
		if m.goal > 0 {
			goal = fmt.Sprintf("%.1f", m.goal)
		}
		rows = append(rows, fmt.Sprintf("| %s | %s | %.2f ms | %.2f | %s | %.2f ms | %.2f | %d | %s |\n",
			name, m.name, c.Seconds()*1e3, ratios[0], goal, w.Seconds()*1e3, ratios[1], median(m.faults), m.instructions))
	}
	return rows
}

// rewriteTable puts the rows in the place of those below the page's first head.
func rewriteTable(path string, rows []string) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	const end = "| --- |\n"
	before, after, ok := strings.Cut(string(page), end)
	if !ok {
		return errors.New("no table in " + path)
	}
	_, after = cutTable(after)
	return os.WriteFile(path, []byte(before+end+strings.Join(rows, "")+after), 0o644)
}

// cutTable returns the rows that a text begins with, and what comes after them.
func cutTable(text string) (rows, after string) {
	for after = text; strings.HasPrefix(after, "|"); {
		_, after, _ = strings.Cut(after, "\n")
	}
	return text[:len(text)-len(after)], after
}

// warm is a start with a session that is good, among so many profiles.
func warm(b *testing.B, bin string, profiles int) situation {
	env := warmHome(b, bin, profiles)
	settle(b, bin, env)
	runs := []measured{
		{name: "hello", args: []string{"hello"}},
		{name: "`aws-mfa-login mfa`", args: []string{"aws-mfa-login", "mfa"}, goal: 2},
		{name: "`aws-mfa-login mfa --format process`", args: []string{"aws-mfa-login", "mfa", "--format", "process"}, goal: 2},
		{name: "a prompt: `aws-mfa-status --offline --template … mfa`", args: []string{"aws-mfa-status", "--offline", "--template", "{{.Profile}} {{.Left}}", "mfa"}},
	}
	if profiles == 10 {
		runs = append(runs, measured{name: "`aws-mfa-status --offline mfa`", args: []string{"aws-mfa-status", "--offline", "mfa"}})
	}
	if cli, err := exec.LookPath("/usr/bin/aws"); err == nil {
		runs = append(runs, measured{name: "`aws configure export-credentials`", args: []string{cli, "configure", "export-credentials", "--profile", "mfa"}, every: 20})
	}
	for i := range runs {
		runs[i].env = append(env, "PATH="+os.Getenv("PATH"))
	}
	return situation{name: fmt.Sprintf("signed in, %d profiles", profiles), runs: runs}
}

// offline are looks at all profiles without asking AWS.
func offline(b *testing.B) (all []situation) {
	for _, home := range []struct {
		profiles, sessions int
		goal               float64
	}{{10, 1, 0}, {10, 1000, 0}, {1000, 100, 0}, {10_000, 1000, 1.3}} {
		env := offlineHome(b, home.profiles, home.sessions)
		all = append(all, situation{name: fmt.Sprintf("offline, %d profiles, %d sessions", home.profiles, home.sessions), runs: []measured{
			{name: "reads the same files", env: env, args: []string{"reader"}},
			{name: "`aws-mfa-status --offline`", env: env, args: []string{"aws-mfa-status", "--offline"}, goal: home.goal},
		}})
	}
	return all
}

// coldLogin are sign-ins of users whose session is over, each with a device whose
// code nobody has used, at AWS behind TLS.
func coldLogin(b *testing.B) situation {
	aws, env := awsBehindTLS(b)
	users := 0
	user := func() (u *awstest.User, role, code string) {
		users++
		arn := fmt.Sprintf("arn:aws:iam::123456789012:user/u%d", users)
		role = fmt.Sprintf("arn:aws:iam::123456789012:role/R%d", users)
		u = aws.AddUser(arn)
		aws.AddRole(awstest.Role{ARN: role, Trusts: []string{arn}, RequireMFA: true})
		code, err := aws.Code(u.Device.SerialNumber)
		if err != nil {
			b.Fatal(err)
		}
		return u, role, code
	}
	return situation{
		name: "a sign-in with a code",
		runs: []measured{{name: "one signed request"}, {name: "one by the SDK"}, {name: "`aws-mfa-login mfa --token-code …`", goal: 1.3}},
		before: func(b *testing.B, runs []measured) {
			for i, program := range []string{"request", "sdkrequest"} {
				u, role, code := user()
				runs[i].env, runs[i].args = env, []string{program, "AssumeRole", u.AccessKeyID, u.SecretAccessKey, role, u.Device.SerialNumber, code}
			}
			u, role, code := user()
			home := homeOf(b, u, role)
			for _, dir := range []string{"cli/cache", "mfa"} {
				if err := os.MkdirAll(filepath.Join(home, ".aws", dir), 0o700); err != nil {
					b.Fatal(err)
				}
			}
			runs[2].env, runs[2].args = append(env, "HOME="+home), []string{"aws-mfa-login", "mfa", "--token-code", code}
		},
	}
}

// coldConsole is the console with a session that is there.
func coldConsole(b *testing.B, bin string) situation {
	aws, env := awsBehindTLS(b)
	u := aws.AddUser(jane)
	const role = "arn:aws:iam::123456789012:role/R"
	aws.AddRole(awstest.Role{ARN: role, Trusts: []string{jane}, RequireMFA: true})
	code, err := aws.Code(u.Device.SerialNumber)
	if err != nil {
		b.Fatal(err)
	}
	env = append(env, "HOME="+homeOf(b, u, role))
	cmd := exec.Command(filepath.Join(bin, "aws-mfa-login"), "mfa", "--token-code", code)
	cmd.Env = env
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	cmd = exec.Command(filepath.Join(bin, "aws-mfa-login"), "mfa", "--format", "process")
	cmd.Env = env
	out, err := cmd.Output()
	if err != nil {
		b.Fatal(err)
	}
	session := strings.NewReplacer("AccessKeyId", "sessionId", "SecretAccessKey", "sessionKey", "SessionToken", "sessionToken").Replace(string(bytes.TrimSpace(out)))
	return situation{name: "the console's URL", runs: []measured{
		{name: "one request", env: env, args: []string{"request", "getSigninToken", session}},
		{name: "`aws-mfa-console mfa --print`", env: env, args: []string{"aws-mfa-console", "mfa", "--print"}},
	}}
}

func awsBehindTLS(b *testing.B) (aws *awstest.AWS, env []string) {
	aws, err := awstest.Start()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(aws.Close)
	// With the certificates that the system trusts, as whoever asks AWS has them.
	trusted, _ := os.ReadFile("/etc/ssl/certs/ca-certificates.crt")
	ca := filepath.Join(b.TempDir(), "ca.pem")
	write(b, ca, string(trusted)+string(aws.CA()))
	return aws, []string{"HTTPS_PROXY=" + aws.ProxyURL(), "AWS_CA_BUNDLE=" + ca}
}

// homeOf is the home of a user with one profile, mfa.
func homeOf(b *testing.B, u *awstest.User, role string) string {
	home := b.TempDir()
	write(b, filepath.Join(home, ".aws", "config"), "[profile mfa]\nrole_arn = "+role+"\nsource_profile = default\nmfa_serial = "+u.Device.SerialNumber+"\nregion = eu-west-1\n")
	write(b, filepath.Join(home, ".aws", "credentials"), fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", u.AccessKeyID, u.SecretAccessKey))
	return home
}
