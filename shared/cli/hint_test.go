package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"aws-mfa/shared/cache"
	"aws-mfa/shared/mfa"
	"aws-mfa/shared/profile"
	"aws-mfa/shared/session"
)

const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

func value(text string) profile.Value {
	return profile.Value{Text: text, Set: true, From: profile.Origin{File: "/home/jane/.aws/config", Line: 3}}
}

// refused is an AssumeRole that AWS refused for a reason, with all that there
// is to know about it.
func refused(reason session.Reason, in string) *session.RefusedError {
	role := &profile.Login{
		Profile: in, RoleARN: value("arn:aws:iam::123456789012:role/team/Admin"), SerialNumber: value("arn:aws:iam::123456789012:mfa/jane"),
		Source: profile.Source{Profile: "default", Keys: profile.Keys{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: secret, SessionToken: secret, From: profile.Origin{File: "/home/jane/.aws/credentials", Line: 2}}},
	}
	return &session.RefusedError{
		Reason: reason, Operation: "AssumeRole", Code: "Code", Message: "message",
		Login: role, Keys: role.Source.Keys, Region: "us-east-1", Duration: 2 * time.Hour, Offset: 20 * time.Minute,
	}
}

// reasons are all but Other, about which there is nothing to say.
var reasons = []session.Reason{
	session.WrongCode, session.WrongSerial, session.NotAllowed, session.DurationTooLong, session.ChainTooLong, session.UnknownKey,
	session.WrongSecret, session.ClockOff, session.ExpiredSession, session.RegionDisabled, session.Unavailable,
}

// advisable are errors of every type that hints knows, about a profile.
func advisable(name string) map[string]error {
	errs := map[string]error{
		"own":                          WithHints(errors.New("x"), "look there"),
		"misused":                      UsageError("x"),
		"unknown profile":              &profile.UnknownProfileError{Name: name, Files: []string{"/home/jane/.aws/config", "/home/jane/.aws/credentials"}},
		"unknown profile, near one":    &profile.UnknownProfileError{Name: "x", Near: func() []string { return []string{name} }},
		"unknown profile of a setting": &profile.UnknownProfileError{Name: "x", Near: func() []string { return []string{name} }, From: profile.Origin{File: "/home/jane/.aws/config", Line: 3}},
		"syntax":                       &profile.SyntaxError{File: "/home/jane/.aws/config", Line: 3, Reason: "x"},
		"loop":                         &profile.LoopError{Profiles: []string{name, name}},
		"Identity Center":              &session.SSOError{Profile: name, SSO: &profile.SSO{}},
		"network":                      &session.NetworkError{Operation: "AssumeRole", Host: "sts.amazonaws.com", Err: errors.New("x")},
		"network, maybe done":          &session.NetworkError{Operation: "AssumeRole", Host: "sts.amazonaws.com", MaybeDone: true, UsedCode: true, Err: errors.New("x")},
		"network, endpoint":            &session.NetworkError{Operation: "AssumeRole", Host: "sts.example", Endpoint: value("https://sts.example"), Err: errors.New("x")},
		"no terminal":                  &mfa.NoTerminalError{Serial: "arn:aws:iam::123456789012:mfa/jane"},
		"code":                         &mfa.CodeError{},
		"used code":                    &mfa.UsedError{},
		"seed":                         &mfa.SeedError{Reason: "empty"},
		"keyring":                      &mfa.KeyringError{Reason: "it is locked"},
		"process":                      &mfa.ProcessError{Setting: "mfa_process (x:1)", Program: "pass", Reason: "exit status 1"},
		"passphrase":                   mfa.ErrPassphrase,
		"busy":                         &session.BusyError{Profile: name},
		"shared":                       &session.SharedError{Text: "x"},
		"broken":                       &cache.BrokenError{Path: "/home/jane/x.json", Reason: "empty file"},
		"held":                         &cache.BrokenError{Path: "/home/jane/x.lock", Reason: cache.HeldTooLong},
		"path":                         &fs.PathError{Op: "open", Path: filepath.FromSlash("/no such directory/x"), Err: fs.ErrPermission},
	}
	for _, key := range []string{"source_profile", "mfa_serial", "aws_access_key_id", "aws_secret_access_key"} {
		errs["setting "+key] = &profile.SettingError{Profile: name, Key: key, Reason: "is missing"}
	}
	for kind := profile.NoCredentials; kind <= profile.MFASession; kind++ {
		errs["unsupported "+kind.String()] = &profile.UnsupportedError{Profile: name, Kind: kind}
	}
	for _, reason := range reasons {
		errs[fmt.Sprintf("refused %d", reason)] = refused(reason, name)
	}
	for wanted := mfa.MFACode; wanted <= mfa.SamePassphrase; wanted++ {
		errs["no terminal for the "+wanted.String()] = &mfa.NoTerminalError{Serial: "arn:aws:iam::123456789012:mfa/jane", Wanted: wanted}
	}
	for text, change := range map[string]func(*session.RefusedError){
		"code of a seed":        func(e *session.RefusedError) { e.Source = mfa.FromSeed },
		"code of a proven seed": func(e *session.RefusedError) { e.Source, e.Proven = mfa.FromSeed, true },
		"code of a program": func(e *session.RefusedError) {
			e.Source, e.Login.MFAProcess.Value = mfa.FromProgram, value("pass otp aws")
		},
		"code, clock right": func(e *session.RefusedError) { e.Offset = 0 },
	} {
		e := refused(session.WrongCode, name)
		change(e)
		errs["refused "+text] = e
	}
	bare := refused(session.NotAllowed, name)
	bare.Login.SerialNumber = profile.Value{}
	errs["refused without MFA"] = bare
	external := refused(session.NotAllowed, name)
	external.Login.ExternalID = value("xid-42")
	errs["refused with an external id"] = external
	region := refused(session.RegionDisabled, name)
	region.Network.Region = value("me-south-1")
	errs["refused in a region that is set"] = region
	for text, err := range errs {
		errs[text] = &ProfileError{Profile: name, Err: fmt.Errorf("on the way up: %w", err)}
	}
	return errs
}

