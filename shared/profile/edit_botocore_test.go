package profile

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// compareEdits reads, with botocore itself, each file before and after, and
// prints what differs from the changes.
const compareEdits = `
import sys, json, configparser
from botocore.configloader import raw_config_parse, _parse_nested
def read(path, text):
    open(path, "wb").write(text.encode())
    own = configparser.RawConfigParser()
    own.read([path], encoding="utf-8")
    return raw_config_parse(path), list(own.sections()), dict(own.defaults()), {s: list(own._sections[s]) for s in own.sections()}
def nested(value):
    return _parse_nested(value) if value[:1] == chr(10) else value
path, wrong = sys.argv[1], []
for i, case in enumerate(json.load(sys.stdin.buffer)):
    try:
        want, order, defaults, own = read(path, case["Old"])
        got, gotorder, gotdefaults, gotown = read(path, case["New"])
    except Exception as e:
        wrong.append([i, "%s: %s" % (type(e).__name__, e)])
        continue
    name = case["Section"]
    keys = own.get(name, [])
    removed = False
    for c in case["Changes"] or []:
        key = c["Key"]
        if not c["Remove"]:
            if name not in want:
                want[name] = {k: nested(v) for k, v in defaults.items()}
                order.append(name)
            if key not in keys:
                keys.append(key)
            want[name][key] = c["Value"]
        elif key in keys:
            keys.remove(key)
            removed = True
            if key in defaults:
                want[name][key] = nested(defaults[key])
            else:
                del want[name][key]
    own[name] = keys
    if removed and not keys and name not in got: # the header goes, if it can
        del want[name], own[name]
        order.remove(name)
    if name not in order:
        own.pop(name, None)
    if (want, order, defaults, own) != (got, gotorder, gotdefaults, gotown):
        wrong.append([i, json.dumps([want, order, own]) + " but " + json.dumps([got, gotorder, gotown])])
json.dump(wrong, sys.stdout)
`

func TestBotocoreReadsWhatAnEditSaysAndNothingElse(t *testing.T) {
	python := pythonWith(t, "botocore.configloader")
	type edited struct {
		Old, New, Section string
		Changes           []Change
	}
	var cases []edited
	r := rand.New(rand.NewPCG(20, 26))
	refused := 0
	for i := range 6000 {
		d := draw(r)
		text := d.text()
		if i%2 == 0 {
			text = damage(r, text)
		}
		section, changes := drawChanges(r, d)
		got, err := Edit("f", []byte(text), section, changes)
		if err != nil {
			refused++
			continue
		}
		cases = append(cases, edited{text, string(got), section, changes})
	}
	if len(cases) < 3000 || refused < 1000 {
		t.Errorf("%d edits and %d refusals leave too little to compare", len(cases), refused)
	}
	in, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-c", compareEdits, filepath.Join(t.TempDir(), "config"))
	cmd.Env = append(os.Environ(), "PYTHONUTF8=1")
	cmd.Stdin = strings.NewReader(string(in))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var wrong [][2]any
	if err := json.Unmarshal(out, &wrong); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, w := range wrong[:min(len(wrong), 5)] {
		c := cases[int(w[0].(float64))]
		t.Errorf("old %q\nnew %q\n[%s] %+v: %s", c.Old, c.New, c.Section, c.Changes, w[1])
	}
	if len(wrong) > 0 {
		t.Errorf("%d of %d are wrong", len(wrong), len(cases))
	}
}

// damage makes a few careless changes to the text, as people and programs do.
func damage(r *rand.Rand, text string) string {
	pieces := []string{"\n", "\r", "\r\n", " ", "\t", "  ", "\n ", "\n\n", "=", ":", "#", ";", "[", "]", "[profile mfa]", "\nk = v\n", "\nk =\n", "\n  a = 1\n", "\u00a0", "\x1c", "\v", "\f", "\u0085", "\u2028", "é", "\x00"}
	for range 1 + r.IntN(3) {
		runes := []rune(text)
		at := r.IntN(len(runes) + 1)
		end := min(len(runes), at+r.IntN(3))
		text = string(runes[:at]) + pick(r, pieces) + string(runes[end:])
	}
	return text
}
