//go:build unix

package awstest_test

import (
	"cmp"
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

// offlineHome makes a HOME with so many profiles, and so many sessions of them or,
// if there are more, of others, and its environment.
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
	for n := range sessions {
		i, name := n*max(profiles/sessions, 1), fmt.Sprintf("%040x", n) // of a profile that is gone
		if i < profiles {
			p, err := set.Profile(fmt.Sprintf("p%d", i))
			if err != nil {
				b.Fatal(err)
			}
			login, err := p.Login()
			if err != nil {
				b.Fatal(err)
			}
			name = store.Name(login)
		}
		err = store.Roles.Write(name, cache.Entry{
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

func median[T cmp.Ordered](all []T) T {
	slices.Sort(all)
	return all[len(all)/2]
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
