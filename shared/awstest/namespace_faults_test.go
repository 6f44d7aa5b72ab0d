//go:build linux && faults

package awstest_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A network of its own, in which there is nobody but AWS's hosts, by IPv6, and a
// name server. The program "alone" is run in it, below unshare(1):
//
//	alone SOCKET NAMES PROGRAM ARG...
//
// runs PROGRAM there. Whoever connects to a host is passed on to SOCKET, with the
// host's name in a first line. NAMES tells of the name server: "hosts" is none, but
// the names are in /etc/hosts; "absent" is none at all; "unknown" knows no name,
// "broken" is out of order and "silent" says nothing.

func init() { programs["alone"] = alone }

var hostsOfAWS = []string{"sts.us-east-1.amazonaws.com", "sts.eu-west-1.amazonaws.com", "portal.sso.eu-west-1.amazonaws.com", "eu-west-1.signin.aws.amazon.com", "signin.aws.amazon.com"}

func addressOf(host int) string { return fmt.Sprintf("fd00::%x", host+1) }

func alone(args []string) int {
	status, err := runAlone(args[0], args[1], args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "alone:", err)
		return 99
	}
	return status
}

func runAlone(socket, names string, args []string) (status int, err error) {
	hosts := "::1 localhost\n"
	commands := [][]string{{"ip", "link", "set", "lo", "up"}}
	for i, host := range hostsOfAWS {
		commands = append(commands, []string{"ip", "-6", "addr", "add", addressOf(i) + "/128", "dev", "lo", "nodad"})
		hosts += addressOf(i) + " " + host + "\n"
	}
	commands = append(commands, []string{"ip", "-4", "addr", "flush", "dev", "lo"})
	if names != "hosts" {
		hosts = "::1 localhost\n"
	}
	for path, text := range map[string]string{"/etc/hosts": hosts, "/etc/resolv.conf": "nameserver ::1\n", "/etc/nsswitch.conf": "hosts: files dns\n"} {
		if err := mountOver(path, text); err != nil {
			return 0, err
		}
	}
	for _, c := range commands {
		if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
			return 0, fmt.Errorf("%v: %w: %s", c, err, out)
		}
	}
	if err := waitForRoutes(); err != nil {
		return 0, err
	}
	if names == "unknown" || names == "broken" || names == "silent" {
		server, err := net.ListenPacket("udp", "[::1]:53")
		if err != nil {
			return 0, err
		}
		go serveNames(server, names)
	}
	l, err := net.Listen("tcp6", "[::]:443")
	if err != nil {
		return 0, err
	}
	go passOn(l, socket)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err = cmd.Run()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		return 0, err
	}
	return cmd.ProcessState.ExitCode(), nil
}

// waitForRoutes waits until there is a way to all hosts, where nobody listens yet:
// the kernel makes it some time after the address.
func waitForRoutes() error {
	for i := range hostsOfAWS {
		for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
			_, err := net.Dial("tcp6", net.JoinHostPort(addressOf(i), "443"))
			if errors.Is(err, unix.ECONNREFUSED) {
				break
			}
			if time.Now().After(end) {
				return err
			}
		}
	}
	return nil
}

// mountOver puts a file in the place of another, for this mount namespace.
func mountOver(path, text string) error {
	f, err := os.CreateTemp("", "alone")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text)
	return errors.Join(err, f.Chmod(0o644), f.Close(), unix.Mount(f.Name(), path, "", unix.MS_BIND, ""))
}

// serveNames answers that there is no such name (3), or that it cannot say (2).
// Source: RFC 1035, 4.1.1.
func serveNames(server net.PacketConn, how string) {
	question := make([]byte, 512)
	for {
		n, from, err := server.ReadFrom(question)
		if err != nil {
			return
		}
		if how == "silent" || n < 12 {
			continue
		}
		answer := question[:n]
		answer[2], answer[3] = answer[2]|0x80, map[string]byte{"unknown": 3, "broken": 2}[how]
		answer[11] = 0 // without what the question adds
		server.WriteTo(answer, from)
	}
}

