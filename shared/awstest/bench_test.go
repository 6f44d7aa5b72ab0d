//go:build unix

package awstest_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-mfa/shared/awstest"
	"aws-mfa/shared/cache"
	"aws-mfa/shared/profile"
	"aws-mfa/shared/session"
)

// BenchmarkStart compares the CPU time of our programs, with a session that is
// good, to that of a Go program that prints one line. All run in turns, so
// that what else the machine does falls on all of them alike; the medians'
// ratios are what counts.
func BenchmarkStart(b *testing.B) {
	bin := build(b)
	compile(b, bin, "hello", `package main

import "os"

func main() { os.Stdout.WriteString("hello\n") }
`)
	ten, many := warmHome(b, bin, 10), warmHome(b, bin, 10_000)
	settle(b, bin, ten, many)
	commands := []struct {
		name string
		env  []string
		args []string
	}{
		{"hello", ten, []string{"hello"}},
		{"login", ten, []string{"aws-mfa-login", "mfa"}},
		{"status", ten, []string{"aws-mfa-status", "--offline", "mfa"}},
		{"template", ten, []string{"aws-mfa-status", "--offline", "--template", "{{.Profile}} {{.Left}}", "mfa"}},
		{"process", ten, []string{"aws-mfa-login", "mfa", "--format", "process"}},
		{"process-10000", many, []string{"aws-mfa-login", "mfa", "--format", "process"}},
		{"template-10000", many, []string{"aws-mfa-status", "--offline", "--template", "{{.Profile}} {{.Left}}", "mfa"}},
	}
	for b.Loop() {
		times := make([][]time.Duration, len(commands))
		for range 100 {
			for i, c := range commands {
				times[i] = append(times[i], cpuTime(b, bin, c.env, c.args...))
			}
		}
		base := median(times[0])
		b.ReportMetric(float64(base.Microseconds()), "hello-µs")
		for i, c := range commands[1:5] {
			b.ReportMetric(float64(median(times[i+1]))/float64(base), c.name+"/hello")
		}
		b.ReportMetric(float64(median(times[3]))/float64(median(times[1])), "template/login")
		b.ReportMetric(float64(median(times[5]))/float64(median(times[4])), "process-of-10000/of-10")
		b.ReportMetric(float64(median(times[6]))/float64(median(times[3])), "template-of-10000/of-10")
	}
}

// reader is a program that reads all the files that an offline status has to.
const reader = `package main

import (
	"os"
	"path/filepath"
)

func main() {
	home := filepath.Join(os.Getenv("HOME"), ".aws")
	os.ReadFile(filepath.Join(home, "config"))
	os.ReadFile(filepath.Join(home, "credentials"))
	cache := filepath.Join(home, "cli", "cache")
	entries, _ := os.ReadDir(cache)
	for _, entry := range entries {
		os.ReadFile(filepath.Join(cache, entry.Name()))
	}
}
`

// BenchmarkOffline compares what an offline status of all profiles takes, of
// which a tenth have a session, with what it takes to read the same files.
func BenchmarkOffline(b *testing.B) {
	bin := build(b)
	compile(b, bin, "reader", reader)
	for _, home := range []struct{ profiles, rounds int }{{10, 100}, {1000, 50}, {10_000, 50}} {
		env := offlineHome(b, home.profiles, home.profiles/10)
		b.Run(fmt.Sprint(home.profiles), func(b *testing.B) {
			for b.Loop() {
				var cpu, wall [2][]time.Duration
				for range home.rounds {
					for i, args := range [][]string{{"reader"}, {"aws-mfa-status", "--offline"}} {
						began := time.Now()
						cpu[i] = append(cpu[i], cpuTime(b, bin, env, args...))
						wall[i] = append(wall[i], time.Since(began))
					}
				}
				b.ReportMetric(float64(median(cpu[0]).Microseconds()), "reader-µs")
				b.ReportMetric(float64(median(cpu[1]))/float64(median(cpu[0])), "offline/reader")
				b.ReportMetric(float64(median(wall[1]))/float64(median(wall[0])), "offline/reader-wall")
			}
		})
	}
}

// BenchmarkAThousandSessions asks AWS about so many.
func BenchmarkAThousandSessions(b *testing.B) {
	const sessions = 1000
	bin := build(b)
	aws, err := awstest.Start()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(aws.Close)
	env := warmHomeAt(b, bin, aws, 0)
	home := strings.TrimPrefix(env[0], "HOME=")
	var config strings.Builder
	args := []string{"--mfa-session"}
	for i := range sessions {
		fmt.Fprintf(&config, "\n[profile s%d]\nrole_arn = arn:aws:iam::123456789012:role/R\nrole_session_name = s%d\nsource_profile = default\nmfa_serial = %s\n", i, i, "arn:aws:iam::123456789012:mfa/jane")
		args = append(args, fmt.Sprint("s", i))
	}
	path := filepath.Join(home, ".aws", "config")
	before, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	write(b, path, string(before)+config.String())
	code, err := aws.Code("arn:aws:iam::123456789012:mfa/jane")
	if err != nil {
		b.Fatal(err)
	}
	cpuTime(b, bin, env, append([]string{"aws-mfa-login", "--token-code", code}, args...)...)
	for b.Loop() {
		began, asked := time.Now(), aws.Count("GetCallerIdentity")
		cpuTime(b, bin, env, "aws-mfa-status")
		b.ReportMetric(time.Since(began).Seconds(), "s/1000-sessions")
		if asked = aws.Count("GetCallerIdentity") - asked; asked < sessions {
			b.Fatalf("got %d questions", asked)
		}
	}
}

