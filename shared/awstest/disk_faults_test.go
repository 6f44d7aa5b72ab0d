//go:build linux && faults

package awstest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-mfa/shared/cache"

	"github.com/creack/pty"
)

// A ruin is what a disk fault is let loose on: a HOME with all that the programs
// read and write, made anew for each program that runs.
type ruin struct {
	*place
	golden string   // ~/.aws as it should be
	entry  string   // the session, in ~/.aws
	as     []string // runs a program as the user whose HOME it is; nil for oneself
}

// A wreck is one fault.
type wreck struct {
	name   string
	before string   // shell commands, with A for ~/.aws, in a mount namespace of the program's own
	after  string   // likewise; what is to be looked at is to be in $A when that namespace is gone
	inject string   // by strace: its expression
	env    []string // for env(1)
	fails  []string // the operations that cannot work; with nil it is left open
	tests  []string // the operations that are tried; nil for all
	lost   bool     // the fault takes files away, which are there again afterwards
	later  bool     // the fault comes about while the program runs, so that codes may be spent before
}

// operations are what is tried. The last two only read.
var operations = []string{"sign-in", "process-profile", "credentials-profile", "save-seed", "forget-seed", "logout", "status", "console"}

const (
	oldSeed    = "age-encryption.org/v1\n-> scrypt for the time being\n"
	janeDevice = "jane-99dd016590324f379b69dba8e63cadda" // arn:aws:iam::123456789012:mfa/jane
	passphrase = "correct horse"
)

// newRuin is a HOME with a session, a copy of it in the credentials file, and a
// kept seed.
func newRuin(t *testing.T) *ruin {
	t.Helper()
	r := &ruin{place: newPlace(t), golden: filepath.Join(t.TempDir(), "golden")}
	r.write(filepath.Join(r.home, "seed"), r.user.Device.Seed+"\n")
	r.must("aws-mfa-login", "mfa", "-t", r.code(), "--credentials-profile", "old")
	r.write(r.inAWS("mfa", janeDevice+".age"), oldSeed)
	entries, err := filepath.Glob(r.inAWS("cli", "cache", "*.json"))
	if err != nil || len(entries) != 1 {
		t.Fatalf("got %v, %v, want one session", entries, err)
	}
	if r.entry, err = filepath.Rel(r.inAWS(), entries[0]); err != nil {
		t.Fatal(err)
	}
	r.must("cp", "-a", r.inAWS(), r.golden)
	return r
}

// arguments are those of the program that does the operation.
func (r *ruin) arguments(operation string) []string {
	switch operation {
	case "sign-in":
		return []string{"aws-mfa-login", "mfa", "--force", "-t", r.freshCode()}
	case "process-profile":
		return []string{"aws-mfa-login", "mfa", "--no-input", "--process-profile", "sdk"}
	case "credentials-profile":
		return []string{"aws-mfa-login", "mfa", "--no-input", "--credentials-profile", "keys"}
	case "save-seed":
		return []string{"aws-mfa-login", "mfa", "--save-seed", "--seed-store", "file"}
	case "forget-seed":
		return []string{"aws-mfa-login", "mfa", "--forget-seed"}
	case "logout":
		return []string{"aws-mfa-login", "mfa", "--logout"}
	case "status":
		return []string{"aws-mfa-status", "--offline", "mfa"}
	}
	return []string{"aws-mfa-console", "mfa", "--print", "--no-input"}
}

// freshCode is a code that was not used yet; AWS's clock runs ahead for it.
func (r *ruin) freshCode() string {
	r.Helper()
	if code, err := r.aws.Code(r.user.Device.SerialNumber); err == nil {
		return code
	}
	r.aws.Shift(time.Minute)
	return r.code()
}

