// Package profile knows what the user wrote: it reads the AWS config and
// credentials files as the AWS CLI reads them, and says what signing in to a
// profile takes and where each setting came from.
//
// It hides Python's configparser, which defines that reading: a file that the
// AWS CLI would refuse is refused with its line, none is read differently.
package profile

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
)

// An Environment looks up an environment variable, as os.LookupEnv does.
type Environment func(name string) (value string, ok bool)

// A Value is a setting and where it came from.
type Value struct {
	Text string
	Set  bool // false: not there at all, which is not the same as empty
	From Origin
}

// An Origin is a line of a file or an environment variable.
type Origin struct {
	File string
	Line int // from 1; 0: the whole file
	Env  string
}

func (o Origin) String() string {
	switch {
	case o.Env != "":
		return "environment variable " + o.Env
	case o.File != "" && o.Line == 0:
		return o.File
	case o.File != "":
		return fmt.Sprintf("%s:%d", o.File, o.Line)
	}
	return "default"
}

// A Set is all that the two AWS files and the environment say.
type Set struct {
	env         Environment
	config      *file
	credentials *file
	odd         map[string]int // profiles that other sections than [profile NAME] of the config file define
	byCurrent   atomic.Bool

	// While a Survey lasts:
	looked  func(name string)   // told of every profile that is looked at on the way to a login
	sources map[string]*Profile // those
}

// Load reads and indexes both files: AWS_CONFIG_FILE and
// AWS_SHARED_CREDENTIALS_FILE, or ~/.aws/config and ~/.aws/credentials. A
// missing file is an empty one. Errors are *SyntaxError or *fs.PathError.
func Load(env Environment) (*Set, error) {
	s := &Set{env: env}
	if err := checkHome(env); err != nil {
		return nil, err
	}
	var err error
	config, credentials := Files(env)
	if s.config, err = open(config); err != nil {
		return nil, err
	}
	if s.credentials, err = open(credentials); err != nil {
		return nil, err
	}
	s.odd = s.config.oddProfiles()
	return s, nil
}

// Files are the paths of the two files, there or not; "" for no file.
func Files(env Environment) (config, credentials string) {
	s := &Set{env: env}
	return s.path("AWS_CONFIG_FILE", "config"), s.path("AWS_SHARED_CREDENTIALS_FILE", "credentials")
}

// checkHome makes sure that nothing is read from, or left in, whatever directory
// one happens to be in.
func checkHome(env Environment) error {
	home := Home(env)
	switch {
	case home == "":
		return errors.New("there is no home directory: " + homeVariable() + " is not set, or empty")
	case !filepath.IsAbs(home):
		return fmt.Errorf("there is no home directory: %s is %q, which is not a whole path", homeVariable(), home)
	}
	return nil
}

// plainName is NAME of a section [profile NAME], if it is written in no other
// way than that.
func plainName(section string) (name string, ok bool) {
	name, ok = strings.CutPrefix(section, "profile ")
	return name, ok && isWord(name)
}

// isWord tells whether s is a word that needs no quotes.
func isWord(s string) bool {
	for i := range len(s) {
		switch s[i] {
		case ' ', '\t', '\r', '\n', '\'', '"', '\\':
			return false
		}
	}
	return s != ""
}

// oddProfiles are the profiles of the config file that sections with any other
// name than [profile NAME] define.
func (f *file) oddProfiles() map[string]int {
	odd := map[string]int{}
	for i := range f.marks {
		section := f.name(i)
		if _, ok := plainName(section); ok {
			continue
		}
		if name, ok := profileName(section); ok {
			odd[name] = i // the last one wins, without a merge
		}
	}
	for name, i := range odd {
		odd[name] = max(i, f.plainProfile(name))
	}
	return odd
}

// plainProfile is the section [profile NAME], written in that way; -1 without
// one.
func (f *file) plainProfile(name string) int {
	if !isWord(name) {
		return -1
	}
	return f.find("profile " + name)
}

// section is that of the config file which defines the profile; -1 without one.
func (s *Set) section(name string) int {
	if i, ok := s.odd[name]; ok {
		return i
	}
	return s.config.plainProfile(name)
}

// path is a file's place: what the variable says, with $VAR and ~ expanded as
// the AWS CLI does, or the name in ~/.aws. A variable that is set but empty
// means no file, as for the AWS CLI.
func (s *Set) path(variable, name string) string {
	path, ok := s.env(variable)
	if !ok {
		return filepath.Join(Home(s.env), ".aws", name)
	}
	if !strings.ContainsAny(path, "$%~") {
		return path
	}
	return expand(runtime.GOOS, path, s.env)
}

// profileName is the profile that a section of the config file defines: two
// words of which the first starts with "profile", or [default].
func profileName(section string) (string, bool) {
	if section == "default" {
		return section, true
	}
	return secondWord(section, "profile")
}

// secondWord is x of a section [prefix x]. The AWS CLI looks only at how the
// name starts, and takes no section with more or fewer words.
func secondWord(section, prefix string) (string, bool) {
	if !strings.HasPrefix(section, prefix) {
		return "", false
	}
	if name, ok := strings.CutPrefix(section, prefix+" "); ok && isWord(name) {
		return name, true
	}
	parts, err := words(section)
	if err != nil || len(parts) != 2 {
		return "", false
	}
	return parts[1], true
}

