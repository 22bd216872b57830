// Package rpc is remote procedure calls in datagrams (C706 10, MS-RPCE 3.2): a server on
// UDP 135, which is its own endpoint mapper, and a client.
//
// Nothing is run for a caller who has not answered a callback at the address that the
// call came from, whatever the call's flags say. That proof is what calls by datagram
// never had when they were used for spam.
package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"messngr/carrier"
	"messngr/carrier/rpc/udp"
	"messngr/wire/dcerpc"
)

// Config says where a host takes part.
type Config struct {
	// Addresses are this host's own, at which calls are served. Run keeps to them until
	// SetAddresses.
	Addresses []netip.Addr
	// Port is the UDP port of this host and of all others: dcerpc.Port, or that and an
	// offset.
	Port uint16
	// Permit reports why nothing is taken from addr; nil: everything is looked at. It
	// keeps its own journal.
	Permit func(addr netip.Addr) error
	// Refused is told of everything that was not taken, by whom it claims to be from and
	// for which reason; nil: nobody is. It must not block.
	Refused func(addr netip.Addr, reason string)
	// Log takes what an administrator wants to know; nil for nothing.
	Log *slog.Logger
}

// A Carrier is this host's server and client. Its methods may be called by several
// goroutines at once.
type Carrier struct {
	cfg      Config
	log      *slog.Logger
	listen   func(netip.AddrPort) (udp.Conn, error)
	ready    chan struct{}
	server   *server
	client   *client
	refusals refusals

	changed chan struct{} // capacity 1: SetAddresses was called

	mu      sync.RWMutex
	wanted  []netip.Addr               // where to serve
	sockets map[netip.AddrPort]*socket // where we serve
	ports   []carrier.Port
}

// New returns a carrier that does nothing before Run.
func New(cfg Config) (*Carrier, error) {
	if cfg.Port == 0 {
		return nil, errors.New("rpc: no port")
	}
	c := &Carrier{
		cfg: cfg, log: cfg.Log, listen: udp.Listen, ready: make(chan struct{}),
		changed: make(chan struct{}, 1), wanted: slices.Clone(cfg.Addresses),
		refusals: refusals{tell: cfg.Refused, totals: make(map[string]int64)},
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	boot := uint32(time.Now().Unix())
	c.server = newServer(c.log, cfg.Permit, boot, &c.refusals)
	c.client = newClient(cfg.Port, boot)
	c.serveMapper()
	return c, nil
}

// Handle makes h run all calls of an interface from now on; name says to people who look
// at the endpoint mapper what it is. It is called before Run.
func (c *Carrier) Handle(served dcerpc.Syntax, name string, h Handler) {
	c.server.services = append(c.server.services, service{
		syntax: served, name: name,
		run: func(ctx context.Context, _, from netip.AddrPort, call dcerpc.Call) ([]byte, error) {
			return h(ctx, from, call)
		},
	})
}

// SetAddresses tells at which addresses to serve from now on. Those that stay notice
// nothing.
func (c *Carrier) SetAddresses(list []netip.Addr) {
	c.mu.Lock()
	c.wanted = slices.Clone(list)
	c.mu.Unlock()
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// Run serves and calls until ctx ends. Ports that cannot be had are reported by Ports and
// keep nothing else from running. Calls that run when ctx ends are still answered.
func (c *Carrier) Run(ctx context.Context) error {
	c.server.ctx = context.WithoutCancel(ctx)
	c.adjust()
	c.client.start()
	close(c.ready)
	c.work(ctx)
	c.client.stop()
	c.mu.Lock()
	sockets := c.sockets
	c.sockets = nil
	c.mu.Unlock()
	for _, s := range sockets {
		s.quiet()
	}
	c.server.jobs.Wait()
	for _, s := range sockets {
		s.close()
	}
	return nil
}

// work does what is to be done besides receiving, until ctx ends.
func (c *Carrier) work(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			c.server.housekeeping(now)
		case <-c.changed:
			c.adjust()
		case <-ctx.Done():
			return
		}
	}
}

// Ready is closed when the ports are open, or known not to be had.
func (c *Carrier) Ready() <-chan struct{} {
	return c.ready
}

// Ports says what became of each port.
func (c *Carrier) Ports() []carrier.Port {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Clone(c.ports)
}

// Port is the UDP port that calls are made to.
func (c *Carrier) Port() uint16 {
	return c.cfg.Port
}

// Refused says how much was not taken since the start, by reason, from all addresses.
func (c *Carrier) Refused() map[string]int64 {
	return c.refusals.counts()
}

// Call makes one call at the host to, and returns the answer. It asks no endpoint mapper
// first: the one there passes the call on if it has to.
//
// A *dcerpc.StatusError says that the call failed there, or was rejected without having
// been run. An error that wraps carrier.ErrOff says that nobody can have got the call.
// After every other error it is not known whether the call was run.
func (c *Carrier) Call(ctx context.Context, to netip.Addr, call dcerpc.Call) (dcerpc.Answer, error) {
	answer, err := c.client.call(ctx, to.Unmap(), call)
	if err != nil {
		return dcerpc.Answer{}, fmt.Errorf("rpc: call %v: %w", netip.AddrPortFrom(to, c.cfg.Port), err)
	}
	return answer, nil
}
