//go:build linux && faults

package awstest_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"aws-mfa/shared/awstest"
)

// huge is more than a name, or a word, ever is.
const huge = 1 << 20

// hostile are strings that somebody might take for more than text.
var hostile = []string{
	"a\x1b[31;5mb\x1b[3J", "a\x1b]0;title\x07b\x1bPq#0\x1b\\", "a\u009b31mb\u0090", "a\x9b31mb\xff", // of a terminal
	"a\x00b", "a\x07\x08\x7fb", "a\tb", "a\rb", "a\nb", "a\n[default]\nb", "a\r\nb\v\f", // controls
	"a\u202eb", "a\u2066b\u2069\u200f", "a\u200bb\u200d\ufeff\u00ad", "a\u2028b", "a\U000e0041b", // what is not seen, or turns the line
	"--help", "-f", "-", "--", "--no-input", // flags
	"$(touch pwned)", "`touch pwned`", "; touch pwned", "| touch pwned & touch pwned > pwned", "\"; touch pwned; \"", "'; touch pwned; '", `\'; touch pwned #`, "${IFS}$HOME %PATH%", "a!b !!", // a shell
	`a'b"c`, `a\b`, `a\\b\`, `\'`, " a b", "*", "~", "=ls", "%self", "{a,b}", "[a]b", "#a", "(a)^b?", "%s%n%d{{.}}",
	"日本é👩‍💻", "a&b=c?d#e/f", "../../etc/passwd", "javascript:alert(1)",
	strings.Repeat("x", huge), strings.Repeat("\x1b", huge), strings.Repeat("é", huge/2),
}

func short(s string) string {
	if len(s) > 40 {
		return fmt.Sprintf("%.20q… (%d octets)", s, len(s))
	}
	return fmt.Sprintf("%q", s)
}

// isClean looks that nothing in what was shown is more than text, and that it
// is no more than somebody may want to see.
func (p *place) isClean(in, shown string, also string, most int) {
	p.Helper()
	if !utf8.ValidString(shown) {
		p.Errorf("%s: got what is not UTF-8: %.300q", in, shown)
		return
	}
	at := strings.IndexFunc(shown, func(r rune) bool {
		return !unicode.IsPrint(r) && r != '\n' && r != '\u200d' && !strings.ContainsRune(also, r)
	})
	if at >= 0 {
		p.Errorf("%s: got %.20q, as it is, in …%.200q", in, shown[at:], shown[max(0, at-100):])
	}
	if len(shown) > most {
		p.Errorf("%s: got %d octets: %.200q…", in, len(shown), shown)
	}
}

const (
	fewLines = 64 << 10
	allOfIt  = 16 << 20
)

// shows runs a command and looks at all that it shows. However it ends, it was
// not by a panic, and in time.
func (p *place) shows(args ...string) outcome {
	p.Helper()
	o := p.run(args...)
	words := make([]string, len(args))
	for i, word := range args {
		words[i] = short(word)
	}
	in := strings.Join(words, " ")
	if o.status < 0 || o.status > 3 || strings.Contains(o.stderr, "goroutine ") {
		p.Errorf("%s: got exit status %d:\n%.2000s", in, o.status, o.stderr)
	}
	if o.took > 30*time.Second {
		p.Errorf("%s: took %s", in, o.took)
	}
	also, most := "", fewLines
	if slices.Contains(args, "text") {
		also = "\t"
	}
	if slices.Contains(args, "json") || slices.Contains(args, "text") || slices.Contains(args, "--template") || slices.Contains(args, "--print") || slices.Contains(args, "--format") {
		most = allOfIt // for programs, which get all of it
	}
	p.isClean(in+": stdout", o.stdout, also, most)
	p.isClean(in+": stderr", o.stderr, "", fewLines)
	p.ranNothing(in)
	if strings.Contains(o.stderr, "the console is open as") || strings.Contains(o.stderr, "the console asks whether to switch") {
		p.wasOpened(in)
	}
	return o
}

// ranNothing looks that none of the commands in names was run.
func (p *place) ranNothing(in string) {
	p.Helper()
	if err := os.Remove(filepath.Join(p.home, "pwned")); err == nil {
		p.Errorf("%s: a command was run", in)
	}
}

