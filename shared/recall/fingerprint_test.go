package recall

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestAFingerprintChangesWithWhatIsRead(t *testing.T) {
	home := t.TempDir()
	env := map[string]string{"HOME": home, "USERPROFILE": home}
	config := filepath.Join(home, ".aws", "config")
	old := time.Now().Add(-time.Hour)
	age := func(path string) {
		t.Helper()
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
		waitUntilSettled(t, path)
	}
	seen := map[string]string{}
	look := func(what string, env map[string]string) {
		t.Helper()
		got := Fingerprint(lookup(env))
		if got == "" {
			t.Errorf("%s: got none", what)
		}
		if again := Fingerprint(lookup(env)); again != got {
			t.Errorf("%s: got another the second time", what)
		}
		if before, there := seen[got]; there {
			t.Errorf("%s: the same as %s", what, before)
		}
		seen[got] = what
	}
	look("no files", env)
	write(t, config, "[profile p]\nregion = a\n")
	if got := Fingerprint(lookup(env)); got != "" {
		t.Errorf("a file that was changed a moment ago: got %q", got)
	}
	age(config)
	look("a config file", env)
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": "x", "AWS_REGION": "x", "AWS_DEFAULT_REGION": "x", "AWS_ENDPOINT_URL_STS": "x", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true", "AWS_CONFIG_FILE": filepath.Join(home, "other"), "AWS_SHARED_CREDENTIALS_FILE": ""} {
		with := maps.Clone(env)
		with[name] = value
		look(name, with)
	}
	write(t, filepath.Join(home, ".aws", "credentials"), "\n")
	age(filepath.Join(home, ".aws", "credentials"))
	look("a credentials file", env)
	if _, identity := changeOf(stat(t, config)); identity == "" {
		return // size and time are all there is
	}
	write(t, config, "[profile p]\nregion = b\n")
	age(config)
	look("another text of the same size and time", env)
}

func TestAHomeOfSomewhereIsNone(t *testing.T) {
	for _, home := range []string{"", ".", "home", "~"} {
		env := lookup(map[string]string{"HOME": home, "USERPROFILE": home})
		if dir, ok := Home(env); ok {
			t.Errorf("%q: got %q", home, dir)
		}
		if got := Fingerprint(env); got != "" {
			t.Errorf("%q: got the fingerprint %q", home, got)
		}
	}
}

func lookup(env map[string]string) Environment {
	return func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func stat(t *testing.T, path string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// waitUntilSettled waits, since nobody can set when a file was changed.
func waitUntilSettled(t *testing.T, path string) {
	t.Helper()
	for {
		if _, ok := stateOf(path, time.Now()); ok {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}
