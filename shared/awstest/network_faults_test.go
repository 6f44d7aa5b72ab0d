//go:build linux && faults

package awstest_test

import (
	"bufio"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aws-mfa/shared/awstest"

	"golang.org/x/sys/unix"
)

// An asking is a request that a program makes.
type asking struct {
	name, action string
	limit        time.Duration // within which it is done, one way or the other: README.md, "How long things take"
	args         func(*place) []string
}

var asks = []asking{
	{"login", "AssumeRole", 20 * time.Second, func(p *place) []string { return []string{"aws-mfa-login", "mfa", "-t", p.code()} }},
	{"login", "GetSessionToken", 20 * time.Second, func(p *place) []string { return []string{"aws-mfa-login", "jane", "-t", p.code()} }},
	{"login", "AssumeRoleWithWebIdentity", 20 * time.Second, func(*place) []string { return []string{"aws-mfa-login", "web"} }},
	{"login", "GetRoleCredentials", 20 * time.Second, func(*place) []string { return []string{"aws-mfa-login", "by-sso"} }},
	{"status", "GetCallerIdentity", 5 * time.Second, func(*place) []string { return []string{"aws-mfa-status", "default"} }},
	{"console", "AssumeRole", 20 * time.Second, func(*place) []string { return []string{"aws-mfa-console", "plain", "--print"} }},
	{"console", "getSigninToken", 20 * time.Second, func(p *place) []string {
		p.must("aws-mfa-login", "plain")
		return []string{"aws-mfa-console", "plain", "--print"}
	}},
	{"console", "GetCallerIdentity", 20 * time.Second, func(p *place) []string {
		return append(strings.Fields(p.must("aws-mfa-login", "plain", "--format", "env-no-export").stdout), "aws-mfa-console", "--print")
	}},
}

func (a asking) String() string { return a.name + ", " + a.action }

// usesCode tells whether the request spends an MFA code.
func (a asking) usesCode() bool {
	return a.name == "login" && (a.action == "AssumeRole" || a.action == "GetSessionToken")
}

const networkConfig = mfaProfile + `
[profile jane]
mfa_serial = arn:aws:iam::123456789012:mfa/jane
region = eu-west-1
[profile plain]
role_arn = arn:aws:iam::123456789012:role/PlainRole
source_profile = default
region = eu-west-1
[profile web]
role_arn = arn:aws:iam::123456789012:role/PlainRole
role_session_name = web
web_identity_token_file = %s
region = eu-west-1
[profile by-sso]
role_arn = arn:aws:iam::123456789012:role/Next
source_profile = center
role_session_name = sso
region = eu-west-1
[profile center]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = Dev
region = eu-west-1
[sso-session corp]
sso_start_url = https://d-1234567890.awsapps.com/start
sso_region = eu-west-1
`

// networkPlace is a place where every ask can be made.
func networkPlace(t *testing.T) *place {
	t.Helper()
	p := newPlace(t)
	const reserved = "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Dev_0123456789abcdef"
	token, days := filepath.Join(p.home, "token"), time.Now().Add(72*time.Hour)
	p.aws.AddRole(awstest.Role{ARN: "arn:aws:iam::123456789012:role/Next", Trusts: []string{reserved}})
	p.write(token, p.aws.AddWebIdentity("jane", days, "arn:aws:iam::123456789012:role/PlainRole"))
	p.write(p.inAWS("config"), fmt.Sprintf(networkConfig, token))
	keys := fmt.Sprintf("aws_access_key_id = %s\naws_secret_access_key = %s\n", p.user.AccessKeyID, p.user.SecretAccessKey)
	p.write(p.inAWS("credentials"), "[default]\n"+keys+"[jane]\n"+keys)
	writeSSOToken(p, "corp", p.aws.AddAccessToken(days, reserved), days)
	return p
}

// together runs f for each of n cases, so many at a time: they wait more than
// they work.
func together(n, atOnce int, f func(i int)) {
	var group sync.WaitGroup
	turns := make(chan struct{}, atOnce)
	for i := range n {
		group.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			f(i)
		})
	}
	group.Wait()
}

// slack is how much longer than its limit a program may take on a machine
// that has others to serve.
const slack = 15 * time.Second

