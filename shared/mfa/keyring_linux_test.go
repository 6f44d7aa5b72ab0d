package mfa

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	locked    = "it is locked, and was not unlocked"
	noKeyring = "no program offers one in this D-Bus session (org.freedesktop.secrets)"
)

// desktop is a D-Bus session of its own, in directories of its own.
type desktop struct {
	t       *testing.T
	home    string
	keyring *exec.Cmd // nil when there is none
}

// login begins a session, whose bus begins nothing by itself, and lets the
// environment lead there.
func login(t *testing.T) *desktop {
	t.Helper()
	program := tool(t, "dbus-daemon")
	d := &desktop{t: t, home: t.TempDir()}
	for _, variable := range []string{"HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"} {
		t.Setenv(variable, d.home)
	}
	t.Setenv("DISPLAY", "")
	t.Setenv("WAYLAND_DISPLAY", "")
	config := filepath.Join(d.home, "bus.conf")
	write(t, config, `<busconfig><type>session</type><listen>unix:path=`+d.home+`/bus</listen>
		<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`)
	bus := exec.Command(program, "--config-file="+config, "--nofork", "--nopidfile", "--print-address")
	out, err := bus.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	d.begin(bus)
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", strings.TrimSpace(address))
	return d
}

// begin starts a program that ends with the test, however that ends.
func (d *desktop) begin(cmd *exec.Cmd) {
	d.t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { end(cmd) })
}

func end(cmd *exec.Cmd) {
	if cmd.ProcessState == nil {
		cmd.Process.Kill()
		cmd.Wait()
	}
}

// daemon begins a keyring: unlocked, or with its password not given.
func (d *desktop) daemon(unlocked bool) {
	d.t.Helper()
	program := tool(d.t, "gnome-keyring-daemon")
	d.keyring = exec.Command(program, "--foreground", "--components=secrets")
	if unlocked {
		d.keyring.Args = append(d.keyring.Args, "--unlock")
		d.keyring.Stdin = strings.NewReader("password")
	}
	d.begin(d.keyring)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		_, err := Keyring{}.Load(d.t.Context(), jane)
		if refused := new(KeyringError); !errors.As(err, &refused) || refused.Reason != noKeyring {
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatal("gnome-keyring-daemon does not answer")
		}
	}
}

// all wants each method to fail for that reason.
func all(t *testing.T, want string) {
	t.Helper()
	_, err := Keyring{}.Load(t.Context(), jane)
	reasonIs(t, err, want)
	reasonIs(t, Keyring{}.Save(t.Context(), jane, parseOK(t, rfcSecret)), want)
	reasonIs(t, Keyring{}.Forget(t.Context(), jane), want)
}

func secretTool(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.Command(tool(t, "secret-tool"), args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("secret-tool %q: %v", args, err)
	}
	return string(out)
}

func TestKeyringKeepsSeeds(t *testing.T) {
	login(t).daemon(true)
	first, second := parseOK(t, rfcSecret), parseOK(t, "otpauth://totp/a?algorithm=SHA512&period=60&secret="+rfcSecret)
	if s, err := (Keyring{}).Load(t.Context(), jane); err != ErrNoSeed {
		t.Errorf("before: got %v, %v, want %v", s, err, ErrNoSeed)
	}
	for _, s := range []Seed{first, second} {
		if err := (Keyring{}).Save(t.Context(), jane, s); err != nil {
			t.Fatal(err)
		}
		if got, err := (Keyring{}).Load(t.Context(), jane); err != nil || **got.kept != **s.kept {
			t.Errorf("got %v, %v, want what was saved", got, err)
		}
		if got := secretTool(t, "", "lookup", "service", "aws-mfa", "username", jane); got != s.uri(jane) {
			t.Errorf("secret-tool: got %q, want %q", got, s.uri(jane))
		}
	}
	if _, err := (Keyring{}).Load(t.Context(), jane+"2"); err != ErrNoSeed {
		t.Errorf("another device: got %v, want %v", err, ErrNoSeed)
	}
	if err := (Keyring{}).Forget(t.Context(), jane); err != nil {
		t.Error(err)
	}
	if err := (Keyring{}).Forget(t.Context(), jane); err != ErrNoSeed {
		t.Errorf("again: got %v, want %v", err, ErrNoSeed)
	}
}

