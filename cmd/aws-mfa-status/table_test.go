package main

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-mfa/shared/wording"

	"github.com/clipperhouse/displaywidth"
)

var update = flag.Bool("update", false, "write the golden tables anew")

func TestTable(t *testing.T) {
	in(t, "CET", 1)
	compare(t, written(t, "table", rows(), style{}), ``+
		"PROFILE        ACCOUNT       ROLE OR USER        STATE       EXPIRES           LEFT\n"+
		"mfa *          123456789012  PowerUserRole/jane  active      15:29             59m\n"+
		"short          123456789012  Short/jane          expiring    14:44             14m\n"+
		"old            -             role/path/Old       expired     Thu Nov 19 18:30  0s\n"+
		"out            -             role/Out            signed out  -                 -\n"+
		"bad            123456789012  user/jane           rejected    -                 -\n"+
		"(environment)  -             -                   unknown     -                 -\n")
}

// lasting is a row of a session that began and ends so long before and after now.
func lasting(r row, before, after time.Duration) *row {
	if before > 0 {
		r.began = now.Add(-before)
	}
	r.ends(now.Add(after), now)
	return &r
}

const account = "123456789012"

func assumed(role, name string) string {
	return "arn:aws:sts::" + account + ":assumed-role/" + role + "/" + name
}

// tables are the rows of the golden files, by what is special about them.
func tables() []struct {
	title string
	rows  []*row
} {
	mfa := lasting(row{Profile: "mfa", Account: account, ARN: assumed("PowerUserRole", "jane")}, 30*time.Second, 59*time.Minute+30*time.Second)
	alike := *mfa
	alike.Profile, alike.SameAs = "terraform", "mfa"
	environment := *mfa
	environment.Profile, environment.SameAs = "", "mfa"
	const sso = "AWSReservedSSO_AdministratorAccess_0123456789abcdef"
	return []struct {
		title string
		rows  []*row
	}{
		{"no rows", nil},
		{"a morning", []*row{
			{Profile: "default", Account: account, ARN: "arn:aws:iam::" + account + ":user/jane", State: active, Current: true},
			mfa,
		}},
		{"all states", []*row{
			&environment,
			{Profile: "default", Account: account, ARN: "arn:aws:iam::" + account + ":user/jane", State: active},
			mfa, &alike,
			lasting(row{Profile: "prod", Account: account, ARN: assumed("ReadOnly", "jane"), Current: true}, 3*time.Hour+46*time.Minute, 14*time.Minute),
			lasting(row{Profile: "base", Account: account, ARN: "arn:aws:iam::" + account + ":user/team/jane"}, time.Hour, 35*time.Hour),
			lasting(row{Profile: "night", Account: account, ARN: assumed("Night", "jane")}, 4*time.Minute, 18*time.Hour+56*time.Minute),
			lasting(row{Profile: "old", RoleARN: "arn:aws:iam::" + account + ":role/path/Old"}, 21*time.Hour, -20*time.Hour),
			lasting(row{Profile: "older", RoleARN: "arn:aws:iam::" + account + ":role/Old"}, 0, -400*24*time.Hour),
			{Profile: "out", RoleARN: "arn:aws:iam::210987654321:role/Out", State: signedOut},
			{Profile: "bad", Account: account, ARN: "arn:aws:iam::" + account + ":user/jane", State: rejected},
			{Profile: "far", RoleARN: "arn:aws:iam::" + account + ":role/Far", State: unknown},
		}},
		{"long names", []*row{
			lasting(row{Profile: "acme-production-eu-central-1-administrator", Account: account, ARN: assumed(sso, "jane.doe@example.com"), Current: true}, time.Hour, 7*time.Hour),
			lasting(row{Profile: "acme-production-eu-central-1-read-only", Account: account, ARN: assumed("PowerUserRole", "jane.doe@example.com")}, 0, 11*time.Hour),
			lasting(row{Profile: "acme-production-eu-central-1-copied", Account: account, ARN: assumed("PowerUserRole", "jane.doe@example.com"), SameAs: "acme-production-eu-central-1-read-only"}, 0, 11*time.Hour),
			lasting(row{Profile: "acme-production-ap-southeast-2-read-only", Account: account, ARN: assumed("OrganizationAccountAccessRoleOfTheWholeOfAcmeIncorporated64Signs", "botocore-session-1795181400")}, 0, 12*time.Minute),
			{Profile: "acme-staging-administrator", RoleARN: "arn:aws:iam::" + account + ":role/a/long/path/to/StagingAdministrator", State: signedOut},
			lasting(row{Profile: "short", Account: account, ARN: assumed("Short", "jane")}, 0, time.Minute),
		}},
		{"wide names", []*row{
			lasting(row{Profile: "本番環境", Account: account, ARN: assumed("PowerUserRole", "jane"), Current: true}, time.Hour, 3*time.Hour),
			lasting(row{Profile: "개발-계정-관리자", Account: account, ARN: assumed("Dev", "jane"), SameAs: "本番環境"}, time.Hour, 3*time.Hour),
			lasting(row{Profile: "rocket-🚀-launch", Account: account, ARN: assumed("Launch", "jane")}, 0, 20*time.Minute),
			lasting(row{Profile: "heart-❤️-flag-🇩🇪-thumb-👍🏽", Account: account, ARN: assumed("Heart", "jane")}, 0, 50*time.Minute),
			{Profile: "family-👨‍👩‍👧", State: signedOut},
			{Profile: "zoe\u0308-e\u0301te\u0301", State: signedOut},
			{Profile: "right\u202e-to-left\u200f", State: signedOut},
		}},
	}
}

