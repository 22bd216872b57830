package nameservice

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"messngr/carrier"
	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

const (
	// claimTTL is how long our registrations shall last, as Windows asks for.
	claimTTL = 300000 * time.Second
	// minRefresh and maxRefresh bound the time between two refreshes at a server.
	minRefresh = time.Second
	maxRefresh = 2 * time.Hour
	// returnTime is how often a better name server than the present one is tried.
	returnTime = time.Minute
	// conflictRetry is when a name that another node has is tried again.
	conflictRetry = 5 * time.Minute
	// failureRetry is when a claim is tried again that could not be made, though
	// nobody objected.
	failureRetry = 15 * time.Second
	// firstCheck, secondCheck and laterChecks are when a name that is held is asked
	// for: soon after the claim, whose packets may have been lost or overtaken by older
	// ones, and from then on now and then, for the sake of networks that were apart
	// and grow together.
	firstCheck  = 2 * time.Second
	secondCheck = 30 * time.Second
	laterChecks = 15 * time.Minute
	// doubtGap is the least time between two inquiries about one name, so that
	// forged demands cause little traffic.
	doubtGap = 10 * time.Second
	// releaseTime bounds all that is done to release a name.
	releaseTime = 2 * time.Second
	// maxGrace is the longest pause before a name is left to another owner.
	maxGrace = 3 * time.Second
	// maxRivals is how often a claim is begun anew because another node claims
	// the name at the same time.
	maxRivals = 8
)

var (
	// singleTry asks by broadcast once.
	singleTry = retry{tries: 1, wait: 250 * time.Millisecond}
	// broadcastRetry is BCAST_REQ_RETRY_COUNT and BCAST_REQ_RETRY_TIMEOUT (RFC 1002 6).
	broadcastRetry = retry{tries: 3, wait: 250 * time.Millisecond}
	// errRival says that a node with a lower address claims the same name now.
	errRival = errors.New("another node claims the name at the same time")
)

// A claim is the life of one name on one interface: it is claimed, held, defended,
// and released, all by the goroutine that runs live (RFC 1001 15).
type claim struct {
	node  *Node
	name  netbios.Name
	group bool
	self  []nbns.Address // what is told about the name; never changed

	cancel context.CancelFunc
	done   chan struct{} // closed when the name is released
	doubt  chan struct{} // capacity 1: somebody says that the name is not ours
	again  chan struct{} // capacity 1: somebody wants it to be claimed or registered again now

	refreshAt time.Time // when the registration has to be refreshed; only for live
	visited   time.Time // when the name servers were last asked for the name; only for live

	mu     sync.Mutex
	server netip.Addr // where it is registered, zero for nowhere; only live writes it
	asking bool       // it is about to be registered somewhere; only live writes it
	state  carrier.NameState
	bid    bidState
	yield  context.CancelCauseFunc // ends the present bid
	err    error                   // the verdict
	judged chan struct{}           // closed while there is a verdict
}

// A bidState says how far a claim by broadcast has come.
type bidState uint8

const (
	noBid bidState = iota
	bidding
	bidWon
)

// live leads the name from the claim to the release.
func (c *claim) live(ctx context.Context) {
	for ctx.Err() == nil {
		err := c.acquire(ctx)
		if err == nil {
			c.judge(nil)
			err = c.hold(ctx)
		}
		if ctx.Err() != nil {
			break
		}
		c.judge(err)
		wait := failureRetry
		if _, ok := errors.AsType[*carrier.ConflictError](err); ok {
			wait = conflictRetry
			c.unregister(ctx)
		}
		select {
		case <-time.After(wait + rand.N(wait/8)):
		case <-c.again:
		case <-ctx.Done():
		}
	}
	c.giveUp(ctx)
}

// acquire claims the name in the way of the node type: B by broadcast, P at a name
// server, M by broadcast and then at a server, H at a server and then by broadcast
// (RFC 1001 15.2, MS-NBTE 3.1.3). A server that does not answer hinders P nodes only.
func (c *claim) acquire(ctx context.Context) error {
	n := c.node
	c.setBid(noBid, nil)
	atServer, byBroadcast := n.asksServers(), n.broadcasts() && n.serving
	if !atServer && !n.serving {
		return fmt.Errorf("nbt: claim %v: the port of the name service is not ours: %w", c.name, carrier.ErrOff)
	}
	if c.neighbourHas(ctx) {
		return fmt.Errorf("nbt: claim %v: another program of this host has the name: %w", c.name, carrier.ErrOff)
	}
	if byBroadcast && n.nodeType() != nbns.HNode {
		if err := c.bidByBroadcast(ctx); err != nil {
			return c.settle(ctx, err)
		}
	}
	if atServer {
		err := c.register(ctx, true)
		switch {
		case errors.Is(err, errLost):
			return c.refusal(ctx)
		case errors.Is(err, errNoServer) && byBroadcast:
			n.service.log.Debug("no name server answers, name goes by broadcast only", "name", c.name)
		case err != nil:
			return fmt.Errorf("nbt: claim %v: %w", c.name, err)
		}
	}
	if byBroadcast && n.nodeType() == nbns.HNode {
		return c.settle(ctx, c.bidByBroadcast(ctx))
	}
	return nil
}

// settle names the owner that the name server knows, if a conflict came up by broadcast:
// who objected there may only be claiming the name too, and be refused it by the server.
func (c *claim) settle(ctx context.Context, err error) error {
	if _, ok := errors.AsType[*carrier.ConflictError](err); !ok || !c.node.asksServers() {
		return err
	}
	if known, ok := errors.AsType[*carrier.ConflictError](c.refusal(ctx)); ok && known.Owner.IsValid() {
		return known
	}
	return err
}

