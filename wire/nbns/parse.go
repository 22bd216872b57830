package nbns

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"messngr/wire/netbios"
)

const (
	headerSize  = 12
	pointerBits = 0xC0 // of the first byte of a label pointer
	maxRecords  = 32
)

var errShort = errors.New("nbns: packet is cut short")

// Parse reads one packet. It allocates nothing for queries without a scope, and
// keeps nothing of b.
//
// It is lax where implementations differ. A Refresh may have opcode 8 or 9. The
// record of a request may spell its name in full instead of by a pointer, as long
// as it is the name of the question. A failure may have a record of type NB or NULL
// (Samba), one that no count mentions (RFC 1002 4.2.14), or none at all. A Wait may
// have type NB or NULL. Statistics may be cut short. Bytes after the packet, and
// questions in responses, are ignored. Responses marked as broadcast are refused:
// only forgers and reflectors make them.
func Parse(b []byte) (Packet, error) {
	if len(b) < headerSize {
		return Packet{}, errShort
	}
	word := binary.BigEndian.Uint16(b[2:])
	c := counts{
		questions:   binary.BigEndian.Uint16(b[4:]),
		answers:     binary.BigEndian.Uint16(b[6:]),
		authorities: binary.BigEndian.Uint16(b[8:]),
		additional:  binary.BigEndian.Uint16(b[10:]),
	}
	if c.questions > 1 || c.records() > maxRecords {
		return Packet{}, fmt.Errorf("nbns: packet of %d questions and %d records", c.questions, c.records())
	}
	p := Packet{
		ID:        binary.BigEndian.Uint16(b),
		Broadcast: word&flagBroadcast != 0,
		Truncated: word&flagTruncated != 0,
	}
	r := reader{packet: b, off: headerSize}
	var q question
	if c.questions == 1 {
		var err error
		if q, err = r.question(); err != nil {
			return Packet{}, err
		}
	}
	var err error
	if word&flagResponse != 0 {
		err = p.parseResponse(&r, word, c)
	} else {
		err = p.parseRequest(&r, word, c, q)
	}
	if err != nil {
		return Packet{}, err
	}
	return p, nil
}

// counts is how many questions and records of each section a header announces.
type counts struct {
	questions, answers, authorities, additional uint16
}

func (c counts) records() int {
	return int(c.answers) + int(c.authorities) + int(c.additional)
}

func (p *Packet) parseRequest(r *reader, word uint16, c counts, q question) error {
	p.Kind = requestKind(word)
	if p.Kind == 0 {
		return fmt.Errorf("nbns: request has opcode %d", word&opcodeMask>>opcodeShift)
	}
	if c.questions == 0 {
		return fmt.Errorf("nbns: %s has no question", p.Kind)
	}
	p.Name, p.Scope = q.name, q.scope
	switch {
	case p.Kind == Query && q.kind == typeStatus:
		p.Kind = StatusRequest
		return nil
	case q.kind != typeNB:
		return fmt.Errorf("nbns: %s has question type %#04x", p.Kind, q.kind)
	case p.Kind == Query:
		p.NoRecursion = word&flagRecursion == 0
		return nil
	}
	if c.records() == 0 {
		return fmt.Errorf("nbns: %s has no record", p.Kind)
	}
	rec, err := r.record()
	if err != nil {
		return err
	}
	if rec.kind != typeNB || rec.name != q.name || !netbios.SameScope(rec.scope, q.scope) {
		return fmt.Errorf("nbns: %s of %v has a record of type %#04x about %v", p.Kind, q.name, rec.kind, rec.name)
	}
	p.TTL = rec.ttl
	p.Addresses, err = parseAddresses(rec.data)
	return err
}

// requestKind gives the kind of requests with the flag word; zero if there is none.
func requestKind(word uint16) Kind {
	switch word & (flagResponse | opcodeMask) >> opcodeShift {
	case opQuery:
		return Query
	case opRegistration:
		if word&flagRecursion == 0 {
			return Overwrite
		}
		return Registration
	case opMultihomed:
		return MultihomedRegistration
	case opRefresh, opRefreshAlternate:
		return Refresh
	case opRelease:
		return Release
	default:
		return 0
	}
}

