package dcerpc

import (
	"encoding/binary"
	"fmt"

	"github.com/google/uuid"

	"messngr/wire/ndr"
)

const (
	pduHeaderSize  = 16
	authHeaderSize = 8
	// MaxPDU is the longest packet of a connection in bytes.
	MaxPDU = 1<<16 - 1
	// UsualPDU is the longest that Windows and Samba say that they take, and so do we.
	UsualPDU = 4280
	// LeastPDU is the longest that everybody has to take (C706 12.6.3.1,
	// MustRecvFragSize).
	LeastPDU = 1432
	// RequestHeaderSize is how long a request or response is without its stub.
	RequestHeaderSize = 24
)

// A PDU is one packet of the connection-oriented protocol (C706 12.6.3, MS-RPCE 2.2.2).
// Its methods read what its body says.
//
//	 0  rpc_vers 5 | rpc_vers_minor | PTYPE | pfc_flags
//	 4  drep (4)
//	 8  frag_length u16  10  auth_length u16  12  call_id u32
//	16  body, authentication verifier
type PDU struct {
	Type PacketType
	// First and Last say that the packet is the first, and the last, of its call.
	First, Last bool
	// CancelPending says that the call was cancelled. In a bind it asks that
	// signatures cover headers (MS-RPCE 2.2.2.3).
	CancelPending bool
	// DidNotExecute says of a fault that the procedure was not run.
	DidNotExecute bool
	Maybe         bool
	BigEndian     bool
	// Call pairs answers with requests.
	Call uint32
	// Body is what is between the header and the verifier, without the padding of
	// the latter.
	Body []byte
	// Auth is the authentication verifier; nil without one.
	Auth *Auth

	// object says that a request carries the UUID of an object.
	object bool
}

// Auth is an authentication verifier: it holds the security of the whole connection
// while that is set up, and afterwards the one of its packet (MS-RPCE 2.2.2.11).
type Auth struct {
	// Type and Level say which authentication it is, and what it protects.
	Type, Level uint8
	ContextID   uint32
	Value       []byte
}

// Bits of pfc_flags (C706 12.6.3, MS-RPCE 2.2.2.3).
const (
	pfcFirst         = 0x01
	pfcLast          = 0x02
	pfcCancel        = 0x04
	pfcDidNotExecute = 0x20
	pfcMaybe         = 0x40
	pfcObject        = 0x80
)

// ParsePDU reads the packet at the beginning of b and returns what follows it, since one
// read of a connection may return several. An error that wraps ndr.ErrShort says that
// the packet goes on beyond b.
func ParsePDU(b []byte) (p PDU, rest []byte, err error) {
	if len(b) < pduHeaderSize {
		return PDU{}, b, fmt.Errorf("dcerpc: header of a connection's packet: %w", ndr.ErrShort)
	}
	if b[0] != 5 || b[1] > 1 {
		return PDU{}, b, fmt.Errorf("dcerpc: packet of version %d.%d on a connection", b[0], b[1])
	}
	big, err := parseLabel(b[4])
	if err != nil {
		return PDU{}, b, err
	}
	r := ndr.NewReader(b[8:pduHeaderSize], big)
	size, auth := int(r.Uint16()), int(r.Uint16())
	p = PDU{
		Type: PacketType(b[2]), First: b[3]&pfcFirst != 0, Last: b[3]&pfcLast != 0, CancelPending: b[3]&pfcCancel != 0,
		DidNotExecute: b[3]&pfcDidNotExecute != 0, Maybe: b[3]&pfcMaybe != 0, BigEndian: big, Call: r.Uint32(),
		object: b[3]&pfcObject != 0,
	}
	switch {
	case size < pduHeaderSize:
		return PDU{}, b, fmt.Errorf("dcerpc: packet of %d bytes on a connection", size)
	case size > len(b):
		return PDU{}, b, fmt.Errorf("dcerpc: packet of %d bytes: %w", size, ndr.ErrShort)
	}
	p.Body = b[pduHeaderSize:size:size]
	if auth > 0 {
		if err := p.cutAuth(auth); err != nil {
			return PDU{}, b, err
		}
	}
	return p, b[size:], nil
}

// cutAuth takes the verifier, of which n bytes are its value, from the end of the body.
func (p *PDU) cutAuth(n int) error {
	at := len(p.Body) - n - authHeaderSize
	if at < 0 {
		return fmt.Errorf("dcerpc: verifier of %d bytes in a packet of %d", n, pduHeaderSize+len(p.Body))
	}
	r := ndr.NewReader(p.Body[at:], p.BigEndian)
	a := &Auth{Type: r.Uint8(), Level: r.Uint8()}
	padding := int(r.Uint8())
	r.Uint8()
	a.ContextID = r.Uint32()
	a.Value = r.Rest()
	if padding > at {
		return fmt.Errorf("dcerpc: padding of %d bytes in a body of %d", padding, at)
	}
	p.Auth, p.Body = a, p.Body[:at-padding:at-padding]
	return nil
}

