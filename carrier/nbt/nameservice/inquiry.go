package nameservice

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"messngr/carrier"
	"messngr/wire/nbns"
)

// earlyChecks is how many checks belong to the claim. The later ones are for the network
// only: a name server hears of us by refreshes, and asks us before it gives a name away.
const earlyChecks = 2

// checkAfter fires when the next check is due, after so many of them.
func (c *claim) checkAfter(checks int) <-chan time.Time {
	switch n := c.node; {
	case c.group:
		return nil
	case n.broadcasts():
	case !n.asksServers(), checks >= earlyChecks && n.serving:
		return nil
	}
	after := laterChecks
	switch checks {
	case 0:
		after = firstCheck
	case 1:
		after = secondCheck
	}
	return time.After(after + rand.N(after/4))
}

// check asks whether the name is still ours, for the nth time: on the network, and where it
// is registered, later only if nobody could ask us there. What the server does not know any
// more it is told again.
func (c *claim) check(ctx context.Context, n int) (owner netip.Addr, lost bool) {
	tries := broadcastRetry
	if n > earlyChecks {
		tries = singleTry
	}
	if _, lost := c.ownerByBroadcast(ctx, tries); lost {
		return c.concede(ctx)
	}
	if (n <= earlyChecks || !c.node.serving) && c.server.IsValid() && !c.registered(ctx) {
		c.refreshAt = time.Time{}
	}
	return netip.Addr{}, false
}

// registered reports whether the name server, if it answers, has the name at our address.
func (c *claim) registered(ctx context.Context) bool {
	got, err := c.node.askServer(ctx, c.server, nbns.Packet{Kind: nbns.Query, Name: c.name})
	return err != nil || slices.ContainsFunc(got.Addresses, func(a nbns.Address) bool { return a.Addr == c.node.iface.Addr() })
}

// concede asks again, after a random pause, who else has the name. When two owners
// have found each other, the first to give way leaves the name to the other one.
func (c *claim) concede(ctx context.Context) (netip.Addr, bool) {
	pause(ctx, rand.N(maxGrace))
	return c.otherOwner(ctx, broadcastRetry)
}

// otherOwner asks the network, and the name servers, whether another node has the name.
func (c *claim) otherOwner(ctx context.Context, r retry) (netip.Addr, bool) {
	if owner, ok := c.ownerByBroadcast(ctx, r); ok {
		return owner, true
	}
	if !c.node.asksServers() {
		return netip.Addr{}, false
	}
	got, err := c.node.queryServers(ctx, c.name, false)
	if err != nil {
		return netip.Addr{}, false
	}
	for _, a := range got.Addresses {
		if !c.shares(a) && c.node.asksOwner(ctx, a.Addr, c.name) {
			return a.Addr, true
		}
	}
	return netip.Addr{}, false
}

func (c *claim) ownerByBroadcast(ctx context.Context, r retry) (netip.Addr, bool) {
	if !c.node.broadcasts() {
		return netip.Addr{}, false
	}
	x := c.node.begin(nbns.Packet{Kind: nbns.Query, Name: c.name}, c.node.iface.Broadcast)
	defer x.end()
	got, err := x.first(ctx, r, c.contests)
	return got.from, err == nil
}

// contests reports whether a response says that another node owns the name. A proxy of name
// servers (nmbd's "wins proxy") says that we do, by an address of ours on another network.
func (c *claim) contests(r response) bool {
	return r.Kind == nbns.QueryResponse && r.Rcode == nbns.RcodeOK && !c.node.service.isOwn(r.from) &&
		slices.ContainsFunc(r.Addresses, func(a nbns.Address) bool { return !c.shares(a) && !c.node.service.isOwn(a.Addr) })
}

// shares reports whether an owner of the name does us no harm, being in the same group.
func (c *claim) shares(owner nbns.Address) bool {
	return c.group && owner.Group
}

// refusal makes the error for a name that a server refuses us; the server may know who has
// it. If that is only we, by another address, this is no conflict, and will pass.
func (c *claim) refusal(ctx context.Context) error {
	conflict := &carrier.ConflictError{Name: c.name}
	got, err := c.node.queryServers(ctx, c.name, false)
	if err != nil {
		return conflict
	}
	other := func(a nbns.Address) bool { return !c.node.service.isOwn(a.Addr) }
	i := slices.IndexFunc(got.Addresses, other)
	switch {
	case i < 0:
		return fmt.Errorf("nbt: claim %v: a name server has it for another address of this host only", c.name)
	case !isEverybody(got.Addresses[i].Addr):
		conflict.Owner = got.Addresses[i].Addr
	}
	return conflict
}
