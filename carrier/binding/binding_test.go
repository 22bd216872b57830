package binding_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"messngr/carrier/binding"
	"messngr/wire/dcerpc"
)

func echo() dcerpc.Syntax {
	return dcerpc.Syntax{ID: uuid.MustParse("60a15ec5-4de8-11d7-a637-005056a20182"), Major: 1}
}

// server is the other end of a pipe: it answers a bind, and calls with what answer says.
type server struct {
	t       *testing.T
	size    uint16 // of what it takes
	ack     func(*dcerpc.BindAck)
	answer  func(call uint32, q dcerpc.RequestBody) []dcerpc.PDU
	got     dcerpc.RequestBody
	packets int // of the present call
	out     [][]byte
}

var errClosed = errors.New("the pipe is closed")

func (s *server) Write(_ context.Context, b []byte) error {
	p, rest, err := dcerpc.ParsePDU(b)
	if err != nil || len(rest) > 0 || len(b) > int(s.size) {
		s.t.Fatalf("the client writes %d bytes, %v", len(b), err)
	}
	if p.Type == dcerpc.TypeBind {
		s.bind(p)
		return nil
	}
	q, err := p.Request()
	if err != nil {
		s.t.Fatal(err)
	}
	if p.First {
		s.got, s.packets = q, 0
	} else {
		s.got.Stub = append(bytes.Clone(s.got.Stub), q.Stub...)
	}
	if s.packets++; !p.Last {
		return nil
	}
	for _, a := range s.answer(p.Call, s.got) {
		s.say(a)
	}
	return nil
}

func (s *server) bind(p dcerpc.PDU) {
	want, err := p.Bind()
	if err != nil || len(want.Contexts) != 1 || want.Contexts[0].Interface != echo() || want.MaxReceive != 4280 {
		s.t.Fatalf("bind %+v, %v", want, err)
	}
	a := dcerpc.BindAck{MaxSend: s.size, MaxReceive: s.size, Address: `\PIPE\echo`, Results: []dcerpc.Result{{Transfer: dcerpc.NDR()}}}
	if s.ack != nil {
		s.ack(&a)
	}
	body, err := a.Append(nil, false)
	if err != nil {
		s.t.Fatal(err)
	}
	s.say(dcerpc.PDU{Type: dcerpc.TypeBindAck, First: true, Last: true, Call: p.Call, Body: body})
}

