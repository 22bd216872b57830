package smbd

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"messngr/wire/dcerpc"
	"messngr/wire/npa"
)

const (
	// maxCall is the longest stub in bytes that a client may send.
	maxCall = 256 << 10
	// maxBound is how many contexts a client may have.
	maxBound = 64
	// groupID is the one association group that there is.
	groupID = 0x6d73
	// unknownAuth is the reason of a bind_nak: the pipe's client is known by smbd's word,
	// not by one of its own (MS-RPCE 2.2.2.5: authentication_type_not_recognized).
	unknownAuth = 8
)

// An association is the conversation with one client: which interfaces it has bound, and
// the call that it is making (C706 9.3).
type association struct {
	pipe     string
	services []service
	who      npa.Client
	bound    map[uint16]service
	size     int // of the longest packet that the client takes
	call     *incoming
}

// incoming is a call of which not everything has arrived.
type incoming struct {
	id        uint32
	bigEndian bool
	request   dcerpc.RequestBody
}

func newAssociation(pipe string, services []service, who npa.Client) *association {
	return &association{pipe: pipe, services: services, who: who, bound: make(map[uint16]service), size: dcerpc.LeastPDU}
}

// take takes one packet and returns the packets that answer it. After an error the
// connection is to be closed, when they have been sent.
func (a *association) take(ctx context.Context, p *dcerpc.PDU) ([][]byte, error) {
	switch p.Type {
	case dcerpc.TypeBind, dcerpc.TypeAlter:
		return a.bind(p)
	case dcerpc.TypeRequest:
		return a.request(ctx, p)
	case dcerpc.TypeCoCancel:
		return nil, nil // too late: calls are run one by one
	case dcerpc.TypeOrphaned:
		a.call = nil
		return nil, nil
	default:
		return nil, fmt.Errorf("a client sent a %v", p.Type)
	}
}

// bind decides about the interfaces that a client wants.
func (a *association) bind(p *dcerpc.PDU) ([][]byte, error) {
	answer := dcerpc.PDU{Type: dcerpc.TypeBindAck, First: true, Last: true, BigEndian: p.BigEndian, Call: p.Call}
	if p.Auth != nil {
		answer.Type, answer.Body = dcerpc.TypeBindNak, dcerpc.AppendBindNak(nil, unknownAuth, p.BigEndian)
		out, err := packets(answer)
		return out, errors.Join(err, errors.New("a client wants to prove itself on the pipe"))
	}
	want, err := p.Bind()
	if err != nil {
		return nil, err
	}
	ack := dcerpc.BindAck{MaxReceive: agreed(want.MaxSend), Group: groupID}
	if p.Type == dcerpc.TypeAlter {
		answer.Type = dcerpc.TypeAlterAck
	} else {
		ack.Address = a.pipe
		a.size = int(agreed(want.MaxReceive))
	}
	ack.MaxSend = uint16(a.size)
	for _, c := range want.Contexts {
		ack.Results = append(ack.Results, a.decide(c))
	}
	if answer.Body, err = ack.Append(nil, p.BigEndian); err != nil {
		return nil, err
	}
	return packets(answer)
}

// agreed is the longest packet in one direction, of which the client has named its own.
func agreed(clients uint16) uint16 { return max(dcerpc.LeastPDU, min(dcerpc.UsualPDU, clients)) }

// decide decides about one proposed context.
func (a *association) decide(c dcerpc.Context) dcerpc.Result {
	known := false
	for _, t := range c.Transfer {
		if isNegotiation(t.ID) {
			return dcerpc.Result{Verdict: dcerpc.NegotiateAck} // of no feature
		}
		known = known || t == dcerpc.NDR()
	}
	for _, s := range a.services {
		switch {
		case !s.syntax.Serves(c.Interface):
			continue
		case !known:
			return dcerpc.Result{Verdict: dcerpc.ProviderRejection, Reason: dcerpc.TransfersUnsupported}
		case len(a.bound) >= maxBound:
			return dcerpc.Result{Verdict: dcerpc.ProviderRejection, Reason: dcerpc.LimitExceeded}
		}
		a.bound[c.ID] = s
		return dcerpc.Result{Transfer: dcerpc.NDR()}
	}
	return dcerpc.Result{Verdict: dcerpc.ProviderRejection, Reason: dcerpc.AbstractUnsupported}
}

