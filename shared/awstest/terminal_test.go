//go:build unix

package awstest_test

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// programs are what this test binary is under other names.
var programs = map[string]func(args []string) int{"terminal": terminal, "browser": browser, "headless": headless, "gosdk": gosdk, "many": many}

var update = flag.Bool("update", false, "write the tables of docs/reliability.md and docs/performance.md anew")

func TestMain(m *testing.M) {
	if program := programs[filepath.Base(os.Args[0])]; program != nil {
		os.Exit(program(os.Args[1:]))
	}
	os.Exit(afterTests(m.Run()))
}

// afterTests has the last word on the tests' status.
var afterTests = func(status int) int { return status }

// terminal is the program of that name in the scripts:
//
//	terminal FILE PROGRAM ARG...
//
// runs PROGRAM in a terminal of its own, shows on stdout what appeared there,
// and exits with PROGRAM's status. FILE is the dialogue, a line each:
//
//	expect TEXT     wait until TEXT appears
//	times N TEXT    wait until TEXT has appeared N times in all
//	send TEXT       type TEXT and Return
//	press TEXT      type TEXT
//	code SERIAL     type a code of the device that was not used yet, and Return
//	key C           type control-C (D, Z, …)
//	raw             wait until the terminal hands on each key as it is
//	await ACTION    wait until AWS has got a call of that action
//	signal NAME     send PROGRAM that signal: SIGTERM
//	size COLS ROWS  make the terminal that large; PROGRAM starts in that size where it is the first line
//
// When PROGRAM has ended, the terminal's modes must be what they were.
func terminal(args []string) int {
	dialogue, err := os.ReadFile(args[0])
	if err != nil {
		return failed(err)
	}
	cmd := exec.Command(args[1], args[2:]...)
	master, slave, err := pty.Open()
	if err != nil {
		return failed(err)
	}
	defer slave.Close() // held open: its modes are looked at in the end
	before, err := unix.IoctlGetTermios(int(slave.Fd()), getModes)
	if err != nil {
		return failed(err)
	}
	if size, ok := strings.CutPrefix(string(dialogue), "size "); ok {
		if err := resize(master, size); err != nil {
			return failed(err)
		}
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		return failed(err)
	}
	screen := &screen{}
	screen.changed.L = &screen.mu
	go screen.read(master)
	if err := converse(master, screen, cmd.Process, string(dialogue)); err != nil {
		cmd.Process.Kill()
		cmd.Wait()
		fmt.Printf("%s\n", screen.text())
		return failed(err)
	}
	status := 0
	var exit *exec.ExitError
	hangs := time.AfterFunc(2*patience, func() { unix.Kill(-cmd.Process.Pid, unix.SIGKILL) })
	if err := cmd.Wait(); errors.As(err, &exit) {
		status = exit.ExitCode()
	}
	if !hangs.Stop() {
		fmt.Printf("%s\n", screen.text())
		return failed(errors.New("the program did not end"))
	}
	// A mark behind the program's output tells that all of it was read.
	fmt.Fprint(slave, "\x00")
	screen.wait("\x00")
	fmt.Printf("%s\n", strings.ReplaceAll(strings.TrimSuffix(screen.text(), "\x00"), "\r\n", "\n"))
	modes, err := unix.IoctlGetTermios(int(slave.Fd()), getModes)
	if err != nil {
		return failed(err)
	}
	modes.Lflag &^= unix.PENDIN // typed but not read, which is no mode
	if *modes != *before {
		return failed(fmt.Errorf("the terminal's modes were %+v, and are %+v", *before, *modes))
	}
	return status
}

// resize takes "COLS ROWS", with which a line may begin.
func resize(master *os.File, size string) error {
	var to pty.Winsize
	if _, err := fmt.Sscan(size, &to.Cols, &to.Rows); err != nil {
		return fmt.Errorf("size %q: %w", size, err)
	}
	return pty.Setsize(master, &to)
}

func failed(err error) int {
	fmt.Fprintln(os.Stderr, filepath.Base(os.Args[0])+":", err)
	return 99
}

func converse(master *os.File, screen *screen, program *os.Process, dialogue string) error {
	lines := bufio.NewScanner(strings.NewReader(dialogue))
	for lines.Scan() {
		verb, text, _ := strings.Cut(lines.Text(), " ")
		var err error
		switch verb {
		case "":
		case "expect":
			err = screen.wait(text)
		case "times":
			number, text, _ := strings.Cut(text, " ")
			var n int
			if n, err = strconv.Atoi(number); err == nil {
				err = screen.until(func() bool { return bytes.Count(screen.data, []byte(text)) >= n }, text)
			}
		case "send":
			_, err = io.WriteString(master, text+"\r")
		case "press":
			_, err = io.WriteString(master, text)
		case "size":
			err = resize(master, text)
		case "code":
			var code string
			if code, err = ask("code?serial=" + url.QueryEscape(text)); err == nil {
				_, err = io.WriteString(master, code+"\r")
			}
		case "key":
			_, err = master.Write([]byte{text[0] - '@'})
		case "raw":
			for modes := (&unix.Termios{Lflag: unix.ICANON}); err == nil && modes.Lflag&unix.ICANON != 0; time.Sleep(5 * time.Millisecond) {
				modes, err = unix.IoctlGetTermios(int(master.Fd()), getModes)
			}
		case "await":
			for calls := ""; err == nil && !strings.Contains(calls, `"`+text+`"`); {
				calls, err = ask("calls")
			}
		case "signal":
			err = program.Signal(unix.SignalNum(text))
		default:
			err = fmt.Errorf("unknown line %q", lines.Text())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ask asks the local AWS what only it knows.
func ask(what string) (string, error) {
	resp, err := http.Get(os.Getenv("AWSTEST_URL") + "/_awstest/" + what)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s", body)
	}
	return strings.TrimSpace(string(body)), err
}

// A screen is what has appeared in the terminal.
type screen struct {
	mu      sync.Mutex
	changed sync.Cond
	data    []byte
	seen    int // up to where expectations were met
	ended   bool
}

func (s *screen) read(master *os.File) {
	buf := make([]byte, 4096)
	for {
		n, err := master.Read(buf)
		s.mu.Lock()
		s.data = append(s.data, buf[:n]...)
		s.ended = err != nil
		s.changed.Broadcast()
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// patience ends a test that would hang; none waits for it otherwise.
const patience = time.Minute

// wait waits until text appears behind what was waited for before.
func (s *screen) wait(text string) error {
	return s.until(func() bool {
		at := bytes.Index(s.data[s.seen:], []byte(text))
		if at >= 0 {
			s.seen += at + len(text)
		}
		return at >= 0
	}, text)
}

// until waits until what is on the screen makes done true.
func (s *screen) until(done func() bool, text string) error {
	timer := time.AfterFunc(patience, func() {
		s.mu.Lock()
		s.ended = true
		s.changed.Broadcast()
		s.mu.Unlock()
	})
	defer timer.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if done() {
			return nil
		}
		if s.ended {
			return fmt.Errorf("%q did not appear", text)
		}
		s.changed.Wait()
	}
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.data)
}
