package cache

import (
	"math/rand/v2"
	"reflect"
	"testing"
)

// samePlain fails the test if the short way reads an entry that the long one
// does not read in the same way.
func samePlain(t *testing.T, data []byte) (plain bool) {
	t.Helper()
	p, plain := parsePlain(data)
	if !plain {
		return false
	}
	want, err := parse(data)
	if got := p.entry(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %s, want %s, %v", data, got.encode(), want.encode(), err)
	}
	if got, want := p.glimpse(), glimpseOf(want); got != want {
		t.Errorf("%s: got %+v, want %+v", data, got, want)
	}
	return true
}

func entries(t testing.TB) (all []string) {
	for _, c := range vectors[struct{ Content string }](t, "cli-cache-read.json") {
		all = append(all, c.Content)
	}
	for _, c := range vectors[cliCase](t, "cli-cache.json") {
		for _, w := range c.WrittenBy {
			all = append(all, w.Content)
		}
	}
	full := session()
	full.SessionToken = "FwoGZXIvYXdzEJ//+/="
	return append(all, string(full.encode()))
}

func TestPlainEntriesAreReadAsAllOthers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 26))
	some := []string{"", " ", ",", ":", "{", "}", "[", "]", `"`, `\`, "\n", "\t", "\x00", "\x1f", "\x7f", "\x80", "é", "null", "true", "false", "0", "01", "-1", "1e3", "6", "9999999", `""`, `"a"`,
		`"Credentials": `, `"credentials": {}`, `"SessionToken": "x", `, `"AccountId": "", `, `"AccountId": 1, `, `"AssumedRoleUser": {}, `, `"PackedPolicySize": 7, `, `"x": [[[[[[[[[]]]]]]]]], `, `"x": [1, {"y": "z"}], `}
	written, plain := 0, 0
	for _, entry := range entries(t) {
		if samePlain(t, []byte(entry)) {
			written++
		}
		for range 5000 {
			data := []byte(entry)
			for range 1 + r.IntN(2) {
				at := r.IntN(len(data) + 1)
				end := min(len(data), at+r.IntN(3)*r.IntN(12))
				data = append(append(data[:at:at], some[r.IntN(len(some))]...), data[end:]...)
			}
			if samePlain(t, data) {
				plain++
			}
		}
	}
	t.Logf("%d entries and %d changed ones are plain", written, plain)
	if written < 10 || plain < 1000 {
		t.Error("that leaves too little to compare")
	}
}