// isNegotiation reports whether a transfer syntax is none, but asks for features of the
// protocol in its second half (MS-RPCE 3.3.1.5.3).
func isNegotiation(id uuid.UUID) bool {
	prefix := uuid.MustParse("6cb71c2c-9812-4540-0000-000000000000")
	return [8]byte(id[:8]) == [8]byte(prefix[:8])
}

// request takes a fragment of a call, and runs the call when it is complete.
func (a *association) request(ctx context.Context, p *dcerpc.PDU) ([][]byte, error) {
	q, err := p.Request()
	switch {
	case err != nil:
		return nil, err
	case p.Auth != nil:
		return nil, errors.New("a client that has proven nothing signs its call")
	case p.First:
		a.call = &incoming{id: p.Call, bigEndian: p.BigEndian, request: q}
		a.call.request.Stub = append([]byte(nil), q.Stub...)
	case a.call == nil || a.call.id != p.Call || a.call.bigEndian != p.BigEndian:
		return nil, errors.New("a client goes on with a call that it has not begun")
	default:
		a.call.request.Stub = append(a.call.request.Stub, q.Stub...)
	}
	if len(a.call.request.Stub) > maxCall {
		return nil, fmt.Errorf("a call has more than %d bytes", maxCall)
	}
	if !p.Last {
		return nil, nil
	}
	q = a.call.request
	a.call = nil
	s, ok := a.bound[q.Context]
	if !ok {
		return a.fault(p, q.Context, &dcerpc.StatusError{Status: dcerpc.UnknownPresContext, Rejected: true})
	}
	stub, err := s.run(ctx, a.who, dcerpc.Call{Interface: s.syntax, Op: q.Op, Stub: q.Stub, BigEndian: p.BigEndian})
	if err != nil {
		return a.fault(p, q.Context, err)
	}
	return a.respond(p, q.Context, stub)
}

// respond answers a call in as many fragments as it takes.
func (a *association) respond(p *dcerpc.PDU, bound uint16, stub []byte) ([][]byte, error) {
	var answers []dcerpc.PDU
	for first := true; first || len(stub) > 0; first = false {
		n := min(len(stub), (a.size-dcerpc.RequestHeaderSize)&^7)
		body := dcerpc.ResponseBody{AllocHint: uint32(len(stub)), Context: bound, Stub: stub[:n]}
		stub = stub[n:]
		answers = append(answers, dcerpc.PDU{
			Type: dcerpc.TypeResponse, First: first, Last: len(stub) == 0, BigEndian: p.BigEndian, Call: p.Call,
			Body: body.Append(nil, p.BigEndian),
		})
	}
	return packets(answers...)
}

// fault answers a call that has failed.
func (a *association) fault(p *dcerpc.PDU, bound uint16, err error) ([][]byte, error) {
	failed := &dcerpc.StatusError{Status: dcerpc.UnspecifiedFault}
	errors.As(err, &failed)
	body := dcerpc.FaultBody{Context: bound, Status: failed.Status}
	return packets(dcerpc.PDU{
		Type: dcerpc.TypeFault, First: true, Last: true, DidNotExecute: failed.Rejected, BigEndian: p.BigEndian, Call: p.Call,
		Body: body.Append(nil, p.BigEndian),
	})
}

func packets(list ...dcerpc.PDU) ([][]byte, error) {
	var out [][]byte
	for _, p := range list {
		b, err := p.Append(nil)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}
