package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

const (
	behaviour = "AWS_MFA_TEST_BROWSER" // what this program does in the place of a browser
	reportTo  = "AWS_MFA_TEST_REPORT"  // where it reports to
)

func TestMain(m *testing.M) {
	if b := os.Getenv(behaviour); b != "" {
		os.Exit(browse(b))
	}
	os.Exit(m.Run())
}

// A visit is what a browser reports.
type visit struct {
	Args     []string
	Status   int
	Location string
	Body     string
	Err      string
}

// browse is a browser: it fetches the address that is its last argument.
func browse(behaviour string) int {
	report, err := net.Dial("tcp", os.Getenv(reportTo))
	if err != nil {
		return 1
	}
	defer report.Close()
	v := visit{Args: os.Args[1:]}
	address := os.Args[len(os.Args)-1]
	fmt.Println("a browser is noisy")
	var early net.Conn
	switch behaviour {
	case "idle": // starts, and never fetches
		json.NewEncoder(report).Encode(v)
		return 0
	case "eager": // opens a connection before it has a use for it, as Chrome does
		u, _ := url.Parse(address)
		if early, err = net.Dial("tcp", u.Host); err != nil {
			return 1
		}
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Get(address)
	if err != nil {
		v.Err = err.Error()
	} else {
		body, _ := io.ReadAll(answer.Body)
		v.Status, v.Location, v.Body = answer.StatusCode, answer.Header.Get("Location"), string(body)
	}
	json.NewEncoder(report).Encode(v)
	if early != nil {
		io.Copy(io.Discard, early) // until it is closed
	}
	return 0
}

// usingBrowser sets $BROWSER, in which BROWSER stands for this program, and returns
// what the browser will report.
func usingBrowser(t *testing.T, list, does string) <-chan visit {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	stderr := os.Stderr
	os.Stderr = null                         // where the browser's noise goes
	t.Cleanup(func() { os.Stderr = stderr }) // a browser may outlive the test
	t.Setenv("BROWSER", strings.ReplaceAll(list, "BROWSER", self))
	t.Setenv(behaviour, does)
	t.Setenv(reportTo, listener.Addr().String())
	visits := make(chan visit, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		var v visit
		if err := json.NewDecoder(conn).Decode(&v); err != nil {
			v.Err = err.Error()
		}
		visits <- v
	}()
	return visits
}

const secretURL = "https://signin.aws.amazon.com/federation?Action=login&Destination=https%3A%2F%2Fconsole.aws.amazon.com%2F&SigninToken=s3cr3t"

func silent(string, ...any) {}

func TestTheBrowserIsSentToTheURLByAnAddressThatIsNoSecret(t *testing.T) {
	visits := usingBrowser(t, "BROWSER", "fetch")
	stdout := os.Stdout
	defer func() { os.Stdout = stdout }()
	answers, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	os.Stdout = answers
	var traced strings.Builder
	if err := openOnce(t.Context(), secretURL, func(format string, args ...any) { fmt.Fprintf(&traced, format+"\n", args...) }); err != nil {
		t.Fatal(err)
	}
	got := <-visits
	if got.Err != "" || got.Status != http.StatusFound || got.Location != secretURL {
		t.Errorf("got %+v", got)
	}
	if len(got.Args) != 1 || !strings.HasPrefix(got.Args[0], "http://127.0.0.1:") || strings.Contains(got.Args[0], "s3cr3t") {
		t.Errorf("got arguments %q", got.Args)
	}
	if strings.Contains(traced.String(), "s3cr3t") {
		t.Errorf("got trace %q", traced.String())
	}
	if text, err := os.ReadFile(answers.Name()); err != nil || len(text) != 0 {
		t.Errorf("on stdout: got %q, %v", text, err)
	}
	answers.Close()
	if answer, err := http.Get(got.Args[0]); err == nil {
		t.Errorf("later: got %s", answer.Status)
		answer.Body.Close()
	}
}

// The form of $BROWSER: commands with colons between them, %s for the address.
func TestTheFirstBrowserThatStartsIsUsed(t *testing.T) {
	for _, c := range []struct {
		list string
		args []string // before the address
	}{
		{"/nonexistent/browser:BROWSER", nil},
		{"::BROWSER", nil},
		{"/nonexistent/browser %s:BROWSER --new-window", []string{"--new-window"}},
		{"BROWSER --private %s", []string{"--private"}},
		{"BROWSER:/nonexistent/browser", nil},
	} {
		t.Run(c.list, func(t *testing.T) {
			visits := usingBrowser(t, strings.ReplaceAll(c.list, ":", string(os.PathListSeparator)), "fetch")
			if err := openOnce(t.Context(), secretURL, silent); err != nil {
				t.Fatal(err)
			}
			got := <-visits
			if len(got.Args) != len(c.args)+1 || strings.Join(got.Args[:len(got.Args)-1], " ") != strings.Join(c.args, " ") || got.Location != secretURL {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestABrowserThatDoesNotStartIsAnErrorAtOnce(t *testing.T) {
	for list, want := range map[string]string{
		"/nonexistent/browser":         "no browser could be started: ",
		"/nonexistent/a:/nonexistent/": "no browser could be started: ",
		"::":                           `no browser could be started: BROWSER is "::"`,
	} {
		t.Setenv("BROWSER", strings.ReplaceAll(list, ":", string(os.PathListSeparator)))
		err := openOnce(t.Context(), secretURL, silent)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: got %v, want %q", list, err, want)
		}
	}
}

func TestWaitingForTheBrowserGivesWay(t *testing.T) {
	visits := usingBrowser(t, "BROWSER", "idle")
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("the user has had enough")
	go func() {
		<-visits
		cancel(enough)
	}()
	if err := openOnce(ctx, secretURL, silent); err != enough {
		t.Errorf("got %v, want the cause", err)
	}
}

// A browser may keep a connection open that it never uses.
func TestAConnectionThatIsNotUsedIsNotWaitedFor(t *testing.T) {
	visits := usingBrowser(t, "BROWSER", "eager")
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second) // net/http takes such a connection for used until 5 s have passed
	defer cancel()
	if err := openOnce(ctx, secretURL, silent); err != nil {
		t.Errorf("got %v", err)
	}
	if got := <-visits; got.Location != secretURL {
		t.Errorf("got %+v", got)
	}
}

const (
	here = "127.0.0.1:4321"
	path = "/ONESHOT"
)

func get(h http.Handler, method, host, target string) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	r.Host = host
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestTheOneShotAddressWorksOnce(t *testing.T) {
	t.Parallel()
	fetched := make(chan struct{})
	h := oneShot(here, path, secretURL, fetched)
	answer := get(h, "GET", here, path)
	if answer.StatusCode != http.StatusFound || answer.Header.Get("Location") != secretURL {
		t.Errorf("got %s, %s", answer.Status, answer.Header.Get("Location"))
	}
	for name, want := range map[string]string{"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "Connection": "close"} {
		if got := answer.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	select {
	case <-fetched:
	default:
		t.Error("nobody was told")
	}
	for range 2 {
		wantNothing(t, get(h, "GET", here, path))
	}
}

// What others ask for gets nothing, and does not use up the one shot.
func TestTheOneShotAddressIsForTheBrowserOnly(t *testing.T) {
	t.Parallel()
	h := oneShot(here, path, secretURL, make(chan struct{}))
	for _, c := range []struct{ method, host, target string }{
		{"GET", here, "/"},
		{"GET", here, "/favicon.ico"},
		{"GET", here, path + "/"},
		{"GET", here, path + "x"},
		{"GET", here, strings.ToLower(path)},
		{"GET", "localhost:4321", path},
		{"GET", "evil.example:4321", path}, // its name leads here: DNS rebinding
		{"GET", "127.0.0.1", path},
		{"GET", "", path},
		{"POST", here, path},
		{"HEAD", here, path},
		{"OPTIONS", here, path},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) { wantNothing(t, get(h, c.method, c.host, c.target)) })
	}
	if answer := get(h, "GET", here, path); answer.StatusCode != http.StatusFound {
		t.Errorf("the browser: got %s", answer.Status)
	}
}

func wantNothing(t *testing.T, answer *http.Response) {
	t.Helper()
	body, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusNotFound || strings.Contains(fmt.Sprint(answer.Header, string(body)), "s3cr3t") {
		t.Errorf("got %s, %v, %s", answer.Status, answer.Header, body)
	}
}

// Two that ask at the same time: one of them gets it.
func TestTheOneShotAddressHasOneWinner(t *testing.T) {
	t.Parallel()
	h := oneShot(here, path, secretURL, make(chan struct{}))
	const many = 32
	statuses := make(chan int, many)
	for range many {
		go func() { statuses <- get(h, "GET", here, path).StatusCode }()
	}
	won := 0
	for range many {
		if <-statuses == http.StatusFound {
			won++
		}
	}
	if won != 1 {
		t.Errorf("got %d winners", won)
	}
}
