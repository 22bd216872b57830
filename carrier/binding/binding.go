// Package binding makes remote procedure calls over a connection, such as a pipe that
// somebody has opened: the client's half of the connection-oriented protocol (C706 9.3,
// 12.6, MS-RPCE 3.3.2), one call after the other, without a security of its own.
package binding

import (
	"context"
	"errors"
	"fmt"

	"messngr/wire/dcerpc"
)

const (
	// maxAnswer is the longest stub in bytes that is taken.
	maxAnswer = 1 << 20
	// contextID is the number of the one interface that is bound.
	contextID = 0
)

// ErrNotServed says that the other side does not serve the interface.
var ErrNotServed = errors.New("the interface is not served there")

// A Pipe carries messages to a server and back. Read and Transceive return the next
// message, which holds a packet as a whole.
type Pipe interface {
	Write(ctx context.Context, message []byte) error
	Transceive(ctx context.Context, message []byte) ([]byte, error)
	Read(ctx context.Context) ([]byte, error)
}

// A Binding is to one interface of a server. It is for one goroutine at a time.
type Binding struct {
	pipe Pipe
	size int // of the longest packet that the server takes
	call uint32
}

// Bind binds to an interface of the server behind a pipe. It fails with ErrNotServed if
// that does not serve it.
func Bind(ctx context.Context, p Pipe, to dcerpc.Syntax) (*Binding, error) {
	b := &Binding{pipe: p, size: dcerpc.LeastPDU, call: 1}
	body, err := (&dcerpc.Bind{
		MaxSend: dcerpc.UsualPDU, MaxReceive: dcerpc.UsualPDU,
		Contexts: []dcerpc.Context{{ID: contextID, Interface: to, Transfer: []dcerpc.Syntax{dcerpc.NDR()}}},
	}).Append(nil, false)
	if err != nil {
		return nil, err
	}
	request, err := (&dcerpc.PDU{Type: dcerpc.TypeBind, First: true, Last: true, Call: b.call, Body: body}).Append(nil)
	if err != nil {
		return nil, err
	}
	message, err := p.Transceive(ctx, request)
	if err != nil {
		return nil, err
	}
	answer, err := b.parse(message)
	if err != nil {
		return nil, err
	}
	switch answer.Type {
	case dcerpc.TypeBindNak:
		reason, err := answer.BindNak()
		return nil, errors.Join(fmt.Errorf("bind refused, for reason %d", reason), err)
	case dcerpc.TypeFault:
		return nil, faultOf(&answer)
	}
	ack, err := answer.BindAck()
	if err != nil {
		return nil, err
	}
	if len(ack.Results) != 1 || ack.Results[0].Verdict != dcerpc.Acceptance || ack.Results[0].Transfer != dcerpc.NDR() {
		return nil, fmt.Errorf("%w: %v", ErrNotServed, to)
	}
	b.size = max(dcerpc.LeastPDU, min(dcerpc.UsualPDU, int(ack.MaxReceive)))
	return b, nil
}

// Call makes one call. A *dcerpc.StatusError says that it has failed there; after every
// other error it is not known whether it was run, and the binding cannot be used any more.
func (b *Binding) Call(ctx context.Context, op uint16, stub []byte) (dcerpc.Answer, error) {
	b.call++
	message, err := b.send(ctx, op, stub)
	if err != nil {
		return dcerpc.Answer{}, err
	}
	var whole dcerpc.Answer
	for first := true; ; first = false {
		p, err := b.parse(message)
		if err != nil {
			return dcerpc.Answer{}, err
		}
		if p.Type == dcerpc.TypeFault {
			return dcerpc.Answer{}, faultOf(&p)
		}
		r, err := p.Response()
		switch {
		case err != nil:
			return dcerpc.Answer{}, err
		case p.Auth != nil || r.Context != contextID || p.First != first || !first && p.BigEndian != whole.BigEndian:
			return dcerpc.Answer{}, errors.New("binding: a fragment of another answer")
		case len(r.Stub) == 0 && !p.Last, len(whole.Stub)+len(r.Stub) > maxAnswer:
			return dcerpc.Answer{}, fmt.Errorf("binding: an answer without an end, of %d bytes so far", len(whole.Stub)+len(r.Stub))
		}
		whole.Stub, whole.BigEndian = append(whole.Stub, r.Stub...), p.BigEndian
		if p.Last {
			return whole, nil
		}
		if message, err = b.pipe.Read(ctx); err != nil {
			return dcerpc.Answer{}, err
		}
	}
}

// send sends a call in as many fragments as it takes, and returns the first message of the
// answer.
func (b *Binding) send(ctx context.Context, op uint16, stub []byte) ([]byte, error) {
	for first := true; ; first = false {
		n := min(len(stub), (b.size-dcerpc.RequestHeaderSize)&^7)
		body := dcerpc.RequestBody{AllocHint: uint32(len(stub)), Context: contextID, Op: op, Stub: stub[:n]}
		stub = stub[n:]
		p := body.PDU(false)
		p.First, p.Last, p.Call = first, len(stub) == 0, b.call
		message, err := p.Append(nil)
		if err != nil {
			return nil, err
		}
		if p.Last {
			return b.pipe.Transceive(ctx, message)
		}
		if err := b.pipe.Write(ctx, message); err != nil {
			return nil, err
		}
	}
}

// parse reads a message, which is a packet of the present call.
func (b *Binding) parse(message []byte) (dcerpc.PDU, error) {
	p, rest, err := dcerpc.ParsePDU(message)
	if err != nil {
		return dcerpc.PDU{}, err
	}
	if len(rest) > 0 || p.Call != b.call {
		return dcerpc.PDU{}, fmt.Errorf("binding: a packet of call %d in call %d, with %d bytes behind it", p.Call, b.call, len(rest))
	}
	return p, nil
}

// faultOf says how a call has failed.
func faultOf(p *dcerpc.PDU) error {
	f, err := p.Fault()
	if err != nil {
		return err
	}
	return &dcerpc.StatusError{Status: f.Status, Rejected: p.DidNotExecute}
}