func (s *server) say(p dcerpc.PDU) {
	b, err := p.Append(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.out = append(s.out, b)
}

func (s *server) Read(context.Context) ([]byte, error) {
	if len(s.out) == 0 {
		return nil, errClosed
	}
	b := s.out[0]
	s.out = s.out[1:]
	return b, nil
}

func (s *server) Transceive(ctx context.Context, b []byte) ([]byte, error) {
	if err := s.Write(ctx, b); err != nil {
		return nil, err
	}
	return s.Read(ctx)
}

// response is a part of an answer.
func response(call uint32, stub string, first, last, big bool) dcerpc.PDU {
	body := dcerpc.ResponseBody{Stub: []byte(stub)}
	return dcerpc.PDU{Type: dcerpc.TypeResponse, First: first, Last: last, BigEndian: big, Call: call, Body: body.Append(nil, big)}
}

func fault(call uint32, status dcerpc.Status) dcerpc.PDU {
	body := dcerpc.FaultBody{Status: status}
	return dcerpc.PDU{Type: dcerpc.TypeFault, First: true, Last: true, DidNotExecute: true, Call: call, Body: body.Append(nil, false)}
}

// bound is a binding to the server.
func bound(t *testing.T, s *server) *binding.Binding {
	t.Helper()
	s.t = t
	if s.size == 0 {
		s.size = 4280
	}
	b, err := binding.Bind(t.Context(), s, echo())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestCall: a call of any length arrives as a whole, in packets that the server takes, and
// so does its answer.
func TestCall(t *testing.T) {
	for _, size := range []uint16{1432, 4280, 5840} {
		for _, n := range []int{0, 1, 1408, 1409, 100_000} {
			s := &server{size: size, answer: func(call uint32, q dcerpc.RequestBody) []dcerpc.PDU {
				half := len(q.Stub) / 2
				if half == 0 {
					return []dcerpc.PDU{response(call, string(q.Stub), true, true, false)}
				}
				first := min(half, 60_000)
				return []dcerpc.PDU{response(call, string(q.Stub[:first]), true, false, false), response(call, string(q.Stub[first:]), false, true, false)}
			}}
			b := bound(t, s)
			stub := bytes.Repeat([]byte{'x'}, n)
			for range 2 {
				got, err := b.Call(t.Context(), 7, stub)
				if err != nil || !bytes.Equal(got.Stub, stub) || got.BigEndian || s.got.Op != 7 {
					t.Errorf("size %d: %d bytes come back as %d, %v", size, n, len(got.Stub), err)
				}
			}
			if least := (n + int(size) - 25) / (int(size) - 24); s.packets < least {
				t.Errorf("%d bytes in %d packets of %d", n, s.packets, size)
			}
		}
	}
}

// A server may write its integers as it likes.
func TestBigEndian(t *testing.T) {
	b := bound(t, &server{answer: func(call uint32, _ dcerpc.RequestBody) []dcerpc.PDU {
		return []dcerpc.PDU{response(call, "big", true, true, true)}
	}})
	got, err := b.Call(t.Context(), 0, nil)
	if diff := cmp.Diff(dcerpc.Answer{Stub: []byte("big"), BigEndian: true}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestFault(t *testing.T) {
	b := bound(t, &server{answer: func(call uint32, _ dcerpc.RequestBody) []dcerpc.PDU {
		return []dcerpc.PDU{fault(call, dcerpc.OpRange)}
	}})
	for range 2 { // it can go on
		_, err := b.Call(t.Context(), 99, nil)
		var failed *dcerpc.StatusError
		if !errors.As(err, &failed) || failed.Status != dcerpc.OpRange || !failed.Rejected {
			t.Errorf("a fault is %v", err)
		}
	}
}

// TestNonsense: an answer that is not one is an error, and has an end.
func TestNonsense(t *testing.T) {
	for name, answer := range map[string]func(call uint32) []dcerpc.PDU{
		"nothing":        func(uint32) []dcerpc.PDU { return nil },
		"another call":   func(c uint32) []dcerpc.PDU { return []dcerpc.PDU{response(c+1, "x", true, true, false)} },
		"no beginning":   func(c uint32) []dcerpc.PDU { return []dcerpc.PDU{response(c, "x", false, true, false)} },
		"no end":         func(c uint32) []dcerpc.PDU { return []dcerpc.PDU{response(c, "x", true, false, false)} },
		"two beginnings": func(c uint32) []dcerpc.PDU { return twice(response(c, "x", true, false, false)) },
		"two orders": func(c uint32) []dcerpc.PDU {
			return []dcerpc.PDU{response(c, "x", true, false, false), response(c, "x", false, true, true)}
		},
		"a part without bytes": func(c uint32) []dcerpc.PDU { return []dcerpc.PDU{response(c, "", true, false, false)} },
		"another kind": func(c uint32) []dcerpc.PDU {
			return []dcerpc.PDU{{Type: dcerpc.TypeBindAck, First: true, Last: true, Call: c}}
		},
		"a fault that is short": func(c uint32) []dcerpc.PDU {
			return []dcerpc.PDU{{Type: dcerpc.TypeFault, First: true, Last: true, Call: c}}
		},
		"two megabytes": func(c uint32) []dcerpc.PDU {
			list := []dcerpc.PDU{response(c, "x", true, false, false)}
			for range 40 {
				list = append(list, response(c, string(make([]byte, 60_000)), false, false, false))
			}
			return list
		},
	} {
		b := bound(t, &server{answer: func(call uint32, _ dcerpc.RequestBody) []dcerpc.PDU { return answer(call) }})
		if got, err := b.Call(t.Context(), 0, nil); err == nil {
			t.Errorf("%s: answered with %d bytes", name, len(got.Stub))
		}
	}
}

func twice(p dcerpc.PDU) []dcerpc.PDU { return []dcerpc.PDU{p, p} }

func TestBindRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		ack       func(*dcerpc.BindAck)
		notServed bool
	}{
		"not served": {func(a *dcerpc.BindAck) {
			a.Results[0] = dcerpc.Result{Verdict: dcerpc.ProviderRejection, Reason: dcerpc.AbstractUnsupported}
		}, true},
		"another syntax":   {func(a *dcerpc.BindAck) { a.Results[0].Transfer = echo() }, true},
		"no result":        {func(a *dcerpc.BindAck) { a.Results = nil }, true},
		"too many":         {func(a *dcerpc.BindAck) { a.Results = append(a.Results, a.Results[0]) }, true},
		"sizes of nothing": {func(a *dcerpc.BindAck) { a.MaxReceive, a.MaxSend = 0, 0 }, false},
	} {
		s := &server{t: t, size: 4280, ack: tt.ack, answer: func(call uint32, q dcerpc.RequestBody) []dcerpc.PDU {
			return []dcerpc.PDU{response(call, "x", true, true, false)}
		}}
		b, err := binding.Bind(t.Context(), s, echo())
		if errors.Is(err, binding.ErrNotServed) != tt.notServed {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			continue
		}
		if _, err := b.Call(t.Context(), 0, make([]byte, 3000)); err != nil || s.packets != 3 {
			t.Errorf("%s: %v, in %d packets", name, err, s.packets)
		}
	}
	for name, p := range map[string]dcerpc.PDU{
		"bind_nak": {Type: dcerpc.TypeBindNak, First: true, Last: true, Call: 1, Body: dcerpc.AppendBindNak(nil, 4, false)},
		"fault":    fault(1, dcerpc.AccessDenied),
		"response": response(1, "x", true, true, false),
	} {
		if _, err := binding.Bind(t.Context(), only{t, p}, echo()); err == nil || errors.Is(err, binding.ErrNotServed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// only is a pipe that always says the same.
type only struct {
	t *testing.T
	p dcerpc.PDU
}

func (o only) Write(context.Context, []byte) error { return nil }
func (o only) Read(context.Context) ([]byte, error) {
	b, err := o.p.Append(nil)
	if err != nil {
		o.t.Fatal(err)
	}
	return b, nil
}
func (o only) Transceive(ctx context.Context, _ []byte) ([]byte, error) { return o.Read(ctx) }

// raw is a pipe whose messages are what somebody has made up.
type raw struct{ messages [][]byte }

func (r *raw) Write(context.Context, []byte) error { return nil }
func (r *raw) Read(context.Context) ([]byte, error) {
	if len(r.messages) == 0 {
		return nil, errClosed
	}
	b := r.messages[0]
	r.messages = r.messages[1:]
	return b, nil
}
func (r *raw) Transceive(ctx context.Context, _ []byte) ([]byte, error) { return r.Read(ctx) }

// FuzzAnswers: nothing that a server says is more than an error, or longer than what it said.
func FuzzAnswers(f *testing.F) {
	ack := dcerpc.BindAck{MaxSend: 4280, MaxReceive: 4280, Results: []dcerpc.Result{{Transfer: dcerpc.NDR()}}}
	body, err := ack.Append(nil, false)
	if err != nil {
		f.Fatal(err)
	}
	var seeds [][]byte
	for _, p := range []dcerpc.PDU{
		{Type: dcerpc.TypeBindAck, First: true, Last: true, Call: 1, Body: body}, response(2, "first", true, false, false),
		response(2, "last", false, true, false), fault(2, dcerpc.OpRange),
	} {
		b, err := p.Append(nil)
		if err != nil {
			f.Fatal(err)
		}
		seeds = append(seeds, b)
	}
	f.Add(seeds[0], seeds[1], seeds[2])
	f.Add(seeds[0], seeds[3], seeds[3])
	f.Fuzz(func(t *testing.T, bind, first, second []byte) {
		b, err := binding.Bind(t.Context(), &raw{[][]byte{bind, first, second}}, echo())
		if err != nil {
			return
		}
		if got, err := b.Call(t.Context(), 0, nil); err == nil && len(got.Stub) > len(first)+len(second) {
			t.Errorf("%d bytes out of %d and %d", len(got.Stub), len(first), len(second))
		}
	})
}