// The golden files show escapes as ␛: go test ./cmd/aws-mfa-status -update
func TestGoldenTables(t *testing.T) {
	in(t, "CET", 1)
	type golden struct {
		name  string
		style style
	}
	all := []golden{{"piped", style{}}}
	for _, width := range []int{20, 40, 60, 80, 120, 200} {
		all = append(all, golden{fmt.Sprint(width), style{bar: true, width: width}})
		if width >= 60 {
			all = append(all, golden{fmt.Sprint(width, "-colour"), style{bar: true, colour: true, width: width}})
		}
	}
	for _, g := range all {
		var got strings.Builder
		for _, table := range tables() {
			fmt.Fprintf(&got, "# %s\n%s\n", table.title, written(t, "table", table.rows, g.style))
		}
		file := filepath.Join("testdata", "golden", g.name+".txt")
		text := strings.ReplaceAll(got.String(), "\x1b", "␛")
		if *update {
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if text != strings.ReplaceAll(string(want), "\r\n", "\n") {
			t.Errorf("%s: got\n%s\nwant\n%s", file, text, want)
		}
	}
}

// random are rows of which anything may be long, wide, strange or missing. The
// names are without small letters, to be told from states and durations.
func random(r *rand.Rand) []*row {
	name := func(most int) string {
		signs := []string{"A", "B", "-", "7", "日", "🚀", "❤️", "👍🏽", "🇩🇪", "E\u0301", "\u0301", "\u202e", "\u200d", "\x1b", "\n", "\xff", "Ж", "ש", "नि", "각", "ﷺ"}
		var b strings.Builder
		for range r.IntN(most) {
			b.WriteString(signs[r.IntN(len(signs))])
		}
		return b.String()
	}
	states := []state{expired, signedOut, rejected, unknown, active}
	rows := make([]*row, r.IntN(6))
	for i := range rows {
		rows[i] = &row{Profile: name(40), State: states[r.IntN(len(states))], Current: r.IntN(4) == 0}
		if r.IntN(2) == 0 {
			rows[i].Account, rows[i].ARN = account, assumed(strings.Repeat("R", r.IntN(70)), strings.Repeat("S", r.IntN(70)))
		}
		if r.IntN(8) == 0 {
			rows[i].Account, rows[i].ARN = name(60), name(60)
		}
		if r.IntN(4) == 0 {
			rows[i].SameAs = name(40)
		}
		if r.IntN(3) > 0 {
			rows[i] = lasting(*rows[i], time.Duration(r.Int64N(int64(40*time.Hour))), time.Duration(r.Int64N(int64(50*time.Hour)))-5*time.Hour)
		}
		if r.IntN(9) == 0 {
			rows[i] = lasting(*rows[i], 0, time.Duration(r.Int64N(int64(20000*time.Hour))))
		}
	}
	return rows
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

func TestNoLineIsWiderThanTheTerminal(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for width := 1; width <= 250; width++ {
		for range 20 {
			rows := random(r)
			got := table(rows, now, style{bar: true, width: width})
			if coloured := table(rows, now, style{bar: true, colour: true, width: width}); escapes.ReplaceAllString(coloured, "") != got {
				t.Errorf("width %d: colour makes more difference than colour: got\n%s\nwant\n%s", width, coloured, got)
			}
			if lines := strings.Count(got, "\n"); len(rows) > 0 && lines != len(rows)+1 {
				t.Errorf("width %d: got %d lines for %d rows:\n%s", width, lines, len(rows), got)
			}
			for line := range strings.Lines(got) {
				line = strings.TrimSuffix(line, "\n")
				if w := displaywidth.String(line); w > width {
					t.Errorf("width %d: got a line of %d: %q", width, w, line)
				}
				if width >= 60 && strings.HasSuffix(line, " ") {
					t.Errorf("width %d: got blanks at the end: %q", width, line)
				}
			}
		}
	}
}

func TestTheStateAndWhatIsLeftAreWholeAndBelowTheirHeads(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for width := 60; width <= 250; width++ {
		for range 10 {
			rows := random(r)
			lines := strings.Split(table(rows, now, style{bar: true, width: width}), "\n")
			for i, row := range rows {
				line, head := lines[i+1], strings.LastIndex(lines[0], "STATE")
				state := strings.LastIndex(line, "  "+string(row.State)) + len("  ")
				left := "-"
				if row.Expiration != nil {
					left = wording.Left(row.Expiration.Sub(now))
				}
				if state < 2 || displaywidth.String(line[:state]) != head || !strings.HasSuffix(line, " "+left) {
					t.Errorf("width %d: got\n%s\n%s\nwant %q at %d, and %q at the end", width, lines[0], line, row.State, head, left)
				}
			}
		}
	}
}

// A pipe has the same columns whatever the rows, and nothing is cut.
func TestPipedNothingIsLeftOut(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		rows := random(r)
		got := table(rows, now, style{})
		if strings.ContainsAny(got, "\x1b█░…") {
			t.Errorf("got %q", got)
		}
		if len(rows) > 0 && !regexp.MustCompile(`^PROFILE +ACCOUNT +ROLE OR USER +STATE +EXPIRES +LEFT\n`).MatchString(got) {
			t.Errorf("got %q", got)
		}
		lines := strings.Split(got, "\n")
		for i, row := range rows {
			for _, what := range []string{row.name(), row.Account, row.identity(), row.SameAs, string(row.State)} {
				if !strings.Contains(lines[i+1], wording.Printable(what)) {
					t.Errorf("got %q without %q", lines[i+1], what)
				}
			}
		}
	}
}

func TestNamesThatDifferStillDoWhenTheyAreCut(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"acme-production-eu-central-1-administrator", "本番環境-東京-管理者の役割-本番環境-東京-管理者の役割"} {
		for i, sign := range name {
			other := name[:i] + "X" + name[i+len(string(sign)):]
			for width := 20; width < 80; width++ {
				rows := []*row{{Profile: name, State: active}, {Profile: other, State: active}, {Profile: "short", State: active}}
				lines := strings.Split(table(rows, now, style{width: width}), "\n")
				if lines[1] == lines[2] {
					t.Errorf("width %d: got %q for %s and for %s", width, lines[1], name, other)
				}
			}
		}
	}
}

