package cache

import (
	"crypto/sha1"
	"encoding/hex"
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
}

// Token returns the token of an sso_session, or of an sso_start_url where a
// profile has none. The error is fs.ErrNotExist when there is none, a
// *BrokenError when it cannot be used, else of the system.
func (t Tokens) Token(of string) (Token, error) {
	path := filepath.Join(string(t), sha1Hex(of)+".json")
	data, err := read(path)
	if err != nil {
		return Token{}, err
	}
	var file struct{ AccessToken, ExpiresAt string }
	if err := parseObject(data, &file); err != nil {
		return Token{}, &BrokenError{path, err.Error()}
	}
	end, err := parseExpiration(file.ExpiresAt)
	if err == nil && file.AccessToken == "" {
		err = errors.New("no accessToken")
	}
	if err != nil {
		return Token{}, &BrokenError{path, err.Error()}
	}
	return Token{file.AccessToken, end}, nil
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
