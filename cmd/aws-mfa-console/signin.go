package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"aws-mfa/shared/session"
)

// A federationError is an answer of the sign-in endpoint that holds no token.
type federationError struct {
	host   string
	status int  // of HTTP
	isPage bool // it is HTML
	isOdd  bool // there is a token, but not one to build a URL with
}

func (e *federationError) Error() string {
	switch {
	case e.status == http.StatusBadRequest:
		return fmt.Sprintf("%s does not take the session: only sessions of a role that are still good open the console (HTTP status 400)", e.host)
	case e.status == http.StatusOK && e.isPage:
		return fmt.Sprintf("the answer of %s is a web page, and holds no sign-in token", e.host)
	case e.status == http.StatusOK && e.isOdd:
		return fmt.Sprintf("the sign-in token in the answer of %s is none of AWS: it is too long, or has characters that are not those of URLs", e.host)
	case e.status == http.StatusOK:
		return fmt.Sprintf("the answer of %s holds no sign-in token", e.host)
	}
	return fmt.Sprintf("%s gave no sign-in token (HTTP status %d)", e.host, e.status)
}

// passes tells of an answer that may be another one a moment later.
func (e *federationError) passes() bool {
	return e.status == http.StatusTooManyRequests || e.status >= http.StatusInternalServerError
}

// hints tell what helps who.
func (e *federationError) hints(who bearer) (out []string) {
	if endpoint := who.network.Signin; endpoint.Set {
		out = append(out, fmt.Sprintf("the endpoint is %s (%s)", endpoint.Text, endpoint.From))
	}
	switch {
	case e.status == http.StatusBadRequest:
		return append(out, who.renewal())
	case e.passes():
		return append(out, "try again in a minute: "+who.again())
	case len(out) > 0:
		return out
	}
	out = append(out, "this seems to be no answer of AWS, but of something on the way there: a network that wants you to sign in to it first, or a proxy")
	for _, s := range who.network.Settings {
		if s.Name == "https_proxy" || s.Name == "ca_bundle" {
			out = append(out, fmt.Sprintf("%s is set in %s", s.Name, s.From))
		}
	}
	return append(out, "then "+who.again())
}

// signIn exchanges the session for a sign-in URL that is good for 15 minutes.
// The keys travel in the body of a POST, never in a URL. Source:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html
func (p page) signIn(ctx context.Context, who bearer, duration time.Duration, trace session.Trace) (string, error) {
	keys, err := json.Marshal(map[string]string{
		"sessionId": who.keys.AccessKeyID, "sessionKey": who.keys.SecretAccessKey, "sessionToken": who.keys.SessionToken,
	})
	if err != nil {
		return "", err
	}
	form := url.Values{"Action": {"getSigninToken"}, "Session": {string(keys)}}
	if duration != 0 {
		form.Set("SessionDuration", strconv.Itoa(int(duration.Seconds())))
	}
	token, err := p.token(ctx, who, form, trace)
	if err != nil {
		return "", err
	}
	return p.link(token), nil
}

// link is the sign-in URL.
func (p page) link(token string) string {
	login := url.Values{"Action": {"login"}, "Destination": {p.destination}, "SigninToken": {token}}
	return p.federation + "?" + login.Encode()
}

const (
	pause     = 500 * time.Millisecond // that AWS is given before it is asked again
	answering = 20 * time.Second       // that it has in all, as STS has
)

// token asks for a token, and once more where AWS is out of order or wants less
// haste: a token too many does no harm. Without an answer it is not repeated,
// since the wait may have been long already.
func (p page) token(ctx context.Context, who bearer, form url.Values, trace session.Trace) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answering)
	defer cancel()
	token, err := p.post(ctx, who, form, trace)
	var refused *federationError
	if !errors.As(err, &refused) || !refused.passes() || who.network.MaxAttempts == 1 {
		return token, err
	}
	select {
	case <-time.After(pause):
		trace("getSigninToken: once more")
		return p.post(ctx, who, form, trace)
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.Canceled) {
			err = context.Cause(ctx)
		}
		return "", err
	}
}

// post makes the request and reads the token in its answer.
func (p page) post(ctx context.Context, who bearer, form url.Values, trace session.Trace) (string, error) {
	client, err := session.HTTPClient(who.network)
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.federation, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	sent := false
	request = request.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent = true }}))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	host := request.URL.Host
	trace("getSigninToken: request to %s", host)
	token, err := exchange(client, request)
	switch {
	case err == nil:
		trace("getSigninToken: done")
		return token, nil
	case errors.Is(ctx.Err(), context.Canceled):
		return "", context.Cause(ctx)
	case !errors.As(err, new(*federationError)):
		if sent && quotes(err) {
			err = errors.New("it cannot be read")
		}
		err = &session.NetworkError{Operation: "getSigninToken", Host: host, Endpoint: who.network.Signin, MaybeDone: sent, Err: err}
	}
	trace("getSigninToken: %v", err)
	return "", err
}

// exchange makes the request and reads the token in its answer, of which the
// client gives no more than so much.
func exchange(client *http.Client, request *http.Request) (token string, err error) {
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	refused := &federationError{host: request.URL.Host, status: response.StatusCode}
	if response.StatusCode != http.StatusOK {
		return "", refused
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	token, ok := tokenIn(body)
	if !ok {
		refused.isPage, refused.isOdd = bytes.HasPrefix(bytes.TrimSpace(body), []byte{'<'}), token != ""
		return "", refused
	}
	return token, nil
}

// quotes tells whether err may quote the answer, and with it what was sent in
// confidence. What the system and TLS say does not, nor does a time limit.
func quotes(err error) bool {
	var timeout net.Error
	return !errors.As(err, new(*net.OpError)) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) &&
		!(errors.As(err, &timeout) && timeout.Timeout())
}

// tokenIn is the token in the endpoint's answer, "" if there is none, and
// whether it can be part of a URL: AWS says nothing about its form.
func tokenIn(answer []byte) (token string, ok bool) {
	const enough = 32 << 10 // octets
	// A struct would take "signintoken" for it too.
	var holds map[string]json.RawMessage
	if !utf8.Valid(answer) || json.Unmarshal(answer, &holds) != nil || json.Unmarshal(holds["SigninToken"], &token) != nil {
		return "", false
	}
	return token, token != "" && len(token) <= enough && !strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' })
}