func TestWhereNamesAreCut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ names, want []string }{
		{[]string{"acme-production-administrator"}, []string{"acme-p…trator"}},
		{[]string{"acme-production-administrator", "globex-test-administrator"}, []string{"acme-p…trator", "globex…trator"}},
		{[]string{"acme-production-administrator", "acme-pr-test-administrator"}, []string{"acme-product…", "acme-pr-test…"}},
		{[]string{"acme-production-1-administrator", "acme-production-2-administrator"}, []string{"…1-administr…", "…2-administr…"}},
		{[]string{"acme-production-1-read-only", "acme-production-2-read-only"}, []string{"…-1-read-only", "…-2-read-only"}},
		{[]string{"日本語の日本語", "exactly-as-it", "short"}, []string{"日本語…日本語", "exactly-as-it", "short"}},
	} {
		column := newColumn("PROFILE", make([]*row, len(c.names)), func() func(*row) cell {
			i := -1
			return func(*row) cell { i++; return cell{text: c.names[i]} }
		}())
		column.cut(13)
		for i, want := range c.want {
			if got := column.cells[i+1].text; got != want {
				t.Errorf("%s: got %s, want %s", c.names[i], got, want)
			}
		}
	}
}

func BenchmarkAThousandRows(b *testing.B) {
	var rows []*row
	for i := range 1000 {
		rows = append(rows, lasting(row{Profile: fmt.Sprintf("acme-production-eu-central-1-%d-administrator", i), Account: account, ARN: assumed("PowerUserRole", "jane")}, time.Hour, time.Hour))
	}
	for _, width := range []int{0, 20, 40, 80, 200} {
		b.Run(fmt.Sprint(width), func(b *testing.B) {
			for b.Loop() {
				table(rows, now, style{bar: true, colour: true, width: width})
			}
		})
	}
}

