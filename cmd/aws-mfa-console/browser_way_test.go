package main

import (
	"errors"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	"aws-mfa/shared/cli"
)

// having is a machine with these variables and programs.
func having(goos string, env map[string]string, programs ...string) machine {
	return machine{
		os:  goos,
		env: func(name string) string { return env[name] },
		look: func(name string) (string, error) {
			if slices.Contains(programs, name) {
				return name, nil
			}
			return "", &exec.Error{Name: name, Err: exec.ErrNotFound}
		},
	}
}

func inWindows(m machine) machine {
	m.wsl = true
	return m
}

type env = map[string]string

const (
	chromeFlag = "--profile-directory=aws-Admin-123456789012"
	noFirstRun = "--no-first-run"
	noDefault  = "--no-default-browser-check"
	handler    = "url.dll,FileProtocolHandler"
	edge       = `C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe`
	wslEdge    = "/mnt/c/Program Files (x86)/Microsoft/Edge/Application/msedge.exe"
	wslFirefox = "/mnt/c/Program Files/Mozilla Firefox/firefox.exe"
)

var (
	desktop = env{"DISPLAY": ":0"}
	windows = env{"ProgramFiles": `C:\Program Files`, "ProgramFiles(x86)": `C:\Program Files (x86)`, "LocalAppData": `C:\Users\jane\AppData\Local`}
)

func TestABatchFileGetsNoContainer(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{`C:\b.cmd`: true, `C:\B.BAT`: true, `C:\b.exe`: false, "b": false} {
		m := having("windows", env{"BROWSER": path}, path)
		_, err := opener{Container: "x"}.way(m, "arn:aws:iam::123456789012:role/Admin")
		if errors.As(err, new(cli.UsageError)) != want {
			t.Errorf("%s: got %v", path, err)
		}
		if _, err := (opener{}).way(m, ""); err != nil {
			t.Errorf("%s without a container: got %v", path, err)
		}
	}
}

