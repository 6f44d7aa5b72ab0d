//go:build unix && faults

package awstest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aws-mfa/shared/awstest"
	"aws-mfa/shared/cache"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// TestFaultLoad runs two hundred processes of all three programs at once, on
// twenty profiles with codes of all kinds. Some are killed, AWS throttles,
// sessions grow old, and the AWS CLI uses the same files. On a slow machine it
// does less, and looks at all the same.
func TestFaultLoad(t *testing.T) {
	l := newLoad(t)
	tried(t, "200 processes of all programs at once, for 60 s, on 20 profiles; AWS throttles each third call, and some are killed", 1)
	l.keepRunning(200, 60*time.Second)
	l.tell()
	l.signedInNoMoreThanNeeded()
	l.offeredNoCodeTwice()
	l.lostNoProfile()
	l.leftNothing()
}

// loadProfiles is how many profiles there are, p00 to p19, besides that of the
// sealed seed. The last ones are special.
const (
	loadProfiles = 20
	loadPlain    = 14 // and 15: roles that want no code, so that the AWS CLI can open their sessions too
	loadMFA      = 16 // an MFA session; 17 and 18 are roles of the same user and device
	loadPrinted  = 19 // a role whose codes a program prints
	sealed       = "sealed"
)

// loadUsers are the users with devices of their own: the first for two roles
// each, then that of the MFA session, of the program, and of the sealed seed.
const (
	loadUsers   = 10
	userMFA     = 7
	userPrinted = 8
	userSealed  = 9
)

const (
	addedNames = 60              // of profiles that are added, of each kind
	hanging    = 3 * time.Minute // is no process that only waits for its turn
)

func profileName(i int) string { return fmt.Sprintf("p%02d", i) }

func userOf(i int) int {
	switch {
	case i == loadPrinted:
		return userPrinted
	case i >= loadMFA:
		return userMFA
	}
	return i % userMFA
}

// A load is many processes in one place.
type load struct {
	*place
	config, credentials string // as they were before
	serials             []string
	output              string // a directory for what they print
	ended               chan struct{}
	started             atomic.Int64 // processes

	mu       sync.Mutex // guards what follows
	runs     []*loadRun
	aged     map[string]int // how often a session was made old, by its profile
	warnings map[string]int
}

// A loadRun is one process, from its start to its end.
type loadRun struct {
	id           string
	what         string // is done
	profile      string
	name         string // of the profile to be added, if one is
	args         []string
	began, ended time.Time
	killed       bool
	status       int
	stdout       string
	stderr       string
}

func (r *loadRun) done() bool { return r.status == 0 && !r.killed }

func (r *loadRun) says(text string) bool { return strings.Contains(r.stderr, text) }

func (l *load) newRun(profile string) *loadRun {
	return &loadRun{id: fmt.Sprint("run", l.started.Add(1)), profile: profile}
}

func init() {
	programs["newcode"] = func(args []string) int {
		code, err := ask("code?serial=" + url.QueryEscape(args[0]))
		if err != nil {
			return failed(err)
		}
		fmt.Println(code)
		return 0
	}
}

func newLoad(t *testing.T) *load {
	t.Helper()
	l := &load{place: newPlace(t), output: t.TempDir(), ended: make(chan struct{}), aged: map[string]int{}, warnings: map[string]int{}}
	l.env = append(l.env, "AWSTEST_URL="+l.aws.URL())
	users := l.addUsers()
	l.addProfiles()
	l.write(l.inAWS("config"), l.config)
	l.write(l.inAWS("credentials"), l.credentials)
	l.startKeyring()
	for i, u := range users {
		of := profileName(i)
		switch i {
		case userMFA:
			of = profileName(loadMFA)
		case userPrinted:
			continue
		case userSealed:
			of = sealed
		}
		l.saveSeed(of, fmt.Sprintf("otpauth://totp/x:user%d@123456789012?secret=%s&period=1", i, u.Device.Seed))
	}
	for _, action := range []string{"AssumeRole", "GetSessionToken", "GetCallerIdentity"} {
		l.aws.Fail(awstest.Fault{Action: action, Kind: awstest.Throttle, Times: -1, Every: 3})
	}
	return l
}

