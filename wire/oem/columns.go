package oem

import (
	"unicode"

	"golang.org/x/text/width"
)

// Columns says how many columns of a terminal a clean line takes.
func Columns(s string) int {
	n := 0
	for _, r := range s {
		n += RuneColumns(r)
	}
	return n
}

// RuneColumns says how many columns of a terminal one character takes: two for the wide
// ones of East Asia, none for marks that stand on others.
func RuneColumns(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}