func (p *Packet) parseResponse(r *reader, word uint16, c counts) error {
	if p.Broadcast {
		return errors.New("nbns: response is marked as broadcast")
	}
	p.Rcode = Rcode(word & rcodeMask)
	p.Kind = responseKind(word)
	switch {
	case p.Kind == 0:
		return fmt.Errorf("nbns: response has opcode %d", word&opcodeMask>>opcodeShift)
	case p.Kind == QueryResponse && c.answers == 0 && c.authorities > 0:
		return p.parseRedirect(r, c)
	case c.records() == 0 && p.Rcode != RcodeOK && r.off == len(r.packet):
		p.Server = p.Kind == QueryResponse && word&flagServer != 0
		return nil
	}
	rec, err := r.record()
	if err != nil {
		return err
	}
	p.Name, p.Scope, p.TTL = rec.name, rec.scope, rec.ttl
	switch {
	case p.Kind == Wait:
		if len(rec.data) >= 2 {
			p.Waiting = waitingKind(binary.BigEndian.Uint16(rec.data))
		}
		return nil
	case p.Kind == QueryResponse && rec.kind == typeStatus:
		p.Kind = StatusResponse
		if p.Rcode == RcodeOK || len(rec.data) > 0 {
			p.Status, err = parseStatus(rec.data)
		}
		return err
	case rec.kind != typeNB && rec.kind != typeNull:
		return fmt.Errorf("nbns: %s has record type %#04x", p.Kind, rec.kind)
	}
	p.Server = p.Kind == QueryResponse && word&flagServer != 0
	p.Addresses, err = parseAddresses(rec.data)
	return err
}

// responseKind gives the kind of responses with the flag word, before the type of
// the record is known; zero if there is none.
func responseKind(word uint16) Kind {
	switch word & opcodeMask >> opcodeShift {
	case opQuery:
		return QueryResponse
	case opRegistration, opMultihomed:
		if word&(flagServer|rcodeMask) == 0 {
			return Challenge
		}
		return RegistrationResponse
	case opRefresh, opRefreshAlternate:
		return RegistrationResponse
	case opRelease:
		return ReleaseResponse
	case opWait:
		return Wait
	default:
		return 0
	}
}

// waitingKind gives the kind of the request whose flag word a Wait repeats.
func waitingKind(word uint16) Kind {
	k := requestKind(word)
	if k == Query && word&flagRecursion == 0 {
		return StatusRequest
	}
	return k
}

// parseRedirect reads a record of type NS about the name that was asked for, and
// the address of the server in a record of type A. What the server is called is of
// no use here, and need not be a NetBIOS name.
func (p *Packet) parseRedirect(r *reader, c counts) error {
	p.Kind = Redirect
	rec, err := r.record()
	if err != nil {
		return err
	}
	if rec.kind != typeNS {
		return fmt.Errorf("nbns: redirect has record type %#04x", rec.kind)
	}
	p.Name, p.Scope, p.TTL = rec.name, rec.scope, rec.ttl
	for range c.records() - 1 {
		if err := r.skipName(); err != nil {
			return err
		}
		if err := r.recordBody(&rec); err != nil {
			return err
		}
		if rec.kind == typeA && len(rec.data) == 4 {
			p.Addresses = []Address{{Addr: netip.AddrFrom4([4]byte(rec.data))}}
			return nil
		}
	}
	return nil
}

func parseAddresses(data []byte) ([]Address, error) {
	if len(data)%addressSize != 0 {
		return nil, fmt.Errorf("nbns: addresses have %d bytes", len(data))
	}
	if len(data) == 0 {
		return nil, nil
	}
	list := make([]Address, 0, len(data)/addressSize)
	for ; len(data) > 0; data = data[addressSize:] {
		flags := binary.BigEndian.Uint16(data)
		list = append(list, Address{
			Addr:  netip.AddrFrom4([4]byte(data[2:addressSize])),
			Group: flags&nbGroup != 0,
			Node:  NodeType(flags >> nbNodeShift & 3),
		})
	}
	return list, nil
}