// opener is the program of that name: a browser that goes where it is sent, but
// not on from there. It leaves in $OPENED what its arguments were, and where it
// was sent on to.
func opener(args []string) int {
	stay := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	address := args[len(args)-1]
	if i := strings.Index(address, "&url="); strings.HasPrefix(address, "ext+container:") && i >= 0 {
		address, _ = url.QueryUnescape(address[i+len("&url="):])
	}
	answer, err := stay.Get(address)
	if err != nil {
		return failed(err)
	}
	answer.Body.Close()
	text, err := json.Marshal(append(args, answer.Header.Get("Location")))
	path := os.Getenv("OPENED")
	if err := errors.Join(err, os.WriteFile(path+".new", text, 0o600), os.Rename(path+".new", path)); err != nil {
		return failed(err)
	}
	return 0
}

func init() { programs["opener"] = opener }

var (
	once       = regexp.MustCompile(`^http://127\.0\.0\.1:\d+/[A-Z2-7]+$`)
	contained  = regexp.MustCompile(`^ext\+container:name=[A-Za-z0-9%._~-]+&url=http%3A%2F%2F127\.0\.0\.1%3A\d+%2F[A-Z2-7]+$`)
	directory  = regexp.MustCompile(`^--profile-directory=[A-Za-z0-9_+=,.@-]+$`)
	signInPage = regexp.MustCompile(`^https://([a-z0-9-]+\.)?signin\.aws\.amazon\.com/[A-Za-z]+\?[A-Za-z0-9%&=._~*-]+$`)
)

// wasOpened looks at what a browser was given: an address, and nothing in it that
// was not put there.
func (p *place) wasOpened(in string) {
	p.Helper()
	path := filepath.Join(p.home, "opened")
	text, err := os.ReadFile(path)
	for end := time.Now().Add(patience); errors.Is(err, fs.ErrNotExist) && time.Now().Before(end); text, err = os.ReadFile(path) {
		time.Sleep(time.Millisecond)
	}
	var words []string
	if err := errors.Join(err, os.Remove(path), json.Unmarshal(text, &words)); err != nil {
		p.Errorf("%s: %v", in, err)
		return
	}
	page, address, flags := words[len(words)-1], words[len(words)-2], words[:len(words)-2]
	if !once.MatchString(address) && !contained.MatchString(address) || !signInPage.MatchString(page) {
		p.Errorf("%s: the browser got %.300q, and was sent on to %.300q", in, address, page)
	}
	if len(flags) > 0 && !(len(flags) == 3 && directory.MatchString(flags[0]) && slices.Equal(flags[1:], []string{"--no-first-run", "--no-default-browser-check"})) {
		p.Errorf("%s: the browser got the flags %.300q", in, flags)
	}
}

// hostilePlace is a place with a browser.
func hostilePlace(t *testing.T) *place {
	t.Helper()
	p := newPlace(t)
	p.env = append(p.env, "OPENED="+filepath.Join(p.home, "opened"), "BROWSER=opener")
	return p
}

const everything = "{{.Profile}} {{.State}} {{.Account}} {{.Role}} {{.ARN}} {{.RoleARN}} {{.MFASerial}} {{.UserID}} {{.Region}} {{.Source}} {{.SSOSession}}"

// commandsOf are the commands that show what there is to know of a profile; named is
// how it is named: by variables before the program, or by an argument.
func commandsOf(named func(args ...string) []string) [][]string {
	return [][]string{
		named("aws-mfa-login", "--no-input", "--verbose"),
		named("aws-mfa-login", "--format", "process", "--no-input"),
		named("aws-mfa-login", "--format", "env", "--no-input"),
		named("aws-mfa-login", "--format", "fish", "--no-input"),
		named("aws-mfa-login", "--format", "powershell", "--no-input"),
		named("aws-mfa-login", "--format", "nushell", "--no-input"),
		named("aws-mfa-login", "--format", "windows-cmd", "--no-input"),
		named("aws-mfa-login", "--process-profile", "sdk", "--no-input"),
		named("aws-mfa-login", "--credentials-profile", "copy", "--no-input"),
		named("aws-mfa-status", "--verbose"),
		named("aws-mfa-status", "--output", "json"),
		named("aws-mfa-status", "--output", "text"),
		named("aws-mfa-status", "--template", everything, "--verbose"),
		{"aws-mfa-status", "--all", "--verbose"},
		{"aws-mfa-status", "--all", "--offline"},
		{"aws-mfa-status", "--all", "--output", "json"},
		{"aws-mfa-status", "--all", "--output", "text"},
		{"aws-mfa-status", "--all", "--template", everything},
		named("aws-mfa-console", "--no-input", "--verbose", "--print"),
		named("aws-mfa-console", "--switch-role", "--verbose", "--print"),
		named("aws-mfa-console", "--no-input", "--browser", "opener", "--chrome-profile", "--verbose"),
		named("aws-mfa-login", "--logout", "--verbose"),
		{"aws-mfa-login", "--logout", "--all", "--verbose"},
	}
}

