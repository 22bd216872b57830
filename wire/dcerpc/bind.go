package dcerpc

import (
	"fmt"

	"messngr/wire/ndr"
)

// maxContexts and maxSyntaxes bound what one bind may propose.
const (
	maxContexts = 64
	maxSyntaxes = 16
)

// A Bind is the body of a bind and of an alter_context, which have the same layout (C706
// 12.6.4.1, 12.6.4.3).
type Bind struct {
	// MaxSend and MaxReceive are the longest packets in bytes that the client sends
	// and takes.
	MaxSend, MaxReceive uint16
	// Group is the association group to join; 0 for a new one.
	Group    uint32
	Contexts []Context
}

// A Context is a proposal for one interface: its id, and the ways of writing the data
// that the client knows.
type Context struct {
	ID        uint16
	Interface Syntax
	Transfer  []Syntax
}

// Append appends the body to b. It returns b as it was, and an error, if there are more
// contexts or syntaxes than a bind can count.
func (d *Bind) Append(b []byte, bigEndian bool) ([]byte, error) {
	if len(d.Contexts) > maxContexts {
		return b, fmt.Errorf("dcerpc: bind with %d contexts", len(d.Contexts))
	}
	w := ndr.NewWriter(b, bigEndian)
	w.Uint16(d.MaxSend)
	w.Uint16(d.MaxReceive)
	w.Uint32(d.Group)
	w.Bytes([]byte{byte(len(d.Contexts)), 0, 0, 0})
	for _, c := range d.Contexts {
		if len(c.Transfer) > maxSyntaxes {
			return b, fmt.Errorf("dcerpc: context with %d transfer syntaxes", len(c.Transfer))
		}
		w.Uint16(c.ID)
		w.Uint8(uint8(len(c.Transfer)))
		w.Uint8(0)
		appendSyntax(&w, c.Interface)
		for _, s := range c.Transfer {
			appendSyntax(&w, s)
		}
	}
	return w.Data(), nil
}

func appendSyntax(w *ndr.Writer, s Syntax) {
	w.UUID(s.ID)
	w.Uint32(uint32(s.Minor)<<16 | uint32(s.Major))
}

func readSyntax(r *ndr.Reader) Syntax {
	s := Syntax{ID: r.UUID()}
	version := r.Uint32()
	s.Major, s.Minor = uint16(version), uint16(version>>16)
	return s
}

// Bind reads the body of a bind or alter_context.
func (p *PDU) Bind() (Bind, error) {
	if err := p.is(TypeBind, TypeAlter); err != nil {
		return Bind{}, err
	}
	r := ndr.NewReader(p.Body, p.BigEndian)
	d := Bind{MaxSend: r.Uint16(), MaxReceive: r.Uint16(), Group: r.Uint32()}
	count := int(r.Uint8())
	r.Bytes(3)
	if count > maxContexts {
		return Bind{}, fmt.Errorf("dcerpc: bind with %d contexts", count)
	}
	for range count {
		c := Context{ID: r.Uint16()}
		syntaxes := int(r.Uint8())
		r.Uint8()
		c.Interface = readSyntax(&r)
		if syntaxes > maxSyntaxes {
			return Bind{}, fmt.Errorf("dcerpc: context with %d transfer syntaxes", syntaxes)
		}
		for range syntaxes {
			c.Transfer = append(c.Transfer, readSyntax(&r))
		}
		if r.Err() != nil {
			return Bind{}, r.Err()
		}
		d.Contexts = append(d.Contexts, c)
	}
	if r.Err() != nil {
		return Bind{}, r.Err()
	}
	return d, nil
}

// A Verdict is what a server says of one proposed context (C706 12.6.3).
type Verdict uint16

// The verdicts.
const (
	Acceptance        Verdict = 0
	UserRejection     Verdict = 1
	ProviderRejection Verdict = 2
	// NegotiateAck answers a proposal that was none, but told of features (MS-RPCE
	// 2.2.2.14).
	NegotiateAck Verdict = 3
)