func userARN(i int) string { return fmt.Sprintf("arn:aws:iam::123456789012:user/user%d", i) }

// source is the profile with the keys of a user.
func source(user int) string {
	switch user {
	case 0:
		return "default"
	case userMFA:
		return profileName(loadMFA)
	}
	return fmt.Sprintf("user%d", user)
}

func (l *load) addUsers() (users []*awstest.User) {
	l.Helper()
	for i := range loadUsers {
		u := l.aws.AddUser(userARN(i))
		if err := l.aws.Hasten(u.Device.SerialNumber, time.Second); err != nil {
			l.Fatal(err)
		}
		users, l.serials = append(users, u), append(l.serials, u.Device.SerialNumber)
		l.credentials += fmt.Sprintf("[%s]\n# not a word of this changes\naws_access_key_id=%s\naws_secret_access_key   =  %s\n\n", source(i), u.AccessKeyID, u.SecretAccessKey)
	}
	return users
}

func (l *load) addProfiles() {
	l.config = "# jane's own words\n[default]\nregion=eu-west-1\n\n[plugins]\n  x  =  y ; z\n\n"
	add := func(name string, user int, settings string) {
		l.config += fmt.Sprintf("[profile %s]\nregion = eu-west-1\n%s\n", name, settings)
		l.aws.AddRole(awstest.Role{ARN: roleARN(name), Trusts: []string{userARN(user)}, RequireMFA: strings.Contains(settings, "mfa_serial")})
	}
	for i := range loadProfiles {
		user := userOf(i)
		role := fmt.Sprintf("role_arn = %s\nsource_profile = %s\n", roleARN(profileName(i)), source(user))
		device := fmt.Sprintf("mfa_serial = %s\n", l.serials[user])
		switch i {
		case loadPlain, loadPlain + 1:
			device = ""
		case loadMFA:
			role = ""
		case loadPrinted:
			// A code of the second in which the last one was used would have to wait half a minute.
			device += fmt.Sprintf("mfa_process = sh -c 'sleep 1; exec newcode %s'\n", l.serials[user])
		}
		add(profileName(i), user, role+device)
	}
	add(sealed, userSealed, fmt.Sprintf("role_arn = %s\nsource_profile = %s\nmfa_serial = %s\n", roleARN(sealed), source(userSealed), l.serials[userSealed]))
}

func roleARN(profile string) string { return "arn:aws:iam::123456789012:role/role-" + profile }

func (l *load) saveSeed(profile, uri string) {
	l.Helper()
	if profile != sealed {
		cmd := l.command(l.Context(), "aws-mfa-login", profile, "--save-seed")
		cmd.Stdin = strings.NewReader(uri)
		if out, err := cmd.CombinedOutput(); err != nil {
			l.Fatalf("%v\n%s", err, out)
		}
		return
	}
	l.write(filepath.Join(l.home, "uri"), uri)
	shown, status := l.atTerminal(l.command(l.Context(), "sh", "-c", "aws-mfa-login "+profile+" --save-seed --seed-store file <uri"))
	if status != 0 {
		l.Fatalf("status %d\n%s", status, shown)
	}
	if err := os.Remove(filepath.Join(l.home, "uri")); err != nil {
		l.Fatal(err)
	}
}

// atTerminal runs a command in a terminal, and types the passphrase whenever it
// is asked for.
func (l *load) atTerminal(cmd *exec.Cmd) (shown string, status int) {
	cmd.SysProcAttr = nil
	master, err := pty.Start(cmd)
	if err != nil {
		l.Error(err)
		return "", -1
	}
	defer master.Close()
	_ = unix.Setpriority(unix.PRIO_PROCESS, cmd.Process.Pid, 10)
	buf := make([]byte, 4096)
	for answered := 0; ; {
		n, err := master.Read(buf)
		shown += string(buf[:n])
		for ; strings.Count(shown, "passphrase") > answered; answered++ {
			_, _ = io.WriteString(master, passphrase+"\r")
		}
		if err != nil { // EIO: nobody has the other end
			_ = cmd.Wait()
			return shown, cmd.ProcessState.ExitCode()
		}
	}
}