// quoted is a name as it stands in a section of the config file.
func quotedSection(name string) string {
	return `[profile "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"]`
}

// inArgument tells whether the system lets a program have it as an argument.
func inArgument(s string) bool { return !strings.Contains(s, "\x00") && len(s) < 100<<10 }

// A profile may have any name.
func TestFaultHostileProfileNames(t *testing.T) {
	const each = 4 // commands, of which each comes with other names
	times := 0
	for _, name := range hostile {
		times += len(namedBy(name)) * each
	}
	tried(t, "the name of a profile is hostile: an escape, a control, what is not seen, a flag, a shell's word, 1 MiB", times)
	together(len(hostile), 8, func(i int) {
		name := hostile[i]
		p := hostilePlace(t)
		p.write(p.inAWS("config"), mfaProfile+quotedSection(name)+"\nrole_arn = arn:aws:iam::123456789012:role/PlainRole\nsource_profile = default\nregion = eu-west-1\n"+
			"[profile from]\nrole_arn = arn:aws:iam::123456789012:role/PowerUserRole\nsource_profile = "+strings.NewReplacer("\n", " ", "\r", " ").Replace(name)+"\n")
		for j, named := range namedBy(name) {
			commands := commandsOf(named)
			for k := range each {
				p.shows(commands[((i+j)*each+k)%len(commands)]...)
			}
		}
		if strings.HasPrefix(name, "-") {
			p.works(name)
		}
	})
}

// namedBy are the ways to name a profile: the environment, an argument, one with
// a name that is like it, and one that leads to it.
func namedBy(name string) (ways []func(args ...string) []string) {
	ways = append(ways, func(args ...string) []string { return slices.Insert(args, 1, "from") })
	if inArgument(name) {
		ways = append(ways,
			func(args ...string) []string { return append([]string{"AWS_PROFILE=" + name}, args...) },
			func(args ...string) []string { return append([]string{"AWS_PROFILE=" + name + "y"}, args...) })
		if !strings.HasPrefix(name, "-") {
			ways = append(ways, func(args ...string) []string { return slices.Insert(args, 1, name) })
		}
	}
	return ways
}

// works looks that a profile that is named like a flag is one like any other.
func (p *place) works(name string) {
	p.Helper()
	env := "AWS_PROFILE=" + name
	for _, args := range [][]string{
		{env, "aws-mfa-login"}, {env, "aws-mfa-login", "--format", "process"}, {env, "aws-mfa-login", "--", "true"}, {env, "aws-mfa-console", "--print"},
		{env, "aws-mfa-login", "--credentials-profile", "copy"}, {env, "aws-mfa-status"},
		{"aws-mfa-status", "--", name}, {"aws-mfa-console", "--print", "--", name},
	} {
		if o := p.run(args...); o.status != 0 {
			p.Errorf("%q: got exit status %d:\n%s", args, o.status, o.stderr)
		}
	}
	o := p.run(env, "aws-mfa-login", "--process-profile", "sdk")
	if o.status != 1 || !strings.Contains(o.stderr, "looks like a flag") {
		p.Errorf("%s: --process-profile: got exit status %d:\n%s", name, o.status, o.stderr)
	}
}

