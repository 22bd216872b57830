package nbt

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

const (
	// maxPacket is the longest packet taken in: a status of 255 names has 4,687 bytes.
	maxPacket = 8 << 10
	// readPause is how long a socket rests that cannot be read from.
	readPause = 100 * time.Millisecond
	// answerTTL is what we say about the names that we tell.
	answerTTL = claimTTL
)

// A nameService is the name service on one interface: it answers questions, defends
// our names, and hands responses to whoever asked. The lives of the names
// themselves are in claim.go.
type nameService struct {
	carrier *Carrier
	iface   Interface
	// unicast is bound to the address of the interface, and the source of all
	// that is sent; nil if there is no socket at all. On another port than that
	// of the name service it serves to ask, but nobody can ask us.
	unicast packetConn
	// broadcast hears what goes to all nodes of the network; nil if nothing does.
	broadcast packetConn
	// serving says that we are where others look for us, so that we can own names.
	serving bool
	// statusLimit bounds the node statuses that are told: they are the largest
	// answers, about people, and to anybody.
	statusLimit *rate.Limiter

	mu      sync.RWMutex
	claims  map[netbios.Name]*claim
	order   []*claim // in the order in which they were made
	pending map[uint16]*exchange
	closed  bool
	closing chan struct{}  // closed with closed: nothing will come any more
	wg      sync.WaitGroup // of the lives of names and of what Resolve leaves behind
}

// openNames opens the sockets of the name service. Without the port of the service
// it takes any other, so that names can still be found.
func openNames(n *node) *nameService {
	s := &nameService{
		carrier:     n.carrier,
		iface:       n.iface,
		statusLimit: rate.NewLimiter(100, 200),
		claims:      make(map[netbios.Name]*claim),
		pending:     make(map[uint16]*exchange),
		closing:     make(chan struct{}),
	}
	port := n.carrier.cfg.Ports.Name
	if port == 0 {
		return s
	}
	s.unicast = n.openUDP(n.iface.Addr(), port, "name service")
	s.serving = s.unicast != nil
	if n.iface.Broadcast.IsValid() && bindsBroadcast {
		s.broadcast = n.openUDP(n.iface.Broadcast, port, "name service, broadcasts")
		s.serving = s.serving && s.broadcast != nil
	}
	if s.unicast == nil {
		if conn, err := n.carrier.listenUDP(netip.AddrPortFrom(n.iface.Addr(), 0)); err == nil {
			s.unicast = conn
		}
	}
	return s
}

// run receives until ctx ends, and closes the sockets.
func (s *nameService) run(ctx context.Context) {
	var readers sync.WaitGroup
	for _, conn := range []packetConn{s.unicast, s.broadcast} {
		if conn != nil {
			readers.Go(func() { s.receive(ctx, conn) })
		}
	}
	<-ctx.Done()
	s.mu.Lock()
	s.closed = true
	close(s.closing)
	s.mu.Unlock()
	for _, conn := range []packetConn{s.unicast, s.broadcast} {
		if conn != nil {
			conn.Close()
		}
	}
	readers.Wait()
	s.wg.Wait()
}

// start runs f as part of the service, unless that has ended.
func (s *nameService) start(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.wg.Go(f)
	}
	return !s.closed
}

// receive handles what arrives on conn. Its two buffers are all that answering a
// query takes: no memory is allocated for it.
func (s *nameService) receive(ctx context.Context, conn packetConn) {
	in, out := make([]byte, maxPacket), make([]byte, 0, maxPacket)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(in)
		if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			s.carrier.log.Debug("name service cannot be read from", "interface", s.iface.Name, "error", err)
			pause(ctx, readPause)
			continue
		}
		s.handle(in[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), out)
	}
}

// handle takes in one packet, and writes the answer, if there is one, by way of out.
func (s *nameService) handle(b []byte, from netip.AddrPort, out []byte) {
	p, err := nbns.Parse(b)
	if err != nil || !netbios.SameScope(p.Scope, s.carrier.cfg.Scope) && p.Name != (netbios.Name{}) {
		return
	}
	if p.Kind.Response() {
		s.deliver(p, from)
		return
	}
	reply, ok := s.reply(&p, from)
	if !ok {
		return
	}
	if out, err = reply.Append(out); err != nil {
		s.carrier.log.Debug("answer cannot be encoded", "error", err)
		return
	}
	if _, err = s.unicast.WriteToUDPAddrPort(out, from); err != nil {
		s.carrier.log.Debug("answer not sent", "to", from, "error", err)
	}
}

