// Package dcerpc reads and writes the packets of remote procedure calls, those that
// travel as datagrams (version 4: C706 12.5, MS-RPCE 2.2.3) and those of connections
// (version 5: C706 12.6, MS-RPCE 2.2.2).
package dcerpc

import (
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// Port is where the endpoint mapper listens, and so the server that every datagram call
// goes to first (MS-RPCE 2.1.1.1, 2.1.2.1).
const Port = 135

// errShort says that a packet ends too early.
var errShort = errors.New("dcerpc: packet is cut short")

// A Syntax names an interface, or the way in which its data is written (C706 12.6.3).
type Syntax struct {
	ID uuid.UUID
	// Major and Minor are the version.
	Major, Minor uint16
}

// NDR is the transfer syntax that everybody speaks: NDR 2.0 (C706 I).
func NDR() Syntax {
	return Syntax{ID: uuid.MustParse("8a885d04-1ceb-11c9-9fe8-08002b104860"), Major: 2}
}

// Serves reports whether a server of s can serve a client that asks for want: the same
// interface and major version, and a minor version that is not older (C706 6.1.2.2).
func (s Syntax) Serves(want Syntax) bool {
	return s.ID == want.ID && s.Major == want.Major && s.Minor >= want.Minor
}

// String returns the syntax as "uuid v1.0".
func (s Syntax) String() string {
	return fmt.Sprintf("%v v%d.%d", s.ID, s.Major, s.Minor)
}

// A Call is one call of a remote procedure, as its server or client sees it whatever
// carries it.
type Call struct {
	Interface Syntax
	// Op is the number of the procedure.
	Op uint16
	// Stub is what goes in, written in the order of bytes that BigEndian says. As a
	// server we answer in the same order; others may answer in their own.
	Stub      []byte
	BigEndian bool
	// Activity and Sequence are the client's own identity of a call that came by
	// datagram (C706 9.5.3); zero on connections, and set by the client itself.
	Activity uuid.UUID
	Sequence uint32
}

// An Answer is what a procedure returned: a stub, and how its integers are written, which
// is for the server to choose (C706 14.1).
type Answer struct {
	Stub      []byte
	BigEndian bool
}

// A PacketType says what a packet is for. Both versions number them alike (C706 12.4.1).
type PacketType uint8

// The packet types of datagrams, and from Bind on of connections alone.
const (
	TypeRequest  PacketType = 0
	TypePing     PacketType = 1 // asks what became of a request
	TypeResponse PacketType = 2
	TypeFault    PacketType = 3 // the procedure failed
	TypeWorking  PacketType = 4 // the answer takes longer
	TypeNoCall   PacketType = 5 // the request of a ping is not known, or not complete
	TypeReject   PacketType = 6 // the procedure was not run
	TypeAck      PacketType = 7 // the client has the answer
	TypeCancel   PacketType = 8 // the client does not want the answer any more
	TypeFack     PacketType = 9 // these fragments have arrived
	TypeQuack    PacketType = 10
	TypeBind     PacketType = 11
	TypeBindAck  PacketType = 12
	TypeBindNak  PacketType = 13
	TypeAlter    PacketType = 14 // alter_context
	TypeAlterAck PacketType = 15 // alter_context_resp
	TypeAuth3    PacketType = 16 // MS-RPCE 2.2.2.5
	TypeShutdown PacketType = 17
	TypeCoCancel PacketType = 18
	TypeOrphaned PacketType = 19
)

// String returns the name of the type as the specifications have it.
func (t PacketType) String() string {
	names := [...]string{
		"request", "ping", "response", "fault", "working", "nocall", "reject", "ack", "cl_cancel", "fack", "cancel_ack",
		"bind", "bind_ack", "bind_nak", "alter_context", "alter_context_resp", "auth3", "shutdown", "co_cancel", "orphaned",
	}
	if int(t) < len(names) {
		return names[t]
	}
	return fmt.Sprintf("packet type %d", uint8(t))
}

// The first byte of a data representation label: characters are ASCII, and integers
// little-endian if the upper half is 1 (C706 14.1).
const (
	labelBig    = 0x00
	labelLittle = 0x10
)

// label returns the first byte of the data representation label.
func label(bigEndian bool) byte {
	if bigEndian {
		return labelBig
	}
	return labelLittle
}

// parseLabel reads the first byte of the data representation label. Floating-point
// numbers are in none of our calls, so that the other bytes do not matter.
func parseLabel(b byte) (bigEndian bool, err error) {
	switch b {
	case labelBig:
		return true, nil
	case labelLittle:
		return false, nil
	default:
		return false, fmt.Errorf("dcerpc: data representation %#02x", b)
	}
}
