package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"aws-mfa/shared/cli"
	"aws-mfa/shared/profile"
)

// An opener is what the flags say of the browser.
type opener struct {
	Browser       filled `placeholder:"COMMAND" help:"Start this browser: a command, %s in it stands for the address (default: the first of $BROWSER that starts, a list with colons, semicolons on Windows; else the system's)."`
	Container     filled `placeholder:"NAME" xor:"apart" help:"Open it in that container of Firefox, by the extension \"Open external links in a container\"."`
	ChromeProfile bool   `xor:"apart" help:"Open it in a profile of Chrome, Chromium, Edge or Brave that is the role's own: each role has its console."`
}

// A way is how somebody gets to see the console.
type way struct {
	print     bool          // the sign-in URL, for want of a browser
	commands  [][]string    // the browsers to try, in this order, %s for the address; none is the system's
	container string        // of Firefox
	settling  time.Duration // until Windows sees our port
}

// relayed is how long Windows may take to see a port in WSL, which looks for new ones
// once a second. Source: MonitorListeningSockets in
// https://github.com/microsoft/WSL/blob/master/src/linux/init/localhost.cpp
const relayed = 1500 * time.Millisecond

// A machine is what a way depends on.
type machine struct {
	os   string // runtime.GOOS
	wsl  bool   // Linux within Windows
	env  func(string) string
	look func(string) (string, error) // finds a program, as exec.LookPath
}

func thisMachine() machine {
	return machine{os: runtime.GOOS, wsl: onWSL(), env: os.Getenv, look: exec.LookPath}
}

// way finds the way to the console of a role. A browser that was asked for is
// never replaced by another one.
func (o opener) way(m machine, role string) (w way, err error) {
	w.container = string(o.Container)
	if m.wsl {
		w.settling = relayed
	}
	w.commands, err = o.asked(m)
	switch {
	case err != nil || len(w.commands) > 0:
	case m.remote():
		return way{print: true}, nil
	case !m.windows() && m.os != "darwin" && !m.display():
		err = errors.New("there is no display for a browser: neither DISPLAY nor WAYLAND_DISPLAY is set")
	case o.Container != "":
		w.commands, err = m.found(m.firefox(), "Firefox was not found")
	case o.ChromeProfile:
		w.commands, err = m.found(m.chrome(), "neither Chrome nor Chromium, Edge or Brave was found")
	case m.os != "windows" && m.os != "darwin":
		w.commands, err = m.found(m.openers(), "neither xdg-open nor x-www-browser was found")
	}
	if o.Container != "" && err == nil {
		err = m.notBatch(w.commands)
	}
	var misused cli.UsageError
	switch {
	case errors.As(err, &misused):
		return way{}, err
	case err != nil:
		return way{}, cli.WithHints(err, noBrowserHints...)
	}
	if o.ChromeProfile {
		for i, words := range w.commands {
			w.commands[i] = withProfile(words, chromeDirectory(role))
		}
	}
	return w, nil
}

// asked lists the commands of --browser or $BROWSER that are there.
func (o opener) asked(m machine) ([][]string, error) {
	name, entries := "--browser", []string{string(o.Browser)}
	if o.Browser == "" {
		separator := ":"
		if m.os == "windows" {
			separator = ";"
		}
		name, entries = "BROWSER", strings.Split(m.env("BROWSER"), separator)
		if m.env("BROWSER") == "" {
			return nil, nil
		}
	}
	var commands [][]string
	err := errors.New("no command")
	for _, entry := range entries {
		if strings.TrimSpace(entry) == "" {
			continue
		}
		words, problem := m.words(entry)
		if problem == nil {
			commands = append(commands, words)
		} else {
			err = problem
		}
	}
	var absent *exec.Error
	switch {
	case len(commands) > 0:
		return commands, nil
	case name == "--browser" && !errors.As(err, &absent):
		return nil, cli.UsageError("--browser: " + err.Error())
	}
	return nil, fmt.Errorf("%s: %w", name, err)
}

// words splits a command, which may also be a path with spaces.
func (m machine) words(command string) (words []string, err error) {
	if _, err := m.look(command); err == nil {
		return []string{command, "%s"}, nil
	}
	if words, err = profile.CommandWords(command, m.os); err != nil {
		return nil, err
	}
	if _, err := m.look(words[0]); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(words, holdsAddress) {
		words = append(words, "%s")
	}
	return words, nil
}

// notBatch refuses batch files of Windows, whose arguments cmd.exe reads: it
// would end the link to a container at its "&".
func (m machine) notBatch(commands [][]string) error {
	for _, words := range commands {
		path, _ := m.look(words[0])
		if ext := strings.ToLower(path[max(0, len(path)-4):]); m.os == "windows" && (ext == ".bat" || ext == ".cmd") {
			return cli.UsageError("--container goes with a browser that is a program, and not a batch file: " + path)
		}
	}
	return nil
}

func holdsAddress(word string) bool { return strings.Contains(word, "%s") }

