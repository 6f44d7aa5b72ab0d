package cache

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestASnapshotHasWhatTheDirectoryHas(t *testing.T) {
	role := func(name string) Key { return Key{RoleARN: "arn:aws:iam::123456789012:role/path/" + name} }
	written := func(name string) string {
		e := session()
		e.SessionToken, e.AssumedRoleARN = "t", "arn:aws:sts::123456789012:assumed-role/"+name+"/jane"
		return string(e.encode())
	}
	const minimal = `{"Credentials": {"AccessKeyId": "A", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": "2026-11-21T00:37:50Z"}}`
	long := strings.Replace(written("Long"), `"t"`, `"`+strings.Repeat("t", 10_000)+`"`, 1)
	for of, contents := range map[string]map[string]string{
		"nothing":                 {},
		"plain entries":           {"A": written("A"), "B": written("B")},
		"one in other letters":    {"A": written("a"), "B": written("B")},
		"one of nobody":           {"A": minimal, "B": written("B")},
		"broken ones":             {"A": "", "B": "{", "C": `{"Credentials": {}}`},
		"one that is not plain":   {"A": "\n" + written("A"), "B": written("B")},
		"a long one":              {"Long": long, "B": written("B")},
		"one of a source profile": {"A": `{"ProviderType": "sso", ` + minimal[1:], "B": written("B")},
	} {
		d := Dir(t.TempDir())
		for name, content := range contents {
			put(t, d.Path(role(name).Name()), content)
		}
		put(t, filepath.Join(string(d), "session.db"), "x")
		put(t, d.Path("other"), "x")
		same(t, of, d, d.Snapshot(), append(slices.Collect(maps.Keys(contents)), "X", "b"), role)
	}
	if got := Dir(filepath.Join(t.TempDir(), "none")).Snapshot(); got.Len() != 0 {
		t.Errorf("got %d entries of no directory", got.Len())
	}
}

// same compares what a snapshot and the directory have of roles.
func same(t *testing.T, of string, d Dir, s *Snapshot, names []string, role func(string) Key) {
	t.Helper()
	for _, name := range names {
		want, wantErr := d.Read(role(name).Name())
		for _, read := range []func() (Glimpse, error){
			func() (Glimpse, error) { return s.Read(role(name)) },
		} {
			got, err := read()
			switch {
			case os.IsNotExist(wantErr):
				if err != fs.ErrNotExist {
					t.Errorf("%s, %s: got %v, want fs.ErrNotExist itself", of, name, err)
				}
			case !reflect.DeepEqual(err, wantErr) || got != glimpseOf(want):
				t.Errorf("%s, %s: got %+v, %v, want %+v, %v", of, name, got, err, glimpseOf(want), wantErr)
			}
		}
	}
}

func TestASnapshotIsOfOneMoment(t *testing.T) {
	d := In(t.TempDir())
	k := Key{RoleARN: "arn:aws:iam::123456789012:role/Admin"}
	before := d.Snapshot()
	if err := d.Write(k.Name(), session()); err != nil {
		t.Fatal(err)
	}
	after := d.Snapshot()
	if err := d.Remove(k.Name()); err != nil {
		t.Fatal(err)
	}
	if _, err := before.Read(k); err != fs.ErrNotExist {
		t.Errorf("got %v, want fs.ErrNotExist itself", err)
	}
	if got, err := after.Read(k); err == nil && got.AccessKeyID != session().AccessKeyID {
		t.Errorf("got %+v, %v", got, err)
	}
}

// An entry may hold the session of another role than its name stands for.
func TestWhatEntriesTellIsDoubtedWhereSomeWereNotAskedFor(t *testing.T) {
	t.Parallel()
	d := Dir(t.TempDir())
	key := func(role string) Key { return Key{RoleARN: "arn:aws:iam::123456789012:role/" + role} }
	entry := func(role string) Entry {
		return Entry{AccessKeyID: "ASIA-" + role, SecretAccessKey: "s", SessionToken: "t", Expiration: time.Now().Add(time.Hour), AssumedRoleARN: "arn:aws:sts::123456789012:assumed-role/" + role + "/jane"}
	}
	if err := errors.Join(d.Write(key("A").Name(), entry("A")), d.Write(key("B").Name(), entry("Other"))); err != nil {
		t.Fatal(err)
	}
	s := d.Snapshot()
	for _, name := range []string{"A", "B"} {
		g, err := s.Read(key(name))
		if found := err == nil && g.AccessKeyID == "ASIA-A"; found != (name == "A") {
			t.Errorf("%s: got %v, %v", name, g, err)
		}
	}
	if !s.Doubt() {
		t.Error("an entry that was not asked for raises no doubt")
	}
	if g, err := s.Read(key("B")); err != nil || g.AccessKeyID != "ASIA-Other" {
		t.Errorf("B in doubt: got %v, %v", g, err)
	}
	if s.Doubt() {
		t.Error("doubt makes a difference once")
	}
	all := d.Snapshot()
	all.Read(key("A"))
	all.Read(key("Other"))
	if all.read(key("B").sum()); all.Doubt() {
		t.Error("all were asked for, and there is doubt")
	}
}
