package rpc

import (
	"context"
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
	for _, service := range s.listed(q.Handle) {
		if q.Wants(service.syntax) && len(answer.Entries) < int(min(q.Max, maxEntries)) {
			answer.Entries = append(answer.Entries, epm.Entry{
				Tower: epm.Endpoint(service.syntax, local), Annotation: service.name,
			})
			answer.Status = epm.Success
		}
	}
	return answer.Append(nil, q.Max, call.BigEndian), nil
}

// listed returns what a question is about that goes on at h: everything is told in one
// answer, so that there is never more to come.
func (s *server) listed(h epm.Handle) []service {
	if h != (epm.Handle{}) {
		return nil
	}
	return s.services
}
