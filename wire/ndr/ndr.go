// Package ndr reads and writes the little of the Network Data Representation that
// our calls need: integers, UUIDs and strings, each aligned to its size, in either
// order of bytes (C706 14, MS-RPCE 2.2.5).
package ndr

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// ErrShort is wrapped by the error of a Reader whose data ended too early.
var ErrShort = errors.New("data is cut short")

// A Reader reads values one after the other. Its first error stays, and everything
// that is read after it is zero. It allocates nothing; what it returns as bytes is
// part of the data that it reads.
type Reader struct {
	data []byte
	off  int
	big  bool
	err  error
}

// NewReader returns a reader of data, which begins at an aligned place. Integers are
// big-endian or little-endian as bigEndian says.
func NewReader(data []byte, bigEndian bool) Reader {
	return Reader{data: data, big: bigEndian}
}

// Err returns the first error.
func (r *Reader) Err() error {
	return r.err
}

// Rest returns what has not been read.
func (r *Reader) Rest() []byte {
	return r.data[r.off:]
}

// Align skips to the next multiple of n. Padding that is missing at the very end of
// the data is no error.
func (r *Reader) Align(n int) {
	r.off = min(len(r.data), (r.off+n-1)/n*n)
}

// Bytes reads n bytes as they are.
func (r *Reader) Bytes(n int) []byte {
	if r.err == nil && (n < 0 || n > len(r.data)-r.off) {
		r.err = fmt.Errorf("ndr: %d bytes at %d of %d: %w", n, r.off, len(r.data), ErrShort)
	}
	if r.err != nil {
		return nil
	}
	b := r.data[r.off : r.off+n : r.off+n]
	r.off += n
	return b
}

// Uint8 reads one byte.
func (r *Reader) Uint8() uint8 {
	if b := r.Bytes(1); b != nil {
		return b[0]
	}
	return 0
}

// Uint16 reads an integer of two bytes.
func (r *Reader) Uint16() uint16 {
	r.Align(2)
	b := r.Bytes(2)
	switch {
	case b == nil:
		return 0
	case r.big:
		return binary.BigEndian.Uint16(b)
	default:
		return binary.LittleEndian.Uint16(b)
	}
}

// Uint32 reads an integer of four bytes.
func (r *Reader) Uint32() uint32 {
	r.Align(4)
	b := r.Bytes(4)
	switch {
	case b == nil:
		return 0
	case r.big:
		return binary.BigEndian.Uint32(b)
	default:
		return binary.LittleEndian.Uint32(b)
	}
}

// UUID reads a UUID: its first three fields are integers (C706 A.1).
func (r *Reader) UUID() uuid.UUID {
	r.Align(4)
	b := r.Bytes(16)
	if b == nil {
		return uuid.UUID{}
	}
	return swap(uuid.UUID(b), r.big)
}

// String reads a conformant and varying string of bytes, such as a parameter of type
// [string] char* (C706 14.3.4.2):
//
//	0  maximum count   u32   at most limit
//	4  offset          u32   0
//	8  actual count    u32   at most the maximum
//	12 bytes, with a NUL at their end
//
// What it returns ends before the first NUL, since senders may count more than the
// text has. A string without a NUL is taken as a whole. Counts that do not fit each
// other, the limit or the data are an error, whatever the bytes are.
func (r *Reader) String(limit int) []byte {
	maximum, offset, actual := r.Uint32(), r.Uint32(), r.Uint32()
	switch {
	case r.err != nil:
		return nil
	case int64(maximum) > int64(limit):
		r.err = fmt.Errorf("ndr: string of up to %d bytes, %d is the limit", maximum, limit)
	case offset != 0 || actual > maximum:
		r.err = fmt.Errorf("ndr: string has %d bytes at offset %d of %d", actual, offset, maximum)
	}
	b := r.Bytes(int(actual))
	for i, c := range b {
		if c == 0 {
			return b[:i:i]
		}
	}
	return b
}

// A Writer appends values one after the other to a slice. The zero Writer writes
// little-endian integers to a new slice.
type Writer struct {
	buf  []byte
	base int // where alignment is counted from
	big  bool
}

// NewWriter returns a writer that appends to b, whose end is an aligned place.
func NewWriter(b []byte, bigEndian bool) Writer {
	return Writer{buf: b, base: len(b), big: bigEndian}
}

// Data returns the slice with everything that was written.
func (w *Writer) Data() []byte {
	return w.buf
}

// Len returns how many bytes were written.
func (w *Writer) Len() int {
	return len(w.buf) - w.base
}

// Align writes zeros up to the next multiple of n.
func (w *Writer) Align(n int) {
	for w.Len()%n != 0 {
		w.buf = append(w.buf, 0)
	}
}

// Bytes writes b as it is.
func (w *Writer) Bytes(b []byte) {
	w.buf = append(w.buf, b...)
}

// Uint8 writes one byte.
func (w *Writer) Uint8(v uint8) {
	w.buf = append(w.buf, v)
}

// Uint16 writes an integer of two bytes.
func (w *Writer) Uint16(v uint16) {
	w.Align(2)
	if w.big {
		w.buf = binary.BigEndian.AppendUint16(w.buf, v)
	} else {
		w.buf = binary.LittleEndian.AppendUint16(w.buf, v)
	}
}

// Uint32 writes an integer of four bytes.
func (w *Writer) Uint32(v uint32) {
	w.Align(4)
	if w.big {
		w.buf = binary.BigEndian.AppendUint32(w.buf, v)
	} else {
		w.buf = binary.LittleEndian.AppendUint32(w.buf, v)
	}
}

// UUID writes a UUID.
func (w *Writer) UUID(id uuid.UUID) {
	w.Align(4)
	id = swap(id, w.big)
	w.buf = append(w.buf, id[:]...)
}

// String writes a conformant and varying string of bytes; see Reader.String. The
// counts include the NUL that it adds. No padding follows.
func (w *Writer) String(b []byte) {
	n := uint32(len(b) + 1)
	w.Uint32(n)
	w.Uint32(0)
	w.Uint32(n)
	w.Bytes(b)
	w.Uint8(0)
}

// swap turns a UUID on the wire into the order of its text, and back.
func swap(id uuid.UUID, bigEndian bool) uuid.UUID {
	if !bigEndian {
		id[0], id[1], id[2], id[3] = id[3], id[2], id[1], id[0]
		id[4], id[5] = id[5], id[4]
		id[6], id[7] = id[7], id[6]
	}
	return id
}