// reply gives the answer to a request, if it deserves one.
func (s *nameService) reply(p *nbns.Packet, from netip.AddrPort) (nbns.Packet, bool) {
	if !s.serving || !s.trusts(from.Addr()) {
		return nbns.Packet{}, false
	}
	question := p.Kind == nbns.Query || p.Kind == nbns.StatusRequest
	switch {
	case p.Broadcast && s.node() == nbns.PNode:
		return nbns.Packet{}, false
	case (p.Broadcast || !question) && from.Port() == s.carrier.cfg.Ports.Name && s.carrier.isOwn(from.Addr()):
		return nbns.Packet{}, false // our own broadcast has come back
	}
	switch p.Kind {
	case nbns.Query:
		return s.replyQuery(p)
	case nbns.StatusRequest:
		return s.replyStatus(p)
	case nbns.Registration, nbns.MultihomedRegistration, nbns.Overwrite, nbns.Refresh:
		return s.replyRegistration(p, from)
	case nbns.Release:
		return s.replyRelease(p, from)
	default:
		return nbns.Packet{}, false
	}
}

// trusts reports whether a question from addr is answered: by directly attached
// nodes, the name servers, and those of the allow-list. To all others the service
// does not exist, since its answers are larger than the questions.
func (s *nameService) trusts(addr netip.Addr) bool {
	if s.iface.Prefix.Contains(addr) || slices.Contains(s.carrier.cfg.WINS, addr) {
		return true
	}
	return slices.ContainsFunc(s.carrier.cfg.Allow, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// replyQuery answers for the names that we own, and for the wildcard name. Only a
// question to us alone gets a negative answer (RFC 1002 5.1.1.2 and 5.1.2.2).
func (s *nameService) replyQuery(p *nbns.Packet) (nbns.Packet, bool) {
	reply := nbns.Packet{ID: p.ID, Kind: nbns.QueryResponse, Name: p.Name, Scope: p.Scope, TTL: answerTTL}
	if p.Name == netbios.Wildcard() {
		reply.Addresses = []nbns.Address{{Addr: s.iface.Addr(), Node: s.node()}}
		return reply, true
	}
	cl := s.find(p.Name)
	if cl == nil || !cl.tell(p.Broadcast) {
		reply.Rcode, reply.TTL = nbns.RcodeName, 0
		return reply, !p.Broadcast
	}
	reply.Addresses = cl.self
	if !p.Broadcast {
		reply.Addresses = s.carrier.addressesOf(cl)
	}
	return reply, true
}

// replyRegistration objects to another node's claim of a name that we own. Groups
// are shared with other groups. Refreshes by broadcast harm nobody, no node objects.
func (s *nameService) replyRegistration(p *nbns.Packet, from netip.AddrPort) (nbns.Packet, bool) {
	s.carrier.cache.forget(p.Name)
	cl := s.find(p.Name)
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
func (s *nameService) replyRelease(p *nbns.Packet, from netip.AddrPort) (nbns.Packet, bool) {
	s.carrier.cache.forget(p.Name)
	cl := s.find(p.Name)
	if cl == nil || cl.group || !cl.owned() || s.carrier.isOwn(from.Addr()) {
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
func (s *nameService) deliver(p nbns.Packet, from netip.AddrPort) {
	s.mu.RLock()
	x := s.pending[p.ID]
	cl := s.claims[p.Name]
	s.mu.RUnlock()
	if x != nil && x.awaits(p, from.Addr()) {
		select {
		case x.responses <- response{p, from.Addr()}:
		default: // more answers than anybody needs
		}
		return
	}
	if p.Kind == nbns.RegistrationResponse && p.Rcode != nbns.RcodeOK && cl != nil && s.trusts(from.Addr()) &&
		!s.carrier.isOwn(from.Addr()) {
		cl.suspect()
	}
}

// find returns the claim of a name, in whatever state; nil if there is none.
func (s *nameService) find(name netbios.Name) *claim {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.claims[name]
}

func (s *nameService) node() nbns.NodeType {
	return s.carrier.cfg.NodeType
}

// broadcasts reports whether names are claimed and found by broadcast here.
func (s *nameService) broadcasts() bool {
	return s.unicast != nil && s.iface.Broadcast.IsValid() && s.node() != nbns.PNode
}

// asksServers reports whether names are claimed and found at name servers here.
func (s *nameService) asksServers() bool {
	return s.unicast != nil && !s.iface.Loopback() && s.node() != nbns.BNode
}

// to returns where the name service of addr is.
func (s *nameService) to(addr netip.Addr) netip.AddrPort {
	return netip.AddrPortFrom(addr, s.carrier.cfg.Ports.Name)
}

// addressesOf returns where the name of the claim can be reached, the address of its
// own interface first. A name server that finds a name registered twice asks for
// them all, to see whether one node claims it on several interfaces (MS-NBTE 3.2.5).
func (c *Carrier) addressesOf(cl *claim) []nbns.Address {
	if cl.service.iface.Loopback() {
		return cl.self
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	list := cl.self
	for _, n := range c.nodes {
		if n.names == cl.service || n.iface.Loopback() {
			continue
		}
		if other := n.names.find(cl.name); other != nil && !other.lost() {
			list = append(list[:len(list):len(list)], other.self...)
		}
	}
	return list
}

// isOwn reports whether addr is an address of this host.
func (c *Carrier) isOwn(addr netip.Addr) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.ContainsFunc(c.nodes, func(n *node) bool { return n.iface.Addr() == addr })
}
