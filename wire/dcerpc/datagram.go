package dcerpc

import (
	"encoding/binary"
	"fmt"

	"github.com/google/uuid"

	"messngr/wire/ndr"
)

// HeaderSize is the length in bytes of what precedes the body of a Datagram.
const HeaderSize = 80

// NoHint stands in the hints of a Datagram for knowing nothing.
const NoHint = 0xFFFF

// MaxBody is the longest body in bytes that a Datagram can say it has.
const MaxBody = 1<<16 - 1

// A Datagram is one packet of the connectionless protocol (C706 12.5.2, MS-RPCE
// 2.2.3.1). Integers and UUIDs are in the order of bytes that the label says.
//
//	 0  rpc_vers 4 | ptype | flags1 | flags2
//	 4  drep (3)   | serial_hi
//	 8  object (16)
//	24  if_id (16)
//	40  act_id (16)
//	56  server_boot  60  if_vers   64  seqnum
//	68  opnum        70  ihint     72  ahint
//	74  len          76  fragnum   78  auth_proto | serial_lo
//	80  body
type Datagram struct {
	Type PacketType
	// Fragment says that the packet is one of several of the call, and Last that it
	// is the last of them.
	Fragment, Last bool
	// NoFack says that the sender does not want to hear that the fragment arrived.
	NoFack bool
	// Maybe, Idempotent and Broadcast are what the interface says of the procedure:
	// that no answer is wanted, that running it twice does no harm, that it is asked
	// of everybody.
	Maybe, Idempotent, Broadcast bool
	// CancelPending says that the call was cancelled.
	CancelPending bool
	BigEndian     bool
	// Serial tells retransmissions of a fragment apart.
	Serial uint16

	Object    uuid.UUID
	Interface Syntax
	// Activity is the client's sequence of calls, in which Sequence numbers them.
	Activity uuid.UUID
	// ServerBoot is when the server started, in seconds; 0 while the client has not
	// heard of the server.
	ServerBoot uint32
	Sequence   uint32
	Op         uint16
	// InterfaceHint and ActivityHint help the server to find things; or NoHint.
	InterfaceHint, ActivityHint uint16
	// Number is the number of the fragment; in a Fack, of the last one before the
	// first that is missing.
	Number uint16
	// Auth is the authentication protocol; 0 for none, which is all that we speak.
	Auth uint8
	Body []byte
}

// Bits of flags1 and flags2 (C706 12.5.2).
const (
	flagLast       = 0x02
	flagFragment   = 0x04
	flagNoFack     = 0x08
	flagMaybe      = 0x10
	flagIdempotent = 0x20
	flagBroadcast  = 0x40
	flag2Cancel    = 0x02
)

// ParseDatagram reads one packet. Its body is the one of b.
//
// It is lax about flags that it does not know, among them MS-RPCE's PF2_UNRELATED, and
// about the upper half of the version byte. A body that is shorter or
// longer than the header says is refused, unless the packet is authenticated: then a
// verifier follows that is passed over.
func ParseDatagram(b []byte) (Datagram, error) {
	if len(b) < HeaderSize {
		return Datagram{}, errShort
	}
	if b[0]&0x0F != 4 {
		return Datagram{}, fmt.Errorf("dcerpc: datagram of version %d", b[0])
	}
	big, err := parseLabel(b[4])
	if err != nil {
		return Datagram{}, err
	}
	d := Datagram{
		Type:          PacketType(b[1] & 0x1F),
		Last:          b[2]&flagLast != 0,
		Fragment:      b[2]&flagFragment != 0,
		NoFack:        b[2]&flagNoFack != 0,
		Maybe:         b[2]&flagMaybe != 0,
		Idempotent:    b[2]&flagIdempotent != 0,
		Broadcast:     b[2]&flagBroadcast != 0,
		CancelPending: b[3]&flag2Cancel != 0,
		BigEndian:     big,
		Serial:        uint16(b[7])<<8 | uint16(b[79]),
		Auth:          b[78],
	}
	if d.Type > TypeQuack {
		return Datagram{}, fmt.Errorf("dcerpc: datagram of type %v", d.Type)
	}
	r := ndr.NewReader(b[8:HeaderSize], big)
	d.Object, d.Interface.ID, d.Activity = r.UUID(), r.UUID(), r.UUID()
	d.ServerBoot = r.Uint32()
	version := r.Uint32()
	d.Interface.Major, d.Interface.Minor = uint16(version), uint16(version>>16)
	d.Sequence = r.Uint32()
	d.Op, d.InterfaceHint, d.ActivityHint = r.Uint16(), r.Uint16(), r.Uint16()
	size := int(r.Uint16())
	d.Number = r.Uint16()
	body := b[HeaderSize:]
	if size > len(body) || size < len(body) && d.Auth == 0 {
		return Datagram{}, fmt.Errorf("dcerpc: body of %d bytes is said to have %d", len(body), size)
	}
	d.Body = body[:size:size]
	return d, nil
}

