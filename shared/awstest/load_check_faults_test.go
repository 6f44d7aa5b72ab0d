//go:build unix && faults

package awstest_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"aws-mfa/shared/awstest"

	"golang.org/x/sys/unix"
)

// excuses are the errors that the load leads to: AWS throttles, a code was taken
// by another (its log tells how), or the machine is too slow for the limits of
// the network.
var excuses = regexp.MustCompile(`: error: .*(AWS cannot answer now \(Throttling\)|this MFA code was used already|AWS refused the MFA code|\.amazon(aws)?\.com: timed out)`)

// differing is what differs from one warning to the next of its kind.
var differing = regexp.MustCompile(`p\d\d|[0-9a-f]{32,}|\d{6,}`)

// check looks at how one process ended, and what it handed out.
func (l *load) check(r *loadRun) {
	if r.killed {
		return
	}
	switch {
	case r.status == 0:
	case strings.HasSuffix(r.args[0], "status") && r.status == 3:
	case r.status == 1 && excuses.MatchString(r.stderr):
	default:
		l.Errorf("%v: status %d after %v\n%s", r.args, r.status, r.ended.Sub(r.began), r.stderr)
	}
	for line := range strings.Lines(r.stderr) {
		if _, warning, ok := strings.Cut(line, "warning: "); ok {
			l.mu.Lock()
			l.warnings[differing.ReplaceAllString(strings.TrimSpace(warning), "…")]++
			l.mu.Unlock()
		}
	}
	l.checkAnswer(r)
	shown := r.stderr
	if !slices.Contains([]string{"process", "env", "command", "console"}, r.what) {
		shown += r.stdout
	}
	l.hasNoSecret(shown, []string{r.what, r.profile})
}

// checkAnswer looks at what a process handed out or told.
func (l *load) checkAnswer(r *loadRun) {
	good := true
	switch r.what {
	case "process":
		var k struct {
			AccessKeyId, SecretAccessKey, SessionToken string
			Expiration                                 time.Time
		}
		good = json.Unmarshal([]byte(r.stdout), &k) == nil && k.Expiration.After(r.began) && l.isSession(r.profile, k.AccessKeyId, k.SecretAccessKey, k.SessionToken)
	case "env", "command":
		good = l.isSession(r.profile, variableIn(r.stdout, "AWS_ACCESS_KEY_ID"), variableIn(r.stdout, "AWS_SECRET_ACCESS_KEY"), variableIn(r.stdout, "AWS_SESSION_TOKEN"))
	case "console":
		page, err := url.Parse(strings.TrimSpace(r.stdout))
		good = err == nil && slices.Contains(l.aws.Secrets(), page.Query().Get("SigninToken"))
	case "offline":
		var rows []struct{ Profile string }
		err, told := json.Unmarshal([]byte(r.stdout), &rows), map[string]bool{}
		for _, row := range rows {
			told[row.Profile] = true
		}
		for i := range loadProfiles {
			good = good && err == nil && told[profileName(i)]
		}
	case "status":
		good = !strings.Contains(r.stdout, "rejected")
	}
	if !good && (r.status == 0 || strings.HasSuffix(r.args[0], "status")) {
		l.Errorf("%v: AWS does not know that, or it is not all:\n%s", r.args, r.stdout)
	}
}

// isSession tells whether AWS gave these out for the profile.
func (l *load) isSession(profile, id, secret, token string) bool {
	whose := l.aws.Identity(id, secret, token)
	if profile == profileName(loadMFA) {
		return token != "" && whose == userARN(userMFA)
	}
	return strings.HasPrefix(whose, "arn:aws:sts::123456789012:assumed-role/role-"+profile+"/")
}

// variableIn is the value of a variable in what env prints.
func variableIn(text, name string) string {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+"="); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// read reads all files over and over: each is whole at any moment.
func (l *load) read() {
	for n := 0; ; n++ {
		select {
		case <-l.ended:
			l.Logf("all files were read %d times meanwhile", n)
			return
		case <-time.After(5 * time.Millisecond): // the machine is for those who write
		}
		l.readAWSFiles()
		for _, pattern := range []string{l.inAWS("cli", "cache", "*.json"), l.inAWS("mfa", "sessions", "*.json")} {
			entries, _ := filepath.Glob(pattern)
			for _, path := range entries {
				l.readEntry(path)
			}
		}
		memory, _ := filepath.Glob(l.inAWS("mfa", "*.json"))
		for _, path := range memory {
			if data, err := os.ReadFile(path); err == nil && !json.Valid(data) {
				l.Errorf("%s is not whole: %q", path, data)
			}
		}
	}
}

