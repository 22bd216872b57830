// Package nbt is NetBIOS over TCP/IP: the name service on UDP 137, the datagram
// service on UDP 138, and the session service on TCP 139 and 445 (RFC 1001, RFC
// 1002, MS-NBTE), on any number of interfaces.
package nbt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"messngr/carrier"
	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

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
	listenUDP func(netip.AddrPort) (packetConn, error)
	ready     chan struct{} // closed when the first interfaces are up
	changed   chan struct{} // capacity 1: SetInterfaces was called
	cache     *cache
	hosts     atomic.Pointer[hosts]
	servers   *servers
	doors     doors
	serve     carrier.SessionHandler
	admits    func(remote netip.Addr, called netbios.Name) error
	take      func(carrier.Datagram)
	overhears func(carrier.Datagram)

	mu         sync.RWMutex
	interfaces []Interface // as they should be
	nodes      []*node     // as they are
	wanted     []want      // in the order in which they were claimed
	stopped    bool
}

// A want is a name that should be ours on every interface, until it is released.
type want struct {
	name  netbios.Name
	group bool
}

// New returns a carrier that takes part in nothing before Run. It refuses a scope
// that cannot be encoded, addresses other than IPv4, a node type that needs a name
// server where none is given, and an LMHOSTS file that cannot be read.
func New(cfg Config) (*Carrier, error) {
	if _, err := netbios.Wildcard().AppendEncoded(nil, cfg.Scope); err != nil {
		return nil, fmt.Errorf("nbt: %w", err)
	}
	for _, server := range cfg.WINS {
		if !server.Is4() {
			return nil, fmt.Errorf("nbt: name server %q is not an IPv4 address", server)
		}
	}
	if len(cfg.WINS) == 0 && cfg.NodeType != nbns.BNode {
		return nil, fmt.Errorf("nbt: node type %s needs a name server", cfg.NodeType)
	}
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Carrier{
		cfg:        cfg,
		log:        log,
		listenUDP:  listenUDP,
		ready:      make(chan struct{}),
		changed:    make(chan struct{}, 1),
		cache:      newCache(),
		servers:    newServers(cfg.WINS),
		interfaces: oneOfEachNetwork(cfg.Interfaces),
		doors:      newDoors(),
	}
	c.admits = c.admitOwn
	if err := c.PurgeCache(); err != nil {
		return nil, err
	}
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
	c.interfaces = oneOfEachNetwork(list)
	c.mu.Unlock()
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// Renew registers all names again, after a time in which other machines could not
// hear us: they may have taken our names, and name servers may have dropped them.
func (c *Carrier) Renew() {
	for _, n := range c.attached() {
		n.names.renewAll()
	}
}

// adjust starts and stops nodes until they are what the interfaces ask for. New
// nodes come first, so that names are not without an owner when an address changes.
func (c *Carrier) adjust() {
	c.mu.Lock()
	wanted := c.interfaces
	var kept, gone []*node
	for _, n := range c.nodes {
		if slices.Contains(wanted, n.iface) {
			kept = append(kept, n)
		} else {
			gone = append(gone, n)
		}
	}
	nodes := kept
	for _, iface := range wanted {
		if !slices.ContainsFunc(nodes, func(n *node) bool { return n.iface == iface }) {
			n := c.attach(iface)
			for _, w := range c.wanted {
				n.names.claim(w.name, w.group)
			}
			nodes = append(nodes, n)
		}
	}
	c.nodes = nodes
	c.mu.Unlock()
	stopAll(gone)
}

// reopen starts nodes anew that can have a port now which another program had.
func (c *Carrier) reopen() {
	var gone []*node
	c.mu.Lock()
	c.nodes = slices.DeleteFunc(slices.Clone(c.nodes), func(n *node) bool {
		if !n.couldOpenMore() {
			return false
		}
		gone = append(gone, n)
		return true
	})
	c.mu.Unlock()
	if len(gone) > 0 {
		stopAll(gone)
		c.adjust()
	}
}

func (c *Carrier) shutDown() {
	c.mu.Lock()
	gone := c.nodes
	c.nodes, c.stopped = nil, true
	c.mu.Unlock()
	stopAll(gone)
}

func stopAll(nodes []*node) {
	var wg sync.WaitGroup
	for _, n := range nodes {
		wg.Go(n.stop)
	}
	wg.Wait()
}

// Claim implements carrier.NetBIOS. A name that another machine defends on some
// interface stays claimed on all others, is listed as in conflict, and is tried
// again every few minutes, until it is released: a caller who does not want that
// releases it when Claim returns an error. When ctx ends first, the claim goes on.
func (c *Carrier) Claim(ctx context.Context, name netbios.Name, group bool) error {
	select {
	case <-c.ready:
	case <-ctx.Done():
		return ctx.Err()
	}
	claims, err := c.want(name, group)
	if err != nil {
		return err
	}
	var conflict, other error
	for _, cl := range claims {
		err := cl.verdict(ctx)
		if _, ok := errors.AsType[*carrier.ConflictError](err); ok && conflict == nil {
			conflict = err
		} else if err != nil && other == nil {
			other = err
		}
	}
	if conflict != nil {
		return conflict
	}
	return other
}

// want makes name one of ours, on interfaces that are there and that will come.
func (c *Carrier) want(name netbios.Name, group bool) ([]*claim, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return nil, fmt.Errorf("nbt: claim %v: %w", name, carrier.ErrOff)
	}
	i := slices.IndexFunc(c.wanted, func(w want) bool { return w.name == name })
	if i < 0 {
		c.wanted = append(c.wanted, want{name, group})
	} else if c.wanted[i].group != group {
		return nil, fmt.Errorf("nbt: claim %v: the name is claimed already, as group: %v", name, c.wanted[i].group)
	}
	if len(c.nodes) == 0 { // it is claimed on the first interface that comes
		return nil, fmt.Errorf("nbt: claim %v: no interface in use: %w", name, carrier.ErrOff)
	}
	var claims []*claim
	for _, n := range c.nodes {
		claims = append(claims, n.names.claim(name, group))
	}
	return claims, nil
}

// Release implements carrier.NetBIOS. Releasing a name that is not ours does nothing.
func (c *Carrier) Release(ctx context.Context, name netbios.Name) error {
	c.mu.Lock()
	c.wanted = slices.DeleteFunc(c.wanted, func(w want) bool { return w.name == name })
	nodes := c.nodes
	c.mu.Unlock()
	var claims []*claim
	for _, n := range nodes {
		if cl := n.names.release(name); cl != nil {
			claims = append(claims, cl)
		}
	}
	for _, cl := range claims {
		select {
		case <-cl.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Names implements carrier.NetBIOS: interface by interface, each in the order of the claims.
func (c *Carrier) Names() []carrier.NameEntry {
	var list []carrier.NameEntry
	for _, n := range c.attached() {
		list = append(list, n.names.entries()...)
	}
	return list
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