// A Reason says why a context was rejected (C706 12.6.3).
type Reason uint16

// The reasons.
const (
	NoReason             Reason = 0
	AbstractUnsupported  Reason = 1 // the interface is not served
	TransfersUnsupported Reason = 2 // none of the transfer syntaxes is known
	LimitExceeded        Reason = 3
)

// A Result is the verdict about one context. Transfer is the syntax that was chosen.
type Result struct {
	Verdict  Verdict
	Reason   Reason
	Transfer Syntax
}

// A BindAck is the body of a bind_ack and of an alter_context_resp (C706 12.6.4.2,
// 12.6.4.4). It has one result for each context of the bind.
type BindAck struct {
	MaxSend, MaxReceive uint16
	Group               uint32
	// Address is the secondary address, such as "\PIPE\msgsvc"; "" in answers to an
	// alter_context.
	Address string
	Results []Result
}

// Append appends the body to b. It returns b as it was, and an error, if the address is
// longer than a bind_ack can say, or if there are too many results.
func (a *BindAck) Append(b []byte, bigEndian bool) ([]byte, error) {
	if len(a.Results) > maxContexts || len(a.Address) > maxAddress {
		return b, fmt.Errorf("dcerpc: bind_ack with %d results and an address of %d bytes", len(a.Results), len(a.Address))
	}
	w := ndr.NewWriter(b, bigEndian)
	w.Uint16(a.MaxSend)
	w.Uint16(a.MaxReceive)
	w.Uint32(a.Group)
	if a.Address == "" {
		w.Uint16(0)
	} else {
		w.Uint16(uint16(len(a.Address) + 1))
		w.Bytes([]byte(a.Address))
		w.Uint8(0)
	}
	w.Align(4)
	w.Bytes([]byte{byte(len(a.Results)), 0, 0, 0})
	for _, s := range a.Results {
		w.Uint16(uint16(s.Verdict))
		w.Uint16(uint16(s.Reason))
		appendSyntax(&w, s.Transfer)
	}
	return w.Data(), nil
}

// maxAddress is the longest secondary address that is written.
const maxAddress = 255

// BindAck reads the body of a bind_ack or alter_context_resp.
func (p *PDU) BindAck() (BindAck, error) {
	if err := p.is(TypeBindAck, TypeAlterAck); err != nil {
		return BindAck{}, err
	}
	r := ndr.NewReader(p.Body, p.BigEndian)
	a := BindAck{MaxSend: r.Uint16(), MaxReceive: r.Uint16(), Group: r.Uint32()}
	address := r.Bytes(int(r.Uint16()))
	if n := len(address); n > 0 && address[n-1] == 0 {
		address = address[:n-1]
	}
	a.Address = string(address)
	r.Align(4)
	count := int(r.Uint8())
	r.Bytes(3)
	if count > maxContexts || len(a.Address) > maxAddress {
		return BindAck{}, fmt.Errorf("dcerpc: bind_ack with %d results and an address of %d bytes", count, len(a.Address))
	}
	for range count {
		s := Result{Verdict: Verdict(r.Uint16()), Reason: Reason(r.Uint16()), Transfer: readSyntax(&r)}
		if r.Err() != nil {
			return BindAck{}, r.Err()
		}
		a.Results = append(a.Results, s)
	}
	if r.Err() != nil {
		return BindAck{}, r.Err()
	}
	return a, nil
}

// BindNak reads why a bind was refused altogether (C706 12.6.4.5).
func (p *PDU) BindNak() (reason uint16, err error) {
	if err := p.is(TypeBindNak); err != nil {
		return 0, err
	}
	r := ndr.NewReader(p.Body, p.BigEndian)
	reason = r.Uint16()
	return reason, r.Err()
}

// AppendBindNak appends the body of a bind_nak, which also says that only version 5.0 is
// spoken.
func AppendBindNak(b []byte, reason uint16, bigEndian bool) []byte {
	w := ndr.NewWriter(b, bigEndian)
	w.Uint16(reason)
	w.Bytes([]byte{1, 5, 0, 0})
	return w.Data()
}