func TestEveryErrorThatWeKnowHasAHint(t *testing.T) {
	t.Parallel()
	for name, err := range advisable("prod") {
		got := hints(err, "aws-mfa-status")
		if len(got) == 0 {
			t.Errorf("%s: got no hint for %q", name, err)
		}
		for _, h := range got {
			if strings.TrimSpace(h) == "" || strings.Contains(h, "\n") || strings.Contains(h, secret) || strings.HasSuffix(h, ".") || strings.Contains(h, "  ") {
				t.Errorf("%s: got hint %q", name, h)
			}
		}
	}
	for _, err := range []error{errors.New("anything"), refused(session.Other, "prod")} {
		if got := hints(err, "aws-mfa-status"); len(got) != 0 {
			t.Errorf("%v: got %q, want nothing", err, got)
		}
	}
}

// GetCallerIdentity is refused without a role.
func TestHintsNeedNoRole(t *testing.T) {
	t.Parallel()
	for _, reason := range []session.Reason{session.NotAllowed, session.UnknownKey, session.WrongSecret, session.ClockOff, session.ExpiredSession, session.RegionDisabled, session.Unavailable} {
		err := refused(reason, "prod")
		err.Operation, err.Login = "GetCallerIdentity", nil
		for _, h := range hints(err, "aws-mfa-status") {
			if h == "" {
				t.Errorf("reason %d: got an empty hint", reason)
			}
		}
	}
}

