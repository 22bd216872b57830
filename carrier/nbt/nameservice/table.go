package nameservice

import (
	"context"
	"slices"

	"messngr/carrier"
	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

// claim makes sure that there is a claim of the name, and that one which failed is
// tried again.
func (n *Node) claim(name netbios.Name, group bool) *claim {
	n.mu.Lock()
	defer n.mu.Unlock()
	old := n.claims[name]
	if old != nil && old.tryAgain() {
		return old
	}
	c := n.newClaim(name, group)
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	n.claims[name] = c
	n.order = append(n.order, c)
	n.wg.Go(func() { // the node is stopped only after it is taken from the service's list
		if old != nil {
			<-old.done
		}
		c.live(ctx)
	})
	return c
}

func (n *Node) newClaim(name netbios.Name, group bool) *claim {
	return &claim{
		node:   n,
		name:   name,
		group:  group,
		self:   []nbns.Address{{Addr: n.iface.Addr(), Group: group, Node: n.nodeType()}},
		done:   make(chan struct{}),
		doubt:  make(chan struct{}, 1),
		again:  make(chan struct{}, 1),
		judged: make(chan struct{}),
	}
}

// release makes the name not ours any more, and begins to tell so. It returns nil
// if the name was not.
func (n *Node) release(name netbios.Name) *claim {
	c := n.find(name)
	if c != nil {
		c.end()
	}
	return c
}

// releaseAll releases all names and waits until that is done.
func (n *Node) releaseAll() {
	n.mu.RLock()
	all := slices.Clone(n.order)
	n.mu.RUnlock()
	for _, c := range all {
		c.end()
	}
	for _, c := range all {
		<-c.done
	}
}

func (n *Node) renewAll() {
	n.mu.RLock()
	defer n.mu.RUnlock()
	for _, c := range n.order {
		c.renew()
	}
}

// entries lists the names in the order in which they were claimed.
func (n *Node) entries() []carrier.NameEntry {
	n.mu.RLock()
	defer n.mu.RUnlock()
	list := make([]carrier.NameEntry, 0, len(n.order))
	for _, c := range n.order {
		c.mu.Lock()
		list = append(list, carrier.NameEntry{
			Name: c.name, Group: c.group, State: c.state, Interface: n.iface.Name, Owner: c.owner(),
		})
		c.mu.Unlock()
	}
	return list
}
