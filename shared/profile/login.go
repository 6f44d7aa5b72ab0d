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

// A Login is what signing in to a profile takes: one call of AWS STS, checked
// for what can be known before AWS is asked, and where the keys for it come from.
//
// It is AssumeRole; AssumeRoleWithWebIdentity, if TokenFile is set; and
// GetSessionToken, if there is no RoleARN: an MFA session of the user.
type Login struct {
	Profile      string
	RoleARN      Value
	SerialNumber Value
	MFAProcess   Command // that prints codes of SerialNumber; not Set where there is none
	ExternalID   Value
	SessionName  Value
	TokenFile    Value  // with an OpenID Connect token
	Duration     Value  // duration_seconds as written
	Seconds      string // Duration as a decimal integer; "" where there is none or it is not a number, which the AWS CLI then ignores
	Source       Source
	Network      Network // of the profile that was asked for, also for those it is chained to
}

// IsRole tells the session of a role from the MFA session of a user.
func (l *Login) IsRole() bool { return l.RoleARN.Set }

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

func (c Command) shown() Value { return Value{Text: c.String(), Set: c.Set, From: c.From} }

// A SettingError is a setting of a profile that cannot be used.
type SettingError struct {
	Profile string
	Key     string
	From    Origin // zero: the setting is missing
	Source  string // the profile that lacks what it should supply, if one does
	Reason  string
}

func (e *SettingError) Error() string {
	text := fmt.Sprintf("profile %q: %s", e.Profile, e.Key)
	if e.From != (Origin{}) {
		text += " (" + e.From.String() + ")"
	}
	return text + ": " + e.Reason
}

// A LoopError is a chain of profiles that comes back to where it was.
type LoopError struct {
	Profiles []string // in order; the last one is also an earlier one
	Key      string   // source_profile or credential_process
	From     Origin   // of the setting that closes the loop
}

func (e *LoopError) Error() string {
	quoted := make([]string, len(e.Profiles))
	for i, name := range e.Profiles {
		quoted[i] = fmt.Sprintf("%q", name)
	}
	return fmt.Sprintf("%s (%s) goes in a loop: %s", e.Key, e.From, strings.Join(quoted, " → "))
}

// Login is what signing in to the profile takes, with the whole chain of
// sources down to keys. Errors: *SettingError, *LoopError,
// *UnknownProfileError, *UnsupportedError, *SyntaxError.
func (p *Profile) Login() (*Login, error) {
	network, err := p.set.Network(p)
	if err != nil {
		return nil, err
	}
	l, err := p.login(nil)
	if err != nil {
		return nil, err
	}
	if behind, ok := p.Behind(); ok {
		region := network.Region
		if network, err = behind.set.Network(behind); err != nil {
			return nil, err
		}
		if region.Set {
			network.Region = region
		}
	}
	l.reach(network)
	return l, nil
}

// reach gives the login, and all it comes from, the way to AWS.
func (l *Login) reach(n Network) {
	for ; l != nil; l = l.Source.Login {
		l.Network = n
		if l.Source.MFA != nil {
			l.Source.MFA.Network = n
		}
	}
}

// login resolves the profile; above are the profiles that led here.
func (p *Profile) login(above []string) (*Login, error) {
	switch kind := p.Kind(); kind {
	case AssumeRole:
		return p.role(above)
	case WebIdentity:
		return p.webIdentity()
	case MFASession:
		return p.mfaSession()
	case Process:
		if name, from, ok := p.ownProcess(); ok {
			return p.handedOn(name, from, append(above, p.Name))
		}
		fallthrough
	default:
		return nil, &UnsupportedError{Profile: p.Name, Kind: kind, Roles: p.set.Roles}
	}
}

// handedOn is the login of the profile that p's credential_process names.
func (p *Profile) handedOn(name string, from Origin, chain []string) (*Login, error) {
	next, err := p.next("credential_process", name, from, chain)
	if err != nil {
		return nil, err
	}
	return next.login(chain)
}

// next is the profile that a setting leads to, unless that leads in a loop.
func (p *Profile) next(key, name string, from Origin, chain []string) (*Profile, error) {
	if at := slices.Index(chain, name); at >= 0 {
		return nil, &LoopError{Profiles: append(slices.Clone(chain[at:]), name), Key: key, From: from}
	}
	next, err := p.set.Profile(name)
	if unknown, ok := err.(*UnknownProfileError); ok {
		unknown.From = from
	}
	return next, err
}

// Behind is the profile that p hands on, with a credential_process that is
// aws-mfa-login; ok is false if p is no such profile.
func (p *Profile) Behind() (behind *Profile, ok bool) {
	for range len(p.set.config.marks) + 1 {
		name, _, isOurs := p.behind()
		if !isOurs {
			return p, ok
		}
		next, err := p.set.Profile(name)
		if err != nil {
			return nil, false
		}
		p, ok = next, true
	}
	return nil, false
}

func (p *Profile) behind() (name string, from Origin, ok bool) {
	if p.Kind() != Process {
		return "", Origin{}, false
	}
	return p.ownProcess()
}

