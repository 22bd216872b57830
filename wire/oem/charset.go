package oem

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// charset is the table of one page. In each of them 0x00 to 0x7F is ASCII.
type charset interface {
	// decode returns the text of b, U+FFFD for what the page does not have.
	decode(b []byte) string
	// appendRune appends the bytes of r, or returns b unchanged and false.
	appendRune(b []byte, r rune) ([]byte, bool)
	// wide reports whether a character may take two bytes.
	wide() bool
}

// single is a single-byte page that golang.org/x/text has.
type single struct{ page *charmap.Charmap }

func (s single) decode(b []byte) string { return decodeBytes(b, s.page.DecodeByte) }

func (s single) appendRune(b []byte, r rune) ([]byte, bool) {
	if c, ok := s.page.EncodeRune(r); ok {
		return append(b, c), true
	}
	return b, false
}

func (single) wide() bool { return false }

// table is a single-byte page of our own.
type table struct {
	high  [128]rune
	bytes map[rune]byte
}

func newTable(high string) *table {
	t := &table{bytes: make(map[rune]byte, 128)}
	i := 0
	for _, r := range high {
		t.high[i] = r
		if r != utf8.RuneError {
			t.bytes[r] = byte(0x80 + i)
		}
		i++
	}
	return t
}

func (t *table) decode(b []byte) string {
	return decodeBytes(b, func(c byte) rune {
		if c < 0x80 {
			return rune(c)
		}
		return t.high[c-0x80]
	})
}

func (t *table) appendRune(b []byte, r rune) ([]byte, bool) {
	if r >= 0 && r < 0x80 {
		return append(b, byte(r)), true
	}
	if c, ok := t.bytes[r]; ok {
		return append(b, c), true
	}
	return b, false
}

func (*table) wide() bool { return false }

// decodeBytes composes, since page 1258 writes some accents behind their letter.
func decodeBytes(b []byte, char func(byte) rune) string {
	var s strings.Builder
	s.Grow(len(b))
	for _, c := range b {
		s.WriteRune(char(c))
	}
	return norm.NFC.String(s.String())
}

// ascii is the page without an upper half.
type ascii struct{}

func (ascii) decode(b []byte) string {
	return decodeBytes(b, func(c byte) rune {
		if c < utf8.RuneSelf {
			return rune(c)
		}
		return utf8.RuneError
	})
}

func (ascii) appendRune(b []byte, r rune) ([]byte, bool) {
	if r >= 0 && r < utf8.RuneSelf {
		return append(b, byte(r)), true
	}
	return b, false
}

func (ascii) wide() bool { return false }

// double is a page of one- and two-byte characters.
type double struct{ page encoding.Encoding }

func (d double) decode(b []byte) string {
	s, err := d.page.NewDecoder().Bytes(b)
	if err != nil { // the decoders of these pages replace and go on
		return strings.ToValidUTF8(string(b), "\ufffd")
	}
	return string(s)
}

func (d double) appendRune(b []byte, r rune) ([]byte, bool) {
	var src, dst [utf8.UTFMax]byte
	n, _, err := d.page.NewEncoder().Transformer.Transform(dst[:], src[:utf8.EncodeRune(src[:], r)], true)
	// A page that writes another character for r (¥ as a backslash) has not r.
	if err != nil || d.decode(dst[:n]) != string(r) {
		return b, false
	}
	return append(b, dst[:n]...), true
}

func (double) wide() bool { return true }
