package profile

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aws-mfa/shared/awstest"
)

// readByBotocore says how the AWS CLI reads each file, by the real botocore:
// its sections with all settings, and its profiles; or why it refuses it.
const readByBotocore = `
import base64, configparser, sys
from botocore.configloader import raw_config_parse, build_profile_map
path = sys.argv[1]
def read(data):
    with open(path, "wb") as f:
        f.write(base64.b64decode(data or ""))
    try:
        raw = raw_config_parse(path)
        plain = configparser.RawConfigParser()
        plain.read([path], encoding="utf-8")
        return {"sections": raw, "order": plain.sections(), "profiles": build_profile_map(raw)["profiles"],
                "own": {name: list(plain._sections[name].items()) for name in plain.sections()}, "inherited": plain.defaults()}
    except Exception as e:
        return {"error": "%s: %s" % (type(e).__name__, e)}
def answer(question):
    return [read(data) for data in question]
`

// A reading is how botocore reads a file.
type reading struct {
	Error     string
	Sections  map[string]map[string]any // with what they inherit
	Profiles  map[string]map[string]any
	Own       map[string][][2]string // what each section says itself, in order
	Order     []string               // of the sections
	Inherited map[string]string
}

// botocoreReads starts an oracle; nil if this machine has none.
func botocoreReads(f *testing.F) func(t *testing.T, files ...[]byte) []reading {
	f.Helper()
	python, err := awstest.StartPython("botocore.configloader", readByBotocore, filepath.Join(f.TempDir(), "file"))
	switch {
	case errors.Is(err, awstest.ErrNoPython) && os.Getenv("CI") == "":
		f.Log(err)
		return nil
	case err != nil:
		f.Fatal(err)
	}
	f.Cleanup(func() { python.Close() })
	return func(t *testing.T, files ...[]byte) (all []reading) {
		if err := python.Ask(files, &all); err != nil {
			t.Fatal(err)
		}
		return all
	}
}

// someFiles are seeds: the files of which testdata/config-parse.json tells, and
// some by chance.
func someFiles(f *testing.F) (files []string) {
	var vectors struct {
		Cases []struct {
			File string `json:"file_latin1"`
		}
	}
	data, err := os.ReadFile("testdata/config-parse.json")
	if err := errors.Join(err, json.Unmarshal(data, &vectors)); err != nil {
		f.Fatal(err)
	}
	for _, c := range vectors.Cases {
		files = append(files, latin1(c.File))
	}
	r := rand.New(rand.NewPCG(3, 26))
	for range 40 {
		files = append(files, draw(r).text(), damage(r, draw(r).text()))
	}
	return files
}

// What the index takes, the body gives, in all ways that there are to read it; a
// survey says what each profile says of itself.
func FuzzLoad(f *testing.F) {
	for _, text := range someFiles(f) {
		f.Add([]byte(text), []byte(text))
		f.Add([]byte(text+alike+text), []byte("[base]\naws_access_key_id = AKIA\naws_secret_access_key = s\n"))
	}
	env := environment(map[string]string{"HOME": "/home/jane", "USERPROFILE": "/home/jane", "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s"})
	f.Fuzz(func(t *testing.T, config, credentials []byte) {
		set := &Set{env: env, config: newFile("config", string(config)), credentials: newFile("credentials", string(credentials))}
		if err := errors.Join(set.config.scan(), set.credentials.scan()); err != nil {
			return
		}
		set.odd = set.config.oddProfiles()
		sameBodies(t, set.config)
		sameBodies(t, set.credentials)
		shown := map[string]string{}
		rest := set.Survey(func(l *Login) bool {
			shown[l.Profile] = withoutLines(t, l)
			return true
		})
		if names := slices.Sorted(maps.Keys(shown)); !slices.Equal(slices.Sorted(slices.Values(append(names, rest...))), set.Names()) {
			t.Fatalf("got %q shown and %q left, want %q", names, rest, set.Names())
		}
		for _, name := range set.Names() {
			p, err := set.Profile(name)
			if err != nil {
				t.Fatalf("%q: %v", name, err)
			}
			set.Network(p)
			l, err := p.Login()
			if was, ok := shown[name]; ok && (err != nil || was != withoutLines(t, l)) {
				t.Fatalf("%q: got %v, %v, want %s", name, was, err, withoutLines(t, l))
			}
		}
	})
}

