package describe

import (
	"strings"
	"unicode"

	"messngr/control"
)

const (
	// maxAnswers and maxAnswer bound how many answers are offered, and how many
	// characters of each are seen.
	maxAnswers = 9
	maxAnswer  = 40
)

// Answers lists the answers that m asks for, as they are sent back.
func Answers(m *control.Message) []string {
	var list []string
	for _, a := range m.Answers {
		if a = Clean(a); a != "" && len(list) < maxAnswers {
			list = append(list, a)
		}
	}
	return list
}

// Letters knows which letters press something together with Alt.
type Letters map[rune]bool

// NewLetters knows the letters of those texts, which stand after an underscore.
func NewLetters(texts ...string) Letters {
	l := make(Letters)
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

// Mark makes text from elsewhere the text of a button: the first letter that is
// free becomes its own, and underscores stay underscores.
func (l Letters) Mark(text string) string {
	if r := []rune(text); len(r) > maxAnswer {
		text = string(r[:maxAnswer-1]) + "…"
	}
	for i, r := range text {
		low := unicode.ToLower(r)
		if r < unicode.MaxLatin1 && unicode.IsLetter(r) && !l[low] {
			l[low] = true
			return Escape(text[:i]) + "_" + Escape(text[i:])
		}
	}
	return Escape(text)
}

// Escape makes text from elsewhere the text of a button without a letter.
func Escape(s string) string { return strings.ReplaceAll(s, "_", "__") }

// Plain is the text of a button without the mark of its letter.
func Plain(s string) string {
	const double = "\x00"
	s = strings.ReplaceAll(s, "__", double)
	return strings.ReplaceAll(strings.ReplaceAll(s, "_", ""), double, "_")
}
