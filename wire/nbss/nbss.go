// Package nbss reads and writes the packets of the NetBIOS session service, TCP port
// 139 (RFC 1002 4.3), and the simpler frames of direct hosting, TCP port 445.
//
// Both put four bytes in front of everything. Numbers are big-endian.
//
//	session service   type | flags: 0000000 and bit 16 of length | length, 2 bytes
//	direct hosting    type | length, 3 bytes
//
// A reader takes HeaderLen bytes, parses them, and then takes as many as they announce.
// What Parse functions read is what follows the header; what Append methods write is
// the whole packet.
package nbss

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"messngr/wire/netbios"
)

// HeaderLen is the length of the header of every packet in bytes.
const HeaderLen = 4

// The greatest lengths in bytes that the two kinds of header can announce.
const (
	MaxLength       = 1<<17 - 1
	MaxDirectLength = 1<<24 - 1
)

// requestSize is what follows the header of a session request without scopes.
const requestSize = 68

// A Type says what a packet is for (RFC 1002 4.3.1).
type Type byte

// The types of packets.
const (
	Message          Type = 0x00 // carries one message
	SessionRequest   Type = 0x81 // asks for a session, see Request
	PositiveResponse Type = 0x82 // grants it; nothing follows
	NegativeResponse Type = 0x83 // refuses it, see ErrorCode
	RetargetResponse Type = 0x84 // sends the caller elsewhere, see ParseRetarget
	KeepAlive        Type = 0x85 // is to be ignored; nothing follows
)

// Header begins every packet.
type Header struct {
	Type Type
	// Length is the number of bytes that follow.
	Length int
}

// ParseHeader reads the first HeaderLen bytes of b as the session service has them
// (RFC 1002 4.3.1). Types that do not exist are an error, and so are lengths that the
// type cannot have, so that a stream of anything else is recognised at once.
func ParseHeader(b []byte) (Header, error) {
	if len(b) < HeaderLen {
		return Header{}, fmt.Errorf("nbss: header of %d bytes", len(b))
	}
	if b[1]&^1 != 0 {
		return Header{}, fmt.Errorf("nbss: flags %#02x", b[1])
	}
	return Header{Type: Type(b[0]), Length: length(b) & MaxLength}.checked()
}

// ParseDirectHeader reads the first HeaderLen bytes of b as direct hosting has them
// (MS-SMB 2.1). Of the types there are messages, and the keep-alive that Samba sends.
func ParseDirectHeader(b []byte) (Header, error) {
	if len(b) < HeaderLen {
		return Header{}, fmt.Errorf("nbss: header of %d bytes", len(b))
	}
	h := Header{Type: Type(b[0]), Length: length(b)}
	if h.Type != Message && h.Type != KeepAlive {
		return Header{}, fmt.Errorf("nbss: direct hosting has no packets of type %#02x", b[0])
	}
	return h.checked()
}

// Append appends the header as the session service has it. It is an error if the length
// is not 0 to MaxLength.
func (h Header) Append(b []byte) ([]byte, error) {
	if h.Length < 0 || h.Length > MaxLength {
		return b, fmt.Errorf("nbss: packet of %d bytes, at most %d are possible", h.Length, MaxLength)
	}
	return h.append(b), nil
}

// AppendDirect appends the header as direct hosting has it. It is an error if the length
// is not 0 to MaxDirectLength.
func (h Header) AppendDirect(b []byte) ([]byte, error) {
	if h.Length < 0 || h.Length > MaxDirectLength {
		return b, fmt.Errorf("nbss: packet of %d bytes, at most %d are possible", h.Length, MaxDirectLength)
	}
	return h.append(b), nil
}

func (h Header) append(b []byte) []byte {
	return append(b, byte(h.Type), byte(h.Length>>16), byte(h.Length>>8), byte(h.Length))
}

func length(b []byte) int { return int(b[1])<<16 | int(b[2])<<8 | int(b[3]) }

// checked returns h if a packet of its type can have its length.
func (h Header) checked() (Header, error) {
	lowest, highest := 0, 0
	switch h.Type {
	case Message:
		highest = MaxDirectLength
	case SessionRequest:
		lowest, highest = requestSize, requestSize+2*netbios.MaxScope+2
	case NegativeResponse:
		lowest, highest = 1, 1
	case RetargetResponse:
		lowest, highest = retargetSize, retargetSize
	case PositiveResponse, KeepAlive:
	default:
		return Header{}, fmt.Errorf("nbss: packet of type %#02x", byte(h.Type))
	}
	if h.Length < lowest || h.Length > highest {
		return Header{}, fmt.Errorf("nbss: packet of type %#02x with %d bytes", byte(h.Type), h.Length)
	}
	return h, nil
}

