//go:build linux && faults

package awstest_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/pquerna/otp/totp"
	"golang.org/x/sys/unix"
)

// A deed is what aws-mfa-login is killed at. Given brings about what is there
// before, also after it was killed; done checks what must be there when it was
// not.
type deed struct {
	name     string
	terminal string // the dialogue there, if it has one
	given    func(*victim)
	args     func(*victim) []string
	done     func(*victim)
	next     []*deed // what is done after it was killed; itself where there is nothing
}

var (
	signIn = deed{
		name:  "sign-in",
		given: func(*victim) {},
		args:  func(v *victim) []string { return []string{"mfa", "--force", "-t", v.freshCode()} },
		done: func(v *victim) {
			if len(v.entries()) != 1 {
				v.Errorf("got the sessions %q", v.entries())
			}
		},
	}
	processProfile = deed{
		name:  "--process-profile",
		given: func(v *victim) { v.signedIn(); v.putOld(".aws/config", configBefore) },
		args:  func(v *victim) []string { return []string{"mfa", "--process-profile", "mfa-sdk"} },
		done: func(v *victim) {
			if got := v.get(".aws/config"); got != v.configAfter() {
				v.Errorf("got the config %q, want %q", got, v.configAfter())
			}
		},
	}
	credentialsProfile = deed{
		name:  "--credentials-profile",
		given: func(*victim) {},
		args: func(v *victim) []string {
			return []string{"mfa", "--force", "-t", v.freshCode(), "--credentials-profile", "copy"}
		},
		done: func(v *victim) {
			if got, want := v.get(".aws/credentials"), v.withCopy(v.sessions[len(v.sessions)-1]); got != want {
				v.Errorf("got the credentials %q, want %q", got, want)
			}
		},
	}
	logout = deed{
		name: "--logout",
		given: func(v *victim) {
			v.must(append([]string{"aws-mfa-login"}, credentialsProfile.args(v)...)...)
			v.makeOld(".aws/credentials")
			v.whole()
		},
		args: func(*victim) []string { return []string{"--logout", "mfa"} },
		done: func(v *victim) {
			left, _ := filepath.Glob(v.inAWS("mfa", "*.copies.json"))
			if got := v.get(".aws/credentials"); got != v.credentials || len(v.entries()) > 0 || len(left) > 0 {
				v.Errorf("got the credentials %q, the sessions %q and %q, want %q", got, v.entries(), left, v.credentials)
			}
		},
	}
	saveSeed = deed{
		name:  "--save-seed",
		given: func(v *victim) { v.turnSeed() },
		args:  func(*victim) []string { return []string{"mfa", "--save-seed"} },
		done: func(v *victim) {
			if got, sealed := v.inKeyring(), v.sealed(); got != v.seed || len(sealed) > 0 {
				v.Errorf("the keyring has %q, want %q; sealed is %q", got, v.seed, sealed)
			}
		},
	}
	sealSeed = deed{
		name:     "--save-seed --seed-store file",
		terminal: "expect Enter new passphrase\nsend correct horse\nexpect Enter same passphrase\nsend correct horse\n",
		given:    func(v *victim) { v.seed = seeds[0] },
		args:     func(*victim) []string { return []string{"mfa", "--save-seed", "--seed-store", "file"} },
		done: func(v *victim) {
			if len(v.sealed()) != 1 {
				v.Errorf("the sealed seeds are %q", v.sealed())
			}
		},
		next: []*deed{&forgetSeed}, // which takes no second for the passphrase
	}
	forgetSeed = deed{
		args: func(*victim) []string { return []string{"mfa", "--forget-seed"} },
		done: func(v *victim) {
			if len(v.sealed()) > 0 {
				v.Errorf("forgotten are %q", v.sealed())
			}
		},
	}
)

// linked is a deed where the AWS files are symbolic links.
func (d deed) linked() deed {
	d.name += ", the files symbolic links"
	given := d.given
	d.given = func(v *victim) {
		v.link(".aws/config")
		v.link(".aws/credentials")
		given(v)
	}
	return d
}