func TestHintsSayWhatToRun(t *testing.T) {
	t.Parallel()
	errs := advisable("prod")
	for name, want := range map[string]string{
		"own":                          "look there",
		"misused":                      "aws-mfa-console --help",
		"unknown profile":              "profiles are read from /home/jane/.aws/config and /home/jane/.aws/credentials|aws configure list-profiles",
		"unknown profile, near one":    "aws-mfa-console prod",
		"unknown profile of a setting": `there is a profile "prod"`,
		"Identity Center":              "aws sso login --profile prod|then aws-mfa-login prod",
		"network":                      "aws-mfa-console prod --verbose",
		"network, maybe done":          "wait for the next code, then aws-mfa-console prod",
		"network, endpoint":            "the endpoint is https://sts.example (/home/jane/.aws/config:3)|aws-mfa-console prod --verbose",
		"no terminal":                  "in a terminal: aws-mfa-login prod|with a code at hand: aws-mfa-login prod --token-code NNNNNN",
		"used code":                    "AWS takes a code once: wait for the next one, then aws-mfa-login prod",
		"keyring":                      "in a file under a passphrase instead: aws-mfa-login prod --save-seed --seed-store file",
		"process":                      "with a code at hand: aws-mfa-login prod --token-code NNNNNN",
		"no terminal for the seed":     "in a terminal: aws-mfa-login prod --save-seed|or: zbarimg --raw qr.png | aws-mfa-login prod --save-seed",
		"refused code of a seed":       "this computer's clock is 20m ahead of AWS's|no code of the kept seed has worked yet, so it may be another device's: mfa_serial is arn:aws:iam::123456789012:mfa/jane (/home/jane/.aws/config:3)|the right one: aws-mfa-login prod --save-seed|or forget it: aws-mfa-login prod --forget-seed",
		"refused code of a program":    "this computer's clock is 20m ahead of AWS's|the code came from mfa_process (/home/jane/.aws/config:3): is it this device's? mfa_serial is arn:aws:iam::123456789012:mfa/jane (/home/jane/.aws/config:3)|with a code at hand: aws-mfa-login prod --token-code NNNNNN",
		"refused code, clock right":    "a code works once: wait for the next one, then aws-mfa-login prod|if no code works: is this the device? mfa_serial is arn:aws:iam::123456789012:mfa/jane (/home/jane/.aws/config:3)",
		"broken":                       "ls -ld /home/jane/x.json",
		"held":                         "the process that holds it may be stopped: lsof /home/jane/x.lock",
		"path":                         "ls -ld " + string(filepath.Separator),
		"unsupported aws login":        "not supported yet, so: aws login --profile prod",
		fmt.Sprintf("refused %d", session.DurationTooLong): "ask for less: aws-mfa-login prod --force --duration 1h|or for the longest that AWS grants: aws-mfa-login prod --force --duration max|or allow more: aws iam update-role --role-name Admin --max-session-duration 7200",
		"refused with an external id":                      "the role's trust policy must name the role that asks, whose own policies must allow sts:AssumeRole on arn:aws:iam::123456789012:role/team/Admin|external_id must be the one that the trust policy wants (/home/jane/.aws/config:3)",
		"refused in a region that is set":                  "the region is us-east-1 (/home/jane/.aws/config:3)|another region will do: AWS_REGION=us-east-1 aws-mfa-login prod",
	} {
		if got, want := strings.Join(hints(errs[name], "aws-mfa-console"), "|"), asHere(want); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
}

// What is named is there to be looked at, and is what is in the way: for a file
// that cannot be written, its directory.
func TestHintsAboutFilesNameWhatIsThere(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the errors are those of Unix")
	}
	dir := filepath.Join(t.TempDir(), "my files")
	file := filepath.Join(dir, "config")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(file, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		op, path string
		err      error
		want     string
	}{
		{"open", file, fs.ErrPermission, "ls -ld '" + file + "'"},
		{"remove", file, fs.ErrPermission, "ls -ld '" + dir + "'"},
		{"make a new file beside", file, fs.ErrPermission, "ls -ld '" + dir + "'"},
		{"mkdir", filepath.Join(dir, "cli", "cache"), syscall.ENOSPC, "df -h '" + dir + "'|df -i '" + dir + "'"},
		{"write", filepath.Join(dir, "new"), syscall.EDQUOT, "quota -s"},
		{"replace", file, syscall.EROFS, "df -h '" + dir + "'"},
		{"write", "/dev/stdout", syscall.ENOSPC, ""},
	} {
		err := &ProfileError{Profile: "p", Err: &fs.PathError{Op: c.op, Path: c.path, Err: c.err}}
		if got := strings.Join(hints(err, "aws-mfa-login"), "|"); got != c.want {
			t.Errorf("%v:\n got %s\nwant %s", err, got, c.want)
		}
	}
}

