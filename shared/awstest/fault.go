package awstest

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// FaultKind is a way in which AWS, or the network before it, lets a caller down.
type FaultKind int

// The kinds of fault. A dropped request has Status 0 in Calls, and the kind
// as its Code.
const (
	Hang     FaultKind = iota // take the request and never answer, until the client goes or Close
	Answer                    // answer with Status and Body of the fault
	Throttle                  // answer 400 Throttling, "Rate exceeded"
	Lost                      // do the work (the code is spent, the session issued), then drop the connection, or, with a Status, answer as a gateway that lost AWS's answer
	Reset                     // drop the connection before doing anything
	Redirect                  // answer 302, or Status, to another path, which logs a call "moved" if followed
	Endless                   // answer 200 and Body, and then spaces as fast as they are taken, until the client goes or Close
	Drip                      // the same, but a space now and then
	Bomb                      // answer 200 and Body, and then 64 MiB of spaces, all packed by gzip
	Half                      // do the work, and drop the connection in the middle of the answer
	Stall                     // do the work, and hang in the middle of the answer

	// Of the TLS handshake only, which takes Hang and Reset beside these.
	Expired   // show a certificate that ended an hour ago
	OtherHost // show the certificate of another host
)

func (k FaultKind) String() string {
	return [...]string{"Hang", "Answer", "Throttle", "Lost", "Reset", "Redirect", "Endless", "Drip", "Bomb", "Half", "Stall", "Expired", "OtherHost"}[k]
}

// Fault is what goes wrong with the next calls of an action.
type Fault struct {
	Action string // "" is any but CONNECT, which is that of the proxy, and TLS, which is the handshake with a host behind it
	Times  int    // 0 is once, -1 for ever
	Every  int    // only each call of that number fails: 3 is each third; 0 is all
	Kind   FaultKind
	Status int // of an Answer, where 0 is 200, of a Redirect, or of a gateway
	Body   string

	passed int // calls since the last that failed
}

// Fail queues f: faults of the same action come one after the other.
func (a *AWS) Fail(f Fault) {
	if f.Times == 0 {
		f.Times = 1
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = append(a.faults, f)
}

// Heal takes back the faults that have not happened yet.
func (a *AWS) Heal() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = nil
}

// nextFault takes the first fault for action from the queue.
func (a *AWS) nextFault(action string) (Fault, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, f := range a.faults {
		if f.Action != action && (f.Action != "" || action == connect || action == handshake) {
			continue
		}
		if a.faults[i].passed++; a.faults[i].passed < f.Every {
			return Fault{}, false
		}
		a.faults[i].passed = 0
		switch f.Times {
		case -1:
		case 1:
			a.faults = append(a.faults[:i:i], a.faults[i+1:]...)
		default:
			a.faults[i].Times--
		}
		return f, true
	}
	return Fault{}, false
}

// fail answers, or does not, in place of AWS.
func (a *AWS) fail(f Fault, w http.ResponseWriter, req *request) {
	var answer reply
	switch f.Kind {
	case Answer:
		answer = reply{status: max(f.Status, http.StatusOK), body: []byte(f.Body)}
	case Throttle:
		answer = refuse(http.StatusBadRequest, "Throttling", "Rate exceeded").reply()
	case Redirect:
		answer = redirect(movedPath)
		answer.status = cmp.Or(f.Status, answer.status)
	case Hang:
		a.log(req.call, 0, f.Kind.String())
		select {
		case <-req.Context().Done():
		case <-a.done:
		}
		panic(http.ErrAbortHandler)
	case Reset:
		a.log(req.call, 0, f.Kind.String())
		abort(req.Context())
		panic(http.ErrAbortHandler)
	}
	a.log(req.call, cmp.Or(answer.status, http.StatusOK), cmp.Or(answer.code, f.Kind.String()))
	switch f.Kind {
	case Endless, Drip:
		a.goOn(f, w, req)
	case Bomb:
		bomb(f, w)
	default:
		answer.send(w)
	}
}

// worked tells of a fault that comes when AWS has done the work.
func (k FaultKind) worked() bool { return k == Lost || k == Half || k == Stall }

// breakOff sends half of an answer, and no more.
func (a *AWS) breakOff(f Fault, answer reply, w http.ResponseWriter, req *request) {
	w.Header().Set("Content-Length", strconv.Itoa(len(answer.body)))
	answer.body = answer.body[:len(answer.body)/2]
	answer.send(w)
	http.NewResponseController(w).Flush()
	if f.Kind == Stall {
		select {
		case <-req.Context().Done():
		case <-a.done:
		}
	}
	panic(http.ErrAbortHandler)
}

// goOn answers without an end.
func (a *AWS) goOn(f Fault, w http.ResponseWriter, req *request) {
	const pause = 50 * time.Millisecond
	more := bytes.Repeat([]byte{' '}, 32<<10)
	if f.Kind == Drip {
		more = more[:1]
	}
	out := http.NewResponseController(w)
	_, err := io.WriteString(w, f.Body)
	for err == nil {
		if err = out.Flush(); err != nil {
			return
		}
		wait := time.After(0)
		if f.Kind == Drip {
			wait = time.After(pause)
		}
		select {
		case <-req.Context().Done():
			panic(http.ErrAbortHandler) // or who goes might still take it for the end
		case <-a.done:
			panic(http.ErrAbortHandler)
		case <-wait:
		}
		_, err = w.Write(more)
	}
}

// bomb answers with little that is much once it is unpacked.
func bomb(f Fault, w http.ResponseWriter) {
	w.Header().Set("Content-Encoding", "gzip")
	packed := gzip.NewWriter(w)
	defer packed.Close()
	_, err := io.WriteString(packed, f.Body)
	spaces := bytes.Repeat([]byte{' '}, 1<<20)
	for i := 0; i < 64 && err == nil; i++ {
		_, err = packed.Write(spaces)
	}
}

const (
	movedPath = "/moved"

	// As actions:
	connect   = http.MethodConnect
	handshake = "TLS"
)

func (a *AWS) moved(*request) reply {
	return page(http.StatusOK, "Moved", "A redirection was followed.")
}

type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// abort makes the connection of a request end by RST rather than FIN.
func abort(ctx context.Context) {
	c, _ := ctx.Value(connKey{}).(net.Conn)
	for {
		switch conn := c.(type) {
		case *tls.Conn:
			c = conn.NetConn()
		case tunnel:
			c = conn.Conn
		case *net.TCPConn:
			conn.SetLinger(0)
			return
		default:
			return
		}
	}
}
