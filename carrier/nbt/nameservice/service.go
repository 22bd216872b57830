// Package nameservice is the name service of NetBIOS over TCP/IP on UDP 137, as an
// end node sees it: on each interface of a host it claims, holds, defends and releases
// names, answers questions, and finds the names of others (RFC 1001 15, RFC 1002 5.1,
// MS-NBTE 3).
package nameservice

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"

	"messngr/carrier"
	"messngr/carrier/nbt/link"
	"messngr/carrier/nbt/namecache"
	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

// Config says how a host takes part in the name service.
type Config struct {
	// Port is where the service is, on this host and all others; zero means to do
	// without it.
	Port uint16
	// Listen opens what is not opened for a Node: sockets on any port, to ask only.
	Listen link.Listener
	// Route says from which interface nodes of other networks are asked.
	Route link.Router
	// NodeType says whether names are claimed and found by broadcast, at the name
	// servers in WINS, or both.
	NodeType nbns.NodeType
	// WINS are the name servers, the preferred one first.
	WINS []netip.Addr
	// Scope is the scope identifier; nodes of other scopes do not hear each other.
	Scope string
	// HideUsers leaves names that only take messages, those of users and aliases, out
	// of the node status that anybody can ask for.
	HideUsers bool
	// LMHosts is the path of an LMHOSTS file, which is asked last; "" for none.
	LMHosts string
	// Server is the name server that other nodes find at this host; nil for none.
	Server Server
	// Allow are networks whose questions are answered, besides the attached ones and
	// the name servers.
	Allow []netip.Prefix
	// Log takes what an administrator wants to know.
	Log *slog.Logger
}

// A Service is the name service of this host on all of its interfaces. Its methods may
// be called by several goroutines at once.
type Service struct {
	cfg   Config
	log   *slog.Logger
	cache *namecache.Cache

	mu      sync.RWMutex
	nodes   []*Node
	wanted  []want // in the order in which they were claimed
	stopped bool
}

// A want is a name that should be ours on every interface, until it is released.
type want struct {
	name  netbios.Name
	group bool
}

// New returns a service without interfaces. It refuses a scope that cannot be encoded,
// name servers that are not at IPv4 addresses, a node type that needs a name server
// where none is given, and an LMHOSTS file that cannot be read.
func New(cfg Config) (*Service, error) {
	if _, err := netbios.Wildcard().AppendEncoded(nil, cfg.Scope); err != nil {
		return nil, err
	}
	for _, server := range cfg.WINS {
		if !server.Is4() {
			return nil, fmt.Errorf("name server %q is not an IPv4 address", server)
		}
	}
	if len(cfg.WINS) == 0 && cfg.NodeType != nbns.BNode {
		return nil, fmt.Errorf("node type %s needs a name server", cfg.NodeType)
	}
	cache, err := namecache.New(cfg.LMHosts, cfg.Log)
	if err != nil {
		return nil, err
	}
	return &Service{cfg: cfg, log: cfg.Log, cache: cache}, nil
}

// Attach takes part in the name service on an interface from now on: all names that are
// claimed here are claimed there too. open opens the ports of the service, and returns
// nil for those that cannot be had.
func (s *Service) Attach(iface link.Interface, open func(at netip.Addr, purpose string) link.Conn) *Node {
	n := newNode(s, iface, open)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nodes = append(slices.Clone(s.nodes), n)
	for _, w := range s.wanted {
		n.claim(w.name, w.group)
	}
	return n
}

// detach forgets a node, so that no further name is claimed there.
func (s *Service) detach(n *Node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nodes = slices.DeleteFunc(slices.Clone(s.nodes), func(o *Node) bool { return o == n })
}

// Stop refuses every further claim. The nodes have to be stopped by whoever attached
// them.
func (s *Service) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
}