func TestTheBrowserIsWhatPeopleExpectOfTheirSystem(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		machine
		opener
		want [][]string // none is the system's
	}{
		"Linux":                        {having("linux", desktop, "xdg-open", "x-www-browser", "www-browser"), opener{}, [][]string{{"xdg-open", "%s"}, {"x-www-browser", "%s"}}},
		"Linux with Wayland":           {having("linux", env{"WAYLAND_DISPLAY": "wayland-0"}, "xdg-open"), opener{}, [][]string{{"xdg-open", "%s"}}},
		"FreeBSD":                      {having("freebsd", desktop, "xdg-open"), opener{}, [][]string{{"xdg-open", "%s"}}},
		"macOS":                        {having("darwin", nil, "open"), opener{}, nil},
		"Windows":                      {having("windows", windows), opener{}, nil},
		"WSL":                          {inWindows(having("linux", nil, "rundll32.exe", "xdg-open")), opener{}, [][]string{{"rundll32.exe", handler, "%s"}}},
		"WSL without Windows' path":    {inWindows(having("linux", nil, "/mnt/c/Windows/System32/rundll32.exe")), opener{}, [][]string{{"/mnt/c/Windows/System32/rundll32.exe", handler, "%s"}}},
		"WSL with wslu":                {inWindows(having("linux", nil, "wslview")), opener{}, [][]string{{"wslview", "%s"}}},
		"WSL with a display":           {inWindows(having("linux", desktop, "rundll32.exe", "xdg-open")), opener{}, [][]string{{"rundll32.exe", handler, "%s"}, {"xdg-open", "%s"}}},
		"ssh with X":                   {having("linux", env{"SSH_CONNECTION": "x", "DISPLAY": "localhost:10"}, "xdg-open"), opener{}, [][]string{{"xdg-open", "%s"}}},
		"--browser over ssh":           {having("linux", env{"SSH_TTY": "x"}, "w3m"), opener{Browser: "w3m"}, [][]string{{"w3m", "%s"}}},
		"BROWSER over ssh":             {having("linux", env{"SSH_TTY": "x", "BROWSER": "code"}, "code"), opener{}, [][]string{{"code", "%s"}}},
		"BROWSER":                      {having("linux", env{"BROWSER": "netscape:firefox -P 'at work':chromium --new-tab=%s -x"}, "firefox", "chromium"), opener{}, [][]string{{"firefox", "-P", "at work", "%s"}, {"chromium", "--new-tab=%s", "-x"}}},
		"BROWSER with a space":         {inWindows(having("linux", env{"BROWSER": wslFirefox}, wslFirefox)), opener{}, [][]string{{wslFirefox, "%s"}}},
		"BROWSER of Windows":           {having("windows", env{"BROWSER": `C:\none.exe;"C:\my tools\b.exe" -x`}, `C:\my tools\b.exe`), opener{}, [][]string{{`C:\my tools\b.exe`, "-x", "%s"}}},
		"--browser before BROWSER":     {having("linux", env{"BROWSER": "firefox"}, "firefox", "chromium"), opener{Browser: "chromium --x"}, [][]string{{"chromium", "--x", "%s"}}},
		"--browser is no list":         {having("linux", nil, "/opt/a:b"), opener{Browser: "/opt/a:b"}, [][]string{{"/opt/a:b", "%s"}}},
		"container":                    {having("linux", desktop, "xdg-open", "firefox-esr"), opener{Container: "x"}, [][]string{{"firefox-esr", "%s"}}},
		"container, --browser":         {having("linux", nil, "firefox"), opener{Container: "x", Browser: "firefox -P work"}, [][]string{{"firefox", "-P", "work", "%s"}}},
		"container, macOS":             {having("darwin", nil, "open"), opener{Container: "x"}, [][]string{{"open", "-a", "Firefox", "%s"}}},
		"container, Windows":           {having("windows", windows, `C:\Program Files\Mozilla Firefox\firefox.exe`), opener{Container: "x"}, [][]string{{`C:\Program Files\Mozilla Firefox\firefox.exe`, "%s"}}},
		"container, WSL":               {inWindows(having("linux", desktop, "firefox", wslFirefox)), opener{Container: "x"}, [][]string{{wslFirefox, "%s"}, {"firefox", "%s"}}},
		"Chrome profile":               {having("linux", desktop, "chromium", "brave", "xdg-open"), opener{ChromeProfile: true}, [][]string{{"chromium", chromeFlag, noFirstRun, noDefault, "%s"}, {"brave", chromeFlag, noFirstRun, noDefault, "%s"}}},
		"Chrome profile, --browser":    {having("linux", nil, "vivaldi"), opener{ChromeProfile: true, Browser: "vivaldi --app=%s -x"}, [][]string{{"vivaldi", chromeFlag, noFirstRun, noDefault, "--app=%s", "-x"}}},
		"Chrome profile, Windows":      {having("windows", windows, edge), opener{ChromeProfile: true}, [][]string{{edge, chromeFlag, noFirstRun, noDefault, "%s"}}},
		"Chrome profile, WSL":          {inWindows(having("linux", nil, wslEdge, "chromium")), opener{ChromeProfile: true}, [][]string{{wslEdge, chromeFlag, noFirstRun, noDefault, "%s"}}},
		"Chrome profile, Windows, own": {having("windows", windows, `C:\Users\jane\AppData\Local\Google\Chrome\Application\chrome.exe`), opener{ChromeProfile: true}, [][]string{{`C:\Users\jane\AppData\Local\Google\Chrome\Application\chrome.exe`, chromeFlag, noFirstRun, noDefault, "%s"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := c.opener.way(c.machine, adminARN)
			if err != nil || got.print || !reflect.DeepEqual(got.commands, c.want) || got.container != string(c.opener.Container) || got.settling > 0 != c.machine.wsl {
				t.Errorf("got %q (%+v), %v, want %q", got.commands, got, err, c.want)
			}
		})
	}
	got, err := opener{ChromeProfile: true}.way(having("darwin", nil, "open"), adminARN)
	want := []string{"open", "-n", "-a", "Google Chrome", "--args", chromeFlag, noFirstRun, noDefault, "%s"}
	if err != nil || len(got.commands) != 4 || !slices.Equal(got.commands[0], want) {
		t.Errorf("Chrome profile, macOS: got %q, %v, want %q first", got.commands, err, want)
	}
}