// fails makes the ask in vain, with the variables given on top, and looks that
// it ends as it should: in time, in one line, and with all files as they were.
func (a asking) fails(p *place, fault string, args []string, env ...string) outcome {
	p.Helper()
	before := p.files()
	o := p.run(append(env, args...)...)
	in := fmt.Sprintf("%s: %s", a, fault)
	if o.took > a.limit+slack {
		p.Errorf("%s: took %s, want %s at most", in, o.took, a.limit)
	}
	kind, status := "error", 1
	if a.name == "status" {
		kind, status = "warning", 3 // not knowing is no failure
	}
	if o.status != status {
		p.Errorf("%s: got exit status %d, want %d\n%s", in, o.status, status, o.stderr)
	}
	told := 0
	for line := range strings.Lines(o.stderr) {
		rest, ok := strings.CutPrefix(line, "aws-mfa-"+a.name+": ")
		switch {
		case ok && strings.HasPrefix(rest, kind+": "):
			told++
		case !ok || !strings.HasPrefix(rest, "hint: "):
			p.Errorf("%s: got the line %q", in, line)
		}
	}
	if told != 1 {
		p.Errorf("%s: got %d lines that tell what is wrong, want one:\n%s", in, told, o.stderr)
	}
	for _, jargon := range []string{"operation error", "https response", "deserialization", "exceeded maximum", "%!", "Post \"", "Get \"", "HTTP status 0", "UnknownError", "EOF"} {
		if strings.Contains(o.stderr, jargon) {
			p.Errorf("%s: got %q in\n%s", in, jargon, o.stderr)
		}
	}
	p.hasNoSecret(o.stderr, nil)
	if a.name != "status" && o.stdout != "" {
		p.Errorf("%s: got the answer %q", in, o.stdout)
	}
	if after := p.files(); !maps.Equal(before, after) {
		p.Errorf("%s: files were changed: %q, and before %q", in, slices.Sorted(maps.Keys(after)), slices.Sorted(maps.Keys(before)))
	}
	return o
}

// recovers makes the ask again, in better times. A code that AWS may have had is
// not offered to it again.
func (a asking) recovers(p *place, fault string, args []string, failed outcome) {
	p.Helper()
	p.aws.Heal()
	outOfOrder := a.usesCode() && strings.Contains(failed.stderr, "AWS cannot answer now (HTTP status 50") // and may have looked at the code
	if outOfOrder || strings.Contains(failed.stderr, "may have used up") {
		if !a.usesCode() {
			p.Errorf("%s: %s: there was no code to use up:\n%s", a, fault, failed.stderr)
		}
		calls := p.aws.Count(a.action)
		again := p.run(args...)
		if p.aws.Count(a.action) != calls || again.status != 1 {
			p.Errorf("%s: %s: the code was offered again:\n%s", a, fault, again.stderr)
		}
		p.aws.Shift(time.Minute)
		args[len(args)-1] = p.code()
	}
	if o := p.run(args...); o.status != 0 {
		p.Errorf("%s: after %s: got exit status %d:\n%s", a, fault, o.status, o.stderr)
	}
}

// files are all in ~/.aws but our memory, with what is in them.
func (p *place) files() map[string]string {
	p.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(p.inAWS(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == p.inAWS("mfa") || d.IsDir() {
			if path == p.inAWS("mfa") {
				return filepath.SkipDir
			}
			return err
		}
		text, err := os.ReadFile(path)
		all[path] = string(text)
		return err
	})
	if err != nil {
		p.Error(err)
	}
	return all
}

// A relay passes connections on to the proxy until so many octets have come
// back. Then it ends them.
type relay struct {
	net.Listener
	to    string
	after int64
	end   func(*net.TCPConn)
	first atomic.Int64 // octets that came back on the first connection
}

const whole = 1 << 40 // more octets than there are

func newRelay(t *testing.T, address, to string, after int64, end func(*net.TCPConn)) *relay {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{Listener: l, to: proxy.Host, after: after, end: end}
	t.Cleanup(func() { l.Close() })
	go func() {
		for first := true; ; first = false {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go r.pass(c.(*net.TCPConn), first)
		}
	}()
	return r
}

func (r *relay) pass(c *net.TCPConn, first bool) {
	defer c.Close()
	up, err := net.Dial("tcp", r.to)
	if err != nil {
		return
	}
	defer up.Close()
	go func() {
		io.Copy(up, c)
		up.Close()
	}()
	n, _ := io.CopyN(c, up, r.after)
	if first {
		r.first.Store(n)
	}
	r.end(c)
}

func (r *relay) env() string { return "HTTPS_PROXY=http://" + r.Addr().String() }

var (
	finish = func(*net.TCPConn) {}
	reset  = func(c *net.TCPConn) { c.SetLinger(0) }
	hang   = func(c *net.TCPConn) { io.Copy(io.Discard, c) } // until the program has had enough
)

