package awstest

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxBody bounds what is read of a request, in bytes; STS takes far less.
const maxBody = 1 << 20

// Call is one request as AWS's own log would have it, without secrets.
type Call struct {
	Time            time.Time // of AWS's clock
	Action          string    // of STS or the sign-in endpoint, such as "AssumeRole" or "getSigninToken", or "GetRoleCredentials", "InstanceToken", "InstanceRole", "InstanceCredentials", "ContainerCredentials", "console", "switchrole", "moved", "CONNECT" (refused or failed by the proxy), "TLS" (a handshake that failed)
	Host            string
	Method          string
	ProxyUser       string // the name that the client gave to the proxy: http://NAME:@HOST:PORT
	Region          string // of the signature, else of the host
	AccessKeyID     string // of the signature, or of the session to be federated
	RoleARN         string
	DurationSeconds int    // as asked for, 0 if not
	Status          int    // 0 if the connection was dropped
	Code            string // AWS's error code, or the kind of fault
	CodeRefused     string `json:",omitempty"` // why an MFA code was: CodeUsed, CodeLate, or "" where it was none of the device's
}

// Calls lists every request answered or dropped, in order. A call is in the
// list before its answer leaves; a hanging one as soon as it hangs.
func (a *AWS) Calls() []Call {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]Call(nil), a.calls...)
}

// Count tells how many calls there were of action.
func (a *AWS) Count(action string) int {
	n := 0
	for _, c := range a.Calls() {
		if c.Action == action {
			n++
		}
	}
	return n
}

// request is what a handler needs to know of one HTTP request.
type request struct {
	*http.Request
	at     site
	body   []byte
	params url.Values // of the query, then of a form body
	call   Call
	handle func(*request) reply // called with the lock held
}

// reply is an answer that has not been sent yet, so that it can be lost.
type reply struct {
	status int
	header http.Header
	body   []byte
	code   string // AWS's error code
}

// answer serves the loopback listener and all of AWS's hosts.
func (a *AWS) answer(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", a.Now().UTC().Format(http.TimeFormat))
	if r.TLS == nil && strings.HasPrefix(r.URL.Path, controlPath) {
		a.control(w, r)
		return
	}
	req, err := a.read(r)
	if err != nil {
		a.log(Call{Time: a.Now(), Host: r.Host, Method: r.Method}, http.StatusBadRequest, "")
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fault, failing := a.nextFault(req.call.Action)
	if failing && !fault.Kind.worked() {
		a.fail(fault, w, req)
		return
	}
	lost := ""
	if failing {
		lost = fault.Kind.String()
	}
	answer := a.work(req, lost)
	switch {
	case failing && fault.Kind != Lost:
		a.breakOff(fault, answer, w, req)
	case failing && fault.Status != 0:
		answer = reply{status: fault.Status, body: []byte(fault.Body)}
	case failing:
		panic(http.ErrAbortHandler)
	}
	answer.send(w)
}

// work handles req and logs it in one step, so that the log is in the order
// in which things happened; lost says why nobody will see the answer, if so.
func (a *AWS) work(req *request, lost string) reply {
	a.mu.Lock()
	defer a.mu.Unlock()
	answer := req.handle(req)
	req.call.Status, req.call.Code = answer.status, answer.code
	if lost != "" {
		req.call.Status, req.call.Code = 0, lost
	}
	a.calls = append(a.calls, req.call)
	return answer
}

func (a *AWS) log(c Call, status int, code string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c.Status, c.Code = status, code
	a.calls = append(a.calls, c)
}

// read takes a request in and finds who is to handle it.
func (a *AWS) read(r *http.Request) (*request, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return nil, err
	}
	req := &request{Request: r, body: body, params: r.URL.Query()}
	if r.TLS != nil {
		at, ok := lookupSite(r.Host)
		if !ok || !strings.EqualFold(at.name, r.TLS.ServerName) {
			return nil, fmt.Errorf("host %s is not the one of the TLS connection", r.Host)
		}
		req.at = at
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, err
		}
		for name, values := range form {
			req.params[name] = append(req.params[name], values...)
		}
	}
	action := a.route(req)
	duration, _ := strconv.Atoi(cmp.Or(req.params.Get("DurationSeconds"), req.params.Get("SessionDuration")))
	req.call = Call{
		Time: a.Now(), Action: action, Host: r.Host, Method: r.Method, ProxyUser: tunnelUser(r), Region: req.at.region,
		RoleARN: req.params.Get("RoleArn"), DurationSeconds: duration,
	}
	return req, nil
}

// route chooses the handler and names the action.
func (a *AWS) route(req *request) string {
	service, path := req.at.service, req.URL.Path
	everywhere := service == ""
	action := req.params.Get("Action")
	switch {
	case path == movedPath:
		req.handle, action = a.moved, "moved"
	case service == "console" || everywhere && strings.HasPrefix(path, consolePath):
		req.handle, action = a.console, "console"
	case (service == "sts" || everywhere) && path == "/":
		req.handle = a.sts
	case (service == "signin" || everywhere) && path == "/federation":
		req.handle = a.federation
	case (service == "signin" || everywhere) && path == "/oauth":
		req.handle = a.oauth
	case (service == "signin" || everywhere) && path == "/switchrole":
		req.handle, action = a.switchRole, "switchrole"
	case (service == "portal" || everywhere) && path == portalPath:
		req.handle, action = a.getRoleCredentials, "GetRoleCredentials"
	case everywhere && path == instanceTokenPath:
		req.handle, action = a.instanceToken, "InstanceToken"
	case everywhere && path == instanceRolePath:
		req.handle, action = a.instanceRole, "InstanceRole"
	case everywhere && strings.HasPrefix(path, instanceRolePath):
		req.handle, action = a.instanceCredentials, "InstanceCredentials"
	case everywhere && path == containerPath:
		req.handle, action = a.containerCredentials, "ContainerCredentials"
	default:
		req.handle = func(*request) reply { return page(http.StatusNotFound, "Not Found", "No such page.") }
	}
	return action
}

// jsonReply renders v, which is one of ours.
func jsonReply(status int, v any) reply {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return reply{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: body}
}

func (r reply) send(w http.ResponseWriter) {
	for name, values := range r.header {
		w.Header()[name] = values
	}
	w.WriteHeader(r.status)
	w.Write(r.body)
}

// requestID is a new one, in AWS's form (a random UUID).
func requestID() string {
	b := make([]byte, 16)
	rand.Read(b)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
