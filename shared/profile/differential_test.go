package profile_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"aws-mfa/shared/profile"
	"aws-mfa/shared/session"
)

// An answer is how a profile is resolved: the sessions that are opened, the
// last one first, and in the end the keys. testdata/resolve.py gives botocore's.
type answer struct {
	Error  string
	Method string // botocore's name for it
	Steps  []step
	MFA    step // of an MFA session, which botocore does not know

	kind    profile.Kind // ours, where no session is opened
	through bool         // aws-mfa-login, as a credential_process
}

// A step is what AWS STS is asked and the name in the cache, or which keys
// they are.
type step map[string]string

func (a answer) String() string {
	if a.Error != "" {
		return "error: " + a.Error
	}
	return fmt.Sprintf("%s %v", a.Method, a.Steps)
}

// opens tells whether there is a session to open, or keys alone.
func (a answer) opens() bool {
	return a.Error == "" && (a.Steps[0]["Cache"] != "" || a.Method == "MFA session")
}

// Why we refuse what botocore resolves: AWS would refuse it, or nobody means
// it. There are no other reasons.
var refusals = map[string]*regexp.Regexp{
	"no ARN of a role":           regexp.MustCompile(`role_arn .*is not the ARN of a role`),
	"no external id":             regexp.MustCompile(`external_id .*is not an external id`),
	"no session name":            regexp.MustCompile(`role_session_name .*: ".+" is not a session name`),
	"no MFA device for the API":  regexp.MustCompile(`mfa_serial .*(is not the serial number|is not the ARN|is a security key|is a user)`),
	"MFA device of someone else": regexp.MustCompile(`mfa_serial .*is in (partition|account)`),
	"duration that cannot be":    regexp.MustCompile(`duration_seconds .*(lasts from 15 minutes|is out of range|is a block of settings)`),
	"duration in other digits":   regexp.MustCompile(`duration_seconds .*has digits that are not 0 to 9`),
	"access key that is none":    regexp.MustCompile(`aws_(access_key_id|secret_access_key|session_token|security_token) .*has spaces`),
	"no role of Identity Center": regexp.MustCompile(`sso_(start_url|region|account_id|role_name) .*(is empty|is not a)`),
	"keys of aws login":          regexp.MustCompile(`takes its keys from .*which uses aws login`),
	"no region":                  regexp.MustCompile(`: region .*is not a region`),
	"empty token file":           regexp.MustCompile(`web_identity_token_file .*is empty`),
	"block that no profile has":  regexp.MustCompile(`a line of a nested block is not "key = value"`),
	"letter read in two ways":    regexp.MustCompile(`a key has a capital letter \(İ or Σ\)`),
}

// The kinds of profile behind a method of botocore, which asks the machine
// where a profile says nothing, or not enough of Identity Center.
var kinds = map[string][]profile.Kind{
	"assume-role":                   {profile.AssumeRole},
	"assume-role-with-web-identity": {profile.WebIdentity},
	"sso":                           {profile.IdentityCenter},
	"shared-credentials-file":       {profile.StaticKeys},
	"config-file":                   {profile.StaticKeys},
	"MFA session":                   {profile.MFASession},
	"login":                         {profile.ConsoleLogin},
	"custom-process":                {profile.Process},
	"container-role":                {profile.NoCredentials, profile.IdentityCenter},
}