func passOn(l net.Listener, socket string) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			out, err := net.Dial("unix", socket)
			if err != nil {
				return
			}
			defer out.Close()
			for i, host := range hostsOfAWS {
				if net.ParseIP(addressOf(i)).Equal(c.LocalAddr().(*net.TCPAddr).IP) {
					fmt.Fprintln(out, host)
				}
			}
			go func() { io.Copy(out, c); out.(*net.UnixConn).CloseWrite() }()
			io.Copy(c, out)
		}()
	}
}

// listenForAlone takes the connections of "alone" to AWS.
func listenForAlone(p *place) (socket string) {
	p.Helper()
	socket = p.home + "/aws.socket"
	l, err := net.Listen("unix", socket)
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() { l.Close() })
	proxy, err := url.Parse(p.aws.ProxyURL())
	if err != nil {
		p.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go toProxy(c, proxy.Host)
		}
	}()
	return socket
}

// toProxy makes of a connection that begins with the host's name one through the
// proxy.
func toProxy(c net.Conn, proxy string) {
	defer c.Close()
	host, b := "", make([]byte, 1)
	for b[0] != '\n' {
		if _, err := c.Read(b); err != nil {
			return
		}
		host += string(b)
	}
	up, err := net.Dial("tcp", proxy)
	if err != nil {
		return
	}
	defer up.Close()
	fmt.Fprintf(up, "%s %s:443 HTTP/1.1\r\nHost: %[2]s\r\n\r\n", http.MethodConnect, strings.TrimSpace(host))
	for greeting := ""; !strings.HasSuffix(greeting, "\r\n\r\n"); greeting += string(b) {
		if _, err := up.Read(b); err != nil {
			return
		}
	}
	go func() { io.Copy(up, c); up.(*net.TCPConn).CloseWrite() }()
	io.Copy(c, up)
}

// inside are the words that run a command alone.
func inside(socket, names string, args []string) []string {
	at := 0
	for strings.Contains(args[at], "=") {
		at++
	}
	env := append([]string{"HTTPS_PROXY="}, args[:at]...)
	return append(append(env, "unshare", "-n", "-m", "alone", socket, names), args[at:]...)
}

// needNamespaces skips where there can be none; not in continuous integration.
func needNamespaces(t *testing.T) {
	t.Helper()
	for _, tool := range []string{"unshare", "ip"} {
		if ok, err := condition("tool:"+tool, nil); err != nil || !ok {
			if err != nil {
				t.Fatal(err)
			}
			t.Skip("there is no " + tool)
		}
	}
}

// The programs need no IPv4.
func TestFaultNetworkIPv6Only(t *testing.T) {
	needNamespaces(t)
	tried(t, "there is no IPv4, to AWS or to the proxy", 2*len(asks))
	together(len(asks), 8, func(i int) {
		a := asks[i]
		p := networkPlace(t)
		args := a.args(p)
		if o := p.run(inside(listenForAlone(p), "hosts", args)...); o.status != 0 {
			p.Errorf("%s: got exit status %d:\n%s", a, o.status, o.stderr)
		}
		p = networkPlace(t)
		args = a.args(p)
		before := p.aws.Count(a.action)
		r := newRelay(t, "[::1]:0", p.aws.ProxyURL(), whole, finish)
		if o := p.run(append([]string{r.env()}, args...)...); o.status != 0 || p.aws.Count(a.action) == before {
			p.Errorf("%s: through %s: got exit status %d:\n%s", a, r.env(), o.status, o.stderr)
		}
	})
}

// A name that cannot be looked up is told, and given up in time.
func TestFaultNetworkNames(t *testing.T) {
	needNamespaces(t)
	names := map[string]string{
		"absent": "connection refused", "unknown": "no such host", "broken": "server misbehaving", "silent": "timed out",
	}
	var all []string
	for n := range names {
		all = append(all, n)
	}
	tried(t, "a host's name cannot be looked up", len(asks)*len(all))
	together(len(asks)*len(all), 16, func(i int) {
		a, how := asks[i/len(all)], all[i%len(all)]
		p := networkPlace(t)
		args := a.args(p)
		socket := listenForAlone(p)
		o := a.fails(p, "name server: "+how, inside(socket, how, args))
		if !strings.Contains(o.stderr, names[how]) || !strings.Contains(o.stderr, "no connection to ") {
			p.Errorf("%s: name server: %s: got\n%s\nwant %q", a, how, o.stderr, names[how])
		}
		a.recovers(p, how, args, o)
	})
}
