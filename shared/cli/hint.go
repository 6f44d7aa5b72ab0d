package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"aws-mfa/shared/cache"
	"aws-mfa/shared/mfa"
	"aws-mfa/shared/profile"
	"aws-mfa/shared/session"
)

// hints is our advice about an error: commands that can be pasted, and facts
// that name the setting to look at. program is the one that met it.
func hints(err error, program string) []string {
	name := "PROFILE"
	var in *ProfileError
	if errors.As(err, &in) {
		name = in.Profile
	}
	login := func(flags ...string) string {
		if in != nil && !slices.ContainsFunc(flags, alone) {
			flags = append(flags, in.Asked...)
		}
		return LoginCommand(name, flags...)
	}

	var (
		own     *hinted
		misused UsageError
		refused *session.RefusedError
		network *session.NetworkError
		busy    *session.BusyError
		shared  *session.SharedError
		sso     *session.SSOError
		broken  *cache.BrokenError
		path    *fs.PathError
	)
	switch {
	case errors.As(err, &own):
		return own.hints
	case errors.As(err, &misused):
		return []string{program + " --help"}
	case errors.As(err, &refused):
		return refusedHints(refused, login)
	case errors.As(err, &network):
		return networkHints(network, program, in)
	case errors.As(err, &busy):
		return []string{"is it asking for a code in another terminal? answer it there, or end it with Ctrl-C", "then " + login()}
	case errors.As(err, &sso):
		return []string{AWSCommand("sso login", sso.Profile), "then " + login()}
	case errors.As(err, &shared):
		return []string{"once more: " + login()}
	}
	if out := configHints(err, program); out != nil {
		return out
	}
	if out := codeHints(err, login); out != nil {
		return out
	}
	switch {
	case errors.As(err, &broken) && broken.Reason == cache.HeldTooLong && !onWindows:
		return []string{"the process that holds it may be stopped: lsof " + pathWord(broken.Path)}
	case errors.As(err, &broken):
		return []string{listing(broken.Path)}
	case errors.As(err, &path):
		return pathHints(path)
	}
	return nil
}

// alone tells of a flag that no other goes with, and of one that says how long
// or where.
func alone(flag string) bool {
	return slices.Contains([]string{"--save-seed", "--forget-seed", "--seed-store"}, flag) || strings.HasPrefix(flag, "--force ")
}

// remedy is the one command to run after an error: usually to sign in.
func remedy(err error, login string) string {
	var sso *session.SSOError
	var unsupported *profile.UnsupportedError
	switch {
	case errors.As(err, &sso):
		return AWSCommand("sso login", sso.Profile)
	case errors.As(err, &unsupported) && unsupported.Kind == profile.IdentityCenter:
		return AWSCommand("sso login", unsupported.Profile)
	case errors.As(err, &unsupported) && unsupported.Kind == profile.ConsoleLogin:
		return AWSCommand("login", unsupported.Profile)
	}
	return login
}

// configHints is about what the AWS files say.
func configHints(err error, program string) []string {
	var (
		unknown     *profile.UnknownProfileError
		syntax      *profile.SyntaxError
		setting     *profile.SettingError
		loop        *profile.LoopError
		unsupported *profile.UnsupportedError
	)
	switch {
	case errors.As(err, &unknown):
		return unknownProfile(unknown, program)
	case errors.As(err, &syntax):
		return []string{"the AWS CLI refuses the whole file because of this line"}
	case errors.As(err, &setting):
		return settingHints(setting)
	case errors.As(err, &loop):
		return []string{"one of these profiles must take its keys from a profile with an access key"}
	case errors.As(err, &unsupported):
		return unsupportedHints(unsupported, program)
	}
	return nil
}