// A setting may have any value.
func TestFaultHostileSettings(t *testing.T) {
	settings := []string{
		"role_arn", "source_profile", "credential_source", "mfa_serial", "role_session_name", "external_id", "region", "duration_seconds", "web_identity_token_file", "ca_bundle", "endpoint_url",
		"services", "sso_session", "sso_account_id", "sso_start_url", "credential_process", "mfa_process", "output", "max_attempts", "sts_regional_endpoints", "use_fips_endpoint", "aws_access_key_id", "aws_session_token", "login_session",
	}
	begins := map[string]string{ // of which every other value is one that is what it ought to be, at first
		"role_arn": "arn:aws:iam::123456789012:role/", "mfa_serial": "arn:aws:iam::123456789012:mfa/", "endpoint_url": "https://127.0.0.1/", "sso_start_url": "https://d-1234567890.awsapps.com/",
		"ca_bundle": "/tmp/", "web_identity_token_file": "/tmp/",
	}
	named := func(args ...string) []string { return slices.Insert(args, 1, "h") }
	tried(t, "a setting of a profile is hostile", len(settings)*len(hostile))
	together(len(settings), 8, func(i int) {
		key := settings[i]
		p := hostilePlace(t)
		for j, value := range hostile {
			if strings.HasSuffix(key, "_process") && !strings.ContainsAny(value, "\x1b\u009b") {
				value = "false " + value // it is to be run, but not to do what it says
			}
			if value = strings.NewReplacer("\n", "\n ", "\r", "\n ").Replace(value); j%2 == 1 {
				value = begins[key] + value
			}
			text := mfaProfile + "[profile h]\n" + key + " = " + value + "\n"
			for other, usual := range map[string]string{"role_arn": "arn:aws:iam::123456789012:role/PlainRole", "source_profile": "default"} {
				if key != other && !(key == "credential_source" && other == "source_profile") && key != "credential_process" {
					text += other + " = " + usual + "\n"
				}
			}
			p.write(p.inAWS("config"), text)
			commands := commandsOf(named) // of which each comes with other values
			p.shows(commands[(i+j)%len(commands)]...)
		}
	})
}

// The environment may say anything.
func TestFaultHostileEnvironment(t *testing.T) {
	variables := []string{
		"AWS_REGION", "AWS_DEFAULT_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_SIGNIN", "AWS_MAX_ATTEMPTS",
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "HTTPS_PROXY", "BROWSER", "HOME", "TZ", "AWS_STS_REGIONAL_ENDPOINTS",
	}
	var values []string
	for _, h := range hostile {
		if inArgument(h) {
			values = append(values, h)
		}
	}
	tried(t, "a variable of the environment is hostile", len(variables)*len(values))
	together(len(variables), 8, func(i int) {
		p := hostilePlace(t)
		p.write(p.inAWS("config"), mfaProfile+"[profile h]\nrole_arn = arn:aws:iam::123456789012:role/PlainRole\nsource_profile = default\n")
		for j, value := range values {
			env := []string{variables[i] + "=" + value}
			if strings.HasPrefix(variables[i], "AWS_S") && variables[i] != "AWS_SHARED_CREDENTIALS_FILE" && variables[i] != "AWS_STS_REGIONAL_ENDPOINTS" {
				env = append(env, "AWS_ACCESS_KEY_ID=ASIAIOSFODNN7EXAMPLE")
			}
			commands := commandsOf(func(args ...string) []string { return args })
			if variables[i] != "AWS_ACCESS_KEY_ID" && len(env) == 1 {
				commands = commandsOf(func(args ...string) []string { return slices.Insert(args, 1, "h") })
			}
			args := commands[(i+j)%len(commands)]
			if variables[i] == "BROWSER" {
				args = []string{"aws-mfa-console", "h", "--no-input", "--verbose"}
			}
			p.shows(append(env, args...)...)
		}
	})
}

// escaped is a string as XML has it; what that cannot hold is left out.
func escaped(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s))
	return b.String()
}

