package memstore

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"messngr"
	"messngr/store"
)

// matches reports whether the message has all words of the query's search.
func matches(q *store.Query, m *messngr.Message, to string) bool {
	if !q.Searches() {
		return true
	}
	words := q.Words()
	var fields [][]string
	for _, text := range []string{m.From.Claimed + " " + m.From.Proven, to, m.Title, m.Text} {
		fields = append(fields, tokens(text))
	}
	for i, word := range words {
		beginning := i == len(words)-1
		found := slices.ContainsFunc(fields, func(field []string) bool {
			return contains(field, tokens(word), beginning)
		})
		if !found {
			return false
		}
	}
	return len(words) > 0
}

// contains reports whether parts follow each other in field; of the last one
// the beginning is enough if beginning is set.
func contains(field, parts []string, beginning bool) bool {
	last := len(parts) - 1
	for ; len(field) > last; field = field[1:] {
		end := field[last] == parts[last] || beginning && strings.HasPrefix(field[last], parts[last])
		if end && slices.Equal(field[:last], parts[:last]) {
			return true
		}
	}
	return false
}

// tokens returns the words of a text without case and accents.
func tokens(text string) []string {
	plain := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return fold(r)
	}, norm.NFD.String(text))
	return strings.FieldsFunc(plain, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
}

// fold returns the same rune for all that differ in nothing but case.
func fold(r rune) rune {
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	return least
}
