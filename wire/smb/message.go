package smb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// MaxBlock is the longest text in bytes that a receiver has to take in one block
// (MS-MSRP 2.2.3). Windows sends exactly so much, smbclient one byte less.
const MaxBlock = 128

// What the parts of a body begin with (MS-CIFS 2.2.1).
const (
	formatData   = 0x01 // length of 2 bytes and the data
	formatString = 0x04 // bytes up to a zero byte
)

// Single is a whole message in one packet, SEND_MESSAGE (MS-MSRP 2.2.3):
//
//	00  | count | 04 From 00 | 04 To 00 | 01 length Text
//
// The obsolete SEND_BROADCAST_MESSAGE is read in the same form, with or without To.
type Single struct {
	// Broadcast makes the command SendBroadcast.
	Broadcast bool
	// From and To are names as their sender typed them. To is nil in a broadcast that
	// has none.
	From, To []byte
	Text     []byte
}

// Start begins a message of several blocks, SEND_START_MB_MESSAGE (MS-MSRP 2.2.3):
//
//	00  | count | 04 From 00 | 04 To 00
type Start struct {
	From, To []byte
}

// Text is the next block of a message, SEND_TEXT_MB_MESSAGE (MS-MSRP 2.2.3):
//
//	01 group | count | 01 length Text
type Text struct {
	// Group is the number that the answer to Start gave, zero if it gave none.
	Group uint16
	Text  []byte
}

// End ends a message, SEND_END_MB_MESSAGE (MS-MSRP 2.2.3):
//
//	01 group | 0
type End struct {
	// Group is as in Text.
	Group uint16
}

// Single reads the body of SendSingle and of SendBroadcast.
func (p Packet) Single() (Single, error) {
	if err := p.checkWords(0); err != nil {
		return Single{}, err
	}
	m := Single{Broadcast: p.Header.Command == SendBroadcast}
	var rest []byte
	var err error
	if m.Broadcast && p.lacksRecipient() {
		m.From, rest, err = cutString(p.Data, formatString)
	} else {
		m.From, m.To, rest, err = p.names()
	}
	if err != nil {
		return Single{}, err
	}
	if m.Text, err = parseText(rest); err != nil {
		return Single{}, err
	}
	return m, nil
}

// lacksRecipient reports whether the text follows the first name at once.
func (p Packet) lacksRecipient() bool {
	_, rest, err := cutString(p.Data, formatString)
	return err == nil && len(rest) > 0 && rest[0] == formatData
}

// Start reads the body of SendStart.
func (p Packet) Start() (Start, error) {
	if err := p.checkWords(0); err != nil {
		return Start{}, err
	}
	from, to, rest, err := p.names()
	if err != nil {
		return Start{}, err
	}
	if !isPadding(rest) {
		return Start{}, fmt.Errorf("smb: %d bytes behind the names", len(rest))
	}
	return Start{From: from, To: to}, nil
}

// Text reads the body of SendText.
func (p Packet) Text() (Text, error) {
	if err := p.checkWords(1); err != nil {
		return Text{}, err
	}
	text, err := parseText(p.Data)
	if err != nil {
		return Text{}, err
	}
	return Text{Group: binary.LittleEndian.Uint16(p.Words), Text: text}, nil
}

// End reads the body of SendEnd.
func (p Packet) End() (End, error) {
	if err := p.checkWords(1); err != nil {
		return End{}, err
	}
	if !isPadding(p.Data) {
		return End{}, fmt.Errorf("smb: %d bytes in the end of a message", len(p.Data))
	}
	return End{Group: binary.LittleEndian.Uint16(p.Words)}, nil
}

// Group returns the number that the answer to a Start gave to the message. Windows
// gives one, smbd does not: then it is zero, and so is the number to use.
func (p Packet) Group() uint16 {
	if len(p.Words) < 2 {
		return 0
	}
	return binary.LittleEndian.Uint16(p.Words)
}

// Append appends the packet that has the header h, whose command is set. It is an error
// if a name contains a zero byte or if all is too long for one packet; more than
// MaxBlock bytes of text are possible, but few receivers take them.
func (m Single) Append(b []byte, h Header) ([]byte, error) {
	names := [][]byte{m.From, m.To}
	h.Command = SendSingle
	if m.Broadcast {
		h.Command = SendBroadcast
		if m.To == nil {
			names = names[:1]
		}
	}
	size := len(m.Text) + 3 + sizeOf(names)
	if err := checkNames(names, size); err != nil {
		return b, err
	}
	b = h.appendHead(b, size)
	b = appendNames(b, names)
	return appendText(b, m.Text), nil
}

