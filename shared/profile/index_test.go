package profile

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// There are short ways for what most lines are, which no line with \r\n takes:
// both must find the same.
func TestTheShortWaysReadWhatTheLongOnesRead(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 26))
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	line := func() string {
		if r.IntN(10) > 0 {
			return pick("role_arn", "role_arn", "source_profile", "region", "mfa_serial", "k-1", "x.y") + pick(" = ", "=", ": ", "  :  ") + pick("a", "arn:aws:iam::123456789012:role/R", "arn:aws:iam::123456789012:role/S", "b = c", "d # e", "ü", `"q"`)
		}
		return pick("", "", " ", "# c", "; c = d", "key =", "key:", " key = v", "  more", "\tmore = 1", "Key = v", "k = v ", "k = v\t", "k =\tv", "= v", ": v", "word", "k\u00a0= v", "k = \u00a0v", "k = v\u2028", "k = v\v", "[odd", "[]", "[x] ", " [y]", "[z] # [c]", "[DEFAULT]", "[a]b = c", "É = 1", "k l = m")
	}
	files, repeated, short, long, refused := 0, 0, 0, 0, 0
	for range 20000 {
		var b strings.Builder
		var last []string
		for range 1 + r.IntN(5) {
			b.WriteString(pick("[profile p", "[profile p", "[q") + string(rune('0'+r.IntN(40))) + "]\n")
			if last == nil || r.IntN(2) == 0 {
				last = nil
				for range r.IntN(5) {
					last = append(last, line())
				}
			}
			for _, text := range last {
				if strings.HasPrefix(text, "role_arn") && r.IntN(2) == 0 {
					text = strings.Replace(text, "role/R", "role/"+pick("A", "B c", "C ", "Ü"), 1)
				}
				b.WriteString(text + "\n")
			}
		}
		text := b.String()
		if r.IntN(4) == 0 {
			text = strings.TrimSuffix(text, "\n")
		}
		f, slow := newFile("f", text), newFile("f", strings.ReplaceAll(text, "\n", "\r\n"))
		err, slowErr := f.scan(), slow.scan()
		if !reflect.DeepEqual(err, slowErr) {
			t.Fatalf("got %v, want %v\n%s", err, slowErr, text)
		}
		if err != nil {
			refused++
			continue
		}
		files++
		if len(f.marks) != len(slow.marks) {
			t.Fatalf("got %d sections, want %d\n%s", len(f.marks), len(slow.marks), text)
		}
		for i, m := range f.marks {
			if f.name(i) != slow.name(i) || m.line != slow.marks[i].line || f.find(f.name(i)) != slow.find(f.name(i)) {
				t.Fatalf("section %d: got %+v, want %+v\n%s", i, m, slow.marks[i], text)
			}
			want, err := slow.parsedBody(slow.at(i))
			if err != nil {
				t.Fatal(err)
			}
			got, ok := f.plainBody(f.at(i))
			if short++; !ok {
				long++
				if got, err = f.parsedBody(f.at(i)); err != nil {
					t.Fatal(err)
				}
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("section %d: got %v, want %v\n%s", i, got, want, text)
			}
			if m.roleArn > 0 && f.role(i) != want["role_arn"].Text {
				t.Fatalf("section %d: got the role %q, want %q\n%s", i, f.role(i), want["role_arn"].Text, text)
			}
			if int(m.like) != i {
				repeated++
				before, after := f.aroundRole(i)
				if b, a := f.aroundRole(int(m.like)); a != after || b != before {
					t.Fatalf("section %d is not like %d\n%s", i, m.like, text)
				}
			}
		}
	}
	t.Logf("%d files with %d sections (%d read the long way), of which %d repeat others; %d refused", files, short, long, repeated, refused)
	if files < 2000 || repeated < 100 || long < 100 || refused < 1000 {
		t.Error("that leaves too little to compare")
	}
}
