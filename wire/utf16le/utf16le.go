// Package utf16le writes text as Windows keeps it: in UTF-16, the lower byte of each unit
// first (MS-DTYP 2.1.1).
package utf16le

import (
	"encoding/binary"
	"unicode/utf16"
)

// Encode returns text, with nothing behind it. What is not UTF-8 becomes U+FFFD.
func Encode(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// Decode returns the text that b begins with: up to its first NUL, or to its end. Half a
// pair of surrogates becomes U+FFFD; half a unit at the end is passed over.
func Decode(b []byte) string {
	var units []uint16
	for ; len(b) >= 2; b = b[2:] {
		u := binary.LittleEndian.Uint16(b)
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return string(utf16.Decode(units))
}
