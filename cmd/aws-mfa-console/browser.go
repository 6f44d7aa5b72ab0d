package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"aws-mfa/shared/cli"
	"aws-mfa/shared/session"

	"github.com/cli/browser"
)

// patience is how long the browser may take to fetch the one-shot address.
const patience = 30 * time.Second

// errFetched is why the wait for the browser ends when all is well.
var errFetched = errors.New("the browser has fetched the address")

// openOnce sends the browser to url through an address on this machine that
// answers once: other users can read the arguments of a browser's process,
// and url is a secret. Where the system tells whose a connection is, only this
// user's browser gets an answer.
func openOnce(ctx context.Context, url string, w way, trace session.Trace) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	return w.lead(ctx, private{listener}, url, trace)
}

// lead waits for the browser to come to the listener, which it closes. What
// ends the wait first is what counts: a browser that fails when it has fetched
// the address has not failed.
func (w way) lead(ctx context.Context, listener net.Listener, url string, trace session.Trace) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	ctx, cancel := context.WithTimeoutCause(ctx, patience, w.noBrowser(fmt.Errorf("no browser came within %s", patience)))
	defer cancel()
	starting, came := context.WithCancel(ctx)
	defer came()
	host, path := listener.Addr().String(), "/"+rand.Text()
	server := &http.Server{
		Handler:     oneShot(host, path, url, came, func() { end(errFetched) }),
		ReadTimeout: patience,
		ErrorLog:    log.New(io.Discard, "", 0),
	}
	server.SetKeepAlivesEnabled(false)
	go server.Serve(listener)
	defer server.Close()
	go func() {
		if err := w.start(starting, "http://"+host+path, trace); err != nil {
			end(w.noBrowser(fmt.Errorf("no browser could be started: %w", err)))
		}
	}()
	<-ctx.Done()
	if err := context.Cause(ctx); err != errFetched {
		return err
	}
	return nil
}

// private hears the connections of this user only, as far as the system tells
// whose they are. Nobody waits while it asks the system about another's.
type private struct{ net.Listener }

func (p private) Accept() (net.Conn, error) {
	c, err := p.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return privateConn{c, sync.OnceValue(func() bool { return isOurs(c.RemoteAddr().String(), c.LocalAddr().String()) })}, nil
}

type privateConn struct {
	net.Conn
	ours func() bool
}

func (c privateConn) Read(b []byte) (int, error) {
	if !c.ours() {
		return 0, io.EOF
	}
	return c.Conn.Read(b)
}

// oneShot redirects the first request with the right host and path to url; for
// all others there is nothing. It tells when that request came, and when it was
// answered: the browser may know the answer, and end, before that is told.
func oneShot(host, path, url string, came, fetched func()) http.Handler {
	var spent atomic.Bool
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.Host != host || r.RequestURI != path || ahead(r.Header) || !spent.CompareAndSwap(false, true) {
			http.NotFound(w, r)
			return
		}
		came()
		w.Header().Set("Location", url)
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(http.StatusFound)
		http.NewResponseController(w).Flush() // the server is closed next, and whoever holds a connection not waited for
		fetched()
	})
}

// ahead tells whether a browser asks before anybody wants to see the page. It
// asks again when somebody does, if it got nothing. Sources:
// https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Purpose
// (and what was sent before there was that: Purpose, X-Moz)
func ahead(h http.Header) bool {
	return h.Get("Sec-Purpose") != "" || h.Get("Purpose") != "" || h.Get("X-Moz") != ""
}

// noBrowser is err with what to do instead.
func (w way) noBrowser(err error) error {
	hints := append([]string(nil), noBrowserHints...)
	if w.settling > 0 {
		hints = append(hints, "a browser of Windows reaches 127.0.0.1 in WSL unless .wslconfig has localhostForwarding=false")
	}
	return cli.WithHints(err, hints...)
}

var noBrowserHints = []string{"add --print, and open the URL in a browser yourself", "--browser COMMAND, or the variable BROWSER, is what is started instead"}

// start runs the first browser of the way that runs. It returns when the
// browser does, which may be at once or never.
func (w way) start(ctx context.Context, address string, trace session.Trace) error {
	select {
	case <-time.After(w.settling):
	case <-ctx.Done():
		return nil
	}
	forget()
	if len(w.commands) == 0 {
		trace("browser: that of the system")
		browser.Stdout, browser.Stderr = nil, nil
		return browser.OpenURL(address)
	}
	if w.container != "" {
		address = inContainer(w.container, address)
	}
	var failed []error
	for _, words := range w.commands {
		trace("browser: %q", words)
		err := run(words, address)
		if err == nil || ctx.Err() != nil {
			return nil
		}
		failed = append(failed, fmt.Errorf("%s: %w", words[0], err))
		trace("browser: %v", failed[len(failed)-1])
	}
	return errors.Join(failed...)
}

// run starts a browser that may outlive us: it has a session of its own, so
// that Ctrl-C is not for it, and none of our streams, whose readers would wait
// until it is closed.
func run(words []string, address string) error {
	args := make([]string, len(words))
	for i, word := range words {
		args[i] = strings.ReplaceAll(word, "%s", address)
	}
	command := exec.Command(args[0], args[1:]...)
	command.SysProcAttr = apart()
	return command.Run()
}

// forget takes the keys out of the environment that the browser inherits.
// They are not needed here any more.
func forget() {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN"} {
		os.Unsetenv(name)
	}
}

// inContainer is an address that Firefox opens in a container, by the extension
// "Open external links in a container", which decodes it twice: once as the
// browser encoded it, and once as a query. Source:
// https://github.com/honsiorovskyi/open-url-in-container
func inContainer(name, address string) string {
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	return "ext+container:name=" + escape(name) + "&url=" + escape(address)
}