const (
	configBefore = "# café — jane's\r\n[default]\r\nregion = eu-west-1\r\n\r\n; theirs\r\n[profile mfa]\r\n" +
		"role_arn = arn:aws:iam::123456789012:role/PowerUserRole\r\nsource_profile = default\r\nmfa_serial = arn:aws:iam::123456789012:mfa/jane\r\n" +
		"[plugins]\r\nx = ÿ\r\n  nested = z\r\n[sso-session nobody's]\r\nsso_region=us-east-1 # theirs too\n\n\n# the end\r\n"
	configMode, credentialsMode = 0o640, 0o604
)

// Each of the five things that are done is killed 500 times.
func TestFaultKilledAtRandomMoments(t *testing.T) {
	for _, c := range []struct {
		deed
		times int
	}{
		{signIn, 500}, {processProfile, 250}, {processProfile.linked(), 250}, {credentialsProfile, 250}, {credentialsProfile.linked(), 250},
		{logout, 250}, {logout.linked(), 250}, {saveSeed, 475}, {sealSeed, 25},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tried(t, "killed at a random moment: "+c.name, c.times)
			var (
				v    *victim
				took time.Duration
				hits int
			)
			for i := range c.times {
				if i%25 == 0 { // a device has no more codes
					v = newVictim(t)
					took = v.time(c.deed)
				}
				c.given(v)
				moment := rand.N(took)
				status := v.killAt(c.deed, moment)
				if v.whole(); t.Failed() {
					t.Fatalf("%v, killed after %v (status %d)", v.last, moment, status)
				}
				if status < 0 {
					hits++
				}
				if i%10 == 9 {
					v.afterwards(c.deed)
				}
			}
			if t.Logf("%d of %d were not over", hits, c.times); hits == 0 {
				t.Error("all were over")
			}
		})
	}
}

// time is how long the deed takes.
func (v *victim) time(d deed) time.Duration {
	v.Helper()
	var took []time.Duration
	for range 3 {
		d.given(v)
		took = append(took, v.again(d))
	}
	slices.Sort(took)
	return took[1]
}

func TestFaultKilledAtEverySystemCall(t *testing.T) {
	again, over := signIn, credentialsProfile
	again.name, again.given = "sign-in again", func(v *victim) { v.signedIn() }
	over.name, over.given = "--credentials-profile again", logout.given
	over.next = []*deed{&logout, &credentialsProfile} // the first finds each copy
	for _, c := range []deed{signIn, again, processProfile, processProfile.linked(), over, logout.linked(), saveSeed, sealSeed} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			calls := calls(t, c)
			tried(t, "killed at each system call that touches a file: "+c.name, len(calls))
			for n := range calls {
				t.Run(fmt.Sprint(n+1), func(t *testing.T) {
					v := newVictim(t)
					c.given(v)
					status, done := v.killBefore(c, n+1)
					if v.whole(); status != killed || len(done) != n+1 {
						t.Errorf("status %d after %d calls, want that it was killed before call %d", status, len(done), n+1)
					}
					v.afterwards(c)
					if t.Failed() {
						t.Logf("killed before the last of these:\n%s", strings.Join(done, "\n"))
					}
				})
			}
		})
	}
}

