package nameservice

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"messngr/carrier"
	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

// conflictTimer is how long further answers to a broadcast are waited for, to see
// whether there is more than one owner (RFC 1002 6).
const conflictTimer = time.Second

// maxAddresses is how many addresses of a name are taken from one answer: as many as a name
// server has of one (MS-NBTE 3.2.5).
const maxAddresses = 25

// Resolve finds who has a name, as carrier.NetBIOS has it. Our own names come from the
// table of names, all others from the cache, then by broadcast and from name servers in
// the order of the node type (RFC 1001 15.3), and last from the LMHOSTS file.
func (s *Service) Resolve(ctx context.Context, name netbios.Name) ([]netip.Addr, error) {
	if addrs := s.ownAddrs(name); len(addrs) > 0 {
		return addrs, nil
	}
	if addrs := s.cache.Get(name); len(addrs) > 0 {
		return addrs, nil
	}
	addrs, err := s.lookUp(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("nbt: resolve %v: %w", name, err)
	}
	s.cache.Put(name, addrs)
	return addrs, nil
}

// ownAddrs returns where a name of ours is: at our addresses, or, for a group, at
// everybody's on those networks. Loopback counts where we are on no network; on a
// network another machine may have the name, and then it is the one that is meant.
func (s *Service) ownAddrs(name netbios.Name) []netip.Addr {
	var addrs, loopback []netip.Addr
	contested := false
	for _, n := range s.attached() {
		cl := n.find(name)
		switch {
		case cl == nil:
		case !cl.owned():
			contested = true
		case n.iface.Loopback():
			loopback = append(loopback, n.iface.Addr())
		case !cl.group:
			addrs = append(addrs, n.iface.Addr())
		case n.iface.Broadcast.IsValid():
			addrs = append(addrs, n.iface.Broadcast)
		}
	}
	if len(addrs) == 0 && !contested {
		return loopback
	}
	return addrs
}

func (s *Service) lookUp(ctx context.Context, name netbios.Name) ([]netip.Addr, error) {
	type step = func(context.Context, netbios.Name) ([]netip.Addr, error)
	steps := [...][]step{
		nbns.BNode: {s.resolveByBroadcast},
		nbns.PNode: {s.resolveAtServer},
		nbns.MNode: {s.resolveByBroadcast, s.resolveAtServer},
		nbns.HNode: {s.resolveAtServer, s.resolveByBroadcast},
	}
	for _, step := range steps[s.cfg.NodeType] {
		addrs, err := step(ctx, name)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err == nil && len(addrs) > 0 {
			return addrs, nil
		}
	}
	if addrs := s.cache.Hosts(name); len(addrs) > 0 {
		return addrs, nil
	}
	return nil, carrier.ErrNoName
}

// resolveAtServer asks the name servers. A P node has nothing else, so it asks even
// those that did not answer lately.
func (s *Service) resolveAtServer(ctx context.Context, name netbios.Name) ([]netip.Addr, error) {
	n, done, err := s.nodeFor(s.cfg.WINS[0])
	if err != nil {
		return nil, err
	}
	defer done()
	got, err := n.queryServers(ctx, name, s.cfg.NodeType == nbns.PNode)
	if err != nil {
		return nil, err
	}
	return s.expand(got, netip.Addr{}), nil
}

// expand turns the answer about a name into addresses. For a group that has no list of members
// a name server tells 0.0.0.0 (Samba) or 255.255.255.255 (Windows); a node tells
// itself, which is but one member: all of them are at the broadcast address given,
// or, without one, at those of all interfaces. A name that takes messages is one
// machine's alone (MS-MSRP 3.2.3): who says that it is a group's would have a message
// for one sent to everybody. Of several addresses the nearest comes first.
func (s *Service) expand(answer response, broadcast netip.Addr) []netip.Addr {
	var addrs []netip.Addr
	for _, a := range answer.Addresses[:min(len(answer.Addresses), maxAddresses)] {
		switch {
		case a.Group && answer.Name.Suffix() == netbios.Messenger:
		case a.Addr.IsMulticast(), a.Addr.IsLoopback() && !answer.from.IsLoopback(): // of nobody whom others can reach
		case a.Group && broadcast.IsValid():
			return []netip.Addr{broadcast}
		case !isEverybody(a.Addr):
			addrs = append(addrs, a.Addr)
		case a.Group:
			for _, n := range s.attached() {
				if b := n.iface.Broadcast; b.IsValid() && !slices.Contains(addrs, b) {
					addrs = append(addrs, b)
				}
			}
		}
	}
	slices.SortStableFunc(addrs, func(a, b netip.Addr) int { return cmp.Compare(s.distance(a), s.distance(b)) })
	return addrs
}

