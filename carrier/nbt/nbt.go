// Package nbt is NetBIOS over TCP/IP: the name service on UDP 137, the datagram
// service on UDP 138, and the session service on TCP 139 and 445 (RFC 1001, RFC
// 1002, MS-NBTE), on any number of interfaces.
package nbt

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"messngr/carrier"
	"messngr/carrier/nbt/link"
	"messngr/carrier/nbt/nameservice"
	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

// An Interface is one IPv4 address of this host, and the network around it.
type Interface = link.Interface

// Interfaces lists the IPv4 addresses of all interfaces that are up, loopback included.
func Interfaces() ([]Interface, error) { return link.List() }

// A NameServer answers what other machines ask the name server at this host.
type NameServer = nameservice.Server

// Config says how a host takes part in NetBIOS over TCP/IP.
type Config struct {
	// Interfaces are where names are claimed and questions answered, until
	// SetInterfaces. Of several addresses in one network the first is used.
	Interfaces []Interface
	// Ports are the same for this host and for all others.
	Ports Ports
	// NodeType says whether names are claimed and found by broadcast, at the
	// name servers in WINS, or both; see DefaultNodeType.
	NodeType nbns.NodeType
	// WINS are the name servers, the preferred one first.
	WINS []netip.Addr
	// Scope is the scope identifier; nodes of other scopes do not hear each
	// other. Nearly all networks have none.
	Scope string
	// HideUsers leaves names that only take messages, those of users and
	// aliases, out of the node status that anybody can ask for.
	HideUsers bool
	// LMHosts is the path of an LMHOSTS file, which is asked last; "" for none.
	LMHosts string
	// Server is the name server (WINS) that other machines find at this host; nil for none.
	Server NameServer
	// Allow are networks whose questions are answered, besides the attached ones
	// and the name servers.
	Allow []netip.Prefix
	// Neighbour is another program of this host that may have some of the ports;
	// nil if there is none.
	Neighbour Neighbour
	// Log takes what an administrator wants to know; nil for nothing.
	Log *slog.Logger
}

// Ports are the port numbers of the services; zero means not to use that one.
type Ports struct {
	Name     uint16 // UDP: name service
	Datagram uint16 // UDP: datagram service
	Session  uint16 // TCP: session service
	Direct   uint16 // TCP: the same messages without NetBIOS names (direct hosting)
}

// StandardPorts returns 137, 138, 139 and 445, each shifted by offset so that a
// host without privileges can try everything.
func StandardPorts(offset uint16) (Ports, error) {
	const highest = 445
	if offset > 1<<16-1-highest {
		return Ports{}, fmt.Errorf("nbt: port offset %d is above %d", offset, 1<<16-1-highest)
	}
	return Ports{Name: 137 + offset, Datagram: 138 + offset, Session: 139 + offset, Direct: highest + offset}, nil
}

// DefaultNodeType returns the node type of a host that was not told another: H if
// it knows name servers, else B (MS-NBTE 3.1.3).
func DefaultNodeType(wins []netip.Addr) nbns.NodeType {
	if len(wins) > 0 {
		return nbns.HNode
	}
	return nbns.BNode
}

// A Carrier is this host on NetBIOS over TCP/IP. It implements carrier.NetBIOS.
type Carrier struct {
	cfg       Config
	log       *slog.Logger
	listen    link.Listener // of all UDP ports
	route     link.Router
	names     *nameservice.Service
	ready     chan struct{} // closed when the first interfaces are up
	changed   chan struct{} // capacity 1: SetInterfaces was called
	doors     doors
	serve     carrier.SessionHandler
	admits    func(remote netip.Addr, called netbios.Name) error
	take      func(carrier.Datagram)
	overhears func(carrier.Datagram)

	mu         sync.RWMutex
	interfaces []Interface // as they should be
	nodes      []*node     // as they are
}

// New returns a carrier that takes part in nothing before Run. It refuses a scope
// that cannot be encoded, addresses other than IPv4, a node type that needs a name
// server where none is given, and an LMHOSTS file that cannot be read.
func New(cfg Config) (*Carrier, error) {
	return newCarrier(cfg, link.Listen, link.Route)
}