// A lock goes with the process that holds it, whatever that has started.
func TestFaultKilledWhileAChildLives(t *testing.T) {
	const settings = "\n[profile slow]\nrole_arn = arn:aws:iam::123456789012:role/%s\nsource_profile = %s\n%s = %s\n[profile keys]\ncredential_process = %[4]s\n"
	const child = `#!/bin/sh
[ -e "$HOME/answer" ] && exec cat "$HOME/answer"
sleep 600 >/dev/null 2>&1 &
echo $! >"$HOME/child.new"
mv "$HOME/child.new" "$HOME/child"
wait
`
	for name, c := range map[string]struct {
		role, source, setting string
		answer                func(p *place) string
		args                  []string // of the parent
		waits                 bool     // the parent holds a lock that the next one waits for
	}{
		"credential_process": {role: "PlainRole", source: "keys", setting: "output", waits: true, args: []string{"aws-mfa-login", "slow"}, answer: func(p *place) string {
			return fmt.Sprintf(`{"Version": 1, "AccessKeyId": %q, "SecretAccessKey": %q}`, p.user.AccessKeyID, p.user.SecretAccessKey)
		}},
		"mfa_process": {role: "PowerUserRole", source: "default", setting: "mfa_serial = arn:aws:iam::123456789012:mfa/jane\nmfa_process", waits: true, args: []string{"aws-mfa-login", "slow"},
			answer: (*place).code},
		"-- COMMAND": {role: "PlainRole", source: "default", setting: "output", args: []string{"aws-mfa-login", "slow", "--", "./child.sh"}},
		"browser":    {role: "PlainRole", source: "default", setting: "output", args: []string{"aws-mfa-console", "slow", "--browser", "./child.sh"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			tried(t, "killed while its child lives on: "+name, 1)
			program := filepath.Join(p.home, "child.sh")
			p.write(program, child)
			if err := os.Chmod(program, 0o700); err != nil {
				t.Fatal(err)
			}
			p.write(p.inAWS("config"), fmt.Sprintf(settings, c.role, c.source, c.setting, program))
			parent := p.command(t.Context(), c.args...)
			if err := parent.Start(); err != nil {
				t.Fatal(err)
			}
			pid := p.childOf(parent)
			defer unix.Kill(pid, unix.SIGKILL)

			soon, cancel := context.WithTimeout(t.Context(), time.Minute) // a lock is waited for for three
			defer cancel()
			next := p.command(soon, "aws-mfa-login", "slow", "--force")
			said, err := next.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := next.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(said)
			if c.waits {
				if lines.Scan(); !strings.Contains(lines.Text(), "waiting for another process") {
					t.Errorf("got %q, want that it waits for the parent", lines.Text())
				}
				p.write(filepath.Join(p.home, "answer"), c.answer(p))
			}
			_ = parent.Process.Kill()
			_ = parent.Wait()
			rest := ""
			for lines.Scan() {
				rest += lines.Text() + "\n"
			}
			if err := next.Wait(); err != nil || strings.Contains(rest, "waiting") {
				t.Errorf("after the parent's death: %v\n%s", err, rest)
			}
			if err := unix.Kill(pid, 0); err != nil {
				t.Errorf("the child: %v", err)
			}
		})
	}
}

