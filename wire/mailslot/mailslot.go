// Package mailslot reads and writes what a message looks like inside of a write to the
// mailslot of the Messenger service (MS-MSRP 2.2.4):
//
//	From 00 To 00 Text 00
//
// All three are in the sender's OEM code page and stay raw bytes here.
package mailslot

import (
	"bytes"
	"errors"
	"fmt"
)

// Name is the name of the Messenger service's mailslot. Capital and small letters do not
// differ in names of mailslots (MS-MAIL 2.2.1).
const Name = `\MAILSLOT\MESSNGR`

const (
	// MaxSend is the longest message in bytes, its three zero bytes included, that
	// Windows can send and is sure to take (MS-MAIL: 432 less the rounded name).
	MaxSend = 424
	// MaxText is the longest text in bytes that Windows sends to a group. Windows 3.x
	// and 9x are only known to take so much.
	MaxText = 128
	// overhead is what the three strings need beside their bytes.
	overhead = 3
)

// Message is one message. From is who sends it and To whom, as the sender typed it: a
// name, a workgroup, or "*".
type Message struct {
	From, To, Text []byte
}

// Parse reads one message. What it returns refers to b.
//
// Deliberately lax: some senders leave out the last zero byte, so the text also ends
// where the data do; and what follows it, such as the rest of a buffer, is ignored.
func Parse(b []byte) (Message, error) {
	from, rest, ok := bytes.Cut(b, []byte{0})
	if !ok {
		return Message{}, errors.New("mailslot: name of the sender has no end")
	}
	to, rest, ok := bytes.Cut(rest, []byte{0})
	if !ok {
		return Message{}, errors.New("mailslot: name of the recipient has no end")
	}
	text, _, _ := bytes.Cut(rest, []byte{0})
	return Message{From: from, To: to, Text: text}, nil
}

// Len returns the length of the encoded message in bytes.
func (m Message) Len() int { return len(m.From) + len(m.To) + len(m.Text) + overhead }

// Append appends the message to b. It is an error if one of its parts contains a zero
// byte, or if all of it is longer than MaxSend.
func (m Message) Append(b []byte) ([]byte, error) {
	if n := m.Len(); n > MaxSend {
		return b, fmt.Errorf("mailslot: message of %d bytes, at most %d are possible", n, MaxSend)
	}
	parts := [...][]byte{m.From, m.To, m.Text}
	for _, part := range parts {
		if bytes.IndexByte(part, 0) >= 0 {
			return b, fmt.Errorf("mailslot: %q contains a zero byte", part)
		}
	}
	for _, part := range parts {
		b = append(b, part...)
		b = append(b, 0)
	}
	return b, nil
}