// Append appends the packet to b. It returns b as it was, and an error, if it is longer
// than MaxPDU.
func (p *PDU) Append(b []byte) ([]byte, error) {
	flags := bit(p.First, pfcFirst) | bit(p.Last, pfcLast) | bit(p.CancelPending, pfcCancel) |
		bit(p.DidNotExecute, pfcDidNotExecute) | bit(p.Maybe, pfcMaybe) | bit(p.object, pfcObject)
	w := ndr.NewWriter(b, p.BigEndian)
	w.Bytes([]byte{5, 0, byte(p.Type), flags, label(p.BigEndian), 0, 0, 0})
	w.Uint16(0)
	w.Uint16(0)
	w.Uint32(p.Call)
	w.Bytes(p.Body)
	auth := 0
	if p.Auth != nil {
		auth = len(p.Auth.Value)
		before := w.Len()
		w.Align(4)
		padding := w.Len() - before
		w.Bytes([]byte{p.Auth.Type, p.Auth.Level, byte(padding), 0})
		w.Uint32(p.Auth.ContextID)
		w.Bytes(p.Auth.Value)
	}
	if w.Len() > MaxPDU {
		return b, fmt.Errorf("dcerpc: packet of %d bytes on a connection", w.Len())
	}
	out := w.Data()
	order := binary.ByteOrder(binary.LittleEndian)
	if p.BigEndian {
		order = binary.BigEndian
	}
	order.PutUint16(out[len(b)+8:], uint16(w.Len()))
	order.PutUint16(out[len(b)+10:], uint16(auth))
	return out, nil
}

// is returns an error unless p has one of the types.
func (p *PDU) is(types ...PacketType) error {
	for _, t := range types {
		if p.Type == t {
			return nil
		}
	}
	return fmt.Errorf("dcerpc: packet is a %v, not a %v", p.Type, types[0])
}

// A RequestBody is the body of a request (C706 12.6.4.9).
type RequestBody struct {
	// AllocHint is how long the whole stub is; 0 if its sender does not say.
	AllocHint uint32
	// Context is the id that a bind gave to the interface.
	Context uint16
	Op      uint16
	// Object is the zero UUID where there is none.
	Object uuid.UUID
	Stub   []byte
}

// Append appends the body to b.
func (q *RequestBody) Append(b []byte, bigEndian bool) []byte {
	w := ndr.NewWriter(b, bigEndian)
	w.Uint32(q.AllocHint)
	w.Uint16(q.Context)
	w.Uint16(q.Op)
	if q.Object != (uuid.UUID{}) {
		w.UUID(q.Object)
	}
	w.Bytes(q.Stub)
	return w.Data()
}

// PDU returns the packet with that body. All other fields of the packet are zero.
func (q *RequestBody) PDU(bigEndian bool) PDU {
	return PDU{
		Type: TypeRequest, BigEndian: bigEndian, Body: q.Append(nil, bigEndian), object: q.Object != (uuid.UUID{}),
	}
}

// Request reads the body of a request.
func (p *PDU) Request() (RequestBody, error) {
	if err := p.is(TypeRequest); err != nil {
		return RequestBody{}, err
	}
	r := ndr.NewReader(p.Body, p.BigEndian)
	q := RequestBody{AllocHint: r.Uint32(), Context: r.Uint16(), Op: r.Uint16()}
	if p.object {
		q.Object = r.UUID()
	}
	q.Stub = r.Rest()
	if r.Err() != nil {
		return RequestBody{}, r.Err()
	}
	return q, nil
}

// A ResponseBody is the body of a response (C706 12.6.4.10).
type ResponseBody struct {
	AllocHint uint32
	Context   uint16
	// Cancels is how many cancels the server has got.
	Cancels uint8
	Stub    []byte
}

// Append appends the body to b.
func (s *ResponseBody) Append(b []byte, bigEndian bool) []byte {
	w := ndr.NewWriter(b, bigEndian)
	w.Uint32(s.AllocHint)
	w.Uint16(s.Context)
	w.Uint8(s.Cancels)
	w.Uint8(0)
	w.Bytes(s.Stub)
	return w.Data()
}

// Response reads the body of a response.
func (p *PDU) Response() (ResponseBody, error) {
	if err := p.is(TypeResponse); err != nil {
		return ResponseBody{}, err
	}
	r := ndr.NewReader(p.Body, p.BigEndian)
	s := ResponseBody{AllocHint: r.Uint32(), Context: r.Uint16(), Cancels: r.Uint8()}
	r.Uint8()
	s.Stub = r.Rest()
	if r.Err() != nil {
		return ResponseBody{}, r.Err()
	}
	return s, nil
}

// A FaultBody is the body of a fault (C706 12.6.4.7, MS-RPCE 2.2.2.8).
type FaultBody struct {
	AllocHint uint32
	Context   uint16
	Cancels   uint8
	Status    Status
}

// Append appends the body to b.
func (f *FaultBody) Append(b []byte, bigEndian bool) []byte {
	w := ndr.NewWriter(b, bigEndian)
	w.Uint32(f.AllocHint)
	w.Uint16(f.Context)
	w.Uint8(f.Cancels)
	w.Uint8(0)
	w.Uint32(uint32(f.Status))
	w.Uint32(0)
	return w.Data()
}

// Fault reads the body of a fault. What follows the status is ignored.
func (p *PDU) Fault() (FaultBody, error) {
	if err := p.is(TypeFault); err != nil {
		return FaultBody{}, err
	}
	r := ndr.NewReader(p.Body, p.BigEndian)
	f := FaultBody{AllocHint: r.Uint32(), Context: r.Uint16(), Cancels: r.Uint8()}
	r.Uint8()
	f.Status = Status(r.Uint32())
	if r.Err() != nil {
		return FaultBody{}, r.Err()
	}
	return f, nil
}
