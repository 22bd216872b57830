package nameservice

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

const (
	// serverHoldOff is how long a name server that does not answer is left alone.
	serverHoldOff = 30 * time.Second
	// maxWait bounds the time that a server may ask us to wait for its answer.
	maxWait = 2 * time.Minute
	// releaseWait is how long each of the three tries of a release may take: at
	// shutdown nobody wants to wait for a server that is gone.
	releaseWait = 500 * time.Millisecond
)

// serverRetry is what Windows does; RFC 1002 6 would wait three times as long.
var serverRetry = retry{tries: 3, wait: 1500 * time.Millisecond}

// errNoServer says that none of the name servers answers.
var errNoServer = errors.New("no name server answers")

// servers are the name servers, in the order of preference, and which of them did not
// answer an interface lately: others may reach them.
type servers struct {
	order []netip.Addr

	mu   sync.Mutex
	down map[netip.Addr]time.Time // when to try it again
}

func newServers(order []netip.Addr) *servers {
	return &servers{order: slices.Clone(order), down: make(map[netip.Addr]time.Time)}
}

// mayTry reports whether the server should be asked. Of those who would ask one that
// was down, only the first is let through: the others learn from its luck.
func (s *servers) mayTry(server netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	until, down := s.down[server]
	if !down {
		return true
	}
	if time.Now().Before(until) {
		return false
	}
	s.down[server] = time.Now().Add(serverHoldOff)
	return true
}

// answered notes whether the server answered.
func (s *servers) answered(server netip.Addr, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ok {
		delete(s.down, server)
	} else {
		s.down[server] = time.Now().Add(serverHoldOff)
	}
}

// better reports whether there is a server that should be preferred to this one.
func (s *servers) better(server netip.Addr) bool {
	return len(s.order) > 0 && s.order[0] != server
}

// askServer sends a request to one name server and returns its answer.
func (n *Node) askServer(ctx context.Context, server netip.Addr, request nbns.Packet) (response, error) {
	x := n.begin(request, server)
	defer x.end()
	got, err := x.first(ctx, serverRetry, func(r response) bool { return answers(request.Kind, r.Kind) })
	if ctx.Err() == nil {
		n.servers.answered(server, err == nil)
	}
	return got, err
}

// answers reports whether a response of the one kind answers a request of the other.
// Redirects answer nothing: RFC 1002 leaves it to us to follow them, and nobody sends them in earnest.
func answers(request, response nbns.Kind) bool {
	switch request {
	case nbns.Query:
		return response == nbns.QueryResponse
	case nbns.StatusRequest:
		return response == nbns.StatusResponse
	case nbns.Release:
		return response == nbns.ReleaseResponse
	default:
		return response == nbns.RegistrationResponse || response == nbns.Challenge
	}
}

// queryServers asks the name servers one after another until one knows the name.
// With insist it asks also those that were silent lately.
func (n *Node) queryServers(ctx context.Context, name netbios.Name, insist bool) (response, error) {
	result := errNoServer
	for _, server := range n.servers.order {
		if !n.servers.mayTry(server) && !insist {
			continue
		}
		got, err := n.askServer(ctx, server, nbns.Packet{Kind: nbns.Query, Name: name})
		switch {
		case ctx.Err() != nil:
			return response{}, context.Cause(ctx)
		case err != nil:
			n.service.log.Debug("name server does not answer", "server", server, "error", err)
		case got.Rcode == nbns.RcodeOK && len(got.Addresses) > 0:
			return got, nil
		default:
			result = errNoAnswer
		}
	}
	return response{}, result
}

// errLost says that another node has the name.
var errLost = errors.New("name is owned by another node")

// register claims or refreshes the name of the claim at the first name server that
// answers. Between refreshes it only asks servers that are preferred to the present one.
// If one of those refuses the name, which is then the error, the present one keeps it.
func (c *claim) register(ctx context.Context, due bool) error {
	set := c.node.servers
	var refused error
	c.visited = time.Now()
	c.setAsking(true)
	defer c.setAsking(false)
	for _, server := range set.order {
		if server == c.server && !due {
			return refused
		}
		if !set.mayTry(server) {
			continue
		}
		kind := nbns.Refresh
		if server != c.server {
			kind = c.registration()
		}
		ttl, err := c.registerAt(ctx, server, kind)
		switch {
		case err == nil:
			c.setServer(server)
			c.refreshAt = time.Now().Add(refreshTime(ttl))
			return refused
		case ctx.Err() != nil:
			if !c.server.IsValid() {
				c.setServer(server) // it may have granted the name, and hears of the release
			}
			return err
		case errors.Is(err, errLost) && c.server.IsValid() && server != c.server:
			refused = err
		case errors.Is(err, errLost):
			c.setServer(netip.Addr{})
			return err
		}
		c.node.service.log.Debug("name server does not register", "server", server, "name", c.name, "error", err)
	}
	if c.server.IsValid() && !due {
		return refused
	}
	c.setServer(netip.Addr{})
	return errNoServer
}

