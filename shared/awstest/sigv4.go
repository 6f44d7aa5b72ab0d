package awstest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	algorithm      = "AWS4-HMAC-SHA256"
	basicISO8601   = "20060102T150405Z"
	clockWindow    = 15 * time.Minute
	wrongSignature = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)

// signature is what an Authorization header says (IAM User Guide,
// "Create a signed AWS API request").
type signature struct {
	keyID, date, region, service, end string // the credential: a key and its scope
	headers                           []string
	value                             string
}

func (s signature) scope() string {
	return strings.Join([]string{s.date, s.region, s.service, s.end}, "/")
}

// authenticate verifies the signature of a request and tells whose it is.
func (a *AWS) authenticate(req *request) (*key, *refusal) {
	header := req.Header.Get("Authorization")
	if header == "" {
		return nil, refuse(http.StatusForbidden, "MissingAuthenticationToken", "Request is missing Authentication Token")
	}
	sig, ok := parseSignature(header)
	if !ok {
		return nil, refuse(http.StatusBadRequest, "IncompleteSignature", "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter.")
	}
	req.call.AccessKeyID, req.call.Region = sig.keyID, sig.region
	if problem := sig.check(req, a.Now()); problem != "" {
		return nil, refuse(http.StatusForbidden, "SignatureDoesNotMatch", problem)
	}
	k := a.keys[sig.keyID]
	if k == nil || !same(k.token, req.Header.Get("X-Amz-Security-Token")) || k.identity.partition != partitionOf(sig.region).id {
		return nil, refuse(http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid.")
	}
	if !same(sig.value, sig.compute(req, k.secret)) {
		return nil, refuse(http.StatusForbidden, "SignatureDoesNotMatch", wrongSignature)
	}
	if k.session() && !a.Now().Before(k.expires) {
		return nil, refuse(http.StatusForbidden, "ExpiredToken", "The security token included in the request is expired")
	}
	if a.disabled[sig.region] {
		return nil, regionOff(k.identity.account)
	}
	return k, nil
}

// parseSignature reads "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…".
func parseSignature(header string) (s signature, ok bool) {
	rest, ok := strings.CutPrefix(header, algorithm+" ")
	if !ok {
		return s, false
	}
	fields := map[string]string{}
	for f := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(f), "=")
		fields[name] = value
	}
	c := strings.Split(fields["Credential"], "/")
	if len(c) != 5 || fields["SignedHeaders"] == "" || fields["Signature"] == "" {
		return s, false
	}
	return signature{
		c[0], c[1], c[2], c[3], c[4],
		strings.Split(fields["SignedHeaders"], ";"), fields["Signature"],
	}, true
}

// check finds what is wrong with a signature whoever made it: its scope, its
// time, what it leaves unsigned. It answers in AWS's words, or "".
func (s signature) check(req *request, now time.Time) string {
	date := req.Header.Get("X-Amz-Date")
	signed, err := time.Parse(basicISO8601, date)
	switch {
	case err != nil:
		return fmt.Sprintf("Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601", date)
	case s.service != "sts":
		return "Credential should be scoped to correct service: 'sts'. "
	case s.end != "aws4_request":
		return "Credential should be scoped with a valid terminator: 'aws4_request', not '" + s.end + "'."
	case s.region == "" || req.at.region != "" && s.region != req.at.region:
		return "Credential should be scoped to a valid region. "
	case s.date != date[:8]:
		return fmt.Sprintf("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.", s.date, date[:8], date)
	case !slices.Contains(s.headers, "host"):
		return "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
	}
	for _, name := range []string{"x-amz-date", "x-amz-security-token"} {
		if req.Header.Get(name) != "" && !slices.Contains(s.headers, name) {
			return "'" + name + "' must be a 'SignedHeader' in the AWS Authorization."
		}
	}
	at := func(t time.Time) string { return t.UTC().Format(basicISO8601) }
	if oldest := now.Add(-clockWindow); signed.Before(oldest.Truncate(time.Second)) {
		return fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - 15 min.)", date, at(oldest), at(now))
	}
	if newest := now.Add(clockWindow); signed.After(newest) {
		return fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + 15 min.)", date, at(newest), at(now))
	}
	return ""
}

// compute signs the request again, with secret.
func (s signature) compute(req *request, secret string) string {
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.date, s.region, s.service, s.end} {
		key = mac(key, part)
	}
	text := strings.Join([]string{
		algorithm, req.Header.Get("X-Amz-Date"), s.scope(), digest([]byte(s.canonical(req))),
	}, "\n")
	return hex.EncodeToString(mac(key, text))
}

// canonical is the canonical request; STS has no path but "/".
func (s signature) canonical(req *request) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n/\n%s\n", req.Method, canonicalQuery(req.URL.RawQuery))
	for _, name := range s.headers {
		values := slices.Clone(req.Header.Values(name))
		switch name {
		case "host":
			values = []string{req.Host}
		case "content-length":
			values = []string{strconv.FormatInt(req.ContentLength, 10)}
		}
		for i, v := range values {
			values[i] = strings.Join(strings.Fields(v), " ")
		}
		fmt.Fprintf(&b, "%s:%s\n", name, strings.Join(values, ","))
	}
	fmt.Fprintf(&b, "\n%s\n%s", strings.Join(s.headers, ";"), digest(req.body))
	return b.String()
}

// canonicalQuery sorts by escaped name, then by escaped value.
func canonicalQuery(raw string) string {
	query, _ := url.ParseQuery(raw)
	var pairs [][2]string
	for name, values := range query {
		for _, v := range values {
			pairs = append(pairs, [2]string{escape(name), escape(v)})
		}
	}
	slices.SortFunc(pairs, func(x, y [2]string) int { return slices.Compare(x[:], y[:]) })
	var b strings.Builder
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p[0] + "=" + p[1])
	}
	return b.String()
}

// escape is AWS's UriEncode: everything but the unreserved characters of RFC 3986.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// same compares in constant time.
func same(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }
