package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"aws-mfa/shared/cache"
	"aws-mfa/shared/cli"
	"aws-mfa/shared/profile"
)

// writeProcessProfile makes a profile of the config file that hands on the
// login's session, as every SDK reads it.
func writeProcessProfile(ctx context.Context, v *cli.Voice, set *profile.Set, name string, to *profile.Login) error {
	command, err := processCommand(to.Profile)
	if err != nil {
		return err
	}
	from, err := set.Profile(to.Profile)
	if err != nil {
		return err
	}
	path, before := set.ConfigFile(), ""
	err = rewrite(ctx, path, func(set *profile.Set, data []byte) ([]byte, error) {
		if before, err = handsOn(set, name); err != nil {
			return nil, err
		}
		changes := []profile.Change{{Key: "credential_process", Value: command}}
		for _, key := range []string{"region", "output"} {
			value := from.Value(key)
			if moved := before != "" && before != to.Profile; value.Set || moved {
				changes = append(changes, profile.Change{Key: key, Value: value.Text, Remove: !value.Set})
			}
		}
		section, err := profile.ConfigSection(path, data, name)
		if err != nil {
			return nil, err
		}
		out, err := profile.Edit(path, data, section, changes)
		if err != nil {
			return nil, err
		}
		return out, inherits(path, out, section)
	})
	if err != nil {
		return err
	}
	was := ""
	if before != "" && before != to.Profile {
		was = fmt.Sprintf(" (it was that of %s)", before)
	}
	v.Say("profile %s in %s hands the session of %s to every SDK%s", name, path, to.Profile, was)
	v.Hint("%s", cli.Export("AWS_PROFILE", name))
	return nil
}

var errNoFile = errors.New("there is no file to write to: the environment variable that names it is empty")

// rewrite changes an AWS file; change is given the files as they are then.
func rewrite(ctx context.Context, path string, change func(set *profile.Set, data []byte) ([]byte, error)) error {
	if path == "" {
		return errNoFile
	}
	return cli.Store().Memory.Rewrite(ctx, path, func(data []byte) ([]byte, error) {
		set, err := profile.Load(os.LookupEnv)
		if err != nil {
			return nil, err
		}
		return change(set, data)
	})
}

// handsOn is whose session a profile of that name hands on, "" if there is no
// such profile. One that does something else is an error.
func handsOn(set *profile.Set, name string) (behind string, err error) {
	if !set.Has(name) {
		return "", nil
	}
	p, err := set.Profile(name)
	if err != nil {
		return "", err
	}
	behind, ours := p.HandsOn()
	if !ours {
		return "", cli.WithHints(fmt.Errorf("--process-profile: profile %q is there already, and not one that aws-mfa-login made", name), "choose another name")
	}
	return behind, nil
}

// others are the settings that make a profile something else than a
// credential_process or a copied session.
var others = []string{"role_arn", "source_profile", "credential_source", "web_identity_token_file", "sso_session", "sso_start_url", "sso_account_id", "sso_role_name", "login_session"}

// inherits tells what the section has from [DEFAULT], if that makes it
// something else.
func inherits(path string, data []byte, section string) error {
	values, err := profile.Values(path, data, section)
	if err != nil {
		return err
	}
	for _, key := range append([]string{"aws_access_key_id", "aws_secret_access_key"}, others...) {
		if v := values[key]; v.Set {
			return fmt.Errorf("every profile of that file has %s (%s), so none can hand a session on", key, v.From)
		}
	}
	return nil
}

// processCommand is a credential_process that hands on the profile's session.
func processCommand(name string) (string, error) {
	program, err := ownPath()
	if err != nil {
		return "", err
	}
	if strings.HasPrefix(name, "-") {
		return "", fmt.Errorf("profile %q looks like a flag, so it cannot be named in a credential_process", name)
	}
	line, err := commandLine(runtime.GOOS, withoutSpaces(program), name)
	if err != nil && runtime.GOOS == "windows" {
		err = cli.WithHints(err, "no quotes are read alike by all SDKs on Windows, so a name without spaces and special characters is needed")
	}
	return line, err
}

// commandLine is the command in words that every SDK reads alike: those that
// split it as Python's shlex does (or by Windows' rules), those that give it to
// sh or cmd.exe, and those that take " #" and " ;" for the start of a comment.
// It does not end in a quote, since the Go SDK takes quotes away that a value
// begins and ends with.
func commandLine(goos string, words ...string) (string, error) {
	quote := posixWord
	if goos == "windows" {
		quote = windowsWord
	}
	line := ""
	for _, word := range words {
		quoted, ok := quote(word)
		unfit := strings.ContainsFunc(word, func(r rune) bool { return r < ' ' || r == 0x7f }) || strings.Contains(word, " #") || strings.Contains(word, " ;")
		if !ok || unfit {
			return "", fmt.Errorf("%q cannot be written in a credential_process so that every SDK reads it alike", word)
		}
		line += quoted + " "
	}
	return line + "--format process", nil
}

const plainWord = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+./:@%,"

// posixWord quotes a word for sh and shlex.
func posixWord(s string) (string, bool) {
	switch {
	case s != "" && strings.Trim(s, plainWord) == "":
		return s, true
	case strings.ContainsAny(s, "\"\\$`!"):
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'", true
	}
	return `"` + s + `"`, true
}

