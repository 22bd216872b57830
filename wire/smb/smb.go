// Package smb reads and writes the few packets of the first Server Message Block
// protocol that carry messages: the commands 0xD0 to 0xD7 of a session, the negotiation
// that some clients insist on, and the TRANSACTION that writes to a mailslot.
//
// Every packet has the same frame (MS-CIFS 2.2.3). Numbers are little-endian.
//
//	 0  FF 'S' 'M' 'B'
//	 4  command
//	 5  status, 4 bytes
//	 9  flags             10  flags2, 2 bytes
//	12  high half of the process id, 2 bytes
//	14  signature, 8 bytes
//	22  reserved, 2 bytes
//	24  tree id  26 process id  28 user id  30 multiplex id, 2 bytes each
//	32  number of words, then the words of 2 bytes each
//	 n  number of bytes, 2 bytes, then the bytes
//
// Names and texts are in the sender's OEM code page and stay raw bytes here: a
// character may be split over two packets, so only a whole text can be decoded.
//
// What Parse returns refers to the bytes that it was given.
package smb

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A Command says what a packet is for (MS-CIFS 2.2.2.1).
type Command byte

// The commands that this package knows. Those from 0xD0 on belong to messages.
const (
	Transaction    Command = 0x25 // writes to a mailslot, see MailslotWrite
	Negotiate      Command = 0x72 // chooses a dialect
	SendSingle     Command = 0xD0 // a whole message in one block, see Single
	SendBroadcast  Command = 0xD1 // the same for everybody; obsolete
	ForwardName    Command = 0xD2 // forwards a user's messages; obsolete
	CancelForward  Command = 0xD3 // ends that; obsolete
	GetMachineName Command = 0xD4 // asks who takes a user's messages; obsolete
	SendStart      Command = 0xD5 // begins a message of several blocks, see Start
	SendEnd        Command = 0xD6 // ends it, see End
	SendText       Command = 0xD7 // is one block of its text, see Text
)

// Flags is the first set of flags of a header (MS-CIFS 2.2.3.1).
type Flags byte

// Reply marks the packets of the server.
const Reply Flags = 0x80

// Flags2 is the second set of flags of a header (MS-CIFS 2.2.3.1).
type Flags2 uint16

// NTStatus says that the status is one number of 32 bits instead of class and code.
const NTStatus Flags2 = 0x4000

// Header is what every packet begins with (MS-CIFS 2.2.3.1). Senders of messages set
// nothing but Command; a server returns the four ids as it got them.
type Header struct {
	Command   Command
	Status    Status
	Flags     Flags
	Flags2    Flags2
	Signature [8]byte
	Reserved  uint16
	TreeID    uint16
	ProcessID uint32
	UserID    uint16
	// MultiplexID tells the requests of one process apart.
	MultiplexID uint16
}

// Packet is a header with its body still in raw form.
type Packet struct {
	Header Header
	// Words are the parameters, two bytes each.
	Words []byte
	// Data are the bytes behind the words.
	Data []byte
}

const (
	protocolID = "\xFFSMB"
	headerLen  = 32
	maxWords   = 0xFF
	maxData    = 0xFFFF
)

// MaxPacket is the length of the longest packet in bytes.
const MaxPacket = headerLen + 1 + 2*maxWords + 2 + maxData

// ErrNotSMB says that bytes are too short for a header or do not begin like one, so
// that there is nothing to answer.
var ErrNotSMB = errors.New("smb: not an SMB packet")

