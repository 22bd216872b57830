// Package nbdgm reads and writes the packets of the NetBIOS datagram service, UDP port
// 138 (RFC 1002 4.4). Numbers are big-endian.
//
//	0  type
//	1  flags: 0000, node type (2 bits), first fragment, more fragments
//	2  id, 2 bytes
//	4  address of the source, 4 bytes
//	8  port of the source, 2 bytes
//
// Then, in datagrams,
//
//	10  length of what begins at 14, 2 bytes
//	12  offset of the fragment, 2 bytes
//	14  source name, destination name, data
//
// in errors one byte, and in queries and their responses the destination name.
//
// The address inside a packet is a claim. Who answers or judges takes the address that
// the packet came from.
package nbdgm

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"messngr/wire/netbios"
)

// A Type says what a packet is for (RFC 1002 4.4.1).
type Type byte

// The types of packets.
const (
	DirectUnique     Type = 0x10 // to one name, see Datagram
	DirectGroup      Type = 0x11 // to a group
	Broadcast        Type = 0x12 // to everybody, as netbios.Wildcard
	DatagramError    Type = 0x13 // see Error
	QueryRequest     Type = 0x14 // asks a distribution server for a name, see Query
	PositiveResponse Type = 0x15 // it has it
	NegativeResponse Type = 0x16 // it has not
)

// A NodeType says how the sender finds names (RFC 1002 4.4.1).
type NodeType byte

// The node types. The last one meant distribution servers; Windows' hybrid nodes use it.
const (
	BNode NodeType = iota // by broadcast
	PNode                 // by name server
	MNode                 // by broadcast, then by name server
	HNode                 // by name server, then by broadcast
)

// Header begins every packet (RFC 1002 4.4.1).
type Header struct {
	Type Type
	Node NodeType
	// First and More describe fragments. A datagram in one piece has only First.
	First, More bool
	// ID tells the datagrams of one host apart.
	ID uint16
	// Source is the IPv4 address and the port that the sender claims to have.
	Source netip.AddrPort
}

// Packet is one of Datagram, Error and Query.
type Packet interface {
	// Append appends the whole packet. It is an error if the source is not an IPv4
	// address, the type is not one of the packet's, or a name, a scope or the data
	// cannot be encoded.
	Append(b []byte) ([]byte, error)
}

const (
	headerLen   = 10
	datagramLen = headerLen + 4
	maxLength   = 0xFFFF

	flagMore  = 0x01
	flagFirst = 0x02
	nodeShift = 2
	nodeMask  = 3
)

// Parse reads one packet. What it returns refers to b.
//
// Deliberately lax: bytes behind the announced length of a datagram are ignored, and so
// are the reserved flags.
func Parse(b []byte) (Packet, error) {
	if len(b) < headerLen {
		return nil, fmt.Errorf("nbdgm: packet of %d bytes", len(b))
	}
	h := Header{
		Type:   Type(b[0]),
		Node:   NodeType(b[1] >> nodeShift & nodeMask),
		First:  b[1]&flagFirst != 0,
		More:   b[1]&flagMore != 0,
		ID:     binary.BigEndian.Uint16(b[2:]),
		Source: netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), binary.BigEndian.Uint16(b[8:])),
	}
	switch h.Type {
	case DirectUnique, DirectGroup, Broadcast:
		return parseDatagram(h, b)
	case DatagramError:
		return parseError(h, b)
	case QueryRequest, PositiveResponse, NegativeResponse:
		return parseQuery(h, b)
	default:
		return nil, fmt.Errorf("nbdgm: packet of type %#02x", b[0])
	}
}

func (h Header) append(b []byte) ([]byte, error) {
	addr := h.Source.Addr().Unmap()
	if !addr.Is4() {
		return b, fmt.Errorf("nbdgm: source %v is not IPv4", h.Source)
	}
	flags := byte(h.Node&nodeMask) << nodeShift
	if h.First {
		flags |= flagFirst
	}
	if h.More {
		flags |= flagMore
	}
	b = append(b, byte(h.Type), flags)
	b = binary.BigEndian.AppendUint16(b, h.ID)
	b = append(b, addr.AsSlice()...)
	return binary.BigEndian.AppendUint16(b, h.Source.Port()), nil
}

// Datagram carries data from a name to a name, or one fragment of it (RFC 1002 4.4.2).
type Datagram struct {
	Header
	// Offset is where the fragment begins in the whole; zero in the first.
	Offset uint16
	// From and To are the source and the destination name, with their scopes.
	From, To           netbios.Name
	FromScope, ToScope string
	// Data is what the datagram carries: for messages an SMB packet.
	Data []byte
}