func newCarrier(cfg Config, listen link.Listener, route link.Router) (*Carrier, error) {
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	names, err := nameservice.New(nameservice.Config{
		Port: cfg.Ports.Name, Listen: listen, Route: route, NodeType: cfg.NodeType, WINS: cfg.WINS, Scope: cfg.Scope,
		HideUsers: cfg.HideUsers, LMHosts: cfg.LMHosts, Server: cfg.Server, Allow: cfg.Allow, Log: log,
	})
	if err != nil {
		return nil, fmt.Errorf("nbt: %w", err)
	}
	c := &Carrier{
		cfg:        cfg,
		log:        log,
		listen:     listen,
		route:      route,
		names:      names,
		ready:      make(chan struct{}),
		changed:    make(chan struct{}, 1),
		interfaces: link.OneOfEachNetwork(cfg.Interfaces),
		doors:      newDoors(),
	}
	c.admits = c.admitOwn
	return c, nil
}

// reopenTime is how often ports are tried again that could not be had.
const reopenTime = time.Minute

// Run implements carrier.NetBIOS. Ports that cannot be had are reported by Ports
// and keep nothing else from running; they are taken when they become free. At the
// end all names are released.
func (c *Carrier) Run(ctx context.Context) error {
	c.adjust()
	close(c.ready)
	reopen := time.NewTicker(reopenTime)
	defer reopen.Stop()
	for {
		select {
		case <-c.changed:
			c.adjust()
		case <-reopen.C:
			c.reopen()
		case <-ctx.Done():
			c.shutDown()
			return nil
		}
	}
}

// Ready implements carrier.NetBIOS.
func (c *Carrier) Ready() <-chan struct{} {
	return c.ready
}

// SetInterfaces tells which interfaces to use from now on. Names are claimed on
// those that are new, and released on those that are gone; the others notice nothing.
// Addresses other than IPv4 are left out.
func (c *Carrier) SetInterfaces(list []Interface) {
	c.mu.Lock()
	c.interfaces = link.OneOfEachNetwork(list)
	c.mu.Unlock()
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// adjust starts and stops nodes until they are what the interfaces ask for. New nodes
// come before old ones go, so that names are not without an owner; but where only the
// address has changed the old one has to make room, since the socket for the broadcasts
// of a network can be had once.
func (c *Carrier) adjust() {
	c.mu.RLock()
	wanted := c.interfaces
	c.mu.RUnlock()
	gone := func(n *node) bool { return !slices.Contains(wanted, n.iface) }
	inTheWay := func(n *node) bool {
		return gone(n) && n.iface.Broadcast.IsValid() &&
			slices.ContainsFunc(wanted, func(i Interface) bool { return i.Broadcast == n.iface.Broadcast })
	}
	stopAll(c.detach(inTheWay))
	c.mu.Lock()
	for _, iface := range wanted {
		if !slices.ContainsFunc(c.nodes, func(n *node) bool { return n.iface == iface }) {
			c.nodes = append(slices.Clone(c.nodes), c.attach(iface))
		}
	}
	c.mu.Unlock()
	stopAll(c.detach(gone))
}

// detach takes nodes from the list, for whoever stops them.
func (c *Carrier) detach(which func(*node) bool) []*node {
	c.mu.Lock()
	defer c.mu.Unlock()
	var taken []*node
	c.nodes = slices.DeleteFunc(slices.Clone(c.nodes), func(n *node) bool {
		if which(n) {
			taken = append(taken, n)
		}
		return which(n)
	})
	return taken
}

// reopen starts nodes anew that can have a port now which another program had.
func (c *Carrier) reopen() {
	if again := c.detach((*node).couldOpenMore); len(again) > 0 {
		stopAll(again)
		c.adjust()
	}
}

func (c *Carrier) shutDown() {
	c.names.Stop()
	stopAll(c.detach(func(*node) bool { return true }))
}

func stopAll(nodes []*node) {
	var wg sync.WaitGroup
	for _, n := range nodes {
		wg.Go(n.stop)
	}
	wg.Wait()
}

// Ports implements carrier.NetBIOS.
func (c *Carrier) Ports() []carrier.Port {
	var list []carrier.Port
	for _, n := range c.attached() {
		list = append(list, n.ports...)
	}
	return list
}

func (c *Carrier) attached() []*node {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Clone(c.nodes)
}
