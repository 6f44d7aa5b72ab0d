package profile_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aws-mfa/shared/profile"
)

// Files as for TestProfilesAreResolvedAsBotocoreResolvesThem, with profiles
// that are written alike: the same lines in several sections, with other roles.
func TestASurveyShowsWhatLoginSays(t *testing.T) {
	dir := t.TempDir()
	g := generator{Rand: rand.New(rand.NewPCG(1, 26)), own: map[string]string{}}
	env := map[string]string{"HOME": dir, "USERPROFILE": dir, "AWS_CONFIG_FILE": filepath.Join(dir, "config"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(dir, "credentials")}
	load := func() (*profile.Set, error) {
		return profile.Load(func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	}
	shown, kept, errors := 0, 0, 0
	for range 3000 {
		config, credentials, _ := g.pair()
		config = g.alike(config) + config + "\n" + g.alike(config) + g.alike(config)
		for name, text := range map[string]string{"config": config, "credentials": credentials} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		set, err := load()
		if err != nil {
			continue
		}
		logins := map[string]string{}
		rest := set.Survey(func(l *profile.Login) bool {
			logins[l.Profile] = profile.WithoutLines(t, l)
			return true
		})
		all := append(slices.Collect(maps.Keys(logins)), rest...)
		slices.Sort(all)
		if names := set.Names(); !slices.Equal(all, names) || !slices.IsSorted(rest) {
			t.Fatalf("got %q shown or left in %q, want %q\n%s", all, rest, names, config)
		}
		again, err := load()
		if err != nil {
			t.Fatal(err)
		}
		for name, got := range logins {
			shown++
			p, err := again.Profile(name)
			if err != nil {
				t.Fatal(err)
			}
			want, err := p.Login()
			if err != nil {
				t.Fatalf("%s was shown, but has no login: %v\n%s\n--- credentials\n%s", name, err, config, credentials)
			}
			if want := profile.WithoutLines(t, want); got != want {
				t.Fatalf("%s:\n got %s\nwant %s\n%s\n--- credentials\n%s", name, got, want, config, credentials)
			}
		}
		for _, name := range rest {
			kept++
			if p, err := again.Profile(name); err != nil {
				errors++
			} else if _, err := p.Login(); err != nil {
				errors++
			}
		}
	}
	t.Logf("%d were shown; of %d that were not, %d have no login", shown, kept, errors)
	if shown < 2000 || errors < 1000 || kept == errors {
		t.Error("that leaves too little to compare")
	}
}

// alike writes the lines of a section of the file, mostly, for some more
// profiles.
func (g *generator) alike(config string) string {
	var lines []string
	if sections := regexp.MustCompile(`(?m)^\[.*$`).Split(config, -1); g.chance(80) {
		lines = strings.SplitAfter(strings.ReplaceAll(sections[g.IntN(len(sections))], "\r\n", "\n"), "\n")
	}
	lines = slices.DeleteFunc(lines, func(l string) bool { return strings.Contains(l, "role_arn") || !strings.Contains(l, "\n") })
	names := []string{"q0", "q1", "q2", "default", "base", "mfa", "x.y", "MFA"}
	if g.chance(5) || !strings.Contains(strings.Join(lines, ""), "source_profile") {
		lines = append(lines, "source_profile = "+g.pick(names...)+"\n")
	}
	g.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	at := g.IntN(len(lines) + 1)
	before, after := strings.Join(lines[:at], ""), strings.Join(lines[at:], "")
	var b strings.Builder
	for i := range 2 + g.IntN(4) {
		name := fmt.Sprintf("q%d-%d", g.IntN(1e6), i)
		if i < 3 && g.chance(20) {
			name = fmt.Sprintf("q%d", i)
		}
		fmt.Fprintf(&b, "%s\n%srole_arn = %s\n%s%s", g.mostlyOf([]string{"[profile " + name + "]"}, `[profile "`+name+`"]`, "[profile "+name+"] ", " [profile "+name+"]"),
			before, g.value("role_arn", nil), g.mostlyOf([]string{""}, "  more\n", "\n", "# own\n"), after)
	}
	return b.String()
}

// What is gone over quickly must not cost one profile more than it did: all
// are of one kind, or no two alike.
func BenchmarkSurvey(b *testing.B) {
	for name, text := range map[string]string{"alike": "", "different": "external_id = of-%[1]d\n"} {
		var config strings.Builder
		for i := range 10_000 {
			fmt.Fprintf(&config, "[profile p%[1]d]\nrole_arn = arn:aws:iam::123456789012:role/R%[1]d\n"+text+"source_profile = base\nregion = eu-west-1\n\n", i)
		}
		config.WriteString("[profile base]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n")
		dir := b.TempDir()
		path := filepath.Join(dir, "config")
		if err := os.WriteFile(path, []byte(config.String()), 0o600); err != nil {
			b.Fatal(err)
		}
		env := map[string]string{"HOME": dir, "USERPROFILE": dir, "AWS_CONFIG_FILE": path}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				set, err := profile.Load(func(name string) (string, bool) { v, ok := env[name]; return v, ok })
				if err != nil {
					b.Fatal(err)
				}
				if rest := set.Survey(func(*profile.Login) bool { return true }); len(rest) != 1 {
					b.Fatalf("got %d", len(rest))
				}
			}
		})
	}
}
