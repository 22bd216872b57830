package nameservice

import (
	"context"
	"net/netip"
	"time"

	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

// A Server is a name server (WINS) on this host. The nodes hand it what other nodes, on
// the networks of this host and on those that it serves, ask this host alone.
type Server interface {
	// Serves reports whether the machine at addr is served although it is on no network
	// of this host.
	Serves(addr netip.Addr) bool
	// Query answers the question who has a name. It reports false if there is no answer.
	Query(p nbns.Packet, from netip.Addr) (nbns.Packet, bool)
	// Update answers a registration, refresh or release. It reports false if there is no
	// answer. If it returns a function, that makes the final answer, after it has asked
	// others by way of the Ask that it gets; it is called in any case.
	Update(p nbns.Packet, from netip.AddrPort) (reply nbns.Packet, later func(context.Context, Ask) nbns.Packet, ok bool)
}

// An Ask asks the machine at an address for its addresses under a name. None means that
// it does not have the name, or does not answer.
type Ask = func(ctx context.Context, at netip.Addr, name netbios.Name, scope string) []netip.Addr

// challengeRetry is for questions of a name server to the owner of a name, who loses it if
// no answer comes through.
var challengeRetry = retry{tries: 3, wait: 500 * time.Millisecond}

// served reports whether a request is one for the name server of this host. What asks
// for any node is answered by the node that it is; who claims to be any is refused.
func (n *Node) served(p *nbns.Packet, from netip.Addr) bool {
	server := n.service.cfg.Server
	ofNode := p.Kind == nbns.StatusRequest || p.Kind == nbns.Query && (p.NoRecursion || p.Name == netbios.Wildcard())
	return server != nil && n.serving && !p.Broadcast && !ofNode &&
		(n.service.attachedTo(from) || server.Serves(from))
}

// serve has the name server answer a request. Names that are ours and nobody else's we
// know better than the server, and defend them ourselves.
func (n *Node) serve(p *nbns.Packet, from netip.AddrPort, out []byte) {
	var reply nbns.Packet
	var later func(context.Context, Ask) nbns.Packet
	var ok bool
	c := n.find(p.Name)
	ours := c != nil && !c.group && c.owned() && netbios.SameScope(p.Scope, n.service.cfg.Scope)
	switch {
	case ours && p.Kind == nbns.Query:
		reply, ok = n.replyQuery(p)
		reply.Server = true
	case p.Kind == nbns.Query:
		reply, ok = n.service.cfg.Server.Query(*p, from.Addr())
	case ours && !n.service.isOwn(from.Addr()) && p.Kind == nbns.Release:
		reply, ok = n.replyRelease(p, from)
	case ours && !n.service.isOwn(from.Addr()):
		reply, ok = n.replyRegistration(p, from)
	default:
		n.service.cache.Forget(p.Name)
		reply, later, ok = n.service.cfg.Server.Update(*p, from)
	}
	if ok {
		n.write(reply, from, out)
	}
	if later == nil {
		return
	}
	follow := func() { n.write(later(context.Background(), n.askOwner), from, nil) } // exchanges end with the node
	if !n.start(follow) {
		follow()
	}
}

// askOwner is the Ask of this node. Machines that are not served are not asked: nobody
// can make us send packets to strangers.
func (n *Node) askOwner(ctx context.Context, at netip.Addr, name netbios.Name, scope string) []netip.Addr {
	s := n.service
	if s.isOwn(at) {
		return s.ownAddresses(name, scope)
	}
	near := n
	for _, o := range s.attached() {
		if o.unicast != nil && o.iface.Prefix.Contains(at) {
			near = o
		}
	}
	if !near.iface.Prefix.Contains(at) && !s.cfg.Server.Serves(at) {
		return nil
	}
	var addrs []netip.Addr
	for _, a := range near.askOne(ctx, name, scope, at, challengeRetry) {
		addrs = append(addrs, a.Addr)
	}
	return addrs
}

// ownAddresses returns where a name that is ours alone can be reached; nothing if it is not.
func (s *Service) ownAddresses(name netbios.Name, scope string) []netip.Addr {
	var addrs []netip.Addr
	for _, n := range s.attached() {
		c := n.find(name)
		if c != nil && !c.group && !c.lost() && netbios.SameScope(scope, s.cfg.Scope) {
			addrs = append(addrs, n.iface.Addr())
		}
	}
	return addrs
}
