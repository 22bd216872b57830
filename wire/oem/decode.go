package oem

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Decode returns the text that came in one or several blocks (an SMB message
// brings it in pieces of at most 128 bytes). The blocks are joined first, so a
// character that is split over two of them is put together.
//
// Text that is valid UTF-8 is taken as UTF-8, as a whole or block by block; all
// else is text of the page. smbclient sends a block in which one character is
// outside the page as raw UTF-8, and its neighbours in the page. A byte order
// mark in front is dropped; bytes that stand for nothing become U+FFFD.
//
// Short text can be valid both ways: "там" in page 866 is also a Braille sign
// in UTF-8. Up to two characters are therefore not believed to be UTF-8 where
// the page makes words of them and UTF-8 makes unlikely signs.
func (p Page) Decode(blocks ...[]byte) string {
	text := bytes.Join(blocks, nil)
	if p.isUTF8(text) {
		return strings.TrimPrefix(string(text), "\ufeff")
	}
	var out strings.Builder
	out.Grow(len(text) + len(text)/4)
	open, done, end := 0, 0, 0 // text[open:done] is of the page and not yet decoded
	for _, block := range blocks {
		end += len(block)
		if end <= done { // all of it completed the character before
			continue
		}
		n := p.utf8Run(text, done, end)
		if n == 0 || open < done && isASCII(text[done:end]) { // may begin with a trail byte
			done = end
			continue
		}
		out.WriteString(p.charset().decode(text[open:done]))
		out.Write(text[done:n])
		open, done = n, n
	}
	out.WriteString(p.charset().decode(text[open:done]))
	return out.String()
}

// utf8Run returns the end of the UTF-8 that begins at start and fills the block
// up to end, or runs beyond it because the next block completes the last
// character. It returns 0 if the block is not UTF-8.
func (p Page) utf8Run(text []byte, start, end int) int {
	n := end
	for last := end - 1; last >= start && last > end-utf8.UTFMax; last-- {
		if utf8.RuneStart(text[last]) {
			_, size := utf8.DecodeRune(text[last:])
			n = max(end, last+size)
			break
		}
	}
	if !p.isUTF8(text[start:n]) {
		return 0
	}
	return n
}

// isUTF8 reports whether b is to be read as UTF-8 rather than as the page.
func (p Page) isUTF8(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	const certain = 3 // this many characters do not come out valid by chance
	n, unlikely := 0, p.charset().wide()
	for _, r := range string(b) {
		if r >= utf8.RuneSelf {
			n++
			unlikely = unlikely || !isCommon(r)
		}
	}
	if n == 0 || n >= certain || !unlikely {
		return true
	}
	return !isWords(p.charset().decode(b))
}

// isCommon reports whether r is expected from a sender of UTF-8 even alone: a
// letter of the scripts that the pages serve, an emoji, or a mark that word
// processors put in, such as a dash, a quotation mark or a currency sign.
func isCommon(r rune) bool {
	switch {
	case r < 0x100, 0x2010 <= r && r < 0x2060, 0x20A0 <= r && r < 0x20D0, 0x2100 <= r && r < 0x2150, r > 0xFFFF:
		return true
	}
	return unicode.In(r, unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Hebrew, unicode.Arabic)
}

// isWords reports whether s looks like words: beyond ASCII it has nothing but
// letters, no word mixes its cases as "тВм" does, and no ideograph stands
// between two letters of ASCII.
func isWords(s string) bool {
	for word := range strings.FieldsFuncSeq(s, func(r rune) bool { return r < utf8.RuneSelf && !unicode.IsLetter(r) }) {
		if !isWord([]rune(word)) {
			return false
		}
	}
	return true
}

func isWord(word []rune) bool {
	upper, lower := 0, 0
	for i, r := range word {
		switch {
		case r == utf8.RuneError || !unicode.In(r, unicode.Letter, unicode.Mark):
			return false
		case unicode.Is(unicode.Lo, r) && i > 0 && word[i-1] < utf8.RuneSelf && word[len(word)-1] < utf8.RuneSelf:
			return false
		case unicode.IsLower(r):
			lower++
		case unicode.IsUpper(r) && i > 0:
			upper++
		}
	}
	return upper == 0 || lower == 0
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
