package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/clipperhouse/displaywidth"
)

func numbered(what string, n int) (lines []string) {
	for i := range n {
		lines = append(lines, fmt.Sprint(what, i))
	}
	return lines
}

// What is to be done is to be seen, however many sessions there are.
func TestNotesHaveTheirPlaceOnTheScreen(t *testing.T) {
	for _, c := range []struct {
		rows, notes, height int
		want                string
	}{
		{2, 1, 24, "row0 row1  note0  clock"},
		{2, 0, 24, "row0 row1  clock"},
		{3, 2, 6, "row0 row1 row2 note0 note1 clock"},
		{9, 2, 7, "row0 row1 row2 … 6 more note0 note1 clock"},
		{9, 9, 7, "row0 row1 … 7 more note0 note1 … 7 more clock"},
		{1, 9, 5, "row0 note0 note1 … 7 more clock"},
		{9, 0, 4, "row0 row1 … 7 more clock"},
		{9, 9, 3, "… 9 more … 9 more clock"},
		{9, 9, 2, "… 9 more clock"},
		{9, 9, 1, "clock"},
	} {
		lines := arranged(numbered("row", c.rows), numbered("note", c.notes), "clock", c.height)
		if got := strings.Join(lines, " "); got != c.want || len(lines) > c.height {
			t.Errorf("%d rows, %d notes, %d lines: got %q, want %q", c.rows, c.notes, c.height, got, c.want)
		}
	}
}

func TestNotesAreBrokenBetweenWords(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  []string
	}{
		{"mfa has expired: aws-mfa-login mfa", 40, []string{"mfa has expired: aws-mfa-login mfa"}},
		{"mfa has expired: aws-mfa-login mfa", 20, []string{"mfa has expired:", "aws-mfa-login mfa"}},
		{"abcdefgh", 3, []string{"abc", "def", "gh"}},
		{"日本語 x", 5, []string{"日本", "語 x"}},
	} {
		got := wrapped(c.text, c.width)
		if !slices.Equal(got, c.want) {
			t.Errorf("%q in %d: got %q, want %q", c.text, c.width, got, c.want)
		}
		for _, line := range got {
			if displaywidth.String(line) > c.width {
				t.Errorf("%q is wider than %d", line, c.width)
			}
		}
	}
}

func TestNotesSayWhatToDo(t *testing.T) {
	seconds := 240
	for _, c := range []struct {
		row  row
		want string
	}{
		{row{Profile: "a", State: active}, ""},
		{row{Profile: "a", State: signedOut}, ""},
		{row{Profile: "a", State: unknown}, ""},
		{row{Profile: "a", State: unknown, Reason: "no connection"}, "a is unknown, no connection"},
		{row{Profile: "a", State: expiring, SecondsLeft: &seconds, signsIn: "a"}, "a ends in 4m: aws-mfa-login a"},
		{row{Profile: "a", State: expired, signsIn: "a"}, "a has expired: aws-mfa-login a"},
		{row{Profile: "a", State: expired, SameAs: "b", echo: true, signsIn: "b"}, "a has expired"},
		{row{Profile: "a", State: rejected, Reason: "no such key", Source: "credentials-file"}, "a is rejected, no such key: aws configure --profile a"},
	} {
		if got := c.row.note(false); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.row.State, got, c.want)
		}
	}
	out := row{Profile: "a", State: signedOut, signsIn: "a"}
	if got, want := out.note(true), "a is signed out: aws-mfa-login a"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
