package profile

import (
	"slices"
	"strings"
)

// A model is a profile with a login. The logins of profiles that are written
// alike, with the same lines in the config file but for the value of role_arn,
// and nothing in the credentials file, differ in their name, their role and the
// lines that their settings are on, and in nothing else: no other profiles but
// others were looked at on the way to it, and the new name is none of theirs.
type model struct {
	login  *Login
	prefix string   // of role_arn, up to the account
	others []string // the profiles that were looked at

	account string // of the role that was shown last
}

// Survey shows look the login of each profile that without any doubt assumes a
// role, and returns the names of the others, sorted, with those of which look says
// that it is not done with them. It takes a small part of the time that Profile
// and Login of each would take: what many profiles have in common is read and
// checked once.
//
// Of the login that is shown, the lines that settings are on may be those of a
// profile that is written alike. It is good until look returns, its Network for
// ever.
func (s *Set) Survey(look func(*Login) (done bool)) (rest []string) {
	models := map[string]*model{} // by the lines that profiles have in common
	s.sources = map[string]*Profile{}
	defer func() { s.sources = nil }()
	var last *model
	var like uint32 // which sections last is the model of, if it is any
	for name, section := range s.all() {
		if section >= 0 && (last == nil || like != s.config.marks[section].like) {
			last, like = s.model(models, name, section), s.config.marks[section].like
		}
		if section < 0 || last == nil || !last.shows(name, s.config.role(section)) || !look(last.login) {
			rest = append(rest, name)
		}
	}
	slices.Sort(rest)
	return rest
}

// role is the section's role_arn, "" if that is not plain to see.
func (f *file) role(i int) string { return f.data[f.marks[i].roleArn:f.marks[i].roleEnd] }

// model is that of the profile with that section; nil if it is a case of its
// own.
func (s *Set) model(models map[string]*model, name string, section int) *model {
	if checkRoleARN(s.config.role(section)) != nil {
		return nil
	}
	before, after := s.config.aroundRole(section)
	common := before + "\x00" + after
	m, seen := models[common]
	if m == nil {
		m = s.newModel(name)
		models[common] = nil // one that nobody else has is not kept
		if seen || m.login == nil {
			models[common] = m
		}
	}
	if m.login == nil {
		return nil
	}
	return m
}

// newModel makes a model of the profile; without a login if it cannot be one.
func (s *Set) newModel(name string) *model {
	m := &model{}
	p, err := s.Profile(name)
	if err != nil || p.Kind() != AssumeRole {
		return m
	}
	s.looked = func(name string) { m.others = append(m.others, name) }
	login, err := p.Login()
	s.looked = nil
	if err != nil || slices.Contains(m.others, name) {
		return m
	}
	m.login = login
	m.prefix = login.RoleARN.Text[:strings.Index(login.RoleARN.Text, "::")+len("::")]
	return m
}

// shows puts the name and the role into the login, if the role is one of the
// same partition.
func (m *model) shows(name, role string) bool {
	const account, kind = len("123456789012"), ":role/"
	rest, ok := strings.CutPrefix(role, m.prefix)
	if !ok || len(rest) <= account || rest[:account] != m.account && !isAccount(rest[:account]) || !strings.HasPrefix(rest[account:], kind) ||
		!plain(rest[account+len(":role/")-1:]) || slices.Contains(m.others, name) {
		return false
	}
	m.account = rest[:account]
	m.login.Profile, m.login.RoleARN.Text = name, role
	return true
}
