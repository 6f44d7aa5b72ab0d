package profile

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// environment is an Environment of a map.
func environment(m map[string]string) Environment {
	return func(name string) (string, bool) { v, ok := m[name]; return v, ok }
}

// load makes a HOME with these two files (no file where the text is empty)
// and reads it.
func load(t *testing.T, config, credentials string, env map[string]string) (*Set, error) {
	t.Helper()
	home := t.TempDir()
	write(t, filepath.Join(home, ".aws", "config"), config)
	write(t, filepath.Join(home, ".aws", "credentials"), credentials)
	all := map[string]string{"HOME": home, "USERPROFILE": home}
	maps.Copy(all, env)
	return Load(environment(all))
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if text == "" {
		return
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func mustLoad(t *testing.T, config, credentials string, env map[string]string) *Set {
	t.Helper()
	set, err := load(t, config, credentials, env)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// testdata/config-parse.json says how botocore 1.43.11 reads each file. All
// of its readings are ours; what it rejects is refused with file and line.
// (Nothing else is refused: ini.v1's own hazards are kept away from it.)
func TestFilesAreReadAsBotocoreReadsThem(t *testing.T) {
	var vectors struct {
		Cases []struct {
			ID       string          `json:"id"`
			File     string          `json:"file_latin1"`
			Botocore json.RawMessage `json:"botocore"`
		} `json:"cases"`
	}
	data, err := os.ReadFile("testdata/config-parse.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	refused := map[string]int{ // line, by case: all of these botocore rejects too
		"dup-section": 6, "dup-key": 3, "bom": 1, "bare-key": 2, "no-section": 1, "unclosed-section": 1,
	}
	for _, c := range vectors.Cases {
		t.Run(c.ID, func(t *testing.T) {
			text := latin1(c.File)
			long := strings.Repeat("x", 70000)
			if text == "<len 70052>" {
				text = "[profile a]\naws_session_token = " + long + "\nregion = eu-west-1\n"
			}
			set, err := load(t, text, "", nil)
			var message string
			if json.Unmarshal(c.Botocore, &message) == nil {
				var syntax *SyntaxError
				if !errors.As(err, &syntax) || syntax.Line != refused[c.ID] || filepath.Base(syntax.File) != "config" {
					t.Fatalf("got %v, want a SyntaxError on line %d (botocore: %s)", err, refused[c.ID], message)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]map[string]any{}
			if err := json.Unmarshal(c.Botocore, &want); err != nil {
				t.Fatal(err)
			}
			delete(want, "__other__") // sections that are no profiles
			if names := slices.Sorted(maps.Keys(want)); !slices.Equal(set.Names(), names) {
				t.Fatalf("profiles: got %q, want %q", set.Names(), names)
			}
			for name, settings := range want {
				p, err := set.Profile(name)
				if err != nil {
					t.Fatal(err)
				}
				if len(p.config) != len(settings) {
					t.Errorf("profile %s: got %d settings, want %d", name, len(p.config), len(settings))
				}
				for key, value := range settings {
					if value == "<len 70000>" {
						value = long
					}
					compare(t, p.Value(key), value)
				}
			}
		})
	}
}

func latin1(s string) string {
	b := []byte{}
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}

func compare(t *testing.T, got Value, want any) {
	t.Helper()
	switch want := want.(type) {
	case string:
		if got.Text != want || !got.Set {
			t.Errorf("got %q, want %q", got.Text, want)
		}
	case map[string]any:
		for key, value := range want {
			inner, err := got.nested(key)
			if err != nil || inner.Text != value {
				t.Errorf("%s: got %q (%v), want %q", key, inner.Text, err, value)
			}
		}
	}
}

// What the real botocore makes of odd files, where python3 has it.
func TestBotocoreItselfAgrees(t *testing.T) {
	files := []string{
		"[DEFAULT]\nregion = a\n[DEFAULT]\noutput = b\n[profile x]\nk=1\n",
		"[DEFAULT]\nregion = a\n[DEFAULT]\nregion = b\n[profile x]\nk=1\n",
		"[profile x]\nk = a\n\n\n  b\n# no\n  c\n\n\nl = 1\n",
		"[profile x]\n  k = a\n    b\n  l = 1\n m = 2\n",
		"[profile x]\nk = \x1c a \x1f\u00a0\nl\u00a0=\u00a01\n",
		"[profile x]\nk = `a` b\nl = \"\"\"\nm = '\n\"n\" = 1\n- = 2\n[o = 3\n",
		"[profile x] ]\nk = 1\n[profile y] # ]\nk = 1\n[[profile z]]\nk=1\n",
		"[profile x]\n[profile 'y z']\nk = 1\n[profile \"y\\\" z\"]\nk=2\n[profile y\\ z]\nk=3\n[profiles q]\nk=4\n[profile\tr]\nk=5\n[profile 's]\nk=6\n",
		"[profile x]\ns3 =\n  a = 1\n  b : 2\n",
		"[profile x]\ns3 =\n  a = 1\n\n  b = 2 = 3\nk = 1\n",
		"[profile x]\ns3 =\n  a =\vb = 1\x1c \u2028c = 2\n\n[profile y]\ns3 =\n  a = 1\fb\n",
		"[profile x]\ns3 =\n  a = 1\vb = 2\x1c \u2028\u0085c = 3\n",
		"[profile x]\n= 1\n",
		"[profile x]\n: 1\n",
		"[]\nk = 1\n",
		"k = 1\n",
		"# c\n\n[profile x]\nk = v # c ; d\n ; e\n\tl = 2\n",
		"[profile x]\rk = 1\r\n\rl = 2\n\r\n",
		"[profile x]\nk = %(l)s ${l}\nl = \\\n",
		"[profile x]\nK\u00dc = 1\n\u212a = 2\n",
		"[profile x]\nk = a\vb\n  c\fd\n",
		"[default]\nk = 1\n[profile default]\nl = 2\n",
		"[profile x]\nk = v\n  [profile y]\nl = 2\n",
	}
	python := pythonWith(t, "botocore")
	dir := t.TempDir()
	for i, text := range files {
		path := filepath.Join(dir, "config")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(python, "-c", `
import sys, json, botocore.configloader as l
try: print(json.dumps(l.load_config(sys.argv[1])["profiles"]))
except Exception as e: print(json.dumps(str(type(e).__name__)))`, path).Output()
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]map[string]any{}
		set, err := Load(environment(map[string]string{"HOME": dir, "USERPROFILE": dir, "AWS_CONFIG_FILE": path}))
		if json.Unmarshal(out, &want) != nil {
			if err == nil {
				t.Errorf("file %d: botocore says %s, got profiles %q", i, out, set.Names())
			}
			continue
		}
		if err != nil {
			t.Errorf("file %d: botocore reads %s, got %v", i, out, err)
			continue
		}
		if names := slices.Sorted(maps.Keys(want)); !slices.Equal(set.Names(), names) {
			t.Errorf("file %d: got profiles %q, want %q", i, set.Names(), names)
			continue
		}
		for name, settings := range want {
			p, err := set.Profile(name)
			if err != nil {
				t.Fatal(err)
			}
			if len(p.config) != len(settings) {
				t.Errorf("file %d, profile %s: got %v, want %v", i, name, p.config, settings)
			}
			for key, value := range settings {
				compare(t, p.Value(key), value)
			}
		}
	}
}

// pythonWith finds a python3 that has the module; in CI there must be one.
func pythonWith(t testing.TB, module string) string {
	t.Helper()
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import "+module).Run() == nil {
			return python
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("no python3 with %s", module)
	}
	t.Skipf("no python3 with %s", module)
	return ""
}

func TestWordsAreSplitAsShlexSplitsThem(t *testing.T) {
	inputs := []string{"", "profile a", `profile "a b"`, `profile 'a b'`, `profile a\ b`, `p "a\"b"`, `p "a\b"`, `p "a\\b"`, `p 'a\'`, `p "`, `p \`, `p ""`, `p a"b"c'd'`, "p\ta\rb\nc", "p a\vb", "p #a b", `p "a'b"`, `"p"q r`, `p "a\`, `é "ü x"`}
	python := pythonWith(t, "shlex")
	for _, in := range inputs {
		out, err := exec.Command(python, "-c", `
import sys, json, shlex
try: print(json.dumps(shlex.split(sys.argv[1])))
except ValueError: print("null")`, in).Output()
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		if err := json.Unmarshal(out, &want); err != nil {
			t.Fatal(err)
		}
		got, err := words(in)
		if (err != nil) != (want == nil) || !slices.Equal(got, want) {
			t.Errorf("%q: got %q (%v), want %q", in, got, err, want)
		}
	}
}

// Random command lines, the same in every run, as botocore itself splits a
// credential_process on each system.
func TestCommandsAreSplitAsBotocoreSplitsThem(t *testing.T) {
	python := pythonWith(t, "botocore.compat")
	random := rand.New(rand.NewPCG(4, 2))
	pieces := []string{`"`, `"`, `'`, `\`, `\`, " ", " ", "\t", "#", "$HOME", "~", "|", ";", "&", "%X%", "^", "`", "a", "pass", "-s", "=", "é", "日本", "\U0001f511", "\u00a0", "\u2003", "\v", "\f", "\x1c", "\u0301"}
	commands := []string{"", " ", `""`, `"`, `\`, `"" ""`, `"a""b"`, `"C:\Program Files\op.exe" item`, `C:\a\ b`, `a\\\"b c"`, `a\\"b c"`, `'a b'`, `a "b\`, `"C:\x\\" y`, `"C:\x\" y`}
	for range 5000 {
		var b strings.Builder
		for range random.IntN(16) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		commands = append(commands, b.String())
	}
	in, err := json.Marshal(commands)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-c", `
import sys, json
from botocore.compat import compat_shell_split
def split(s, platform):
    try: return compat_shell_split(s, platform=platform)
    except ValueError: return None
print(json.dumps([[split(s, "linux"), split(s, "win32")] for s in json.loads(sys.stdin.buffer.read())]))`)
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var want [][2][]string
	if err := json.Unmarshal(out, &want); err != nil || len(want) != len(commands) {
		t.Fatalf("got %d answers (%v), want %d", len(want), err, len(commands))
	}
	refused := 0
	for i, command := range commands {
		for j, goos := range []string{"linux", "windows"} {
			got, err := CommandWords(command, goos)
			if (err != nil) != (want[i][j] == nil) || !slices.Equal(got, want[i][j]) {
				t.Errorf("%s: %q: got %q (%v), want %q", goos, command, got, err, want[i][j])
			}
			if err != nil {
				refused++
			}
		}
	}
	if n := 2 * len(commands); refused < n/10 || refused > n*9/10 {
		t.Errorf("%d of %d are refused, which leaves too little to compare", refused, n)
	}
}
