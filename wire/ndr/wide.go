package ndr

import (
	"fmt"
	"unicode/utf16"
)

// Pointer reads a unique pointer, and reports whether it points to anything: that
// follows behind the structure in which the pointer stands (C706 14.3.12.2).
func (r *Reader) Pointer() bool {
	return r.Uint32() != 0
}

// WString reads a conformant and varying string of UTF-16, such as a parameter of type
// [string] wchar_t*. It is written as String has it, but its counts are of characters of
// two bytes. What it returns ends before the first NUL.
func (r *Reader) WString(limit int) string {
	maximum, offset, actual := r.Uint32(), r.Uint32(), r.Uint32()
	switch {
	case r.err != nil:
		return ""
	case int64(maximum) > int64(limit):
		r.err = fmt.Errorf("ndr: string of up to %d characters, %d is the limit", maximum, limit)
	case offset != 0 || actual > maximum:
		r.err = fmt.Errorf("ndr: string has %d characters at offset %d of %d", actual, offset, maximum)
	case int64(actual)*2 > int64(len(r.data)-r.off):
		r.err = fmt.Errorf("ndr: string of %d characters: %w", actual, ErrShort)
	}
	if r.err != nil {
		return ""
	}
	units := make([]uint16, 0, actual)
	for range actual {
		u := r.Uint16()
		if u == 0 {
			r.Bytes(2 * (int(actual) - len(units) - 1))
			break
		}
		units = append(units, u)
	}
	return string(utf16.Decode(units))
}

// Pointer writes a unique pointer, to something or to nothing.
func (w *Writer) Pointer(present bool) {
	w.Align(4)
	id := uint32(0)
	if present {
		id = 0x00020000 + uint32(w.Len()) // no two are the same in one stub
	}
	w.Uint32(id)
}

// WString writes a conformant and varying string of UTF-16; see Reader.WString. The
// counts include the NUL that it adds. No padding follows.
func (w *Writer) WString(s string) {
	units := append(utf16.Encode([]rune(s)), 0)
	w.Uint32(uint32(len(units)))
	w.Uint32(0)
	w.Uint32(uint32(len(units)))
	for _, u := range units {
		w.Uint16(u)
	}
}