// Whoever answers in the place of AWS may say anything.
func TestFaultHostileAnswers(t *testing.T) {
	answers := func(action, h string) []awstest.Fault {
		const credentials = "<Credentials><AccessKeyId>%s</AccessKeyId><SecretAccessKey>%s</SecretAccessKey><SessionToken>%s</SessionToken><Expiration>%s</Expiration></Credentials>"
		ends := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
		refusal := func(status int, code, message string) awstest.Fault {
			return awstest.Fault{Action: action, Kind: awstest.Answer, Status: status, Body: refusal(code, message)}
		}
		result := func(inner string, args ...any) awstest.Fault {
			body := fmt.Sprintf("<%[1]sResponse><%[1]sResult>%[2]s</%[1]sResult></%[1]sResponse>", action, fmt.Sprintf(inner, args...))
			return awstest.Fault{Action: action, Kind: awstest.Answer, Body: body}
		}
		user := "<AssumedRoleUser><AssumedRoleId>AROA:j</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/PlainRole/%s</Arn></AssumedRoleUser>" + credentials
		x := escaped(h)
		body, _ := json.Marshal(map[string]string{"SigninToken": h})
		return []awstest.Fault{
			refusal(403, "AccessDenied", x), refusal(400, x, "no"), refusal(400, x, x), refusal(403, "AccessDenied", h), refusal(500, x, x), refusal(400, "ValidationError", x+" exceeds the MaxSessionDuration"),
			{Action: action, Kind: awstest.Answer, Body: h}, {Action: action, Kind: awstest.Answer, Status: 403, Body: h}, {Action: action, Kind: awstest.Answer, Body: string(body)},
			result(user, x, "ASIAIOSFODNN7EXAMPLE", "s", "t", ends), result(user, "j", x, "s", "t", ends), result(user, "j", "ASIAIOSFODNN7EXAMPLE", x, x, ends), result(user, "j", "ASIAIOSFODNN7EXAMPLE", "s", "t", x),
			result("<Arn>arn:aws:sts::123456789012:assumed-role/PlainRole/%s</Arn><UserId>U</UserId><Account>123456789012</Account>", x),
			result("<Arn>%s</Arn><UserId>U</UserId><Account>%[1]s</Account>", x), result("<%s/>", x), result("%s", h),
		}
	}
	requests := map[string][]string{
		"AssumeRole":        {"aws-mfa-login", "h", "--force", "--verbose"},
		"GetCallerIdentity": {"aws-mfa-status", "default", "h", "--verbose"},
		"getSigninToken":    {"aws-mfa-console", "h", "--print", "--verbose"},
	}
	var actions []string
	for action := range requests {
		actions = append(actions, action)
	}
	n := len(answers("", ""))
	const each = 3 // answers
	tried(t, "an answer of AWS's, or in its place, is hostile", len(requests)*len(hostile)*each)
	together(len(requests)*len(hostile), 8, func(i int) {
		action, h := actions[i%len(actions)], hostile[i/len(actions)]
		p := hostilePlace(t)
		p.write(p.inAWS("config"), "[profile h]\nrole_arn = arn:aws:iam::123456789012:role/PlainRole\nsource_profile = default\n")
		p.must("aws-mfa-login", "h")
		all := answers(action, h)
		for k := range each {
			p.aws.Fail(all[(i*each+k)%n])
			p.shows(requests[action]...)
			p.aws.Heal()
		}
	})
}

// A file of the cache may hold anything.
func TestFaultHostileCache(t *testing.T) {
	keys := []string{"AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration", "AssumedRoleId", "Arn"}
	named := func(args ...string) []string { return slices.Insert(args, 1, "h") }
	tried(t, "a session in the cache is hostile", len(keys)*len(hostile))
	value := map[string]*regexp.Regexp{}
	for _, key := range keys {
		value[key] = regexp.MustCompile(`"` + key + `": "[^"]*"`)
	}
	together(len(keys), 6, func(i int) {
		key := keys[i]
		p := hostilePlace(t)
		p.write(p.inAWS("config"), "[profile h]\nrole_arn = arn:aws:iam::123456789012:role/PlainRole\nsource_profile = default\n")
		p.must("aws-mfa-login", "h")
		files, err := filepath.Glob(p.inAWS("cli", "cache", "*.json"))
		if err != nil || len(files) != 1 {
			p.Fatalf("got the files %q, %v", files, err)
		}
		entry, err := os.ReadFile(files[0])
		if err != nil {
			p.Fatal(err)
		}
		for j, h := range hostile {
			text, err := json.Marshal(h)
			if err != nil {
				p.Fatal(err)
			}
			if !value[key].Match(entry) {
				p.Fatalf("no %s in %s", key, entry)
			}
			p.write(files[0], string(value[key].ReplaceAllLiteral(entry, append([]byte(`"`+key+`": `), text...))))
			commands := commandsOf(named)
			p.shows(commands[(i+j)%len(commands)]...)
		}
	})
}

