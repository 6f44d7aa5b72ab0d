package awstest_test

import (
	"encoding/base32"
	"encoding/binary"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"aws-mfa/shared/awstest"
)

// AWS's messages to the letter, trailing and double spaces included.
const (
	wrongCode    = "MultiFactorAuthentication failed with invalid MFA one time pass code. "
	wrongDevice  = "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user."
	onlyOne      = "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."
	untrusted    = "User: " + janeARN + " is not authorized to perform: sts:AssumeRole on resource: "
	tooLong      = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
	chainTooLong = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
)

func TestARoleIsAssumedWithACode(t *testing.T) {
	w := start(t)
	out, err := w.asJane().AssumeRole(t.Context(), w.request())
	if err != nil {
		t.Fatal(err)
	}
	const arn = "arn:aws:sts::123456789012:assumed-role/PowerUserRole/jane"
	if got := *out.AssumedRoleUser.Arn; got != arn {
		t.Errorf("got %s, want %s", got, arn)
	}
	if got := *out.AssumedRoleUser.AssumedRoleId; !regexp.MustCompile(`^AROA[A-Z2-7]{17}:jane$`).MatchString(got) {
		t.Errorf("got AssumedRoleId %s", got)
	}
	if left := out.Credentials.Expiration.Sub(w.Now()); left < 59*time.Minute || left > time.Hour {
		t.Errorf("got %v, want 1h", left)
	}
	if n := len(*out.Credentials.SessionToken); n != 400 {
		t.Errorf("got a token of %d characters, want 400", n)
	}
	if got, err := identify(t, w.as(out.Credentials)); err != nil || got != arn {
		t.Errorf("got %s, %v, want %s", got, err, arn)
	}
	if got, err := identify(t, w.asJane()); err != nil || got != janeARN {
		t.Errorf("got %s, %v, want %s", got, err, janeARN)
	}
}

func TestAccessKeyIDsTellTheAccount(t *testing.T) {
	w := start(t)
	for _, id := range []string{w.jane.AccessKeyID, *w.session(w.asJane()).AccessKeyId, w.AddUser("arn:aws:iam::300000000000:user/x").AccessKeyID} {
		b, err := base32.StdEncoding.DecodeString(id[4:])
		if err != nil || len(id) != 20 || strings.ContainsRune("IJ", rune(id[4])) {
			t.Fatalf("%s: %v", id, err)
		}
		account := binary.BigEndian.Uint64(append([]byte{0, 0}, b[:6]...)) & 0x7fffffffff80 >> 7
		if account != 123456789012 && account != 300000000000 {
			t.Errorf("%s: got account %d", id, account)
		}
	}
}

func TestACodeIsAcceptedOnceAndOneStepEitherSide(t *testing.T) {
	w := start(t)
	first := w.request()
	w.session(w.asJane())
	_, err := w.asJane().AssumeRole(t.Context(), first)
	w.wantCodeRefused(err, awstest.CodeUsed)

	w.session(w.asJane()) // the next step's
	if _, err := w.Code(w.jane.Device.SerialNumber); err == nil {
		t.Error("a third code inside one step")
	}
	w.Shift(step)
	late := w.request() // the next step's again
	w.Shift(3 * step)
	_, err = w.asJane().AssumeRole(t.Context(), late)
	w.wantCodeRefused(err, awstest.CodeLate)
	w.Shift(-step)
	if _, err = w.asJane().AssumeRole(t.Context(), late); err != nil {
		t.Errorf("one step late: %v", err)
	}
}

// wantCodeRefused wants AWS to refuse the code, and to log why.
func (w world) wantCodeRefused(err error, why string) {
	w.t.Helper()
	wantRefusal(w.t, err, "AccessDenied", wrongCode)
	calls := w.Calls()
	if got := calls[len(calls)-1].CodeRefused; got != why {
		w.t.Errorf("the code was refused as %q, want %q", got, why)
	}
}

