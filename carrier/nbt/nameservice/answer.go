package nameservice

import (
	"net/netip"
	"slices"

	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

// answerTTL is what we say about the names that we tell.
const answerTTL = claimTTL

// handle takes in one packet, and writes the answer, if there is one, by way of out. What
// was sent to all nodes is a broadcast whether or not it is marked as one: else a single
// question about nobody's name would have a whole network deny that it has it.
func (n *Node) handle(b []byte, from netip.AddrPort, toAll bool, out []byte) {
	p, err := nbns.Parse(b)
	p.Broadcast = p.Broadcast || toAll
	switch {
	case err != nil:
	case p.Kind.Response():
		n.deliver(p, from)
	case n.served(&p, from.Addr()):
		n.serve(&p, from, out)
	case !n.serving || !netbios.SameScope(p.Scope, n.service.cfg.Scope):
	case !n.trusts(from.Addr()):
		n.admit(&p, from, len(b), out)
	default:
		if reply, ok := n.reply(&p, from); ok {
			n.write(reply, from, out)
		}
	}
}

// write sends an answer by way of out.
func (n *Node) write(reply nbns.Packet, to netip.AddrPort, out []byte) {
	out, err := reply.Append(out)
	if err == nil {
		_, err = n.unicast.WriteToUDPAddrPort(out, to)
	}
	if err != nil {
		n.service.log.Debug("answer not sent", "to", to, "error", err)
	}
}

// reply gives the answer to a request, if it deserves one.
func (n *Node) reply(p *nbns.Packet, from netip.AddrPort) (nbns.Packet, bool) {
	question := p.Kind == nbns.Query || p.Kind == nbns.StatusRequest
	switch {
	case p.Broadcast && n.nodeType() == nbns.PNode:
		return nbns.Packet{}, false
	case (p.Broadcast || !question) && from.Port() == n.service.cfg.Port && n.service.isOwn(from.Addr()):
		return nbns.Packet{}, false // our own broadcast has come back
	}
	switch p.Kind {
	case nbns.Query:
		return n.replyQuery(p)
	case nbns.StatusRequest:
		return n.replyStatus(p)
	case nbns.Registration, nbns.MultihomedRegistration, nbns.Overwrite, nbns.Refresh:
		return n.replyRegistration(p, from)
	case nbns.Release:
		return n.replyRelease(p, from)
	default:
		return nbns.Packet{}, false
	}
}

// admit answers the one question that we owe to nodes of other networks: whether we still
// have a name that we have registered at a name server. The server may send them to us
// when they claim it (RFC 1002 4.2.7), and who hears nothing takes the name. Since anybody
// can ask in anybody's name, the answer is never longer than the question: claimants
// like ourselves ask with some bytes more than needed.
func (n *Node) admit(p *nbns.Packet, from netip.AddrPort, length int, out []byte) {
	c := n.find(p.Name)
	if p.Kind != nbns.Query || p.Broadcast || c == nil || c.group || !c.atServer() {
		return
	}
	reply := nbns.Packet{ID: p.ID, Kind: nbns.QueryResponse, Name: p.Name, Scope: p.Scope, TTL: answerTTL, Addresses: c.self}
	if answer, err := reply.Append(out); err == nil && len(answer) <= length && n.admitLimit.Allow() {
		n.write(reply, from, out)
	}
}

// trusts reports whether a question from addr is answered: by nodes of the networks that
// this host is attached to, whichever of its addresses they know, the name servers, and
// those of the allow-list. To all others the service hardly exists, since its answers are
// larger than the questions.
func (n *Node) trusts(addr netip.Addr) bool {
	if n.iface.Prefix.Contains(addr) || slices.Contains(n.service.cfg.WINS, addr) || n.service.attachedTo(addr) {
		return true
	}
	return slices.ContainsFunc(n.service.cfg.Allow, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// replyQuery answers for the names that we own, and for the wildcard name. Only a
// question to us alone gets a negative answer (RFC 1002 5.1.1.2 and 5.1.2.2).
func (n *Node) replyQuery(p *nbns.Packet) (nbns.Packet, bool) {
	reply := nbns.Packet{ID: p.ID, Kind: nbns.QueryResponse, Name: p.Name, Scope: p.Scope, TTL: answerTTL}
	if p.Name == netbios.Wildcard() {
		reply.Addresses = []nbns.Address{{Addr: n.iface.Addr(), Node: n.nodeType()}}
		return reply, true
	}
	cl := n.find(p.Name)
	if cl == nil || !cl.tell(p.Broadcast) {
		reply.Rcode, reply.TTL = nbns.RcodeName, 0
		return reply, !p.Broadcast
	}
	reply.Addresses = cl.self
	if !p.Broadcast {
		reply.Addresses = n.service.addressesOf(cl)
	}
	return reply, true
}

// replyRegistration objects to another node's claim of a name that we own. Groups
// are shared with other groups. Refreshes by broadcast harm nobody, no node objects.
func (n *Node) replyRegistration(p *nbns.Packet, from netip.AddrPort) (nbns.Packet, bool) {
	n.service.cache.Forget(p.Name)
	cl := n.find(p.Name)
	if cl == nil || len(p.Addresses) == 0 || cl.group && p.Addresses[0].Group || p.Kind == nbns.Refresh && p.Broadcast {
		return nbns.Packet{}, false
	}
	if !cl.defend(from.Addr()) {
		return nbns.Packet{}, false
	}
	return nbns.Packet{
		ID: p.ID, Kind: nbns.RegistrationResponse, Rcode: nbns.RcodeActive,
		Name: p.Name, Scope: p.Scope, Addresses: p.Addresses,
	}, true
}

// replyRelease hears that another node gave a name up. If it is one of ours, either
// somebody forges or there were two owners. A name that we share is not concerned.
func (n *Node) replyRelease(p *nbns.Packet, from netip.AddrPort) (nbns.Packet, bool) {
	n.service.cache.Forget(p.Name)
	cl := n.find(p.Name)
	if cl == nil || cl.group || !cl.owned() || n.service.isOwn(from.Addr()) {
		return nbns.Packet{}, false
	}
	cl.suspect()
	return nbns.Packet{
		ID: p.ID, Kind: nbns.ReleaseResponse, Rcode: nbns.RcodeActive,
		Name: p.Name, Scope: p.Scope, Addresses: p.Addresses,
	}, true
}

// deliver hands a response to the exchange that waits for it. A refusal that nobody
// waits for, a conflict demand or one that comes late, casts doubt on our name.
func (n *Node) deliver(p nbns.Packet, from netip.AddrPort) {
	n.mu.RLock()
	x := n.pending[p.ID]
	cl := n.claims[p.Name]
	n.mu.RUnlock()
	if x != nil && x.awaits(p, from.Addr()) {
		select {
		case x.responses <- response{p, from.Addr()}:
		default: // more answers than anybody needs
		}
		return
	}
	if p.Kind == nbns.RegistrationResponse && p.Rcode != nbns.RcodeOK && cl != nil && n.trusts(from.Addr()) &&
		netbios.SameScope(p.Scope, n.service.cfg.Scope) && !n.service.isOwn(from.Addr()) {
		cl.suspect()
	}
}
