package profile

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

const (
	keys = "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n"
	role = "role_arn = arn:aws:iam::123456789012:role/Admin\n"
)

func TestARoleKnowsWhereEachSettingCameFrom(t *testing.T) {
	set := mustLoad(t, "# mine\n[profile mfa]\n"+role+"source_profile = base\nmfa_serial = arn:aws:iam::123456789012:mfa/jane\nduration_seconds = +03_600\n",
		"[base]\n"+keys+"[mfa]\nexternal_id = xid-42\n", nil)
	p, err := set.Profile("mfa")
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Login()
	if err != nil {
		t.Fatal(err)
	}
	if r.Seconds != "3600" || r.ExternalID.Text != "xid-42" || r.Source.Profile != "base" || r.SessionName.Set {
		t.Errorf("got %+v", r)
	}
	for _, c := range []struct {
		value Value
		file  string
		line  int
	}{{r.RoleARN, "config", 3}, {r.SerialNumber, "config", 5}, {r.ExternalID, "credentials", 5}} {
		if filepath.Base(c.value.From.File) != c.file || c.value.From.Line != c.line {
			t.Errorf("%s: got %s, want %s:%d", c.value.Text, c.value.From, c.file, c.line)
		}
	}
}

// Each of these is found before AWS is asked; the text names the profile, the
// setting and its file and line.
func TestProfilesThatCannotWorkAreRefused(t *testing.T) {
	const serial = "mfa_serial = arn:aws:iam::123456789012:mfa/jane\n"
	newKeys := "aws_access_key_id = AKIARZPUZDIKBSBTTUYG\naws_secret_access_key = s3cr3t\n" // of account 123456789012
	cases := []struct{ name, config, credentials, want string }{
		{"no source", "[profile p]\n" + role, "", `profile "p": source_profile: is not set`},
		{"two sources", "[profile p]\n" + role + "source_profile = a\ncredential_source = Environment\n", "", `credential_source (~/.aws/config:4): stands beside source_profile (~/.aws/config:3)`},
		{"missing link", "[profile p]\n" + role + "source_profile = bse\n", "[base]\n" + keys, `unknown profile "bse" (named by ~/.aws/config:3)`},
		{"loop", "[profile p]\n" + role + "source_profile = q\n[profile q]\n" + role + "source_profile = r\n[profile r]\n" + role + "source_profile = q\n", "", `source_profile (~/.aws/config:9) goes in a loop: "q" → "r" → "q"`},
		{"self without keys", "[profile p]\n" + role + "source_profile = p\n", "", `goes in a loop: "p" → "p"`},
		{"no keys in the source", "[profile p]\n" + role + "source_profile = q\n[profile q]\nregion = x\n", "", `profile "p": source_profile (~/.aws/config:3): profile "q" has no access keys`},
		{"half a key", "[profile p]\n" + role + "source_profile = q\n", "[q]\naws_access_key_id = A\n", `profile "q": aws_secret_access_key: is missing beside the other half of the access key (~/.aws/credentials:2)`},
		{"halves in two files", "[profile p]\n" + role + "source_profile = q\n[profile q]\naws_secret_access_key = S\n", "[q]\naws_access_key_id = A\n", `profile "q": aws_secret_access_key: is missing`},
		{"Identity Center before keys", "[profile p]\n" + role + "source_profile = q\n[profile q]\nsso_role_name = x\n", "[q]\n" + keys, `profile "q": sso_start_url: is missing`},
		{"contradiction to the session", "[profile p]\n" + role + "source_profile = q\n[profile q]\nsso_role_name = x\nsso_session = s\nsso_region = eu-west-1\n[sso-session s]\nsso_region = eu-west-2\n", "", `profile "q": sso_region (~/.aws/config:7): is another than that of the sso_session (~/.aws/config:9)`},
		{"contradiction to the session in anything", "[profile p]\n" + role + "source_profile = q\n[profile q]\nsso_role_name = x\nsso_session = s\nregion = eu-west-1\n[sso-session s]\nregion = eu-west-2\n", "", `profile "q": region (~/.aws/config:7): is another than that of the sso_session (~/.aws/config:9)`},
		{"session that is not whole", "[profile p]\n" + role + "source_profile = q\n[profile q]\nsso_role_name = x\nsso_session = s\nsso_start_url = https://x\n[sso-session s]\nsso_region = eu-west-1\n", "", `profile "q": sso_session (~/.aws/config:6): has no sso_start_url`},
		{"no such session", "[profile p]\n" + role + "source_profile = q\n[profile q]\nsso_role_name = x\nsso_session = s\n", "", `profile "q": sso_session (~/.aws/config:6): there is no section [sso-session s]`},
		{"unknown source of credentials", "[profile p]\n" + role + "credential_source = Ec2\n", "", `"Ec2" is none of Environment, EcsContainer and Ec2InstanceMetadata`},
		{"process", "[profile p]\ncredential_process = x\n", "", `profile "p" uses credential_process`},
		{"our process in a loop", "[profile p]\ncredential_process = aws-mfa-login q --format process\n[profile q]\ncredential_process = /bin/aws-mfa-login p --format process\n", "", `credential_process (~/.aws/config:4) goes in a loop: "p" → "q" → "p"`},
		{"our process for nobody", "[profile p]\ncredential_process = aws-mfa-login q --format process\n", "", `unknown profile "q" (named by ~/.aws/config:2)`},
		{"our process for keys", "[profile p]\ncredential_process = aws-mfa-login q --format process\n", "[q]\n" + keys, `profile "q" uses access keys`},
		{"MFA session of a user as serial", "[profile p]\nmfa_serial = arn:aws:iam::123456789012:user/jane\n", "[p]\n" + keys, `is a user, not an MFA device`},
		{"MFA session too long", "[profile p]\nduration_seconds = 129601\n" + serial, "[p]\n" + keys, `an MFA session lasts from 15 minutes to 36 hours`},
		{"login before keys", "[profile p]\n" + role + "source_profile = p\nlogin_session = x\n" + keys, "", `which uses aws login`},
		{"token file without a role", "[profile p]\nweb_identity_token_file = /t\n" + serial, "[p]\n" + keys, `profile "p": role_arn: is not set beside web_identity_token_file (~/.aws/config:2)`},
		{"source with a token file without a role", "[profile p]\n" + role + "source_profile = q\n[profile q]\nweb_identity_token_file = /t\n", "[q]\n" + keys, `profile "q": role_arn: is not set`},
		{"session token over two lines", "[profile p]\n" + role + "source_profile = q\n", "[q]\n" + keys + "aws_session_token = x\n  y\n", `profile "q": aws_session_token (~/.aws/credentials:4): has spaces in it`},
		{"empty environment", "[profile p]\n" + role + "credential_source = Environment\n", "", `AWS_ACCESS_KEY_ID is not set`},
		{"a user as serial", "[profile p]\n" + role + "source_profile = q\nmfa_serial = arn:aws:iam::123456789012:user/jane\n", "[q]\n" + keys, `mfa_serial (~/.aws/config:4): arn:aws:iam::123456789012:user/jane is a user, not an MFA device (often arn:aws:iam::123456789012:mfa/jane)`},
		{"a security key as serial", "[profile p]\n" + role + "source_profile = q\nmfa_serial = arn:aws:iam::123456789012:u2f/user/jane/k\n", "[q]\n" + keys, "is a security key or passkey"},
		{"serial of another partition", "[profile p]\n" + role + "source_profile = q\nmfa_serial = arn:aws-cn:iam::123456789012:mfa/jane\n", "[q]\n" + keys, "is in partition aws-cn, the role arn:aws:iam::123456789012:role/Admin is in aws"},
		{"serial of another account than the key", "[profile p]\n" + role + "source_profile = q\nmfa_serial = arn:aws:iam::210987654321:mfa/jane\n", "[q]\n" + newKeys, "is in account 210987654321, the access key that would use it belongs to account 123456789012"},
		{"serial of another account than written", "[profile p]\n" + role + "source_profile = q\n" + serial, "[q]\n" + keys + "aws_account_id = 210987654321\n", "belongs to account 210987654321"},
		{"short serial", "[profile p]\n" + role + "source_profile = q\nmfa_serial = 1234\n", "[q]\n" + keys, `"1234" is not the serial number of an MFA device`},
		{"endless serial", "[profile p]\n" + role + "source_profile = q\nmfa_serial = arn:aws:iam::123456789012:mfa/" + strings.Repeat("x", 256) + "\n", "[q]\n" + keys, `x…" is not the ARN of an MFA device`},
		{"endless role", "[profile p]\nrole_arn = arn:aws:iam::123456789012:role/" + strings.Repeat("x", 2048) + "\nsource_profile = q\n", "[q]\n" + keys, `x…" is not the ARN of a role`},
		{"comment behind a value", "[profile p]\nrole_arn = arn:aws:iam::123456789012:role/Admin # mine\nsource_profile = q\n", "[q]\n" + keys, "the AWS CLI takes a comment behind a value for a part of it"},
		{"quoted value", "[profile p]\nrole_arn = \"arn:aws:iam::123456789012:role/Admin\"\nsource_profile = q\n", "[q]\n" + keys, "the AWS CLI takes quotes for a part of the value"},
		{"a user as role", "[profile p]\nrole_arn = arn:aws:iam::123456789012:user/x\nsource_profile = q\n", "[q]\n" + keys, "is not the ARN of a role"},
		{"value over two lines", "[profile p]\nrole_arn = arn:aws:iam::123456789012:role/Admin\n  x\nsource_profile = q\n", "[q]\n" + keys, `"arn:aws:iam::123456789012:role/Admin\nx" is not the ARN of a role`},
		{"terminal escape in a value", "[profile p]\nrole_arn = \x1b]0;x\x07\nsource_profile = q\n", "[q]\n" + keys, `"\x1b]0;x\a" is not the ARN`},
		{"duration too long", "[profile p]\n" + role + "source_profile = q\nduration_seconds = 99999\n", "[q]\n" + keys, "duration_seconds (~/.aws/config:4): a role's session lasts from 15 minutes to 12 hours"},
		{"duration as a block", "[profile p]\n" + role + "source_profile = q\nduration_seconds =\n  a = 900\n", "[q]\n" + keys, "duration_seconds (~/.aws/config:4): is a block of settings"},
		{"duration in other digits", "[profile p]\n" + role + "source_profile = q\nduration_seconds = ３６００\n", "[q]\n" + keys, "has digits that are not 0 to 9"},
		{"session name", "[profile p]\n" + role + "source_profile = q\nrole_session_name = a b\n", "[q]\n" + keys, `"a b" is not a session name`},
		{"empty mfa_process", "[profile p]\n" + role + "source_profile = q\n" + serial + "mfa_process =\n[profile q]\nmfa_process = x\n", "[q]\n" + keys, `profile "p": mfa_process (~/.aws/config:5): is empty`},
		{"no command in mfa_process", "[profile p]\n" + role + "source_profile = q\n" + serial + "MFA_Process = \"\" s3cr3t\n", "[q]\n" + keys, `profile "p": mfa_process (~/.aws/config:5): has no command`},
		{"open quote in mfa_process", "[profile p]\n" + role + "source_profile = q\n" + serial + "mfa_process = op \"s3cr3t\n", "[q]\n" + keys, `profile "p": mfa_process (~/.aws/config:5): a quote`},
		{"mfa_process as a block", "[profile p]\n" + role + "source_profile = q\n" + serial + "mfa_process =\n  op = s3cr3t\n", "[q]\n" + keys, `profile "p": mfa_process (~/.aws/config:5): starts on a line below its name`},
		{"open quote in the source's mfa_process", "[profile p]\n" + role + "source_profile = q\n" + serial, "[q]\n" + keys + "mfa_process = op \"s3cr3t\n", `profile "q": mfa_process (~/.aws/credentials:4): a quote`},
		{"Identity Center", "[profile p]\nsso_session = s\n", "", `profile "p" uses IAM Identity Center`},
		{"keys alone", "", "[p]\n" + keys, `profile "p" uses access keys`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			set := mustLoad(t, c.config, c.credentials, nil)
			p, err := set.Profile("p")
			if err != nil {
				t.Fatal(err)
			}
			_, err = p.Login()
			if err == nil {
				t.Fatal("got no error")
			}
			home := filepath.Dir(filepath.Dir(set.config.path))
			if got := strings.ReplaceAll(strings.ReplaceAll(err.Error(), home, "~"), `~\.aws\`, "~/.aws/"); !strings.Contains(got, c.want) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if strings.Contains(err.Error(), "wJalr") || strings.Contains(err.Error(), "s3cr3t") {
				t.Errorf("secret in %q", err)
			}
		})
	}
}

func TestAProfileMayBeItsOwnSourceOfKeys(t *testing.T) {
	set := mustLoad(t, "[profile p]\n"+role+"source_profile = p\n", "[p]\n"+keys, nil)
	p, _ := set.Profile("p")
	if r, err := p.Login(); err != nil || r.Source.Profile != "p" || r.Source.Keys.AccessKeyID == "" {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestAChainIsWalkedDownToTheKeys(t *testing.T) {
	set := mustLoad(t, "[profile b]\n"+role+"source_profile = a\n[profile a]\n"+role+"source_profile = base\n", "[base]\n"+keys, nil)
	p, _ := set.Profile("b")
	r, err := p.Login()
	if err != nil || r.Source.Login == nil || r.Source.Login.Source.Profile != "base" {
		t.Errorf("got %+v, %v", r, err)
	}
}

// As for the AWS CLI, keys in a source profile come before its role_arn.
func TestKeysOfASourceComeBeforeItsRole(t *testing.T) {
	set := mustLoad(t, "[profile b]\n"+role+"source_profile = a\n[profile a]\n"+role+"source_profile = nowhere\n", "[a]\n"+keys, nil)
	p, _ := set.Profile("b")
	if r, err := p.Login(); err != nil || r.Source.Login != nil || r.Source.Profile != "a" {
		t.Errorf("got %+v, %v", r, err)
	}
}

// The user whose keys are used has the device that the codes are of; a role in
// between has nothing to say.
func TestMFAProcessIsTheProfilesOwnElseThatOfTheKeys(t *testing.T) {
	const serial = "mfa_serial = arn:aws:iam::123456789012:mfa/jane\n"
	environmentKeys := map[string]string{"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "S"}
	for _, c := range []struct {
		name, config, credentials string
		env                       map[string]string
		words                     []string
		from                      string
	}{
		{"own", "[profile p]\n" + role + "source_profile = q\n" + serial + "mfa_process = pass otp aws\n", "[q]\n" + keys + "mfa_process = op\n", nil, []string{"pass", "otp", "aws"}, "config:5"},
		{"own, in the credentials file", "[profile p]\n" + role + "source_profile = q\n" + serial + "mfa_process = pass\n", "[q]\n" + keys + "[p]\nmfa_process = op\n", nil, []string{"op"}, "credentials:5"},
		{"own keys", "[profile p]\n" + role + "source_profile = p\n" + serial, "[p]\n" + keys + "mfa_process = op\n", nil, []string{"op"}, "credentials:4"},
		{"of the source", "[profile p]\n" + role + "source_profile = q\n" + serial + "[profile q]\nmfa_process = op item get \"my aws\" --otp\n", "[q]\n" + keys, nil, []string{"op", "item", "get", "my aws", "--otp"}, "config:6"},
		{"of the end of a chain", "[profile p]\n" + role + "source_profile = q\n" + serial + "[profile q]\n" + role + "source_profile = r\nmfa_process = \"wrong\n", "[r]\n" + keys + "mfa_process = op\n", nil, []string{"op"}, "credentials:4"},
		{"in the middle of a chain only", "[profile p]\n" + role + "source_profile = q\n" + serial + "[profile q]\n" + role + "source_profile = r\nmfa_process = op\n", "[r]\n" + keys, nil, nil, "default"},
		{"inherited", "[DEFAULT]\nmfa_process = op\n[profile p]\n" + role + "source_profile = q\n" + serial, "[q]\n" + keys, nil, []string{"op"}, "config:2"},
		{"over two lines", "[profile p]\n" + role + "source_profile = q\n" + serial + "mfa_process = op\n  otp\n", "[q]\n" + keys, nil, []string{"op", "otp"}, "config:5"},
		{"keys of the environment", "[profile p]\n" + role + "credential_source = Environment\n" + serial, "", environmentKeys, nil, "default"},
		{"without a device", "[profile p]\n" + role + "source_profile = q\nmfa_process = \"wrong\n", "[q]\n" + keys + "mfa_process =\n", nil, nil, "default"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "over two lines" && runtime.GOOS == "windows" {
				t.Skip("only spaces and tabs part words there")
			}
			set := mustLoad(t, c.config, c.credentials, c.env)
			p, err := set.Profile("p")
			if err != nil {
				t.Fatal(err)
			}
			r, err := p.Login()
			if err != nil {
				t.Fatal(err)
			}
			got := r.MFAProcess
			if from := filepath.Base(got.From.String()); !slices.Equal(got.Words, c.words) || got.Set != (c.words != nil) || from != c.from {
				t.Errorf("got %q from %s, want %q from %s", got.Words, from, c.words, c.from)
			}
		})
	}
}

// The arguments of a command may be secrets.
func TestOnlyTheProgramOfACommandIsShown(t *testing.T) {
	for text, want := range map[string]string{"op": "op", "op --pass s3cr3t": "op …", `"my op" s3cr3t`: "my op …"} {
		set := mustLoad(t, "[profile p]\n"+role+"source_profile = p\nmfa_serial = GAHT12345678\nmfa_process = "+text+"\n"+keys, "", nil)
		p, _ := set.Profile("p")
		r, err := p.Login()
		if err != nil {
			t.Fatal(err)
		}
		shown := Setting{}
		for _, s := range r.Settings() {
			if s.Name == "mfa_process" {
				shown = s
			}
		}
		if shown.Text != want || shown.From.Line != 5 {
			t.Errorf("%s: got %q (%s), want %q", text, shown.Text, shown.From, want)
		}
		if out := fmt.Sprintf("%v %+v %#v %v %+v %#v", r.MFAProcess, r.MFAProcess, r.MFAProcess, r, *r, *r); strings.Contains(out, "s3cr3t") {
			t.Errorf("%s: got %s", text, out)
		}
	}
}

func TestNearNames(t *testing.T) {
	names := []string{"default", "mfa", "mfa-prod", "prod", "staging", "Dev"}
	for name, want := range map[string][]string{
		"mfs":    {"mfa"},
		"fma":    {"mfa"},
		"dev":    {"Dev"},
		"mfa":    {"mfa", "mfa-prod"},
		"stagin": {"staging"},
		"zzzzzz": nil,
	} {
		if got := near(name, names); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestTheFileVariablesExpandHomeAndVariables(t *testing.T) {
	home := t.TempDir()
	write(t, filepath.Join(home, "x", "cfg"), "[profile p]\nk = 1\n")
	for _, path := range []string{"~/x/cfg", "$HOME/x/cfg", "${HOME}/$SUB/cfg", filepath.Join(home, "x", "cfg")} {
		set, err := Load(environment(map[string]string{"HOME": home, "USERPROFILE": home, "SUB": "x", "AWS_CONFIG_FILE": path}))
		if err != nil || !set.Has("p") {
			t.Errorf("%s: got %v, %v", path, set, err)
		}
	}
	// Unknown variables stay, an empty variable means no file at all.
	for _, path := range []string{"$NOWHERE/x/cfg", ""} {
		set, err := Load(environment(map[string]string{"HOME": home, "USERPROFILE": home, "AWS_CONFIG_FILE": path}))
		if err != nil || len(set.Names()) != 0 {
			t.Errorf("%q: got %v, %v", path, set.Names(), err)
		}
	}
}

func TestTheCurrentProfile(t *testing.T) {
	for want, env := range map[string]map[string]string{
		"default": {},
		"a":       {"AWS_PROFILE": "a", "AWS_DEFAULT_PROFILE": "b"},
		"b":       {"AWS_DEFAULT_PROFILE": "b"},
		"":        {"AWS_PROFILE": "", "AWS_DEFAULT_PROFILE": "b"}, // set but empty: the AWS CLI takes it for a name too
	} {
		if got := mustLoad(t, "", "", env).Current().Text; got != want {
			t.Errorf("%v: got %q, want %q", env, got, want)
		}
	}
}

func TestNetworkSettings(t *testing.T) {
	config := "[profile p]\nregion = eu-west-1\nendpoint_url = https://all.example\nservices = s\nca_bundle = /ca\nmax_attempts = 5\nsts_regional_endpoints = legacy\nuse_fips_endpoint = True\n" +
		"[services s]\nsts =\n  endpoint_url = https://sts.example\n"
	for _, c := range []struct {
		name string
		env  map[string]string
		want Network
	}{
		{"profile", nil, Network{Region: Value{Text: "eu-west-1"}, STS: Value{Text: "https://sts.example"}, Signin: Value{Text: "https://all.example"}, CABundle: Value{Text: "/ca"}, FIPS: true, LegacySTS: true, MaxAttempts: 5}},
		{"environment", map[string]string{"AWS_REGION": "r1", "AWS_DEFAULT_REGION": "r2", "AWS_ENDPOINT_URL": "http://e", "AWS_ENDPOINT_URL_SIGNIN": "http://s", "AWS_CA_BUNDLE": "/x", "AWS_MAX_ATTEMPTS": "2", "AWS_USE_FIPS_ENDPOINT": "false", "AWS_STS_REGIONAL_ENDPOINTS": "regional", "AWS_USE_DUALSTACK_ENDPOINT": "true"},
			Network{Region: Value{Text: "r1"}, STS: Value{Text: "http://e"}, Signin: Value{Text: "http://s"}, CABundle: Value{Text: "/x"}, DualStack: true, MaxAttempts: 2}},
		{"ignored", map[string]string{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true", "AWS_ENDPOINT_URL_STS": "http://e", "AWS_DEFAULT_REGION": "r2", "AWS_USE_FIPS_ENDPOINT": "no", "AWS_STS_REGIONAL_ENDPOINTS": "regional"},
			Network{Region: Value{Text: "r2"}, CABundle: Value{Text: "/ca"}, MaxAttempts: 5}},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := mustLoad(t, config, "", c.env)
			p, _ := set.Profile("p")
			got, err := set.Network(p)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range []*Value{&got.Region, &got.STS, &got.Signin, &got.CABundle} {
				*v = Value{Text: v.Text}
			}
			got.Settings = nil
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
	for setting, want := range map[string]string{
		"region = evil.example/x":         `region (config:2): "evil.example/x" is not a region`,
		"endpoint_url = ftp://x":          "endpoint_url (sts) (config:2): is not the base URL",
		"endpoint_url = https://u:pw@x":   "endpoint_url (sts) (config:2): is not the base URL",
		"services = none":                 "services (config:2): there is no section [services none]",
		"max_attempts = zero":             `max_attempts (config:2): "zero" is not a number`,
		"sts_regional_endpoints = global": `"global" is neither legacy nor regional`,
	} {
		set := mustLoad(t, "[profile p]\n"+setting+"\n", "", nil)
		p, _ := set.Profile("p")
		_, err := set.Network(p)
		dir := filepath.Dir(set.config.path) + string(filepath.Separator)
		if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), dir, ""), want) {
			t.Errorf("%s: got %v, want %s", setting, err, want)
		}
	}
}

func TestFilesThatAreNoFiles(t *testing.T) {
	dir := t.TempDir()
	env := map[string]string{"HOME": dir, "USERPROFILE": dir, "AWS_CONFIG_FILE": dir}
	var pathError *os.PathError
	if _, err := Load(environment(env)); !errors.As(err, &pathError) {
		t.Errorf("a directory: got %v", err)
	}
	env["AWS_CONFIG_FILE"] = os.DevNull
	if set, err := Load(environment(env)); err != nil || len(set.Names()) != 0 {
		t.Errorf("a device: got %v, %v", set, err)
	}
}

// Python's int is what decides the cache name of duration_seconds.
func TestDurationsAreReadAsPythonReadsThem(t *testing.T) {
	python := pythonWith(t, "json")
	for _, in := range []string{"3600", "+03_600", " 900 ", "-5", "-0", "1__0", "_1", "1_", "", "+", "1h", "0x10", "1.0", "99999999999999999999", "0_0", "+ 1"} {
		out, err := exec.Command(python, "-c", "import sys\ntry: print(int(sys.argv[1]))\nexcept ValueError: pass", in).Output()
		if err != nil {
			t.Fatal(err)
		}
		got, ok := pythonInt(in)
		if want := strings.TrimSpace(string(out)); got != want || ok != (want != "") {
			t.Errorf("%q: got %q %v, want %q", in, got, ok, want)
		}
	}
}

func TestAKeyTellsItsAccount(t *testing.T) {
	for id, want := range map[string]string{
		"AKIARZPUZDIKBSBTTUYG":  "123456789012", // issued by moto 5 for that account
		"ASIARZPUZDIKJXNCR77H":  "123456789012",
		"AKIAIOSFODNN7EXAMPLE":  "", // the older form does not tell
		"AKIA":                  "",
		"AKIARZPUZDIK0SBTTUYG":  "",
		"AKIARZPUZDIKBSBTTUYGX": "",
	} {
		if got := accountOf(id); got != want {
			t.Errorf("%s: got %q, want %q", id, got, want)
		}
	}
}

func TestKeysDoNotPrint(t *testing.T) {
	k := Keys{AccessKeyID: "AKIA", SecretAccessKey: "s3cr3t", SessionToken: "t0ken"}
	out := fmt.Sprintf("%v %+v %#v %s %+v", k, k, k, k, Source{Keys: k})
	if strings.Contains(out, "s3cr3t") || strings.Contains(out, "t0ken") {
		t.Errorf("got %s", out)
	}
}

func BenchmarkLoad(b *testing.B) {
	var text strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&text, "[profile p%d]\n%ssource_profile = base\nregion = eu-west-1\n\n", i, role)
	}
	dir := b.TempDir()
	path := filepath.Join(dir, "config")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	env := environment(map[string]string{"HOME": dir, "USERPROFILE": dir, "AWS_CONFIG_FILE": path})
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			os.ReadFile(path)
		}
	})
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			set, err := Load(env)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := set.Profile("p9999"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// Errors of many profiles must not each search all the others: ns/profile
// stays the same from 100 to 2,000.
func BenchmarkProfilesThatCannotWork(b *testing.B) {
	for _, n := range []int{100, 2000} {
		var text strings.Builder
		for i := range n {
			fmt.Fprintf(&text, "[profile s%d]\nsso_role_name = x\n[profile u%d]\n%ssource_profile = nowhere%d\n", i, i, role, i)
		}
		dir := b.TempDir()
		path := filepath.Join(dir, "config")
		if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
			b.Fatal(err)
		}
		set, err := Load(environment(map[string]string{"HOME": dir, "USERPROFILE": dir, "AWS_CONFIG_FILE": path}))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				for _, name := range set.Names() {
					p, err := set.Profile(name)
					if err != nil {
						b.Fatal(err)
					}
					if _, err := p.Login(); err == nil {
						b.Fatal("got no error")
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*2*n), "ns/profile")
		})
	}
}

func TestWhereTheKeysComeFrom(t *testing.T) {
	const (
		device = "mfa_serial = arn:aws:iam::123456789012:mfa/jane\n"
		sso    = "sso_start_url = https://x\nsso_region = eu-west-1\nsso_account_id = 123456789012\nsso_role_name = R\n"
	)
	for _, c := range []struct{ name, config, credentials, want string }{
		{"keys", "[profile p]\n" + role + "source_profile = q\n", "[q]\n" + keys, "role(keys q)"},
		{"a process", "[profile p]\n" + role + "source_profile = q\n[profile q]\ncredential_process = x y\n", "", "role(process x)"},
		{"a process before keys of its own file", "[profile p]\n" + role + "source_profile = q\n[profile q]\ncredential_process = x\n" + keys, "", "role(process x)"},
		{"the machine", "[profile p]\n" + role + "credential_source = Ec2InstanceMetadata\n", "", "role(Ec2InstanceMetadata)"},
		{"the container", "[profile p]\n" + role + "credential_source = EcsContainer\n", "", "role(EcsContainer)"},
		{"a web identity", "[profile p]\n" + role + "web_identity_token_file = /t\n", "", "token /t"},
		{"a source with a web identity", "[profile p]\n" + role + "source_profile = q\n[profile q]\nweb_identity_token_file = /t\n" + role, "[q]\n" + keys, "role(token /t)"},
		{"Identity Center", "[profile p]\n" + role + "source_profile = q\n[profile q]\n" + sso, "", "role(sso R)"},
		{"Identity Center by session", "[profile p]\n" + role + "source_profile = q\n[profile q]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = R\n[sso-session s]\nsso_region = eu-west-1\nsso_start_url = https://x\n", "", "role(sso R)"},
		{"Identity Center by session, which has the account too", "[profile p]\n" + role + "source_profile = q\n[profile q]\nsso_session = s\nsso_role_name = R\n[sso-session s]\nsso_region = eu-west-1\nsso_start_url = https://x\nsso_account_id = 123456789012\n", "", "role(sso R)"},
		{"a chain", "[profile p]\n" + role + "source_profile = q\n[profile q]\n" + role + "source_profile = r\n[profile r]\ncredential_process = x\n", "", "role(role(process x))"},
		{"an MFA session", "[profile p]\n" + device, "[p]\n" + keys, "mfa jane(keys p)"},
		{"our process", "[profile p]\ncredential_process = /usr/bin/aws-mfa-login q --format process\n[profile q]\n" + role + "source_profile = r\n", "[r]\n" + keys, "role(keys r)"},
		{"our process for an MFA session as source", "[profile p]\n" + role + "source_profile = q\n[profile q]\ncredential_process = \"/opt/my bin/aws-mfa-login\" jane --format=process --no-input\n[profile jane]\n" + device, "[jane]\n" + keys, "role(mfa jane(keys jane))"},
		{"our process for a role on keys of its own", "[profile p]\ncredential_process = aws-mfa-login q\n[profile q]\n" + role + "source_profile = q\n", "[q]\n" + keys, "role(keys q)"},
		{"our process in a role that is its own source", "[profile p]\n" + role + "source_profile = p\ncredential_process = aws-mfa-login q\n" + keys + "[profile q]\n" + role + "source_profile = r\n", "[r]\n" + keys, "role(role(keys r))"},
		{"a program of another name", "[profile p]\n" + role + "source_profile = q\n[profile q]\ncredential_process = my-aws-mfa-login r\n", "", "role(process my-aws-mfa-login)"},
		{"own device opens an MFA session", "[profile p]\n" + role + device + "source_profile = q\n", "[q]\n" + keys, "role jane(keys q, or mfa jane(keys q))"},
		{"the source's device opens one", "[profile p]\n" + role + "source_profile = q\n[profile q]\n" + device, "[q]\n" + keys, "role(keys q, or mfa jane(keys q))"},
		{"a device that AWS takes in the console only opens none", "[profile p]\n" + role + "source_profile = q\n[profile q]\nmfa_serial = arn:aws:iam::123456789012:u2f/user/jane/k\n", "[q]\n" + keys, "role(keys q)"},
		{"keys that are a session open none", "[profile p]\n" + role + device + "source_profile = q\n", "[q]\n" + keys + "aws_session_token = t\n", "role jane(keys q)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := mustLoad(t, c.config, c.credentials, nil).Profile("p")
			if err != nil {
				t.Fatal(err)
			}
			l, err := p.Login()
			if err != nil {
				t.Fatal(err)
			}
			if got := sketch(l); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// sketch tells what a login takes.
func sketch(l *Login) string {
	text := "role"
	switch {
	case l.TokenFile.Set:
		return "token " + l.TokenFile.Text
	case !l.IsRole():
		text = "mfa"
	}
	if l.SerialNumber.Set {
		text += " " + l.SerialNumber.Text[strings.LastIndexByte(l.SerialNumber.Text, '/')+1:]
	}
	from := ""
	switch s := l.Source; {
	case s.Login != nil:
		from = sketch(s.Login)
	case s.Process.Set:
		from = "process " + s.Process.Words[0]
	case s.SSO != nil:
		from = "sso " + s.SSO.RoleName.Text
	case s.Provider != "":
		from = s.Provider
	default:
		from = "keys " + s.Profile
	}
	if l.Source.MFA != nil {
		from += ", or " + sketch(l.Source.MFA)
	}
	return text + "(" + from + ")"
}
