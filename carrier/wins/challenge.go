package wins

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"messngr/wire/nbns"
)

const (
	// waitTime is what a claimant is told to wait while owners are asked. Samba's clients
	// take less than 9 s for a mistake.
	waitTime = 10 * time.Second
	// askTime is how long owners may take, who can ask for patience themselves.
	askTime = waitTime - time.Second
	// maxPending is how many claims may wait for owners at the same time, and
	// maxPendingOfOne how many of them one machine's.
	maxPending      = 256
	maxPendingOfOne = 64
)

// A challenge finds out whether the owners of a name still want it, which another
// machine claims (RFC 1002 5.1.4.1, MS-NBTE 3.2.5.2).
type challenge struct {
	server  *Server
	request nbns.Packet
	from    netip.AddrPort
	record  *record
	owners  []netip.Addr
	began   time.Time
}

// crowded reports whether no more claims of a machine may wait for owners. The caller holds
// mu.
func (s *Server) crowded(from netip.Addr) bool {
	if len(s.pending) >= maxPending {
		return true
	}
	waiting := 0
	for c := range s.pending {
		if c.from.Addr() == from {
			waiting++
		}
	}
	return waiting >= maxPendingOfOne
}

// run asks all owners at the same time, and returns the answer for the claimant.
func (c *challenge) run(ctx context.Context, ask Ask) nbns.Packet {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	answers := make([][]netip.Addr, len(c.owners))
	var asked sync.WaitGroup
	for i, at := range c.owners {
		asked.Go(func() { answers[i] = ask(ctx, at, c.request.Name, c.request.Scope) })
	}
	asked.Wait()
	return c.server.answer(c.request, c.server.settle(c, slices.Concat(answers...), time.Now()))
}

// settle decides about a claim after the owners were asked. They told, all together, the
// addresses under which the name is in use. A claimant who is among them is the same
// machine by another interface, of which there may be more that claim at the same time; one
// who is not has to find another name.
func (s *Server) settle(c *challenge, told []netip.Addr, now time.Time) nbns.Rcode {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.pending, claimant{c.from, c.request.ID})
	k := key{c.request.Name, c.request.Scope}
	r := s.live(k, now)
	switch {
	case r == nil:
		return s.enter(k, c.request, c.from.Addr(), now)
	case r != c.record:
		return nbns.RcodeActive // another machine has registered the name meanwhile
	case kindOf(c.request) == unique && slices.Contains(told, c.request.Addresses[0].Addr):
		s.add(k, r, c.request, now)
		r.prune(func(o owner) bool { return slices.Contains(c.owners, o.addr) && !slices.Contains(told, o.addr) })
		s.change(k)
		return nbns.RcodeOK
	case len(told) > 0 || r.heard.After(c.began):
		return nbns.RcodeActive
	}
	s.remove(k)
	return s.enter(k, c.request, c.from.Addr(), now)
}
