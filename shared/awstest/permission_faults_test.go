//go:build linux && faults

package awstest_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-mfa/shared/awstest"

	"golang.org/x/sys/unix"
)

// The user whose HOME it is, another one, and a group.
const (
	nobody   = "65534"
	stranger = "65533"
)

// newUserRuin is a ruin of a user whom the system keeps from files, as it does
// not keep root.
func newUserRuin(t *testing.T) *ruin {
	t.Helper()
	r := newRuin(t)
	if os.Getuid() != 0 {
		return r
	}
	r.as = []string{"setpriv", "--reuid", nobody, "--regid", nobody, "--clear-groups"}
	r.must("chown", "-R", nobody+":"+nobody, r.home, r.golden)
	r.must("chmod", "755", filepath.Dir(r.home))
	for _, variable := range r.env {
		if ca, ok := strings.CutPrefix(variable, "AWS_CA_BUNDLE="); ok {
			r.must("chmod", "755", filepath.Dir(ca), filepath.Dir(filepath.Dir(ca)))
			r.must("chmod", "644", ca)
		}
	}
	r.must(append(slices.Clone(r.as), "aws-mfa-status", "--offline", "mfa")...)
	return r
}

// asRoot skips a test that gives files away; not in continuous integration.
func asRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("only root gives files away")
		}
		t.Skip("only root gives files away")
	}
}

func TestFaultDiskNoPermission(t *testing.T) {
	t.Parallel()
	r := newUserRuin(t)
	writesMemory := []string{"sign-in", "credentials-profile", "save-seed", "forget-seed", "logout"}
	var wrecks []wreck
	for file, tests := range map[string][]string{
		"config": nil, "credentials": nil, "cli": nil, "cli/cache": nil, r.entry: nil, "mfa": writesMemory,
		"mfa/" + janeDevice + ".json": writesMemory, "mfa/" + janeDevice + ".json.lock": writesMemory, "mfa/" + janeDevice + ".age": {"save-seed", "forget-seed"},
	} {
		wrecks = append(wrecks, wreck{name: "nobody may read " + file, before: "chmod 0 $A/" + file, tests: tests})
	}
	for _, dir := range []string{"", "cli/cache", "mfa"} {
		wrecks = append(wrecks, wreck{name: "nobody may write ~/.aws/" + dir, before: "chmod 500 $A/" + dir})
	}
	times := 0
	for _, w := range wrecks {
		w.after = "chmod -R u+rwX $A"
		times += r.try(w)
	}
	tried(t, "there is no permission", times)
}

// Root's files in a user's HOME are what sudo leaves behind.
func TestFaultPermissionForeignFiles(t *testing.T) {
	t.Parallel()
	asRoot(t)
	r := newUserRuin(t)
	times := 0
	for _, file := range []string{"config", "credentials", "cli/cache", r.entry, "mfa", "mfa/" + janeDevice + ".json", "mfa/" + janeDevice + ".json.lock"} {
		times += r.try(wreck{name: "root's " + file, before: "chown -R 0:0 $A/" + file, after: ":", tests: []string{"sign-in", "process-profile", "credentials-profile", "forget-seed", "logout", "status", "console"}})
	}
	tried(t, "a file is root's", times)
}

// What others may write in our place cannot be closed to them; it is used, and
// told.
func TestFaultPermissionForeignDirectories(t *testing.T) {
	t.Parallel()
	asRoot(t)
	r := newUserRuin(t)
	directories := []string{"cli/cache", "mfa"}
	for _, dir := range directories {
		r.must("chown", stranger+":"+stranger, r.inAWS(dir))
		r.must("chmod", "777", r.inAWS(dir))
		o := r.must(append(slices.Clone(r.as), "aws-mfa-login", "mfa", "--force", "-t", r.freshCode())...)
		if want := "warning: " + r.inAWS(dir) + " belongs to another user, who can change"; strings.Count(o.stderr, want) != 1 {
			t.Errorf("got %s\nwant once: %s", o.stderr, want)
		}
		r.must("chown", nobody+":"+nobody, r.inAWS(dir))
	}
	tried(t, "a directory is another user's, who lets everybody write", len(directories))
}

const programsOfEverything = 6

