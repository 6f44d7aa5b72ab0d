package awstest

import (
	"fmt"
	"html"
	"net/http"
	"strings"
)

// console shows who is signed in, on every page of every console host.
func (a *AWS) console(req *request) reply {
	at, destination := req.at, "https://"+req.Host+req.URL.RequestURI()
	if at.service == "" {
		host, _, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, consolePath), "/")
		at, _ = lookupSite(host)
		destination = "https://" + strings.TrimPrefix(req.URL.RequestURI(), consolePath)
	}
	s := a.signedIn(req)
	if s == nil || at.service != "console" || !at.within(s.key.identity.partition) {
		return page(http.StatusForbidden, "Sign in", "not signed in")
	}
	_, name, _ := strings.Cut(s.key.roleARN, ":role/")
	return page(http.StatusOK, name[strings.LastIndexByte(name, '/')+1:]+" | Console",
		"Signed in as "+s.key.arn,
		"Account "+s.key.identity.account,
		"At "+destination,
		"Until "+s.until.UTC().Format("2006-01-02T15:04:05Z"))
}

// signedIn finds the console session of the request's cookie.
func (a *AWS) signedIn(req *request) *signin {
	c, err := req.Cookie(cookieName)
	if err != nil {
		return nil
	}
	s := a.consoles[c.Value]
	if s == nil || !a.Now().Before(s.until) {
		return nil
	}
	return s
}

// page is a small page of HTML, one paragraph a line.
func page(status int, title string, lines ...string) reply {
	var b strings.Builder
	fmt.Fprintf(&b, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>%s</title></head><body>\n", html.EscapeString(title))
	fmt.Fprintf(&b, "<h1>%s</h1>\n", html.EscapeString(title))
	for _, line := range lines {
		fmt.Fprintf(&b, "<p>%s</p>\n", html.EscapeString(line))
	}
	b.WriteString("</body></html>\n")
	header := http.Header{"Content-Type": {"text/html; charset=utf-8"}, "Cache-Control": {"no-store"}}
	return reply{status: status, header: header, body: []byte(b.String())}
}
