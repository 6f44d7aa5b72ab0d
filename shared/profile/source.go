package profile

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Source is where the keys come from that a session is opened with: one of
// Keys, Login, Process, Provider and SSO, or nothing with a TokenFile.
type Source struct {
	Profile  string  // "" for the environment and the machine
	Setting  Setting // source_profile or credential_source
	Keys     Keys
	Login    *Login  // the source is itself signed in to: a chain
	Process  Command // credential_process
	Provider string  // EcsContainer or Ec2InstanceMetadata
	SSO      *SSO
	MFA      *Login // the MFA session that Keys can open first, if they can
}

// The values of credential_source, besides Environment. Source:
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html
const (
	EcsContainer        = "EcsContainer"
	Ec2InstanceMetadata = "Ec2InstanceMetadata"
)

// Temporary tells a source that is a session from one of long-term keys, as
// far as that is known here.
func (s Source) Temporary() bool { return s.Keys.AccessKeyID == "" || s.Keys.Temporary() }

func (s Source) settings() []Setting {
	all := []Setting{
		s.Setting, {"credential_process", s.Process.shown()},
		{"aws_access_key_id", Value{Text: "(not shown)", Set: s.Keys.AccessKeyID != "", From: s.Keys.From}},
	}
	if s.SSO != nil {
		all = append(all, Setting{"sso_start_url", s.SSO.StartURL}, Setting{"sso_account_id", s.SSO.AccountID}, Setting{"sso_role_name", s.SSO.RoleName})
	}
	return all
}

// SSO is a role that IAM Identity Center gives, in the terms of the config
// file.
type SSO struct {
	Session   string // name of the section [sso-session]; "" where the profile has it all itself
	StartURL  Value
	Region    Value
	AccountID Value
	RoleName  Value
}

// Of is what the AWS CLI names the sign-in after: the sso_session, else the
// start URL.
func (s *SSO) Of() (name string, isSession bool) {
	if s.Session != "" {
		return s.Session, true
	}
	return s.StartURL.Text, false
}

// Keys are an access key: long-term, or with a session token.
type Keys struct {
	AccessKeyID, SecretAccessKey, SessionToken string
	Expiration                                 Value // where something wrote it down
	From                                       Origin
}

// String keeps the secret out of everything that prints.
func (k Keys) String() string   { return "access key from " + k.From.String() }
func (k Keys) GoString() string { return k.String() }

// Temporary tells keys of a session from long-term ones.
func (k Keys) Temporary() bool { return k.SessionToken != "" }

// source finds the keys for the profile, which is the last of the chain.
func (p *Profile) source(chain []string) (Source, error) {
	named, credentialSource := p.Value("source_profile"), p.Value("credential_source")
	switch {
	case named.Set && credentialSource.Set:
		return Source{}, &SettingError{Profile: p.Name, Key: "credential_source", From: credentialSource.From,
			Reason: "stands beside source_profile (" + named.From.String() + "); the AWS CLI takes one of them"}
	case credentialSource.Set:
		s, err := p.credentialSource(credentialSource)
		s.Setting = Setting{"credential_source", credentialSource}
		return s, err
	case !named.Set:
		return Source{}, &SettingError{Profile: p.Name, Key: "source_profile", Reason: "is not set, so there are no keys to assume the role with"}
	}
	s, err := p.sourceProfile(named, chain)
	s.Setting = Setting{"source_profile", named}
	return s, err
}

func (p *Profile) sourceProfile(named Value, chain []string) (Source, error) {
	if named.Text == p.Name && p.hasKeys() {
		return p.keysSource(p, chain)
	}
	next, err := p.next("source_profile", named.Text, named.From, chain)
	if err != nil {
		return Source{}, err
	}
	if next.Kind() == AssumeRole && !next.hasKeys() {
		role, err := next.role(chain)
		return Source{Profile: next.Name, Login: role}, err
	}
	return p.keysSource(next, chain)
}

// keysSource is a source profile by its own means, without a source in turn;
// half of an access key is an error of its own.
func (p *Profile) keysSource(holder *Profile, chain []string) (s Source, err error) {
	s.Profile = holder.Name
	switch kind := holder.keysKind(); {
	case kind == StaticKeys, kind == MFASession, kind == NoCredentials && holder.hasKeys():
		s.Keys, err = holder.Keys()
	case kind == WebIdentity:
		s.Login, err = holder.webIdentity()
	case kind == IdentityCenter:
		s.SSO, err = holder.SSO()
	case kind == Process:
		if name, from, ours := holder.ownProcess(); ours {
			s.Login, err = holder.handedOn(name, from, append(chain, holder.Name))
		} else {
			s.Process, err = holder.command("credential_process")
		}
	case kind == NoCredentials:
		err = &SettingError{Profile: p.Name, Key: "source_profile", From: p.Value("source_profile").From, Source: holder.Name,
			Reason: fmt.Sprintf("profile %q has no access keys", holder.Name) + because(p.set.lost())}
	default:
		err = &UnsupportedError{Profile: holder.Name, Kind: kind, Via: p.Name}
	}
	return s, err
}