// codeHints is about where codes come from.
func codeHints(err error, login func(...string) string) []string {
	atHand := "with a code at hand: " + login("--token-code NNNNNN")
	inFile := login("--save-seed", "--seed-store", "file")
	var (
		noTerminal *mfa.NoTerminalError
		code       *mfa.CodeError
		used       *mfa.UsedError
		seed       *mfa.SeedError
		keyring    *mfa.KeyringError
		process    *mfa.ProcessError
	)
	switch {
	case errors.As(err, &noTerminal):
		return noTerminalHints(noTerminal, login)
	case errors.As(err, &code):
		return []string{login("--token-code NNNNNN")}
	case errors.As(err, &used):
		return []string{"AWS takes a code once: wait for the next one, then " + login()}
	case errors.As(err, &seed):
		return []string{"a seed is what AWS showed as \"secret key\" or as a QR picture when the MFA device was made", "from the picture: zbarimg --raw qr.png | " + login("--save-seed")}
	case errors.As(err, &keyring):
		return []string{"in a file under a passphrase instead: " + inFile}
	case errors.As(err, &process):
		return []string{atHand}
	case errors.Is(err, mfa.ErrPassphrase), errors.Is(err, mfa.ErrNoPassphrase):
		return []string{atHand, "to begin anew, with the seed at hand: " + inFile}
	case errors.Is(err, mfa.ErrEnded):
		return []string{login()}
	}
	return nil
}

// pathHints is about a file that could not be read or written.
func pathHints(e *fs.PathError) []string {
	place := e.Path
	switch e.Op { // it is the directory that counts
	case "write", "sync", "close", "replace", "remove", "make a new file beside":
		place = filepath.Dir(place)
	}
	for parent := filepath.Dir(place); parent != place; parent = filepath.Dir(place) {
		if _, err := os.Lstat(place); err == nil {
			break
		}
		place = parent
	}
	switch {
	case strings.HasPrefix(e.Path, "/dev/"):
		return nil
	case isFull(e):
		return diskSpace(place)
	case errors.Is(e, syscall.EDQUOT):
		return []string{"quota -s"}
	case errors.Is(e, syscall.EROFS):
		return diskSpace(place)[:1]
	}
	return []string{listing(place)}
}

func unknownProfile(e *profile.UnknownProfileError, program string) (out []string) {
	for _, n := range ask(e.Near) {
		if e.From.File == "" {
			out = append(out, onProfile(program, n))
		} else {
			out = append(out, fmt.Sprintf("there is a profile %q", n))
		}
	}
	if out == nil {
		files := slices.DeleteFunc(slices.Clone(e.Files), func(f string) bool { return f == "" })
		out = append(out, "profiles are read from "+strings.Join(files, " and "), "aws configure list-profiles")
	}
	return out
}

func settingHints(e *profile.SettingError) []string {
	switch e.Key {
	case "source_profile":
		if e.Source != "" {
			return []string{"aws configure" + profileFlag(e.Source)}
		}
		return []string{"aws configure set source_profile default" + profileFlag(e.Profile)}
	case "credential_source":
		return nil
	case "mfa_serial":
		return []string{listDevices(""), "aws configure set mfa_serial VALUE" + profileFlag(e.Profile)}
	case "aws_access_key_id", "aws_secret_access_key":
		return []string{"aws configure" + profileFlag(e.Profile)}
	}
	switch {
	case e.From.Env != "":
		return []string{unset(e.From.Env)}
	case strings.ContainsAny(e.Key, " ("):
		return nil
	}
	return []string{"aws configure set " + e.Key + " VALUE" + profileFlag(e.Profile)}
}

func unsupportedHints(e *profile.UnsupportedError, program string) []string {
	switch e.Kind {
	case profile.IdentityCenter:
		return []string{"not supported yet, so: aws sso login" + profileFlag(e.Profile)}
	case profile.ConsoleLogin:
		return []string{"not supported yet, so: aws login" + profileFlag(e.Profile)}
	case profile.StaticKeys, profile.MFASession, profile.NoCredentials:
		return roleHints(e, program)
	}
	return []string{"such a profile signs in by itself; a role can take its keys from it, by source_profile"}
}