// everything does all that writes, beginning with nothing but keys and a
// profile.
func (r *ruin) everything(how ...string) {
	r.Helper()
	r.must("rm", "-rf", r.inAWS("cli"), r.inAWS("mfa"))
	script := strings.Join(how, "; ") + `; exec "$@"`
	run := func(args ...string) {
		r.Helper()
		r.must(slices.Concat([]string{"sh", "-c", script, "sh"}, r.as, args)...)
	}
	run("aws-mfa-login", "mfa", "-t", r.freshCode(), "--process-profile", "sdk")
	run("aws-mfa-login", "mfa", "--credentials-profile", "keys")
	run("aws-mfa-login", "mfa", "--format", "process")
	run("aws-mfa-login", "jane", "-t", r.freshCode())
	run("aws-mfa-console", "mfa", "--print")
	o := r.outcome("save-seed", wreck{name: "save-seed", before: strings.Join(how, "; "), after: ":"})
	if o.status != 0 {
		r.Fatalf("save-seed: status %d\n%s", o.status, o.stderr)
	}
}

// addUser gives [profile jane] an MFA session of its own.
func (r *ruin) addUser() {
	r.write(r.inAWS("config"), mfaProfile+"[profile jane]\nsource_profile = default\nmfa_serial = arn:aws:iam::123456789012:mfa/jane\n")
	r.write(r.inAWS("credentials"), strings.Replace(readFile(r.T, r.inAWS("credentials")), "[default]", "[jane]\naws_access_key_id = "+r.user.AccessKeyID+"\naws_secret_access_key = "+r.user.SecretAccessKey+"\n[default]", 1))
}

// modes are those of all in ~/.aws.
func (r *ruin) modes() map[string]fs.FileMode {
	r.Helper()
	all := map[string]fs.FileMode{}
	err := filepath.WalkDir(r.inAWS(), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		all[path] = info.Mode().Perm()
		return err
	})
	if err != nil {
		r.Fatal(err)
	}
	return all
}

func TestFaultPermissionUmask(t *testing.T) {
	t.Parallel()
	times := 0
	for _, umask := range []string{"000", "077", "022"} {
		r := newUserRuin(t)
		r.addUser()
		r.must("rm", "-rf", r.inAWS("cli"), r.inAWS("mfa"))
		r.everything("umask " + umask)
		times += programsOfEverything
		for path, mode := range r.modes() {
			want := fs.FileMode(0o600)
			if info, err := os.Stat(path); err == nil && info.IsDir() {
				want = 0o700
			}
			if mode != want {
				t.Errorf("umask %s: %s: got mode %o, want %o", umask, path, mode, want)
			}
		}
	}
	tried(t, "the umask is 000, 022 or 077", times)
}

// Whatever was open to others before is closed by a sign-in, if it is ours; it
// is said what is not.
func TestFaultPermissionTooWide(t *testing.T) {
	t.Parallel()
	asRoot(t)
	r := newUserRuin(t)
	r.addUser()
	r.everything("umask 077")
	r.must("chmod", "-R", "a+rwX", r.inAWS())
	o := r.must(append(slices.Clone(r.as), "aws-mfa-login", "mfa", "--force", "-t", r.freshCode())...)
	for _, want := range []string{
		"warning: others may write " + r.inAWS() + ", and", "warning: others may write " + r.inAWS("cli") + ", and",
		"warning: others may write " + r.inAWS("config") + ", and", "warning: others may write " + r.inAWS("credentials") + ", and",
		"hint: chmod go-w " + r.inAWS("config"),
	} {
		if strings.Count(o.stderr, want) != 1 {
			t.Errorf("got %s\nwant once: %s", o.stderr, want)
		}
	}
	for path := range r.modes() {
		rel, _ := filepath.Rel(r.inAWS(), path)
		isOurs := strings.HasPrefix(rel, "mfa") || strings.HasPrefix(rel, "cli/cache")
		if !isOurs {
			continue
		}
		if rel == "mfa" || rel == "cli/cache" {
			path += "/."
		}
		if o := r.run("setpriv", "--reuid", stranger, "--regid", stranger, "--clear-groups", "test", "-r", path); o.status == 0 {
			t.Errorf("somebody else may read %s", path)
		}
	}
	quiet := [][]string{{"aws-mfa-login", "mfa"}, {"aws-mfa-login", "mfa", "--format", "process"}, {"aws-mfa-status", "--offline", "--template", "{{.Left}}", "mfa"}, {"aws-mfa-status", "--offline"}}
	for _, args := range quiet {
		if o := r.run(append(slices.Clone(r.as), args...)...); strings.Contains(o.stderr, "others may") {
			t.Errorf("%v: got %s, want nothing of that where no session is opened", args, o.stderr)
		}
	}
	tried(t, "all in ~/.aws is open to everybody", 1+len(quiet))
}