// Names are the profiles of both files, sorted.
func (s *Set) Names() []string {
	names := make([]string, 0, len(s.config.marks)+len(s.credentials.marks))
	for name := range s.all() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// all are the profiles of both files, in no order; with the section, if one of
// the config file that has a plain name is all there is of the profile, else -1.
func (s *Set) all() iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		for i := range s.config.marks {
			name, ok := plainName(s.config.name(i))
			if !ok {
				continue
			}
			if _, odd := s.odd[name]; odd {
				continue
			}
			section := i
			if s.credentials.find(name) >= 0 {
				section = -1
			}
			if !yield(name, section) {
				return
			}
		}
		for name := range s.odd {
			if !yield(name, -1) {
				return
			}
		}
		for i := range s.credentials.marks {
			name := s.credentials.name(i)
			if name != defaultSection && s.section(name) < 0 && !yield(name, -1) {
				return
			}
		}
	}
}

// Has tells whether a profile of that name is in either file.
func (s *Set) Has(name string) bool {
	return s.section(name) >= 0 || name != defaultSection && s.credentials.find(name) >= 0
}

// Current is the profile in force when none is named: AWS_PROFILE, then
// AWS_DEFAULT_PROFILE (the order of the AWS CLI v2), then "default".
func (s *Set) Current() Value {
	for _, variable := range []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE"} {
		if v := s.environment(variable); v.Set {
			return v
		}
	}
	return Value{Text: "default"}
}

func (s *Set) environment(variable string) Value {
	text, ok := s.env(variable)
	return Value{Text: text, Set: ok, From: Origin{Env: variable}}
}

// ByCurrent tells whether anything that was asked of the set hung on which
// profile is in force, though it was asked by name.
func (s *Set) ByCurrent() bool { return s.byCurrent.Load() }

// A Profile is the settings under one name in both files.
type Profile struct {
	Name string

	set         *Set
	config      map[string]Value
	credentials map[string]Value
}

// Profile returns the profile of that name. The error is an
// *UnknownProfileError or *SyntaxError.
func (s *Set) Profile(name string) (*Profile, error) {
	if s.looked != nil {
		s.looked(name)
		if p := s.sources[name]; p != nil {
			return p, nil
		}
	}
	if !s.Has(name) {
		e := &UnknownProfileError{Name: name, Near: func() []string { return near(name, s.Names()) }, Files: []string{s.config.path, s.credentials.path}, Lost: s.lost()}
		if current := s.Current(); current.Text == name {
			e.From = current.From
		}
		return nil, e
	}
	p := &Profile{Name: name, set: s}
	var err error
	if section := s.section(name); section >= 0 {
		if p.config, err = s.config.values(s.config.name(section)); err != nil {
			return nil, err
		}
	}
	if name != defaultSection {
		p.credentials, err = s.credentials.values(name)
	}
	if s.looked != nil && err == nil {
		s.sources[name] = p
	}
	return p, err
}

// Value is the setting with that (lower-case) key. The credentials file wins
// over the config file, as for the AWS CLI.
func (p *Profile) Value(key string) Value {
	if v, ok := p.credentials[key]; ok {
		return v
	}
	return p.config[key]
}

// An UnknownProfileError names a profile that neither file has.
type UnknownProfileError struct {
	Name  string
	Near  func() []string // names that are close, the closest first; nil for none
	Files []string        // that were read
	From  Origin          // of the setting that names it, if one does
	Lost  string          // what is missing of the files, "" for nothing
}

func (e *UnknownProfileError) Error() string {
	text := fmt.Sprintf("unknown profile %q", e.Name)
	if e.From != (Origin{}) {
		text += " (named by " + e.From.String() + ")"
	}
	return text + because(e.Lost)
}

// lost tells of a file that is a symbolic link to nothing, where to the AWS CLI
// there is none but the user may see one, and of both if they are not there.
func (s *Set) lost() string {
	var missing []string
	for _, path := range []string{s.config.path, s.credentials.path} {
		if _, err := os.Stat(path); err == nil || path == "" {
			continue
		}
		if _, err := os.Lstat(path); err == nil {
			return path + " is a symbolic link that leads nowhere"
		}
		missing = append(missing, "no "+path)
	}
	if len(missing) < 2 {
		return ""
	}
	return "there is " + strings.Join(missing, ", and ")
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

// ConfigFile is the path of the config file, "" for none.
func (s *Set) ConfigFile() string { return s.config.path }

// CredentialsFile is the path of the credentials file, "" for none.
func (s *Set) CredentialsFile() string { return s.credentials.path }

// Values are the settings in a section of an AWS file with that text, none
// without one. The path only names the file in errors, which are *SyntaxError.
func Values(path string, data []byte, section string) (map[string]Value, error) {
	f := newFile(path, string(data))
	if err := f.scan(); err != nil || f.find(section) < 0 {
		return nil, err
	}
	return f.values(section)
}