// A reader goes through the questions and records of a packet.
type reader struct {
	packet []byte
	off    int
}

type question struct {
	name  netbios.Name
	scope string
	kind  uint16
}

func (r *reader) question() (question, error) {
	var q question
	var err error
	if q.name, q.scope, err = r.name(); err != nil {
		return question{}, err
	}
	b := r.packet[r.off:]
	if len(b) < 4 {
		return question{}, errShort
	}
	q.kind = binary.BigEndian.Uint16(b)
	if class := binary.BigEndian.Uint16(b[2:]); class != classIN {
		return question{}, fmt.Errorf("nbns: question has class %#04x", class)
	}
	r.off += 4
	return q, nil
}

type record struct {
	name  netbios.Name
	scope string
	kind  uint16
	ttl   time.Duration
	data  []byte
}

func (r *reader) record() (record, error) {
	var rec record
	var err error
	if rec.name, rec.scope, err = r.name(); err != nil {
		return record{}, err
	}
	err = r.recordBody(&rec)
	return rec, err
}

// recordBody reads what follows the name of a record into rec.
func (r *reader) recordBody(rec *record) error {
	const fixed = 10
	b := r.packet[r.off:]
	if len(b) < fixed {
		return errShort
	}
	size := int(binary.BigEndian.Uint16(b[8:]))
	if size > len(b)-fixed {
		return errShort
	}
	if class := binary.BigEndian.Uint16(b[2:]); class != classIN {
		return fmt.Errorf("nbns: record has class %#04x", class)
	}
	rec.kind = binary.BigEndian.Uint16(b)
	rec.ttl = time.Duration(binary.BigEndian.Uint32(b[4:])) * time.Second
	rec.data = b[fixed : fixed+size]
	r.off += fixed + size
	return nil
}

// name reads a name that may end in, or consist of, one label pointer (RFC 1002
// 4.2.1.2). The pointer has to point backwards, and to no further pointer.
func (r *reader) name() (netbios.Name, string, error) {
	var flat [netbios.MaxEncoded]byte
	size, end := 0, 0 // end is where the name ends in the packet, once a pointer was followed
	for at := r.off; ; {
		if at >= len(r.packet) {
			return netbios.Name{}, "", errShort
		}
		label := int(r.packet[at])
		if label&pointerBits == pointerBits {
			if at+1 >= len(r.packet) {
				return netbios.Name{}, "", errShort
			}
			target := int(binary.BigEndian.Uint16(r.packet[at:]) &^ (pointerBits << 8))
			if end != 0 || target >= r.off || target < headerSize {
				return netbios.Name{}, "", fmt.Errorf("nbns: name at %d has a label pointer to %d", r.off, target)
			}
			end = at + 2
			at = target
			continue
		}
		if at+1+label > len(r.packet) {
			return netbios.Name{}, "", errShort
		}
		if size+1+label > len(flat) {
			return netbios.Name{}, "", fmt.Errorf("nbns: name at %d is longer than %d bytes", r.off, len(flat))
		}
		size += copy(flat[size:], r.packet[at:at+1+label])
		at += 1 + label
		if label == 0 {
			if end == 0 {
				end = at
			}
			r.off = end
			name, scope, _, err := netbios.ParseEncoded(flat[:size])
			return name, scope, err
		}
	}
}

// skipName passes over a name of any kind.
func (r *reader) skipName() error {
	for at := r.off; at < len(r.packet); {
		label := int(r.packet[at])
		switch {
		case label&pointerBits == pointerBits:
			r.off = at + 2
		case label == 0:
			r.off = at + 1
		default:
			at += 1 + label
			continue
		}
		if r.off > len(r.packet) {
			return errShort
		}
		return nil
	}
	return errShort
}
