package awstest

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// namespace of all answers of STS, and its only API version.
const (
	namespace  = "https://sts.amazonaws.com/doc/2011-06-15/"
	apiVersion = "2011-06-15"
)

// refusal is an error as STS tells it.
type refusal struct {
	status        int
	code, message string
}

func refuse(status int, code, message string) *refusal { return &refusal{status, code, message} }

func denied(message string) *refusal { return refuse(http.StatusForbidden, "AccessDenied", message) }

func invalid(message string) *refusal {
	return refuse(http.StatusBadRequest, "ValidationError", message)
}

func regionOff(account string) *refusal {
	return refuse(http.StatusForbidden, "RegionDisabledException", fmt.Sprintf("STS is not activated in this region for account:%s. Your account administrator can activate STS in this region using the IAM Console.", account))
}

func (r *refusal) reply() reply {
	type fault struct{ Type, Code, Message string }
	id := requestID()
	answer := xmlReply(r.status, id, "ErrorResponse", struct {
		Error     fault
		RequestId string
	}{fault{"Sender", r.code, r.message}, id})
	answer.code = r.code
	return answer
}

// sts answers the query protocol, by GET or POST.
func (a *AWS) sts(req *request) reply {
	operations := map[string]func(*request, *key) (any, *refusal){
		"AssumeRole":                a.assumeRole,
		"AssumeRoleWithWebIdentity": a.assumeRoleWithWebIdentity,
		"GetCallerIdentity":         a.callerIdentity,
		"GetSessionToken":           a.getSessionToken,
	}
	action := req.params.Get("Action")
	operation, version := operations[action], req.params.Get("Version")
	if operation == nil || version != apiVersion {
		message := fmt.Sprintf("Could not find operation %s for version %s", action, version)
		return refuse(http.StatusBadRequest, "InvalidAction", message).reply()
	}
	var caller *key
	if action != "AssumeRoleWithWebIdentity" { // which nobody signs: the token tells who it is
		var no *refusal
		if caller, no = a.authenticate(req); no != nil {
			return no.reply()
		}
	}
	result, no := operation(req, caller)
	if no != nil {
		return no.reply()
	}
	id := requestID()
	return xmlReply(http.StatusOK, id, action+"Response", struct {
		Result    any
		RequestID string `xml:"ResponseMetadata>RequestId"`
	}{result, id})
}

// xmlReply renders v as the element name of STS's namespace.
func xmlReply(status int, id, name string, v any) reply {
	var b bytes.Buffer
	e := xml.NewEncoder(&b)
	e.Indent("", "  ")
	if err := e.EncodeElement(v, xml.StartElement{Name: xml.Name{Space: namespace, Local: name}}); err != nil {
		panic(err) // v is one of ours
	}
	header := http.Header{"Content-Type": {"text/xml"}, "X-Amzn-Requestid": {id}}
	return reply{status: status, header: header, body: b.Bytes()}
}

type identityResult struct {
	XMLName              xml.Name `xml:"GetCallerIdentityResult"`
	Arn, UserId, Account string
}

type credentials struct{ AccessKeyId, SecretAccessKey, SessionToken, Expiration string }

type sessionTokenResult struct {
	XMLName     xml.Name `xml:"GetSessionTokenResult"`
	Credentials credentials
}

type assumedRoleUser struct{ AssumedRoleId, Arn string }

type assumeRoleResult struct {
	XMLName          xml.Name `xml:"AssumeRoleResult"`
	AssumedRoleUser  assumedRoleUser
	Credentials      credentials
	PackedPolicySize int `xml:",omitempty"` // percent of what fits
}

func (a *AWS) callerIdentity(_ *request, caller *key) (any, *refusal) {
	return identityResult{Arn: caller.arn, UserId: caller.userID, Account: caller.identity.account}, nil
}

func (a *AWS) getSessionToken(req *request, caller *key) (any, *refusal) {
	if caller.session() {
		return nil, denied("Cannot call GetSessionToken with session credentials")
	}
	if no := validate(req.params, serialNumber, tokenCode, integer("DurationSeconds", 900, 129600)); no != nil {
		return nil, no
	}
	mfa, no := a.mfa(req, caller)
	if no != nil {
		return nil, no
	}
	k := *caller
	k.mfa, k.expires = mfa, a.Now().Add(seconds(req, 12*time.Hour))
	return sessionTokenResult{Credentials: a.issue(k).credentials()}, nil
}

// assumeRole checks parameters, durations, the code and trust in this order:
// a wrong code tells nothing about trust, and a right one is spent whether or
// not the role trusts the caller.
func (a *AWS) assumeRole(req *request, caller *key) (any, *refusal) {
	if no := validate(req.params, roleARN, roleSessionName, externalID, serialNumber, tokenCode, integer("DurationSeconds", 900, 43200)); no != nil {
		return nil, no
	}
	r, duration, no := a.requested(req)
	if no != nil {
		return nil, no
	}
	if caller.session() && duration > time.Hour {
		return nil, invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	}
	mfa, no := a.mfa(req, caller)
	if no != nil {
		return nil, no
	}
	if !r.admits(caller, mfa || caller.mfa, req.params.Get("ExternalId")) {
		return nil, denied(fmt.Sprintf("User: %s is not authorized to perform: sts:AssumeRole on resource: %s", caller.arn, req.params.Get("RoleArn")))
	}
	k := a.open(r, req.params.Get("RoleSessionName"), duration, caller.session())
	result := assumeRoleResult{Credentials: k.credentials(), AssumedRoleUser: assumedRoleUser{k.userID, k.arn}}
	if policy := req.params.Get("Policy"); policy != "" {
		result.PackedPolicySize = 1 + len(policy)*100/2048
	}
	return result, nil
}

// requested finds the role to be assumed, which trusts nobody if there is
// none, and for how long; validate has seen the parameters.
func (a *AWS) requested(req *request) (role, time.Duration, *refusal) {
	arn := req.params.Get("RoleArn")
	if identity, ok := parseARN(arn); !ok || identity.kind != "role" {
		return role{}, 0, invalid(arn + " is invalid")
	}
	r, exists := a.roles[arn]
	duration := seconds(req, time.Hour)
	if exists && duration > r.MaxSessionDuration {
		return role{}, 0, invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return r, duration, nil
}

// mfa checks the code given with a call, and spends it; false without one.
func (a *AWS) mfa(req *request, caller *key) (bool, *refusal) {
	serial, code := req.params.Get("SerialNumber"), req.params.Get("TokenCode")
	if serial == "" && code == "" {
		return false, nil
	}
	if serial == "" || code == "" {
		return false, denied("MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.")
	}
	d := a.devices[serial]
	if d == nil || caller.user == nil || d.owner != caller.user.ARN {
		return false, denied("MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.")
	}
	if !d.accept(code, a.Now()) {
		req.call.CodeRefused = d.refused(code, a.Now())
		return false, denied("MultiFactorAuthentication failed with invalid MFA one time pass code. ")
	}
	return true, nil
}

// seconds is the duration asked for; validate has seen it.
func seconds(req *request, unasked time.Duration) time.Duration {
	n, err := strconv.Atoi(req.params.Get("DurationSeconds"))
	if err != nil {
		return unasked
	}
	return time.Duration(n) * time.Second
}

func (k *key) credentials() credentials {
	return credentials{k.id, k.secret, k.token, k.expires.UTC().Format("2006-01-02T15:04:05Z")}
}
