package cli

import "strings"

// A typed word is the one at the cursor of bash, as far as it is typed. Bash
// leaves it to the completion to quote what it gives, and replaces only what
// stands behind the last of the characters that its readline takes for the
// start of a word (COMP_WORDBREAKS: quotes, = and : among them).
type typed struct {
	word  string // what it means
	kept  string // what the part that stays means
	quote rune   // that is open behind that part, or 0
	fixed bool   // the part that is replaced cannot be told
}

// bashLine reads what the script gives: the command line up to the cursor, and
// the part of its last word that is replaced. It returns the words that they
// are, the program's name aside.
func bashLine(given []string) (typed, []string) {
	if len(given) < 2 {
		given = append(given, "", "")
	}
	words, raw, _ := unquote(given[0])
	kept, ok := strings.CutSuffix(raw, given[1])
	meant, _, quote := unquote(kept)
	t := typed{word: words[len(words)-1], kept: meant[len(meant)-1], quote: quote, fixed: !ok}
	if len(words) == 1 {
		return t, words
	}
	return t, words[1:]
}

// insert returns what makes the word that text if it replaces the end of what
// is typed; not ok: that cannot be, or does not begin so.
func (t typed) insert(text string) (quoted string, ok bool) {
	rest, ok := strings.CutPrefix(text, t.kept)
	if !ok || t.fixed || !strings.HasPrefix(text, t.word) {
		return "", false
	}
	switch t.quote {
	case '\'':
		return rest, !strings.Contains(rest, "'")
	case '"':
		return inDoubleQuotes.Replace(rest), !strings.Contains(rest, "!") // which no backslash hides there
	}
	var b strings.Builder
	for i, r := range rest {
		if r < 0x80 && !strings.ContainsRune(shellPlain+"%+,:=@", r) || i == 0 && t.kept == "" && r == '=' {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String(), true
}

var inDoubleQuotes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", `$`, `\$`)

// unquote splits a line of bash into the words that it means; nothing is
// expanded. The last one may be empty or not whole: it is told as it is written
// too, and which quote is open at the end.
func unquote(line string) (words []string, last string, quote rune) {
	var word strings.Builder
	begun, escaped := -1, false
	for i, r := range line {
		switch {
		case escaped:
			if quote == '"' && !strings.ContainsRune("$`\"\\", r) {
				word.WriteByte('\\')
			}
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped = true
		case r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote = r
		case r == ' ' || r == '\t' || r == '\n':
			if begun >= 0 {
				words = append(words, word.String())
				word.Reset()
			}
			begun = -1
			continue
		default:
			word.WriteRune(r)
		}
		if begun < 0 {
			begun = i
		}
	}
	if begun >= 0 {
		last = line[begun:]
	}
	return append(words, word.String()), last, quote
}