// Append appends the packet to b. It returns b as it was, and an error, if the body is
// longer than MaxBody.
func (d *Datagram) Append(b []byte) ([]byte, error) {
	if len(d.Body) > MaxBody {
		return b, fmt.Errorf("dcerpc: body of %d bytes", len(d.Body))
	}
	b = append(b, 4, byte(d.Type), d.flags(), bit(d.CancelPending, flag2Cancel),
		label(d.BigEndian), 0, 0, byte(d.Serial>>8))
	w := ndr.NewWriter(b, d.BigEndian)
	w.UUID(d.Object)
	w.UUID(d.Interface.ID)
	w.UUID(d.Activity)
	w.Uint32(d.ServerBoot)
	w.Uint32(uint32(d.Interface.Minor)<<16 | uint32(d.Interface.Major))
	w.Uint32(d.Sequence)
	w.Uint16(d.Op)
	w.Uint16(d.InterfaceHint)
	w.Uint16(d.ActivityHint)
	w.Uint16(uint16(len(d.Body)))
	w.Uint16(d.Number)
	w.Uint8(d.Auth)
	w.Uint8(byte(d.Serial))
	w.Bytes(d.Body)
	return w.Data(), nil
}

func (d *Datagram) flags() byte {
	return bit(d.Last, flagLast) | bit(d.Fragment, flagFragment) | bit(d.NoFack, flagNoFack) |
		bit(d.Maybe, flagMaybe) | bit(d.Idempotent, flagIdempotent) | bit(d.Broadcast, flagBroadcast)
}

func bit(set bool, mask byte) byte {
	if set {
		return mask
	}
	return 0
}

// Answer returns a packet of type t that answers d, without a body: it is about the same
// call and fragment, and comes from the server that started at boot.
func (d *Datagram) Answer(t PacketType, boot uint32) Datagram {
	return Datagram{
		Type: t, BigEndian: d.BigEndian, Object: d.Object, Interface: d.Interface, Activity: d.Activity,
		ServerBoot: boot, Sequence: d.Sequence, Op: d.Op, InterfaceHint: NoHint, ActivityHint: NoHint,
		Number: d.Number, Serial: d.Serial,
	}
}

// AppendStatus appends the body of a Reject or Fault (C706 12.5.3.5, 12.5.3.8).
func (s Status) AppendStatus(b []byte, bigEndian bool) []byte {
	if bigEndian {
		return binary.BigEndian.AppendUint32(b, uint32(s))
	}
	return binary.LittleEndian.AppendUint32(b, uint32(s))
}

// Status reads the body of a Reject or Fault.
func (d *Datagram) Status() (Status, error) {
	r := ndr.NewReader(d.Body, d.BigEndian)
	s := Status(r.Uint32())
	return s, r.Err()
}
