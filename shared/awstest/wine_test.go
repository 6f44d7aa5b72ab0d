//go:build linux && wine

package awstest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"aws-mfa/shared/awstest"
)

// TestWine runs the programs at a console, and the tests of Windows, by Wine, in a
// Windows that is new. Wine 8, Debian 12's, needs help with things that each
// Windows has for which there is Go: see newWindows.
//
// One package is tested at a time: all that they ask of Windows goes through one
// process of Wine's.
func TestWine(t *testing.T) {
	w := newWindows(t)
	t.Run("console", w.console)
	tests := t.TempDir()
	list := w.command("go", "list", "-f", "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}", "./...")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	var packages []string
	for _, path := range strings.Fields(string(out)) {
		if path != "aws-mfa/shared/awstest/sandbox" && path != "aws-mfa/shared/release" { // which only developers run
			packages = append(packages, path)
		}
	}
	w.must(t, w.command("go", append([]string{"test", "-c", "-vet=off", "-overlay", w.overlay, "-o", tests + "/"}, packages...)...))
	for _, path := range packages {
		path = strings.TrimPrefix(path, "aws-mfa/")
		t.Run(path, func(t *testing.T) {
			cmd := w.command("wine", filepath.Join(tests, filepath.Base(path)+".test.exe"), "-test.timeout=5m")
			switch path {
			case "shared/awstest": // its other tests are not of Windows
				cmd.Args = append(cmd.Args, "-test.run=^TestWindows$")
			case "shared/profile": // a comparison of two ways of ours, which takes half a minute
				cmd.Args = append(cmd.Args, "-test.skip=^TestASurveyShowsWhatLoginSays$")
			}
			cmd.Dir = filepath.Join(cmd.Dir, path)
			w.must(t, cmd)
		})
	}
}

// A wine is a Windows.
type wine struct {
	env     []string
	drive   string // C:
	bin     string // the programs
	overlay string // for go test
}

