package nameservice

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"messngr/carrier"
	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

// maxStatusNames is how many names a node status tells: it shall fit one frame of
// Ethernet, 1,472 bytes, of which header, name and statistics take 103.
const maxStatusNames = (1472 - 103) / 18

// nodeRetry is for questions to one node, which is there or not.
var nodeRetry = retry{tries: 3, wait: time.Second}

// replyStatus tells our names on the interface, to whoever asks for one of them or
// for the wildcard name, by broadcast too (RFC 1002 4.2.17 and 5.1.1.2). Names in conflict are told as such.
func (n *Node) replyStatus(p *nbns.Packet) (nbns.Packet, bool) {
	if p.Name != netbios.Wildcard() {
		if cl := n.find(p.Name); cl == nil || !cl.owned() {
			return nbns.Packet{}, false
		}
	}
	if !n.statusLimit.Allow() {
		return nbns.Packet{}, false
	}
	status := &nbns.Status{Statistics: nbns.Statistics{UnitID: n.iface.Hardware}}
	reply := nbns.Packet{ID: p.ID, Kind: nbns.StatusResponse, Name: p.Name, Scope: p.Scope, Status: status}
	for _, e := range n.entries() {
		if n.service.cfg.HideUsers && n.isUser(e.Name) || e.State == carrier.Claiming {
			continue
		}
		if len(status.Names) == maxStatusNames {
			reply.Truncated = true
			break
		}
		status.Names = append(status.Names, nbns.StatusName{
			Name: e.Name, Group: e.Group, Node: n.nodeType(), Active: true,
			Conflict: e.State == carrier.Conflict, Deregistering: e.State == carrier.Released,
		})
	}
	return reply, true
}

// isUser reports whether the name only takes messages: a machine has the same label
// as a workstation too.
func (n *Node) isUser(name netbios.Name) bool {
	return name.Suffix() == netbios.Messenger && n.find(name.WithSuffix(netbios.Workstation)) == nil
}

// Status asks the machine at addr for its names, as carrier.NetBIOS has it.
func (s *Service) Status(ctx context.Context, addr netip.Addr) ([]carrier.NameEntry, error) {
	status, err := s.AdapterStatus(ctx, addr)
	if err != nil {
		return nil, err
	}
	list := make([]carrier.NameEntry, 0, len(status.Names))
	for _, n := range status.Names {
		e := carrier.NameEntry{Name: n.Name, Group: n.Group, State: carrier.Owned}
		switch {
		case n.Conflict:
			e.State = carrier.Conflict
		case n.Deregistering:
			e.State = carrier.Released
		}
		list = append(list, e)
	}
	return list, nil
}

// AdapterStatus asks the machine at addr for all that it tells about itself, which is
// what nbtstat -A shows. It returns carrier.ErrNoName if there is no answer.
func (s *Service) AdapterStatus(ctx context.Context, addr netip.Addr) (*nbns.Status, error) {
	n, done, err := s.nodeFor(addr)
	if err != nil {
		return nil, fmt.Errorf("nbt: status of %v: %w", addr, err)
	}
	defer done()
	x := n.begin(nbns.Packet{Kind: nbns.StatusRequest, Name: netbios.Wildcard()}, addr)
	defer x.end()
	got, err := x.first(ctx, nodeRetry, func(r response) bool { return r.Kind == nbns.StatusResponse })
	switch {
	case errors.Is(err, errNoAnswer):
		return nil, fmt.Errorf("nbt: status of %v: no answer: %w", addr, carrier.ErrNoName)
	case err != nil:
		return nil, fmt.Errorf("nbt: status of %v: %w", addr, err)
	case got.Status == nil:
		return nil, fmt.Errorf("nbt: status of %v: %v", addr, got.Rcode)
	}
	return got.Status, nil
}