// What is made is the user's from the first moment, and in ~/.aws.
func TestFaultPermissionFilesAreMadePrivate(t *testing.T) {
	t.Parallel()
	stracing(t)
	asRoot(t) // others cannot see the paths that an undumpable program opens
	r := newRuin(t)
	r.addUser()
	trace := filepath.Join(t.TempDir(), "trace")
	r.everything("umask 000", `set -- strace -f -qq -A -o `+trace+` -e trace=open,openat,openat2,creat,mkdir,mkdirat,mknodat,linkat,symlinkat "$@"`)
	made := regexp.MustCompile(`(?m)^.*\b(open|openat|openat2|creat|mkdir|mkdirat|mknodat|linkat|symlinkat)\((.*)\) = \d+.*$`)
	times := 0
	for _, call := range made.FindAllStringSubmatch(readFile(t, trace), -1) {
		name, args := call[1], call[2]
		if strings.HasPrefix(name, "open") && !strings.Contains(args, "O_CREAT") {
			if strings.Contains(args, "O_TMPFILE") {
				t.Errorf("made without a name: %s", call[0])
			}
			continue
		}
		times++
		_, path, _ := strings.Cut(args, `"`)
		path, _, _ = strings.Cut(path, `"`)
		isLock := strings.HasSuffix(path, ".lock") && strings.HasPrefix(path, r.inAWS("mfa")+"/")
		switch {
		case path != r.inAWS() && !strings.HasPrefix(path, r.inAWS()+"/"):
			t.Errorf("made elsewhere: %s", call[0])
		case strings.HasPrefix(name, "mkdir") && strings.HasSuffix(args, ", 0700"):
		case strings.HasPrefix(name, "open") && strings.HasSuffix(args, ", 0600") && (isLock || strings.Contains(args, "O_EXCL")):
		default:
			t.Errorf("not made for the user alone: %s", call[0])
		}
	}
	if times < 20 {
		t.Fatalf("got %d calls, want those of all that writes", times)
	}
	tried(t, "the umask is 000, and each call that makes a file or a directory is looked at", programsOfEverything)
}

// A program with secrets in its memory is not written to a disk; those that it
// starts are as they would be without it.
func TestFaultPermissionCoreDump(t *testing.T) {
	t.Parallel()
	r := newRuin(t)
	dumps := func(args ...string) (dumped bool) {
		t.Helper()
		cmd := r.command(t.Context(), append([]string{"GOTRACEBACK=crash", "sh", "-c", `ulimit -c unlimited; exec "$@"`, "sh"}, args...)...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		calls := r.aws.Count("AssumeRole")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if slices.Contains(args, "--force") {
			for r.aws.Count("AssumeRole") == calls {
				time.Sleep(5 * time.Millisecond)
			}
			cmd.Process.Signal(unix.SIGABRT)
		}
		cmd.Wait()
		status, ok := cmd.ProcessState.Sys().(interface {
			CoreDump() bool
			Signaled() bool
		})
		if !ok || !status.Signaled() {
			t.Fatalf("%v: got %v, want an abort\n%s", args, cmd.ProcessState, stderr.String())
		}
		return status.CoreDump()
	}
	abort := []string{"sh", "-c", "kill -ABRT $$"}
	if !dumps(abort...) {
		t.Skip("nothing is dumped here")
	}
	if !dumps(append([]string{"aws-mfa-login", "mfa", "--"}, abort...)...) {
		t.Error("a command that was run with a session was not dumped")
	}
	r.aws.Fail(awstest.Fault{Kind: awstest.Hang, Action: "AssumeRole", Times: 1})
	if dumps("aws-mfa-login", "mfa", "--force", "-t", r.freshCode()) {
		t.Error("aws-mfa-login was dumped, with the secrets in its memory")
	}
	limits := func(how ...string) string {
		return r.must(append(how, "sh", "-c", "ulimit -Sc; ulimit -Hc")...).stdout
	}
	if got, want := limits("aws-mfa-login", "mfa", "--"), limits("env"); got != want {
		t.Errorf("a command got the limits %q, want %q", got, want)
	}
	tried(t, "aborted, with core dumps on and GOTRACEBACK=crash", 1)
}
