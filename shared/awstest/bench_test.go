//go:build unix

package awstest_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"aws-mfa/shared/awstest"
)

// BenchmarkStart compares the CPU time of our programs, with a session that is
// good, to that of a Go program that prints one line. All run in turns, so
// that what else the machine does falls on all of them alike; the medians'
// ratios are what counts.
func BenchmarkStart(b *testing.B) {
	bin := build(b)
	hello := filepath.Join(bin, "hello.go")
	if err := os.WriteFile(hello, []byte("package main\n\nimport \"os\"\n\nfunc main() { os.Stdout.WriteString(\"hello\\n\") }\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", filepath.Join(bin, "hello"), hello).CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
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
		{"process", ten, []string{"aws-mfa-login", "mfa", "--format", "process"}},
		{"process-10000", many, []string{"aws-mfa-login", "mfa", "--format", "process"}},
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
		for i, c := range commands[1:4] {
			b.ReportMetric(float64(median(times[i+1]))/float64(base), c.name+"/hello")
		}
		b.ReportMetric(float64(median(times[4]))/float64(median(times[3])), "process-of-10000/of-10")
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
