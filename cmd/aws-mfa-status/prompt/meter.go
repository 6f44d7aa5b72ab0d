package prompt

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"
)

// A template can loop, call itself, and double a text again and again. A meter
// counts what it does, in octets, or what takes as long as to make one. A prompt
// needs a few thousand.
type meter struct{ left int }

const (
	mostMade = 16 << 20 // of a profile
	mostText = 64 << 10 // by a function
	perList  = 1 << 10  // of actions, each time that they are done
)

var errTooMuch = errors.New("it makes too much of a profile")

func (m *meter) spend(n int) error {
	if m.left -= n; m.left < 0 {
		return errTooMuch
	}
	return nil
}

// A metered writer spends what it writes.
type metered struct {
	io.Writer
	*meter
}

func (m metered) Write(text []byte) (int, error) {
	if err := m.spend(len(text)); err != nil {
		return 0, err
	}
	return m.Writer.Write(text)
}

// watch has the template, of that length, spend each time that it comes by a
// list of actions: between two of them it does no more than is written there.
func (m *meter) watch(list *parse.ListNode, length int) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		var branch *parse.BranchNode
		switch n := node.(type) {
		case *parse.IfNode:
			branch = &n.BranchNode
		case *parse.RangeNode:
			branch = &n.BranchNode
		case *parse.WithNode:
			branch = &n.BranchNode
		default:
			continue
		}
		m.watch(branch.List, length)
		m.watch(branch.ElseList, length)
	}
	pass := template.Must(template.New("").Funcs(m.functions()).Parse(fmt.Sprintf("{{%s %d}}", passes, perList+length)))
	list.Nodes = append(pass.Root.Nodes, list.Nodes...)
}

const passes = "_passes" // the function that spends

// functions are those of text/template that make texts, with limits.
func (m *meter) functions() template.FuncMap {
	limited := func(size int, text func() string) (string, error) {
		if size > mostText {
			return "", errTooMuch
		}
		if err := m.spend(size); err != nil {
			return "", err
		}
		return text(), nil
	}
	of := func(text func(...any) string) func(...any) (string, error) {
		return func(args ...any) (string, error) {
			return limited(sizeOf(args), func() string { return text(args...) })
		}
	}
	return template.FuncMap{
		passes:     func(n int) (string, error) { return "", m.spend(n) },
		"print":    of(fmt.Sprint),
		"println":  of(fmt.Sprintln),
		"html":     of(template.HTMLEscaper),
		"js":       of(template.JSEscaper),
		"urlquery": of(template.URLQueryEscaper),
		"printf": func(format string, args ...any) (string, error) {
			return limited(formattedSize(format, args), func() string { return fmt.Sprintf(format, args...) })
		},
	}
}

// sizeOf is about how much text the values make.
func sizeOf(values []any) (size int) {
	for _, value := range values {
		switch v := value.(type) {
		case string:
			size += len(v)
		case Segment:
			size += len(fmt.Sprint(v))
		default:
			size += 32 // of a number
		}
	}
	return size
}

// formattedSize is about how much text a format makes, if each of its verbs is
// of all values, and as wide as it says anywhere.
func formattedSize(format string, values []any) int {
	const widest = 1_000_000 // for fmt
	width := 0
	for _, digits := range strings.FieldsFunc(format, func(r rune) bool { return r < '0' || r > '9' }) {
		n, _ := strconv.Atoi(digits) // the largest there is, if it is too large
		width = max(width, n)
	}
	for _, value := range values {
		if v := reflect.ValueOf(value); v.CanInt() && strings.Contains(format, "*") {
			width = max(width, int(v.Int()), -int(v.Int()))
		}
	}
	return len(format) + strings.Count(format, "%")*(sizeOf(values)+min(width, widest))
}
