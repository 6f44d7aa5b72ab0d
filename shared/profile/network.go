package profile

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Network is how AWS is reached for a profile. Each setting is the one of the
// environment, else of the profile. Source:
// https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
type Network struct {
	Region      Value // may be unset
	STS         Value // base URL instead of AWS's, or unset
	Signin      Value // base URL instead of AWS's, or unset
	CABundle    Value // path of a PEM file, or unset
	FIPS        bool
	DualStack   bool
	LegacySTS   bool // sts_regional_endpoints = legacy
	MaxAttempts int  // of one request, the first included; 0: not set

	Settings []Setting // all of the above that somebody set, under the config file's names
}

// A Setting is a value with its name.
type Setting struct {
	Name string
	Value
}

// Network reads the network settings for p, or, with nil, those of the
// environment alone.
func (s *Set) Network(p *Profile) (Network, error) {
	r := settingsReader{set: s, profile: p}
	n := Network{
		Region:    r.read("region", checkRegion, "AWS_REGION", "AWS_DEFAULT_REGION"),
		STS:       r.endpoint("sts"),
		Signin:    r.endpoint("signin"),
		CABundle:  r.read("ca_bundle", nil, "AWS_CA_BUNDLE"),
		FIPS:      isTrue(r.read("use_fips_endpoint", nil, "AWS_USE_FIPS_ENDPOINT")),
		DualStack: isTrue(r.read("use_dualstack_endpoint", nil, "AWS_USE_DUALSTACK_ENDPOINT")),
		LegacySTS: r.read("sts_regional_endpoints", checkRegional, "AWS_STS_REGIONAL_ENDPOINTS").Text == "legacy",
	}
	n.MaxAttempts, _ = strconv.Atoi(r.read("max_attempts", checkAttempts, "AWS_MAX_ATTEMPTS").Text)
	for _, variable := range []string{"HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"} {
		if v := s.environment(variable); v.Text != "" {
			v.Text = "(not shown)" // it may hold a password
			r.used = append(r.used, Setting{strings.ToLower(variable), v})
		}
	}
	n.Settings = r.used
	return n, r.err
}

// EnvironmentNetwork is how AWS is reached with credentials from the
// environment: as for the current profile, if there is one.
func (s *Set) EnvironmentNetwork() (Network, error) {
	name := s.Current().Text
	if !s.Has(name) {
		return s.Network(nil)
	}
	p, err := s.Profile(name)
	if err != nil {
		return Network{}, err
	}
	return s.Network(p)
}

// A settingsReader reads settings one after the other and keeps the first error.
type settingsReader struct {
	set     *Set
	profile *Profile
	used    []Setting
	err     error
}

// read is the first of the environment variables that is set, else the
// profile's own setting. Empty is as good as unset.
func (r *settingsReader) read(key string, check func(string) error, variables ...string) Value {
	v := r.value(key)
	for i := len(variables) - 1; i >= 0; i-- {
		if e := r.set.environment(variables[i]); e.Text != "" {
			v = e
		}
	}
	return r.checked(key, v, check)
}

func (r *settingsReader) value(key string) Value {
	if r.profile == nil {
		return Value{}
	}
	return r.profile.Value(key)
}

func (r *settingsReader) checked(key string, v Value, check func(string) error) Value {
	if v.Text == "" {
		return Value{}
	}
	if check != nil {
		r.fail(key, v, check(v.Text))
	}
	r.used = append(r.used, Setting{key, v})
	return v
}

func (r *settingsReader) fail(key string, v Value, err error) {
	if err == nil || r.err != nil {
		return
	}
	name := ""
	if r.profile != nil {
		name = r.profile.Name
	}
	r.err = &SettingError{Profile: name, Key: key, From: v.From, Reason: err.Error()}
}

// endpoint is where a service is reached, in the AWS CLI's order:
// AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile's services
// section, its endpoint_url.
func (r *settingsReader) endpoint(service string) Value {
	if isTrue(r.read("ignore_configured_endpoint_urls", nil, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")) {
		return Value{}
	}
	v := r.value("endpoint_url")
	if named := r.value("services"); named.Set {
		own, err := r.set.service(named.Text, service)
		r.fail("services", named, err)
		if own.Set {
			v = own
		}
	}
	for _, variable := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_" + strings.ToUpper(service)} {
		if e := r.set.environment(variable); e.Text != "" {
			v = e
		}
	}
	return r.checked("endpoint_url ("+service+")", v, checkEndpoint)
}

// service is endpoint_url of a service in section [services name].
func (s *Set) service(name, service string) (Value, error) {
	values, err := s.typed("services", name)
	if err != nil || !values[service].Set {
		return Value{}, err
	}
	return values[service].nested("endpoint_url")
}

// SSOSessions are the names of the sso-session sections.
func (s *Set) SSOSessions() (names []string) {
	for i := range s.config.marks {
		if name, ok := secondWord(s.config.name(i), "sso-session"); ok {
			names = append(names, name)
		}
	}
	return names
}

// typed are the settings in the section [kind name] of the config file.
func (s *Set) typed(kind, name string) (map[string]Value, error) {
	found := ""
	for i := range s.config.marks {
		section := s.config.name(i)
		if n, ok := secondWord(section, kind); ok && n == name {
			found = section
		}
	}
	if found == "" {
		return nil, fmt.Errorf("there is no section [%s %s]", kind, printable(name))
	}
	return s.config.values(found)
}

// Exposed tells whether an endpoint is reached over a network without
// encryption.
func (v Value) Exposed() bool {
	u, err := url.Parse(v.Text)
	if !v.Set || err != nil || u.Scheme == "https" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
}

func isTrue(v Value) bool { return strings.EqualFold(v.Text, "true") }

// checkRegion keeps what is no host label out of host names.
func checkRegion(s string) error {
	if len(s) > 63 || strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return fmt.Errorf("%s is not a region%s", quote(s), notTheCLIs(s))
	}
	return nil
}

func checkEndpoint(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return errors.New("is not the base URL of a service (https://HOST[:PORT][/PATH])") // the text may hold a password
	}
	return nil
}

func checkRegional(s string) error {
	if s != "legacy" && s != "regional" {
		return fmt.Errorf("%s is neither legacy nor regional", quote(s))
	}
	return nil
}

func checkAttempts(s string) error {
	if n, err := strconv.Atoi(s); err != nil || n < 1 {
		return fmt.Errorf("%s is not a number of attempts", quote(s))
	}
	return nil
}
