package rpc

import (
	"context"
	"encoding/binary"
	"net/netip"

	"messngr/wire/dcerpc"
	"messngr/wire/dcerpc/epm"
)

// maxEntries is how many endpoints one answer of the mapper has at the most. We never
// have more.
const maxEntries = 16

// serveMapper serves the endpoint mapper: it says that everything is here.
func (c *Carrier) serveMapper() {
	c.server.services = append(c.server.services, service{
		syntax: epm.Interface(), name: "Endpoint Mapper",
		run: func(_ context.Context, local, _ netip.AddrPort, call dcerpc.Call) ([]byte, error) {
			switch call.Op {
			case epm.Map:
				return c.server.mapTower(local, call)
			case epm.Lookup:
				return c.server.lookUp(local, call)
			case epm.FreeHandle:
				answer := epm.MapAnswer{}
				return append(answer.Handle[:], 0, 0, 0, 0), nil
			}
			return nil, &dcerpc.StatusError{Status: dcerpc.OpRange, Rejected: true}
		},
	})
}

// mapTower answers where an interface is served.
func (s *server) mapTower(local netip.AddrPort, call dcerpc.Call) ([]byte, error) {
	q, err := epm.ParseMapQuestion(call.Stub, call.BigEndian)
	if err != nil {
		return nil, &dcerpc.StatusError{Status: dcerpc.BadStub}
	}
	answer := epm.MapAnswer{Status: epm.NotRegistered}
	for _, service := range s.listed(q.Handle) {
		if q.Tower.Wants(service.syntax) && len(answer.Towers) < int(min(q.Max, maxEntries)) {
			answer.Towers = append(answer.Towers, epm.Endpoint(service.syntax, local))
			answer.Status = epm.Success
		}
	}
	return answer.Append(nil, q.Max, call.BigEndian), nil
}

// lookUp lists what is served.
func (s *server) lookUp(local netip.AddrPort, call dcerpc.Call) ([]byte, error) {
	q, err := epm.ParseLookupQuestion(call.Stub, call.BigEndian)
	if err != nil {
		return nil, &dcerpc.StatusError{Status: dcerpc.BadStub}
	}
	answer := epm.LookupAnswer{Status: epm.NotRegistered}
	begin := place(q.Handle)
	for i, service := range s.services {
		if uint32(i) < begin || !q.Wants(service.syntax) {
			continue
		}
		if len(answer.Entries) == int(min(q.Max, maxEntries)) {
			if len(answer.Entries) > 0 {
				answer.Handle = goesOn(uint32(i))
			}
			break
		}
		answer.Entries = append(answer.Entries, epm.Entry{
			Tower: epm.Endpoint(service.syntax, local), Annotation: service.name,
		})
		answer.Status = epm.Success
	}
	return answer.Append(nil, q.Max, call.BigEndian), nil
}

// goesOn returns the handle of a lookup that goes on at a service. It says all that there
// is to know, so that nothing has to be kept for those who never come back. The last eight
// bytes of a handle are the same in both byte orders.
func goesOn(at uint32) epm.Handle {
	h := epm.Handle{12: 'n', 'e', 'x', 't'}
	binary.BigEndian.PutUint32(h[16:], at)
	return h
}

// place returns where a lookup with the handle goes on; behind everything if the handle is
// none of ours.
func place(h epm.Handle) uint32 {
	at := binary.BigEndian.Uint32(h[16:])
	if h != (epm.Handle{}) && h != goesOn(at) {
		return 1<<32 - 1
	}
	return at
}

// listed returns what a question about a tower with the handle is about: all fits into
// one answer, so that there is never more to come.
func (s *server) listed(h epm.Handle) []service {
	if h != (epm.Handle{}) {
		return nil
	}
	return s.services
}