func TestAWrongCodeTellsNothingAboutTrustAndSpendsNothing(t *testing.T) {
	w := start(t)
	const closed = "arn:aws:iam::123456789012:role/ClosedRole"
	w.AddRole(awstest.Role{ARN: closed})
	in := w.request(role(closed))
	right := *in.TokenCode
	wrong := "000000"
	if right == wrong {
		wrong = "000001"
	}
	in.TokenCode = &wrong
	_, err := w.asJane().AssumeRole(t.Context(), in)
	w.wantCodeRefused(err, "")

	in.TokenCode = &right
	_, err = w.asJane().AssumeRole(t.Context(), in)
	wantRefusal(t, err, "AccessDenied", untrusted+closed)

	_, err = w.asJane().AssumeRole(t.Context(), in) // spent, although of no use
	wantRefusal(t, err, "AccessDenied", wrongCode)
}

func TestAssumeRoleIsRefused(t *testing.T) {
	const (
		partner = "arn:aws:iam::210987654321:role/Partner"
		missing = "arn:aws:iam::123456789012:role/Missing"
	)
	w := start(t)
	john := w.AddUser("arn:aws:iam::123456789012:user/john")
	w.AddRole(awstest.Role{ARN: partner, Trusts: []string{janeARN}, ExternalID: "secret-id"})

	tests := []struct {
		name, code, message string
		edits               []func(*sts.AssumeRoleInput)
	}{
		{"no MFA", "AccessDenied", untrusted + powerARN, []func(*sts.AssumeRoleInput){withoutMFA}},
		{"no such role", "AccessDenied", untrusted + missing, []func(*sts.AssumeRoleInput){withoutMFA, role(missing)}},
		{"no external id", "AccessDenied", untrusted + partner, []func(*sts.AssumeRoleInput){withoutMFA, role(partner)}},
		{"wrong external id", "AccessDenied", untrusted + partner, []func(*sts.AssumeRoleInput){withoutMFA, role(partner), func(in *sts.AssumeRoleInput) { in.ExternalId = aws.String("other") }}},
		{"other user's device", "AccessDenied", wrongDevice, []func(*sts.AssumeRoleInput){func(in *sts.AssumeRoleInput) { in.SerialNumber = &john.Device.SerialNumber }}},
		{"user ARN as serial", "AccessDenied", wrongDevice, []func(*sts.AssumeRoleInput){func(in *sts.AssumeRoleInput) { in.SerialNumber = aws.String(janeARN) }}},
		{"serial only", "AccessDenied", onlyOne, []func(*sts.AssumeRoleInput){func(in *sts.AssumeRoleInput) { in.TokenCode = nil }}},
		{"code only", "AccessDenied", onlyOne, []func(*sts.AssumeRoleInput){func(in *sts.AssumeRoleInput) { in.SerialNumber = nil }}},
		{"longer than the role allows", "ValidationError", tooLong, []func(*sts.AssumeRoleInput){lasting(2 * time.Hour)}},
		{"shorter than any", "ValidationError", "1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900", []func(*sts.AssumeRoleInput){lasting(899 * time.Second)}},
		{"longer than any", "ValidationError", "1 validation error detected: Value '43201' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200", []func(*sts.AssumeRoleInput){lasting(43201 * time.Second)}},
		{"short code", "ValidationError", "1 validation error detected: Value '12345' at 'tokenCode' failed to satisfy constraint: Member must have length greater than or equal to 6", []func(*sts.AssumeRoleInput){func(in *sts.AssumeRoleInput) { in.TokenCode = aws.String("12345") }}},
		{"letters for a code", "ValidationError", `1 validation error detected: Value 'abcdef' at 'tokenCode' failed to satisfy constraint: Member must satisfy regular expression pattern: [\d]*`, []func(*sts.AssumeRoleInput){func(in *sts.AssumeRoleInput) { in.TokenCode = aws.String("abcdef") }}},
		{"bad session name", "ValidationError", `1 validation error detected: Value 'jane doe' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*`, []func(*sts.AssumeRoleInput){func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("jane doe") }}},
		{"not a role", "ValidationError", "arn:aws:iam::123456789012:user/jane is invalid", []func(*sts.AssumeRoleInput){role("arn:aws:iam::123456789012:user/jane")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := w.asJane().AssumeRole(t.Context(), w.request(tt.edits...))
			wantRefusal(t, err, tt.code, tt.message)
		})
	}
	in := w.request(withoutMFA, role(partner))
	in.ExternalId = aws.String("secret-id")
	if _, err := w.asJane().AssumeRole(t.Context(), in); err != nil {
		t.Errorf("right external id: %v", err)
	}
	w.session(w.asJane()) // the code of all those refusals is still good
}

