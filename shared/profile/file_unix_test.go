//go:build unix

package profile

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What is no file of text is said, with its path, and at once.
func TestWhatIsNoFileIsRefused(t *testing.T) {
	for reason, make := range map[string]func(path string) error{
		"is not a regular file": func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"is a directory":        func(path string) error { return os.Mkdir(path, 0o700) },
		"is larger than 64 MiB": func(path string) error { write(t, path, "[default]\n"); return os.Truncate(path, 1<<30) },
		"too many levels":       func(path string) error { return os.Symlink(filepath.Base(path), path) },
	} {
		for _, file := range []string{"config", "credentials"} {
			home := t.TempDir()
			path := filepath.Join(home, file)
			if err := make(path); err != nil {
				t.Fatal(err)
			}
			variable := map[string]string{"config": "AWS_CONFIG_FILE", "credentials": "AWS_SHARED_CREDENTIALS_FILE"}[file]
			_, err := Load(environment(map[string]string{"HOME": home, variable: path}))
			if err == nil || !strings.Contains(err.Error(), path+": ") || !strings.Contains(err.Error(), reason) {
				t.Errorf("%s: got %v, want %s: %s", file, err, path, reason)
			}
		}
	}
}

func TestWhatIsNotThereIsEmpty(t *testing.T) {
	home := t.TempDir()
	write(t, filepath.Join(home, "file"), "x")
	for _, path := range []string{os.DevNull, "", filepath.Join(home, "missing"), filepath.Join(home, "file", "behind")} {
		set, err := Load(environment(map[string]string{"HOME": home, "AWS_CONFIG_FILE": path, "AWS_SHARED_CREDENTIALS_FILE": path}))
		if err != nil || len(set.Names()) > 0 {
			t.Errorf("%q: got %v, want no profiles", path, err)
		}
	}
}

// The AWS CLI finds no file there, but whoever made the link thinks of one.
func TestALinkThatLeadsNowhereIsNamed(t *testing.T) {
	home := t.TempDir()
	link := filepath.Join(home, "link")
	if err := os.Symlink("missing", link); err != nil {
		t.Fatal(err)
	}
	set, err := Load(environment(map[string]string{"HOME": home, "AWS_CONFIG_FILE": link}))
	if err != nil {
		t.Fatal(err)
	}
	want := `unknown profile "p": ` + link + " is a symbolic link that leads nowhere"
	if _, err := set.Profile("p"); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	config := filepath.Join(home, "config")
	write(t, config, "[profile p]\nrole_arn = arn:aws:iam::123456789012:role/R\nsource_profile = q\n[profile q]\nregion = x\n")
	if set, err = Load(environment(map[string]string{"HOME": home, "AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": link})); err != nil {
		t.Fatal(err)
	}
	p, err := set.Profile("p")
	if err != nil {
		t.Fatal(err)
	}
	want = `profile "q" has no access keys: ` + link + " is a symbolic link that leads nowhere"
	if _, err := p.Login(); err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestWithoutFilesThatIsTheReason(t *testing.T) {
	home := t.TempDir()
	set, err := Load(environment(map[string]string{"HOME": home}))
	if err != nil {
		t.Fatal(err)
	}
	want := `unknown profile "p": there is no ` + filepath.Join(home, ".aws", "config") + ", and no " + filepath.Join(home, ".aws", "credentials")
	if _, err := set.Profile("p"); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestAHomeOfSomewhereIsNone(t *testing.T) {
	for _, home := range []string{"", ".", "home", "~"} {
		if _, err := Load(environment(map[string]string{"HOME": home})); err == nil || !strings.HasPrefix(err.Error(), "there is no home directory: ") {
			t.Errorf("HOME=%q: got %v", home, err)
		}
	}
}
