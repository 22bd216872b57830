package sunrpc

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// The program that binds programs to ports, on port 111 and, on the host itself, on a
// unix socket: the port mapper of version 2, and rpcbind of versions 3 and 4, which has
// the same numbers for what we call (RFC 1833 2.2.1, 3.2).
const (
	BindProgram     = 100000
	BindPort        = 111
	PortMapVersion  = 2
	BindVersion3    = 3
	BindVersion4    = 4
	SetProcedure    = 1
	UnsetProcedure  = 2
	LookupProcedure = 3 // GETPORT in version 2, GETADDR in versions 3 and 4
)

// MaxAddress is the longest universal address that is read.
const MaxAddress = 128

// maxBindText bounds the texts of a Binding.
const maxBindText = 255

// Binding is the argument of rpcbind's SET, UNSET and GETADDR (RFC 1833 2.1, struct rpcb):
// program u32, version u32, then three strings. Version 2 has a Mapping instead.
type Binding struct {
	Program, Version uint32
	Network          string // "udp", "tcp"
	Address          string // see FormatAddress; in GETADDR whom the client called
	Owner            string // whom rpcbind itself sets it to
}

// ParseBinding reads a binding.
func ParseBinding(b []byte) (Binding, error) {
	r := reader{data: b}
	v := Binding{Program: r.uint32(), Version: r.uint32()}
	for _, text := range []*string{&v.Network, &v.Address, &v.Owner} {
		*text = string(r.opaque(maxBindText))
	}
	if r.err != nil {
		return Binding{}, fmt.Errorf("sunrpc: binding: %w", r.err)
	}
	return v, nil
}

// Append writes the binding.
func (v Binding) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, v.Program)
	b = binary.BigEndian.AppendUint32(b, v.Version)
	for _, text := range []string{v.Network, v.Address, v.Owner} {
		b = appendOpaque(b, []byte(text))
	}
	return b
}

// UDP is the Protocol of a Mapping for datagrams.
const UDP = 17

// Mapping is the argument of the port mapper's SET, UNSET and GETPORT (RFC 1833 3.1).
type Mapping struct {
	Program, Version uint32
	Protocol         uint32
	Port             uint32
}

// ParseMapping reads a mapping.
func ParseMapping(b []byte) (Mapping, error) {
	r := reader{data: b}
	m := Mapping{r.uint32(), r.uint32(), r.uint32(), r.uint32()}
	if r.err != nil {
		return Mapping{}, fmt.Errorf("sunrpc: mapping: %w", r.err)
	}
	return m, nil
}

// Append writes the mapping.
func (m Mapping) Append(b []byte) []byte {
	for _, n := range []uint32{m.Program, m.Version, m.Protocol, m.Port} {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return b
}

// FormatAddress returns a universal address: the address, and the two bytes of the port
// as decimal numbers, all joined by dots (RFC 5665 5.2.3.3).
func FormatAddress(at netip.AddrPort) string {
	return fmt.Sprintf("%v.%d.%d", at.Addr(), at.Port()>>8, at.Port()&0xff)
}

// ParseAddress reads a universal address.
func ParseAddress(s string) (netip.AddrPort, error) {
	rest, low, ok := cutLast(s)
	rest, high, more := cutLast(rest)
	addr, err := netip.ParseAddr(rest)
	if !ok || !more || err != nil {
		return netip.AddrPort{}, fmt.Errorf("sunrpc: %q is no address of a port", s)
	}
	return netip.AddrPortFrom(addr, uint16(high)<<8|uint16(low)), nil
}

// cutLast takes the last number off a universal address.
func cutLast(s string) (rest string, n uint8, ok bool) {
	i := strings.LastIndexByte(s, '.')
	if i < 0 {
		return "", 0, false
	}
	v, err := strconv.ParseUint(s[i+1:], 10, 8)
	return s[:i], uint8(v), err == nil
}
