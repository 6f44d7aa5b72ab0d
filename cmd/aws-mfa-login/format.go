package main

import (
	"fmt"
	"strings"
	"time"

	"aws-mfa/cmd/aws-mfa-login/warm"
	"aws-mfa/shared/cache"
	"aws-mfa/shared/cli"
)

// printed returns the credentials in one of the forms of --format, for a shell
// to run or a program to read. Ordinary values stand as `aws configure
// export-credentials` prints them; others are quoted, so that nothing in them
// is interpreted. What no quotes make safe in that form, and anything but
// printable ASCII in any, is an error that names the variable.
func printed(form string, c cache.Entry) (string, error) {
	text, ok := forms[form]
	if !ok {
		return "", cli.UsageError(fmt.Sprintf("there is no format %q", form))
	}
	for _, v := range variables(c) {
		if strings.ContainsFunc(v.value, func(r rune) bool { return r < ' ' || r > '~' }) {
			return "", fmt.Errorf("%s has a character that is not printable ASCII", v.name)
		}
	}
	return text(c)
}

// forms is by the names of the AWS CLI (v2 since 2.33.8, exportcreds.py:
// SUPPORTED_FORMATS), and nushell. What is inside quotes, and special there:
//
//   - sh: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02_02
//   - fish: https://fishshell.com/docs/current/language.html#quotes
//   - PowerShell: about_Quoting_Rules. It takes typographic quotes for quotes as well, which are not ASCII.
//   - cmd: in quotes & | < > ^ ( ) are text. % and ! are replaced all the same, a quote
//     cannot be quoted, and where set sees /? it prints its help.
var forms = map[string]func(cache.Entry) (string, error){
	"process":       warm.Process,
	"env":           shell{plain: "export %s=%s\n", quoted: "export %s='%s'\n", escape: strings.NewReplacer(`'`, `'\''`)}.script,
	"env-no-export": shell{plain: "%s=%s\n", quoted: "%s='%s'\n", escape: strings.NewReplacer(`'`, `'\''`)}.script,
	"fish":          shell{plain: "set -gx %s \"%s\"\n", quoted: "set -gx %s '%s'\n", escape: strings.NewReplacer(`\`, `\\`, `'`, `\'`)}.script,
	"powershell":    shell{plain: "$Env:%s=\"%s\"\n", quoted: "$Env:%s='%s'\n", escape: strings.NewReplacer(`'`, `''`)}.script,
	"windows-cmd":   shell{plain: "set %s=%s\n", quoted: "set \"%s=%s\"\n", escape: strings.NewReplacer(), refused: `"%!?`}.script,
	"nushell":       nushell,
}

// A shell is how variables are set in one.
type shell struct {
	plain   string            // a line for an ordinary value, as the AWS CLI has it
	quoted  string            // a line for any other
	escape  *strings.Replacer // for what is special within the quotes of quoted
	refused string            // characters that are special there for good
}

func (s shell) script(c cache.Entry) (string, error) {
	var b strings.Builder
	for _, v := range variables(c) {
		switch {
		case ordinary(v.value):
			fmt.Fprintf(&b, s.plain, v.name, v.value)
		case strings.ContainsAny(v.value, s.refused):
			return "", fmt.Errorf("%s has one of the characters %s, which cannot be quoted in this format", v.name, s.refused)
		default:
			fmt.Fprintf(&b, s.quoted, v.name, s.escape.Replace(v.value))
		}
	}
	return b.String(), nil
}

// ordinary reports whether no shell sees anything but text in the value, within
// double quotes or without. Keys, tokens and times of AWS are: base64, with its
// padding at the end. Elsewhere zsh may take = and what follows for a command
// to look up.
func ordinary(value string) bool {
	text := strings.TrimRight(value, "=")
	return text != "" && !strings.HasSuffix(text, ":") && strings.Trim(text, letters+"0123456789/+_.:-") == ""
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// A variable of the environment.
type variable struct{ name, value string }

// variables are those that tools for AWS take a session from, in the order of
// the AWS CLI.
func variables(c cache.Entry) []variable {
	return []variable{
		{"AWS_ACCESS_KEY_ID", c.AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", c.SecretAccessKey},
		{"AWS_SESSION_TOKEN", c.SessionToken},
		{"AWS_CREDENTIAL_EXPIRATION", isoFormat(c.Expiration)},
	}
}

// isoFormat is what Python's datetime.isoformat gives, and so the AWS CLI:
// microseconds only if there are any, and then all six digits.
func isoFormat(t time.Time) string {
	t = t.UTC().Truncate(time.Microsecond)
	if t.Nanosecond() == 0 {
		return t.Format("2006-01-02T15:04:05-07:00")
	}
	return t.Format("2006-01-02T15:04:05.000000-07:00")
}

// nushell is a record for `| from nuon | load-env`. It is JSON too, without
// escapes by number (\u), which nushell writes differently.
func nushell(c cache.Entry) (string, error) {
	var fields []string
	for _, v := range variables(c) {
		fields = append(fields, fmt.Sprintf(`"%s": "%s"`, v.name, inJSON.Replace(v.value)))
	}
	return "{" + strings.Join(fields, ", ") + "}\n", nil
}

var inJSON = strings.NewReplacer(`\`, `\\`, `"`, `\"`)