// Parse reads one packet. When the header is whole but what follows is not, the
// packet is returned with its header and an error, so that the error can be answered.
//
// Deliberately lax: zero bytes behind the last counted one are padding. Anything else
// there is an error, because it could be text that would be lost.
func Parse(b []byte) (Packet, error) {
	if len(b) < headerLen || string(b[:4]) != protocolID {
		return Packet{}, ErrNotSMB
	}
	p := Packet{Header: Header{
		Command:     Command(b[4]),
		Status:      Status(binary.LittleEndian.Uint32(b[5:])),
		Flags:       Flags(b[9]),
		Flags2:      Flags2(binary.LittleEndian.Uint16(b[10:])),
		Signature:   [8]byte(b[14:22]),
		Reserved:    binary.LittleEndian.Uint16(b[22:]),
		TreeID:      binary.LittleEndian.Uint16(b[24:]),
		ProcessID:   uint32(binary.LittleEndian.Uint16(b[12:]))<<16 | uint32(binary.LittleEndian.Uint16(b[26:])),
		UserID:      binary.LittleEndian.Uint16(b[28:]),
		MultiplexID: binary.LittleEndian.Uint16(b[30:]),
	}}
	rest := b[headerLen:]
	if len(rest) < 1 {
		return p, errors.New("smb: packet ends before the number of words")
	}
	words, rest, ok := cut(rest[1:], 2*int(rest[0]))
	if !ok {
		return p, fmt.Errorf("smb: %d words announced, %d bytes follow", b[headerLen], len(rest))
	}
	data, rest, err := cutCounted(rest)
	if err != nil {
		return p, err
	}
	if !isPadding(rest) {
		return p, fmt.Errorf("smb: %d bytes behind the end of the packet", len(rest))
	}
	p.Words, p.Data = words, data
	return p, nil
}

// Append appends the packet to b. It is an error if there are more words or bytes than
// their counts can say, or half a word.
func (p Packet) Append(b []byte) ([]byte, error) {
	if len(p.Words)%2 != 0 || len(p.Words) > 2*maxWords {
		return b, fmt.Errorf("smb: %d bytes are not 0 to %d words", len(p.Words), maxWords)
	}
	if err := checkSize(len(p.Data)); err != nil {
		return b, err
	}
	b = p.Header.append(b)
	b = append(b, byte(len(p.Words)/2))
	b = append(b, p.Words...)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(p.Data)))
	return append(b, p.Data...), nil
}

// Answer returns the header of the answer to a request that has the header h, in the
// notation that the client asked for.
func (h Header) Answer(status Status) Header {
	answer := Header{
		Command:     h.Command,
		Flags:       Reply,
		TreeID:      h.TreeID,
		ProcessID:   h.ProcessID,
		UserID:      h.UserID,
		MultiplexID: h.MultiplexID,
		Status:      status.DOS(),
	}
	if h.Flags2&NTStatus != 0 {
		answer.Flags2 = NTStatus
		answer.Status = status.NT()
	}
	return answer
}

func (h Header) append(b []byte) []byte {
	le := binary.LittleEndian
	b = append(b, protocolID...)
	b = append(b, byte(h.Command))
	b = le.AppendUint32(b, uint32(h.Status))
	b = append(b, byte(h.Flags))
	b = le.AppendUint16(b, uint16(h.Flags2))
	b = le.AppendUint16(b, uint16(h.ProcessID>>16))
	b = append(b, h.Signature[:]...)
	b = le.AppendUint16(b, h.Reserved)
	b = le.AppendUint16(b, h.TreeID)
	b = le.AppendUint16(b, uint16(h.ProcessID))
	b = le.AppendUint16(b, h.UserID)
	return le.AppendUint16(b, h.MultiplexID)
}

// appendHead appends everything up to the bytes, whose number is size.
func (h Header) appendHead(b []byte, size int, words ...uint16) []byte {
	b = h.append(b)
	b = append(b, byte(len(words)))
	for _, w := range words {
		b = binary.LittleEndian.AppendUint16(b, w)
	}
	return binary.LittleEndian.AppendUint16(b, uint16(size))
}

func checkSize(size int) error {
	if size > maxData {
		return fmt.Errorf("smb: body of %d bytes, at most %d are possible", size, maxData)
	}
	return nil
}

// cut divides b behind its first n bytes.
func cut(b []byte, n int) (front, rest []byte, ok bool) {
	if n > len(b) {
		return nil, b, false
	}
	return b[:n:n], b[n:], true
}

// cutCounted divides b behind the bytes that its first two bytes count.
func cutCounted(b []byte) (front, rest []byte, err error) {
	if len(b) < 2 {
		return nil, nil, errors.New("smb: packet ends before the number of bytes")
	}
	n := int(binary.LittleEndian.Uint16(b))
	front, rest, ok := cut(b[2:], n)
	if !ok {
		return nil, nil, fmt.Errorf("smb: %d bytes announced, %d follow", n, len(rest))
	}
	return front, rest, nil
}

// isPadding reports whether b holds zero bytes only.
func isPadding(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