func TestAnAccountRootMeansItsUsersAndRoles(t *testing.T) {
	w := start(t)
	const shared = "arn:aws:iam::210987654321:role/Shared"
	w.AddRole(awstest.Role{ARN: shared, Trusts: []string{"arn:aws:iam::123456789012:root"}})
	w.session(w.asJane(), withoutMFA, role(shared))
	w.session(w.as(w.session(w.asJane())), withoutMFA, role(shared))
}

func TestAChainedSessionLastsAnHourAtMost(t *testing.T) {
	w := start(t)
	const next = "arn:aws:iam::123456789012:role/Next"
	w.AddRole(awstest.Role{ARN: next, Trusts: []string{powerARN, janeARN}, MaxSessionDuration: 12 * time.Hour})
	hop := w.as(w.session(w.asJane()))
	w.session(hop, withoutMFA, role(next), lasting(time.Hour))
	_, err := hop.AssumeRole(t.Context(), w.request(withoutMFA, role(next), lasting(2*time.Hour)))
	wantRefusal(t, err, "ValidationError", chainTooLong)

	mfa := w.as(w.mfaSession(12 * time.Hour))
	_, err = mfa.AssumeRole(t.Context(), w.request(withoutMFA, role(next), lasting(2*time.Hour)))
	wantRefusal(t, err, "ValidationError", chainTooLong)
	w.session(w.asJane(), withoutMFA, role(next), lasting(12*time.Hour))
}

func TestAnMFASessionCarriesItsMFA(t *testing.T) {
	w := start(t)
	c := w.as(w.mfaSession(36 * time.Hour))
	w.session(c, withoutMFA)
	if got, err := identify(t, c); err != nil || got != janeARN {
		t.Errorf("got %s, %v, want %s", got, err, janeARN)
	}
	_, err := c.GetSessionToken(t.Context(), nil)
	wantRefusal(t, err, "AccessDenied", "Cannot call GetSessionToken with session credentials")

	plain, err := w.asJane().GetSessionToken(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if left := plain.Credentials.Expiration.Sub(w.Now()); left < 12*time.Hour-time.Minute || left > 12*time.Hour {
		t.Errorf("got %v, want 12h", left)
	}
	_, err = w.as(plain.Credentials).AssumeRole(t.Context(), w.request(withoutMFA))
	wantRefusal(t, err, "AccessDenied", untrusted+powerARN)
}

func TestSessionsExpire(t *testing.T) {
	const expired = "The security token included in the request is expired"
	w := start(t)
	c := w.as(w.session(w.asJane(), lasting(15*time.Minute)))
	w.Shift(14 * time.Minute) // the client's signatures stay inside AWS's window
	if _, err := identify(t, c); err != nil {
		t.Error(err)
	}
	c = w.as(w.session(w.asJane()))
	w.ExpireSessions()
	_, err := identify(t, c)
	wantRefusal(t, err, "ExpiredToken", expired)
	if _, err := identify(t, w.as(w.session(w.asJane()))); err != nil {
		t.Errorf("a session issued afterwards: %v", err)
	}
}

func TestARegionCanBeOff(t *testing.T) {
	w := start(t)
	w.DisableRegion("ap-east-1")
	there := func(o *sts.Options) { o.Region = "ap-east-1" }
	_, err := identify(t, w.asJane(there))
	wantRefusal(t, err, "RegionDisabledException", "STS is not activated in this region for account:123456789012. Your account administrator can activate STS in this region using the IAM Console.")
	if _, err := identify(t, w.asJane()); err != nil {
		t.Error(err)
	}
}

func TestAnUnknownActionIsInvalid(t *testing.T) {
	w := start(t)
	answer, err := http.PostForm(w.URL(), url.Values{"Action": {"DropTables"}, "Version": {"2011-06-15"}})
	if err != nil {
		t.Fatal(err)
	}
	body := read(t, answer)
	if answer.StatusCode != 400 || !strings.Contains(body, "<Code>InvalidAction</Code>") {
		t.Errorf("got %d %s", answer.StatusCode, body)
	}
	if !strings.Contains(body, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">`) || answer.Header.Get("x-amzn-requestid") == "" {
		t.Errorf("not in the form of STS: %s", body)
	}
}