// distance compares where the addresses of one name lead: to a network of ours, beyond a
// router, or back to this host, which does not have the name. The last is an address that
// each of many hosts has on a network within itself, such as those of containers.
func (s *Service) distance(addr netip.Addr) int {
	switch {
	case s.isOwn(addr):
		return 2
	case s.attachedTo(addr):
		return 0
	default:
		return 1
	}
}

// isEverybody reports whether addr stands for all nodes of a network.
func isEverybody(addr netip.Addr) bool {
	return addr.IsUnspecified() || addr == netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// resolveByBroadcast asks on all networks at once, and returns the first answer.
func (s *Service) resolveByBroadcast(ctx context.Context, name netbios.Name) ([]netip.Addr, error) {
	var asked []*Node
	for _, n := range s.attached() {
		if n.broadcasts() {
			asked = append(asked, n)
		}
	}
	found := make(chan []netip.Addr, len(asked))
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for _, n := range asked {
		if !n.start(func() { n.queryByBroadcast(ctx, name, found) }) {
			found <- nil
		}
	}
	for range asked {
		if addrs := <-found; len(addrs) > 0 {
			return addrs, nil
		}
	}
	return nil, errNoAnswer
}

// queryByBroadcast asks on the network of the interface, sends what it finds to
// found, or nil, and then listens whether another node says that it has the name
// too. Only the first counts: who is right is for them to find out.
func (n *Node) queryByBroadcast(ctx context.Context, name netbios.Name, found chan<- []netip.Addr) {
	x := n.begin(nbns.Packet{Kind: nbns.Query, Name: name}, n.iface.Broadcast)
	defer x.end()
	positive := func(r response) bool {
		return r.Kind == nbns.QueryResponse && r.Rcode == nbns.RcodeOK && len(n.service.expand(r, n.iface.Broadcast)) > 0
	}
	first, err := x.first(ctx, broadcastRetry, positive)
	if err != nil {
		if !errors.Is(err, errNoAnswer) && ctx.Err() == nil {
			n.service.log.Debug("query by broadcast", "interface", n.iface.Name, "error", err)
		}
		found <- nil
		return
	}
	addrs := n.service.expand(first, n.iface.Broadcast)
	found <- addrs
	if first.Addresses[0].Group {
		return
	}
	// The asker is content by now; its ctx must not end this.
	timer := time.NewTimer(conflictTimer)
	defer timer.Stop()
	for {
		second, err := x.next(context.WithoutCancel(ctx), timer.C)
		if err != nil {
			return
		}
		if positive(second) && second.from != first.from && !slices.Contains(addrs, second.Addresses[0].Addr) {
			n.service.log.Warn("two machines say that they own a name", "name", name, "first", first.from, "second", second.from)
			return
		}
	}
}

// nodeFor returns the node from whose interface addr is reached, and
// what to call when it is not needed any more. Without a suitable interface it opens
// a port for the purpose.
func (s *Service) nodeFor(addr netip.Addr) (*Node, func(), error) {
	from := s.cfg.Route(addr)
	var routed *Node
	for _, n := range s.attached() {
		switch {
		case n.unicast == nil:
		case n.iface.Prefix.Contains(addr):
			return n, func() {}, nil
		case n.iface.Loopback():
		case routed == nil, n.iface.Addr() == from:
			routed = n
		}
	}
	if routed != nil {
		return routed, func() {}, nil
	}
	return s.openOutside()
}

// openOutside opens a node that can ask any other, but that nobody can ask.
func (s *Service) openOutside() (*Node, func(), error) {
	conn, err := s.cfg.Listen(netip.AddrPortFrom(netip.IPv4Unspecified(), 0))
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	n := &Node{
		service: s, servers: newServers(s.cfg.WINS), unicast: conn, cancel: cancel, ended: make(chan struct{}),
		pending: make(map[uint16]*exchange), closing: make(chan struct{}),
	}
	go n.run(ctx)
	return n, func() { cancel(); <-n.ended }, nil
}
