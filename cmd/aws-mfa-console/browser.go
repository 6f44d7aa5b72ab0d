package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"aws-mfa/shared/cli"
	"aws-mfa/shared/session"

	"github.com/cli/browser"
)

// patience is how long the browser may take to fetch the one-shot address.
const patience = 30 * time.Second

// openOnce sends the browser to url through an address on this machine that
// answers once: other users can read the arguments of a browser's process,
// and url is a secret. Where the system tells whose a connection is, only this
// user's browser gets an answer.
func openOnce(ctx context.Context, url string, trace session.Trace) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	path := "/" + rand.Text()
	fetched := make(chan struct{})
	server := &http.Server{Handler: oneShot(listener.Addr().String(), path, url, fetched), ReadTimeout: patience}
	go server.Serve(private{listener})
	defer server.Close()

	address := "http://" + listener.Addr().String() + path
	failed := make(chan error, 1)
	browsers, noise := os.Getenv("BROWSER"), os.Stderr // stdout is for answers
	trace("browser: BROWSER is %q", browsers)
	go func() { failed <- open(address, browsers, noise) }()
	ctx, cancel := context.WithTimeoutCause(ctx, patience, noBrowser(fmt.Errorf("no browser came within %s", patience)))
	defer cancel()
	for {
		select {
		case <-fetched: // what becomes of the browser is not ours any more
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			server.Shutdown(last)
			return nil
		case err := <-failed:
			failed = nil
			if err == nil || done(fetched) {
				continue // the opener has ended, the browser need not have
			}
			return noBrowser(fmt.Errorf("no browser could be started: %w", err))
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func done(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func noBrowser(err error) error {
	return cli.WithHints(err, "add --print, and open the URL in a browser yourself", "BROWSER is the command that is started, if set")
}

// private takes the connections of this user only, as far as the system tells
// whose they are.
type private struct{ net.Listener }

func (p private) Accept() (net.Conn, error) {
	for {
		c, err := p.Listener.Accept()
		if err != nil || isOurs(c.RemoteAddr().String(), c.LocalAddr().String()) {
			return c, err
		}
		c.Close()
	}
}

// oneShot redirects the first request with the right host and path to url; for
// all others there is nothing.
func oneShot(host, path, url string, fetched chan struct{}) http.Handler {
	first := make(chan struct{}, 1)
	first <- struct{}{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != host || r.URL.Path != path || r.Method != http.MethodGet {
			http.NotFound(w, r)
			return
		}
		select {
		case <-first:
		default:
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Connection", "close")
		http.Redirect(w, r, url, http.StatusFound)
		close(fetched)
	})
}

// open runs the first browser of the list that runs, else the system's. It
// returns when the browser does, which may be at once or never.
func open(address, list string, noise *os.File) error {
	if list == "" {
		browser.Stdout, browser.Stderr = noise, noise
		return browser.OpenURL(address)
	}
	var err error
	for _, entry := range strings.Split(list, string(os.PathListSeparator)) {
		args := strings.Fields(entry)
		if _, found := exec.LookPath(entry); found == nil {
			args = []string{entry} // a path with spaces
		}
		if len(args) == 0 {
			continue
		}
		if !strings.Contains(entry, "%s") {
			args = append(args, "%s")
		}
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "%s", address)
		}
		command := exec.Command(args[0], args[1:]...)
		command.Stdout, command.Stderr = noise, noise
		if err = command.Run(); err == nil {
			return nil
		}
	}
	if err == nil {
		err = fmt.Errorf("BROWSER is %q", list)
	}
	return err
}
