package window

import (
	"slices"
	"strings"
)

// maxOffers is how many recipients are offered at once.
const maxOffers = 8

// recipients splits what was written into the names of recipients.
func recipients(text string) []string {
	var list []string
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == ';' }) {
		part = strings.TrimSpace(part)
		if part != "" && !slices.ContainsFunc(list, func(known string) bool { return strings.EqualFold(known, part) }) {
			list = append(list, part)
		}
	}
	return list
}

// lastName is the name that is being written at the end of the text, and what
// stands before it.
func lastName(text string) (before, name string) {
	i := strings.LastIndexAny(text, ",;") + 1
	name = strings.TrimLeft(text[i:], " ")
	return text[:len(text)-len(name)], name
}

// offers are the known names that go on like what is being written, those that
// come first in the list first, without those that are in the text already.
func offers(text string, known []string) []string {
	before, name := lastName(text)
	taken := recipients(before)
	var list []string
	for _, n := range known {
		same := func(other string) bool { return strings.EqualFold(other, n) }
		if len(list) < maxOffers && len(n) >= len(name) && strings.EqualFold(n[:len(name)], name) && !strings.EqualFold(n, name) &&
			!slices.ContainsFunc(list, same) && !slices.ContainsFunc(taken, same) {
			list = append(list, n)
		}
	}
	return list
}