// Append appends the packet that has the header h, whose command is set. It is an error
// if a name contains a zero byte or if all is too long for one packet.
func (m Start) Append(b []byte, h Header) ([]byte, error) {
	names := [][]byte{m.From, m.To}
	size := sizeOf(names)
	if err := checkNames(names, size); err != nil {
		return b, err
	}
	h.Command = SendStart
	b = h.appendHead(b, size)
	return appendNames(b, names), nil
}

// Append appends the packet that has the header h, whose command is set. It is an error
// if the text is too long for one packet; more than MaxBlock bytes are possible, but few
// receivers take them.
func (m Text) Append(b []byte, h Header) ([]byte, error) {
	size := len(m.Text) + 3
	if err := checkSize(size); err != nil {
		return b, err
	}
	h.Command = SendText
	b = h.appendHead(b, size, m.Group)
	return appendText(b, m.Text), nil
}

// Append appends the packet that has the header h, whose command is set.
func (m End) Append(b []byte, h Header) []byte {
	h.Command = SendEnd
	return h.appendHead(b, 0, m.Group)
}

// AppendAnswer appends an answer without a body, which is the answer to everything but
// a Start and a negotiation, and to every error.
func (h Header) AppendAnswer(b []byte, status Status) []byte {
	return h.Answer(status).appendHead(b, 0)
}

// AppendStarted appends the answer to a Start: one word that numbers the message.
// Perl's Net::NetSend keeps only its lower half, so it should be below 256.
func (h Header) AppendStarted(b []byte, group uint16) []byte {
	return h.Answer(0).appendHead(b, 0, group)
}

func (p Packet) checkWords(n int) error {
	if len(p.Words) != 2*n {
		return fmt.Errorf("smb: command %#02x has %d words, not %d", byte(p.Header.Command), len(p.Words)/2, n)
	}
	return nil
}

// names reads the two names in front of the data.
func (p Packet) names() (from, to, rest []byte, err error) {
	if from, rest, err = cutString(p.Data, formatString); err != nil {
		return nil, nil, nil, fmt.Errorf("smb: name of the sender: %w", err)
	}
	if to, rest, err = cutString(rest, formatString); err != nil {
		return nil, nil, nil, fmt.Errorf("smb: name of the recipient: %w", err)
	}
	return from, to, rest, nil
}

// cutString reads a string that begins with format and ends with a zero byte.
func cutString(b []byte, format byte) (s, rest []byte, err error) {
	if len(b) == 0 || b[0] != format {
		return nil, nil, fmt.Errorf("does not begin with format %#02x", format)
	}
	end := bytes.IndexByte(b, 0)
	if end < 0 {
		return nil, nil, errors.New("has no end")
	}
	return b[1:end:end], b[end+1:], nil
}

// parseText reads a data block that fills b. Deliberately lax: MS-MSRP calls the text
// terminated, so zero bytes may follow it that its length does not count.
func parseText(b []byte) ([]byte, error) {
	if len(b) == 0 || b[0] != formatData {
		return nil, errors.New("smb: a text does not begin with its format")
	}
	text, rest, err := cutCounted(b[1:])
	if err != nil {
		return nil, err
	}
	if !isPadding(rest) {
		return nil, fmt.Errorf("smb: %d bytes behind a text of %d", len(rest), len(text))
	}
	return text, nil
}

func sizeOf(names [][]byte) int {
	size := 0
	for _, name := range names {
		size += 1 + len(name) + 1
	}
	return size
}

func checkNames(names [][]byte, size int) error {
	for _, name := range names {
		if bytes.IndexByte(name, 0) >= 0 {
			return fmt.Errorf("smb: name %q contains a zero byte", name)
		}
	}
	return checkSize(size)
}

func appendNames(b []byte, names [][]byte) []byte {
	for _, name := range names {
		b = append(b, formatString)
		b = append(b, name...)
		b = append(b, 0)
	}
	return b
}

func appendText(b, text []byte) []byte {
	b = append(b, formatData)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(text)))
	return append(b, text...)
}