func TestTimesAreLocal(t *testing.T) {
	in(t, "JST", 9)
	if got := written(t, "table", rows()[:1], style{}); !strings.Contains(got, "23:29") {
		t.Errorf("got %q, want 23:29", got)
	}
	in(t, "PST", -8)
	if got := written(t, "table", rows()[:1], style{}); !strings.Contains(got, "06:29") {
		t.Errorf("got %q, want 06:29", got)
	}
}

// NO_COLOR leaves the bar; a pipe has neither.
func TestColourAndBarOnlyWithTheStyle(t *testing.T) {
	in(t, "CET", 1)
	few := rows()[:4]
	if got := written(t, "table", few, style{}); strings.ContainsAny(got, "\x1b█░") {
		t.Errorf("plain: got %q", got)
	}
	compare(t, written(t, "table", few, style{bar: true, width: 90}), ``+
		"PROFILE  ACCOUNT       ROLE OR USER        STATE       EXPIRES           LEFT\n"+
		"mfa *    123456789012  PowerUserRole/jane  active      15:29             ██████████ 59m\n"+
		"short    123456789012  Short/jane          expiring    14:44             ███░░░░░░░ 14m\n"+
		"old      -             role/path/Old       expired     Thu Nov 19 18:30  ░░░░░░░░░░ 0s\n"+
		"out      -             role/Out            signed out  -                 -\n")
	compare(t, written(t, "table", few, style{colour: true}), ``+
		"PROFILE  ACCOUNT       ROLE OR USER        STATE       EXPIRES           LEFT\n"+
		"\x1b[1mmfa\x1b[0m *    123456789012  PowerUserRole/jane  \x1b[32mactive\x1b[0m      15:29             59m\n"+
		"short    123456789012  Short/jane          \x1b[33mexpiring\x1b[0m    14:44             14m\n"+
		"old      -             role/path/Old       \x1b[31mexpired\x1b[0m     Thu Nov 19 18:30  0s\n"+
		"out      -             role/Out            \x1b[2msigned out\x1b[0m  -                 -\n")
}

// A profile may be called like a state.
func TestItIsTheStateThatIsColoured(t *testing.T) {
	in(t, "UTC", 0)
	r := row{Profile: "active", ARN: "arn:aws:sts::123456789012:assumed-role/active/active"}
	r.ends(now.Add(time.Hour), now)
	compare(t, written(t, "table", []*row{&r}, style{colour: true}), ``+
		"PROFILE  ACCOUNT  ROLE OR USER   STATE   EXPIRES  LEFT\n"+
		"active   -        active/active  \x1b[32mactive\x1b[0m  14:30    1h00m\n")
	for s := range map[state]bool{active: true, expiring: true, expired: true, signedOut: true, rejected: true, unknown: true} {
		if colours[s] == "" {
			t.Errorf("%q has no colour", s)
		}
	}
}