// try lets the fault loose on each operation, and returns how many those were.
func (r *ruin) try(w wreck) (times int) {
	r.Helper()
	for _, operation := range operations {
		if w.tests != nil && !slices.Contains(w.tests, operation) {
			continue
		}
		times++
		what := w.name + ", " + operation
		r.must("rm", "-rf", r.inAWS())
		r.must("cp", "-a", r.golden, r.inAWS())
		calls := r.aws.Count("AssumeRole")
		o := r.outcome(operation, w)
		spent := r.aws.Count("AssumeRole") - calls
		switch {
		case o.status == 0:
			r.endedWell(what, o)
		case o.status != 1 && (o.status != 3 || operation != "status"):
			r.Errorf("%s: got status %d, want 0 or 1\n%s", what, o.status, o.stderr)
		default:
			r.endedBadly(what, o)
			if spent > 0 && !w.later {
				r.Errorf("%s: a code was spent on a session that could not be kept\n%s", what, o.stderr)
			}
		}
		if w.fails != nil && slices.Contains(w.fails, operation) != (o.status != 0) {
			r.Errorf("%s: got status %d\n%s", what, o.status, o.stderr)
		}
		r.intact(what, operation, o.status == 0 && !w.lost)
	}
	return times
}

// outcome runs the operation under the fault.
func (r *ruin) outcome(operation string, w wreck) outcome {
	r.Helper()
	args := append(slices.Clone(r.as), r.arguments(operation)...)
	if w.inject != "" {
		args = append([]string{"strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=" + w.inject}, args...)
	}
	args = append(slices.Clone(w.env), args...)
	if w.env != nil {
		args = append([]string{"env"}, args...)
	}
	if w.before != "" {
		script := "A=$1 G=$2; shift 2; set -e; " + w.before + "; set +e; \"$@\"; status=$?; set -e; " + w.after + "\nexit $status"
		args = append([]string{"sh", "-c", script, "sh", r.inAWS(), r.golden}, args...)
		if strings.Contains(w.before, "mount") {
			args = append([]string{"unshare", "-m"}, args...)
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
	defer cancel()
	cmd := r.command(ctx, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if operation == "save-seed" {
		r.attend(cmd)
	}
	began := time.Now()
	err := cmd.Run()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		r.Fatalf("%s, %s: %v\n%s", w.name, operation, errors.Join(err, ctx.Err()), stderr.String())
	}
	r.hasNoSecret(stdout.String()+stderr.String(), args)
	return outcome{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode(), time.Since(began)}
}

// attend gives a program that has not begun a seed on its standard input, and a
// terminal where somebody answers all its questions with the passphrase.
func (r *ruin) attend(cmd *exec.Cmd) {
	r.Helper()
	seed, err := os.Open(filepath.Join(r.home, "seed"))
	if err != nil {
		r.Fatal(err)
	}
	master, slave, err := pty.Open()
	if err != nil {
		r.Fatal(err)
	}
	cmd.Stdin, cmd.ExtraFiles = seed, []*os.File{slave}
	cmd.SysProcAttr.Setctty, cmd.SysProcAttr.Ctty = true, 3
	r.Cleanup(func() { seed.Close(); slave.Close(); master.Close() })
	go func() {
		shown, answered := "", 0
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			if err != nil {
				return
			}
			shown += string(buf[:n])
			for ; strings.Count(shown, "mfa/jane: ") > answered; answered++ {
				master.WriteString(passphrase + "\r")
			}
		}
	}()
}

// endedWell wants no error of a program that has done what it was asked for.
func (r *ruin) endedWell(what string, o outcome) {
	r.Helper()
	if strings.Contains(o.stderr, ": error: ") {
		r.Errorf("%s: got an error with status 0\n%s", what, o.stderr)
	}
}

// endedBadly wants one error, that names a file which people know.
func (r *ruin) endedBadly(what string, o outcome) {
	r.Helper()
	var errs []string
	for line := range strings.Lines(o.stderr) {
		switch {
		case strings.Contains(line, ": error: "):
			errs = append(errs, line)
		case strings.Contains(line, ": warning: ") && strings.HasPrefix(line, "aws-mfa-status: ") && len(errs) == 0:
			errs = append(errs, line) // what is wrong with one profile
		case !strings.HasPrefix(line, "aws-mfa-"):
			r.Errorf("%s: got this line: %s", what, line)
		}
	}
	switch {
	case strings.Contains(o.stderr, "other processes may sign in"):
		r.Errorf("%s: got a warning about a sign-in that did not come to be\n%s", what, o.stderr)
	case len(errs) == 0 && o.status == 3: // signed out
	case len(errs) != 1:
		r.Errorf("%s: got %d errors, want one\n%s", what, len(errs), o.stderr)
	case !slices.ContainsFunc([]string{r.home + "/", "/dev/null", "HOME"}, func(s string) bool { return strings.Contains(errs[0], s) }), strings.Contains(errs[0], ".tmp"):
		r.Errorf("%s: got an error that names no file, or one that nobody knows\n%s", what, o.stderr)
	}
}

// intact wants each file to be as it was or as it should be then, and no others.
func (r *ruin) intact(what, operation string, done bool) {
	r.Helper()
	err := filepath.WalkDir(r.inAWS(), func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".tmp") {
			err = fmt.Errorf("%s was left behind", path)
		}
		return err
	})
	if err != nil {
		r.Errorf("%s: %v", what, err)
	}
	for _, name := range []string{"config", "credentials", r.entry, "mfa/" + janeDevice + ".age"} {
		before, err := os.ReadFile(filepath.Join(r.golden, name))
		if err != nil {
			r.Fatal(err)
		}
		info, err := os.Lstat(r.inAWS(name))
		if err == nil && (!info.Mode().IsRegular() || info.Size() > 1<<20) {
			continue // the fault itself
		}
		after, err := os.ReadFile(r.inAWS(name))
		old, changed := err == nil && bytes.Equal(before, after), r.changed(name, operation, string(before), after, err)
		if !old && !changed {
			r.Errorf("%s: %s is neither as it was nor as it should be: %v, %d bytes, and %d before", what, name, err, len(after), len(before))
		}
		if done && old && r.changes(name, operation) {
			r.Errorf("%s: it was said to be done, and %s is as it was", what, name)
		}
	}
}

