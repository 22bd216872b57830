package nbns

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// Append appends the packet to b. It returns b as it was, and an error, if the
// packet has no Kind or one that is never sent (Redirect), if the scope or TTL cannot be encoded,
// if an address is not IPv4, or if there are more addresses or names than fit the layout. It does
// not keep to MaxDatagram: an answer with many addresses or names may be longer.
func (p Packet) Append(b []byte) ([]byte, error) {
	start := len(b)
	out, err := p.append(b)
	if err != nil {
		return b[:start], err
	}
	return out, nil
}

func (p *Packet) append(b []byte) ([]byte, error) {
	word, ok := p.Kind.flags()
	if !ok {
		return b, fmt.Errorf("nbns: a packet of kind %s cannot be written", p.Kind)
	}
	if p.Truncated {
		word |= flagTruncated
	}
	b = binary.BigEndian.AppendUint16(b, p.ID)
	if p.Kind.Response() {
		word |= uint16(p.Rcode) & rcodeMask
		if p.Server && p.Kind == QueryResponse {
			word |= flagServer
		}
		b = binary.BigEndian.AppendUint16(b, word)
		b = append(b, 0, 0, 0, 1, 0, 0, 0, 0)
		b, err := p.Name.AppendEncoded(b, p.Scope)
		if err != nil {
			return b, err
		}
		return p.appendRecord(b)
	}
	if p.Broadcast {
		word |= flagBroadcast
	}
	if p.NoRecursion && p.Kind == Query {
		word &^= flagRecursion
	}
	b = binary.BigEndian.AppendUint16(b, word)
	records, kind := byte(1), uint16(typeNB)
	switch p.Kind {
	case Query:
		records = 0
	case StatusRequest:
		records, kind = 0, typeStatus
	}
	b = append(b, 0, 1, 0, 0, 0, 0, 0, records)
	b, err := p.Name.AppendEncoded(b, p.Scope)
	if err != nil {
		return b, err
	}
	b = binary.BigEndian.AppendUint16(b, kind)
	b = binary.BigEndian.AppendUint16(b, classIN)
	if records == 0 {
		return b, nil
	}
	b = append(b, pointerBits, headerSize)
	return p.appendRecord(b)
}

// appendRecord appends what follows the name of the packet's one record.
func (p *Packet) appendRecord(b []byte) ([]byte, error) {
	ttl := p.TTL / time.Second
	if ttl < 0 || ttl > math.MaxUint32 {
		return b, fmt.Errorf("nbns: TTL of %v", p.TTL)
	}
	b = binary.BigEndian.AppendUint16(b, p.recordType())
	b = binary.BigEndian.AppendUint16(b, classIN)
	b = binary.BigEndian.AppendUint32(b, uint32(ttl))
	b = append(b, 0, 0)
	data := len(b)
	b, err := p.appendData(b)
	if err != nil {
		return b, err
	}
	size := len(b) - data
	if size > math.MaxUint16 {
		return b, fmt.Errorf("nbns: record of %d bytes", size)
	}
	binary.BigEndian.PutUint16(b[data-2:], uint16(size))
	return b, nil
}

func (p *Packet) recordType() uint16 {
	switch {
	case p.Kind == StatusResponse:
		return typeStatus
	case p.Kind == QueryResponse && p.Rcode != RcodeOK && len(p.Addresses) == 0:
		return typeNull
	default:
		return typeNB
	}
}

func (p *Packet) appendData(b []byte) ([]byte, error) {
	switch p.Kind {
	case StatusResponse:
		switch {
		case p.Status != nil:
			return p.Status.append(b)
		case p.Rcode != RcodeOK:
			return b, nil
		default:
			return b, fmt.Errorf("nbns: %s tells no status", p.Kind)
		}
	case Wait:
		if word, ok := p.Waiting.flags(); ok {
			b = binary.BigEndian.AppendUint16(b, word)
		}
		return b, nil
	}
	for _, a := range p.Addresses {
		if !a.Addr.Is4() {
			return b, fmt.Errorf("nbns: address %q of %v is not IPv4", a.Addr, p.Name)
		}
		addr := a.Addr.As4()
		b = binary.BigEndian.AppendUint16(b, nbFlags(a.Group, a.Node))
		b = append(b, addr[:]...)
	}
	return b, nil
}