// ask returns names that an error can look for: among thousands of profiles
// that takes a while, and few errors come to be told.
func ask(look func() []string) []string {
	if look == nil {
		return nil
	}
	return look()
}

// roleHints names the profiles that can be signed in to, or what makes one.
func roleHints(e *profile.UnsupportedError, program string) (out []string) {
	if program == "aws-mfa-console" {
		out = append(out, "AWS opens the console with the session of a role only")
	}
	roles := ask(e.Roles)
	for _, n := range roles {
		out = append(out, onProfile(program, n))
	}
	if len(roles) == 0 || e.Kind == profile.NoCredentials {
		out = append(out, "a profile to sign in to has role_arn, source_profile and mfa_serial, or an access key and mfa_serial")
	}
	return out
}

func refusedHints(e *session.RefusedError, login func(...string) string) []string {
	serial := ""
	if e.Login != nil && e.Login.SerialNumber.Set {
		serial = fmt.Sprintf("mfa_serial is %s (%s)", e.Login.SerialNumber.Text, e.Login.SerialNumber.From)
	}
	switch e.Reason {
	case session.WrongCode:
		return wrongCodeHints(e, serial, login)
	case session.WrongSerial:
		if e.Keys.Temporary() {
			return []string{"the role is assumed with the session of another, and only a user has an MFA device: " + serial + " belongs into the profile of the first role"}
		}
		return []string{serial + ": is it a device of the user whose key " + e.Keys.From.String() + " is?", listDevices(e.Login.Source.Profile), "security keys and passkeys (FIDO) work in the console only"}
	case session.NotAllowed:
		return notAllowedHints(e, serial)
	case session.DurationTooLong:
		return append(durationOrigin(e.Login), "ask for less: "+login("--force --duration 1h"), "or for the longest that AWS grants: "+login("--force --duration max"), fmt.Sprintf("or allow more: aws iam update-role --role-name %s --max-session-duration %d", roleName(e.Login), int(e.Duration.Seconds())))
	case session.ChainTooLong:
		return []string{login("--force --duration 1h"), "for more, the keys of " + e.Keys.From.String() + " must be long-term ones"}
	case session.UnknownKey:
		return []string{"was the key deleted or made for another account? aws iam list-access-keys", regionHint(e)}
	case session.WrongSecret:
		return []string{"the two halves of the key must be from one line of the file that AWS gave out"}
	case session.ClockOff:
		return []string{"set the clock, then " + login(), "requests are made for AWS's time where the clock is off by a day at most"}
	case session.ExpiredSession:
		if e.Login != nil {
			return []string{"the keys of " + e.Keys.From.String() + " are a session themselves: get new ones there"}
		}
		return []string{login("--force")}
	case session.RegionDisabled:
		return []string{regionHint(e), "another region will do: " + with("AWS_REGION", session.DefaultRegion(arnOf(e)), login())}
	case session.Unavailable:
		return []string{"try again in a minute: " + login()}
	}
	return nil
}

// wrongCodeHints is about AWS's one text for codes that are wrong and codes
// that were used, with what we know besides.
func wrongCodeHints(e *session.RefusedError, serial string, login func(...string) string) (out []string) {
	if e.Offset != 0 {
		out = append(out, session.Off(e.Offset))
	}
	switch {
	case e.Source == mfa.FromSeed && e.Proven:
		return append(out, "was a code of this device used elsewhere a moment ago? once more: "+login(),
			"was the device made anew? then its seed is another one: "+login("--save-seed"))
	case e.Source == mfa.FromSeed:
		return append(out, "no code of the kept seed has worked yet, so it may be another device's: "+serial,
			"the right one: "+login("--save-seed"), "or forget it: "+login("--forget-seed"))
	case e.Source == mfa.FromProgram:
		return append(out, fmt.Sprintf("the code came from mfa_process (%s): is it this device's? %s", e.Login.MFAProcess.From, serial),
			"with a code at hand: "+login("--token-code NNNNNN"))
	}
	return append(out, "a code works once: wait for the next one, then "+login(), "if no code works: is this the device? "+serial)
}

