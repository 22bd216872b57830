package epm

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"messngr/wire/dcerpc"
	"messngr/wire/ndr"
)

// A Tower names an endpoint by what is spoken there, layer upon layer (C706 L, MS-RPCE
// 2.2.1.2.2):
//
//	floor 1  0x0D, interface and major version        minor version
//	floor 2  0x0D, transfer syntax and major version  minor version
//	floor 3  RPC protocol                             minor version
//	floor 4  transport                                port
//	floor 5  IP                                       address
//
// Each floor has the length of its left side, that side, the length of its right side,
// and that side. Lengths and UUIDs are little-endian whatever the stub around them is,
// ports and addresses big-endian.
type Tower struct {
	Interface, Transfer dcerpc.Syntax
	// Protocol is how calls are made: Datagrams or Connections.
	Protocol byte
	// Transport is what carries them: UDP or TCP.
	Transport byte
	Port      uint16
	// Address is an IPv4 address; the zero value, which is written as 0.0.0.0, in
	// questions.
	Address netip.Addr
}

// Identifiers of the floors (C706 I).
const (
	Datagrams   = 0x0A
	Connections = 0x0B
	TCP         = 0x07
	UDP         = 0x08

	floorUUID = 0x0D
	floorIP   = 0x09
	floors    = 5
	// maxTower is how long a tower may be that is read.
	maxTower = 512
)

// append appends the octets of the tower.
func (t *Tower) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint16(b, floors)
	for _, s := range []dcerpc.Syntax{t.Interface, t.Transfer} {
		b = append(b, 19, 0, floorUUID)
		w := ndr.NewWriter(b, false)
		w.UUID(s.ID)
		b = binary.LittleEndian.AppendUint16(w.Data(), s.Major)
		b = append(b, 2, 0)
		b = binary.LittleEndian.AppendUint16(b, s.Minor)
	}
	b = append(b, 1, 0, t.Protocol, 2, 0, 0, 0)
	b = append(b, 1, 0, t.Transport, 2, 0)
	b = binary.BigEndian.AppendUint16(b, t.Port)
	b = append(b, 1, 0, floorIP, 4, 0)
	var addr [4]byte
	if t.Address.Is4() {
		addr = t.Address.As4()
	}
	return append(b, addr[:]...)
}

// parseTower reads the octets of a tower. Of other protocols than UDP and TCP only the
// interface is read, since nobody can use the rest.
func parseTower(b []byte) (Tower, error) {
	if len(b) < 2 {
		return Tower{}, fmt.Errorf("epm: tower: %w", ndr.ErrShort)
	}
	count := binary.LittleEndian.Uint16(b)
	rest := b[2:]
	var t Tower
	for i := range int(count) {
		left, after, err := side(rest)
		if err != nil || len(left) == 0 {
			return Tower{}, fmt.Errorf("epm: floor %d of a tower: %w", i+1, ndr.ErrShort)
		}
		right, after, err := side(after)
		if err != nil {
			return Tower{}, fmt.Errorf("epm: floor %d of a tower: %w", i+1, err)
		}
		if err := t.floor(i, left, right); err != nil {
			return Tower{}, err
		}
		rest = after
	}
	return t, nil
}

// side cuts off one side of a floor.
func side(b []byte) (side, rest []byte, err error) {
	if len(b) < 2 {
		return nil, nil, ndr.ErrShort
	}
	n := int(binary.LittleEndian.Uint16(b))
	if n > len(b)-2 {
		return nil, nil, ndr.ErrShort
	}
	return b[2 : 2+n], b[2+n:], nil
}

// floor takes what one floor says.
func (t *Tower) floor(i int, left, right []byte) error {
	switch {
	case i < 2:
		if len(left) != 19 || left[0] != floorUUID || len(right) != 2 {
			return fmt.Errorf("epm: floor %d of a tower names no syntax", i+1)
		}
		r := ndr.NewReader(left[1:17], false)
		s := dcerpc.Syntax{ID: r.UUID(), Major: binary.LittleEndian.Uint16(left[17:]), Minor: binary.LittleEndian.Uint16(right)}
		if i == 0 {
			t.Interface = s
		} else {
			t.Transfer = s
		}
	case i == 2:
		t.Protocol = left[0]
	case i == 3:
		t.Transport = left[0]
		if (left[0] == UDP || left[0] == TCP) && len(right) == 2 {
			t.Port = binary.BigEndian.Uint16(right)
		}
	case i == 4 && left[0] == floorIP && len(right) == 4:
		if addr := netip.AddrFrom4([4]byte(right)); !addr.IsUnspecified() {
			t.Address = addr
		}
	}
	return nil
}

// writeTower writes a tower as a structure with its length in front (twr_t).
func writeTower(w *ndr.Writer, t Tower) {
	octets := t.append(nil)
	w.Uint32(uint32(len(octets)))
	w.Uint32(uint32(len(octets)))
	w.Bytes(octets)
}

// readTower reads a twr_t.
func readTower(r *ndr.Reader) (Tower, error) {
	maximum, size := r.Uint32(), r.Uint32()
	if r.Err() == nil && (maximum != size || size > maxTower) {
		return Tower{}, fmt.Errorf("epm: tower of %d of %d bytes", size, maximum)
	}
	octets := r.Bytes(int(size))
	if err := r.Err(); err != nil {
		return Tower{}, fmt.Errorf("epm: %w", err)
	}
	return parseTower(octets)
}

// Endpoint is the tower of an interface that is served by calls in datagrams at addr.
func Endpoint(served dcerpc.Syntax, addr netip.AddrPort) Tower {
	return Tower{
		Interface: served, Transfer: dcerpc.NDR(), Protocol: Datagrams, Transport: UDP,
		Port: addr.Port(), Address: addr.Addr(),
	}
}

// Wants reports whether a question with tower t is about an interface that is served in
// datagrams.
func (t *Tower) Wants(served dcerpc.Syntax) bool {
	return served.Serves(t.Interface) && t.Transfer == dcerpc.NDR() && t.Protocol == Datagrams && t.Transport == UDP
}