// What is seen in a terminal is what is seen of any profile, and the control
// sequences that --watch and the prompt are made of.
func TestFaultHostileTerminal(t *testing.T) {
	tried(t, "a hostile profile is watched in a terminal, and signed in to where AWS's refusal is hostile", 2*len(hostile))
	own := regexp.MustCompile(`\x1b\[(\?(1049|25|7|2026)[hl]|[0-9]*m|H|J|K|2J|[0-9]+;1H)`)
	together(len(hostile), 8, func(i int) {
		name := hostile[i]
		p := hostilePlace(t)
		p.env = append(p.env, "AWSTEST_URL="+p.aws.URL())
		terminal, config := filepath.Join(p.bin, "terminal"), p.inAWS("config")
		if len(name) < 100 && !strings.ContainsAny(name, "/$\x00") { // variables are filled in there
			config += name
		}
		p.env = append(p.env, "AWS_CONFIG_FILE="+config)
		p.write(config, quotedSection(name)+"\nrole_arn = arn:aws:iam::123456789012:role/PowerUserRole\nmfa_serial = arn:aws:iam::123456789012:mfa/jane\nsource_profile = default\nregion = eu-west-1\n"+mfaProfile+
			"[profile broken]\nservices = "+strings.NewReplacer("\n", "", "\r", "").Replace(name)+"\n"+strings.TrimPrefix(mfaProfile, "[profile mfa]\n"))
		watch, args := "expect quit\npress q\n", []string{terminal, p.home + "/login", "aws-mfa-login", "--verbose", "mfa"}
		login := "expect Enter MFA code for \ncode " + p.user.Device.SerialNumber + "\n"
		switch {
		case !inConfig(name):
			watch, login = "", ""
		case inArgument(name):
			args = append([]string{"AWS_PROFILE=" + name}, args[:4]...)
		}
		p.write(p.home+"/watch", watch)
		p.write(p.home+"/login", login)
		p.aws.Fail(awstest.Fault{Action: "AssumeRole", Kind: awstest.Answer, Status: 403, Body: refusal("AccessDenied", escaped(name))})
		for _, args := range [][]string{{terminal, p.home + "/watch", "aws-mfa-status", "--all", "--watch", "--offline"}, args} {
			in, o := fmt.Sprintf("%s and a profile %s", args[len(args)-2:], short(name)), p.run(args...)
			if o.status != 0 && o.status != 1 && o.status != 3 {
				p.Errorf("%s: got exit status %d: %.300q %.300q", in, o.status, o.stdout, o.stderr)
			}
			p.isClean(in, own.ReplaceAllString(strings.ReplaceAll(o.stdout, "\r", ""), ""), "", fewLines)
		}
	})
}

// inConfig tells whether a file with it as a name in it is a config file.
func inConfig(s string) bool { return !strings.ContainsAny(s, "\r\n") && utf8.ValidString(s) }

// refusal is one of STS.
func refusal(code, message string) string {
	return fmt.Sprintf("<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>", code, message)
}

// Whatever is to be opened, a browser gets one address, and no shell reads it.
func TestFaultHostileOpeners(t *testing.T) {
	const each = 4 // ways
	tried(t, "what the console is opened for is hostile: the profile, the browser's flags, the page, the region", len(hostile)*each)
	together(len(hostile), 8, func(i int) {
		h := hostile[i]
		p := hostilePlace(t)
		config := mfaProfile + "[profile plain]\nrole_arn = arn:aws:iam::123456789012:role/PlainRole\nsource_profile = default\nregion = eu-west-1\n"
		if inConfig(h) {
			config += quotedSection(h) + "\nrole_arn = arn:aws:iam::123456789012:role/PlainRole\nsource_profile = default\n"
		}
		p.write(p.inAWS("config"), config)
		p.must("aws-mfa-console", "plain")
		p.wasOpened("plain")
		if !inArgument(h) {
			h = "a\u202eb\x1b]0;t\x07"
		}
		xdg := filepath.Join(p.home, "xdg-bin")
		p.write(filepath.Join(xdg, "xdg-open"), "#!/bin/sh\nexec opener \"$@\"\n")
		if err := os.Chmod(filepath.Join(xdg, "xdg-open"), 0o700); err != nil {
			p.Fatal(err)
		}
		desktop := []string{"BROWSER=", "DISPLAY=:99", "PATH=" + xdg + ":" + p.bin + ":" + os.Getenv("PATH")}
		ways := [][]string{
			append(desktop, "AWS_PROFILE="+h, "aws-mfa-console", "--no-input"),
			{"AWS_PROFILE=" + h, "aws-mfa-console", "--switch-role", "--chrome-profile", "--browser", "opener"},
			{"aws-mfa-console", "plain", "--container=" + h, "--browser", "opener"},
			{"aws-mfa-console", "plain", "--destination=" + h},
			{"aws-mfa-console", "plain", "--destination=https://console.aws.amazon.com/" + h},
			{"aws-mfa-console", "plain", "--region=" + h},
			{"aws-mfa-console", "plain", "--service=" + h},
			{"aws-mfa-console", "plain", "--browser=" + h},
			{"BROWSER=" + h + ":opener", "aws-mfa-console", "plain", "--logout-first"},
		}
		for k := range each {
			p.shows(ways[(i*each+k)%len(ways)]...)
		}
	})
}

