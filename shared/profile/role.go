package profile

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode"
)

// A Role is one AssumeRole call as a profile asks for it, checked for what
// can be known before AWS is asked.
type Role struct {
	Profile      string
	RoleARN      Value
	SerialNumber Value
	MFAProcess   Command // that prints codes of SerialNumber; not Set where there is none
	ExternalID   Value
	SessionName  Value
	Duration     Value  // duration_seconds as written
	Seconds      string // Duration as a decimal integer; "" where there is none or it is not a number, which the AWS CLI then ignores
	Source       Source
	Network      Network // of the profile that was asked for, also for the roles it is chained to
}

// A Source is where the keys come from that call AssumeRole.
type Source struct {
	Profile string // that holds the keys; "" for the environment
	Setting Value  // source_profile or credential_source
	Keys    Keys   // unless Role is set
	Role    *Role  // the source is itself a role: a chain
}

// Keys are an access key: long-term, or with a session token.
type Keys struct {
	AccessKeyID, SecretAccessKey, SessionToken string
	Expiration                                 Value // where something wrote it down
	From                                       Origin
}

// String keeps the secret out of everything that prints.
func (k Keys) String() string   { return "access key from " + k.From.String() }
func (k Keys) GoString() string { return k.String() }

// Temporary tells keys of a session from long-term ones.
func (k Keys) Temporary() bool { return k.SessionToken != "" }

// A Command is a program and its arguments, run without a shell.
type Command struct {
	Value          // as written
	Words []string // the program first; never empty where Set
}

// String keeps the arguments, which may be secrets, out of everything that
// prints.
func (c Command) String() string {
	switch len(c.Words) {
	case 0:
		return ""
	case 1:
		return c.Words[0]
	}
	return c.Words[0] + " …"
}
func (c Command) GoString() string { return c.String() }

// A SettingError is a setting of a profile that cannot be used.
type SettingError struct {
	Profile string
	Key     string
	From    Origin // zero: the setting is missing
	Reason  string
}

func (e *SettingError) Error() string {
	text := fmt.Sprintf("profile %q: %s", e.Profile, e.Key)
	if e.From != (Origin{}) {
		text += " (" + e.From.String() + ")"
	}
	return text + ": " + e.Reason
}

// A LoopError is a source_profile chain that comes back to where it was.
type LoopError struct {
	Profiles []string // in order; the last one is also an earlier one
	From     Origin   // of the source_profile that closes the loop
}

func (e *LoopError) Error() string {
	quoted := make([]string, len(e.Profiles))
	for i, name := range e.Profiles {
		quoted[i] = fmt.Sprintf("%q", name)
	}
	return fmt.Sprintf("source_profile (%s) goes in a loop: %s", e.From, strings.Join(quoted, " → "))
}

// A Kind is a way of getting credentials that a profile may ask for.
type Kind int

const (
	NoCredentials  Kind = iota
	StaticKeys          // aws_access_key_id
	AssumeRole          // role_arn with source_profile or credential_source
	IdentityCenter      // sso_session or sso_start_url
	ConsoleLogin        // login_session, of `aws login`
	WebIdentity         // web_identity_token_file
	Process             // credential_process
	MFASession          // mfa_serial and keys, without a role
)

func (k Kind) String() string {
	return [...]string{"no credentials", "access keys", "a role", "IAM Identity Center", "aws login", "web identity", "credential_process", "an MFA session"}[k]
}

// Kind is how the profile gets its credentials, by the AWS CLI's order of
// precedence for a named profile.
func (p *Profile) Kind() Kind {
	if p.Value("role_arn").Set && !p.Value("web_identity_token_file").Set {
		return AssumeRole
	}
	return p.keysKind()
}

// keysKind is how the profile gets keys by other means than a role with a
// source: that is how the AWS CLI takes the keys of a source profile.
func (p *Profile) keysKind() Kind {
	has := func(key string) bool { return p.Value(key).Set }
	static := StaticKeys
	if has("mfa_serial") {
		static = MFASession
	}
	_, inCredentials := p.credentials["aws_access_key_id"]
	switch {
	case has("role_arn") && has("web_identity_token_file"):
		return WebIdentity
	case has("sso_account_id") || has("sso_role_name"):
		return IdentityCenter
	case inCredentials:
		return static
	case has("login_session"):
		return ConsoleLogin
	case has("credential_process"):
		return Process
	case has("aws_access_key_id"):
		return static
	case has("sso_session") || has("sso_start_url"): // not enough for the AWS CLI either
		return IdentityCenter
	}
	return NoCredentials
}

// An UnsupportedError is a profile that gets its credentials in a way that
// can't be used for what was asked.
type UnsupportedError struct {
	Profile string
	Kind    Kind
	Via     string          // the profile that names it as its source, if one does
	Roles   func() []string // some profiles that have a role; nil for none
}

