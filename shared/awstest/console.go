package awstest

import (
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"
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

var (
	switchAccount = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`) // a number or an alias
	switchRole    = regexp.MustCompile(`^[\w+=,.@/-]{1,64}$`)
)

// switchRole shows the form that the console switches roles with, filled in
// from the address. The account is a number or an alias, the role's name
// has its path, and both of these and the display name are 64 characters at
// most: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_manage.html,
// https://github.com/tilfinltd/aws-extend-switch-roles/issues/244
func (a *AWS) switchRole(req *request) reply {
	query := req.URL.Query()
	account, role, display := query.Get("account"), query.Get("roleName"), query.Get("displayName")
	wrong := ""
	switch {
	case req.Method != http.MethodGet:
		return page(http.StatusMethodNotAllowed, "Method Not Allowed", "Use GET.")
	case len(account) < 3 || len(account) > 63 || !switchAccount.MatchString(account):
		wrong = "Account must be an account ID of 12 digits or an account alias"
	case !switchRole.MatchString(role) || strings.HasPrefix(role, "/"):
		wrong = "IAM role name must be a name with its path, 64 characters at most"
	case utf8.RuneCountInString(display) > 64:
		wrong = "Display name must have 64 characters at most"
	}
	if wrong != "" {
		return page(http.StatusBadRequest, "Switch Role", wrong)
	}
	return page(http.StatusOK, "Switch Role", "Account "+account, "Role "+role, "Display name "+display)
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