func newWindows(t *testing.T) *wine {
	dir := t.TempDir()
	w := &wine{drive: filepath.Join(dir, "prefix", "drive_c"), bin: filepath.Join(dir, "bin"), overlay: filepath.Join(dir, "overlay.json")}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "CI=") && // what continuous integration has installed is not there
			!strings.HasPrefix(variable, "AWS_") && !strings.HasPrefix(variable, "DISPLAY=") && !strings.HasPrefix(variable, "WAYLAND_DISPLAY=") {
			w.env = append(w.env, variable)
		}
	}
	w.env = append(w.env, "WINEPREFIX="+filepath.Dir(w.drive), "WINEARCH=win64", "WINEDEBUG=-all",
		"WINEDLLOVERRIDES=mscoree,mshtml,winemenubuilder.exe=", "XDG_RUNTIME_DIR="+dir,
		"GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0", `AWSTEST_BIN=Z:`+strings.ReplaceAll(w.bin, "/", `\`))
	t.Cleanup(func() {
		w.command("wineserver", "-k").Run()
		w.command("wineserver", "-w").Run()
	})
	boot := w.command("wine", "wineboot", "-i")
	boot.Env = append(boot.Env, "HOME="+dir)
	w.must(t, boot)
	w.keepUp(t)
	w.addProcessPrng(t)
	w.writeOverlay(t)
	w.must(t, w.command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", w.bin+"/", "./cmd/..."))
	return w
}

func (w *wine) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env, cmd.Dir = w.env, "../.."
	return cmd
}

func (w *wine) must(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
}

// keepUp lets a program wait for input, so that Windows goes on between two
// others: started anew, its services would keep the streams of the one that
// needs them open.
func (w *wine) keepUp(t *testing.T) {
	shell := w.command("wine", "cmd.exe")
	input, err := shell.StdinPipe()
	if err == nil {
		err = shell.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		input.Close()
		shell.Wait()
	})
}

// addProcessPrng adds a library without which no program of Go starts, and that
// Wine has since version 9: ProcessPrng, under its name of old.
func (w *wine) addProcessPrng(t *testing.T) {
	const definition = "LIBRARY bcryptprimitives.dll\nEXPORTS\n ProcessPrng = advapi32.SystemFunction036\n"
	library := filepath.Join(w.drive, "windows", "system32", "bcryptprimitives.dll")
	if _, err := os.Stat(library); !errors.Is(err, fs.ErrNotExist) {
		return
	}
	file := filepath.Join(t.TempDir(), "library.def")
	if err := os.WriteFile(file, []byte(definition), 0o600); err != nil {
		t.Fatal(err)
	}
	w.must(t, w.command("ld", "-m", "i386pep", "-shared", "-o", library, file))
}

// writeOverlay lets os.RemoveAll, which tests clean up with and no program uses,
// take "not implemented", as Wine 8 has it, for an answer.
func (w *wine) writeOverlay(t *testing.T) {
	out, err := w.command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(strings.TrimSpace(string(out)), "src", "internal", "syscall", "windows", "at_windows.go")
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	const notImplemented = "NTStatus(0xC0000002), "
	patched := w.overlay + ".go"
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {source: patched}})
	err = errors.Join(err, os.WriteFile(w.overlay, overlay, 0o600),
		os.WriteFile(patched, bytes.Replace(text, []byte("case STATUS_INVALID_INFO_CLASS, "), []byte("case STATUS_INVALID_INFO_CLASS, "+notImplemented), 1), 0o600))
	if err != nil {
		t.Fatal(err)
	}
}

// console is what happens at CONIN$: what is typed is not shown, Ctrl-C and q end it. The
// terminal that Wine makes a console of is one from the first read on.
func (w *wine) console(t *testing.T) {
	aws, err := awstest.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer aws.Close()
	const role = "arn:aws:iam::123456789012:role/PowerUserRole"
	user := aws.AddUser(jane)
	aws.AddRole(awstest.Role{ARN: role, RequireMFA: true, Trusts: []string{jane}})
	homes, err := filepath.Glob(filepath.Join(w.drive, "users", "*", "AppData"))
	if err != nil || len(homes) != 1 {
		t.Fatalf("got homes %q, %v", homes, err)
	}
	files, dir := filepath.Join(filepath.Dir(homes[0]), ".aws"), t.TempDir()
	config := "[profile mfa]\nrole_arn = " + role + "\nsource_profile = default\nmfa_serial = " + user.Device.SerialNumber + "\n" +
		"[default]\naws_access_key_id = " + user.AccessKeyID + "\naws_secret_access_key = " + user.SecretAccessKey + "\n"
	self, err := os.Executable()
	if err == nil {
		err = errors.Join(os.MkdirAll(files, 0o700), os.WriteFile(filepath.Join(files, "config"), []byte(config), 0o600), os.Symlink(self, filepath.Join(dir, "terminal")))
	}
	if err != nil {
		t.Fatal(err)
	}
	at := func(dialogue, program string, args ...string) (string, int) {
		file := filepath.Join(dir, "dialogue")
		if err := os.WriteFile(file, []byte(dialogue), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := w.command(filepath.Join(dir, "terminal"), append([]string{file, "wine", filepath.Join(w.bin, program+".exe")}, args...)...)
		cmd.Env = append(cmd.Env, "AWS_ENDPOINT_URL_STS="+aws.URL(), "AWSTEST_URL="+aws.URL(), "TERM=xterm")
		out, _ := cmd.CombinedOutput()
		return string(out), cmd.ProcessState.ExitCode()
	}
	if shown, status := at("expect Enter MFA code for\nraw\nkey C\n", "aws-mfa-login", "mfa"); status != 130 {
		t.Errorf("interrupted: got exit status %d, want 130\n%s", status, shown)
	}
	shown, status := at("expect Enter MFA code for\nraw\nsend 000000\ntimes 2 Enter MFA code for\ncode "+user.Device.SerialNumber+"\n", "aws-mfa-login", "mfa")
	if status != 0 || !strings.Contains(shown, "is signed in as") || regexp.MustCompile(`\b\d{6}\b`).MatchString(shown) {
		t.Errorf("got exit status %d\n%s", status, shown)
	}
	if shown, status := at("expect PROFILE\nraw\npress q\n", "aws-mfa-status", "mfa", "--watch"); status != 0 {
		t.Errorf("watched: got exit status %d\n%s", status, shown)
	}
	seed := "expect seed\nraw\nsend " + user.Device.Seed + "\n"
	if shown, status := at(seed, "aws-mfa-login", "mfa", "--save-seed", "--seed-store", "keyring"); status != 0 || strings.Contains(shown, user.Device.Seed) {
		t.Errorf("a seed: got exit status %d\n%s", status, shown)
	}
}
