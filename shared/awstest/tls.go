package awstest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// authority issues the certificates of AWS's hosts.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey // of the authority and of all hosts
	pem  []byte

	mu    sync.Mutex
	hosts map[string]*tls.Certificate
}

// newAuthority makes an authority that is good from a day before now until a
// year after: clients have clocks of their own.
func newAuthority(now time.Time) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(now.UnixNano()),
		Subject:               pkix.Name{CommonName: "local AWS for tests"},
		NotBefore:             now.AddDate(0, 0, -1),
		NotAfter:              now.AddDate(1, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &authority{
		cert: cert, key: key, hosts: map[string]*tls.Certificate{},
		pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
	}, nil
}

// tls serves every AWS host by its own certificate, over HTTP/1.1 as STS does.
func (a *AWS) tls() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if f, failing := a.nextFault(handshake); failing {
				a.log(Call{Time: a.Now(), Action: handshake, Host: hello.ServerName}, 0, f.Kind.String())
				return a.mistrust(f, hello)
			}
			return a.authority.certificate(hello.ServerName)
		},
	}
}

// mistrust goes wrong in the handshake.
func (a *AWS) mistrust(f Fault, hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	switch f.Kind {
	case Expired:
		return a.authority.issue(hello.ServerName, time.Now().Add(-time.Hour))
	case OtherHost:
		return a.authority.issue("other."+hello.ServerName, a.authority.cert.NotAfter)
	case Hang:
		select {
		case <-hello.Context().Done():
		case <-a.done:
		}
	case Reset:
		abort(withConn(context.Background(), hello.Conn))
	}
	hello.Conn.Close()
	return nil, net.ErrClosed
}

func (ca *authority) certificate(host string) (*tls.Certificate, error) {
	if _, ok := lookupSite(host); !ok {
		return nil, fmt.Errorf("%q is not a host of AWS", host)
	}
	ca.mu.Lock()
	defer ca.mu.Unlock()
	if ca.hosts[host] == nil {
		c, err := ca.issue(host, ca.cert.NotAfter)
		if err != nil {
			return nil, err
		}
		ca.hosts[host] = c
	}
	return ca.hosts[host], nil
}

// issue makes a certificate for the host that is good until then.
func (ca *authority) issue(host string, until time.Time) (*tls.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		DNSNames:     []string{host},
		NotBefore:    ca.cert.NotBefore,
		NotAfter:     until,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, &ca.key.PublicKey, ca.key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der, ca.cert.Raw}, PrivateKey: ca.key}, nil
}

// RequireProxyPassword makes the proxy refuse those who do not tell the name
// and password, which is one of the Secrets, with 407.
func (a *AWS) RequireProxyPassword(name, password string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.proxyAuth = "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password))
	a.keep(password, a.proxyAuth)
}

// admits tells whether the proxy serves the request.
func (a *AWS) admits(r *http.Request) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.proxyAuth == "" || r.Header.Get("Proxy-Authorization") == a.proxyAuth
}

// proxy lets CONNECT to port 443 of AWS's hosts through, to this local AWS,
// unless that is to fail, and logs and refuses everything else: nothing ever
// leaves the machine. It takes any user name and password.
func (a *AWS) proxy(w http.ResponseWriter, r *http.Request) {
	_, port, _ := net.SplitHostPort(r.Host)
	if _, ok := lookupSite(r.Host); r.Method != http.MethodConnect || port != "443" || !ok {
		a.log(Call{Time: a.Now(), Action: connect, Host: r.Host, Method: r.Method}, http.StatusForbidden, "")
		http.Error(w, "not a host of AWS", http.StatusForbidden)
		return
	}
	call := Call{Time: a.Now(), Action: connect, Host: r.Host, Method: r.Method}
	if !a.admits(r) {
		a.log(call, http.StatusProxyAuthRequired, "")
		w.Header().Set("Proxy-Authenticate", `Basic realm="local AWS for tests"`)
		http.Error(w, "who are you?", http.StatusProxyAuthRequired)
		return
	}
	if f, failing := a.nextFault(connect); failing {
		a.fail(f, w, &request{Request: r, call: call})
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
	a.tunnels.add(tunnel{conn, buffered, proxyUser(r)})
}

// tunnel is a connection that the proxy let through, with what was read ahead.
type tunnel struct {
	net.Conn
	ahead io.Reader
	user  string
}

// proxyUser is who the client says to the proxy that it is.
func proxyUser(r *http.Request) string {
	as := http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}
	user, _, _ := as.BasicAuth()
	return user
}

// tunnelUser is proxyUser for a request that came through the proxy.
func tunnelUser(r *http.Request) string {
	if c, ok := r.Context().Value(connKey{}).(*tls.Conn); ok {
		if t, ok := c.NetConn().(tunnel); ok {
			return t.user
		}
	}
	return ""
}

func (t tunnel) Read(b []byte) (int, error) { return t.ahead.Read(b) }

// tunnels is the listener on which those connections arrive.
type tunnels struct {
	conns chan net.Conn
	done  chan struct{}
	close sync.Once
	addr  net.Addr
}

func newTunnels(addr net.Addr) *tunnels {
	return &tunnels{conns: make(chan net.Conn), done: make(chan struct{}), addr: addr}
}

func (t *tunnels) add(c net.Conn) {
	select {
	case t.conns <- c:
	case <-t.done:
		c.Close()
	}
}

func (t *tunnels) Accept() (net.Conn, error) {
	select {
	case c := <-t.conns:
		return c, nil
	case <-t.done:
		return nil, net.ErrClosed
	}
}

func (t *tunnels) Close() error {
	t.close.Do(func() { close(t.done) })
	return nil
}

func (t *tunnels) Addr() net.Addr { return t.addr }

// counted counts the connections that a listener accepts.
type counted struct {
	net.Listener
	n *atomic.Int64
}

func (c counted) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.n.Add(1)
	}
	return conn, err
}