// Claim makes a name ours on every interface, as carrier.NetBIOS has it. A name that
// another machine defends on some interface stays claimed on all others, is listed as
// in conflict, and is tried again every few minutes, until it is released: a caller who
// does not want that releases it when Claim returns an error. When ctx ends first, the
// claim goes on.
func (s *Service) Claim(ctx context.Context, name netbios.Name, group bool) error {
	claims, err := s.want(name, group)
	if err != nil {
		return err
	}
	var conflict, other error
	for _, c := range claims {
		err := c.verdict(ctx)
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
func (s *Service) want(name netbios.Name, group bool) ([]*claim, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil, fmt.Errorf("nbt: claim %v: %w", name, carrier.ErrOff)
	}
	i := slices.IndexFunc(s.wanted, func(w want) bool { return w.name == name })
	if i < 0 {
		s.wanted = append(s.wanted, want{name, group})
	} else if s.wanted[i].group != group {
		return nil, fmt.Errorf("nbt: claim %v: the name is claimed already, as group: %v", name, s.wanted[i].group)
	}
	if len(s.nodes) == 0 { // it is claimed on the first interface that comes
		return nil, fmt.Errorf("nbt: claim %v: no interface in use: %w", name, carrier.ErrOff)
	}
	var claims []*claim
	for _, n := range s.nodes {
		claims = append(claims, n.claim(name, group))
	}
	return claims, nil
}

// Release gives a name up on every interface and tells so, as carrier.NetBIOS has it.
// Releasing a name that is not ours does nothing.
func (s *Service) Release(ctx context.Context, name netbios.Name) error {
	s.mu.Lock()
	s.wanted = slices.DeleteFunc(s.wanted, func(w want) bool { return w.name == name })
	nodes := s.nodes
	s.mu.Unlock()
	var claims []*claim
	for _, n := range nodes {
		if c := n.release(name); c != nil {
			claims = append(claims, c)
		}
	}
	for _, c := range claims {
		select {
		case <-c.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Renew registers all names again, after a time in which other machines could not
// hear us: they may have taken our names, and name servers may have dropped them.
func (s *Service) Renew() {
	for _, n := range s.attached() {
		n.renewAll()
	}
}

// Names lists the names of this host, interface by interface, each in the order of the
// claims.
func (s *Service) Names() []carrier.NameEntry {
	var list []carrier.NameEntry
	for _, n := range s.attached() {
		list = append(list, n.entries()...)
	}
	return list
}

// Claims reports whether a name is claimed on some interface, in whatever state.
func (s *Service) Claims(name netbios.Name) bool {
	return slices.ContainsFunc(s.attached(), func(n *Node) bool { return n.find(name) != nil })
}

// Cache lists the names of others whose place is remembered, by name.
func (s *Service) Cache() []namecache.Entry { return s.cache.List() }

// Forget drops what is remembered about the place of a name that was not found there.
func (s *Service) Forget(name netbios.Name) { s.cache.Forget(name) }

// PurgeCache forgets all names that were found, and reads the LMHOSTS file again
// (nbtstat -R).
func (s *Service) PurgeCache() error { return s.cache.Purge() }

func (s *Service) attached() []*Node {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.nodes // never changed in place
}

// addressesOf returns where the name of the claim can be reached, the address of its
// own interface first. A name server that finds a name registered twice asks for
// them all, to see whether one node claims it on several interfaces (MS-NBTE 3.2.5).
func (s *Service) addressesOf(c *claim) []nbns.Address {
	if c.node.iface.Loopback() {
		return c.self
	}
	list := c.self
	for _, n := range s.attached() {
		if n == c.node || n.iface.Loopback() {
			continue
		}
		if other := n.find(c.name); other != nil && !other.lost() {
			list = append(list[:len(list):len(list)], other.self...)
		}
	}
	return list
}

// attachedTo reports whether addr is on a network of this host.
func (s *Service) attachedTo(addr netip.Addr) bool {
	return slices.ContainsFunc(s.attached(), func(n *Node) bool { return n.iface.Prefix.Contains(addr) })
}

// isOwn reports whether addr is an address of this host.
func (s *Service) isOwn(addr netip.Addr) bool {
	return slices.ContainsFunc(s.attached(), func(n *Node) bool { return n.iface.Addr() == addr })
}