// bidByBroadcast claims the name on the network of the interface. If another node
// claims it at the same time and may go first, it is waited for, and asked for.
func (c *claim) bidByBroadcast(ctx context.Context) error {
	for range maxRivals {
		err := c.bidOnce(ctx)
		if !errors.Is(err, errRival) {
			return err
		}
		if !pause(ctx, time.Second+rand.N(time.Second)) {
			return ctx.Err()
		}
		if owner, ok := c.otherOwner(ctx, broadcastRetry); ok {
			return &carrier.ConflictError{Name: c.name, Owner: owner}
		}
	}
	return fmt.Errorf("nbt: claim %v: %w", c.name, errRival)
}

// bidOnce asks three times whether anybody objects, and if nobody does, says that
// the name is ours from now on (RFC 1002 5.1.1.1).
func (c *claim) bidOnce(ctx context.Context) error {
	ctx, yield := context.WithCancelCause(ctx)
	defer yield(nil)
	request := c.packet(nbns.Registration)
	request.TTL = 0
	x := c.node.begin(request, c.node.iface.Broadcast)
	defer x.end()
	c.setBid(bidding, yield)
	objection, err := x.first(ctx, broadcastRetry, func(r response) bool {
		return r.Kind == nbns.RegistrationResponse && r.Rcode != nbns.RcodeOK
	})
	switch {
	case err == nil:
		return &carrier.ConflictError{Name: c.name, Owner: objection.from}
	case !errors.Is(err, errNoAnswer):
		return fmt.Errorf("nbt: claim %v: %w", c.name, err)
	}
	c.setBid(bidWon, nil)
	x.request.Kind = nbns.Overwrite
	return x.send()
}

// hold keeps the name until it turns out that another node has it, which is the
// error returned, or until ctx ends.
func (c *claim) hold(ctx context.Context) error {
	doubt, calm := c.doubt, (<-chan time.Time)(nil)
	check, checks := c.checkAfter(0), 0
	for {
		var visit <-chan time.Time
		if c.node.asksServers() {
			visit = time.After(c.nextVisit())
		}
		var owner netip.Addr
		var lost bool
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-visit:
			err := c.register(ctx, !time.Now().Before(c.refreshAt))
			if errors.Is(err, errLost) && !c.node.broadcasts() {
				return c.refusal(ctx)
			} else if errors.Is(err, errLost) {
				owner, lost = c.otherOwner(ctx, broadcastRetry)
			}
		case <-check:
			checks++
			owner, lost = c.check(ctx, checks)
			check = c.checkAfter(checks)
		case <-doubt:
			if !c.group {
				_, lost = c.otherOwner(ctx, broadcastRetry)
			}
			if lost {
				owner, lost = c.concede(ctx)
			}
			if !lost {
				c.reassert(ctx)
			}
			doubt, calm = nil, time.After(doubtGap)
		case <-calm:
			doubt = c.doubt
		case <-c.again:
			c.refreshAt = time.Time{}
		}
		if lost {
			return &carrier.ConflictError{Name: c.name, Owner: owner}
		}
	}
}

// nextVisit returns how long the name servers can be left alone, whatever else happens
// meanwhile.
func (c *claim) nextVisit() time.Duration {
	back := time.Until(c.visited.Add(returnTime + rand.N(returnTime/8)))
	due := time.Until(c.refreshAt)
	switch {
	case !c.server.IsValid():
		return max(0, back)
	case c.node.servers.better(c.server):
		return max(0, min(back, due))
	default:
		return max(0, due)
	}
}

// reassert says again that the name is ours, to the network and to the name server.
func (c *claim) reassert(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	c.node.service.log.Debug("name asserted again", "name", c.name)
	c.refreshAt = time.Time{}
	if !c.node.broadcasts() {
		return
	}
	request := c.packet(nbns.Overwrite)
	request.TTL = 0
	x := c.node.begin(request, c.node.iface.Broadcast)
	defer x.end()
	if err := x.send(); err != nil {
		c.node.service.log.Debug("name not asserted", "name", c.name, "error", err)
	}
}

// giveUp tells the network that the name is free, if it was ours, and ends the claim.
func (c *claim) giveUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { c.unregister(ctx) })
	c.mu.Lock()
	tell := c.bid == bidWon && c.node.broadcasts()
	c.mu.Unlock()
	if tell {
		request := c.packet(nbns.Release)
		x := c.node.begin(request, c.node.iface.Broadcast)
		// Nobody answers a release demand; it is sent three times all the same.
		if _, err := x.first(ctx, broadcastRetry, func(response) bool { return false }); !errors.Is(err, errNoAnswer) {
			c.node.service.log.Debug("name not released by broadcast", "name", c.name, "error", err)
		}
		x.end()
	}
	wg.Wait()
	n := c.node
	n.mu.Lock()
	if n.claims[c.name] == c {
		delete(n.claims, c.name)
	}
	n.order = slices.DeleteFunc(n.order, func(o *claim) bool { return o == c })
	n.mu.Unlock()
	close(c.done)
}

// packet makes a request about the name of ours.
func (c *claim) packet(kind nbns.Kind) nbns.Packet {
	p := nbns.Packet{Kind: kind, Name: c.name, TTL: claimTTL, Addresses: c.self}
	if kind == nbns.Release {
		p.TTL = 0
	}
	return p
}