func TestSeedsKeptByOthers(t *testing.T) {
	login(t).daemon(true)
	store := []string{"store", "--label=x", "service", "aws-mfa", "username", jane}
	secretTool(t, "jbsw y3dp ehpk 3pxp\n", store...)
	if s, err := (Keyring{}).Load(t.Context(), jane); err != nil || (*s.kept).secret != "JBSWY3DPEHPK3PXP" {
		t.Errorf("got %v, %v, want the seed", s, err)
	}
	secretTool(t, "hunter2!", store...)
	_, err := Keyring{}.Load(t.Context(), jane)
	reasonIs(t, err, "what it keeps for "+jane+" is not a usable seed: character 8 is not base32, which is A-Z and 2-7")
}

func TestLockedKeyringIsToldAtOnce(t *testing.T) {
	d := login(t)
	d.daemon(true)
	if err := (Keyring{}).Save(t.Context(), jane, parseOK(t, rfcSecret)); err != nil {
		t.Fatal(err)
	}
	end(d.keyring)
	d.daemon(false)
	begin := time.Now()
	all(t, locked)
	if got := time.Since(begin); got > 10*time.Second {
		t.Errorf("took %v", got)
	}
}

func TestKeyringThatWasNeverUnlockedHasNoCollection(t *testing.T) {
	login(t).daemon(false)
	all(t, "it is locked, or has no default collection to keep seeds in")
}

func TestSessionWithoutKeyring(t *testing.T) {
	login(t)
	all(t, noKeyring)
}

func TestKeyringThatDiesMeanwhile(t *testing.T) {
	d := login(t)
	d.daemon(true)
	d.signal(syscall.SIGSTOP)
	time.AfterFunc(100*time.Millisecond, func() { d.keyring.Process.Kill() })
	_, err := Keyring{}.Load(t.Context(), jane)
	if !errors.As(err, new(*KeyringError)) {
		t.Errorf("got %v, want a KeyringError", err)
	}
}

func TestStoppedKeyringGivesWayToContext(t *testing.T) {
	d := login(t)
	d.daemon(true)
	d.signal(syscall.SIGSTOP)
	impatient := errors.New("impatient")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 200*time.Millisecond, impatient)
	defer cancel()
	if _, err := (Keyring{}).Load(ctx, jane); err != impatient {
		t.Errorf("got %v, want %v", err, impatient)
	}
	d.signal(syscall.SIGCONT)
	if _, err := (Keyring{}).Load(t.Context(), jane); err != ErrNoSeed {
		t.Errorf("once it goes on: got %v, want %v", err, ErrNoSeed)
	}
}

func (d *desktop) signal(s syscall.Signal) {
	d.t.Helper()
	if err := d.keyring.Process.Signal(s); err != nil {
		d.t.Fatal(err)
	}
}

func TestSessionIsFoundAsSystemdPlacesIt(t *testing.T) {
	login(t).daemon(true)
	os.Unsetenv("DBUS_SESSION_BUS_ADDRESS") // login puts it back
	if _, err := (Keyring{}).Load(t.Context(), jane); err != ErrNoSeed {
		t.Errorf("got %v, want %v", err, ErrNoSeed)
	}
}

// The library starts a bus with dbus-launch, or asks a bus elsewhere.
func TestSessionIsNotStarted(t *testing.T) {
	dir := t.TempDir()
	called := filepath.Join(dir, "called")
	if err := os.WriteFile(filepath.Join(dir, "dbus-launch"), []byte("#!/bin/sh\n: >"+called+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("XDG_RUNTIME_DIR", dir)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	const none = "there is no D-Bus session here (DBUS_SESSION_BUS_ADDRESS) to find one in"
	all(t, none)
	write(t, filepath.Join(dir, "bus"), "")
	all(t, none)
	for _, address := range []string{"autolaunch:", "autolaunch:scope=x", "unix:path=/nowhere;autolaunch:", "tcp:host=127.0.0.1,port=1", "unixexec:path=true", "x"} {
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
		all(t, "DBUS_SESSION_BUS_ADDRESS is not the address of a local bus (unix:)")
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+dir+"/none")
	all(t, "the D-Bus session does not answer")
	if _, err := os.Stat(called); err == nil {
		t.Error("dbus-launch was called")
	}
}