// measure is how many octets come back for each ask when all goes well.
func measure(t *testing.T) []int64 {
	t.Helper()
	sizes := make([]int64, len(asks))
	together(len(asks), len(asks), func(i int) {
		p := networkPlace(t)
		args := asks[i].args(p)
		r := newRelay(t, "127.0.0.1:0", p.aws.ProxyURL(), whole, finish)
		p.must(append([]string{r.env()}, args...)...)
		for end := time.Now().Add(time.Minute); r.first.Load() == 0; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: nothing came back", asks[i])
			}
		}
		sizes[i] = r.first.Load()
	})
	return sizes
}

// places are where a connection of that many octets breaks: before anything,
// amid the proxy's answer, the handshake, the headers, the body, and shortly
// before its end, but not so shortly that only the number of the request is
// missing, which nobody waits for.
func places(size int64) (after []int64) {
	for i := range int64(8) {
		after = append(after, size*i/8)
	}
	return append(after, 20, 39, size-200)
}

// Wherever a connection breaks, nothing is lost but, perhaps, a code.
func TestFaultNetworkBroken(t *testing.T) {
	sizes := measure(t)
	for name, end := range map[string]func(*net.TCPConn){"ended": finish, "reset": reset} {
		n := len(places(0))
		tried(t, "a connection is "+name+" at some place of a request", len(asks)*n)
		together(len(asks)*n, 8, func(i int) {
			a, after := asks[i/n], places(sizes[i/n])[i%n]
			p := networkPlace(t)
			args := a.args(p)
			r := newRelay(t, "127.0.0.1:0", p.aws.ProxyURL(), after, end)
			fault := fmt.Sprintf("%s after %d of %d octets", name, after, sizes[i/n])
			a.recovers(p, fault, args, a.fails(p, fault, args, r.env()))
		})
	}
}

// Whatever hangs is given up in time.
func TestFaultNetworkHanging(t *testing.T) {
	t.Parallel()
	sizes := measure(t)
	type hanging struct {
		name string
		do   func(p *place, a asking, size int64) (env []string)
	}
	at := func(part int64) func(p *place, a asking, size int64) []string {
		return func(p *place, a asking, size int64) []string {
			return []string{newRelay(p.T, "127.0.0.1:0", p.aws.ProxyURL(), size*part/8, hang).env()}
		}
	}
	fault := func(kind awstest.FaultKind, body string) func(p *place, a asking, _ int64) []string {
		return func(p *place, a asking, _ int64) []string {
			p.aws.Fail(awstest.Fault{Action: a.action, Kind: kind, Times: -1, Body: body})
			return nil
		}
	}
	stages := []hanging{
		{"before there is a connection", func(p *place, _ asking, _ int64) []string { return []string{"HTTPS_PROXY=http://" + deaf(p)} }},
		{"in the proxy's greeting", at(0)},
		{"after the proxy's answer", func(p *place, _ asking, _ int64) []string {
			return []string{newRelay(p.T, "127.0.0.1:0", p.aws.ProxyURL(), 39, hang).env()}
		}},
		{"amid the handshake", at(2)},
		{"amid an answer", at(7)},
		{"before an answer", fault(awstest.Hang, "")},
		{"after half of an answer", fault(awstest.Stall, "")},
		{"with an endless answer", fault(awstest.Endless, "<")},
		{"with an answer in drops", fault(awstest.Drip, "<")},
		{"with a packed endless answer", fault(awstest.Bomb, "<")},
	}
	tried(t, "AWS, or the network before it, hangs at some stage, or answers without an end", len(asks)*len(stages))
	together(len(asks)*len(stages), len(asks)*len(stages), func(i int) {
		a, stage := asks[i/len(stages)], stages[i%len(stages)]
		p := networkPlace(t)
		args := a.args(p)
		fault := "hangs " + stage.name
		env := stage.do(p, a, sizes[i/len(stages)])
		a.recovers(p, fault, args, a.fails(p, fault, args, env...))
	})
}

// deaf is an address where a connection is neither made nor refused: the queue
// of those that nobody accepts is full.
func deaf(p *place) string {
	p.Helper()
	l, err := listenShort()
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() { l.Close() })
	for range 8 {
		c, err := net.DialTimeout("tcp", l.Addr().String(), 100*time.Millisecond)
		if err != nil {
			return l.Addr().String()
		}
		p.Cleanup(func() { c.Close() })
	}
	p.Fatal("the queue has no end")
	return ""
}