// changes tells whether the operation changes that file.
func (r *ruin) changes(name, operation string) bool {
	switch operation {
	case "sign-in":
		return name == r.entry
	case "process-profile":
		return name == "config"
	case "credentials-profile":
		return name == "credentials"
	case "save-seed", "forget-seed":
		return strings.HasSuffix(name, ".age")
	case "logout":
		return name == "credentials" || name == r.entry
	}
	return false
}

// changed tells whether the file is as it should be after the operation.
func (r *ruin) changed(name, operation, before string, after []byte, err error) bool {
	gone, text := errors.Is(err, fs.ErrNotExist), string(after)
	switch {
	case !r.changes(name, operation):
		return false
	case operation == "logout" && name == r.entry, operation == "forget-seed":
		return gone
	case err != nil:
		return false
	case name == r.entry:
		dir, file := filepath.Split(r.inAWS(name))
		entry, err := cache.Dir(dir).Read(strings.TrimSuffix(file, ".json"))
		return err == nil && entry.Good(time.Now())
	case operation == "process-profile":
		added, ok := strings.CutPrefix(text, before)
		return ok && strings.HasPrefix(added, "\n[profile sdk]\ncredential_process = ") && strings.HasSuffix(added, "region = eu-west-1\n")
	case operation == "credentials-profile":
		added, ok := strings.CutPrefix(text, before)
		return ok && strings.HasPrefix(added, "\n[keys]\n") && strings.Count(added, " = ") == 4
	case operation == "logout":
		kept, _, _ := strings.Cut(before, "\n[old]\n")
		return text == kept
	}
	return strings.HasPrefix(text, "age-encryption.org/v1\n-> scrypt ") && len(text) > len(oldSeed)
}

// mounts skips a test that mounts something, where that may not be.
func mounts(t *testing.T) {
	t.Helper()
	if ok, err := condition("tool:unshare", nil); err != nil {
		t.Fatal(err)
	} else if !ok {
		t.Skip("nothing may be mounted here")
	}
}

// stracing skips a test that makes system calls fail, where that cannot be.
func stracing(t *testing.T) {
	t.Helper()
	if ok, err := condition("tool:strace", nil); err != nil {
		t.Fatal(err)
	} else if !ok {
		t.Skip("there is no strace")
	}
}

var (
	writing = []string{"sign-in", "process-profile", "credentials-profile", "save-seed", "forget-seed", "logout"}
	adding  = []string{"sign-in", "process-profile", "credentials-profile", "save-seed"}
)

// onTmpfs is a small file system with what ~/.aws has, and what is to be done
// there then; what came of it is taken out again.
func onTmpfs(options, then string) (before, after string) {
	return "mount -t tmpfs -o mode=700," + options + " tmpfs $A; cp -a $G/. $A; " + then,
		`rm -rf $A/fill; mkdir $G.out; cp -a $A/. $G.out; umount $A; rm -rf $A; mv $G.out $A`
}

