package prompt

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"aws-mfa/shared/wording"
)

// What a template makes has an end, and so has the time it takes; its errors are
// one line, and it is no matter of luck which of both it is.
func FuzzTemplate(f *testing.F) {
	for _, text := range endless {
		if len(text) < 1<<10 { // the others take long
			f.Add([]byte(text))
		}
	}
	for _, text := range []string{
		"", "{{.Profile}} {{.Left}}", `{{if lt .SecondsLeft 900}}soon{{else}}until {{.Ends}}{{end}}`, "{{.Profile", "{{.Secret}}",
		`{{if .Left}}{{if eq .State "active"}}{{"\x1b[32m"}}{{else}}{{"\x1b[31m"}}{{end}}{{.Profile}} {{.Left}}{{"\x1b[m"}}{{end}}`,
		`{{with $x := .Role}}{{slice $x 1 3}}{{else with .ARN}}{{index . 0}}{{end}}`, `{{range 3}}{{break}}{{continue}}{{end}}`, `{{- /* c */ -}}`,
		`{{call .Profile}}`, `{{len .}}{{not .Current}}{{and 1 0}}{{or 0 .Left}}{{nil}}`, `{{printf "%[5]*.[2]*[1]d%!%z%#v" 1 2 . 'a' 1e9 2i nil}}`,
	} {
		f.Add([]byte(text))
	}
	odd := Segment{Profile: "p\x1b[31m", State: "active", ARN: "arn:aws:sts::123456789012:assumed-role/\u202eA\nB/jane"}.visible()
	f.Fuzz(func(t *testing.T, text []byte) {
		late := time.AfterFunc(time.Minute, func() { panic("the template has not ended after a minute: " + string(text)) })
		defer late.Stop()
		made, err := filled(text, sample)
		if again, againErr := filled(text, sample); again != made || (err == nil) != (againErr == nil) {
			t.Fatalf("got %.200q, %v, and then %.200q, %v", made, err, again, againErr)
		}
		if err == nil {
			_, err = filled(text, odd)
		}
		if err == nil {
			return
		}
		if shown := wording.Printable(err.Error()); shown == "" || !utf8.ValidString(shown) || strings.ContainsFunc(shown, unicode.IsControl) {
			t.Errorf("got the error %q", shown)
		}
		if !errors.As(err, new(Error)) {
			t.Errorf("got %T, want an Error", err)
		}
	})
}

// filled is what a template makes of a profile, at most as much as it may.
func filled(text []byte, s Segment) (string, error) {
	var p Template
	if err := p.UnmarshalText(text); err != nil {
		return "", err
	}
	var made bytes.Buffer
	err := p.fill(&made, s)
	if made.Len() > mostMade {
		panic("more was made than may be")
	}
	return made.String(), err
}