// noTerminalHints is about something that nobody could be asked for.
func noTerminalHints(e *mfa.NoTerminalError, login func(...string) string) []string {
	switch e.Wanted {
	case mfa.WholeSeed:
		return []string{"in a terminal: " + login("--save-seed"), "or: zbarimg --raw qr.png | " + login("--save-seed")}
	case mfa.NewPassphrase, mfa.SamePassphrase:
		return []string{"in a terminal: " + login("--save-seed", "--seed-store", "file")}
	}
	return []string{"in a terminal: " + login(), "with a code at hand: " + login("--token-code NNNNNN")}
}

// notAllowedHints is about the one text that AWS has for all it does not allow.
func notAllowedHints(e *session.RefusedError, serial string) []string {
	if e.Login == nil || !e.Login.IsRole() {
		return nil
	}
	if source := e.Login.Source; e.Login.SerialNumber.Set && source.MFA != nil && e.Keys.Temporary() {
		return []string{"the role was asked for with an MFA session; with a code of its own: " + LoginCommand(e.Login.Profile, "--token-code NNNNNN")}
	}
	if e.Keys.Temporary() {
		out := []string{"the role's trust policy must name the role that asks, whose own policies must allow sts:AssumeRole on " + e.Login.RoleARN.Text}
		if e.Login.ExternalID.Set {
			return append(out, fmt.Sprintf("external_id must be the one that the trust policy wants (%s)", e.Login.ExternalID.From))
		}
		return append(out, "if the trust policy wants an external id: aws configure set external_id VALUE"+profileFlag(e.Login.Profile))
	}
	out := []string{"the role's trust policy must name this user, and the user's policy must allow sts:AssumeRole on " + e.Login.RoleARN.Text}
	if serial == "" {
		return append(out, "if the role demands MFA: aws configure set mfa_serial arn:aws:iam::ACCOUNT:mfa/NAME"+profileFlag(e.Login.Profile))
	}
	if e.Login.ExternalID.Set {
		return append(out, fmt.Sprintf("external_id must be the one that the trust policy wants (%s)", e.Login.ExternalID.From))
	}
	return append(out, fmt.Sprintf("a role_arn with a typing mistake gets the same answer (%s)", e.Login.RoleARN.From))
}

// networkHints is about a request of the program without an answer.
func networkHints(e *session.NetworkError, program string, in *ProfileError) (out []string) {
	again := func(flags ...string) string {
		if in == nil {
			return strings.Join(append([]string{program}, flags...), " ")
		}
		return onProfile(program, in.Profile, append(flags, in.Asked...)...)
	}
	if e.Endpoint.Set {
		out = append(out, fmt.Sprintf("the endpoint is %s (%s)", e.Endpoint.Text, e.Endpoint.From))
	}
	switch {
	case e.Untrusted():
		return append(out, "AWS_CA_BUNDLE, or ca_bundle in the profile, names the file with certificates to trust")
	case e.MaybeDone && e.UsedCode:
		return append(out, "wait for the next code, then "+again())
	case e.Proxy():
		return append(out, "HTTPS_PROXY in the environment names the proxy")
	}
	return append(out, again("--verbose"))
}

// listDevices is the command that lists the MFA devices of a profile's user.
func listDevices(source string) string {
	command := "aws iam list-mfa-devices --query " + ShellWord("MFADevices[].SerialNumber")
	if source != "" {
		command += profileFlag(source)
	}
	return command
}

// durationOrigin tells where a duration was written, if it was.
func durationOrigin(r *profile.Login) []string {
	if r.Seconds == "" {
		return nil
	}
	return []string{fmt.Sprintf("duration_seconds is set in %s", r.Duration.From)}
}

func regionHint(e *session.RefusedError) string {
	if e.Network.Region.Set {
		return fmt.Sprintf("the region is %s (%s)", e.Region, e.Network.Region.From)
	}
	return fmt.Sprintf("the region is %s, because none is set", e.Region)
}

