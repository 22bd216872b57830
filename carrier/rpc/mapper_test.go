package rpc

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"messngr/wire/dcerpc"
	"messngr/wire/dcerpc/epm"
)

// mapper returns a client that asks the endpoint mapper of s.
func (s *served) mapper(op uint16, big bool, stub []byte) *peer {
	p := s.peer(alpha)
	p.call.Interface, p.call.Op, p.call.BigEndian, p.call.Idempotent, p.call.Body = epm.Interface(), op, big, true, stub
	return p
}

func TestMapTower(t *testing.T) {
	compare := cmpopts.EquateComparable(netip.Addr{})
	here := netip.AddrPortFrom(beta, 135)
	for name, tt := range map[string]struct {
		ask  dcerpc.Syntax
		max  uint32
		want epm.MapAnswer
	}{
		"served":       {echoes, 4, epm.MapAnswer{Towers: []epm.Tower{epm.Endpoint(echoes, here)}}},
		"the mapper":   {epm.Interface(), 4, epm.MapAnswer{Towers: []epm.Tower{epm.Endpoint(epm.Interface(), here)}}},
		"not served":   {dcerpc.Syntax{ID: uuid.UUID{1}}, 4, epm.MapAnswer{Status: epm.NotRegistered}},
		"no room":      {echoes, 0, epm.MapAnswer{Status: epm.NotRegistered}},
		"a lot asked":  {echoes, 1<<32 - 1, epm.MapAnswer{Towers: []epm.Tower{epm.Endpoint(echoes, here)}}},
		"next version": {dcerpc.Syntax{ID: echoes.ID, Major: 1, Minor: 1}, 4, epm.MapAnswer{Status: epm.NotRegistered}},
	} {
		for _, big := range []bool{false, true} {
			bubble(t, func(t *testing.T, s *served) {
				q := epm.MapQuestion{Max: tt.max, Tower: epm.Endpoint(tt.ask, netip.AddrPort{})}
				p := s.mapper(epm.Map, big, q.Append(nil, big))
				got, err := epm.ParseMapAnswer(p.one(dcerpc.TypeResponse, p.meets()).Body, big)
				if diff := cmp.Diff(tt.want, got, compare); diff != "" || err != nil {
					t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
				}
			})
		}
	}
}

func TestLookUp(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		q := epm.LookupQuestion{Inquiry: epm.AllElements, Max: 100}
		p := s.mapper(epm.Lookup, false, q.Append(nil, false))
		got, err := epm.ParseLookupAnswer(p.one(dcerpc.TypeResponse, p.meets()).Body, false)
		here := netip.AddrPortFrom(beta, 135)
		want := epm.LookupAnswer{Entries: []epm.Entry{
			{Tower: epm.Endpoint(epm.Interface(), here), Annotation: "Endpoint Mapper"},
			{Tower: epm.Endpoint(echoes, here), Annotation: "echo"},
		}}
		if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		for _, q := range []epm.LookupQuestion{
			{Inquiry: epm.AllElements, Max: 100, Handle: epm.Handle{7}},
			{Inquiry: epm.ByInterface, Interface: dcerpc.Syntax{ID: uuid.UUID{1}}, Versions: epm.AllVersions, Max: 100},
		} {
			p := s.mapper(epm.Lookup, false, q.Append(nil, false))
			got, err := epm.ParseLookupAnswer(p.one(dcerpc.TypeResponse, p.meets()).Body, false)
			if err != nil || len(got.Entries) != 0 || got.Status != epm.NotRegistered {
				t.Errorf("%+v is answered with %+v, %v", q, got, err)
			}
		}
	})
}

// TestLookUpOneByOne: a client with room for one entry gets all of them, each once, and
// knows when it has the last.
func TestLookUpOneByOne(t *testing.T) {
	for _, big := range []bool{false, true} {
		bubble(t, func(t *testing.T, s *served) {
			var told []string
			q := epm.LookupQuestion{Inquiry: epm.AllElements, Max: 1}
			for range 3 {
				p := s.mapper(epm.Lookup, big, q.Append(nil, big))
				got, err := epm.ParseLookupAnswer(p.one(dcerpc.TypeResponse, p.meets()).Body, big)
				if err != nil || len(got.Entries) != 1 || got.Status != epm.Success {
					t.Fatalf("after %v: %+v, %v, want one entry", told, got, err)
				}
				told = append(told, got.Entries[0].Annotation)
				if q.Handle = got.Handle; q.Handle == (epm.Handle{}) {
					break
				}
			}
			if diff := cmp.Diff([]string{"Endpoint Mapper", "echo"}, told); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMapperOtherwise(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		long := make([]byte, 40)
		p := s.mapper(epm.FreeHandle, false, long)
		if got := p.one(dcerpc.TypeResponse, p.meets()); len(got.Body) != 24 {
			t.Errorf("ept_lookup_handle_free returns %x", got.Body)
		}
		p = s.mapper(9, false, long)
		if got := p.status(dcerpc.TypeReject, p.meets()); got != dcerpc.OpRange {
			t.Errorf("an unknown procedure is rejected with %v", got)
		}
		for _, op := range []uint16{epm.Map, epm.Lookup} {
			p = s.mapper(op, false, long[:20])
			if got := p.status(dcerpc.TypeFault, p.meets()); got != dcerpc.BadStub {
				t.Errorf("procedure %d without its parameters fails with %v", op, got)
			}
		}
		s.wantRan()
	})
}