// Regions of another partition do not know the user.
func TestARegionThatIsSwitchedOffIsReplacedByOneOfItsPartition(t *testing.T) {
	t.Parallel()
	err := refused(session.RegionDisabled, "prod")
	err.Login.RoleARN = value("arn:aws-us-gov:iam::123456789012:role/Admin")
	err.Region = "us-gov-east-1"
	if got := strings.Join(hints(err, "aws-mfa-login"), "|"); strings.Contains(got, "us-east-1") && !strings.Contains(got, "us-gov-west-1") {
		t.Errorf("got %q", got)
	}
}

// hostile are names that would do harm where a shell reads them unquoted.
var hostile = []string{
	"$(touch gone)", "`touch gone`", "a; touch gone", "a b", "it's", `"`, `\`, `'; touch gone; '`, "*", "~", "$HOME", "=ls", "%self", `\'; touch gone #`, `a\\b`, "a&b", "a|b", ">gone", "#a", "!a", "{a,b}", "é日本",
}

// shell evaluates words as a POSIX shell does.
func shell(t *testing.T, words string) []string {
	t.Helper()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	command := exec.Command(sh, "-c", `set -f; printf '%s\0' `+words)
	command.Dir = t.TempDir()
	command.Env = []string{"HOME=/home/jane"}
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", words, err, out)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

func TestAShellWordIsOneWordOfTheShell(t *testing.T) {
	t.Parallel()
	for _, s := range append(hostile, "", "prod", "-n", "me@example.com/x:y,z%1") {
		if got := shell(t, ShellWord(s)); len(got) != 1 || got[0] != s {
			t.Errorf("%q: %s is %q to the shell", s, ShellWord(s), got)
		}
	}
	for _, s := range []string{"prod", "me@example.com/x:y,z1_2-3+4."} {
		if got := ShellWord(s); got != s {
			t.Errorf("got %s, want %s as it is", got, s)
		}
	}
	for _, s := range []string{"a\nb", "a\tb", "\x1b[31m", "a\u202eb", "\xff", strings.Repeat("x", 2000)} {
		if got := ShellWord(s); got != "NAME" {
			t.Errorf("got %q, want NAME, for %.20q cannot be pasted", got, s)
		}
	}
}

// asHere is what we say on this system, where that is said for a POSIX shell.
func asHere(said string) string {
	if !onWindows {
		return said
	}
	return strings.NewReplacer(
		"the process that holds it may be stopped: lsof /home/jane/x.lock", "icacls /home/jane/x.lock",
		"ls -ld '/home/jane/my files/x'", `icacls "/home/jane/my files/x"`, "ls -ld", "icacls", "'a b'", `"a b"`,
		"AWS_REGION=us-east-1 ", `$Env:AWS_REGION = "us-east-1"; `, "AWS_PROFILE=-x ", `$Env:AWS_PROFILE = "-x"; `,
	).Replace(said)
}

// cmd.exe replaces %NAME%, within quotes as well; PowerShell, within quotes, what
// begins with $ or `, and outside takes @ , { } ( ) ; & | for something else.
func TestAWindowsWordIsOneWordOfBothShells(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"prod": "prod", "eu-west-1:x/y.z_+=": "eu-west-1:x/y.z_+=", "": `""`, "my prod": `"my prod"`, `C:\`: `C:\`, `C:\my dir\`: `"C:\my dir\\"`, "a,b": `"a,b"`, "@x": `"@x"`,
		"a;calc": `"a;calc"`, "a&calc": `"a&calc"`, "(x)": `"(x)"`, "O'Brien": `"O'Brien"`, `C:\Users\Jane Doe\x`: `"C:\Users\Jane Doe\x"`,
		"%PATH%": `"NAME"`, "$x": `"NAME"`, "`calc`": `"NAME"`, `a" & calc "`: `"NAME"`, "!x!": `"NAME"`, "a^b": `"NAME"`, "a\u201d; calc": `"NAME"`,
	} {
		if got := windowsWord(word); got != want {
			t.Errorf("%s: got %s, want %s", word, got, want)
		}
	}
}

// command finds what is to be pasted: a program's name and the rest of its hint.
var command = regexp.MustCompile(`(?:^|: |then |\? )((?:AWS_REGION=\S+ )?(?:aws|aws-mfa-\w+|ls) .*)$`)

// commands are those in the hints about an error.
func commands(err error) (found []string) {
	for _, h := range hints(err, "aws-mfa-login") {
		if m := command.FindStringSubmatch(h); m != nil {
			found = append(found, m[1])
		}
	}
	return found
}

// Whoever pastes a hint must not run what is in a name.
func TestNamesInHintsAreOneWordOfTheShell(t *testing.T) {
	t.Parallel()
	for _, name := range append(hostile, "prod") {
		seen := map[string]bool{}
		for kind, err := range advisable(name) {
			for _, c := range commands(err) {
				if seen[c] || !strings.Contains(c, name) && !strings.Contains(c, "--profile") || strings.HasSuffix(c, " --profile default") {
					continue
				}
				seen[c] = true
				if words := shell(t, c); !slices.Contains(words, name) && !slices.Contains(words, "--profile="+name) {
					t.Errorf("%s of %q: the shell makes %q of %s", kind, name, words, c)
				}
			}
		}
		if len(seen) < 5 {
			t.Errorf("%q: got only %v", name, seen)
		}
	}
}

// Some shells give a meaning to what a POSIX shell leaves alone: zsh stops at [].
func TestCommandsInHintsMeanTheSameInEveryShell(t *testing.T) {
	t.Parallel()
	special := regexp.MustCompile("[][*?!{}()<>|&;$`\\\\\"#~^]")
	quoted := regexp.MustCompile(`'[^']*'`)
	if onWindows {
		quoted = regexp.MustCompile(`"[^"]*"|^\$Env:[A-Z_]+ = "[^"]*"; `)
	}
	seen := map[string]bool{}
	for _, err := range advisable("prod") {
		for _, c := range commands(err) {
			if bad := special.FindString(quoted.ReplaceAllString(c, "")); bad != "" && !seen[c] {
				t.Errorf("%s is not quoted in %s", bad, c)
			}
			seen[c] = true
		}
	}
	if len(seen) < 15 {
		t.Errorf("got only %v", seen)
	}
}