// A wrong is an answer that is none, or that nobody should trust.
type wrong struct {
	awstest.Fault
	env []string
}

const hotel = "<!DOCTYPE html><html><body>Log in to the hotel's network<br></body></html>"

func wrongs(a asking) []wrong {
	answer := func(status int, body string) wrong {
		return wrong{Fault: awstest.Fault{Action: a.action, Kind: awstest.Answer, Status: status, Body: body, Times: -1}}
	}
	of := func(action string, kind awstest.FaultKind, status int) wrong {
		return wrong{Fault: awstest.Fault{Action: action, Kind: kind, Status: status, Times: -1}}
	}
	all := []wrong{
		answer(200, ""), answer(200, "OK"), answer(200, hotel), answer(200, `{"message": "OK"}`), answer(200, "<"+a.action+"Response/>"),
		answer(403, hotel), answer(404, ""), answer(500, hotel), answer(500, ""), answer(503, hotel), answer(503, ""), answer(429, ""), answer(429, hotel),
		of(a.action, awstest.Throttle, 0), of(a.action, awstest.Reset, 0), of(a.action, awstest.Lost, 0), of(a.action, awstest.Half, 0),
		of(a.action, awstest.Lost, 502), of(a.action, awstest.Lost, 504),
		of("CONNECT", awstest.Answer, 407), of("CONNECT", awstest.Answer, 502), of("CONNECT", awstest.Answer, 503), of("CONNECT", awstest.Redirect, 302), of("CONNECT", awstest.Reset, 0),
		of("TLS", awstest.Expired, 0), of("TLS", awstest.OtherHost, 0), of("TLS", awstest.Reset, 0),
		{env: []string{"AWS_CA_BUNDLE="}}, {env: []string{"HTTPS_PROXY=http://127.0.0.1:1"}},
	}
	for _, status := range []int{301, 302, 303, 307, 308} {
		all = append(all, of(a.action, awstest.Redirect, status))
	}
	return all
}

// What is no answer of AWS's, or not to be trusted, opens nothing.
func TestFaultNetworkAnswers(t *testing.T) {
	t.Parallel()
	n := len(wrongs(asks[0]))
	tried(t, "there is no answer of AWS: another one, an error, a redirection, a certificate that is not its own, a proxy that says no", len(asks)*n)
	together(len(asks)*n, 32, func(i int) {
		a, wrong := asks[i/n], wrongs(asks[i/n])[i%n]
		p := networkPlace(t)
		args := a.args(p)
		p.aws.Fail(wrong.Fault)
		if wrong.env != nil {
			p.aws.Heal()
		}
		fault := fmt.Sprintf("%v %s %d %q %v", wrong.Kind, wrong.Action, wrong.Status, wrong.Body, wrong.env)
		before := p.aws.Count(a.action)
		o := a.fails(p, fault, args, wrong.env...)
		if n := p.aws.Count("moved"); n != 0 {
			p.Errorf("%s: %s: it was followed", a, fault)
		}
		if asked := p.aws.Count(a.action) - before; asked > 0 && (wrong.Action != a.action || wrong.env != nil) {
			p.Errorf("%s: %s: the request was made all the same, %d times", a, fault, asked)
		}
		a.recovers(p, fault, args, o)
	})
}

// What is over after a moment is waited for.
func TestFaultNetworkPassing(t *testing.T) {
	passing := []awstest.Fault{
		{Kind: awstest.Throttle}, {Kind: awstest.Answer, Status: 500}, {Kind: awstest.Answer, Status: 503, Body: hotel}, {Kind: awstest.Answer, Status: 429},
	}
	type pass struct {
		asking
		awstest.Fault
	}
	var all []pass
	for _, a := range asks {
		for _, f := range passing {
			if f.Kind != awstest.Throttle || a.action != "getSigninToken" && a.action != "GetRoleCredentials" { // which say so by 429
				all = append(all, pass{a, f})
			}
		}
	}
	tried(t, "AWS is out of order, or wants less haste, and then not any more", len(all))
	together(len(all), 32, func(i int) {
		a, f := all[i].asking, all[i].Fault
		p := networkPlace(t)
		args := a.args(p)
		if f.Action = a.action; a.action != "getSigninToken" {
			f.Times = 2
		}
		p.aws.Fail(f)
		if o := p.run(args...); o.status != 0 {
			p.Errorf("%s: %v %d: got exit status %d:\n%s", a, f.Kind, f.Status, o.status, o.stderr)
		}
	})
}

