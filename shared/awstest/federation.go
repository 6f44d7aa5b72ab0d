package awstest

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// tokenLife is how long a sign-in URL is good (IAM User Guide, "Enable custom
// identity broker access to the AWS console").
const tokenLife = 15 * time.Minute

// consolePath is where the loopback listener has the console of all hosts:
// /console/HOST/PATH.
const consolePath = "/console/"

const cookieName = "aws-session"

// signin is a sign-in token, and once it is redeemed a console session.
type signin struct {
	key     *key
	host    string    // that issued the token, "" for the loopback listener
	expires time.Time // the token
	until   time.Time // the console session
}

// federation is the endpoint that turns a role's session into a console session.
func (a *AWS) federation(req *request) reply {
	switch req.params.Get("Action") {
	case "getSigninToken":
		return a.getSigninToken(req)
	case "login":
		return a.login(req)
	}
	return page(http.StatusBadRequest, "Bad Request", "Invalid action parameter")
}

// getSigninToken takes the session of a role that was issued here. It takes
// SessionDuration unless it was a session that assumed the role.
func (a *AWS) getSigninToken(req *request) reply {
	var session struct{ SessionID, SessionKey, SessionToken string }
	no := page(http.StatusBadRequest, "Bad Request", "Invalid credentials parameter. The request sent by the client was syntactically incorrect.")
	if json.Unmarshal([]byte(req.params.Get("Session")), &session) != nil {
		return no
	}
	req.call.AccessKeyID = session.SessionID
	k := a.keys[session.SessionID]
	if k == nil || k.roleARN == "" || !same(k.secret, session.SessionKey) || !same(k.token, session.SessionToken) ||
		!a.Now().Before(k.expires) || !req.at.within(k.identity.partition) {
		return no
	}
	until := k.expires
	if asked := req.params.Get("SessionDuration"); asked != "" {
		n, err := strconv.Atoi(asked)
		if err != nil || n < 900 || n > 43200 || k.chained {
			return no
		}
		until = a.Now().Add(time.Duration(n) * time.Second)
	}
	token := base64.URLEncoding.EncodeToString(random(298))
	a.tokens[token] = &signin{key: k, host: req.at.name, expires: a.Now().Add(tokenLife), until: until}
	a.keep(token)
	return jsonReply(http.StatusOK, map[string]string{"SigninToken": token})
}

// login redeems a sign-in token, once and at the host that issued it, and leads
// to the console.
func (a *AWS) login(req *request) reply {
	token := req.params.Get("SigninToken")
	s := a.tokens[token]
	destination, err := url.Parse(req.params.Get("Destination"))
	to, known := lookupSite(destinationHost(destination, err))
	switch {
	case req.Method != http.MethodGet:
		return page(http.StatusMethodNotAllowed, "Method Not Allowed", "Use GET.")
	case s == nil || !a.Now().Before(s.expires) || req.at.name != s.host:
		return page(http.StatusBadRequest, "Bad Request", "Invalid or expired sign-in token")
	case !known || to.service != "console" || !to.within(s.key.identity.partition):
		return page(http.StatusBadRequest, "Bad Request", "Invalid destination parameter")
	}
	if old := a.signedIn(req); old != nil && old.key.identity.account != s.key.identity.account {
		return page(http.StatusBadRequest, "Amazon Web Services Sign-In", "You must first log out before logging into a different AWS account.")
	}
	delete(a.tokens, token)
	session := hex.EncodeToString(random(32))
	a.consoles[session] = s
	a.keep(session)
	answer := redirect(destination.String())
	if req.at.service == "" {
		answer = redirect(consolePath + destination.Host + strings.TrimPrefix(destination.String(), "https://"+destination.Host))
	}
	answer.header.Set("Set-Cookie", cookie(req, session, 0))
	return answer
}

// oauth ends the console session, as /oauth?Action=logout&redirect_uri=… does,
// and leads on where the host does so.
func (a *AWS) oauth(req *request) reply {
	if req.params.Get("Action") != "logout" {
		return page(http.StatusBadRequest, "Bad Request", "Invalid action parameter")
	}
	if c, err := req.Cookie(cookieName); err == nil {
		delete(a.consoles, c.Value)
	}
	answer := page(http.StatusOK, "Amazon Web Services Sign-In", "You have signed out.")
	if next, err := url.Parse(req.params.Get("redirect_uri")); err == nil && next.Host != "" && req.at.leadsOn() {
		if to, known := lookupSite(destinationHost(next, nil)); next.Host != req.Host && (!known || to.service == "sts" || to.service == "portal") {
			return page(http.StatusBadRequest, "Bad Request", "Invalid redirect_uri parameter")
		}
		answer = redirect(next.String())
	}
	answer.header.Set("Set-Cookie", cookie(req, "", -1))
	return answer
}

// leadsOn tells whether a logout goes on to redirect_uri. In the aws partition
// the hosts of other regions, and the one of none, forget it:
// https://github.com/99designs/aws-vault/pull/1268,
// https://github.com/Versent/saml2aws/issues/707
func (s site) leadsOn() bool {
	return s.service == "" || s.partition.id != "aws" || s.region == "us-east-1"
}

// destinationHost is the host of an https URL, else "".
func destinationHost(u *url.URL, err error) string {
	if err != nil || u.Scheme != "https" || u.Port() != "" || u.User != nil {
		return ""
	}
	return u.Host
}

// within tells whether the site serves a partition; the loopback listener serves all.
func (s site) within(partition string) bool { return s.service == "" || s.partition.id == partition }

// cookie is good for the sign-in and console hosts of one partition.
func cookie(req *request, value string, maxAge int) string {
	c := http.Cookie{Name: cookieName, Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if req.at.service != "" {
		c.Secure, c.Domain = true, req.at.partition.web
	}
	return c.String()
}

func redirect(location string) reply {
	return reply{status: http.StatusFound, header: http.Header{"Location": {location}}}
}