// Request asks for a session between two names (RFC 1002 4.3.2).
type Request struct {
	Called, Calling netbios.Name
	// CalledScope and CallingScope are the scopes of the names, mostly empty.
	CalledScope, CallingScope string
}

// ParseRequest reads what follows the header of a SessionRequest.
func ParseRequest(b []byte) (Request, error) {
	var r Request
	var err error
	if r.Called, r.CalledScope, b, err = netbios.ParseEncoded(b); err != nil {
		return Request{}, fmt.Errorf("nbss: called name: %w", err)
	}
	if r.Calling, r.CallingScope, b, err = netbios.ParseEncoded(b); err != nil {
		return Request{}, fmt.Errorf("nbss: calling name: %w", err)
	}
	if len(b) != 0 {
		return Request{}, fmt.Errorf("nbss: %d bytes behind the names of a request", len(b))
	}
	return r, nil
}

// Append appends the whole packet. It is an error if a scope cannot be encoded.
func (r Request) Append(b []byte) ([]byte, error) {
	start := len(b)
	b = append(b, byte(SessionRequest), 0, 0, 0)
	b, err := r.Called.AppendEncoded(b, r.CalledScope)
	if err != nil {
		return b[:start], err
	}
	if b, err = r.Calling.AppendEncoded(b, r.CallingScope); err != nil {
		return b[:start], err
	}
	binary.BigEndian.PutUint16(b[start+2:], uint16(len(b)-start-HeaderLen))
	return b, nil
}

// AppendPositive appends the packet that grants a session (RFC 1002 4.3.3).
func AppendPositive(b []byte) []byte { return Header{Type: PositiveResponse}.append(b) }

// AppendKeepAlive appends the packet that keeps a session open (RFC 1002 4.3.7).
func AppendKeepAlive(b []byte) []byte { return Header{Type: KeepAlive}.append(b) }

// An ErrorCode says why a session was refused (RFC 1002 4.3.4).
type ErrorCode byte

// The codes of a NegativeResponse.
const (
	NotListeningOnCalled   ErrorCode = 0x80
	NotListeningForCalling ErrorCode = 0x81
	CalledNameNotPresent   ErrorCode = 0x82
	NoResources            ErrorCode = 0x83
	Unspecified            ErrorCode = 0x8F
)

// ParseNegative reads what follows the header of a NegativeResponse.
func ParseNegative(b []byte) (ErrorCode, error) {
	if len(b) != 1 {
		return 0, fmt.Errorf("nbss: negative response of %d bytes", len(b))
	}
	return ErrorCode(b[0]), nil
}

// Append appends the whole NegativeResponse.
func (c ErrorCode) Append(b []byte) []byte {
	return append(Header{Type: NegativeResponse, Length: 1}.append(b), byte(c))
}

// Error says in words why the session was refused.
func (c ErrorCode) Error() string {
	reason := ""
	switch c {
	case NotListeningOnCalled:
		reason = "not listening on the called name"
	case NotListeningForCalling:
		reason = "not listening for the calling name"
	case CalledNameNotPresent:
		reason = "called name not present"
	case NoResources:
		reason = "insufficient resources"
	default:
		reason = "no reason given"
	}
	return fmt.Sprintf("session refused: %s (%#02x)", reason, byte(c))
}

const retargetSize = 6

// ParseRetarget reads what follows the header of a RetargetResponse: where the caller
// should try again (RFC 1002 4.3.5).
func ParseRetarget(b []byte) (netip.AddrPort, error) {
	if len(b) != retargetSize {
		return netip.AddrPort{}, fmt.Errorf("nbss: retarget response of %d bytes", len(b))
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b)), binary.BigEndian.Uint16(b[4:])), nil
}

// AppendRetarget appends the whole RetargetResponse. It is an error if to is not an
// IPv4 address.
func AppendRetarget(b []byte, to netip.AddrPort) ([]byte, error) {
	addr := to.Addr().Unmap()
	if !addr.Is4() {
		return b, fmt.Errorf("nbss: retarget to %v, which is not IPv4", to)
	}
	b = Header{Type: RetargetResponse, Length: retargetSize}.append(b)
	b = append(b, addr.AsSlice()...)
	return binary.BigEndian.AppendUint16(b, to.Port()), nil
}
