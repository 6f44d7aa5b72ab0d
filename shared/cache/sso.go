package cache

import (
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// Tokens is the directory of the access tokens that `aws sso login` got.
type Tokens string

// TokensIn returns the directory that the AWS CLI uses for the user with that
// home directory.
func TokensIn(home string) Tokens { return Tokens(filepath.Join(home, ".aws", "sso", "cache")) }

// A Token is what `aws sso login` got.
type Token struct {
	AccessToken string
	ExpiresAt   time.Time
	Renewable   bool   // the AWS CLI may get another one without asking
	StartURL    string // of Identity Center
	Of          string // what it was looked for by; "" if that is not known
	Path        string
}

// String keeps the secret out of everything that prints.
func (t Token) String() string   { return "token of " + t.StartURL }
func (t Token) GoString() string { return t.String() }

// Token returns the token of an sso_session, or of an sso_start_url where a
// profile has none. The error is fs.ErrNotExist when there is none, a
// *BrokenError when it cannot be used, else of the system.
func (t Tokens) Token(of string) (Token, error) {
	token, err := readToken(filepath.Join(string(t), sha1Hex(of)+".json"))
	token.Of = of
	return token, err
}

// All are the tokens of all sign-ins that can be read; names tells what they may
// be of, as for Token. The directory holds other files too.
func (t Tokens) All(names func() []string) (all []Token) {
	files, _ := filepath.Glob(filepath.Join(escape(string(t)), "*.json"))
	if len(files) == 0 {
		return nil
	}
	of := map[string]string{}
	for _, name := range names() {
		of[sha1Hex(name)+".json"] = name
	}
	for _, path := range files {
		if token, err := readToken(path); err == nil {
			token.Of = of[filepath.Base(path)]
			all = append(all, token)
		}
	}
	return all
}

func readToken(path string) (Token, error) {
	data, err := read(path)
	if err != nil {
		return Token{}, err
	}
	token, err := parseToken(data)
	if err != nil {
		return Token{}, &BrokenError{path, err.Error()}
	}
	token.Path = path
	return token, nil
}

func parseToken(data []byte) (Token, error) {
	var file map[string]json.RawMessage
	if err := parseObject(data, &file); err != nil {
		return Token{}, err
	}
	token := Token{AccessToken: text(file["accessToken"]), StartURL: text(file["startUrl"])}
	end, err := parseExpiration(text(file["expiresAt"]))
	switch {
	case err != nil:
		return Token{}, err
	case token.AccessToken == "":
		return Token{}, errors.New("no accessToken")
	}
	token.ExpiresAt = end
	// botocore, tokens.py: what it takes to renew a token
	registered, err := parseExpiration(text(file["registrationExpiresAt"]))
	token.Renewable = err == nil && registered.After(time.Now()) && text(file["refreshToken"]) != "" && text(file["clientId"]) != "" && text(file["clientSecret"]) != ""
	return token, nil
}

// SSOName is the name under which the AWS CLI v2 caches the session of a role
// of Identity Center: in the directory of roles' sessions, but with another key.
// of is as for Tokens.Token.
func SSOName(of string, isSession bool, account, role string) string {
	kind := "startUrl"
	if isSession {
		kind = "sessionName"
	}
	// Unlike the keys of AssumeRole, this one is written without spaces.
	return sha1Hex(fmt.Sprintf(`{"accountId":%s,"roleName":%s,"%s":%s}`, quote(account), quote(role), kind, quote(of)))
}

func sha1Hex(s string) string {
	sum := sha1.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}
