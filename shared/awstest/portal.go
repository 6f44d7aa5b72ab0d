package awstest

import (
	"encoding/base64"
	"net/http"
	"regexp"
	"slices"
	"time"
)

// portalPath is where the portal of IAM Identity Center has GetRoleCredentials.
const portalPath = "/federation/credentials"

// portalUser is the name of all sessions that the portal opens.
const portalUser = "user"

// access is what an access token of IAM Identity Center opens.
type access struct {
	expires time.Time
	roles   []string
}

// reservedRole is the name of a role that IAM Identity Center made of a permission set.
var reservedRole = regexp.MustCompile(`^AWSReservedSSO_(.+)_[0-9a-f]{16}$`)

// AddAccessToken makes IAM Identity Center issue an access token for a user
// who is assigned those roles, which are created if they are not there. The
// portal knows arn:aws:iam::ACCOUNT:role/…/AWSReservedSSO_NAME_0123456789abcdef
// as NAME, and a role with any other name by that. Its sessions last as long
// as the role lets them.
func (a *AWS) AddAccessToken(expires time.Time, roles ...string) (token string) {
	for _, arn := range roles {
		a.addServiceRole(arn)
	}
	token = base64.StdEncoding.EncodeToString(random(298))
	a.mu.Lock()
	defer a.mu.Unlock()
	a.accesses[token] = &access{expires, roles}
	a.keep(token)
	return token
}

// getRoleCredentials opens a session of a role for the user of an access token.
func (a *AWS) getRoleCredentials(req *request) reply {
	account, name := req.params.Get("account_id"), req.params.Get("role_name")
	if req.Method != http.MethodGet || account == "" || name == "" {
		return portalRefusal(http.StatusBadRequest, "InvalidRequestException", "Invalid request")
	}
	granted := a.accesses[req.Header.Get("X-Amz-Sso_bearer_token")]
	if granted == nil || !a.Now().Before(granted.expires) {
		return portalRefusal(http.StatusUnauthorized, "UnauthorizedException", "Session token not found or invalid")
	}
	i := slices.IndexFunc(granted.roles, func(role string) bool {
		identity, _ := parseARN(role)
		return identity.account == account && permissionSet(identity.name) == name && req.at.within(identity.partition)
	})
	if i < 0 {
		return portalRefusal(http.StatusForbidden, "ForbiddenException", "No access")
	}
	r := a.roles[granted.roles[i]]
	req.call.RoleARN = r.ARN
	k := a.open(r, portalUser, r.MaxSessionDuration, false)
	return jsonReply(http.StatusOK, map[string]any{"roleCredentials": map[string]any{
		"accessKeyId":     k.id,
		"secretAccessKey": k.secret,
		"sessionToken":    k.token,
		"expiration":      k.expires.Unix() * 1000,
	}})
}

// permissionSet is the name by which the portal knows a role.
func permissionSet(role string) string {
	if m := reservedRole.FindStringSubmatch(role); m != nil {
		return m[1]
	}
	return role
}

// portalRefusal is an error as the portal tells it.
func portalRefusal(status int, code, message string) reply {
	answer := jsonReply(status, map[string]string{"__type": code, "message": message})
	answer.header["X-Amzn-Errortype"] = []string{code}
	answer.header["X-Amzn-Requestid"] = []string{requestID()}
	answer.code = code
	return answer
}