// Fragment reports whether the datagram is only a part of one. First is not asked: what
// begins at the beginning and has no more behind it is whole.
func (d Datagram) Fragment() bool { return d.More || d.Offset != 0 }

func parseDatagram(h Header, b []byte) (Packet, error) {
	if len(b) < datagramLen {
		return nil, fmt.Errorf("nbdgm: datagram of %d bytes", len(b))
	}
	d := Datagram{Header: h, Offset: binary.BigEndian.Uint16(b[12:])}
	rest := b[datagramLen:]
	length := int(binary.BigEndian.Uint16(b[10:]))
	if length > len(rest) {
		return nil, fmt.Errorf("nbdgm: %d bytes announced, %d follow", length, len(rest))
	}
	rest = rest[:length:length]
	var err error
	if d.From, d.FromScope, rest, err = netbios.ParseEncoded(rest); err != nil {
		return nil, fmt.Errorf("nbdgm: source name: %w", err)
	}
	if d.To, d.ToScope, rest, err = netbios.ParseEncoded(rest); err != nil {
		return nil, fmt.Errorf("nbdgm: destination name: %w", err)
	}
	d.Data = rest
	return d, nil
}

// Append appends the whole packet; see Packet.
func (d Datagram) Append(b []byte) ([]byte, error) {
	start := len(b)
	if d.Type != DirectUnique && d.Type != DirectGroup && d.Type != Broadcast {
		return b, fmt.Errorf("nbdgm: datagram of type %#02x", byte(d.Type))
	}
	b, err := d.Header.append(b)
	if err != nil {
		return b, err
	}
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint16(b, d.Offset)
	if b, err = d.From.AppendEncoded(b, d.FromScope); err != nil {
		return b[:start], err
	}
	if b, err = d.To.AppendEncoded(b, d.ToScope); err != nil {
		return b[:start], err
	}
	length := len(b) - start - datagramLen + len(d.Data)
	if length > maxLength {
		return b[:start], fmt.Errorf("nbdgm: datagram of %d bytes, at most %d are possible", length, maxLength)
	}
	binary.BigEndian.PutUint16(b[start+headerLen:], uint16(length))
	return append(b, d.Data...), nil
}

// An ErrorCode says why a datagram was not delivered (RFC 1002 4.4.3).
type ErrorCode byte

// The codes of an Error.
const (
	NameNotPresent     ErrorCode = 0x82
	InvalidSource      ErrorCode = 0x83
	InvalidDestination ErrorCode = 0x84
)

// Error says that a datagram was not delivered (RFC 1002 4.4.3).
type Error struct {
	Header
	Code ErrorCode
}

func parseError(h Header, b []byte) (Packet, error) {
	if len(b) != headerLen+1 {
		return nil, fmt.Errorf("nbdgm: error packet of %d bytes", len(b))
	}
	return Error{Header: h, Code: ErrorCode(b[headerLen])}, nil
}

// Append appends the whole packet; see Packet.
func (e Error) Append(b []byte) ([]byte, error) {
	if e.Type != DatagramError {
		return b, fmt.Errorf("nbdgm: error packet of type %#02x", byte(e.Type))
	}
	b, err := e.Header.append(b)
	if err != nil {
		return b, err
	}
	return append(b, byte(e.Code)), nil
}

// Query asks a datagram distribution server whether it serves a name, or answers that
// (RFC 1002 4.4.4). There are no such servers any more.
type Query struct {
	Header
	To      netbios.Name
	ToScope string
}

func parseQuery(h Header, b []byte) (Packet, error) {
	q := Query{Header: h}
	var err error
	if q.To, q.ToScope, b, err = netbios.ParseEncoded(b[headerLen:]); err != nil {
		return nil, fmt.Errorf("nbdgm: destination name: %w", err)
	}
	if len(b) != 0 {
		return nil, fmt.Errorf("nbdgm: %d bytes behind the name of a query", len(b))
	}
	return q, nil
}

// Append appends the whole packet; see Packet.
func (q Query) Append(b []byte) ([]byte, error) {
	start := len(b)
	if q.Type != QueryRequest && q.Type != PositiveResponse && q.Type != NegativeResponse {
		return b, fmt.Errorf("nbdgm: query of type %#02x", byte(q.Type))
	}
	b, err := q.Header.append(b)
	if err != nil {
		return b, err
	}
	if b, err = q.To.AppendEncoded(b, q.ToScope); err != nil {
		return b[:start], err
	}
	return b, nil
}