// A profile may be called like a flag; what is pasted must not take it for one.
func TestANameLikeAFlagIsStillAName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"-f", "--logout", "--duration=12h"} {
		words := shell(t, LoginCommand(name, "--force"))
		want := []string{"AWS_PROFILE=" + name, "aws-mfa-login", "--force"}
		if !slices.Equal(words, want) {
			t.Errorf("got %q, want %q", words, want)
		}
	}
}

// The next try is for what was asked for: a code is spent on it.
func TestHintsKeepWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	asked := []string{"--duration", "2h", "--", "terraform", "plan"}
	for _, c := range []struct {
		err  error
		want string
	}{
		{&mfa.NoTerminalError{Serial: "GAHT12345678"}, "in a terminal: aws-mfa-login prod --duration 2h -- terraform plan|with a code at hand: aws-mfa-login prod --token-code NNNNNN --duration 2h -- terraform plan"},
		{&mfa.UsedError{}, "AWS takes a code once: wait for the next one, then aws-mfa-login prod --duration 2h -- terraform plan"},
		{mfa.ErrPassphrase, "with a code at hand: aws-mfa-login prod --token-code NNNNNN --duration 2h -- terraform plan|to begin anew, with the seed at hand: aws-mfa-login prod --save-seed --seed-store file"},
		{&session.NetworkError{Operation: "AssumeRole", Err: errors.New("x")}, "aws-mfa-login prod --verbose --duration 2h -- terraform plan"},
	} {
		if got := strings.Join(hints(&ProfileError{Profile: "prod", Err: c.err, Asked: asked}, "aws-mfa-login"), "|"); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestTheRemedyIsTheCommandThatHelps(t *testing.T) {
	t.Parallel()
	const login = "aws-mfa-login prod"
	for _, c := range []struct {
		err  error
		want string
	}{
		{errors.New("x"), login},
		{&session.SSOError{Profile: "center", SSO: &profile.SSO{}}, "aws sso login --profile center"},
		{&profile.UnsupportedError{Profile: "center", Kind: profile.IdentityCenter}, "aws sso login --profile center"},
		{&profile.UnsupportedError{Profile: "web", Kind: profile.ConsoleLogin}, "aws login --profile web"},
	} {
		if got := remedy(fmt.Errorf("on the way up: %w", c.err), login); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestTheConsoleIsOpenedByTheRolesThatTakeTheirKeysFromThere(t *testing.T) {
	role := "role_arn = arn:aws:iam::123456789012:role/R\n"
	const keys = "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n"
	config := "[profile none]\n" + role + "source_profile = default\n[profile \"a b\"]\n" + role + "source_profile = jane\n[profile -x]\n" + role + "source_profile = jane\n" +
		"[profile env]\n" + role + "credential_source = Environment\n[profile chained]\n" + role + "source_profile = none\n" +
		"[profile 0-broken]\nrole_arn = R\nsource_profile = jane\n[default]\n" + keys + "[profile jane]\n" + keys
	for _, c := range []struct{ config, holder, want string }{
		{config, "jane", "AWS_PROFILE=-x aws-mfa-console|aws-mfa-console 'a b'|in a browser that is signed in as the user: AWS_PROFILE=-x aws-mfa-console --switch-role"},
		{config, "default", "aws-mfa-console none|in a browser that is signed in as the user: aws-mfa-console none --switch-role"},
		{config, "", "aws-mfa-console env|in a browser that is signed in as the user: aws-mfa-console env --switch-role"},
		{config, "other", "a profile for the console has role_arn and source_profile = other, and mfa_serial where the role demands MFA"},
		{"[profile one]\n" + role + "source_profile = default\n[default]\n" + keys, "", "aws-mfa-console one|in a browser that is signed in as the user: aws-mfa-console one --switch-role"},
		{"", "", "a profile for the console has role_arn and credential_source = Environment, and mfa_serial where the role demands MFA"},
	} {
		file := filepath.Join(t.TempDir(), "config")
		if err := os.WriteFile(file, []byte(c.config), 0o600); err != nil {
			t.Fatal(err)
		}
		env := map[string]string{"HOME": t.TempDir(), "USERPROFILE": t.TempDir(), "AWS_CONFIG_FILE": file, "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "x"}
		set, err := profile.Load(func(name string) (string, bool) { value, ok := env[name]; return value, ok })
		if err != nil {
			t.Fatal(err)
		}
		if got, want := strings.Join(ConsoleHints(set, c.holder), "|"), asHere(c.want); got != want {
			t.Errorf("%q: got %s\nwant %s", c.holder, got, want)
		}
	}
}
