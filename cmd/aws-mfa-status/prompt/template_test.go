package prompt

import (
	"errors"
	"strings"
	"testing"
)

// Templates that without a limit would not end soon, or fill the memory.
var endless = map[string]string{
	"a loop":                 `{{range 1000000000000}}{{end}}`,
	"a loop in loops":        `{{range 100000}}{{range 100000}}{{end}}{{end}}`,
	"a loop that writes":     `{{range 1000000000000}}x{{end}}`,
	"a loop otherwise":       `{{range 0}}{{else}}{{range 1000000000000}}{{continue}}{{end}}{{end}}`,
	"calls itself":           `{{define "a"}}{{template "a"}}{{end}}{{template "a"}}`,
	"calls itself twice":     `{{define "a"}}{{if lt (len .) 60}}{{template "a" print . "x"}}{{template "a" print . "x"}}{{end}}{{end}}{{template "a" ""}}`,
	"a block in itself":      `{{block "a" .}}{{with .}}{{template "a" .}}{{end}}{{end}}`,
	"doubles a text":         `{{$x := "xxxxxxxx"}}` + strings.Repeat(`{{$x = print $x $x}}`, 60),
	"escapes it":             `{{$x := "<<<<<<<<"}}` + strings.Repeat(`{{$x = html $x $x}}`, 60),
	"formats it":             `{{$x := "xxxxxxxx"}}` + strings.Repeat(`{{$x = printf "%s%[1]s" $x}}`, 60),
	"a wide number":          `{{printf "%1000000d" 1}}`,
	"wide numbers":           `{{printf "` + strings.Repeat("%[1]900000d", 1000) + `" 1}}`,
	"wide by an argument":    `{{printf "%*d" 999999 1}}`,
	"wide by a letter":       `{{printf "%*d" '\U000F0000' 1}}`,
	"precise":                `{{printf "%.1000000f" 1.5}}`,
	"the profile many times": strings.Repeat(`{{.}}`, 20000) + `{{range 1000}}` + strings.Repeat(`{{.}}`, 20000) + `{{end}}`,
}

func TestATemplateHasAnEnd(t *testing.T) {
	for name, text := range endless {
		t.Run(name, func(t *testing.T) {
			if err := new(Template).UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), errTooMuch.Error()) {
				t.Errorf("got %v, want %v", err, errTooMuch)
			}
		})
	}
	for text, want := range map[string]string{
		`{{range 3}}-{{end}}`:                                   "---",
		`{{range $i := 3}}{{if $i}}{{break}}{{end}}-{{end}}`:    "-",
		`{{define "a"}}<{{.}}>{{end}}{{template "a" .Left}}`:    "<59m>",
		`{{printf "%-8s|%*d|%q" .Profile 6 7 .Left}}`:           `mfa     |     7|"59m"`,
		`{{print "a" 1}}{{html "<"}}{{js "'"}}{{urlquery " "}}`: "a1&lt;" + `\'` + "+",
		strings.Repeat("x", 100_000):                            strings.Repeat("x", 100_000),
		"":                                                      "",
	} {
		var p Template
		var made strings.Builder
		if err := errors.Join(p.UnmarshalText([]byte(text)), p.fill(&made, sample)); err != nil || made.String() != want {
			t.Errorf("%.100s: got %.100q, %v, want %.100q", text, made.String(), err, want)
		}
	}
}