// Who sits elsewhere would not see a browser here.
func TestOverSSHWithoutADisplayTheURLIsPrinted(t *testing.T) {
	t.Parallel()
	for _, m := range []machine{
		having("linux", env{"SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22"}, "xdg-open"),
		having("linux", env{"SSH_TTY": "/dev/pts/3"}, "xdg-open"),
		having("darwin", env{"SSH_CONNECTION": "x"}, "open"),
		having("windows", env{"SSH_CONNECTION": "x"}),
		inWindows(having("linux", env{"SSH_CONNECTION": "x"}, "rundll32.exe")),
	} {
		for _, o := range []opener{{}, {Container: "x"}, {ChromeProfile: true}} {
			if got, err := o.way(m, adminARN); err != nil || !got.print || got.commands != nil {
				t.Errorf("%s: got %+v, %v", m.os, got, err)
			}
		}
	}
}

func TestNoBrowserIsToldWithWhatWouldHelp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		machine
		opener
		want    string
		misused bool
	}{
		{having("linux", nil, "xdg-open", "www-browser", "firefox"), opener{}, "there is no display for a browser: neither DISPLAY nor WAYLAND_DISPLAY is set", false},
		{having("linux", nil, "firefox"), opener{Container: "x"}, "there is no display for a browser: neither DISPLAY nor WAYLAND_DISPLAY is set", false},
		{having("linux", desktop, "www-browser", "wslview"), opener{}, "neither xdg-open nor x-www-browser was found", false},
		{having("linux", desktop, "xdg-open"), opener{Container: "x"}, "Firefox was not found", false},
		{having("windows", windows, "firefox"), opener{ChromeProfile: true}, "neither Chrome nor Chromium, Edge or Brave was found", false},
		{having("linux", env{"BROWSER": "netscape", "DISPLAY": ":0"}, "xdg-open"), opener{}, `BROWSER: exec: "netscape": ` + exec.ErrNotFound.Error(), false},
		{having("linux", env{"BROWSER": " : :", "DISPLAY": ":0"}, "xdg-open"), opener{}, "BROWSER: no command", false},
		{having("linux", env{"BROWSER": "firefox", "DISPLAY": ":0"}, "firefox"), opener{Browser: "netscape -x"}, `--browser: exec: "netscape": ` + exec.ErrNotFound.Error(), false},
		{having("linux", env{"DISPLAY": ":0"}, "firefox"), opener{Browser: "firefox 'x"}, "--browser: a quote or escape is not closed", true},
		{having("linux", env{"DISPLAY": ":0"}, "firefox"), opener{Browser: " "}, "--browser: no command", true},
	} {
		_, err := c.opener.way(c.machine, adminARN)
		var misused cli.UsageError
		if err == nil || err.Error() != c.want || errors.As(err, &misused) != c.misused {
			t.Errorf("%+v: got %v, want %s, misused %t", c.opener, err, c.want, c.misused)
		}
	}
}

// As the extension's own URLSearchParams reads it: a + is a space to that, and
// & ends a value.
func TestAnAddressInAContainerIsEscaped(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Work":       "ext+container:name=Work&url=http%3A%2F%2F127.0.0.1%3A4321%2FX",
		"R & D+1":    "ext+container:name=R%20%26%20D%2B1&url=http%3A%2F%2F127.0.0.1%3A4321%2FX",
		"100%s=ü#?/": "ext+container:name=100%25s%3D%C3%BC%23%3F%2F&url=http%3A%2F%2F127.0.0.1%3A4321%2FX",
	} {
		if got := inContainer(name, "http://127.0.0.1:4321/X"); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestAChromeProfileIsARolesOwn(t *testing.T) {
	t.Parallel()
	for role, want := range map[string]string{
		adminARN: "aws-Admin-123456789012",
		"arn:aws:iam::123456789012:role/a/b/Admin":            "aws-Admin-123456789012",
		"arn:aws:sts::123456789012:assumed-role/Admin/jane":   "aws-Admin-123456789012",
		"arn:aws:iam::210987654321:role/Admin":                "aws-Admin-210987654321",
		"arn:aws-cn:iam::123456789012:role/Admin":             "aws-cn-Admin-123456789012",
		"arn:aws:iam::123456789012:role/x+=,.@-_":             "aws-x+=,.@-_-123456789012",
		"arn:aws:iam::123456789012:role/CON.":                 "aws-CON.-123456789012",
		"arn:aws:sts::123456789012:assumed-role/..\\a:b\x00/": "aws-.._a_b_-123456789012",
	} {
		if got := chromeDirectory(role); got != want || strings.ContainsAny(got, `/\:*?"<>|`) {
			t.Errorf("%q: got %s, want %s", role, got, want)
		}
	}
}
