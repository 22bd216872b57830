package nameservice

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"messngr/carrier"
	"messngr/wire/nbns"
)

// owner returns who has the name in a conflict. The caller holds mu.
func (c *claim) owner() netip.Addr {
	if conflict, ok := errors.AsType[*carrier.ConflictError](c.err); ok && c.state == carrier.Conflict {
		return conflict.Owner
	}
	return netip.Addr{}
}

// tryAgain makes a claim that failed start again. It reports false if the name is
// being released, so that there has to be another claim.
func (c *claim) tryAgain() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil && c.state != carrier.Released {
		c.err, c.judged = nil, make(chan struct{})
		raise(c.again)
	}
	return c.state != carrier.Released
}

// verdict waits until the claim has succeeded or failed.
func (c *claim) verdict(ctx context.Context) error {
	c.mu.Lock()
	judged := c.judged
	c.mu.Unlock()
	select {
	case <-judged:
	case <-c.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == carrier.Released {
		return fmt.Errorf("nbt: claim %v: released meanwhile: %w", c.name, carrier.ErrOff)
	}
	return c.err
}

// owned reports whether the name is ours.
func (c *claim) owned() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state == carrier.Owned
}

// tell reports whether to answer a question for the name. A name server that sends
// others to us has given us the name, even while we still ask our own network; and so has
// one that asks us while we wait for an answer, by whichever of its addresses.
func (c *claim) tell(broadcast bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state == carrier.Owned || !broadcast && c.state == carrier.Claiming && (c.server.IsValid() || c.asking)
}

// atServer reports whether a name server has given us the name.
func (c *claim) atServer() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.server.IsValid() && (c.state == carrier.Owned || c.state == carrier.Claiming)
}

// setAsking notes whether a name server is being asked for the name.
func (c *claim) setAsking(asking bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asking = asking
}

// setServer notes where the name is registered.
func (c *claim) setServer(server netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.server = server
}

// lost reports whether the name is neither ours nor about to be.
func (c *claim) lost() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state == carrier.Conflict || c.state == carrier.Released
}

// defend reports whether to object to the claim of another node. While both only
// bid, the lower address wins, which both sides see alike: the other one yields.
func (c *claim) defend(rival netip.Addr) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.state == carrier.Owned || c.state == carrier.Claiming && c.bid == bidWon:
		return true
	case c.state != carrier.Claiming || c.bid != bidding:
		return false
	case c.node.iface.Addr().Less(rival):
		return true
	default:
		c.yield(errRival)
		return false
	}
}

// suspect hears that the name may have another owner. Anybody can say so: what is
// done about it is an inquiry of our own, in live.
func (c *claim) suspect() {
	if !c.group {
		raise(c.doubt)
	}
}

// renew makes sure that the name is still ours, or tries again to get it, because
// others could not hear us for a while.
func (c *claim) renew() {
	raise(c.doubt)
	raise(c.again)
}

// raise sets a flag that is a channel of capacity 1.
func raise(flag chan struct{}) {
	select {
	case flag <- struct{}{}:
	default:
	}
}

// end begins the release of the name.
func (c *claim) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == carrier.Owned {
		c.bid = bidWon // tells giveUp that there is something to release
	}
	c.state = carrier.Released
	c.cancel()
}

// judge sets the state that follows from what became of a claim.
func (c *claim) judge(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == carrier.Released {
		return
	}
	c.bid = noBid
	// It is tried again and again, and said once.
	again := err != nil && c.err != nil && err.Error() == c.err.Error()
	c.err = err
	log := c.node.service.log.With("name", c.name, "interface", c.node.iface.Name)
	conflict, ok := errors.AsType[*carrier.ConflictError](err)
	switch {
	case err == nil:
		c.state = carrier.Owned
		log.Debug("name claimed")
	case ok:
		c.state = carrier.Conflict
		if !again {
			log.Warn("name is owned by another machine", "owner", conflict.Owner)
		}
	default:
		c.state = carrier.Claiming
		if !again {
			log.Info("name cannot be claimed", "error", err)
		}
	}
	select {
	case <-c.judged:
	default:
		close(c.judged)
	}
}

// setBid notes how far a claim by broadcast is, and how it can be made to yield.
func (c *claim) setBid(b bidState, yield context.CancelCauseFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != carrier.Released {
		c.state, c.bid, c.yield = carrier.Claiming, b, yield
	}
}

// neighbourHas reports whether the program that has the port of the name service on
// this interface also has the name of the claim. It must keep it then: at a name server
// both of us have the same address, and our release would end its registration.
func (c *claim) neighbourHas(ctx context.Context) bool {
	n := c.node
	if n.serving || n.unicast == nil {
		return false
	}
	x := n.begin(nbns.Packet{Kind: nbns.Query, Name: c.name}, n.iface.Addr())
	defer x.end()
	got, err := x.first(ctx, broadcastRetry, func(r response) bool { return r.Kind == nbns.QueryResponse })
	return err == nil && got.Rcode == nbns.RcodeOK
}
