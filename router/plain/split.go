package plain

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// minPart is the least length of a part that is of any use: every character fits in.
const minPart = 40

// Split cuts text into pieces that take at most limit bytes in any code page,
// between words where that is possible and never inside a character. Joined they
// are the text again. It returns nil if limit is too small to be of use.
func Split(text string, limit int) []string {
	if limit < minPart {
		return nil
	}
	var parts []string
	for {
		cut := fitting(text, limit)
		if cut == len(text) {
			return append(parts, text)
		}
		if space := strings.LastIndexAny(text[:cut], " \n"); space > cut/2 {
			cut = space + 1
		}
		parts = append(parts, text[:cut])
		text = text[cut:]
	}
}

// fitting returns the length of the longest beginning of text that takes at most
// limit bytes in any code page.
func fitting(text string, limit int) int {
	length := 0
	for i, c := range text {
		if length += widest(c); length > limit {
			return i
		}
	}
	return len(text)
}

// widest is the most bytes that a character takes on any route. The limit of a
// route counts bytes of its code page, which the router does not know: a line
// break may become two, and a character that the page lacks is spelled with
// others of up to two bytes, such as ½ as 1/2, and ﷺ as a whole sentence.
func widest(c rune) int {
	switch {
	case c == '\n':
		return 2
	case c < utf8.RuneSelf:
		return 1
	}
	spelled := 2 * utf8.RuneCountInString(norm.NFKD.String(string(c)))
	return max(utf8.RuneLen(c)+1, spelled)
}
