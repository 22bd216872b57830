package nbt

import (
	"context"
	"slices"

	"messngr/carrier"
	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

// claim makes sure that there is a claim of the name, and that one which failed is
// tried again.
func (s *nameService) claim(name netbios.Name, group bool) *claim {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.claims[name]
	if old != nil && old.tryAgain() {
		return old
	}
	c := s.newClaim(name, group)
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	s.claims[name] = c
	s.order = append(s.order, c)
	s.wg.Go(func() { // the node is stopped only after it is taken from the carrier's list
		if old != nil {
			<-old.done
		}
		c.live(ctx)
	})
	return c
}

func (s *nameService) newClaim(name netbios.Name, group bool) *claim {
	return &claim{
		service: s,
		name:    name,
		group:   group,
		self:    []nbns.Address{{Addr: s.iface.Addr(), Group: group, Node: s.node()}},
		done:    make(chan struct{}),
		doubt:   make(chan struct{}, 1),
		again:   make(chan struct{}, 1),
		judged:  make(chan struct{}),
	}
}

// release makes the name not ours any more, and begins to tell so. It returns nil
// if the name was not.
func (s *nameService) release(name netbios.Name) *claim {
	c := s.find(name)
	if c != nil {
		c.end()
	}
	return c
}

// releaseAll releases all names and waits until that is done.
func (s *nameService) releaseAll() {
	s.mu.RLock()
	all := slices.Clone(s.order)
	s.mu.RUnlock()
	for _, c := range all {
		c.end()
	}
	for _, c := range all {
		<-c.done
	}
}

func (s *nameService) renewAll() {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, c := range s.order {
		c.renew()
	}
}

// entries lists the names in the order in which they were claimed.
func (s *nameService) entries() []carrier.NameEntry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := make([]carrier.NameEntry, 0, len(s.order))
	for _, c := range s.order {
		c.mu.Lock()
		list = append(list, carrier.NameEntry{
			Name: c.name, Group: c.group, State: c.state, Interface: s.iface.Name, Owner: c.owner(),
		})
		c.mu.Unlock()
	}
	return list
}
