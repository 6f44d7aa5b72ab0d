package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"aws-mfa/shared/awstest"
)

const (
	userARN = "arn:aws:iam::123456789012:user/jane"
	serial  = "arn:aws:iam::123456789012:mfa/jane"

	config = `[default]
region = eu-central-1

[profile mfa]
region = eu-central-1
role_arn = arn:aws:iam::123456789012:role/PowerUserRole
source_profile = default
mfa_serial = arn:aws:iam::123456789012:mfa/jane

# up to 12 hours
[profile admin]
region = eu-central-1
role_arn = arn:aws:iam::123456789012:role/AdminRole
source_profile = default
mfa_serial = arn:aws:iam::123456789012:mfa/jane
duration_seconds = 7200

# the code comes from a program
[profile auto]
region = eu-central-1
role_arn = arn:aws:iam::123456789012:role/AdminRole
source_profile = default
mfa_serial = arn:aws:iam::123456789012:mfa/jane
mfa_process = mfa-code

# a role that does not trust jane
[profile nobody]
region = eu-central-1
role_arn = arn:aws:iam::123456789012:role/NobodyRole
source_profile = default
mfa_serial = arn:aws:iam::123456789012:mfa/jane
`

	greeting = `This shell is inside a local AWS. Its home directory is temporary and goes with it.
Profiles: mfa, admin (2 hours of at most 12), auto (asks for no code), nobody (a role that refuses you).
mfa-code prints a code of your MFA device, and its seed is in ~/seed. Things to try:

    aws-mfa-login mfa -t $(mfa-code)
    aws-mfa-status --all
    aws sts get-caller-identity --profile mfa
    aws-mfa-login mfa --process-profile mfa-sdk; AWS_PROFILE=mfa-sdk python3 -c 'import boto3; print(boto3.client("sts").get_caller_identity()["Arn"])'
    aws-mfa-login mfa -- sh
    aws-mfa-console mfa --print
    mfa-code; aws-mfa-login admin          (and type that code)
    aws-mfa-login auto
    aws-mfa-login mfa --save-seed --seed-store file <~/seed; aws-mfa-login mfa --force
    aws-mfa-login nobody -t $(mfa-code)

`
)

// furnish fills the home and gives the local AWS the people and roles that
// the config speaks of.
func furnish(home string, aws *awstest.AWS) error {
	jane := aws.AddUser(userARN)
	trusts := []string{jane.ARN}
	aws.AddRole(awstest.Role{ARN: "arn:aws:iam::123456789012:role/PowerUserRole", Trusts: trusts, RequireMFA: true})
	aws.AddRole(awstest.Role{ARN: "arn:aws:iam::123456789012:role/AdminRole", Trusts: trusts, RequireMFA: true, MaxSessionDuration: 12 * time.Hour})
	aws.AddRole(awstest.Role{ARN: "arn:aws:iam::123456789012:role/NobodyRole", RequireMFA: true})

	for _, dir := range []string{".aws", "bin"} {
		if err := os.Mkdir(filepath.Join(home, dir), 0o700); err != nil {
			return err
		}
	}
	credentials := fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", jane.AccessKeyID, jane.SecretAccessKey)
	for name, content := range map[string]string{
		".aws/config":      config,
		".aws/credentials": credentials,
		"aws-ca.pem":       string(aws.CA()),
		"seed":             jane.Device.Seed + "\n",
		".zshrc":           "", // without one, zsh greets a new user with a questionnaire
	} {
		if err := os.WriteFile(filepath.Join(home, filepath.FromSlash(name)), []byte(content), 0o600); err != nil {
			return err
		}
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	link := filepath.Join(home, "bin", codeCommand)
	if runtime.GOOS == "windows" {
		link += ".exe"
	}
	if os.Symlink(self, link) == nil {
		return nil
	}
	return os.Link(self, link) // Windows lets only some make symbolic links
}

// searchPath is PATH with the programs to try, then mfa-code, before the rest.
func searchPath(bin, home string) (string, error) {
	dirs := []string{filepath.Join(home, "bin"), os.Getenv("PATH")}
	if bin != "" {
		abs, err := filepath.Abs(bin)
		if err != nil {
			return "", err
		}
		dirs = append([]string{abs}, dirs...)
	}
	return strings.Join(dirs, string(os.PathListSeparator)), nil
}

// environment is env without anything that would lead out of the sandbox, to
// the caller's AWS settings, proxies, files or keyring, and with what leads
// into the local AWS.
func environment(env []string, home string, aws *awstest.AWS) []string {
	var kept []string
	for _, pair := range env {
		if name, _, _ := strings.Cut(pair, "="); !leadsOut(strings.ToUpper(name)) {
			kept = append(kept, pair)
		}
	}
	return append(kept,
		"HOME="+home,
		"USERPROFILE="+home,
		"AWS_ENDPOINT_URL_STS="+aws.URL(),
		"AWS_ENDPOINT_URL_SIGNIN="+aws.URL(),
		"HTTPS_PROXY="+aws.ProxyURL(),
		"AWS_CA_BUNDLE="+filepath.Join(home, "aws-ca.pem"),
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_PAGER=", // or the AWS CLI opens less for one line
	)
}

func leadsOut(name string) bool {
	switch name {
	case "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
		"HOME", "USERPROFILE", "BROWSER", "DBUS_SESSION_BUS_ADDRESS":
		return true
	}
	return strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "XDG_")
}

func shell() string {
	if runtime.GOOS == "windows" {
		return cmp.Or(os.Getenv("COMSPEC"), "cmd.exe")
	}
	return cmp.Or(os.Getenv("SHELL"), "/bin/sh")
}