const alike = `
[profile a]
source_profile = base
role_arn = arn:aws:iam::123456789012:role/A
region = eu-west-1
[profile b]
source_profile = base
role_arn = arn:aws:iam::123456789012:role/B
region = eu-west-1
[profile c]
source_profile = base
role_arn = arn:aws:iam::210987654321:role/C/c
region = eu-west-1
`

// withoutLines is what a login says, but not on which lines.
func withoutLines(t *testing.T, l *Login) string {
	t.Helper()
	text, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	return numberOfLine.ReplaceAllString(string(text), "")
}

var numberOfLine = regexp.MustCompile(`"Line":\d+`)

// sameBodies fails the test if a section's short way of reading finds anything
// else than the long one.
func sameBodies(t *testing.T, f *file) {
	t.Helper()
	for i, m := range f.marks {
		want, err := f.parsedBody(f.at(i))
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := f.plainBody(f.at(i)); ok && !reflect.DeepEqual(got, want) {
			t.Fatalf("section %q: got %v, want %v", f.name(i), got, want)
		}
		if m.roleArn > 0 && f.role(i) != want["role_arn"].Text {
			t.Fatalf("section %q: got the role %q, want %q", f.name(i), f.role(i), want["role_arn"].Text)
		}
		if int(m.like) == i {
			continue
		}
		before, after := f.aroundRole(i)
		if b, a := f.aroundRole(int(m.like)); a != after || b != before {
			t.Fatalf("section %q is not like %q", f.name(i), f.name(int(m.like)))
		}
	}
}

