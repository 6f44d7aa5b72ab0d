package profile

import "fmt"

// A Kind is a way of getting credentials that a profile may ask for.
type Kind int

const (
	NoCredentials  Kind = iota
	StaticKeys          // aws_access_key_id
	AssumeRole          // role_arn with source_profile or credential_source
	IdentityCenter      // sso_account_id and sso_role_name, with sso_session or sso_start_url
	ConsoleLogin        // login_session, of `aws login`
	WebIdentity         // web_identity_token_file
	Process             // credential_process
	MFASession          // mfa_serial and keys, without a role
)

func (k Kind) String() string {
	return [...]string{"no credentials", "access keys", "a role", "IAM Identity Center", "aws login", "web identity", "credential_process", "an MFA session"}[k]
}

// Kind is how the profile gets its credentials, by the AWS CLI's order of
// precedence for a named profile.
func (p *Profile) Kind() Kind {
	if p.Value("role_arn").Set && !p.Value("web_identity_token_file").Set {
		return AssumeRole
	}
	return p.keysKind()
}

// keysKind is how the profile gets keys by other means than a role with a
// source: that is how the AWS CLI takes the keys of a source profile.
func (p *Profile) keysKind() Kind {
	has := func(key string) bool { return p.Value(key).Set }
	static := StaticKeys
	if has("mfa_serial") {
		static = MFASession
	}
	_, inCredentials := p.credentials["aws_access_key_id"]
	switch {
	case has("role_arn") && has("web_identity_token_file"), p.Value("web_identity_token_file").Text != "":
		return WebIdentity
	case has("sso_account_id") || has("sso_role_name"):
		return IdentityCenter
	case inCredentials:
		return static
	case has("login_session"):
		return ConsoleLogin
	case has("credential_process"):
		return Process
	case has("aws_access_key_id"):
		return static
	case has("sso_session") || has("sso_start_url"): // not enough for the AWS CLI either
		return IdentityCenter
	}
	return NoCredentials
}

// An UnsupportedError is a profile that gets its credentials in a way that
// can't be used for what was asked.
type UnsupportedError struct {
	Profile string
	Kind    Kind
	Via     string          // the profile that names it as its source, if one does
	Roles   func() []string // some profiles that have a role; nil for none
}

func (e *UnsupportedError) Error() string {
	if e.Via != "" {
		return fmt.Sprintf("profile %q takes its keys from profile %q, which uses %s", e.Via, e.Profile, e.Kind)
	}
	return fmt.Sprintf("profile %q uses %s", e.Profile, e.Kind)
}
