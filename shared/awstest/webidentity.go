package awstest

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The identity provider that AWS knows, and whom its tokens are for.
const (
	provider = "https://oidc.example.com"
	audience = "sts.amazonaws.com"
)

// webIdentity is whom a token of the identity provider stands for.
type webIdentity struct {
	subject string
	expires time.Time
	roles   []string // that trust the subject
}

// AddWebIdentity makes the identity provider issue a token for subject, whom
// those roles trust.
func (a *AWS) AddWebIdentity(subject string, expires time.Time, roles ...string) (token string) {
	token = jwt(map[string]any{"iss": provider, "sub": subject, "aud": audience, "iat": a.Now().Unix(), "exp": expires.Unix()})
	a.mu.Lock()
	defer a.mu.Unlock()
	a.identities[token] = webIdentity{subject, expires, roles}
	a.keep(token)
	return token
}

// jwt makes a JSON Web Token whose signature only the one who issued it knows.
func jwt(claims map[string]any) string {
	header, _ := json.Marshal(map[string]string{"alg": "RS256", "typ": "JWT"})
	payload, _ := json.Marshal(claims)
	var parts []string
	for _, part := range [][]byte{header, payload, random(256)} {
		parts = append(parts, base64.RawURLEncoding.EncodeToString(part))
	}
	return strings.Join(parts, ".")
}

// issuer is who says to have issued a JSON Web Token, "" if it is none.
func issuer(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct{ Iss string }
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return ""
	}
	return claims.Iss
}

type webIdentityResult struct {
	XMLName                                         xml.Name `xml:"AssumeRoleWithWebIdentityResult"`
	SubjectFromWebIdentityToken, Audience, Provider string
	AssumedRoleUser                                 assumedRoleUser
	Credentials                                     credentials
}

// assumeRoleWithWebIdentity checks the token before it tells anything of trust.
func (a *AWS) assumeRoleWithWebIdentity(req *request, _ *key) (any, *refusal) {
	if no := validate(req.params, roleARN, roleSessionName, webIdentityToken, providerID, integer("DurationSeconds", 900, 43200)); no != nil {
		return nil, no
	}
	r, duration, no := a.requested(req)
	if no != nil {
		return nil, no
	}
	w, no := a.webIdentity(req.params.Get("WebIdentityToken"))
	if no != nil {
		return nil, no
	}
	identity, exists := parseARN(r.ARN)
	if !exists || !slices.Contains(w.roles, r.ARN) || !req.at.within(identity.partition) {
		return nil, denied("Not authorized to perform sts:AssumeRoleWithWebIdentity")
	}
	if a.disabled[req.at.region] {
		return nil, regionOff(identity.account)
	}
	k := a.open(r, req.params.Get("RoleSessionName"), duration, false)
	return webIdentityResult{
		SubjectFromWebIdentityToken: w.subject, Audience: audience, Provider: provider,
		AssumedRoleUser: assumedRoleUser{k.userID, k.arn}, Credentials: k.credentials(),
	}, nil
}

// webIdentity finds out whom a token stands for.
func (a *AWS) webIdentity(token string) (webIdentity, *refusal) {
	w, known := a.identities[token]
	now := a.Now()
	switch from := issuer(token); {
	case from == "":
		return w, refuse(http.StatusBadRequest, "InvalidIdentityToken", "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	case from != provider:
		return w, refuse(http.StatusBadRequest, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for "+from)
	case !known:
		return w, refuse(http.StatusBadRequest, "InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements")
	case !now.Before(w.expires):
		return w, refuse(http.StatusBadRequest, "ExpiredTokenException", fmt.Sprintf("Token expired: current date/time %d must be before the expiration date/time %d", now.Unix(), w.expires.Unix()))
	}
	return w, nil
}
