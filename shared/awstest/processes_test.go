//go:build unix

package awstest_test

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// A lookout sees of all processes what ps shows, over and over until its end.
type lookout struct {
	seen map[process]bool
	end  func()
}

// A process is what can be seen of one; in both texts each part ends with a
// zero byte (proc_pid_cmdline(5), proc_pid_environ(5)).
type process struct{ arguments, environment string }

// cmdWatch returns when all that runs has been seen.
func cmdWatch(s *script, ts *testscript.TestScript, _ []string) error {
	stop, stopped := make(chan struct{}), make(chan struct{})
	s.lookout = &lookout{seen: map[process]bool{}, end: sync.OnceFunc(func() { close(stop); <-stopped })}
	s.lookout.look()
	go func(l *lookout) {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond): // the machine is for those who are watched
				l.look()
			}
		}
	}(s.lookout)
	ts.Defer(s.lookout.end)
	return nil
}

func cmdWatched(s *script, ts *testscript.TestScript, _ []string) error {
	s.lookout.end()
	for _, line := range s.lookout.tell(ts.Getenv("WORK"), s.aws.Secrets()) {
		fmt.Fprintln(ts.Stdout(), line)
	}
	return nil
}

func (l *lookout) look() {
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range all {
		arguments, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil || len(arguments) == 0 {
			continue // it has ended, or is the kernel's
		}
		environment, _ := os.ReadFile(filepath.Join(dir, "environ")) // only its user may
		l.seen[process{string(arguments), string(environment)}] = true
	}
}

// tell writes a line for each process that has the script's $WORK in its
// environment, and for whatever else a secret was seen of: as a shell would
// have it, behind the variables that hold one. Each secret is written as SECRET.
func (l *lookout) tell(work string, secrets []string) []string {
	lines := map[string]bool{}
	for p := range l.seen {
		arguments := strings.TrimSpace(strings.ReplaceAll(p.arguments, "\x00", " "))
		line := hide(arguments, secrets)
		for variable := range strings.SplitSeq(p.environment, "\x00") {
			if hidden := hide(variable, secrets); hidden != variable {
				line = hidden + " " + line
			}
		}
		if line != arguments || strings.Contains(p.environment, "WORK="+work+"\x00") {
			lines[line] = true
		}
	}
	return slices.Sorted(maps.Keys(lines))
}

var escapes = regexp.MustCompile(`(%[0-9A-Fa-f]{2})+`)

// hide replaces the secrets in a text, also where they are escaped as in URLs,
// however often. A text without secrets stays as it is.
func hide(text string, secrets []string) string {
	hidden := text
	for _, secret := range secrets {
		hidden = strings.ReplaceAll(hidden, secret, "SECRET")
	}
	plain := escapes.ReplaceAllStringFunc(hidden, func(escaped string) string {
		c, _ := url.PathUnescape(escaped) // all of it is escaped
		return c
	})
	if plain == hidden {
		return hidden
	}
	if deeper := hide(plain, secrets); deeper != plain {
		return deeper
	}
	return hidden
}