// HandsOn is the name of the profile that p hands on, which may be one that is
// not there; ok is false if p does something else.
func (p *Profile) HandsOn() (name string, ok bool) {
	name, _, ok = p.behind()
	return name, ok
}

// ownProcess is what a credential_process that is aws-mfa-login names.
func (p *Profile) ownProcess() (name string, from Origin, ok bool) {
	command, err := p.command("credential_process")
	if err != nil {
		return "", Origin{}, false
	}
	if name, ok = ownLogin(command.Words); ok && name == "" {
		p.set.byCurrent.Store(true)
		name = p.set.Current().Text
	}
	return name, command.From, ok
}

// ownLogin is the profile in an aws-mfa-login command, "" for the current one.
func ownLogin(words []string) (name string, ok bool) {
	program := words[0][strings.LastIndexAny(words[0], `/\`)+1:]
	if program != "aws-mfa-login" && !strings.EqualFold(program, "aws-mfa-login.exe") {
		return "", false
	}
	for i := 1; i < len(words); i++ {
		switch word := words[i]; {
		case word == "--format", word == "--duration":
			i++
		case !strings.HasPrefix(word, "-") && name == "":
			name = word
		case !strings.HasPrefix(word, "--"), word == "--":
			return "", false
		}
	}
	return name, true
}

// Settings are all values in the login that somebody set, under the names of
// the config file. Secrets are not among them.
func (l *Login) Settings() []Setting {
	all := []Setting{
		{"role_arn", l.RoleARN}, {"mfa_serial", l.SerialNumber}, {"mfa_process", l.MFAProcess.shown()},
		{"external_id", l.ExternalID}, {"role_session_name", l.SessionName}, {"web_identity_token_file", l.TokenFile},
		{"duration_seconds", l.Duration},
	}
	all = append(all, l.Source.settings()...)
	return append(slices.DeleteFunc(all, func(s Setting) bool { return !s.Set }), l.Network.Settings...)
}

// Roles are the first few profiles that have a role and can work.
func (s *Set) Roles() (names []string) {
	for _, name := range s.Names() {
		if p, err := s.Profile(name); err == nil && p.Kind() == AssumeRole {
			if _, err := p.Login(); err == nil {
				names = append(names, name)
			}
		}
		if len(names) == maxNear {
			break
		}
	}
	return names
}

// role resolves the profile as a role with a source.
func (p *Profile) role(above []string) (*Login, error) {
	l := &Login{
		Profile:      p.Name,
		RoleARN:      p.Value("role_arn"),
		SerialNumber: p.Value("mfa_serial"),
		ExternalID:   p.Value("external_id"),
		SessionName:  p.Value("role_session_name"),
	}
	err := p.checkAll(rule{"role_arn", checkRoleARN}, rule{"external_id", checkExternalID}, rule{"role_session_name", checkSessionName})
	if err != nil {
		return nil, err
	}
	if err := p.readDuration(l); err != nil {
		return nil, err
	}
	if l.Source, err = p.source(append(above, p.Name)); err != nil {
		return nil, err
	}
	if err := p.check("mfa_serial", func(serial string) error {
		return checkSerial(serial, l.RoleARN.Text, p.keyAccount(l.Source))
	}); err != nil {
		return nil, err
	}
	if l.MFAProcess, err = p.mfaProcess(l); err != nil {
		return nil, err
	}
	l.Source.MFA, err = p.sourceMFA(l)
	return l, err
}

// webIdentity resolves the profile as a role with a token of OpenID Connect.
// The AWS CLI looks at no other of its settings.
func (p *Profile) webIdentity() (*Login, error) {
	l := &Login{Profile: p.Name, RoleARN: p.Value("role_arn"), SessionName: p.Value("role_session_name"), TokenFile: p.Value("web_identity_token_file")}
	if !l.RoleARN.Set {
		return nil, &SettingError{Profile: p.Name, Key: "role_arn", Reason: "is not set beside web_identity_token_file (" + l.TokenFile.From.String() + ")"}
	}
	return l, p.checkAll(rule{"role_arn", checkRoleARN}, rule{"role_session_name", checkSessionName}, rule{"web_identity_token_file", checkNotEmpty})
}

// mfaSession resolves the profile as that of a user with an MFA device.
func (p *Profile) mfaSession() (*Login, error) {
	keys, err := p.Keys()
	if err != nil {
		return nil, err
	}
	if keys.Temporary() {
		return nil, &UnsupportedError{Profile: p.Name, Kind: StaticKeys, Roles: p.set.Roles}
	}
	l := &Login{Profile: p.Name, SerialNumber: p.Value("mfa_serial"), Source: Source{Profile: p.Name, Keys: keys}}
	if err := p.check("mfa_serial", func(serial string) error { return checkSerial(serial, "", p.keyAccount(l.Source)) }); err != nil {
		return nil, err
	}
	if err := p.readDuration(l); err != nil {
		return nil, err
	}
	l.MFAProcess, err = p.command("mfa_process")
	return l, err
}

// sourceMFA is the MFA session that the keys of the login can open: with the
// login's own device, else with that of the profile that holds the keys.
func (p *Profile) sourceMFA(l *Login) (*Login, error) {
	if l.Source.Keys.AccessKeyID == "" || l.Source.Keys.Temporary() {
		return nil, nil
	}
	m := &Login{Profile: l.Source.Profile, SerialNumber: l.SerialNumber, MFAProcess: l.MFAProcess, Source: Source{Profile: l.Source.Profile, Keys: l.Source.Keys}}
	if m.Profile != "" && m.Profile != p.Name {
		holder, err := p.set.Profile(m.Profile)
		if err != nil {
			return nil, err
		}
		if own, err := holder.mfaSession(); err == nil && holder.Kind() == MFASession && (!m.SerialNumber.Set || m.SerialNumber.Text == own.SerialNumber.Text) {
			return own, nil
		}
	}
	if !m.SerialNumber.Set {
		return nil, nil // what the AWS CLI does not look at hinders nobody
	}
	return m, nil
}

// mfaProcess is the command that prints the login's MFA codes: the profile's
// own, else that of the profile with the keys, whose user has the device.
func (p *Profile) mfaProcess(l *Login) (Command, error) {
	if !l.SerialNumber.Set {
		return Command{}, nil
	}
	c, err := p.command("mfa_process")
	if c.Set || err != nil {
		return c, err
	}
	last := l.Source
	for last.Login != nil {
		last = last.Login.Source
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
	err := p.check(key, func(text string) (err error) {
		c.Words, err = splitCommand(text, runtime.GOOS)
		return err
	})
	return c, err
}

// splitCommand does not show what is wrong: it may hold a secret.
func splitCommand(text, goos string) ([]string, error) {
	if strings.HasPrefix(text, "\n") {
		return nil, errors.New("starts on a line below its name, which makes it a block of settings")
	}
	parts, err := CommandWords(text, goos)
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

// A rule is what holds for the value of a key.
type rule struct {
	key   string
	holds func(string) error
}

func (p *Profile) checkAll(rules ...rule) error {
	for _, r := range rules {
		if err := p.check(r.key, r.holds); err != nil {
			return err
		}
	}
	return nil
}

// readDuration reads duration_seconds as Python's int does. What is no
// number has no effect for the AWS CLI, and so has none here.
func (p *Profile) readDuration(l *Login) error {
	l.Duration = p.Value("duration_seconds")
	seconds, ok := pythonInt(l.Duration.Text)
	switch {
	case !l.Duration.Set:
		return nil
	case strings.HasPrefix(l.Duration.Text, "\n"): // over which the AWS CLI stumbles
		return &SettingError{Profile: p.Name, Key: "duration_seconds", From: l.Duration.From, Reason: "is a block of settings"}
	case strings.ContainsFunc(l.Duration.Text, func(c rune) bool { return c > unicode.MaxASCII && unicode.IsDigit(c) }):
		return &SettingError{Profile: p.Name, Key: "duration_seconds", From: l.Duration.From, Reason: "has digits that are not 0 to 9"}
	case !ok:
		return nil
	}
	l.Seconds = seconds
	return p.check("duration_seconds", func(string) error {
		d, err := time.ParseDuration(seconds + "s")
		if err != nil {
			return fmt.Errorf("%s is out of range", quote(l.Duration.Text))
		}
		return l.CheckDuration(d)
	})
}

// The bounds of DurationSeconds. Sources:
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html and
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
const (
	MinDuration    = 15 * time.Minute
	MaxDuration    = 12 * time.Hour // of a role's session
	MaxMFADuration = 36 * time.Hour // of an MFA session
)

// CheckDuration says whether AssumeRole takes that duration for any role.
func CheckDuration(d time.Duration) error {
	if d < MinDuration || d > MaxDuration || d%time.Second != 0 {
		return fmt.Errorf("a role's session lasts from 15 minutes to 12 hours, not %s", Short(d))
	}
	return nil
}

// CheckDuration says whether AWS can take that duration for the login.
func (l *Login) CheckDuration(d time.Duration) error {
	if l.IsRole() {
		return CheckDuration(d)
	}
	if d < MinDuration || d > MaxMFADuration || d%time.Second != 0 {
		return fmt.Errorf("an MFA session lasts from 15 minutes to 36 hours, not %s", Short(d))
	}
	return nil
}

// Lasts is how long a new session lasts: as long as asked for, else what the
// profile says, else AWS's default.
func (l *Login) Lasts(asked time.Duration) time.Duration {
	if asked != 0 {
		return asked
	}
	if d, err := time.ParseDuration(l.Seconds + "s"); err == nil {
		return d
	}
	if l.IsRole() {
		return time.Hour
	}
	return 12 * time.Hour
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

func checkNotEmpty(s string) error {
	if s == "" {
		return errors.New("is empty")
	}
	return nil
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