func (e *UnsupportedError) Error() string {
	if e.Via != "" {
		return fmt.Sprintf("profile %q takes its keys from profile %q, which uses %s", e.Via, e.Profile, e.Kind)
	}
	return fmt.Sprintf("profile %q uses %s", e.Profile, e.Kind)
}

// Role is what signing in to the profile takes: the role, and the whole chain
// of sources down to keys. Errors: *SettingError, *LoopError,
// *UnknownProfileError, *UnsupportedError, *SyntaxError.
func (p *Profile) Role() (*Role, error) {
	if kind := p.Kind(); kind != AssumeRole {
		return nil, &UnsupportedError{Profile: p.Name, Kind: kind, Roles: p.set.roles}
	}
	network, err := p.set.Network(p)
	if err != nil {
		return nil, err
	}
	r, err := p.role(nil)
	for link := r; err == nil && link != nil; link = link.Source.Role {
		link.Network = network
	}
	return r, err
}

// Settings are all values in the role that somebody set, under the names of
// the config file. Secrets are not among them.
func (r *Role) Settings() []Setting {
	all := []Setting{
		{"role_arn", r.RoleARN}, {"mfa_serial", r.SerialNumber},
		{"mfa_process", Value{Text: r.MFAProcess.String(), Set: r.MFAProcess.Set, From: r.MFAProcess.From}},
		{"external_id", r.ExternalID},
		{"role_session_name", r.SessionName}, {"duration_seconds", r.Duration}, {"source_profile", r.Source.Setting},
		{"aws_access_key_id", Value{Text: "(not shown)", Set: r.Source.Role == nil, From: r.Source.Keys.From}},
	}
	return append(slices.DeleteFunc(all, func(s Setting) bool { return !s.Set }), r.Network.Settings...)
}

// roles are the first few profiles that have a role.
func (s *Set) roles() (names []string) {
	for _, name := range s.Names() {
		p, err := s.Profile(name)
		if err == nil && p.Kind() == AssumeRole {
			names = append(names, name)
		}
		if len(names) == maxNear {
			break
		}
	}
	return names
}

// role resolves the profile as a role; above are the profiles that led here.
func (p *Profile) role(above []string) (*Role, error) {
	r := &Role{
		Profile:      p.Name,
		RoleARN:      p.Value("role_arn"),
		SerialNumber: p.Value("mfa_serial"),
		ExternalID:   p.Value("external_id"),
		SessionName:  p.Value("role_session_name"),
		Duration:     p.Value("duration_seconds"),
	}
	if err := p.check("role_arn", checkRoleARN); err != nil {
		return nil, err
	}
	if err := p.check("external_id", checkExternalID); err != nil {
		return nil, err
	}
	if err := p.check("role_session_name", checkSessionName); err != nil {
		return nil, err
	}
	if err := p.checkDuration(r); err != nil {
		return nil, err
	}
	var err error
	if r.Source, err = p.source(append(above, p.Name)); err != nil {
		return nil, err
	}
	if r.Source.Setting = p.Value("source_profile"); !r.Source.Setting.Set {
		r.Source.Setting = p.Value("credential_source")
	}
	if err := p.check("mfa_serial", func(serial string) error {
		return checkSerial(serial, r.RoleARN.Text, p.keyAccount(r.Source))
	}); err != nil {
		return nil, err
	}
	r.MFAProcess, err = p.mfaProcess(r)
	return r, err
}

// mfaProcess is the command that prints the role's MFA codes: the profile's
// own, else that of the profile with the keys, whose user has the device.
func (p *Profile) mfaProcess(r *Role) (Command, error) {
	if !r.SerialNumber.Set {
		return Command{}, nil
	}
	c, err := p.command("mfa_process")
	if c.Set || err != nil {
		return c, err
	}
	last := r.Source
	for last.Role != nil {
		last = last.Role.Source
	}
	if last.Profile == "" {
		return Command{}, nil
	}
	holder, err := p.set.Profile(last.Profile)
	if err != nil {
		return Command{}, err
	}
	return holder.command("mfa_process")
}

// command reads a setting that is a command, if it is there.
func (p *Profile) command(key string) (Command, error) {
	c := Command{Value: p.Value(key)}
	return c, p.check(key, func(text string) (err error) {
		c.Words, err = splitCommand(text, runtime.GOOS)
		return err
	})
}

// splitCommand does not show what is wrong: it may hold a secret.
func splitCommand(text, goos string) ([]string, error) {
	if strings.HasPrefix(text, "\n") {
		return nil, errors.New("starts on a line below its name, which makes it a block of settings")
	}
	parts, err := commandWords(text, goos)
	switch {
	case err != nil:
		return nil, err
	case strings.TrimFunc(text, isSpace) == "":
		return nil, errors.New("is empty")
	case len(parts) == 0 || parts[0] == "":
		return nil, errors.New("has no command")
	}
	return parts, nil
}