// keepRunning keeps so many processes running for so long, and waits for their ends.
func (l *load) keepRunning(processes int, length time.Duration) {
	until := time.Now().Add(length)
	over := func() bool { return time.Now().After(until) }
	var workers, watchers sync.WaitGroup
	for range 2 {
		watchers.Go(l.read)
	}
	watchers.Go(l.age)
	for worker := range processes {
		workers.Go(func() {
			l.once(l.choose(100*worker/processes, worker%loadProfiles)) // whatever there is, is done
			for !over() {
				l.once(l.choose(rand.N(100), rand.N(loadProfiles)))
			}
		})
	}
	for range 2 {
		program := filepath.Join(l.bin, "aws2")
		if _, err := os.Stat(program); err == nil {
			workers.Go(func() {
				for !over() {
					l.awsCLI(program)
				}
			})
		}
		workers.Go(func() {
			for !over() {
				l.typing()
			}
		})
	}
	workers.Wait()
	close(l.ended)
	watchers.Wait()
}

// choose is what a process is to do with profile i; n is the lot, out of 100.
func (l *load) choose(n, i int) *loadRun {
	r := l.newRun(profileName(i))
	r.args = []string{"aws-mfa-login", r.profile}
	also := func(what string, args ...string) { r.what, r.args = what, append(r.args, args...) }
	switch {
	case n < 20:
		also("process", "--format", "process")
	case n < 25:
		also("env", "--format", "env-no-export")
	case n < 31:
		also("command", "--", "env")
	case n < 37:
		r.what, r.args = "offline", []string{"aws-mfa-status", "--offline", "--all", "--output", "json"}
	case n < 42:
		r.what, r.args = "status", []string{"aws-mfa-status", r.profile, profileName(rand.N(loadProfiles))}
	case n < 48 && i != loadMFA:
		r.what, r.args = "console", []string{"aws-mfa-console", r.profile, "--print"}
	case n < 56:
		r.name = fmt.Sprint("by-", rand.N(addedNames))
		also("process-profile", "--process-profile", r.name)
	case n < 64:
		// Each name is of one profile, so that it is known which sign-out ends it.
		r.name = fmt.Sprint("copy-", i+loadProfiles*rand.N(addedNames/loadProfiles))
		also("credentials-profile", "--credentials-profile", r.name)
	case n < 67:
		also("logout", "--logout")
	case n < 69:
		also("force", "--force")
	case n < 71:
		r.profile = profileName(loadMFA + 1 + rand.N(2))
		r.what, r.args = "mfa-session", []string{"aws-mfa-login", r.profile, "--mfa-session"}
	default:
		also("login")
		if code, err := l.aws.Code(l.serials[userOf(i)]); n < 73 && err == nil && i < loadPlain {
			also("code", "-t", code)
		}
	}
	return r
}

// proxyAs is the proxy for that run, so that AWS's log tells of it.
func (l *load) proxyAs(name string) string {
	return "HTTPS_PROXY=" + strings.Replace(l.aws.ProxyURL(), "http://", "http://"+name+":x@", 1)
}

// once runs a process to its end, or until it is killed.
func (l *load) once(r *loadRun) {
	ctx, cancel := context.WithTimeout(context.Background(), hanging)
	defer cancel()
	cmd := l.command(ctx, append([]string{l.proxyAs(r.id)}, r.args...)...)
	stdout, stderr := l.file(), l.file()
	cmd.Stdout, cmd.Stderr = stdout, stderr
	r.began = time.Now()
	if err := cmd.Start(); err != nil {
		l.Error(err)
		return
	}
	// The local AWS and the AWS CLI, which takes much longer, come first.
	_ = unix.Setpriority(unix.PRIO_PROCESS, cmd.Process.Pid, 10)
	if rand.N(4) == 0 {
		defer time.AfterFunc(rand.N(time.Second), func() { _ = cmd.Process.Kill() }).Stop()
	}
	_ = cmd.Wait()
	r.ended = time.Now()
	r.status, r.stdout, r.stderr = cmd.ProcessState.ExitCode(), l.text(stdout), l.text(stderr)
	r.killed = r.status < 0
	if ctx.Err() != nil {
		l.Errorf("%v did not end within %v\n%s", r.args, hanging, r.stderr)
	}
	l.check(r)
	l.keep(r)
}