func arnOf(e *session.RefusedError) string {
	if e.Login == nil {
		return ""
	}
	if !e.Login.IsRole() {
		return e.Login.SerialNumber.Text
	}
	return e.Login.RoleARN.Text
}

func roleName(r *profile.Login) string {
	return r.RoleARN.Text[strings.LastIndex(r.RoleARN.Text, "/")+1:]
}

// profileFlag names a profile to the AWS CLI.
func profileFlag(name string) string {
	if strings.HasPrefix(name, "-") {
		return " --profile=" + ShellWord(name)
	}
	return " --profile " + ShellWord(name)
}

// CopyOf is the profile whose session the profile with these keys holds a copy
// of; ok is false if they are no copy of ours.
func CopyOf(name string, k profile.Keys) (of string, ok bool) {
	for _, c := range Memory().AllCopies() {
		if c.Profile == name && c.AccessKeyID == k.AccessKeyID {
			return c.Of, true
		}
	}
	return "", false
}

// CopyCommand is the command that copies a session to the profile with these
// keys; ok is false if they are no copy.
func CopyCommand(name string, k profile.Keys) (command string, ok bool) {
	of, ok := CopyOf(name, k)
	if !ok {
		return "", false
	}
	return LoginCommand(of, "--credentials-profile", ShellWord(name)), true
}

// ConsoleHints names what opens the console in place of a user whose keys are
// in a profile, or in the environment for "": the roles that take their keys
// from there, else what makes one.
func ConsoleHints(set *profile.Set, holder string) (out []string) {
	roles := takers(set, holder)
	source := "source_profile = " + holder
	if holder == "" {
		source = "credential_source = Environment"
		if len(roles) == 0 {
			roles = set.Roles()
		}
	}
	for _, name := range roles {
		out = append(out, ConsoleCommand(name))
	}
	if len(roles) == 0 {
		return []string{"a profile for the console has role_arn and " + source + ", and mfa_serial where the role demands MFA"}
	}
	return append(out, "in a browser that is signed in as the user: "+ConsoleCommand(roles[0], "--switch-role"))
}

// takers are the first few profiles with a role that take their keys from a
// profile, or from the environment for "".
func takers(set *profile.Set, holder string) (names []string) {
	const enough = 3
	for _, name := range set.Names() {
		p, err := set.Profile(name)
		if err != nil || p.Kind() != profile.AssumeRole {
			continue
		}
		source, provider := p.Value("source_profile"), p.Value("credential_source")
		if holder != "" && source.Set && source.Text == holder || holder == "" && provider.Text == "Environment" {
			if _, err := p.Login(); err == nil {
				names = append(names, name)
			}
		}
		if len(names) == enough {
			break
		}
	}
	return names
}

// ConsoleCommand is the command that opens the console as a profile's role.
func ConsoleCommand(profile string, flags ...string) string {
	return onProfile("aws-mfa-console", profile, flags...)
}

// LoginCommand is the command that signs in to a profile.
func LoginCommand(profile string, flags ...string) string {
	return onProfile("aws-mfa-login", profile, flags...)
}

// AWSCommand is a command of the AWS CLI, run on a profile.
func AWSCommand(words, profile string) string { return "aws " + words + profileFlag(profile) }

// onProfile is a program run on a profile, also on one whose name looks like a
// flag.
func onProfile(program, profile string, flags ...string) string {
	if strings.HasPrefix(profile, "-") {
		return with("AWS_PROFILE", profile, strings.Join(append([]string{program}, flags...), " "))
	}
	return strings.Join(append([]string{program, ShellWord(profile)}, flags...), " ")
}

// WithHints adds advice to an error that one command alone meets.
func WithHints(err error, hints ...string) error { return &hinted{err, hints} }

type hinted struct {
	error
	hints []string
}

func (h *hinted) Unwrap() error { return h.error }
