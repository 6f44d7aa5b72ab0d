package profile

import (
	"slices"
	"strings"
)

// maxNear is how many names a hint can hold.
const maxNear = 3

// near returns the names closest to a mistyped one: those that differ in case
// only or in a few letters, and those of which it is a part.
func near(name string, names []string) []string {
	type match struct {
		name string
		cost int
	}
	var found []match
	wanted := strings.ToLower(name)
	for _, n := range names {
		other := strings.ToLower(n)
		cost := 1 + distance(wanted, other)
		switch {
		case wanted == other:
			cost = 0
		case len(wanted) >= 2 && strings.Contains(other, wanted):
			cost = 1
		}
		if cost <= 1+max(1, len(wanted)/3) {
			found = append(found, match{n, cost})
		}
	}
	slices.SortStableFunc(found, func(a, b match) int { return a.cost - b.cost })
	var out []string
	for _, m := range found[:min(maxNear, len(found))] {
		out = append(out, m.name)
	}
	return out
}

// distance is the Damerau-Levenshtein distance (adjacent letters swapped are
// one edit), in bytes.
func distance(a, b string) int {
	rows := [3][]int{}
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
	}
	before, last, row := rows[0], rows[1], rows[2]
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, before
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(row[j]+1, last[j+1]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