// Where nothing may be mounted, files cannot grow.
func TestFaultDiskFull(t *testing.T) {
	t.Parallel()
	r := newRuin(t)
	full := wreck{name: "no space", fails: append(slices.Clone(adding), "logout")}
	none := wreck{name: "no inodes", fails: full.fails}
	if ok, err := condition("tool:unshare", nil); err != nil {
		t.Fatal(err)
	} else if ok {
		full.before, full.after = onTmpfs("size=256k", "dd if=/dev/zero of=$A/fill bs=4k 2>/dev/null || :")
		none.before, none.after = onTmpfs("nr_inodes=100", "mkdir $A/fill; i=0; while (: >$A/fill/$i) 2>/dev/null; do i=$((i+1)); done")
	} else {
		full.before = "ulimit -f 0"
		none.before = full.before
	}
	tried(t, "the disk is full", r.try(full))
	tried(t, "there are no inodes left", r.try(none))
}

// A disk that fills up while a program runs, at each of its calls that touch a
// file.
func TestFaultDiskFillsUp(t *testing.T) {
	t.Parallel()
	mounts(t)
	fill := "dd if=/dev/zero of=%s/fill bs=4k 2>/dev/null || :"
	for _, operation := range []string{"sign-in", "process-profile", "credentials-profile", "forget-seed", "logout"} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			r := newRuin(t)
			// That there are as many calls each time: AWS's clock is always another,
			// and a path that is to be expanded is not remembered.
			r.aws.Shift(time.Minute)
			r.env = append(r.env, "AWS_CONFIG_FILE=~/.aws/config")
			to := filepath.Join(t.TempDir(), "calls")
			calls := func(n int) []string {
				r.as = []string{filepath.Join(r.bin, "breaker"), fmt.Sprint(n), to, r.inAWS(), fmt.Sprintf(fill, r.inAWS())}
				w := wreck{name: fmt.Sprintf("full before call %d", n), tests: []string{operation}, later: true}
				w.before, w.after = onTmpfs("size=256k", ":")
				r.try(w)
				return strings.SplitAfter(strings.TrimSuffix(readFile(t, to), "\n"), "\n")
			}
			all := len(calls(0))
			for n := range all {
				if done := calls(n + 1); t.Failed() {
					t.Fatalf("full before call %d of these:\n%s", n+1, strings.Join(done, ""))
				}
			}
			tried(t, "the disk fills up before each system call that touches a file: "+operation, all)
		})
	}
}

func TestFaultDiskReadOnly(t *testing.T) {
	t.Parallel()
	mounts(t)
	r := newRuin(t)
	readOnly := wreck{name: "read-only", before: "mount --bind $A $A; mount -o remount,ro,bind $A", after: "umount $A", fails: writing}
	times := r.try(readOnly)
	// There is nothing to be removed.
	r.must("sh", "-c", `rm -r "$1"/cli "$1"/mfa`, "sh", r.inAWS())
	for operation, want := range map[string]string{"logout": "mfa was not signed in", "forget-seed": "no seed of arn:aws:iam::123456789012:mfa/jane was found"} {
		if o := r.outcome(operation, readOnly); o.status != 0 || !strings.Contains(o.stderr, want) {
			t.Errorf("%s of nothing: got status %d, want 0\n%s", operation, o.status, o.stderr)
		}
		times++
	}
	tried(t, "~/.aws is read-only", times)
}

// EDQUOT comes where a disk is asked to keep what was written, and EIO.
func TestFaultDiskQuota(t *testing.T) {
	t.Parallel()
	stracing(t)
	r := newRuin(t)
	times := 0
	for _, errno := range []string{"EDQUOT", "ENOSPC", "EIO"} {
		times += r.try(wreck{name: errno, inject: "fsync:error=" + errno, fails: append(slices.Clone(adding), "logout")})
	}
	tried(t, "the quota is used up, or the disk breaks", times)
}

