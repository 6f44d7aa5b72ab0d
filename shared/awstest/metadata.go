package awstest

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"time"
)

// Where the loopback listener has the metadata service of an instance, at the
// root as some clients drop what an endpoint has of a path, and of a container.
const (
	instanceTokenPath = "/latest/api/token"
	instanceRolePath  = "/latest/meta-data/iam/security-credentials/"
	containerPath     = "/container-credentials"
)

// Who holds the sessions that the metadata services hand out, and how long.
const (
	instanceID      = "i-0123456789abcdef0"
	taskID          = "0123456789abcdef0123456789abcdef"
	metadataSession = 6 * time.Hour
)

const instanceTokenHeader = "X-Aws-Ec2-Metadata-Token"

// instance is a machine that has a role, or none.
type instance struct {
	role   string
	tokens map[string]time.Time // and when they expire
}

// container is a task that has a role, or none.
type container struct{ role, authorization string }

// SetInstanceRole gives an instance a role, which is created if it is not
// there. Clients ask for it, with IMDSv2 only, at InstanceURL.
func (a *AWS) SetInstanceRole(arn string) {
	a.addServiceRole(arn)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.instance.role = arn
}

// SetContainerRole gives a container a role, which is created if it is not
// there. Clients ask for it at ContainerURL, with this Authorization header
// unless it is "".
func (a *AWS) SetContainerRole(arn, authorization string) {
	a.addServiceRole(arn)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.container = container{arn, authorization}
	if authorization != "" {
		a.keep(authorization)
	}
}

// InstanceURL is the AWS_EC2_METADATA_SERVICE_ENDPOINT of the instance. AWS CLI
// 2.9 adds no slash to it.
func (a *AWS) InstanceURL() string { return a.URL() + "/" }

// ContainerURL is the AWS_CONTAINER_CREDENTIALS_FULL_URI of the container.
func (a *AWS) ContainerURL() string { return a.URL() + containerPath }

// instanceToken issues the token without which the instance is told nothing.
func (a *AWS) instanceToken(req *request) reply {
	ttl := req.Header.Get(instanceTokenHeader + "-Ttl-Seconds")
	seconds, err := strconv.Atoi(ttl)
	switch {
	case req.Method != http.MethodPut:
		return text(http.StatusMethodNotAllowed, "Method Not Allowed")
	case req.Header.Get("X-Forwarded-For") != "":
		return text(http.StatusForbidden, "Forbidden")
	case err != nil || seconds < 1 || seconds > 21600:
		return text(http.StatusBadRequest, "Bad Request")
	}
	token := base64.URLEncoding.EncodeToString(random(40))
	a.instance.tokens[token] = a.Now().Add(time.Duration(seconds) * time.Second)
	a.keep(token)
	answer := text(http.StatusOK, token)
	answer.header[instanceTokenHeader+"-Ttl-Seconds"] = []string{ttl}
	return answer
}

// instanceRole tells the name of the instance's role.
func (a *AWS) instanceRole(req *request) reply {
	identity, ok := parseARN(a.instance.role)
	switch {
	case !a.fromInstance(req):
		return text(http.StatusUnauthorized, "Unauthorized")
	case !ok:
		return text(http.StatusNotFound, "Not Found")
	}
	return text(http.StatusOK, identity.name)
}

// instanceCredentials opens a session of the instance's role.
func (a *AWS) instanceCredentials(req *request) reply {
	identity, ok := parseARN(a.instance.role)
	switch {
	case !a.fromInstance(req):
		return text(http.StatusUnauthorized, "Unauthorized")
	case !ok || req.URL.Path != instanceRolePath+identity.name:
		return text(http.StatusNotFound, "Not Found")
	}
	req.call.RoleARN = a.instance.role
	c := a.open(a.roles[a.instance.role], instanceID, metadataSession, false).credentials()
	return jsonReply(http.StatusOK, map[string]string{
		"Code":            "Success",
		"LastUpdated":     a.Now().UTC().Format("2006-01-02T15:04:05Z"),
		"Type":            "AWS-HMAC",
		"AccessKeyId":     c.AccessKeyId,
		"SecretAccessKey": c.SecretAccessKey,
		"Token":           c.SessionToken,
		"Expiration":      c.Expiration,
	})
}

// fromInstance tells whether a request brings a token that is still good.
func (a *AWS) fromInstance(req *request) bool {
	return req.Method == http.MethodGet && a.Now().Before(a.instance.tokens[req.Header.Get(instanceTokenHeader)])
}

// containerCredentials opens a session of the container's role.
func (a *AWS) containerCredentials(req *request) reply {
	c := a.container
	switch {
	case c.role == "":
		return containerRefusal(http.StatusNotFound, "InvalidIdInRequest", "no credentials for this container")
	case req.Method != http.MethodGet || c.authorization != "" && !same(c.authorization, req.Header.Get("Authorization")):
		return containerRefusal(http.StatusForbidden, "AccessDeniedException", "Access denied")
	}
	req.call.RoleARN = c.role
	k := a.open(a.roles[c.role], taskID, metadataSession, false).credentials()
	return jsonReply(http.StatusOK, map[string]string{
		"RoleArn":         c.role,
		"AccessKeyId":     k.AccessKeyId,
		"SecretAccessKey": k.SecretAccessKey,
		"Token":           k.SessionToken,
		"Expiration":      k.Expiration,
	})
}

// containerRefusal is an error as the agent beside containers tells it.
func containerRefusal(status int, code, message string) reply {
	answer := jsonReply(status, map[string]string{"code": code, "message": message})
	answer.code = code
	return answer
}

// text is an answer of one line.
func text(status int, line string) reply {
	header := http.Header{"Content-Type": {"text/plain"}}
	return reply{status: status, header: header, body: []byte(line)}
}