var (
	addedToConfig      = regexp.MustCompile(`^(\n\[profile by-\d+\]\ncredential_process = \S+/aws-mfa-login p\d\d --format process\nregion = eu-west-1\n)*$`)
	addedToCredentials = regexp.MustCompile(`^(\n\[copy-\d+\]\naws_access_key_id = ASIA[A-Z2-7]{16}\naws_secret_access_key = \S{40}\naws_session_token = \S+\nexpiration = \S+Z\n)*$`)
	copiedKeys         = regexp.MustCompile(`\[(copy-\d+)\]\naws_access_key_id = (.*)\naws_secret_access_key = (.*)\naws_session_token = (.*)\n`)
	addedSections      = regexp.MustCompile(`(?m)^\[(?:profile )?(.*)\]$`)
)

// readAWSFiles returns what was added to the two files, behind what was there
// before, which is never touched.
func (l *load) readAWSFiles() (config, credentials string) {
	added := func(name, before string, form *regexp.Regexp) string {
		data, err := os.ReadFile(l.inAWS(name))
		text, ok := strings.CutPrefix(string(data), before)
		if err != nil || !ok || !form.MatchString(text) {
			l.Errorf("%s is not whole: %v\n%s", name, err, data)
		}
		return text
	}
	config, credentials = added("config", l.config, addedToConfig), added("credentials", l.credentials, addedToCredentials)
	for _, m := range copiedKeys.FindAllStringSubmatch(credentials, -1) {
		n, _ := strconv.Atoi(strings.TrimPrefix(m[1], "copy-"))
		if !l.isSession(profileName(n%loadProfiles), m[2], m[3], m[4]) {
			l.Errorf("%s has a session that is not of its profile: %s, %s", m[1], m[2], l.aws.Identity(m[2], m[3], m[4]))
		}
	}
	return config, credentials
}

// readEntry reads a session. The AWS CLI does not put one in place whole, so for
// the roles whose sessions it can open, the end of its writing is waited for.
func (l *load) readEntry(path string) {
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		var e struct {
			Credentials     struct{ AccessKeyId, SecretAccessKey, SessionToken, Expiration string }
			AssumedRoleUser struct{ Arn string }
		}
		c := &e.Credentials
		if err == nil && json.Unmarshal(data, &e) == nil && c.Expiration != "" && l.aws.Identity(c.AccessKeyId, c.SecretAccessKey, c.SessionToken) == cmp.Or(e.AssumedRoleUser.Arn, userARN(userMFA)) {
			return
		}
		byCLI := len(data) == 0 || bytes.Contains(data, []byte("role-"+profileName(loadPlain))) || bytes.Contains(data, []byte("role-"+profileName(loadPlain+1)))
		if !byCLI || time.Since(began) > patience {
			l.Errorf("%s is not whole: %v\n%q", path, err, data)
			return
		}
	}
}

// tell tells what was done.
func (l *load) tell() {
	type sum struct {
		all, failed, killed int
		longest             time.Duration
	}
	sums := map[string]sum{}
	for _, r := range l.runs {
		s := sums[r.what]
		s.all++
		if r.killed {
			s.killed++
		} else if r.status != 0 {
			s.failed++
		}
		s.longest = max(s.longest, r.ended.Sub(r.began))
		sums[r.what] = s
	}
	for _, what := range slices.Sorted(maps.Keys(sums)) {
		s := sums[what]
		l.Logf("%5d %-20s %4d killed, %4d failed, longest %v", s.all, what, s.killed, s.failed, s.longest.Round(10*time.Millisecond))
	}
	for _, warning := range slices.Sorted(maps.Keys(l.warnings)) {
		l.Logf("%5d warnings: %s", l.warnings[warning], warning)
	}
}

// signedInNoMoreThanNeeded compares, for each profile, how many sessions AWS
// opened with the reasons there were to open one.
func (l *load) signedInNoMoreThanNeeded() {
	runs := map[string]*loadRun{}
	for _, r := range l.runs {
		runs[r.id] = r
	}
	var opens []*loadRun
	opened, lost, throttled := map[string]int{}, 0, 0
	for _, c := range l.aws.Calls() {
		r := runs[c.ProxyUser]
		switch isOpening := c.Action == "AssumeRole" || c.Action == "GetSessionToken"; {
		case !isOpening || r == nil || r.what == "aws":
		case c.Code == "Throttling":
			throttled++
		case c.Code != "":
		case r.killed, r.says("timed out"): // maybe before it could keep the session
			lost++
		default:
			opens = append(opens, r)
			opened[cmp.Or(strings.TrimPrefix(c.RoleARN, roleARN("")), profileName(loadMFA))]++
		}
	}
	needed, sum := l.needed(opens), 0
	for profile, n := range opened {
		sum += needed[profile]
		if n > needed[profile] {
			l.Errorf("%s: %d sessions were opened, and %d needed", profile, n, needed[profile])
		}
	}
	l.Logf("%d sessions were opened, and %d needed; %d more by processes that were killed or whose answer was late; %d times AWS throttled", len(opens), sum, lost, throttled)
	if len(opens) == 0 {
		l.Error("no session was opened")
	}
}