// found keeps the commands that are there; none is an error.
func (m machine) found(commands [][]string, none string) ([][]string, error) {
	var out [][]string
	for _, words := range commands {
		if _, err := m.look(words[0]); err == nil {
			out = append(out, append(words, "%s"))
		}
	}
	if len(out) == 0 {
		return nil, errors.New(none)
	}
	return out, nil
}

// remote tells of somebody who sits at another machine, and cannot see a
// browser on this one.
func (m machine) remote() bool {
	return m.env("SSH_CONNECTION")+m.env("SSH_TTY") != "" && !m.display()
}

func (m machine) display() bool { return m.env("DISPLAY")+m.env("WAYLAND_DISPLAY") != "" }

// windows tells whether programs of Windows can be run.
func (m machine) windows() bool { return m.os == "windows" || m.wsl }

// openers are what opens an address where the library does not know how, or
// does not let go of it. Windows' own is not slow like PowerShell, and takes
// addresses as they are, unlike cmd's start. www-browser is not one of them:
// the console is no use in a text browser.
func (m machine) openers() (out [][]string) {
	if m.wsl {
		const handler = "url.dll,FileProtocolHandler"
		out = append(out, []string{"rundll32.exe", handler}, []string{windowsDrive + "/Windows/System32/rundll32.exe", handler}, []string{"wslview"})
	}
	if m.display() {
		out = append(out, []string{"xdg-open"}, []string{"x-www-browser"})
	}
	return out
}

// windowsDrive is C: as WSL has it.
const windowsDrive = "/mnt/c"

func (m machine) firefox() [][]string {
	if m.os == "darwin" {
		return [][]string{{"open", "-a", "Firefox"}}
	}
	return append(m.installed(`Mozilla Firefox\firefox.exe`), m.onPath("firefox", "firefox-esr")...)
}

func (m machine) chrome() (out [][]string) {
	if m.os == "darwin" {
		for _, app := range []string{"Google Chrome", "Chromium", "Microsoft Edge", "Brave Browser"} {
			// -n, for a running one does not take arguments
			out = append(out, []string{"open", "-n", "-a", app, "--args"})
		}
		return out
	}
	out = m.installed(`Google\Chrome\Application\chrome.exe`, `Chromium\Application\chrome.exe`, `Microsoft\Edge\Application\msedge.exe`, `BraveSoftware\Brave-Browser\Application\brave.exe`)
	return append(out, m.onPath("google-chrome", "google-chrome-stable", "chromium", "chromium-browser", "microsoft-edge", "microsoft-edge-stable", "brave-browser", "brave")...)
}

// installed are the places where Windows may have programs.
func (m machine) installed(programs ...string) (out [][]string) {
	roots := []string{m.env("ProgramFiles"), m.env("ProgramFiles(x86)"), m.env("LocalAppData")}
	if m.wsl {
		roots = []string{windowsDrive + "/Program Files", windowsDrive + "/Program Files (x86)"}
	}
	if !m.windows() {
		return nil
	}
	for _, program := range programs {
		for _, root := range roots {
			switch {
			case root == "":
			case m.wsl:
				out = append(out, []string{root + "/" + strings.ReplaceAll(program, `\`, "/")})
			default:
				out = append(out, []string{root + `\` + program})
			}
		}
	}
	return out
}

func (m machine) onPath(names ...string) (out [][]string) {
	if m.wsl && !m.display() {
		return nil
	}
	for _, name := range names {
		out = append(out, []string{name})
	}
	return out
}

// withProfile makes Chrome open the address in a profile, asking nothing.
func withProfile(words []string, directory string) []string {
	at := slices.IndexFunc(words, holdsAddress)
	return slices.Insert(slices.Clone(words), at, "--profile-directory="+directory, "--no-first-run", "--no-default-browser-check")
}

// chromeDirectory names the Chrome profile of a role, in a way that every
// system takes for a directory: the characters of role names are safe, but not
// a dot at the end. Names differ in an account by more than case, and without
// their paths. Source:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func chromeDirectory(role string) string {
	a, _ := profile.ParseARN(role)
	parts := strings.Split(a.Resource, "/")
	name := parts[len(parts)-1]
	if parts[0] == "assumed-role" && len(parts) > 1 {
		name = parts[1]
	}
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune("_+=,.@-", r):
			return r
		}
		return '_'
	}, a.Partition+"-"+name+"-"+a.Account)
}

// way is that of the flags.
func (c *console) way(role string) (way, error) {
	if c.Print {
		return way{print: true}, nil
	}
	return c.opener.way(thisMachine(), role)
}

// tell prints the URL, and why, where that was not asked for, with what else
// there is to say of it.
func (c *console) tell(v *cli.Voice, url, more string) error {
	if !c.Print {
		v.Say("no browser can be opened over ssh without a display: open this URL in yours%s", more)
	}
	_, err := fmt.Fprintln(v.Stdout, url)
	return err
}
