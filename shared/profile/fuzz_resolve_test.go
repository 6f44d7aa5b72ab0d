package profile_test

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aws-mfa/shared/profile"
)

// As TestProfilesAreResolvedAsBotocoreResolvesThem, for whatever files.
func FuzzResolve(f *testing.F) {
	dir := f.TempDir()
	ask, knowsLogin := botocore(f, dir)
	g := generator{Rand: rand.New(rand.NewPCG(5, 26)), login: knowsLogin, own: map[string]string{}}
	for range 60 {
		config, credentials, _ := g.pair()
		f.Add([]byte(config), []byte(credentials))
	}
	env := map[string]string{"AWS_CONFIG_FILE": filepath.Join(dir, "config"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(dir, "credentials")}
	ours := maps.Clone(env)
	ours["HOME"], ours["USERPROFILE"] = dir, dir
	f.Fuzz(func(t *testing.T, config, credentials []byte) {
		if all := string(config) + string(credentials); strings.Contains(all, "aws-mfa-login") || len(all) > 1<<14 {
			t.Skip("a case for the test with a seed")
		}
		for variable, text := range map[string][]byte{"AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": credentials} {
			if err := os.WriteFile(env[variable], text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		names, answers := ask(t, env)
		set, err := profile.Load(func(name string) (string, bool) { v, ok := ours[name]; return v, ok })
		delete(answers, "") // botocore takes that for no name
		for _, name := range slices.Sorted(maps.Keys(answers)) {
			want, got := g.expected(answers, env, name, nil), answer{}
			if err != nil {
				got.Error = err.Error()
			} else {
				got = resolve(set, name)
			}
			if _, ok := agree(got, want); !ok {
				t.Fatalf("profile %q:\n got %v\nwant %v\n--- config\n%q\n--- credentials\n%q", name, got, want, config, credentials)
			}
		}
		if err == nil && !slices.Equal(set.Names(), names) {
			t.Fatalf("got the profiles %q, want %q\n--- config\n%q\n--- credentials\n%q", set.Names(), names, config, credentials)
		}
	})
}