// check applies a rule to a setting, if it is there.
func (p *Profile) check(key string, rule func(string) error) error {
	v := p.Value(key)
	if !v.Set {
		return nil
	}
	if err := rule(v.Text); err != nil {
		return &SettingError{Profile: p.Name, Key: key, From: v.From, Reason: err.Error()}
	}
	return nil
}

// checkDuration reads duration_seconds as Python's int does. What is no
// number has no effect for the AWS CLI, and so has none here.
func (p *Profile) checkDuration(r *Role) error {
	seconds, ok := pythonInt(r.Duration.Text)
	switch {
	case !r.Duration.Set:
		return nil
	case strings.ContainsFunc(r.Duration.Text, func(c rune) bool { return c > unicode.MaxASCII && unicode.IsDigit(c) }):
		return &SettingError{Profile: p.Name, Key: "duration_seconds", From: r.Duration.From, Reason: "has digits that are not 0 to 9"}
	case !ok:
		return nil
	}
	r.Seconds = seconds
	return p.check("duration_seconds", func(string) error {
		d, err := time.ParseDuration(seconds + "s")
		if err != nil {
			return fmt.Errorf("%s is out of range", quote(r.Duration.Text))
		}
		return CheckDuration(d)
	})
}

// The bounds of DurationSeconds of AssumeRole. Source:
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const (
	MinDuration = 15 * time.Minute
	MaxDuration = 12 * time.Hour
)

// CheckDuration says whether AssumeRole takes that duration for any role.
func CheckDuration(d time.Duration) error {
	if d < MinDuration || d > MaxDuration || d%time.Second != 0 {
		return fmt.Errorf("a role's session lasts from 15 minutes to 12 hours, not %s", Short(d))
	}
	return nil
}

// Short is d without the units that are zero: 12h, 90m as 1h30m, 45s.
func Short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func checkExternalID(s string) error {
	if len(s) < 2 || len(s) > 1224 || !plain(s) {
		return fmt.Errorf("%s is not an external id (2 to 1224 of A-Z a-z 0-9 and _+=,.@:/-)%s", quote(s), notTheCLIs(s))
	}
	return nil
}

// checkSessionName lets an empty name pass: the AWS CLI makes one up then.
func checkSessionName(s string) error {
	if s != "" && (len(s) < 2 || len(s) > 64 || !plain(s) || strings.ContainsAny(s, "/:")) {
		return fmt.Errorf("%s is not a session name (2 to 64 of A-Z a-z 0-9 and _+=,.@-)%s", quote(s), notTheCLIs(s))
	}
	return nil
}

// source finds the keys for the profile, which is the last of the chain.
func (p *Profile) source(chain []string) (Source, error) {
	named, credentialSource := p.Value("source_profile"), p.Value("credential_source")
	switch {
	case named.Set && credentialSource.Set:
		return Source{}, &SettingError{Profile: p.Name, Key: "credential_source", From: credentialSource.From,
			Reason: "stands beside source_profile (" + named.From.String() + "); the AWS CLI takes one of them"}
	case credentialSource.Set:
		return p.environmentSource(credentialSource)
	case !named.Set:
		return Source{}, &SettingError{Profile: p.Name, Key: "source_profile", Reason: "is not set, so there are no keys to assume the role with"}
	}
	if named.Text == p.Name && len(chain) == 1 && p.hasKeys() {
		return p.keysSource(p)
	}
	for i, earlier := range chain {
		if earlier == named.Text {
			return Source{}, &LoopError{Profiles: append(chain[i:len(chain):len(chain)], named.Text), From: named.From}
		}
	}
	next, err := p.set.Profile(named.Text)
	if unknown, ok := err.(*UnknownProfileError); ok {
		unknown.From = named.From
	}
	if err != nil {
		return Source{}, err
	}
	if next.Kind() == AssumeRole && !next.hasKeys() {
		role, err := next.role(chain)
		return Source{Profile: next.Name, Role: role}, err
	}
	return p.keysSource(next)
}

// keysSource is a source profile as the holder of an access key, which it must
// be; half of one is an error of its own.
func (p *Profile) keysSource(holder *Profile) (Source, error) {
	switch kind := holder.keysKind(); {
	case kind == StaticKeys, kind == MFASession, kind == NoCredentials && holder.hasKeys():
		keys, err := holder.Keys()
		return Source{Profile: holder.Name, Keys: keys}, err
	case kind == NoCredentials:
		return Source{}, &SettingError{Profile: p.Name, Key: "source_profile", From: p.Value("source_profile").From,
			Reason: fmt.Sprintf("profile %q has no access keys", holder.Name)}
	default:
		return Source{}, &UnsupportedError{Profile: holder.Name, Kind: kind, Via: p.Name}
	}
}

