// Package msgsvc reads and writes NetrSendMessage, the call by which the Messenger
// service hands messages over where NetBIOS fails (MS-MSRP 3.2.4).
package msgsvc

import (
	"fmt"

	"github.com/google/uuid"

	"messngr/wire/dcerpc"
	"messngr/wire/ndr"
)

// The limits in bytes of what Parse takes, without the NUL at the end. Message names
// have 15 bytes, but people write other things as well.
const (
	MaxName = 255
	MaxText = 65536
)

// Interface is msgsvcsend, which NetrSendMessage belongs to (MS-MSRP 1.9).
func Interface() dcerpc.Syntax {
	return dcerpc.Syntax{ID: uuid.MustParse("5a7b91f8-ff00-11d0-a9b2-00c04fb6e6fc"), Major: 1}
}

// SendMessage is the number of NetrSendMessage, the only procedure (MS-MSRP 3.2.4.1).
const SendMessage uint16 = 0

// A Message is what goes into NetrSendMessage: three strings in the code page of the
// sender's system, each a conformant and varying string of NDR. There is nothing between
// them but what aligns their counts, and nothing behind the last.
type Message struct {
	From, To, Text []byte
}

// Append appends the stub to b. The strings must not contain a NUL: it would end them.
func (m *Message) Append(b []byte, bigEndian bool) []byte {
	w := ndr.NewWriter(b, bigEndian)
	w.String(m.From)
	w.String(m.To)
	w.String(m.Text)
	return w.Data()
}

// Parse reads a stub. The strings are parts of it. They end at their first NUL, since
// senders declare more than they fill (16 bytes for "ALERT"). Strings that are declared
// to be longer than MaxName and MaxText, or that do not fit, are an error. What follows
// the last string is padding, of which some senders have a little.
func Parse(stub []byte, bigEndian bool) (Message, error) {
	r := ndr.NewReader(stub, bigEndian)
	m := Message{From: r.String(MaxName + 1), To: r.String(MaxName + 1), Text: r.String(MaxText + 1)}
	if err := r.Err(); err != nil {
		return Message{}, fmt.Errorf("msgsvc: %w", err)
	}
	if n := len(r.Rest()); n > maxPadding {
		return Message{}, fmt.Errorf("msgsvc: %d bytes follow the message", n)
	}
	return m, nil
}

// maxPadding is how much may follow the last string: what aligns it to eight bytes.
const maxPadding = 7

// AppendStatus appends the stub that comes out of NetrSendMessage.
func AppendStatus(b []byte, s Status, bigEndian bool) []byte {
	w := ndr.NewWriter(b, bigEndian)
	w.Uint32(uint32(s))
	return w.Data()
}

// ParseStatus reads the stub that comes out of NetrSendMessage.
func ParseStatus(stub []byte, bigEndian bool) (Status, error) {
	r := ndr.NewReader(stub, bigEndian)
	s := Status(r.Uint32())
	if err := r.Err(); err != nil {
		return 0, fmt.Errorf("msgsvc: status: %w", err)
	}
	return s, nil
}