// windowsWord knows no quotes: the Go SDK and the one for .NET give the line to
// cmd.exe in a way that breaks it at them. Sources:
// https://github.com/aws/aws-sdk-go-v2/issues/3208
// https://github.com/aws/aws-tools-for-powershell/issues/393
func windowsWord(s string) (string, bool) {
	return s, s != "" && strings.Trim(s, strings.ReplaceAll(plainWord, "%", "")+`\()~`) == "" && !strings.Contains(s, ",")
}

// ownPath is the path of this program, by the name that it is found under: what
// that leads to may go with the next release.
func ownPath() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	for _, name := range []string{os.Args[0], path} {
		found, err := exec.LookPath(name)
		if err == nil {
			found, err = filepath.Abs(found)
		}
		if err == nil && isOurName(filepath.Base(found)) && sameFile(found, path) {
			return found, nil
		}
	}
	return "", fmt.Errorf("%s is not called aws-mfa-login, so what names it would not be known again", path)
}

// isOurName tells whether profile.HandsOn knows a program of that name again.
func isOurName(name string) bool {
	return name == "aws-mfa-login" || strings.EqualFold(name, "aws-mfa-login.exe")
}

func sameFile(a, b string) bool {
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}

// mayCopy tells why the session must not be copied to the profile of that name,
// if so.
func mayCopy(set *profile.Set, name string) error {
	if !set.Has(name) {
		return nil
	}
	p, err := set.Profile(name)
	if err != nil {
		return err
	}
	for _, key := range append([]string{"credential_process"}, others...) {
		if v := p.Value(key); v.Set {
			return refuseCopy(name, "has "+key, v.From)
		}
	}
	if !p.Value("aws_access_key_id").Set && !p.Value("aws_secret_access_key").Set {
		return nil
	}
	keys, err := p.Keys()
	// AWS CLI's configure leaves the token of a session beside the key that is
	// typed over it. Source of the prefix:
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
	if err == nil && (!keys.Temporary() || strings.HasPrefix(keys.AccessKeyID, "AKIA")) {
		return refuseCopy(name, "holds a long-term access key", keys.From)
	}
	return err
}

func refuseCopy(name, why string, from profile.Origin) error {
	return cli.WithHints(fmt.Errorf("--credentials-profile: profile %q %s (%s)", name, why, from), "choose another name")
}

// copied are the keys of a copied session.
var copied = []string{"aws_access_key_id", "aws_secret_access_key", "aws_session_token", "expiration"}

// copySession copies the session to a profile of the credentials file. That is
// remembered before it is done, so that no copy is forgotten.
func copySession(ctx context.Context, v *cli.Voice, name string, to *profile.Login, e cache.Entry) error {
	values := []string{e.AccessKeyID, e.SecretAccessKey, e.SessionToken, e.Expiration.UTC().Format(time.RFC3339)}
	changes := []profile.Change{{Key: "aws_security_token", Remove: true}} // which some would prefer
	for i, key := range copied {
		changes = append(changes, profile.Change{Key: key, Value: values[i]})
	}
	set, err := profile.Load(os.LookupEnv)
	if err != nil {
		return err
	}
	path, err := filepath.Abs(set.CredentialsFile())
	if err != nil || set.CredentialsFile() == "" {
		return errors.Join(err, errNoFile)
	}
	store, made := cli.Store(), cache.Copy{File: path, Profile: name, AccessKeyID: e.AccessKeyID, Of: to.Profile}
	var forgotten error
	err = rewrite(ctx, path, func(set *profile.Set, data []byte) ([]byte, error) {
		if err := mayCopy(set, name); err != nil {
			return nil, err
		}
		out, err := profile.Edit(path, data, name, changes)
		if err != nil {
			return nil, err
		}
		before, err := profile.Values(path, data, name)
		if err != nil {
			return nil, err
		}
		forgotten = store.Memory.KeepCopy(ctx, store.Name(to), made, before["aws_access_key_id"].Text)
		return out, nil
	})
	if err != nil {
		return fmt.Errorf("signed in, but the session was not copied: %w", err)
	}
	if forgotten != nil {
		v.Warn("--logout will not find the copy in %s: %v", path, forgotten)
	}
	v.Say("profile %s in %s is a copy of the session", name, path)
	if p, err := set.Profile(name); to.Network.Region.Set && (err != nil || !p.Value("region").Set) {
		v.Hint("some SDKs want a region: %s", cli.AWSCommand("configure set region "+to.Network.Region.Text, name))
	}
	v.WarnOfOthers(path, true)
	return nil
}

// removeCopy takes a copied session away again, if it is still the one.
func removeCopy(ctx context.Context, c cache.Copy) error {
	if _, err := os.Stat(c.File); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return cli.Store().Memory.Rewrite(ctx, c.File, func(data []byte) ([]byte, error) {
		values, err := profile.Values(c.File, data, c.Profile)
		if err != nil || values["aws_access_key_id"].Text != c.AccessKeyID || c.AccessKeyID == "" {
			return data, err
		}
		var changes []profile.Change
		for _, key := range copied {
			changes = append(changes, profile.Change{Key: key, Remove: true})
		}
		return profile.Edit(c.File, data, c.Profile, changes)
	})
}
