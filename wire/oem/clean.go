package oem

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes text safe to show on every display, and shows what it took away:
//
//   - C0 controls but "\n" and "\t", and DEL, become "^" and a letter, as
//     wall(1) writes them: ESC is "^[", a lone CR "^M";
//   - C1 controls, bidirectional controls, line and paragraph separators, other
//     invisible format characters, tag characters and noncharacters become
//     "<U+202E>" and the like;
//   - each byte that is not UTF-8 becomes U+FFFD.
//
// The joiners U+200C and U+200D and the soft hyphen stay, since Persian, Indic
// scripts and emoji need them. Clean text is left as it is, so cleaning twice
// changes nothing. The result is valid UTF-8 and at most eight times as long.
func Clean(s string) string {
	return clean(s, func(r rune) string { return string(r) })
}

// CleanLine is Clean for names and titles: each line break and tab becomes one
// blank, and blanks around the text are dropped. The result is one line.
func CleanLine(s string) string {
	return strings.TrimSpace(clean(Normalize(s), func(rune) string { return " " }))
}

// clean writes what is unsafe visibly; layout says what becomes of "\n", "\t".
func clean(s string, layout func(rune) string) string {
	var out strings.Builder
	out.Grow(len(s))
	for _, r := range s {
		switch {
		case r == '\n' || r == '\t':
			out.WriteString(layout(r))
		case r < ' ' || r == 0x7f:
			out.WriteByte('^')
			out.WriteByte(byte(r) ^ 0x40)
		case r < 0x7f:
			out.WriteByte(byte(r))
		case isUnsafe(r):
			fmt.Fprintf(&out, "<U+%04X>", r)
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

// isUnsafe tells of the characters beyond ASCII that move text, hide in it or
// are none.
func isUnsafe(r rune) bool {
	switch {
	case r <= 0x9f, r == 0x2028, r == 0x2029:
		return true
	case 0xfdd0 <= r && r <= 0xfdef, r&0xfffe == 0xfffe:
		return true
	case r == 0x00ad, r == 0x200c, r == 0x200d, unicode.Is(unicode.Prepended_Concatenation_Mark, r):
		return false
	case r == utf8.RuneError:
		return false
	}
	// Besides the format characters, all of plane 14 but its variation selectors.
	return unicode.Is(unicode.Cf, r) || 0xe0000 <= r && r <= 0xe0fff && !unicode.Is(unicode.Variation_Selector, r)
}
