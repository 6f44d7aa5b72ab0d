package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"aws-mfa/shared/profile"
)

// The line is run as by the SDKs: by the Go SDK, whose exec.Command quotes it
// once more for cmd.exe (processcreds/provider.go), by Node's
// child_process.exec, and by botocore, without a shell.
func TestEverySDKRunsAProgramInADirectoryWithSpaces(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "Program Files (x86)", "MFA, for AWS")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "aws-mfa-login.exe")
	if err := os.WriteFile(program, data, 0o700); err != nil {
		t.Fatal(err)
	}
	line, err := commandLine("windows", withoutSpaces(program), "jane@corp")
	if err != nil {
		t.Fatal(err)
	}
	words, err := profile.CommandWords(line, "windows")
	if err != nil {
		t.Fatal(err)
	}
	for sdk, cmd := range map[string]*exec.Cmd{
		"Go":       exec.Command("cmd.exe", "/C", line),
		"Node":     {Path: comSpec(t), SysProcAttr: &syscall.SysProcAttr{CmdLine: `cmd.exe /d /s /c "` + line + `"`}},
		"botocore": exec.Command(words[0], words[1:]...),
	} {
		cmd.Env = append(os.Environ(), behaviour+"=report")
		out, err := cmd.CombinedOutput()
		var got report
		if err != nil || json.Unmarshal(out, &got) != nil || !slices.Equal(got.Args[1:], []string{"jane@corp", "--format", "process"}) {
			t.Errorf("%s: %s: got %s, %v", sdk, line, out, err)
		}
	}
}

func comSpec(t *testing.T) string {
	path, err := exec.LookPath("cmd.exe")
	if err != nil {
		t.Fatal(err)
	}
	return path
}