// childOf waits for the process ID that child.sh writes, which parent runs.
func (p *place) childOf(parent *exec.Cmd) int {
	p.Helper()
	ended := time.Now().Add(time.Minute)
	for {
		text, err := os.ReadFile(filepath.Join(p.home, "child"))
		if pid, wrong := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && wrong == nil {
			return pid
		}
		if time.Now().After(ended) {
			_ = parent.Process.Kill()
			p.Fatal("the child was not started")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// calls are the system calls that the deed makes.
func calls(t *testing.T, d deed) (calls []string) {
	t.Run("whole", func(t *testing.T) {
		v := newVictim(t)
		d.given(v)
		status, done := v.killBefore(d, 0)
		if status != 0 {
			t.Fatalf("%v: status %d", v.last, status)
		}
		v.whole()
		d.done(v)
		calls = done
	})
	return calls
}

// A victim is a place where programs are killed.
type victim struct {
	*place
	credentials string // without a copy of a session
	sessions    []kept // that AWS gave, as they were kept, the newest last
	codes       map[string]bool
	seed        string // that --save-seed reads
	keyring     bool   // there is one
	turns       int    // of seeds
	last        []string
}

type kept struct{ AccessKeyID, SecretAccessKey, SessionToken, Expiration string }

func newVictim(t *testing.T) *victim {
	t.Helper()
	v := &victim{place: newPlace(t), codes: map[string]bool{}}
	if err := v.aws.Hasten(v.user.Device.SerialNumber, time.Second); err != nil {
		t.Fatal(err)
	}
	v.credentials = "; jane's\n" + v.get(".aws/credentials") + "# théirs\r\n"
	v.putOld(".aws/config", configBefore)
	v.putOld(".aws/credentials", v.credentials)
	for name, mode := range map[string]fs.FileMode{"config": configMode, "credentials": credentialsMode} {
		if err := os.Chmod(v.inAWS(name), mode); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

func (v *victim) get(name string) string {
	v.Helper()
	text, err := os.ReadFile(filepath.Join(v.home, name))
	if err != nil {
		v.Fatal(err)
	}
	return string(text)
}

func (v *victim) putOld(name, text string) {
	v.Helper()
	v.write(filepath.Join(v.home, name), text)
	v.makeOld(name)
}

// makeOld makes a file one that nobody seems to be just writing, who would be
// waited for.
func (v *victim) makeOld(name string) {
	v.Helper()
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(v.home, name), long, long); err != nil {
		v.Fatal(err)
	}
}

// link puts a symbolic link in the place of a file.
func (v *victim) link(name string) {
	v.Helper()
	link, file := filepath.Join(v.home, name), filepath.Join(v.home, "dotfiles", filepath.Base(name))
	if _, err := os.Readlink(link); err == nil {
		return
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.Rename(link, file), os.Symlink("../dotfiles/"+filepath.Base(name), link)); err != nil {
		v.Fatal(err)
	}
}

// signedIn makes sure of a session.
func (v *victim) signedIn() {
	v.Helper()
	if len(v.sessions) == 0 {
		v.again(signIn)
	}
}

// freshCode is a code of jane's device that was not given before. AWS takes
// those of 30 s before and after now, and here there is one each second.
func (v *victim) freshCode() string {
	v.Helper()
	for i := range 50 { // and the clock goes on meanwhile
		at := time.Now().Add(time.Duration(i-20) * time.Second)
		code, err := totp.GenerateCodeCustom(v.user.Device.Seed, at, totp.ValidateOpts{Period: 1, Digits: 6})
		if err != nil {
			v.Fatal(err)
		}
		if !v.codes[code] {
			v.codes[code] = true
			return code
		}
	}
	v.Fatal("no code is left")
	return ""
}

// configAfter is the config file with the profile that --process-profile adds.
func (v *victim) configAfter() string {
	return configBefore + "\r\n[profile mfa-sdk]\r\ncredential_process = " + filepath.Join(v.bin, "aws-mfa-login") + " mfa --format process\r\n"
}

// withCopy is the credentials file with a copy of the session.
func (v *victim) withCopy(s kept) string {
	return v.credentials + strings.ReplaceAll(fmt.Sprintf("\n[copy]\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\nexpiration = %s\n",
		s.AccessKeyID, s.SecretAccessKey, s.SessionToken, s.Expiration), "\n", "\r\n")
}

// entries are the files of sessions.
func (v *victim) entries() []string {
	names, _ := filepath.Glob(v.inAWS("cli", "cache", "*.json"))
	return names
}

// The forms of files below HOME. What else is there must not be.
var (
	ofUser    = regexp.MustCompile(`^(\.aws|dotfiles)/(config|credentials)$`)
	ofSession = regexp.MustCompile(`^\.aws/cli/cache/[0-9a-f]{40}\.json$`)
	ofMemory  = regexp.MustCompile(`^\.aws/mfa/[0-9A-Za-z_.-]+\.json$`)
	ofSeed    = regexp.MustCompile(`^\.aws/mfa/[0-9A-Za-z_-]+\.age$`)
	ofLock    = regexp.MustCompile(`^\.aws/mfa/[0-9A-Za-z_.-]+\.lock$`)
	ofStaged  = regexp.MustCompile(`^(.*/)?[^/]+\.aws-mfa\.[0-9]+\.tmp$`)
)

// whole fails if anything below HOME is neither what it was nor what it was to
// become, or if files pile up that killed processes had staged: of those, a
// directory has two at most, where it was tried out whether one replaces the
// other. It returns how many there are.
func (v *victim) whole() (strays int) {
	v.Helper()
	staged := map[string]int{}
	err := filepath.WalkDir(v.home, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(v.home, path)
		switch {
		case err != nil:
			return err
		case name == "xdg": // the keyring's
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		mode, isOurs := fs.FileMode(0o600), true
		switch {
		case ofUser.MatchString(name):
			isOurs = false
			v.wholeFile(filepath.Base(name), string(text), info.Mode().Perm())
		case ofSession.MatchString(name):
			v.wholeSession(name, text)
		case ofMemory.MatchString(name):
			if !json.Valid(text) || !bytes.HasPrefix(text, []byte("{\n")) || !bytes.HasSuffix(text, []byte("}\n")) {
				v.Errorf("%s is torn: %q", name, text)
			}
		case ofSeed.MatchString(name):
			if !bytes.HasPrefix(text, []byte(sealedHead)) || len(text) != sealedSize {
				v.Errorf("%s is torn: %d bytes", name, len(text))
			}
		case ofLock.MatchString(name):
			if len(text) > 0 {
				v.Errorf("%s is not empty", name)
			}
		case ofStaged.MatchString(name):
			staged[filepath.Dir(name)]++
			strays++
			if strings.Contains(name, "/config.aws-mfa.") {
				mode |= configMode
			} else if strings.Contains(name, "/credentials.aws-mfa.") {
				mode |= credentialsMode
			}
		default:
			v.Errorf("%s does not belong here", name)
		}
		if isOurs && info.Mode()&^mode != 0 {
			v.Errorf("%s has mode %v", name, info.Mode())
		}
		return nil
	})
	if err != nil {
		v.Error(err)
	}
	for dir, n := range staged {
		if n > 2 {
			v.Errorf("%s has %d staged files of killed processes", dir, n)
		}
	}
	if v.keyring && len(v.sealed()) == 0 && !slices.Contains(seeds[:], v.inKeyring()) {
		v.Errorf("neither the old seed nor the new one is kept; the keyring has %q", v.inKeyring())
	}
	return strays
}

// wholeFile takes the user's files, byte for byte.
func (v *victim) wholeFile(name, text string, mode fs.FileMode) {
	v.Helper()
	want, right := []string{configBefore, v.configAfter()}, fs.FileMode(configMode)
	if name == "credentials" {
		want, right = []string{v.credentials}, credentialsMode
		for _, s := range v.sessions {
			want = append(want, v.withCopy(s))
		}
	}
	if !slices.Contains(want, text) {
		v.Errorf("%s is neither the old one nor the new one: %q", name, text)
	}
	if mode != right {
		v.Errorf("%s has mode %v, want %v", name, mode, right)
	}
}

// wholeSession takes sessions that AWS gave.
func (v *victim) wholeSession(name string, text []byte) {
	v.Helper()
	var entry struct {
		Credentials     kept
		AssumedRoleUser struct{ AssumedRoleID, Arn string }
	}
	err := json.Unmarshal(text, &entry)
	s, given := entry.Credentials, v.aws.Secrets()
	if err != nil || entry.AssumedRoleUser.Arn == "" || len(s.Expiration) < len("2006-01-02T15:04:05") || !slices.Contains(given, s.SecretAccessKey) || !slices.Contains(given, s.SessionToken) {
		v.Errorf("%s is not a session that AWS gave: %v", name, err)
		return
	}
	s.Expiration = s.Expiration[:len("2006-01-02T15:04:05")] + "Z"
	if !slices.Contains(v.sessions, s) {
		v.sessions = append(v.sessions, s)
	}
}

// start starts the deed, run by another program if there is one. To wait is to
// get the status, what it said, and how long it took.
func (v *victim) start(d deed, by ...string) (cmd *exec.Cmd, wait func() outcome) {
	v.Helper()
	v.last = append(append(by, filepath.Join(v.bin, "aws-mfa-login")), d.args(v)...)
	ctx, cancel := context.WithTimeout(v.Context(), time.Minute)
	cmd = v.command(ctx, v.last...)
	cmd.Stdin = strings.NewReader(v.seed)
	said := func() string { return "" }
	ready := func() {}
	if d.terminal == "" {
		var both bytes.Buffer
		cmd.Stdout, cmd.Stderr = &both, &both
		said = both.String
	} else {
		said, ready = v.atTerminal(cmd, d.terminal)
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		v.Fatal(err)
	}
	ready()
	return cmd, func() outcome {
		v.Helper()
		defer cancel()
		err := cmd.Wait()
		took := time.Since(began)
		if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
			v.Fatalf("%v: %v", v.last, errors.Join(err, ctx.Err()))
		}
		v.hasNoSecret(said(), v.last)
		return outcome{stderr: said(), status: cmd.ProcessState.ExitCode(), took: took}
	}
}

// atTerminal gives the command a terminal, besides its standard input, and holds
// the dialogue as far as it gets. Ready is to be called after the start.
func (v *victim) atTerminal(cmd *exec.Cmd, dialogue string) (said func() string, ready func()) {
	v.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		v.Fatal(err)
	}
	v.Cleanup(func() { master.Close() })
	cmd.Stdout, cmd.Stderr = slave, slave
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true, Ctty: 1}
	screen := &screen{}
	screen.changed.L = &screen.mu
	ended := make(chan struct{})
	said = func() string {
		<-ended
		return screen.text()
	}
	return said, func() {
		slave.Close()
		go func() {
			defer close(ended)
			screen.read(master)
		}()
		go func() { _ = converse(master, screen, cmd.Process, dialogue) }()
	}
}

// again does the deed to its end: whatever was there before, it takes no lock
// for held and leaves nothing staged.
func (v *victim) again(d deed) (took time.Duration) {
	v.Helper()
	_, wait := v.start(d)
	o := wait()
	if o.status != 0 || strings.Contains(o.stderr, "waiting for") {
		v.Errorf("%v: status %d\n%s", v.last, o.status, o.stderr)
	}
	if left := v.whole(); left > 0 {
		v.Errorf("%v left %d staged files", v.last, left)
	}
	d.done(v)
	return o.took
}

// afterwards does what comes after the deed was killed.
func (v *victim) afterwards(d deed) {
	v.Helper()
	if d.next == nil {
		d.next = []*deed{&d}
	}
	for _, next := range d.next {
		v.again(*next)
	}
}

func (v *victim) killAt(d deed, moment time.Duration) (status int) {
	v.Helper()
	cmd, wait := v.start(d)
	time.Sleep(moment)
	_ = cmd.Process.Kill() // or it has ended
	return wait().status
}

// killBefore kills the deed before its nth system call that touches a file,
// which is the last of those returned.
func (v *victim) killBefore(d deed, n int) (status int, calls []string) {
	v.Helper()
	to := filepath.Join(v.TempDir(), "calls")
	_, wait := v.start(d, filepath.Join(v.bin, "killer"), strconv.Itoa(n), to, v.home)
	o := wait()
	text, err := os.ReadFile(to)
	if err != nil {
		v.Fatalf("%v\n%s", err, o.stderr)
	}
	return o.status, strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// A sealed seed begins so, and one of 64 characters has that size.
const (
	sealedHead = "age-encryption.org/v1\n-> scrypt "
	sealedSize = 359
)

// sealed are the files of sealed seeds.
func (v *victim) sealed() []string {
	names, _ := filepath.Glob(v.inAWS("mfa", "*.age"))
	return names
}

// seeds are kept one after the other.
var seeds = [...]string{strings.Repeat("ABCD2345", 8), strings.Repeat("WXYZ6723", 8)}

// turnSeed makes sure of a seed that is kept, in a file and in the keyring by
// turns, and that the other one is given next.
func (v *victim) turnSeed() {
	v.Helper()
	if !v.keyring {
		v.startKeyring()
		v.keyring = true
	}
	v.seed = seeds[0]
	if v.inKeyring() == v.seed {
		v.seed = seeds[1]
	}
	if v.turns++; v.turns%2 == 1 {
		v.must("aws-mfa-login", "mfa", "--forget-seed")
		v.putOld(".aws/mfa/jane-99dd016590324f379b69dba8e63cadda.age", sealedHead+strings.Repeat("x", sealedSize-len(sealedHead)))
	}
}

var secretOf = regexp.MustCompile(`secret=([A-Z2-7]+)`)

// inKeyring is the seed that the keyring has, as another program finds it.
func (v *victim) inKeyring() string {
	v.Helper()
	o := v.run("secret-tool", "lookup", "service", "aws-mfa", "username", v.user.Device.SerialNumber)
	match := secretOf.FindStringSubmatch(o.stdout)
	if match == nil {
		return ""
	}
	return match[1]
}
