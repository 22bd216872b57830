package smbd

import (
	"bytes"
	"context"
	"testing"

	"github.com/google/uuid"

	"messngr/wire/dcerpc"
	"messngr/wire/npa"
)

var fuzzed = dcerpc.Syntax{ID: uuid.MustParse("17fdd703-1827-4e34-79d4-24a55c53bb37"), Major: 1}

// said is what a client says in one dialogue: packets, one behind the other.
func said(t testing.TB, packets ...dcerpc.PDU) []byte {
	t.Helper()
	var all []byte
	for _, p := range packets {
		b, err := p.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

// FuzzAssociation: whatever a client says, it is answered with packets that can be read, that
// belong to what it has said, and that are no longer than it takes; and no call is run that
// was not bound and complete.
func FuzzAssociation(f *testing.F) {
	bind, err := (&dcerpc.Bind{MaxSend: 4280, MaxReceive: 2000, Contexts: []dcerpc.Context{
		{ID: 3, Interface: fuzzed, Transfer: []dcerpc.Syntax{dcerpc.NDR()}},
	}}).Append(nil, false)
	if err != nil {
		f.Fatal(err)
	}
	first := dcerpc.PDU{Type: dcerpc.TypeBind, First: true, Last: true, Call: 1, Body: bind}
	alter := first
	alter.Type, alter.Call = dcerpc.TypeAlter, 2
	request := func(n int, begins, ends, big bool) dcerpc.PDU {
		p := (&dcerpc.RequestBody{Context: 3, Stub: make([]byte, n)}).PDU(big)
		p.First, p.Last, p.Call = begins, ends, 7
		return p
	}
	orphaned := dcerpc.PDU{Type: dcerpc.TypeOrphaned, Call: 7}
	signed := request(8, true, true, false)
	signed.Auth = &dcerpc.Auth{Type: 10, Level: 5, Value: make([]byte, 16)}
	f.Add(said(f, first, request(5000, true, true, false)))
	f.Add(said(f, first, alter, request(8, true, false, true), orphaned, request(8, true, false, true), request(9, false, true, true)))
	f.Add(said(f, first, signed))
	f.Add(said(f, request(8, true, true, false), first, first))
	f.Fuzz(func(t *testing.T, b []byte) {
		ran := 0
		echo := func(_ context.Context, _ npa.Client, call dcerpc.Call) ([]byte, error) {
			if ran++; call.Interface != fuzzed {
				t.Errorf("run is a call of %v", call.Interface)
			}
			return bytes.Repeat(call.Stub, 3), nil
		}
		a := newAssociation(`\PIPE\test`, []service{{fuzzed, echo}}, npa.Client{})
		for len(b) > 0 {
			p, rest, err := dcerpc.ParsePDU(b)
			if err != nil {
				return
			}
			before := ran
			answers, err := a.take(t.Context(), &p)
			for _, answer := range answers {
				q, behind, err := dcerpc.ParsePDU(answer)
				if err != nil || len(behind) > 0 || q.Call != p.Call || q.BigEndian != p.BigEndian {
					t.Fatalf("%+v is answered with %x: %v", p, answer, err)
				}
				if q.Type == dcerpc.TypeResponse && (len(answer) > a.size || len(a.bound) == 0) {
					t.Errorf("an answer of %d bytes, %d is the limit; %d contexts are bound", len(answer), a.size, len(a.bound))
				}
			}
			if ran-before > 1 || ran > before && (p.Type != dcerpc.TypeRequest || !p.Last || len(answers) == 0) {
				t.Errorf("%d calls were run upon %+v, with %d answers", ran-before, p, len(answers))
			}
			if err != nil {
				return
			}
			b = rest
		}
	})
}
