// Package linpopup reads and writes the message file of LinPopUp and
// LinPopUp 2, /var/lib/linpopup/messages.dat.
//
// The file is an array of C structures as the compiler of the machine laid
// them out (src/protos.h, struct linpopup_message), little-endian:
//
//	                  64 bits   32 bits
//	time_t time             0         0
//	char sender[100]        8         4
//	char host[100]        108       104
//	char to[100]          208       204
//	char text[1700]       308       304
//	char is_new          2008      2004
//	char unused[1992]    2009      2005
//	size                 4008      4000
package linpopup

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Layout is how the records of a file are laid out.
type Layout uint8

// The layouts, by the size of time_t.
const (
	Bits64 Layout = iota
	Bits32
)

// The fields' sizes.
const (
	nameSize = 100
	textSize = 1700
)

// ErrFormat says that the bytes are no such file.
var ErrFormat = errors.New("linpopup: not a message file of LinPopUp")

// Record is one message. The strings are bytes in whatever charset Samba had
// for its "unix charset" then, without the zero byte that ends them. In the
// text 0x14 is a line break.
type Record struct {
	// Sent is when Samba handed the message over, in whole seconds.
	Sent             time.Time
	Sender, Host, To string // at most 99 bytes
	Text             string // at most 1,700 bytes; LinPopUp itself writes over the flag New if there are so many
	// New says that nobody has looked at it.
	New bool
}

// start is the offset of the first field after the time.
func (l Layout) start() int {
	if l == Bits32 {
		return 4
	}
	return 8
}

// Size is the size of one record.
func (l Layout) Size() int {
	if l == Bits32 {
		return 4000
	}
	return 4008
}

// String returns the layout as people call it.
func (l Layout) String() string {
	if l == Bits32 {
		return "32 bits"
	}
	return "64 bits"
}

// Parse reads a whole file. It finds the layout by the file's size and, where
// both sizes fit, by what makes sense. A file without records has none. It
// returns ErrFormat if it is no such file; a record cut off at the end, as a
// crash leaves it, makes it none either.
func Parse(b []byte) ([]Record, Layout, error) {
	for _, l := range []Layout{Bits64, Bits32} {
		if len(b)%l.Size() != 0 {
			continue
		}
		if records, ok := parse(b, l); ok {
			return records, l, nil
		}
	}
	return nil, 0, fmt.Errorf("%w: %d bytes", ErrFormat, len(b))
}

func parse(b []byte, l Layout) ([]Record, bool) {
	records := make([]Record, 0, len(b)/l.Size())
	for ; len(b) > 0; b = b[l.Size():] {
		r, ok := parseRecord(b[:l.Size()], l)
		if !ok {
			return nil, false
		}
		records = append(records, r)
	}
	return records, true
}

// The times that make sense: 1990 and 2100. LinPopUp appeared in 1998, and a
// time of 32 bits ends in 2038.
const earliest, latest = 631152000, 4102444800

func parseRecord(b []byte, l Layout) (r Record, ok bool) {
	at := l.start()
	seconds := int64(int32(binary.LittleEndian.Uint32(b)))
	if l == Bits64 {
		seconds = int64(binary.LittleEndian.Uint64(b))
	}
	r.Sent = time.Unix(seconds, 0).UTC()
	if seconds < earliest || seconds > latest {
		return r, false
	}
	field := func(size int) []byte {
		f := b[at : at+size]
		at += size
		return f
	}
	for _, name := range []*string{&r.Sender, &r.Host, &r.To} {
		s, _, ended := bytes.Cut(field(nameSize), []byte{0})
		if !ended {
			return r, false
		}
		*name = string(s)
	}
	text, _, _ := bytes.Cut(field(textSize), []byte{0})
	r.Text = string(text)
	flag := field(1)[0]
	r.New = flag == 1
	return r, flag <= 1
}

// Append writes the record to the end of b. It returns an error if a field has
// no room for its string, or if the string has a zero byte.
func (r Record) Append(b []byte, l Layout) ([]byte, error) {
	start := len(b)
	b = append(b, make([]byte, l.Size())...)
	out := b[start:]
	if l == Bits32 {
		binary.LittleEndian.PutUint32(out, uint32(r.Sent.Unix()))
	} else {
		binary.LittleEndian.PutUint64(out, uint64(r.Sent.Unix()))
	}
	at := l.start()
	for _, f := range []struct {
		value      string
		size, most int
	}{{r.Sender, nameSize, nameSize - 1}, {r.Host, nameSize, nameSize - 1}, {r.To, nameSize, nameSize - 1}, {r.Text, textSize, textSize}} {
		if len(f.value) > f.most || bytes.IndexByte([]byte(f.value), 0) >= 0 {
			return b[:start], fmt.Errorf("linpopup: a string of %d bytes does not fit into a field of %d", len(f.value), f.size)
		}
		copy(out[at:], f.value)
		at += f.size
	}
	if r.New {
		out[at] = 1
	}
	return b, nil
}
