// Package awstest is a local AWS: STS, the sign-in endpoint with a console
// behind it, the portal of IAM Identity Center, the metadata services of an
// instance and a container, and the MFA devices of its users. It is stricter
// than a stub: signatures, clocks, codes, trust, durations and expiry are
// checked as AWS checks them and refused in AWS's own words, so that a program
// which works here has been told "no" in every way AWS says it.
//
// Real clients reach it by an endpoint override (URL), or with no override at
// all through a proxy that answers for AWS's host names (ProxyURL and CA).
package awstest

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// AWS is one running local AWS. All methods are safe for concurrent use.
type AWS struct {
	skew        atomic.Int64 // AWS's clock less the real one, in nanoseconds
	connections atomic.Int64
	authority   *authority
	loopback    net.Listener
	relay       net.Listener
	tunnels     *tunnels
	servers     []*http.Server
	done        chan struct{} // closed by Close
	close       sync.Once

	mu         sync.Mutex // guards what follows
	keys       map[string]*key
	devices    map[string]*Device
	roles      map[string]role
	tokens     map[string]*signin
	consoles   map[string]*signin
	identities map[string]webIdentity
	accesses   map[string]*access
	instance   instance
	container  container
	disabled   map[string]bool
	proxyAuth  string // what the proxy wants to be told, if anything
	faults     []Fault
	calls      []Call
	secrets    []string
}

// Start runs a local AWS on two ports of 127.0.0.1 until Close.
func Start() (*AWS, error) {
	authority, err := newAuthority(time.Now())
	if err != nil {
		return nil, err
	}
	loopback, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	relay, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, loopback.Close())
	}
	a := &AWS{
		authority:  authority,
		loopback:   loopback,
		relay:      relay,
		tunnels:    newTunnels(relay.Addr()),
		done:       make(chan struct{}),
		keys:       map[string]*key{},
		devices:    map[string]*Device{},
		roles:      map[string]role{},
		tokens:     map[string]*signin{},
		consoles:   map[string]*signin{},
		identities: map[string]webIdentity{},
		accesses:   map[string]*access{},
		instance:   instance{tokens: map[string]time.Time{}},
		disabled:   map[string]bool{},
	}
	a.serve(counted{loopback, &a.connections}, a.answer)
	a.serve(counted{relay, &a.connections}, a.proxy)
	a.serve(tls.NewListener(a.tunnels, a.tls()), a.answer)
	return a, nil
}

func (a *AWS) serve(l net.Listener, handler http.HandlerFunc) {
	s := &http.Server{
		Handler:     handler,
		ConnContext: withConn,
		ErrorLog:    log.New(io.Discard, "", 0),
	}
	a.servers = append(a.servers, s)
	go s.Serve(l)
}

// Close ends every connection at once, hanging ones too, and frees the ports.
func (a *AWS) Close() {
	a.close.Do(func() {
		close(a.done)
		for _, s := range a.servers {
			s.Close()
		}
		// Serve may not have been scheduled yet, and then it does not know its listener.
		a.loopback.Close()
		a.relay.Close()
		a.tunnels.Close()
	})
}

// URL is the endpoint without TLS, "http://127.0.0.1:PORT": STS answers at
// "/", for every region, the sign-in endpoint at "/federation", "/oauth" and
// "/switchrole", and the portal of IAM Identity Center at
// "/federation/credentials".
func (a *AWS) URL() string { return "http://" + a.loopback.Addr().String() }

// ProxyURL is an HTTP CONNECT proxy, "http://127.0.0.1:PORT", that is AWS for
// every AWS host name, over TLS, and refuses all others with 403.
func (a *AWS) ProxyURL() string { return "http://" + a.relay.Addr().String() }

// CA is the certificate, in PEM, that vouches for the hosts behind ProxyURL.
func (a *AWS) CA() []byte { return a.authority.pem }

// Now is the time on AWS's clock, which the Date header of every answer tells.
func (a *AWS) Now() time.Time { return time.Now().Add(time.Duration(a.skew.Load())) }

// Shift moves AWS's clock against the real one; shifts add up.
func (a *AWS) Shift(d time.Duration) { a.skew.Add(int64(d)) }

// Connections counts the TCP connections accepted so far, the proxy's included.
func (a *AWS) Connections() int { return int(a.connections.Load()) }

// ExpireSessions ends every session issued so far, AWS answers ExpiredToken,
// and every access token, the portal answers UnauthorizedException.
func (a *AWS) ExpireSessions() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, k := range a.keys {
		if k.session() {
			k.expires = a.Now()
		}
	}
	for _, access := range a.accesses {
		access.expires = a.Now()
	}
}

// Identity tells whose an access key ID, its secret key and, for a session, its
// token are, as GetCallerIdentity does, also after their time; "" if AWS did not
// give them out together.
func (a *AWS) Identity(id, secret, token string) (arn string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if k := a.keys[id]; k != nil && k.secret == secret && k.token == token {
		return k.arn
	}
	return ""
}

// DisableRegion makes STS answer RegionDisabledException in region.
func (a *AWS) DisableRegion(region string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.disabled[region] = true
}

// Secrets lists every secret key, token of any kind, seed and console cookie
// issued so far, for tests that look for leaks.
func (a *AWS) Secrets() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.secrets...)
}

// keep remembers secrets for Secrets.
func (a *AWS) keep(secrets ...string) { a.secrets = append(a.secrets, secrets...) }
