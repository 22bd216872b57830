package oem

import (
	"slices"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Encode returns s in the page and whether anything was lost. A character that
// the page lacks is written in the nearest way: without its accent, as the
// letters that stand for it (the euro sign as EUR, typographic quotes and
// dashes as those of ASCII), and else as "?". Invalid UTF-8 becomes "?" as well.
// ASCII is always itself. Composed and decomposed text give the same bytes.
func (p Page) Encode(s string) (b []byte, lossy bool) {
	set := p.charset()
	b = make([]byte, 0, len(s))
	for n := 0; len(s) > 0; s = s[n:] {
		if s[0] < utf8.RuneSelf && (len(s) == 1 || s[1] < utf8.RuneSelf) {
			b, n = append(b, s[0]), 1
			continue
		}
		// A character with the accents that follow it. As it is first: the page
		// may have what normalisation would replace, such as the ångström sign.
		n = norm.NFC.NextBoundaryInString(s, true)
		var ok bool
		if b, ok = appendAll(b, set, s[:n]); ok {
			continue
		}
		for _, r := range norm.NFC.String(s[:n]) {
			var exact bool
			if b, exact = appendExact(b, set, r); !exact {
				b, lossy = appendNearest(b, set, r), true
			}
		}
	}
	return b, lossy
}

// appendAll appends all of s, or returns b as it was and false.
func appendAll(b []byte, set charset, s string) ([]byte, bool) {
	n := len(b)
	for _, r := range s {
		var ok bool
		if b, ok = set.appendRune(b, r); !ok || r == utf8.RuneError {
			return b[:n], false
		}
	}
	return b, true
}

// appendExact appends r, or returns b as it was and false. A page that has
// accents of their own, as 1258 for Vietnamese, may write one of the accents
// apart from the letter.
func appendExact(b []byte, set charset, r rune) ([]byte, bool) {
	if r == utf8.RuneError {
		return b, false
	}
	b, ok := set.appendRune(b, r)
	if ok || r < utf8.RuneSelf {
		return b, ok
	}
	parts := []rune(norm.NFD.String(string(r)))
	for i := 1; i < len(parts); i++ {
		letter := []rune(norm.NFC.String(string(slices.Delete(slices.Clone(parts), i, i+1))))
		if len(letter) != 1 || norm.NFC.String(string([]rune{letter[0], parts[i]})) != string(r) {
			continue
		}
		whole, okLetter := set.appendRune(b, letter[0])
		whole, okAccent := set.appendRune(whole, parts[i])
		if okLetter && okAccent {
			return whole, true
		}
	}
	return b, false
}

// appendNearest appends what comes nearest to r in a page that lacks it.
func appendNearest(b []byte, set charset, r rune) []byte {
	if s, ok := nearest(r); ok {
		return append(b, s...)
	}
	if r == utf8.RuneError {
		return append(b, '?')
	}
	n := len(b)
	for _, part := range norm.NFKD.String(string(r)) {
		if unicode.Is(unicode.Mn, part) {
			continue
		}
		if s, ok := nearest(part); ok {
			b = append(b, s...)
			continue
		}
		var ok bool
		if b, ok = set.appendRune(b, part); !ok {
			return append(b[:n], '?')
		}
	}
	return b
}

// nearest spells r in ASCII where Unicode's own decompositions do not.
func nearest(r rune) (s string, ok bool) {
	if s, ok = nearestSign(r); !ok {
		s, ok = nearestLetter(r)
	}
	return s, ok
}

func nearestSign(r rune) (s string, ok bool) {
	switch r {
	case '€':
		return "EUR", true
	case '‘', '’', '‚', '‛', '′', '´':
		return "'", true
	case '‹':
		return "<", true
	case '›':
		return ">", true
	case '“', '”', '„', '‟', '«', '»', '″':
		return `"`, true
	case '‐', '‑', '‒', '–', '—', '―', '−':
		return "-", true
	case '•', '·', '‣', '∙', '●':
		return "*", true
	case '⁄', '÷':
		return "/", true
	case '×':
		return "x", true
	case '→', '⇒':
		return "->", true
	case '←', '⇐':
		return "<-", true
	case '≤':
		return "<=", true
	case '≥':
		return ">=", true
	case '≠':
		return "!=", true
	case '©':
		return "(C)", true
	case '®':
		return "(R)", true
	case '£':
		return "GBP", true
	case '¥':
		return "JPY", true
	case '\u00ad', '\u200b', '\u200c', '\u200d', '\u2060', '\ufeff':
		return "", true
	}
	return "", false
}

func nearestLetter(r rune) (s string, ok bool) {
	switch r {
	case 'ß':
		return "ss", true
	case 'ẞ':
		return "SS", true
	case 'æ':
		return "ae", true
	case 'Æ':
		return "AE", true
	case 'œ':
		return "oe", true
	case 'Œ':
		return "OE", true
	case 'ø':
		return "o", true
	case 'Ø':
		return "O", true
	case 'ł':
		return "l", true
	case 'Ł':
		return "L", true
	case 'đ', 'ð':
		return "d", true
	case 'Đ', 'Ð':
		return "D", true
	case 'þ':
		return "th", true
	case 'Þ':
		return "Th", true
	case 'ı':
		return "i", true
	}
	return "", false
}