func (p *Profile) environmentSource(v Value) (Source, error) {
	if v.Text != "Environment" {
		return Source{}, &SettingError{Profile: p.Name, Key: "credential_source", From: v.From,
			Reason: quote(v.Text) + " is not supported, only Environment is"}
	}
	keys, ok, err := p.set.EnvironmentKeys()
	if err == nil && !ok {
		err = &SettingError{Profile: p.Name, Key: "credential_source", From: v.From,
			Reason: "is Environment, but AWS_ACCESS_KEY_ID is not set"}
	}
	return Source{Keys: keys}, err
}

// EnvironmentKeys are the access key in AWS_ACCESS_KEY_ID and its companions;
// ok is false without one.
func (s *Set) EnvironmentKeys() (keys Keys, ok bool, err error) {
	id, secret, token := s.environment("AWS_ACCESS_KEY_ID"), s.environment("AWS_SECRET_ACCESS_KEY"), s.environment("AWS_SECURITY_TOKEN")
	if token.Text == "" { // the older name comes first, as for the AWS CLI
		token = s.environment("AWS_SESSION_TOKEN")
	}
	if id.Text == "" {
		return Keys{}, false, nil
	}
	if secret.Text == "" {
		return Keys{}, false, fmt.Errorf("AWS_ACCESS_KEY_ID is set in the environment but AWS_SECRET_ACCESS_KEY is not")
	}
	return Keys{AccessKeyID: id.Text, SecretAccessKey: secret.Text, SessionToken: token.Text,
		Expiration: s.environment("AWS_CREDENTIAL_EXPIRATION"), From: id.From}, true, nil
}

// hasKeys tells whether either half of an access key is there: the AWS CLI
// then looks no further.
func (p *Profile) hasKeys() bool {
	return p.Value("aws_access_key_id").Set || p.Value("aws_secret_access_key").Set
}

// Keys is the access key that the profile holds itself. Both halves must be
// in one file, as for the AWS CLI.
func (p *Profile) Keys() (Keys, error) {
	values := p.config
	if _, ok := p.credentials["aws_access_key_id"]; ok {
		values = p.credentials
	}
	id, secret := values["aws_access_key_id"], values["aws_secret_access_key"]
	for _, half := range []struct {
		key          string
		value, other Value
	}{{"aws_access_key_id", id, secret}, {"aws_secret_access_key", secret, id}} {
		switch {
		case !half.value.Set && half.other.Set:
			return Keys{}, &SettingError{Profile: p.Name, Key: half.key, Reason: "is missing beside the other half of the access key (" + half.other.From.String() + ")"}
		case !half.value.Set:
			return Keys{}, &SettingError{Profile: p.Name, Key: half.key, Reason: "is missing"}
		case half.value.Text == "" || strings.ContainsAny(half.value.Text, " \t\n"):
			return Keys{}, &SettingError{Profile: p.Name, Key: half.key, From: half.value.From, Reason: "is empty or has spaces in it"}
		}
	}
	token := values["aws_security_token"] // first, as for the AWS CLI
	if !token.Set {
		token = values["aws_session_token"]
	}
	return Keys{AccessKeyID: id.Text, SecretAccessKey: secret.Text, SessionToken: token.Text,
		Expiration: values["expiration"], From: id.From}, nil
}

// keyAccount is the account that the source's keys belong to, or "".
func (p *Profile) keyAccount(s Source) string {
	if s.Role != nil {
		return "" // an MFA device belongs to a user: AWS decides
	}
	if s.Profile != "" {
		if holder, err := p.set.Profile(s.Profile); err == nil && isAccount(holder.Value("aws_account_id").Text) {
			return holder.Value("aws_account_id").Text
		}
	}
	return accountOf(s.Keys.AccessKeyID)
}

// pythonInt reads s as Python's int(s) does (sign, leading zeros, single
// underscores between digits) and returns it as Python prints it.
func pythonInt(s string) (string, bool) {
	s = strings.TrimFunc(s, isSpace)
	negative := strings.HasPrefix(s, "-")
	if negative || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	digits := strings.ReplaceAll(s, "_", "")
	switch {
	case digits == "" || strings.Trim(digits, "0123456789") != "":
		return "", false
	case strings.HasPrefix(s, "_"), strings.HasSuffix(s, "_"), strings.Contains(s, "__"):
		return "", false
	}
	digits = strings.TrimLeft(digits, "0")
	switch {
	case digits == "":
		return "0", true
	case negative:
		return "-" + digits, true
	}
	return digits, true
}