// What programs print in the place of keys and codes is told to nobody.
func TestFaultHostilePrograms(t *testing.T) {
	prints := func(h string) []string {
		text, _ := json.Marshal(h)
		return []string{
			h, h + "\n123456", `{"Version": 1, "AccessKeyId": ` + string(text) + `, "SecretAccessKey": "s"}`, `{"Version": 1, "AccessKeyId": "ASIAIOSFODNN7EXAMPLE", "SecretAccessKey": ` + string(text) + `}`,
			`{"Version": 1, "AccessKeyId": "ASIAIOSFODNN7EXAMPLE", "SecretAccessKey": "s", "SessionToken": ` + string(text) + `}`, `{"Version": ` + string(text) + `}`, `{"Version": 1, ` + string(text) + `: ` + string(text) + `}`,
		}
	}
	n := len(prints(""))
	commands := [][]string{{"aws-mfa-login", "by-program", "--verbose"}, {"aws-mfa-login", "mfa", "--verbose", "--no-input"}, {"aws-mfa-status", "printed", "--verbose"}, {"aws-mfa-console", "by-program", "--verbose"}}
	tried(t, "a credential_process or mfa_process prints something hostile", len(hostile)*n)
	together(len(hostile), 8, func(i int) {
		p := hostilePlace(t)
		p.write(p.inAWS("config"), mfaProfile+"mfa_process = cat "+p.home+"/printed\n[profile printed]\ncredential_process = cat "+p.home+"/printed\n"+
			"[profile by-program]\nrole_arn = arn:aws:iam::123456789012:role/PlainRole\nsource_profile = printed\n")
		for j, text := range prints(hostile[i]) {
			p.write(p.home+"/printed", text)
			p.shows(commands[(i+j)%len(commands)]...)
		}
	})
}

// A profile that is made for SDKs runs what it names, in a shell too, and the
// name that somebody gives it is no more than one.
func TestFaultHostileProcessProfiles(t *testing.T) {
	tried(t, "a session is handed on of a hostile profile, and as one", 3*len(hostile))
	together(len(hostile), 8, func(i int) {
		name := hostile[i]
		p := hostilePlace(t)
		before := quotedSection(name) + "\nrole_arn = arn:aws:iam::123456789012:role/PlainRole\nsource_profile = default\n"
		p.write(p.inAWS("config"), before)
		if inArgument(name) {
			p.shows("AWS_PROFILE="+name, "aws-mfa-login", "--process-profile", "sdk")
		}
		after, err := os.ReadFile(p.inAWS("config"))
		if err != nil {
			p.Fatal(err)
		}
		made, ok := strings.CutPrefix(string(after), before)
		_, command, written := strings.Cut(made, "\ncredential_process = ")
		if !ok || strings.Count(made, "\n") > 4 || written != (made != "") {
			p.Errorf("%s: the config file became %.300q", short(name), after)
		}
		if written {
			command, _, _ = strings.Cut(command, "\n")
			o := p.run("sh", "-c", command, "--format") // which hasNoSecret knows
			if o.status != 0 || !json.Valid([]byte(o.stdout)) || o.stderr != "" {
				p.Errorf("%s: got exit status %d from %.300s:\n%.300s", short(name), o.status, command, o.stderr)
			}
			p.ranNothing(short(name))
		}
		plain := mfaProfile + "[profile plain]\nrole_arn = arn:aws:iam::123456789012:role/PlainRole\nsource_profile = default\n"
		p.write(p.inAWS("config"), plain)
		if files := p.files(); inArgument(name) {
			for _, flag := range []string{"--process-profile=", "--credentials-profile="} {
				p.write(p.inAWS("config"), plain)
				o, fits := p.shows("aws-mfa-login", "plain", flag+name), name == "%self" || name == "../../etc/passwd"
				if fits != (o.status == 0) || !fits && o.status != 2 {
					p.Errorf("%s%s: got exit status %d\n%.300s", flag, short(name), o.status, o.stderr)
				}
				if !fits && !maps.Equal(files, p.files()) {
					p.Errorf("%s%s: files were changed", flag, short(name))
				}
			}
		}
	})
}