// A day is not too much.
func TestFaultNetworkClock(t *testing.T) {
	days := []time.Duration{-24 * time.Hour, 24 * time.Hour}
	tried(t, "this computer's clock is a day off", len(asks)*len(days))
	together(len(asks)*len(days), 8, func(i int) {
		a := asks[i/len(days)]
		p := networkPlace(t)
		p.aws.Shift(days[i%len(days)])
		args := a.args(p)
		if o := p.run(args...); o.status != 0 {
			p.Errorf("%s: %s: got exit status %d:\n%s", a, days[i%len(days)], o.status, o.stderr)
		}
		if n := p.aws.Count(a.action); n > 3 {
			p.Errorf("%s: %s: got %d requests", a, days[i%len(days)], n)
		}
	})
}

// An answer about China is none to a question about the rest of the world.
func TestFaultNetworkPartition(t *testing.T) {
	const credentials = "<Credentials><AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration></Credentials>"
	var foreign []asking
	for _, a := range asks {
		if strings.HasPrefix(a.action, "AssumeRole") || a.action == "GetCallerIdentity" {
			foreign = append(foreign, a)
		}
	}
	tried(t, "an answer is about another partition", len(foreign))
	together(len(foreign), 8, func(i int) {
		a := foreign[i]
		role := map[bool]string{true: "PowerUserRole", false: "PlainRole"}[a.usesCode()]
		arn := "arn:aws-cn:sts::123456789012:assumed-role/" + role + "/jane"
		result := fmt.Sprintf("<AssumedRoleUser><AssumedRoleId>AROA:jane</AssumedRoleId><Arn>%s</Arn></AssumedRoleUser>"+credentials, arn, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
		if a.action == "GetCallerIdentity" {
			result = fmt.Sprintf("<Arn>%s</Arn><UserId>AROA:jane</UserId><Account>123456789012</Account>", arn)
		}
		p := networkPlace(t)
		args := a.args(p)
		p.aws.Fail(awstest.Fault{Action: a.action, Kind: awstest.Answer, Body: fmt.Sprintf("<%[1]sResponse><%[1]sResult>%s</%[1]sResult></%[1]sResponse>", a.action, result)})
		fault := "an answer about " + arn
		o := a.fails(p, fault, args)
		if n := p.aws.Count("getSigninToken"); n != 0 {
			p.Errorf("%s: %s: got %d sign-ins to the console", a, fault, n)
		}
		a.recovers(p, fault, args, o)
	})
}

// A proxy's password is for the proxy.
func TestFaultNetworkProxyPassword(t *testing.T) {
	const right, wrong = "pa55word-of-jane", "pa55word-of-another"
	userinfos := map[string]bool{"jane:" + right + "@": true, "jane:" + wrong + "@": false, "": false}
	tried(t, "a proxy wants a password: the right one, another, none", len(asks)*len(userinfos))
	together(len(asks), 8, func(i int) {
		a := asks[i]
		for userinfo, ok := range userinfos {
			p := networkPlace(t)
			args := a.args(p)
			p.aws.RequireProxyPassword("jane", right)
			proxy := "HTTPS_PROXY=" + strings.Replace(p.aws.ProxyURL(), "://", "://"+userinfo, 1)
			if o := p.run(append(append([]string{proxy}, args...), "--verbose")...); strings.Contains(o.stderr, "pa55word") {
				p.Errorf("%s: a password was shown:\n%s", a, o.stderr)
			} else if ok && o.status != 0 {
				p.Errorf("%s: got exit status %d:\n%s", a, o.status, o.stderr)
			}
			if !ok {
				o := a.fails(p, "407", args, proxy)
				if !strings.Contains(o.stderr, "the proxy: HTTP status 407") {
					p.Errorf("%s: got\n%s", a, o.stderr)
				}
			}
		}
	})
	// Addresses that cannot be read hold one too.
	odd := []string{"http://jane:" + right + "@[::1", "http://jane:" + right + "%zz@127.0.0.1:1", "://jane:" + right + "@127.0.0.1", "jane:" + right + "@127.0.0.1:1", "ftp://jane:" + right + "@127.0.0.1:1", "http://jane:" + right + "@no.such.host.invalid:1", "http://jane:" + right + "\x7f@127.0.0.1:1"}
	tried(t, "the address of a proxy cannot be read, or is that of nobody", len(asks)*len(odd))
	together(len(asks)*len(odd), 8, func(i int) {
		a, address := asks[i/len(odd)], odd[i%len(odd)]
		p := networkPlace(t)
		args := a.args(p)
		o := a.fails(p, address, args, "HTTPS_PROXY="+address)
		verbose := p.run(append(append([]string{"HTTPS_PROXY=" + address}, args...), "--verbose")...)
		if strings.Contains(o.stderr+verbose.stderr, "pa55word") {
			p.Errorf("%s: %q: a password was shown:\n%s%s", a, address, o.stderr, verbose.stderr)
		}
		a.recovers(p, address, args, o)
	})
}

// The connection that is made ready while somebody looks for a code is for their
// sake: what goes wrong with it they are not told, and do not pay for.
func TestFaultNetworkWhileTyping(t *testing.T) {
	faults := []awstest.Fault{
		{Action: "CONNECT", Kind: awstest.Hang}, {Action: "CONNECT", Kind: awstest.Reset}, {Action: "CONNECT", Kind: awstest.Redirect, Status: 302},
		{Action: "CONNECT", Kind: awstest.Answer, Status: 407}, {Action: "CONNECT", Kind: awstest.Answer, Status: 502},
		{Action: "TLS", Kind: awstest.Hang}, {Action: "TLS", Kind: awstest.Reset}, {Action: "TLS", Kind: awstest.Expired}, {Action: "TLS", Kind: awstest.OtherHost},
	}
	tried(t, "AWS cannot be reached while somebody looks for a code, and then can be", len(faults))
	together(len(faults), 8, func(i int) {
		f := faults[i]
		p := networkPlace(t)
		p.aws.Fail(f)
		p.write(p.home+"/dialogue", "expect Enter MFA code for \nawait "+f.Action+"\ncode "+p.user.Device.SerialNumber+"\n")
		o := p.run("AWSTEST_URL="+p.aws.URL(), filepath.Join(p.bin, "terminal"), p.home+"/dialogue", "aws-mfa-login", "mfa")
		shown := strings.Split(strings.TrimSpace(o.stdout), "\n")
		if o.status != 0 || len(shown) != 2 || !strings.Contains(shown[1], "is signed in as") {
			p.Errorf("%s %v: got exit status %d:\n%s%s", f.Action, f.Kind, o.status, o.stdout, o.stderr)
		}
		if n := p.aws.Count("AssumeRole"); n != 1 {
			p.Errorf("%s %v: got %d requests, want 1", f.Action, f.Kind, n)
		}
		if o.took > slack {
			p.Errorf("%s %v: took %s", f.Action, f.Kind, o.took)
		}
	})
}

func writeSSOToken(p *place, session, token string, expires time.Time) {
	p.Helper()
	p.write(p.inAWS("sso", "cache", fmt.Sprintf("%x.json", sha1.Sum([]byte(session)))), fmt.Sprintf(`{"startUrl": "https://d-1234567890.awsapps.com/start", "region": "eu-west-1", "accessToken": %q, "expiresAt": %q}`,
		token, expires.UTC().Format("2006-01-02T15:04:05Z")))
}

// listenShort listens with the shortest queue that there is.
func listenShort() (net.Listener, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), "queue")
	defer file.Close()
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), unix.Listen(fd, 0)); err != nil {
		return nil, err
	}
	return net.FileListener(file)
}

// More than was asked for comes on a connection that is kept for the next
// request, which net/http logs, with the first of it.
func TestFaultNetworkTooMuch(t *testing.T) {
	const more = "more than was asked for"
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for r := bufio.NewReader(c); ; {
					request, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, request.Body)
					_, _ = io.WriteString(c, "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"+more)
				}
			}()
		}
	}()
	p := newPlace(t)
	p.env = append(p.env, "AWS_ENDPOINT_URL_STS=http://"+l.Addr().String(), "AWS_ACCESS_KEY_ID="+p.user.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+p.user.SecretAccessKey)
	commands := [][]string{{"aws-mfa-login", "mfa", "-t", "123456"}, {"aws-mfa-status"}, {"aws-mfa-console", "mfa", "--print", "--no-input"}}
	tried(t, "more comes than was asked for", len(commands))
	for _, args := range commands {
		o := p.run(args...)
		for line := range strings.Lines(o.stderr) {
			if !strings.HasPrefix(line, args[0]+": ") || strings.Contains(line, more) {
				t.Errorf("%s: got the line %s", args, line)
			}
		}
		if o.status == 0 {
			t.Errorf("%s: got status 0\n%s", args, o.stderr)
		}
	}
}
