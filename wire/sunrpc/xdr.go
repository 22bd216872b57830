package sunrpc

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// errShort is data that ends too early.
var errShort = errors.New("data is cut short")

// A reader reads XDR: everything is big-endian and padded to four bytes (RFC 4506 3).
// Its first error stays, and what is read after it is zero. Padding may hold anything,
// since some senders do not clear it.
type reader struct {
	data []byte
	err  error
}

// bytes reads n bytes and the padding behind them.
func (r *reader) bytes(n int) []byte {
	if r.err != nil {
		return nil
	}
	padded := n + -n&3
	if n < 0 || padded > len(r.data) {
		r.err = errShort
		return nil
	}
	b := r.data[:n:n]
	r.data = r.data[padded:]
	return b
}

// uint32 reads an unsigned integer, or an enumeration (RFC 4506 4.2, 4.3).
func (r *reader) uint32() uint32 {
	if b := r.bytes(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// opaque reads bytes of variable length, or a string (RFC 4506 4.10, 4.11).
func (r *reader) opaque(limit int) []byte {
	n := r.uint32()
	if r.err == nil && int64(n) > int64(limit) {
		r.err = fmt.Errorf("%d bytes where at most %d may be", n, limit)
	}
	return r.bytes(int(n))
}

// appendOpaque writes bytes of variable length, or a string.
func appendOpaque(b, data []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	b = append(b, data...)
	for range -len(data) & 3 {
		b = append(b, 0)
	}
	return b
}

// ParseString reads the arguments or results of a procedure that has one string. The
// string ends where its length says, or at its first NUL, since programs in C see no more
// of it. What follows it is passed over.
func ParseString(b []byte, limit int) ([]byte, error) {
	r := reader{data: b}
	s := r.opaque(limit)
	if r.err != nil {
		return nil, fmt.Errorf("sunrpc: string: %w", r.err)
	}
	for i, c := range s {
		if c == 0 {
			return s[:i:i], nil
		}
	}
	return s, nil
}

// AppendString writes the arguments or results of a procedure that has one string.
func AppendString(b, s []byte) []byte { return appendOpaque(b, s) }

// ParseUint32 reads the results of a procedure that returns an integer, or a truth value,
// which is 0 or 1 (RFC 4506 4.4).
func ParseUint32(b []byte) (uint32, error) {
	r := reader{data: b}
	n := r.uint32()
	if r.err != nil {
		return 0, fmt.Errorf("sunrpc: integer: %w", r.err)
	}
	return n, nil
}

// AppendUint32 writes the results of a procedure that returns an integer.
func AppendUint32(b []byte, n uint32) []byte { return binary.BigEndian.AppendUint32(b, n) }