// offlineHome makes a HOME with so many profiles and sessions spread over
// them, and its environment.
func offlineHome(b *testing.B, profiles, sessions int) []string {
	home := b.TempDir()
	var config strings.Builder
	for i := range profiles {
		fmt.Fprintf(&config, "[profile p%d]\nrole_arn = arn:aws:iam::123456789012:role/R%d\nsource_profile = default\nmfa_serial = arn:aws:iam::123456789012:mfa/jane\nregion = eu-west-1\n\n", i, i)
	}
	write(b, filepath.Join(home, ".aws", "config"), config.String())
	write(b, filepath.Join(home, ".aws", "credentials"), "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n")
	set, err := profile.Load(func(name string) (string, bool) {
		if name != "HOME" {
			return "", false
		}
		return home, true
	})
	if err != nil {
		b.Fatal(err)
	}
	store := session.Store{Roles: cache.In(home), Memory: cache.MemoryIn(home)}
	for i := 0; i < profiles; i += profiles / sessions {
		p, err := set.Profile(fmt.Sprintf("p%d", i))
		if err != nil {
			b.Fatal(err)
		}
		login, err := p.Login()
		if err != nil {
			b.Fatal(err)
		}
		err = store.Roles.Write(store.Name(login), cache.Entry{
			AccessKeyID:     fmt.Sprintf("ASIA%016d", i),
			SecretAccessKey: strings.Repeat("s", 40),
			SessionToken:    strings.Repeat("FwoGZXIvYXdzEJ//////////", 20),
			Expiration:      time.Now().Add(time.Hour),
			AssumedRoleID:   "AROAEXAMPLE:jane",
			AssumedRoleARN:  fmt.Sprintf("arn:aws:sts::123456789012:assumed-role/R%d/jane", i),
			RequestID:       "c6104cbe-af31-11e0-8154-cbc7ccf896c7",
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return []string{"HOME=" + home}
}

func write(b *testing.B, path, text string) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
}

// compile builds a program of one file.
func compile(b *testing.B, bin, name, source string) {
	path := filepath.Join(bin, name+".go")
	write(b, path, source)
	cmd := exec.Command("go", "build", "-o", filepath.Join(bin, name), path)
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
}

func cpuTime(b *testing.B, bin string, env []string, args ...string) time.Duration {
	cmd := exec.Command(filepath.Join(bin, args[0]), args[1:]...)
	cmd.Env = env
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// settle waits until the files of the homes are old enough for the way to a
// session to be remembered, and lets it be.
func settle(b *testing.B, bin string, homes ...[]string) {
	time.Sleep(4 * time.Second)
	for _, env := range homes {
		cpuTime(b, bin, env, "aws-mfa-login", "mfa", "--format", "process")
	}
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

// warmHome makes a HOME with so many profiles and a session that is good, and
// its environment.
func warmHome(b *testing.B, bin string, profiles int) []string {
	aws, err := awstest.Start()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(aws.Close)
	return warmHomeAt(b, bin, aws, profiles)
}

func warmHomeAt(b *testing.B, bin string, aws *awstest.AWS, profiles int) []string {
	user := aws.AddUser(jane)
	aws.AddRole(awstest.Role{ARN: "arn:aws:iam::123456789012:role/R", Trusts: []string{jane}, RequireMFA: true})
	home := b.TempDir()
	env := []string{"HOME=" + home, "AWS_ENDPOINT_URL_STS=" + aws.URL()}
	config := "[profile mfa]\nrole_arn = arn:aws:iam::123456789012:role/R\nsource_profile = default\nmfa_serial = " + user.Device.SerialNumber + "\nregion = eu-west-1\n"
	for i := range profiles {
		config += fmt.Sprintf("\n[profile p%d]\nrole_arn = arn:aws:iam::123456789012:role/R%d\nsource_profile = default\nmfa_serial = %s\nregion = eu-west-1\n", i, i, user.Device.SerialNumber)
	}
	keys := fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", user.AccessKeyID, user.SecretAccessKey)
	if err := os.Mkdir(filepath.Join(home, ".aws"), 0o700); err != nil {
		b.Fatal(err)
	}
	for name, text := range map[string]string{"config": config, "credentials": keys} {
		if err := os.WriteFile(filepath.Join(home, ".aws", name), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	code, err := aws.Code(user.Device.SerialNumber)
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(bin, "aws-mfa-login"), "mfa", "-t", code)
	cmd.Env = env
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return env
}
