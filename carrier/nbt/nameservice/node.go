package nameservice

import (
	"context"
	"net/netip"
	"sync"

	"golang.org/x/time/rate"

	"messngr/carrier/nbt/link"
	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

// A Node is the name service on one interface: it answers questions, defends
// our names, and hands responses to whoever asked. The lives of the names
// themselves are in claim.go.
type Node struct {
	service *Service
	iface   link.Interface
	cancel  context.CancelFunc
	ended   chan struct{} // closed when nothing of the node runs any more
	// unicast is bound to the address of the interface, and the source of all
	// that is sent; nil if there is no socket at all. On another port than that
	// of the name service it serves to ask, but nobody can ask us.
	unicast link.Conn
	// broadcast hears what goes to all nodes of the network; nil if nothing does.
	broadcast link.Conn
	// serving says that we are where others look for us, so that we can own names.
	serving bool
	servers *servers
	// statusLimit bounds the node statuses that are told: they are the largest
	// answers, about people, and to anybody.
	statusLimit *rate.Limiter
	// admitLimit bounds the answers to nodes of other networks. It is wide: they are no longer
	// than the questions, and a name for which there is no answer can be taken.
	admitLimit *rate.Limiter

	mu      sync.RWMutex
	claims  map[netbios.Name]*claim
	order   []*claim // in the order in which they were made
	pending map[uint16]*exchange
	closed  bool
	closing chan struct{}  // closed with closed: nothing will come any more
	wg      sync.WaitGroup // of the lives of names and of what Resolve leaves behind
}

// newNode opens the sockets of the service on an interface and starts it. Without the
// port of the service it takes any other, so that names can still be found.
func newNode(s *Service, iface link.Interface, open func(at netip.Addr, purpose string) link.Conn) *Node {
	ctx, cancel := context.WithCancel(context.Background())
	n := &Node{
		service:     s,
		iface:       iface,
		servers:     newServers(s.cfg.WINS),
		cancel:      cancel,
		ended:       make(chan struct{}),
		statusLimit: rate.NewLimiter(100, 200),
		admitLimit:  rate.NewLimiter(2000, 2000),
		claims:      make(map[netbios.Name]*claim),
		pending:     make(map[uint16]*exchange),
		closing:     make(chan struct{}),
	}
	if s.cfg.Port != 0 {
		n.listen(open)
	}
	go n.run(ctx)
	return n
}

func (n *Node) listen(open func(at netip.Addr, purpose string) link.Conn) {
	n.unicast = open(n.iface.Addr(), "name service")
	n.serving = n.unicast != nil
	if n.iface.Broadcast.IsValid() && link.BindsBroadcast {
		n.broadcast = open(n.iface.Broadcast, "name service, broadcasts")
		n.serving = n.serving && n.broadcast != nil
	}
	if n.unicast == nil {
		if conn, err := n.service.cfg.Listen(netip.AddrPortFrom(n.iface.Addr(), 0)); err == nil {
			n.unicast = conn
		}
	}
}

// Stop releases the names on the interface, ends the service there, and waits until
// all of it has ended.
func (n *Node) Stop() {
	n.service.detach(n)
	n.releaseAll()
	n.cancel()
	<-n.ended
}

// run receives until ctx ends, and closes the sockets.
func (n *Node) run(ctx context.Context) {
	defer close(n.ended)
	var readers sync.WaitGroup
	for _, conn := range []link.Conn{n.unicast, n.broadcast} {
		if conn != nil {
			readers.Go(func() { n.receive(ctx, conn) })
		}
	}
	<-ctx.Done()
	n.mu.Lock()
	n.closed = true
	close(n.closing)
	n.mu.Unlock()
	for _, conn := range []link.Conn{n.unicast, n.broadcast} {
		if conn != nil {
			conn.Close()
		}
	}
	readers.Wait()
	n.wg.Wait()
}

// receive handles what arrives on conn. Its buffer for answers, and that of link.Receive,
// are all that answering a query takes: no memory is allocated for it.
func (n *Node) receive(ctx context.Context, conn link.Conn) {
	out := make([]byte, 0, link.MaxPacket)
	toAll := conn == n.broadcast
	link.Receive(ctx, conn, n.service.log, func(b []byte, from netip.AddrPort) { n.handle(b, from, toAll, out) })
}

// start runs f as part of the service, unless that has ended.
func (n *Node) start(f func()) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.closed {
		n.wg.Go(f)
	}
	return !n.closed
}

// Member reports whether a name is ours here or about to be, and whether it is a group's.
func (n *Node) Member(name netbios.Name) (group, ours bool) {
	c := n.find(name)
	if c == nil || c.lost() {
		return false, false
	}
	return c.group, true
}

// find returns the claim of a name, in whatever state; nil if there is none.
func (n *Node) find(name netbios.Name) *claim {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.claims[name]
}

func (n *Node) nodeType() nbns.NodeType {
	return n.service.cfg.NodeType
}

// broadcasts reports whether names are claimed and found by broadcast here.
func (n *Node) broadcasts() bool {
	return n.unicast != nil && n.iface.Broadcast.IsValid() && n.nodeType() != nbns.PNode
}

// asksServers reports whether names are claimed and found at name servers here.
func (n *Node) asksServers() bool {
	return n.unicast != nil && !n.iface.Loopback() && n.nodeType() != nbns.BNode
}

// to returns where the name service of addr is.
func (n *Node) to(addr netip.Addr) netip.AddrPort {
	return netip.AddrPortFrom(addr, n.service.cfg.Port)
}
