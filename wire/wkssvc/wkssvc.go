// Package wkssvc understands the one call of the Workstation service that a messenger
// needs: NetrMessageBufferSend, by which a machine is asked over the pipe \PIPE\wkssvc to
// send a message (Samba's librpc/idl/wkssvc.idl).
package wkssvc

import (
	"fmt"

	"github.com/google/uuid"

	"messngr/wire/dcerpc"
	"messngr/wire/ndr"
	"messngr/wire/utf16le"
)

// Pipe is where the calls are made, as the servers of pipes spell it.
const Pipe = "wkssvc"

// MessageBufferSend is the number of the procedure.
const MessageBufferSend uint16 = 12

// The limits of what is read: names in characters with the NUL at the end, the text in
// bytes.
const (
	maxName = 256
	MaxText = 65536
)

// Interface is wkssvc (MS-WKST 1.9).
func Interface() dcerpc.Syntax {
	return dcerpc.Syntax{ID: uuid.MustParse("6bffd098-a112-3610-9833-46c3f87e345a"), Major: 1}
}

// A Message is what goes into NetrMessageBufferSend:
//
//	server  -> string
//	to      string
//	from    -> string
//	text    size u32, bytes of UTF-16
//	size    u32
//
// Names are conformant and varying strings of UTF-16; -> is a unique pointer.
type Message struct {
	Server, To string
	// From is the name that it is to be sent under; "" where there is none.
	From string
	// Text is in UTF-16 in the order of bytes of the caller's system, which is
	// little-endian, whatever the call's. It may end with a NUL.
	Text []byte
}

// Parse reads a stub.
func Parse(stub []byte, bigEndian bool) (Message, error) {
	r := ndr.NewReader(stub, bigEndian)
	var m Message
	if r.Pointer() {
		m.Server = r.WString(maxName)
	}
	m.To = r.WString(maxName)
	if r.Pointer() {
		m.From = r.WString(maxName)
	}
	size := r.Uint32()
	if r.Err() == nil && size > MaxText {
		return Message{}, fmt.Errorf("wkssvc: text of %d bytes, %d is the limit", size, MaxText)
	}
	m.Text = r.Bytes(int(size))
	if again := r.Uint32(); r.Err() == nil && again != size {
		return Message{}, fmt.Errorf("wkssvc: text of %d and %d bytes", size, again)
	}
	if err := r.Err(); err != nil {
		return Message{}, fmt.Errorf("wkssvc: %w", err)
	}
	return m, nil
}

// Append writes the stub.
func (m *Message) Append(b []byte, bigEndian bool) []byte {
	w := ndr.NewWriter(b, bigEndian)
	w.Pointer(m.Server != "")
	if m.Server != "" {
		w.WString(m.Server)
	}
	w.WString(m.To)
	w.Pointer(m.From != "")
	if m.From != "" {
		w.WString(m.From)
	}
	w.Uint32(uint32(len(m.Text)))
	w.Bytes(m.Text)
	w.Uint32(uint32(len(m.Text)))
	return w.Data()
}

// DecodeText turns the text of a Message into UTF-8. It ends at the first NUL.
func DecodeText(b []byte) string {
	return utf16le.Decode(b)
}

// EncodeText is the inverse of DecodeText. It adds a NUL.
func EncodeText(s string) []byte {
	return append(utf16le.Encode(s), 0, 0)
}