// registration returns the kind of packet by which the name is claimed at a server.
// Only unique names of hosts with several addresses need the multi-homed one.
func (c *claim) registration() nbns.Kind {
	homes := 0
	for _, n := range c.node.service.attached() {
		if !n.iface.Loopback() {
			homes++
		}
	}
	if homes > 1 && !c.group {
		return nbns.MultihomedRegistration
	}
	return nbns.Registration
}

// registerAt sends one request of the kind to the server, and goes through with
// what follows from the answer (RFC 1002 5.1.2.1). It returns the lifetime granted.
func (c *claim) registerAt(ctx context.Context, server netip.Addr, kind nbns.Kind) (time.Duration, error) {
	got, err := c.node.askServer(ctx, server, c.packet(kind))
	switch {
	case err != nil:
		return 0, err
	case got.Kind == nbns.Challenge:
		if c.holds(ctx, got) {
			return 0, errLost
		}
		if got, err = c.node.askServer(ctx, server, c.packet(nbns.Overwrite)); err != nil {
			return 0, err
		}
	}
	switch {
	case got.Kind == nbns.RegistrationResponse && got.Rcode == nbns.RcodeOK:
		return got.TTL, nil
	case kind == nbns.MultihomedRegistration && (got.Rcode == nbns.RcodeFormat || got.Rcode == nbns.RcodeOpcode):
		return c.registerAt(ctx, server, nbns.Registration) // a server from before Microsoft's extension
	case kind == nbns.Refresh && got.Rcode != nbns.RcodeServer:
		return c.registerAt(ctx, server, c.registration()) // it has forgotten us, or thinks of another: ask in full
	case got.Rcode == nbns.RcodeServer || got.Rcode == nbns.RcodeOpcode || got.Rcode == nbns.RcodeFormat:
		return 0, errors.New(got.Rcode.String())
	default:
		return 0, errLost
	}
}

// holds asks the owners that a challenge names whether they still have the name.
func (c *claim) holds(ctx context.Context, challenge response) bool {
	for _, owner := range challenge.Addresses {
		if c.node.asksOwner(ctx, owner.Addr, c.name) {
			return true
		}
	}
	return false
}

// asksOwner asks the node at addr, if it is not this one, whether it has the name.
func (n *Node) asksOwner(ctx context.Context, addr netip.Addr, name netbios.Name) bool {
	if isEverybody(addr) || n.service.isOwn(addr) {
		return false
	}
	return len(n.askOne(ctx, name, n.service.cfg.Scope, addr, nodeRetry)) > 0
}

// answerSurplus is by how many bytes the answer to a query is longer than the query.
const answerSurplus = 12

// askOne asks the node at addr for its addresses under a name: as often as r says, and if no
// answer comes as often again. What the node may know of others, being a name server, does
// not count. A node of another network, which may know us by another address, may answer
// only to a question that is as long as the answer; others may not know what to make of one,
// so it comes second.
func (n *Node) askOne(ctx context.Context, name netbios.Name, scope string, addr netip.Addr, r retry) []nbns.Address {
	x := n.exchange(nbns.Packet{Kind: nbns.Query, NoRecursion: true, Name: name, Scope: scope}, addr)
	defer x.end()
	told := func(r response) bool { return r.Kind == nbns.QueryResponse }
	got, err := x.first(ctx, r, told)
	if errors.Is(err, errNoAnswer) {
		if !n.iface.Prefix.Contains(addr) {
			x.padding = answerSurplus
		}
		got, err = x.first(ctx, r, told)
	}
	if err != nil || got.Rcode != nbns.RcodeOK {
		return nil
	}
	return got.Addresses
}

// unregister takes the name back from the server that has it. The other interfaces that have
// the name register it once more: a server may take the release of one address for that of
// all, as nmbd does.
func (c *claim) unregister(ctx context.Context) {
	if !c.server.IsValid() {
		return
	}
	x := c.node.begin(c.packet(nbns.Release), c.server)
	defer x.end()
	c.setServer(netip.Addr{})
	_, err := x.first(ctx, retry{tries: 3, wait: releaseWait}, func(r response) bool { return r.Kind == nbns.ReleaseResponse })
	if err != nil {
		c.node.service.log.Debug("name server does not answer a release", "name", c.name, "error", err)
	}
	for _, n := range c.node.service.attached() {
		if other := n.find(c.name); other != nil && other != c && other.owned() {
			raise(other.again)
		}
	}
}

// refreshTime returns when a name with the lifetime has to be refreshed: after half
// of it, and in any case now and then, in case the server lost its memory.
func refreshTime(ttl time.Duration) time.Duration {
	if ttl == 0 { // for ever
		return maxRefresh
	}
	return min(max(ttl/2, minRefresh), maxRefresh)
}
