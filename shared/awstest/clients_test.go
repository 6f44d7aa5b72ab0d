//go:build unix

package awstest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// clients are the real clients besides the AWS CLI, as programs in dir that
// take no arguments: each asks STS who the default credential chain of its SDK
// is and prints that ARN, or says on stderr why not and exits with 1. A client
// is set up when it is asked for the first time whether it is here.
//
//	gosdk    [client:gosdk]        the Go SDK v2 with its config loader, as in Terraform
//	boto3    [client:boto3]        the Python SDK
//	jssdk    [client:jssdk]        the JavaScript SDK v3
//	tfwho    [client:terraform]    Terraform with the AWS provider
func clients(dir string) map[string]func() error {
	return map[string]func() error{
		"gosdk":     func() error { return nil }, // this test binary
		"boto3":     sync.OnceValue(func() error { return linkBoto3(dir) }),
		"jssdk":     sync.OnceValue(func() error { return linkJSSDK(dir) }),
		"terraform": sync.OnceValue(func() error { return linkTerraform(dir) }),
	}
}

// present tells whether a client is here. With $CI set it must be, unless it
// is Terraform, which Debian does not have.
func present(clients map[string]func() error, name string) (bool, error) {
	setUp, ok := clients[name]
	if !ok {
		return false, fmt.Errorf("unknown client %q", name)
	}
	err := setUp()
	if err != nil && name != "terraform" && os.Getenv("CI") != "" {
		return false, fmt.Errorf("%s is needed: %w", name, err)
	}
	return err == nil, nil
}

// wrap makes a program of a command. It is no link: the command may be one
// that looks at its own name.
func wrap(dir, name string, command ...string) error {
	text := "#!/bin/sh\nexec '" + strings.Join(command, "' '") + "' \"$@\"\n"
	return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755)
}

const boto3 = `import sys, boto3
try:
    print(boto3.client("sts").get_caller_identity()["Arn"])
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}")
`

// linkBoto3 finds a Python that has boto3, Debian's first.
func linkBoto3(dir string) error {
	var all error
	for _, python := range []string{"/usr/bin/python3", "python3"} {
		out, err := exec.Command(python, "-c", "import boto3, sys; print(sys.executable)").Output()
		if err == nil {
			script := filepath.Join(dir, "caller.py")
			return errors.Join(os.WriteFile(script, []byte(boto3), 0o644), wrap(dir, "boto3", strings.TrimSpace(string(out)), script))
		}
		all = errors.Join(all, fmt.Errorf("%s: %w", python, err))
	}
	return all
}

// linkJSSDK finds a Node. Its own warnings, which have process numbers in them,
// are not the client's.
func linkJSSDK(dir string) error {
	node, err := exec.LookPath("node")
	if err != nil {
		return err
	}
	installed, err := install("testdata/jssdk")
	if err != nil {
		return err
	}
	text := "#!/bin/sh\nNODE_EXTRA_CA_CERTS=$AWS_CA_BUNDLE exec '" + node + "' --no-warnings '" + installed + "/jssdk.mjs' \"$@\"\n"
	return os.WriteFile(filepath.Join(dir, "jssdk"), []byte(text), 0o755)
}

// install keeps a copy of an npm package in the user's cache, with all that
// its lock file lists. It is made once and appears as a whole, whoever else is
// making one.
func install(source string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum, err := digest(source)
	if err != nil {
		return "", err
	}
	copies := filepath.Join(cache, "aws-mfa-test")
	installed := filepath.Join(copies, filepath.Base(source)+"-"+sum)
	if exists(installed) {
		return installed, nil
	}
	if err := os.MkdirAll(copies, 0o755); err != nil {
		return "", err
	}
	fresh, err := os.MkdirTemp(copies, "new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(fresh)
	if err := fill(fresh, source); err != nil {
		return "", err
	}
	if err := os.Rename(fresh, installed); err != nil && !exists(installed) {
		return "", err
	}
	return installed, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// fill copies an npm package and lets npm add what its lock file lists.
func fill(dir, source string) error {
	if err := os.CopyFS(dir, os.DirFS(source)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retry-mintimeout=1000")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	return nil
}

// digest is a name for what the files of a directory hold.
func digest(dir string) (string, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s %d\n%s", file.Name(), len(data), data)
	}
	return fmt.Sprintf("%x", sum.Sum(nil)[:8]), nil
}

// tfwho has a directory of its own, for the state. The override spares
// terraform init, which would ask a registry.
const tfwho = `#!/bin/sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/main.tf" <<'END'
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {}
data "aws_caller_identity" "me" {}
output "arn" { value = data.aws_caller_identity.me.arn }
END
cat >"$work/rc" <<'END'
provider_installation {
  dev_overrides { "hashicorp/aws" = "PROVIDER" }
  direct {}
}
END
export TF_CLI_CONFIG_FILE="$work/rc" CHECKPOINT_DISABLE=1
terraform -chdir="$work" apply -auto-approve -input=false -no-color >"$work/log" || exit
sed -n 's/^arn = "\(.*\)"$/\1/p' "$work/log"
`

func linkTerraform(dir string) error {
	if _, err := exec.LookPath("terraform"); err != nil {
		return err
	}
	provider, err := terraformProvider()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "tfwho"), []byte(strings.ReplaceAll(tfwho, "PROVIDER", provider)), 0o755)
}

// terraformProvider finds the directory of the AWS provider in the mirrors
// that Terraform knows of itself, and in those below /opt.
func terraformProvider() (string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	for _, mirror := range []string{
		os.Getenv("TF_PLUGIN_CACHE_DIR"), home + "/.terraform.d/plugins", home + "/.local/share/terraform/plugins",
		"/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins", "/opt/*",
	} {
		found, err := filepath.Glob(filepath.Join(mirror, "*/hashicorp/aws/*", runtime.GOOS+"_"+runtime.GOARCH))
		if err != nil {
			return "", err
		}
		if len(found) > 0 {
			return found[len(found)-1], nil
		}
	}
	return "", errors.New("no AWS provider for terraform")
}

// many is the program of that name in the scripts:
//
//	many N PROGRAM ARG...
//
// runs N copies of PROGRAM at once. What they printed is shown once each,
// behind the number of copies that did: "50 arn:aws:…"; so it is on stderr. If
// one copy fails, many exits with 1.
func many(args []string) int {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return failed(err)
	}
	stdouts, stderrs, errs := make([]bytes.Buffer, n), make([]bytes.Buffer, n), make([]error, n)
	var copies sync.WaitGroup
	for i := range n {
		copies.Go(func() {
			cmd := exec.Command(args[1], args[2:]...)
			cmd.Stdout, cmd.Stderr = &stdouts[i], &stderrs[i]
			if errs[i] = cmd.Run(); errs[i] != nil {
				fmt.Fprintln(&stderrs[i], "many:", errs[i])
			}
		})
	}
	copies.Wait()
	tally(os.Stdout, stdouts)
	tally(os.Stderr, stderrs)
	if errors.Join(errs...) != nil {
		return 1
	}
	return 0
}

// tally writes the different texts, each behind how many of it there are.
func tally(w io.Writer, texts []bytes.Buffer) {
	counts := map[string]int{}
	for i := range texts {
		if text := texts[i].String(); text != "" {
			counts[text]++
		}
	}
	for _, text := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(w, "%d %s\n", counts[text], strings.TrimSuffix(text, "\n"))
	}
}