func (l *load) keep(r *loadRun) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.runs = append(l.runs, r)
}

// file is a new one without a name, for what a process prints: unlike a pipe, it
// takes nobody to read it meanwhile.
func (l *load) file() *os.File {
	f, err := os.CreateTemp(l.output, "")
	if err != nil {
		l.Error(err)
		return nil
	}
	_ = os.Remove(f.Name())
	return f
}

func (l *load) text(f *os.File) string {
	defer f.Close()
	_, err := f.Seek(0, io.SeekStart)
	data, failed := io.ReadAll(f)
	if err := errors.Join(err, failed); err != nil {
		l.Error(err)
	}
	return string(data)
}

// typing signs in with the seed in a file, whose passphrase somebody types.
func (l *load) typing() {
	ctx, cancel := context.WithTimeout(context.Background(), hanging)
	defer cancel()
	r := l.newRun(sealed)
	r.began, r.what, r.args = time.Now(), "force", []string{"aws-mfa-login", sealed, "--force"}
	if rand.N(2) == 0 {
		r.what, r.args = "logout", []string{"aws-mfa-login", sealed, "--logout"}
	}
	r.stderr, r.status = l.atTerminal(l.command(ctx, append([]string{l.proxyAs(r.id)}, r.args...)...))
	r.ended, r.stderr = time.Now(), strings.ReplaceAll(r.stderr, "\r\n", "\n")
	l.check(r)
	l.keep(r)
}

// awsCLI lets the AWS CLI use the same files: it fails where there is no session
// and a code is wanted.
func (l *load) awsCLI(program string) {
	ctx, cancel := context.WithTimeout(context.Background(), hanging)
	defer cancel()
	r := l.newRun(profileName(rand.N(loadProfiles)))
	if rand.N(2) == 0 {
		r.profile = profileName(loadPlain + rand.N(2))
	}
	r.began, r.what = time.Now(), "aws"
	cmd := l.command(ctx, l.proxyAs(r.id), program, "sts", "get-caller-identity", "--profile", r.profile)
	out, _ := cmd.CombinedOutput()
	r.ended, r.status, r.stderr = time.Now(), cmd.ProcessState.ExitCode(), string(out)
	if r.says("InvalidClientTokenId") {
		l.Errorf("AWS does not know what the AWS CLI found for %s:\n%s", r.profile, out)
	}
	l.keep(r)
}

// age makes a session old now and then, as if its time had come.
func (l *load) age() {
	memory, roles := cache.MemoryIn(l.home), cache.In(l.home)
	for {
		select {
		case <-l.ended:
			return
		case <-time.After(time.Second):
		}
		i := rand.N(loadPlain)
		name := cache.Key{RoleARN: roleARN(profileName(i)), SerialNumber: &l.serials[userOf(i)]}.Name()
		release, err := memory.Lock(context.Background(), name, nil)
		if err != nil {
			l.Error(err)
			return
		}
		if e, err := roles.Read(name); err == nil && e.Good(time.Now()) {
			e.Expiration = time.Now().Add(time.Duration(rand.N(3)-1) * 10 * time.Minute)
			l.mu.Lock()
			l.aged[profileName(i)]++
			l.mu.Unlock()
			if err := roles.Write(name, e); err != nil {
				l.Error(err)
			}
		}
		release()
	}
}

// signedOut tells whether a process may have taken away, since r began, what it
// copied.
func (l *load) signedOut(r *loadRun) bool {
	isMFA := slices.Contains([]string{profileName(loadMFA), profileName(loadMFA + 1), profileName(loadMFA + 2)}, r.profile)
	return slices.ContainsFunc(l.runs, func(o *loadRun) bool {
		same := o.profile == r.profile || isMFA && o.profile >= profileName(loadMFA)
		return o.what == "logout" && same && o.ended.After(r.began)
	})
}