// Files are read as botocore reads them, or refused as it refuses them.
func FuzzBotocore(f *testing.F) {
	botocore := botocoreReads(f)
	for _, text := range someFiles(f) {
		f.Add([]byte(text))
	}
	dir := f.TempDir()
	path := filepath.Join(dir, "config")
	env := environment(map[string]string{"HOME": dir, "USERPROFILE": dir, "AWS_CONFIG_FILE": path})
	f.Fuzz(func(t *testing.T, data []byte) {
		if botocore == nil {
			t.Skip("there is no botocore to compare with")
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		want := botocore(t, data)[0]
		set, err := Load(env)
		switch {
		case want.Error != "" && err == nil:
			t.Fatalf("%q is read, but botocore says %s", data, want.Error)
		case want.Error != "" || oursToRefuse(data, err):
			return
		case err != nil:
			t.Fatalf("%q: %v, but botocore reads it", data, err)
		}
		if got, want := set.Names(), slices.Sorted(maps.Keys(want.Profiles)); !slices.Equal(got, want) {
			t.Fatalf("%q: got the profiles %q, want %q", data, got, want)
		}
		for name, settings := range want.Profiles {
			p, err := set.Profile(name)
			if err != nil {
				t.Fatal(err)
			}
			sameSettings(t, data, name, p.config, settings)
		}
		for name, settings := range want.Sections {
			got, err := set.config.values(name)
			if err != nil {
				t.Fatal(err)
			}
			sameSettings(t, data, name, got, settings)
		}
	})
}

// oursToRefuse tells of files that are refused though botocore reads them: of
// [DEFAULT] it reads only what some profile inherits.
func oursToRefuse(data []byte, err error) bool {
	var syntax *SyntaxError
	return errors.As(err, &syntax) && (strings.HasPrefix(syntax.Reason, "a key has a capital letter") ||
		strings.HasPrefix(syntax.Reason, "a line of a nested block") && bytes.Contains(data, []byte("[DEFAULT]")))
}

func sameSettings(t *testing.T, data []byte, section string, got map[string]Value, want map[string]any) {
	t.Helper()
	if !slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))) {
		t.Fatalf("%q: [%s] has the keys %q, want %q", data, section, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
	for key, value := range want {
		if text, ok := value.(string); ok && got[key].Text != text {
			t.Fatalf("%q: [%s] %s: got %q, want %q", data, section, key, got[key].Text, text)
		}
		block, _ := value.(map[string]any)
		for inner, text := range block {
			if v, err := got[key].nested(inner); err != nil || v.Text != text {
				t.Fatalf("%q: [%s] %s.%s: got %q, %v, want %q", data, section, key, inner, v.Text, err, text)
			}
		}
	}
}

// An edit, read by botocore, makes the differences that were asked for and no
// other, and leaves all bytes outside of the section and all comments in it.
func FuzzEdit(f *testing.F) {
	botocore := botocoreReads(f)
	r := rand.New(rand.NewPCG(4, 26))
	for _, text := range someFiles(f) {
		section, changes := drawChanges(r, draw(r))
		changes = append(changes, Change{Key: "region"}, Change{Key: "k", Remove: true})
		a, b := changes[0], changes[1]
		f.Add([]byte(text), section, a.Key, a.Value, a.Remove, b.Key, b.Value, b.Remove)
		f.Add([]byte(text), "default", "region", "eu-west-1", r.IntN(2) == 0, "aws_session_token", "t", r.IntN(2) == 0)
		f.Add([]byte(text), "profile a", a.Key, a.Value, false, b.Key, b.Value, true)
	}
	f.Fuzz(func(t *testing.T, old []byte, section, key, value string, remove bool, key2, value2 string, remove2 bool) {
		changes := []Change{{key, value, remove}, {key2, value2, remove2}}
		if key2 == key {
			changes = changes[:1]
		}
		made, err := Edit("f", old, section, changes)
		if err != nil {
			return
		}
		unchangedOutside(t, old, made, section)
		if again, err := Edit("f", made, section, changes); err == nil && !bytes.Equal(again, made) {
			t.Fatalf("%q [%s] %+v: got %q, and the same again makes %q", old, section, changes, made, again)
		}
		if botocore == nil {
			return
		}
		readings := botocore(t, old, made)
		want, got := readings[0], readings[1]
		if want.Error != "" || got.Error != "" {
			t.Fatalf("%q [%s] %+v: got %q, of which botocore says %q, and before %q", old, section, changes, made, got.Error, want.Error)
		}
		for _, c := range changes {
			want.change(section, c)
		}
		if _, kept := got.Own[section]; !kept && len(want.Own[section]) == 0 { // the header goes with the last key
			delete(want.Own, section)
			want.Order = slices.DeleteFunc(want.Order, func(name string) bool { return name == section })
		}
		if !reflect.DeepEqual(got.Own, want.Own) || !slices.Equal(got.Order, want.Order) || !maps.Equal(got.Inherited, want.Inherited) {
			t.Fatalf("%q [%s] %+v: got %q, read as\n%q %q, want\n%q %q", old, section, changes, made, got.Order, got.Own, want.Order, want.Own)
		}
	})
}

// change makes the change in what was read.
func (r *reading) change(section string, c Change) {
	own, there := r.Own[section]
	at := slices.IndexFunc(own, func(setting [2]string) bool { return setting[0] == c.Key })
	switch {
	case c.Remove && at >= 0:
		r.Own[section] = slices.Delete(own, at, at+1)
	case c.Remove:
	case at >= 0:
		own[at][1] = c.Value
	default:
		r.Own[section] = append(own, [2]string{c.Key, c.Value})
		if !there {
			r.Order = append(r.Order, section)
		}
	}
}

// unchangedOutside fails the test if the edit of a section touched bytes of
// another one, or a comment.
func unchangedOutside(t *testing.T, old, made []byte, section string) {
	t.Helper()
	f := newFile("f", string(old))
	if err := f.scan(); err != nil {
		t.Fatal(err)
	}
	before, after := old, []byte(nil)
	if s := f.section(section); s != nil {
		before, after = old[:s.header], old[s.end:]
	}
	// A header that goes may take the empty line above with it.
	kept := bytes.HasPrefix(made, before) || len(made) < len(old) && bytes.HasPrefix(made, []byte(trimLineEnd(string(before))))
	if !kept || !bytes.HasSuffix(made, after) {
		t.Fatalf("%q: [%s] alone should be edited, got %q", old, section, made)
	}
	if got, want := comments(made), comments(old); !slices.Equal(got, want) {
		t.Fatalf("%q: got the comments %q, want %q", old, got, want)
	}
}

// comments are the lines that configparser takes for comments.
func comments(text []byte) (all []string) {
	for _, line := range strings.FieldsFunc(string(text), func(r rune) bool { return r == '\r' || r == '\n' }) {
		if begin := strings.TrimLeftFunc(line, isSpace); begin != "" && strings.ContainsAny(begin[:1], "#;") {
			all = append(all, line)
		}
	}
	return all
}
