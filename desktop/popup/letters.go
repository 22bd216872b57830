package popup

import (
	"strings"
	"unicode"

	"messngr/control"
	"messngr/desktop/describe"
)

const (
	// maxAnswers and maxAnswer bound how many answers are offered, and how many
	// characters of each are seen.
	maxAnswers = 8
	maxAnswer  = 40
)

// answersOf lists the answers that m asks for, as they are sent back.
func answersOf(m *control.Message) []string {
	var list []string
	for _, a := range m.Answers {
		if a = describe.Clean(a); a != "" && len(list) < maxAnswers {
			list = append(list, a)
		}
	}
	return list
}

// letters knows which letters press something together with Alt.
type letters map[rune]bool

// newLetters knows the letters of those texts.
func newLetters(texts ...string) letters {
	l := make(letters)
	for _, t := range texts {
		if _, after, ok := strings.Cut(t, "_"); ok {
			for _, r := range after {
				l[unicode.ToLower(r)] = true
				break
			}
		}
	}
	return l
}

// mark makes text from elsewhere the text of a button: the first letter that is
// free becomes its own, and underscores stay underscores.
func (l letters) mark(text string) string {
	if r := []rune(text); len(r) > maxAnswer {
		text = string(r[:maxAnswer-1]) + "…"
	}
	for i, r := range text {
		low := unicode.ToLower(r)
		if r < unicode.MaxLatin1 && unicode.IsLetter(r) && !l[low] {
			l[low] = true
			return escape(text[:i]) + "_" + escape(text[i:])
		}
	}
	return escape(text)
}

func escape(s string) string { return strings.ReplaceAll(s, "_", "__") }