// needed counts, by profile, the reasons to open a session: there was none, it
// was removed, too old or unreadable; or a process that opened one wanted it anew,
// or had a code that would not stay good while it waited for another.
func (l *load) needed(opens []*loadRun) map[string]int {
	needed := maps.Clone(l.aged)
	needed[sealed]++
	for i := range loadProfiles {
		needed[profileName(i)]++
	}
	for _, r := range l.runs {
		isOut := r.what == "logout" && (!r.done() || r.says(r.profile+" is signed out here"))
		isAnew := (r.what == "force" || r.says("not waiting any longer")) && slices.Contains(opens, r)
		if isOut || isAnew || r.says("and was replaced") {
			needed[r.profile]++
		}
		if r.what == "logout" && (!r.done() || r.says("so is the MFA session of")) {
			needed[profileName(loadMFA)]++
		}
	}
	return needed
}

// offeredNoCodeTwice looks in AWS's log for codes that were refused: no code was
// a wrong one, and on a slow machine one may have come late.
func (l *load) offeredNoCodeTwice() {
	late := 0
	for _, c := range l.aws.Calls() {
		switch {
		case c.Code == "AccessDenied" && c.CodeRefused == awstest.CodeLate:
			late++
		case c.Code == "AccessDenied":
			l.Errorf("AWS refused a code: %+v", c)
		}
	}
	l.Logf("%d codes came late", late)
}

// lostNoProfile looks for the profiles that were added.
func (l *load) lostNoProfile() {
	config, credentials := l.readAWSFiles()
	there := map[string]bool{}
	for _, m := range addedSections.FindAllStringSubmatch(config+credentials, -1) {
		if there[m[1]] {
			l.Errorf("%s is there twice", m[1])
		}
		there[m[1]] = true
	}
	for _, r := range l.runs {
		if r.done() && r.name != "" && !there[r.name] && !(r.what == "credentials-profile" && l.signedOut(r)) {
			l.Errorf("%s was added, and is lost", r.name)
		}
	}
}

// leftNothing signs out of all profiles, in again and edits once more: then
// there is no session or copy but the new ones, no temporary file, no lock that
// is held and no process.
func (l *load) leftNothing() {
	l.must("aws-mfa-login", "--logout", "--all")
	if _, credentials := l.readAWSFiles(); credentials != "" {
		l.Errorf("these copies of sessions were forgotten:\n%s", credentials)
	}
	for _, dir := range []string{l.inAWS("cli", "cache"), l.inAWS("mfa", "sessions")} {
		if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
			l.Errorf("these were left of sessions: %q", left)
		}
	}
	var logins sync.WaitGroup
	for i := range loadProfiles {
		logins.Go(func() {
			for r := l.login(i); r.killed || r.status == 1 && excuses.MatchString(r.stderr); {
				r = l.login(i)
			}
		})
	}
	logins.Wait()
	l.must("aws-mfa-login", profileName(loadPlain), "--process-profile", "by-0")
	l.readAWSFiles()
	l.leftNoFiles()
	l.leftNoProcesses()
}

func (l *load) leftNoFiles() {
	const enough = 8 * loadProfiles // of what is remembered, however much was done
	files := 0
	err := filepath.WalkDir(l.inAWS(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		switch filepath.Ext(path) {
		case ".tmp":
			l.Errorf("%s is left", path)
		case ".lock":
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
				l.Errorf("%s is held: %v", path, err)
			}
		}
		return nil
	})
	if err != nil || files > enough {
		l.Errorf("%d files are left, want %d at most: %v", files, enough, err)
	}
}

func (l *load) login(i int) *loadRun {
	r := l.newRun(profileName(i))
	r.what, r.args = "login", []string{"aws-mfa-login", r.profile}
	l.once(r)
	return r
}

// leftNoProcesses looks for programs of ours that are still there.
func (l *load) leftNoProcesses() {
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range all {
		environment, _ := os.ReadFile(filepath.Join(dir, "environ"))
		arguments, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		program, _, _ := strings.Cut(string(arguments), "\x00")
		if bytes.Contains(environment, []byte("HOME="+l.home+"\x00")) && strings.HasPrefix(filepath.Base(program), "aws-mfa-") {
			l.Errorf("still there: %q", arguments)
		}
	}
}