// The pairs of files are the same in every run; AWS_MFA_SEED=N makes others.
func TestProfilesAreResolvedAsBotocoreResolvesThem(t *testing.T) {
	seed, _ := strconv.ParseUint(os.Getenv("AWS_MFA_SEED"), 10, 64)
	dir := t.TempDir()
	ask, knowsLogin := botocore(t, dir)
	g := generator{Rand: rand.New(rand.NewPCG(seed, 26)), login: knowsLogin, own: map[string]string{}}
	all, resolved, told, differences, refused := 0, 0, 0, 0, map[string]int{}
	for range 3000 {
		config, credentials, env := g.pair()
		for variable, text := range map[string]string{"AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": credentials} {
			env[variable] = filepath.Join(dir, variable)
			if err := os.WriteFile(env[variable], []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		names, answers := ask(t, env)
		env["HOME"], env["USERPROFILE"] = dir, dir
		set, err := profile.Load(func(name string) (string, bool) { v, ok := env[name]; return v, ok })
		for _, name := range slices.Sorted(maps.Keys(answers)) {
			all++
			want, got := g.expected(answers, env, name, nil), answer{}
			if err != nil {
				got.Error = err.Error()
			} else {
				got = resolve(set, name)
			}
			reason, ok := agree(got, want)
			switch {
			case !ok:
				differences++
				t.Errorf("profile %q:\n got %v\nwant %v\n--- config\n%s\n--- credentials\n%s\n--- %v", name, got, want, config, credentials, env)
			case reason != "":
				refused[reason]++
			case got.Error == "":
				resolved++
			case want.Error == "":
				told++
			}
			if differences == 5 {
				t.FailNow()
			}
		}
		if err == nil && !slices.Equal(set.Names(), names) {
			t.Errorf("got the profiles %q, want %q\n--- config\n%s\n--- credentials\n%s", set.Names(), names, config, credentials)
		}
	}
	t.Logf("%d profiles: %d open the same sessions, %d have the same kind of keys; refused by us alone: %v", all, resolved, told, refused)
	if resolved < all/3 {
		t.Errorf("%d of %d profiles open sessions, which leaves too little to compare", resolved, all)
	}
	for reason := range refusals {
		if seed == 0 && refused[reason] == 0 && (knowsLogin || reason != "keys of aws login") {
			t.Errorf("nothing is refused for %q any more", reason)
		}
	}
}

// botocore starts the real one. ask has it resolve all profiles of an
// environment; names are theirs, sorted, and none where the files can't be read.
func botocore(t testing.TB, home string) (ask func(t *testing.T, env map[string]string) (names []string, answers map[string]answer), knowsLogin bool) {
	t.Helper()
	cmd := exec.Command(profile.PythonWith(t, "botocore.credentials"), filepath.Join("testdata", "resolve.py"), home)
	cmd.Env = append(os.Environ(), "PYTHONUTF8=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	lines := json.NewDecoder(out)
	var first struct {
		Version string
		Login   bool
	}
	if err := lines.Decode(&first); err != nil {
		t.Fatal(err)
	}
	t.Logf("botocore %s", first.Version)
	return func(t *testing.T, env map[string]string) ([]string, map[string]answer) {
		if err := json.NewEncoder(in).Encode(env); err != nil {
			t.Fatal(err)
		}
		var line struct {
			Names    []string
			Profiles map[string]answer
		}
		if err := lines.Decode(&line); err != nil {
			t.Fatal(err)
		}
		slices.Sort(line.Names)
		return line.Names, line.Profiles
	}, first.Login
}

// expected is botocore's answer with what we do more: MFA sessions, and
// aws-mfa-login as a credential_process, behind which is the profile it names.
func (g *generator) expected(answers map[string]answer, env map[string]string, name string, above []string) answer {
	a, ok := answers[name]
	switch {
	case !ok:
		return answer{Error: "there is no such profile"}
	case slices.Contains(above, name):
		return answer{Error: "a credential_process goes in a loop"}
	case a.Error != "":
		return a
	}
	last := len(a.Steps) - 1
	if behind, own := g.own[a.Steps[last]["process"]]; own {
		if behind == "" {
			if behind, ok = env["AWS_PROFILE"]; !ok {
				behind = "default"
			}
		}
		next := g.expected(answers, env, behind, append(above, name))
		next.through = true
		switch {
		case next.Error != "" || last == 0:
			return next
		case !next.opens():
			return answer{Error: "aws-mfa-login does not hand on keys", through: true}
		}
		a.Steps, a.through = append(a.Steps[:last:last], next.Steps...), true
		return a
	}
	if a.MFA["SerialNumber"] != "" && a.Steps[0]["id"] != "" && a.Steps[0]["token"] == "" {
		a.Method, a.Steps = "MFA session", []step{a.MFA, a.Steps[0]}
	}
	return a
}

// resolve is our answer.
func resolve(set *profile.Set, name string) answer {
	p, err := set.Profile(name)
	if err != nil {
		return answer{Error: err.Error()}
	}
	l, err := p.Login()
	if unsupported := new(profile.UnsupportedError); errors.As(err, &unsupported) && unsupported.Via == "" {
		return answer{Error: err.Error(), Method: "none of ours", kind: unsupported.Kind}
	}
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Method: "ours", kind: p.Kind(), Steps: steps(l)}
}

func steps(l *profile.Login) []step {
	s, from := step{}, l.Source
	set := func(key string, v profile.Value) {
		if v.Set {
			s[key] = v.Text
		}
	}
	set("RoleArn", l.RoleARN)
	set("SerialNumber", l.SerialNumber)
	set("ExternalId", l.ExternalID)
	set("WebIdentityToken", l.TokenFile)
	if l.SessionName.Text != "" { // else the AWS CLI makes one up
		set("RoleSessionName", l.SessionName)
	}
	if l.Seconds != "" {
		s["DurationSeconds"] = l.Seconds
	}
	if l.IsRole() {
		s["Cache"] = session.Store{}.Name(l)
	}
	keys := step{}
	switch {
	case l.TokenFile.Set:
		return []step{s}
	case from.Login != nil:
		return append([]step{s}, steps(from.Login)...)
	case from.Process.Set:
		keys["process"] = strings.Join(from.Process.Words, "\x00")
	case from.Provider != "":
		keys["machine"] = from.Provider
	case from.SSO != nil:
		o := from.SSO
		keys["sso"] = strings.Join([]string{o.StartURL.Text, o.Session, o.Region.Text, o.AccountID.Text, o.RoleName.Text}, "\x00")
	default:
		keys["id"], keys["secret"], keys["token"] = from.Keys.AccessKeyID, from.Keys.SecretAccessKey, from.Keys.SessionToken
	}
	return []step{s, keys}
}

// agree tells whether we resolve the profile as botocore does, or refuse it
// for one of the reasons.
func agree(got, want answer) (reason string, ok bool) {
	switch {
	case want.Error != "":
		return "", got.Error != ""
	case got.Error == "":
		return "", want.opens() && reflect.DeepEqual(got.Steps, want.Steps) && (want.through || slices.Contains(kinds[want.Method], got.kind))
	case !want.opens() && got.Method != "":
		return "", slices.Contains(kinds[want.Method], got.kind)
	case want.through && strings.Contains(got.Error, "goes in a loop"): // but not for botocore, where each program starts anew
		return "loop through aws-mfa-login", true
	}
	for reason, text := range refusals {
		if text.MatchString(got.Error) {
			return reason, true
		}
	}
	return "", false
}

// A generator makes pairs of files that mostly make sense.
type generator struct {
	*rand.Rand
	login bool              // botocore knows login_session
	own   map[string]string // commands that are aws-mfa-login, and the profile they name
}

type setting struct{ key, value string }

func (g *generator) chance(percent int) bool     { return g.IntN(100) < percent }
func (g *generator) pick(of ...string) string    { return of[g.IntN(len(of))] }
func (g *generator) mostly(s, odd string) string { return g.mostlyOf([]string{s}, odd) }
func (g *generator) mostlyOf(good []string, odd ...string) string {
	if g.chance(3) {
		return g.pick(odd...)
	}
	return g.pick(good...)
}

func (g *generator) pair() (config, credentials string, env map[string]string) {
	names := []string{"default", "base", "mfa", "a b", "Zoë", "p-1", "x.y", "it's", "MFA", "DEFAULT", "日本"}
	g.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	names = names[:3+g.IntN(4)]

	var c, s []string // sections
	for i, name := range names {
		own := g.profile(names[i+1:], names)
		atHome := g.chance(80) // in the config file, where keys are mostly not
		var there, here []setting
		for _, x := range own {
			if strings.HasPrefix(x.key, "aws_") && g.chance(99) != atHome || g.chance(4) {
				there = append(there, x)
			} else {
				here = append(here, x)
			}
			if g.chance(5) { // in both, with two values
				here, there = append(here, setting{x.key, g.value(x.key, names)}), append(there, x)
			}
		}
		if !atHome {
			here, there = there, here
		}
		if len(here) > 0 || g.chance(20) {
			c = append(c, g.section(g.header(name), here))
			if g.chance(4) { // the last one wins, if the header is another
				c = append(c, g.section(g.header(name), here[:len(here)/2]))
			}
		}
		if len(there) > 0 || g.chance(5) {
			s = append(s, g.section("["+name+"]", there))
		}
	}
	if g.chance(4) {
		c = append(c, g.section("[DEFAULT]", g.noise(names, 2)))
	}
	if g.chance(4) {
		s = append(s, g.section("[DEFAULT]", g.noise(names, 2)))
	}
	if g.chance(3) {
		c = append(c, g.section("["+g.pick("base", "plain", "preview", "profile", "profile a b c", "sso-session")+"]", g.noise(names, 2)))
	}
	for _, name := range []string{"s", "my sso"} {
		if g.chance(85) {
			in := []setting{{"sso_region", "eu-west-1"}, {"sso_start_url", "https://" + name[:1] + ".awsapps.com/start"}}
			if g.chance(10) {
				in = in[:g.IntN(2)]
			}
			if g.chance(30) {
				in = append(in, setting{"sso_account_id", "123456789012"}, setting{"region", g.pick("eu-west-1", "us-east-1")})
			}
			c = append(c, g.section(strings.Replace(g.header(name), "profile", "sso-session", 1), in))
		}
	}
	return g.file(c), g.file(s), g.environment(names)
}

func (g *generator) environment(names []string) map[string]string {
	env := map[string]string{}
	for _, variable := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"} {
		if g.chance(90) && (strings.HasSuffix(variable, "KEY_ID") || strings.HasSuffix(variable, "ACCESS_KEY") || g.chance(30)) {
			env[variable] = g.mostly("of "+variable, "")
		}
	}
	if g.chance(50) {
		env["AWS_PROFILE"] = g.pick(names...)
	}
	return env
}

// profile is one that has what its kind needs, and some more.
func (g *generator) profile(below, all []string) (own []setting) {
	add := func(keys ...string) {
		for _, key := range keys {
			own = append(own, setting{key, g.value(key, all)})
		}
	}
	switch n := g.IntN(22) - 2; {
	case n < 10 && len(below) > 0:
		add("role_arn")
		own = append(own, setting{"source_profile", g.mostlyOf(below, append(all[:len(all):len(all)], "nowhere", "", below[0]+" ")...)})
	case n < 11:
		add("role_arn", "credential_source")
	case n < 12: // its own source
		add("role_arn", "aws_access_key_id", "aws_secret_access_key")
		own = append(own, setting{"source_profile", all[len(all)-len(below)-1]})
	case n < 13:
		add("credential_process")
	case n < 14:
		add("role_arn", "web_identity_token_file")
	case n < 15:
		add("sso_session", "sso_account_id", "sso_role_name")
		if g.chance(20) {
			add("sso_start_url", "sso_region")
		}
		if g.chance(40) {
			add("region")
		}
		if g.chance(20) {
			own = slices.Delete(own, 1, 2)
		}
	case n < 16:
		add("sso_start_url", "sso_region", "sso_account_id", "sso_role_name")
	case n < 17:
		add("login_session")
	case n < 18:
		add("aws_access_key_id", "aws_secret_access_key", "mfa_serial", "duration_seconds")
	default:
		add("aws_access_key_id", "aws_secret_access_key")
	}
	for _, key := range []string{"mfa_serial", "external_id", "role_session_name", "duration_seconds"} {
		if own[0].key == "role_arn" && g.chance(30) {
			add(key)
		}
	}
	for _, key := range []string{"aws_session_token", "aws_security_token"} {
		if own[0].key == "aws_access_key_id" && g.chance(20) {
			add(key)
		}
	}
	if g.chance(8) { // two kinds in one
		own = append(own, g.profile(below, all)...)
	}
	if g.chance(15) {
		own = append(own, g.noise(all, 1+g.IntN(2))...)
	}
	if g.chance(4) {
		own = own[1:]
	}
	g.Shuffle(len(own), func(i, j int) { own[i], own[j] = own[j], own[i] })
	return own
}

// noise are settings of any kind.
func (g *generator) noise(names []string, n int) (some []setting) {
	keys := []string{"role_arn", "source_profile", "credential_source", "mfa_serial", "external_id", "role_session_name", "duration_seconds",
		"aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_security_token", "aws_account_id", "credential_process",
		"web_identity_token_file", "sso_session", "sso_start_url", "sso_region", "sso_account_id", "sso_role_name", "region", "mfa_process", "s3", "login_session"}
	for range n {
		key := g.pick(keys...)
		some = append(some, setting{key, g.value(key, names)})
	}
	return some
}

func (g *generator) value(key string, names []string) string {
	switch key {
	case "role_arn":
		return g.mostlyOf([]string{"arn:aws:iam::123456789012:role/Admin", "arn:aws:iam::123456789012:role/path/X", "arn:aws:iam::210987654321:role/a+b=c,d.e@f-g_h"},
			"", "Admin", "arn:aws:iam::123456789012:user/jane", "arn:aws-cn:iam::123456789012:role/Admin", `"arn:aws:iam::123456789012:role/Admin"`, "arn:aws:iam::123456789012:role/Zoë \"\\\t\x7f日😀")
	case "mfa_serial":
		return g.mostlyOf([]string{"arn:aws:iam::123456789012:mfa/jane", "GAHT12345678"}, "", "1234", "arn:aws:iam::123456789012:user/jane", "arn:aws:iam::123456789012:u2f/user/jane/k", "arn:aws:iam::210987654321:mfa/jane")
	case "external_id":
		return g.mostlyOf([]string{"xid-42", "a:b/c"}, "", "x", "ü")
	case "role_session_name":
		return g.mostlyOf([]string{"jane", "jane@example.com", ""}, "j", "a b", "日本")
	case "duration_seconds":
		return g.mostlyOf([]string{"3600", "900", "43200", "+03_600", "  900\t", "1h", "", "3600.0", "3__600", "0x10"}, "-1", "0", "43201", "129600", "٣٦٠٠", "\n  a = 900", strings.Repeat("9", 30))
	case "source_profile":
		return g.pick(append(names[:len(names):len(names)], "nowhere")...)
	case "credential_source":
		return g.mostlyOf([]string{"Environment", "Environment", "EcsContainer", "Ec2InstanceMetadata"}, "environment", "Ec2", "")
	case "aws_access_key_id":
		return g.mostlyOf([]string{fmt.Sprintf("AKIA%016d", g.IntN(1e9)), "AKIARZPUZDIKBSBTTUYG"}, "", "A B")
	case "aws_secret_access_key":
		return g.mostlyOf([]string{"wJalr/secret+key=", "a#b;c"}, "", "a b")
	case "aws_session_token":
		return g.pick("session", "session", "")
	case "aws_security_token":
		return g.pick("security", "security", "")
	case "aws_account_id":
		return g.pick("123456789012", "123456789012", "210987654321", "x")
	case "credential_process":
		return g.command(g.pick(append(names[:len(names):len(names)], "nowhere")...))
	case "web_identity_token_file":
		return g.mostly("/run/token", "")
	case "sso_session":
		return g.mostlyOf([]string{"s", "s", "s", "my sso"}, "t", "")
	case "sso_start_url":
		return g.mostlyOf([]string{"https://s.awsapps.com/start"}, "https://m.awsapps.com/start", "")
	case "region":
		return g.mostly("eu-west-1", "eu_west")
	case "sso_region":
		return g.mostlyOf([]string{"eu-west-1"}, "us-east-1", "")
	case "sso_account_id":
		return g.mostlyOf([]string{"123456789012"}, "12", "")
	case "sso_role_name":
		return g.mostly("Admin", "")
	case "login_session":
		return "arn:aws:sts::123456789012:assumed-role/Admin/jane"
	case "mfa_process":
		return "op item get aws"
	}
	return "x"
}

func (g *generator) command(name string) string {
	shell := func(word string) string {
		if strings.ContainsAny(word, " '") {
			return strconv.Quote(word)
		}
		return word
	}
	if g.chance(50) {
		return g.pick("get-keys", `"/opt/my keys/get" 'a b' \"c`, "my-aws-mfa-login "+shell(name), "aws-mfa-login -q "+shell(name), "aws-mfa-login x y", "aws-mfa-login -- x")
	}
	program := g.pick("aws-mfa-login", "/usr/bin/aws-mfa-login", "/opt/my bin/aws-mfa-login", "aws-mfa-login.exe")
	words := [][]string{{name, "--format", "process"}, {"--format", "process", name}, {name, "--format=process", "--no-input"}, {"--duration", "1h", "--format", "process", name}, {"--format=process"}}[g.IntN(5)]
	words = append([]string{program}, words...)
	own := name
	if !slices.Contains(words, name) {
		own = ""
	}
	g.own[strings.Join(words, "\x00")] = own
	if own == "" {
		g.own[strings.Join(append(words, "more"), "\x00")] = "more" // on a line of its own
	}
	for i := range words {
		words[i] = shell(words[i])
	}
	return strings.Join(words, g.mostly(" ", "  "))
}

// header is that of a profile in the config file.
func (g *generator) header(name string) string {
	if name == "default" && g.chance(70) {
		return "[default]"
	}
	double, single, bare := strconv.Quote(name), "'"+name+"'", name
	if strings.ContainsAny(name, " '") {
		single, bare = double, double
	}
	return g.mostlyOf([]string{"[profile " + bare + "]", "[profile " + bare + "]", "[profile " + double + "]", "[profile " + single + "]"},
		"[profile  "+bare+"]", "[profile\t"+bare+"]", "[profiles "+bare+"]", "[profile "+bare+"] # [mine]", "[profile "+bare+" x]", "["+bare+"]", "[profile "+name+"]", " [profile "+bare+"]")
}

// section writes the settings, each key once, oddly spaced.
func (g *generator) section(header string, settings []setting) string {
	var b strings.Builder
	b.WriteString(header + "\n")
	indent := g.mostlyOf([]string{""}, " ", "\t")
	written := map[string]bool{}
	for _, x := range settings {
		if written[x.key] && g.chance(98) {
			continue
		}
		written[x.key] = true
		if g.chance(10) {
			b.WriteString(g.pick("# comment", "; role_arn = x", "", "\t", "  # indented", "   ") + "\n")
		}
		key := x.key
		if key == "login_session" && !g.login {
			key = "s3"
		}
		if g.chance(10) {
			key = g.pick(strings.ToUpper(key), strings.ToUpper(key[:1])+key[1:])
		}
		b.WriteString(indent + key + g.pick(" = ", " = ", "=", ": ", ":", "\t=  ", " : ") + x.value)
		if g.chance(3) {
			b.WriteString(g.pick("  ", "\t", " # mine", "\n  more", "\n\n\tmore\n", "\u00a0", "\x1c"))
		}
		b.WriteByte('\n')
	}
	if g.chance(2) {
		b.WriteString(g.pick("region\n", "Σ = 1\n", "İ = 1\n", " role_arn = x\n", "= x\n", "s3 =\n  a = 1\n  b = 2\n", "s3 =\n  a\n", "\xff\n", "[x\n",
			"duration_seconds =\n  a = 1\n", "external_id =\n  a = 1\n", "source_profile =\n  a = 1\n", "aws_session_token =\n  a = 1\n", "É = 1\né = 2\n", "ẞ = 1\nß = 2\n", "k = 1\n\u212a = 2\n"))
	}
	return b.String()
}

func (g *generator) file(sections []string) string {
	g.Shuffle(len(sections), func(i, j int) { sections[i], sections[j] = sections[j], sections[i] })
	if len(sections) > 0 && g.chance(1) {
		sections = append(sections, sections[0])
	}
	text := strings.Join(sections, g.pick("", "\n", "\n# next\n\n"))
	switch g.IntN(100) {
	case 0:
		text = "\ufeff" + text
	case 1:
		text = "region = x\n" + text
	case 2:
		text = strings.ReplaceAll(text, "\n", "\r")
	case 3, 4, 5, 6, 7, 8, 9:
		text = strings.ReplaceAll(text, "\n", "\r\n")
	case 10:
		text = strings.TrimRight(text, "\n")
	case 11:
		text = "[DEFAULT]\nrole_arn =\n  x\n"
	}
	return text
}
