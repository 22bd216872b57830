package nbt

import (
	"context"
	"net/netip"

	"messngr/carrier"
)

// A Neighbour is another program of this host that speaks NetBIOS over TCP/IP, such
// as Samba, and with which the ports are shared out. Its ports are never taken.
type Neighbour interface {
	// Keeps says why a port is left to the neighbour although it may be free just now,
	// because the neighbour is about to have it again; nil if it may be taken.
	Keeps(network string, at netip.AddrPort) error
	// Datagrams hands the packets that arrive at the neighbour's port of the datagram
	// service to take, with the address that they came from, until ctx ends. They are
	// valid only during the call.
	Datagrams(ctx context.Context, take func(packet []byte, from netip.AddrPort))
}

// keeps asks the neighbour, if there is one.
func (c *Carrier) keeps(network string, at netip.AddrPort) error {
	if c.cfg.Neighbour == nil {
		return nil
	}
	return c.cfg.Neighbour.Keeps(network, at)
}

// OverhearDatagrams makes h get every datagram that arrives from the networks of this host,
// for whatever name, as those do by which machines tell each other about themselves. It is
// called before Run. h must not block.
func (c *Carrier) OverhearDatagrams(h func(carrier.Datagram)) { c.overhears = h }

// borrows reports whether the datagrams for this interface come from the neighbour.
func (s *datagramService) borrows() bool {
	return s.carrier.cfg.Neighbour != nil && s.carrier.cfg.Ports.Datagram != 0 && !s.serving && !s.node.iface.Loopback()
}

// borrow takes in what the neighbour receives, until ctx ends. Each interface has a
// connection of its own and takes what came from its network.
func (s *datagramService) borrow(ctx context.Context) {
	s.carrier.cfg.Neighbour.Datagrams(ctx, func(b []byte, from netip.AddrPort) {
		if s.carrier.borrower(from.Addr()) == s {
			s.handle(b, from)
		}
	})
}

// borrower returns the service that takes in a neighbour's packet: that of the network
// which the packet came from, else the first one that borrows. It is nil if the service
// of that network has heard the packet itself.
func (c *Carrier) borrower(from netip.Addr) *datagramService {
	var first *datagramService
	for _, n := range c.attached() {
		borrows := n.datagrams.borrows()
		if n.iface.Prefix.Contains(from) {
			if !borrows {
				return nil
			}
			return n.datagrams
		}
		if borrows && first == nil {
			first = n.datagrams
		}
	}
	return first
}