// Without locks everything works, and it is told where that matters.
func TestFaultDiskWithoutLocks(t *testing.T) {
	t.Parallel()
	stracing(t)
	times := 0
	for _, errno := range []string{"ENOLCK", "ENOSYS", "EOPNOTSUPP"} {
		r := newRuin(t)
		times += r.try(wreck{name: errno, inject: "flock:error=" + errno, fails: []string{}})
		o := r.run("strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=flock:error="+errno, "aws-mfa-login", "mfa", "--force", "-t", "000000")
		if warnings := strings.Count(o.stderr, ": warning: "); warnings != 1 || !strings.Contains(o.stderr, "warning: other processes may sign in at the same time: lock "+r.home) {
			t.Errorf("%s: got %d warnings, want one\n%s", errno, warnings, o.stderr)
		}
		if !strings.Contains(readFile(t, r.inAWS("mfa", janeDevice+".json")), "000000") {
			t.Errorf("%s: the code that was offered is not remembered", errno)
		}
	}
	tried(t, "~/.aws is on a file system without locks", times)
}

func TestFaultDiskWithoutReplacing(t *testing.T) {
	t.Parallel()
	stracing(t)
	r := newRuin(t)
	times := 0
	for _, errno := range []string{"EEXIST", "EXDEV", "EPERM", "EINVAL"} {
		times += r.try(wreck{name: errno, inject: "renameat:error=" + errno, fails: append(slices.Clone(adding), "logout")})
	}
	tried(t, "~/.aws is on a file system that replaces no files", times)
}

// What should not be there is in the place of each file that is read or
// written.
func TestFaultDiskStrangeFiles(t *testing.T) {
	t.Parallel()
	r := newRuin(t)
	session := []string{"sign-in", "process-profile", "credentials-profile", "logout", "status", "console"}
	memory := []string{"sign-in", "credentials-profile", "save-seed", "forget-seed", "logout"}
	files := map[string][]string{
		"config": nil, "credentials": nil, "cli": session, "cli/cache": session, r.entry: session,
		"mfa": memory, "mfa/" + janeDevice + ".json": memory, "mfa/" + janeDevice + ".json.lock": memory,
		"mfa/" + janeDevice + ".age": {"save-seed", "forget-seed"},
	}
	ofSession := "mfa/" + strings.TrimSuffix(filepath.Base(r.entry), ".json")
	for _, extension := range []string{".lock", ".copies.json", ".copies.json.lock"} {
		files[ofSession+extension] = []string{"sign-in", "credentials-profile", "logout"}
	}
	for _, kind := range []struct{ name, what, make string }{
		{"a directory", "a directory is in the place of a file", "mkdir $F; : >$F/kept"},
		{"a file", "a file is in the place of a directory", ": >$F"},
		{"a FIFO", "a FIFO is in the place of a file", "mkfifo $F"},
		{"a link to nothing", "a symbolic link leads nowhere", "ln -s nowhere/x $F"},
		{"a link to itself", "a symbolic link is a loop", "ln -s ${F##*/} $F"},
		{"a link to /dev/full", "a symbolic link leads to a device", "ln -s /dev/full $F"},
		{"1 GiB", "a file has 1 GiB", "truncate -s 1G $F"},
	} {
		times := 0
		for file, tests := range files {
			isDirectory := file == "cli" || file == "cli/cache" || file == "mfa"
			isOfUser := file == "config" || file == "credentials"
			switch {
			case kind.name == "a file" && !isDirectory, (kind.name == "a directory" || kind.name == "1 GiB") && isDirectory:
				continue
			case kind.name == "a link to /dev/full" && isOfUser: // to the AWS CLI there is no file then, as with /dev/null
				continue
			case kind.name == "1 GiB" && file == r.entry:
				tests = []string{"sign-in", "logout", "status"} // the others need a code
			}
			times += r.try(wreck{
				name: kind.name + " for " + file, tests: tests, lost: isDirectory || strings.HasSuffix(file, ".copies.json"), // which copies there are
				before: "F=$A/" + file + "; rm -rf $F; " + kind.make,
				after:  r.restore(file, isDirectory),
			})
		}
		tried(t, kind.what, times)
	}
}

// restore puts back what the fault took away, so that the rest can be looked at.
// What was put into the place of a file is for intact to pass over.
func (r *ruin) restore(file string, isDirectory bool) string {
	if !isDirectory {
		return ":"
	}
	return "if [ ! -d $F ] || [ -L $F ]; then rm -f $F; cp -a $G/" + file + " $F; fi"
}