// A name that is completed is text to the shell, or is not offered.
func TestFaultHostileCompletions(t *testing.T) {
	ways := []int{0, 2, 4} // of shells
	tried(t, "the name of a profile that a shell completes is hostile", len(ways)*len(hostile))
	p := hostilePlace(t)
	share := installed(t, p.bin)
	for _, way := range ways {
		t.Run(shells[way].name, func(t *testing.T) {
			t.Parallel()
			s := startShell(t, p.bin, share, way)
			config := filepath.Join(s.home, ".aws", "config")
			for _, name := range hostile {
				if err := os.WriteFile(config, []byte(quotedSection(name)+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				if got := s.run("aws-mfa-login \t"); len(got) != 1 || got[0] != "" && got[0] != name {
					t.Errorf("%s: %s: got %.300q", shells[way].name, short(name), got)
				}
			}
			if left, err := os.ReadDir(s.dir); err != nil || len(left) != 1 {
				t.Errorf("got %v, %v: a name was run", left, err)
			}
			if shown := s.screen.text(); strings.ContainsAny(shown, "\u009b\u202e") || strings.Contains(shown, "\x1b]0;title") || len(shown) > fewLines {
				t.Errorf("%s: got %d octets in the terminal", shells[way].name, len(shown))
			}
		})
	}
}

// A hint that can be pasted does in a shell what it says.
func TestFaultHostileHints(t *testing.T) {
	shells := []string{"sh", "bash", "zsh", "fish"}
	for _, shell := range shells {
		if ok, err := condition("tool:"+shell, nil); err != nil {
			t.Fatal(err)
		} else if !ok {
			t.Skip("there is no " + shell)
		}
	}
	var names []string
	for _, h := range hostile {
		if inArgument(h) && utf8.ValidString(h) && !strings.ContainsFunc(h, func(r rune) bool { return !unicode.IsPrint(r) && r != '\u200d' }) {
			names = append(names, h)
		}
	}
	tried(t, "a hint about a hostile profile is pasted into a shell", len(names)*len(shells))
	together(len(names), 8, func(i int) {
		name := names[i]
		p := hostilePlace(t)
		p.write(p.inAWS("config"), quotedSection(name)+"\nrole_arn = arn:aws:iam::123456789012:role/PowerUserRole\nsource_profile = default\nmfa_serial = arn:aws:iam::123456789012:mfa/jane\n")
		var hints []string
		for _, args := range [][]string{{"aws-mfa-status"}, {"aws-mfa-login", "--no-input"}, {"aws-mfa-console", "--no-input", "--print"}} {
			o := p.run(append([]string{"AWS_PROFILE=" + name}, args...)...)
			for line := range strings.Lines(o.stderr) {
				if _, hint, ok := strings.Cut(strings.TrimSpace(line), ": hint: "); ok {
					if at := strings.Index(hint, ": aws-mfa-"); at >= 0 {
						hint = hint[at+2:]
					} else if at := strings.Index(hint, ": AWS_PROFILE="); at >= 0 {
						hint = hint[at+2:]
					}
					hints = append(hints, hint)
				}
			}
		}
		if len(hints) == 0 {
			if o := p.run("AWS_PROFILE="+name, "aws-mfa-status"); !strings.Contains(o.stderr, "error") {
				p.Errorf("%q: there is no hint:\n%s", name, o.stderr)
			}
		}
		bin := p.home + "/stubs"
		for _, stub := range []string{"aws", "aws-mfa-login", "aws-mfa-console", "aws-mfa-status"} {
			p.write(filepath.Join(bin, stub), "#!/bin/sh\nprintf '%s\\n' \"[$AWS_PROFILE]\" \"$@\"\n")
			if err := os.Chmod(filepath.Join(bin, stub), 0o755); err != nil {
				p.Fatal(err)
			}
		}
		for _, shell := range shells {
			for _, hint := range hints {
				flags := map[string][]string{"sh": {"-c"}, "bash": {"--norc", "-c"}, "zsh": {"-f", "-c"}, "fish": {"--no-config", "-c"}}[shell]
				cmd := exec.Command(shell, append(flags, hint)...)
				cmd.Dir, cmd.Env = t.TempDir(), []string{"PATH=" + bin + ":/usr/bin:/bin", "HOME=" + p.home, "LC_ALL=C.UTF-8"}
				out, err := cmd.CombinedOutput()
				lines := strings.Split(string(out), "\n")
				if err != nil || lines[0] != "["+name+"]" && !slices.Contains(lines, name) && !slices.Contains(lines, "--profile="+name) {
					p.Errorf("%s: %s: got %v\n%s\nwant the profile %q", shell, hint, err, out, name)
				}
				if left, _ := os.ReadDir(cmd.Dir); len(left) > 0 {
					p.Errorf("%s: %s: left %v", shell, hint, left)
				}
			}
		}
	})
}