// SSO reads what the profile says of Identity Center, with what its
// sso_session adds. The AWS CLI refuses a profile that contradicts that in any
// setting, and a session that does not stand on its own. Errors are
// *SettingError.
func (p *Profile) SSO() (*SSO, error) {
	named, value := p.Value("sso_session"), p.Value
	if named.Set {
		section, err := p.set.typed("sso-session", named.Text)
		if err != nil {
			return nil, &SettingError{Profile: p.Name, Key: "sso_session", From: named.From, Reason: err.Error()}
		}
		for _, key := range slices.Sorted(maps.Keys(section)) {
			if own := p.Value(key); own.Set && own.Text != section[key].Text {
				return nil, &SettingError{Profile: p.Name, Key: key, From: own.From, Reason: "is another than that of the sso_session (" + section[key].From.String() + ")"}
			}
		}
		for _, key := range []string{"sso_start_url", "sso_region"} {
			if !section[key].Set {
				return nil, &SettingError{Profile: p.Name, Key: "sso_session", From: named.From, Reason: "has no " + key}
			}
		}
		value = func(key string) Value {
			if v := section[key]; v.Set {
				return v
			}
			return p.Value(key)
		}
	}
	url, region, account, role := value("sso_start_url"), value("sso_region"), value("sso_account_id"), value("sso_role_name")
	for _, v := range []struct {
		Setting
		holds func(string) error
	}{
		{Setting{"sso_start_url", url}, checkNotEmpty}, {Setting{"sso_region", region}, checkSSORegion},
		{Setting{"sso_account_id", account}, checkAccount}, {Setting{"sso_role_name", role}, checkNotEmpty},
	} {
		err := errors.New("is missing")
		if v.Set {
			err = v.holds(v.Text)
		}
		if err != nil {
			return nil, &SettingError{Profile: p.Name, Key: v.Name, From: v.From, Reason: err.Error()}
		}
	}
	return &SSO{Session: named.Text, StartURL: url, Region: region, AccountID: account, RoleName: role}, nil
}

func checkSSORegion(s string) error {
	if s == "" {
		return checkNotEmpty(s)
	}
	return checkRegion(s)
}

func checkAccount(s string) error {
	if !isAccount(s) {
		return fmt.Errorf("%s is not an account (12 digits)", quote(s))
	}
	return nil
}

func (p *Profile) credentialSource(v Value) (Source, error) {
	switch v.Text {
	case EcsContainer, Ec2InstanceMetadata:
		return Source{Provider: v.Text}, nil
	case "Environment":
	default:
		return Source{}, &SettingError{Profile: p.Name, Key: "credential_source", From: v.From,
			Reason: quote(v.Text) + " is none of Environment, " + EcsContainer + " and " + Ec2InstanceMetadata}
	}
	keys, ok, err := p.set.EnvironmentKeys()
	if err == nil && !ok {
		err = &SettingError{Profile: p.Name, Key: "credential_source", From: v.From,
			Reason: "is Environment, but AWS_ACCESS_KEY_ID is not set"}
	}
	return Source{Keys: keys}, err
}

// EnvironmentKeys are the access key in AWS_ACCESS_KEY_ID and its companions;
// ok is false without one.
func (s *Set) EnvironmentKeys() (keys Keys, ok bool, err error) {
	id, secret, token := s.environment("AWS_ACCESS_KEY_ID"), s.environment("AWS_SECRET_ACCESS_KEY"), s.environment("AWS_SECURITY_TOKEN")
	if token.Text == "" { // the older name comes first, as for the AWS CLI
		token = s.environment("AWS_SESSION_TOKEN")
	}
	if id.Text == "" {
		return Keys{}, false, nil
	}
	if secret.Text == "" {
		return Keys{}, false, fmt.Errorf("AWS_ACCESS_KEY_ID is set in the environment but AWS_SECRET_ACCESS_KEY is not")
	}
	return Keys{AccessKeyID: id.Text, SecretAccessKey: secret.Text, SessionToken: token.Text,
		Expiration: s.environment("AWS_CREDENTIAL_EXPIRATION"), From: id.From}, true, nil
}

// hasKeys tells whether either half of an access key is there: the AWS CLI
// then looks no further.
func (p *Profile) hasKeys() bool {
	return p.Value("aws_access_key_id").Set || p.Value("aws_secret_access_key").Set
}

// Keys is the access key that the profile holds itself. Both halves must be
// in one file, as for the AWS CLI.
func (p *Profile) Keys() (Keys, error) {
	values := p.config
	if _, ok := p.credentials["aws_access_key_id"]; ok {
		values = p.credentials
	}
	id, secret := values["aws_access_key_id"], values["aws_secret_access_key"]
	for _, half := range []struct {
		key          string
		value, other Value
	}{{"aws_access_key_id", id, secret}, {"aws_secret_access_key", secret, id}} {
		switch {
		case !half.value.Set && half.other.Set:
			return Keys{}, &SettingError{Profile: p.Name, Key: half.key, Reason: "is missing beside the other half of the access key (" + half.other.From.String() + ")"}
		case !half.value.Set:
			return Keys{}, &SettingError{Profile: p.Name, Key: half.key, Reason: "is missing"}
		case half.value.Text == "" || strings.ContainsAny(half.value.Text, " \t\n"):
			return Keys{}, &SettingError{Profile: p.Name, Key: half.key, From: half.value.From, Reason: "is empty or has spaces in it"}
		}
	}
	key := "aws_security_token" // first, as for the AWS CLI
	if !values[key].Set {
		key = "aws_session_token"
	}
	token := values[key]
	if strings.ContainsAny(token.Text, " \t\n") {
		return Keys{}, &SettingError{Profile: p.Name, Key: key, From: token.From, Reason: "has spaces in it"}
	}
	return Keys{AccessKeyID: id.Text, SecretAccessKey: secret.Text, SessionToken: token.Text,
		Expiration: values["expiration"], From: id.From}, nil
}

// keyAccount is the account that the source's keys belong to, or "".
func (p *Profile) keyAccount(s Source) string {
	if s.Keys.AccessKeyID == "" {
		return "" // an MFA device belongs to a user: AWS decides
	}
	if s.Profile != "" {
		if holder, err := p.set.Profile(s.Profile); err == nil && isAccount(holder.Value("aws_account_id").Text) {
			return holder.Value("aws_account_id").Text
		}
	}
	return accountOf(s.Keys.AccessKeyID)
}