// Those who are signed in are answered before anything else is done. What stands
// in the place of a file then is not waited for, nor read without an end.
func TestFaultDiskStrangeFilesForTheSignedIn(t *testing.T) {
	t.Parallel()
	r := newRuin(t)
	answers := [][]string{
		{"aws-mfa-login", "mfa"}, {"aws-mfa-login", "mfa", "--format", "process"},
		{"aws-mfa-status", "--offline", "--template", "{{.Profile}} {{.State}}", "mfa"}, {"aws-mfa-status", "mfa"}, {"aws-mfa-console", "mfa", "--print"},
	}
	route := r.routeKept()
	r.must("rm", "-rf", r.golden)
	r.must("cp", "-a", r.inAWS(), r.golden)
	strange := map[string]string{
		"a directory": "mkdir $F; : >$F/kept", "a FIFO": "mkfifo $F", "a link to nothing": "ln -s nowhere/x $F", "a link to itself": "ln -s ${F##*/} $F",
		"a link to /dev/zero": "ln -s /dev/zero $F", "1 GiB": "truncate -s 1G $F", "nothing": ": >$F", "another's": "printf '{}' >$F",
	}
	times := 0
	for _, file := range []string{route, "mfa/clock.json", "mfa/" + strings.TrimSuffix(filepath.Base(r.entry), ".json") + ".origin.json", "mfa/" + janeDevice + ".json", r.entry} {
		for kind, made := range strange {
			for _, args := range answers {
				times++
				r.must("sh", "-c", `F=$1; rm -rf "$F"; `+made, "sh", r.inAWS(file))
				o := r.run(args...)
				what := fmt.Sprintf("%s for %s, %v", kind, file, args)
				switch {
				case o.status == 0:
					r.endedWell(what, o)
				case file != r.entry:
					t.Errorf("%s: got status %d, want an answer all the same\n%s", what, o.status, o.stderr)
				case o.status != 1 && o.status != 3:
					t.Errorf("%s: got status %d\n%s", what, o.status, o.stderr)
				}
				if o.took > 10*time.Second {
					t.Errorf("%s: it took %v", what, o.took)
				}
			}
			r.must("sh", "-c", `rm -rf "$1/$3"; [ ! -e "$2/$3" ] || cp -a "$2/$3" "$1/$3"`, "sh", r.inAWS(), r.golden, file)
		}
	}
	tried(t, "something strange is in the place of a file, and one is signed in", times)
}

// routeKept signs in, as often as it takes, until the way to the session is
// remembered: it is not as long as the AWS files are new.
func (r *ruin) routeKept() (name string) {
	r.Helper()
	for {
		r.must("aws-mfa-login", "mfa")
		if found, _ := filepath.Glob(r.inAWS("mfa", "*.route.json")); len(found) == 1 {
			name, _ = filepath.Rel(r.inAWS(), found[0])
			return name
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// A missing home is not made, and without one nothing is read or written where
// one happens to be.
func TestFaultDiskNoHome(t *testing.T) {
	t.Parallel()
	r := newRuin(t)
	times := 0
	for _, home := range []string{"", ".", r.home + "/missing", "/dev/null"} {
		env := []string{"HOME=" + home}
		times += r.try(wreck{name: "HOME=" + home, env: env, fails: operations})
		if !filepath.IsAbs(home) {
			continue
		}
		env = append(env, "AWS_CONFIG_FILE="+r.inAWS("config"), "AWS_SHARED_CREDENTIALS_FILE="+r.inAWS("credentials"))
		times += r.try(wreck{name: "files elsewhere, HOME=" + home, env: env, tests: []string{"sign-in", "credentials-profile", "save-seed", "console"}, fails: operations})
	}
	if _, err := os.Lstat(r.home + "/missing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a home directory was made: %v", err)
	}
	tried(t, "HOME is not set, or missing", times)
}

// Without HOME, the home directory is the one that the system has on record.
func TestFaultDiskNoHomeOnRecord(t *testing.T) {
	t.Parallel()
	asRoot(t)
	r := newRuin(t)
	r.as = []string{"setpriv", "--reuid", stranger, "--regid", stranger, "--clear-groups"}
	r.must("chmod", "755", filepath.Dir(r.home))
	tried(t, "HOME is not set, and the user is not on record", r.try(wreck{name: "HOME not set", env: []string{"-u", "HOME"}, fails: operations}))
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