func TestBars(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	for _, c := range []struct {
		began, left time.Duration // 0: not known
		want        string
	}{
		{time.Hour, -time.Minute, "░░░░░░░░░░"},
		{time.Hour, 0, "░░░░░░░░░░"},
		{time.Hour, time.Second, "█░░░░░░░░░"},
		{30 * time.Minute, 30 * time.Minute, "█████░░░░░"},
		{29 * time.Minute, 31 * time.Minute, "██████░░░░"},
		{35 * time.Hour, time.Hour, "█░░░░░░░░░"},
		{-time.Minute, time.Hour, "██████████"}, // the clock was set back
		{200 * year, 50 * year, "██░░░░░░░░"},
		// The beginning is not known: of an hour, of 12, of 36.
		{0, -time.Hour, "░░░░░░░░░░"},
		{0, 30 * time.Minute, "█████░░░░░"},
		{0, time.Hour, "██████████"},
		{0, time.Hour + time.Second, "█░░░░░░░░░"},
		{0, 6 * time.Hour, "█████░░░░░"},
		{0, 12 * time.Hour, "██████████"},
		{0, 18 * time.Hour, "█████░░░░░"},
		{0, 36 * time.Hour, "██████████"},
		{0, 100 * year, "██████████"},
	} {
		end := now.Add(c.left)
		r := row{Expiration: &end}
		if c.began != 0 {
			r.began = now.Add(-c.began)
		}
		if got := bar(c.left, r.length(c.left), 10); got != c.want {
			t.Errorf("began %s ago, %s left: got %s, want %s", c.began, c.left, got, c.want)
		}
	}
}

func TestIdentitiesInShort(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		row  row
		want string
	}{
		{row{ARN: assumed("Admin", "jane")}, "Admin"},
		{row{ARN: assumed("AWSReservedSSO_Read_Only_0123456789abcdef", "jane")}, "Read_Only"},
		{row{ARN: assumed("AWSReservedSSO_", "jane")}, "AWSReservedSSO_"},
		{row{ARN: "arn:aws-cn:iam::123456789012:user/team/jane"}, "user/jane"},
		{row{ARN: "arn:aws:iam::123456789012:root"}, "root"},
		{row{RoleARN: "arn:aws:iam::123456789012:role/a/path/Admin"}, "role/Admin"},
		{row{ARN: "not an ARN"}, "not an ARN"},
		{row{ARN: assumed("Admin", "jane"), SameAs: "mfa"}, "= mfa"},
		{row{}, ""},
	} {
		if got := c.row.role(false); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.row, got, c.want)
		}
	}
}

func TestOnlyATerminalHasStyle(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if got := styleOf(file); got != (style{}) {
		t.Errorf("a file: got %+v", got)
	}
	if got := styleOf(null); got != (style{}) {
		t.Errorf("the null device: got %+v", got)
	}
	if got := styleOf(&bytes.Buffer{}); got != (style{}) {
		t.Errorf("a buffer: got %+v", got)
	}
}

// Each layout asks for no more than the one before, or leaves a column out
// that it had.
func TestTheLayoutsGiveWayInOrder(t *testing.T) {
	t.Parallel()
	widths := func(l layout) []int { return []int{l.profile, l.account, l.role, l.state, l.expires, l.left} }
	for i, l := range layouts[1:] {
		if l.account < layouts[i].account {
			continue // there is room again
		}
		for j, w := range widths(l) {
			if before := widths(layouts[i])[j]; w > before {
				t.Errorf("layout %d: column %d may be cut to %d, before to %d", i+1, j, w, before)
			}
		}
	}
	if last := widths(layouts[len(layouts)-1]); !slices.Equal(last, []int{1, 0, 0, 0, 0, 0}) {
		t.Errorf("the last layout does not fit everywhere: got %v", last)
	}
}
