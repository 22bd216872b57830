package nbt

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"

	"messngr/carrier"
	"messngr/carrier/nbt/link"
	"messngr/wire/nbdgm"
	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

// A datagramService is the datagram service on one interface.
type datagramService struct {
	carrier *Carrier
	node    *node
	// unicast is bound to the address of the interface and the source of all that is
	// sent. On another port than that of the service it serves to send, but nobody can
	// send to us.
	unicast link.Conn
	// broadcast hears what goes to all nodes of the network; nil if nothing does.
	broadcast link.Conn
	// serving says that unicast is where others look for us.
	serving bool
	id      atomic.Uint32
	parts   fragments
}

// openDatagrams opens the sockets of the datagram service. Without the port of the
// service it takes any other, so that datagrams can still be sent.
func openDatagrams(n *node) *datagramService {
	s := &datagramService{carrier: n.carrier, node: n}
	port := n.carrier.cfg.Ports.Datagram
	if port == 0 {
		return s
	}
	s.unicast = n.openUDP(n.iface.Addr(), port, "datagram service")
	s.serving = s.unicast != nil
	if n.iface.Broadcast.IsValid() && link.BindsBroadcast {
		s.broadcast = n.openUDP(n.iface.Broadcast, port, "datagram service, broadcasts")
	}
	if s.unicast == nil {
		if conn, err := n.carrier.listen(netip.AddrPortFrom(n.iface.Addr(), 0)); err == nil {
			s.unicast = conn
		}
	}
	return s
}

// run receives until ctx ends, and closes the sockets.
func (s *datagramService) run(ctx context.Context) {
	var readers sync.WaitGroup
	for _, conn := range []link.Conn{s.unicast, s.broadcast} {
		if conn != nil {
			readers.Go(func() { link.Receive(ctx, conn, s.carrier.log, s.handle) })
		}
	}
	if s.borrows() {
		readers.Go(func() { s.borrow(ctx) })
	}
	<-ctx.Done()
	for _, conn := range []link.Conn{s.unicast, s.broadcast} {
		if conn != nil {
			conn.Close()
		}
	}
	readers.Wait()
}

// handle takes in one packet. Only datagrams for us count: errors and questions for a
// distribution server are left alone, and nothing is ever answered, because nobody has
// proven to be at the address that a datagram came from.
func (s *datagramService) handle(b []byte, from netip.AddrPort) {
	p, err := nbdgm.Parse(b)
	if err != nil {
		return
	}
	d, ok := p.(nbdgm.Datagram)
	if !ok || !netbios.SameScope(d.ToScope, s.carrier.cfg.Scope) {
		return
	}
	if d, ok = s.parts.join(d, from.Addr()); !ok {
		return
	}
	in := carrier.Datagram{
		To: d.To, From: d.From, Group: d.Type != nbdgm.DirectUnique, Source: from,
		Mismatch:  d.Source.Addr() != from.Addr(),
		Interface: s.node.iface.Name, Data: d.Data,
	}
	if s.carrier.overhears != nil && s.node.iface.Prefix.Contains(from.Addr()) {
		s.carrier.overhears(in)
	}
	if group, ours := s.ours(d.To); ours && s.carrier.take != nil {
		in.Group = group
		s.carrier.take(in)
	}
}

// ours reports whether a name is one of ours here, and whether it is a group's.
func (s *datagramService) ours(name netbios.Name) (group, ours bool) {
	if name == netbios.Wildcard() {
		return true, true
	}
	return s.node.names.Member(name)
}

// HandleDatagrams implements carrier.NetBIOS.
func (c *Carrier) HandleDatagrams(h func(carrier.Datagram)) { c.take = h }

// SendDatagram implements carrier.NetBIOS. A datagram for a group goes out once on every
// interface, to all nodes of its network. One that no interface could send is an error.
func (c *Carrier) SendDatagram(ctx context.Context, addr netip.Addr, to, from netbios.Name, data []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if addr.IsValid() {
		s, err := c.datagramsFor(addr)
		if err != nil {
			return err
		}
		return s.send(nbdgm.DirectUnique, addr, to, from, data)
	}
	err := fmt.Errorf("nbt: datagram service: %w", carrier.ErrOff)
	sent := false
	for _, n := range c.attached() {
		all := n.iface.Broadcast
		if !all.IsValid() {
			all = n.iface.Addr() // nobody but this host is there
		}
		if failed := n.datagrams.send(nbdgm.DirectGroup, all, to, from, data); failed != nil {
			err = failed
		} else {
			sent = true
		}
	}
	if sent {
		return nil
	}
	return err
}

// datagramsFor returns the service on the network that addr is in, or the one from which
// it is reached by way of a router.
func (c *Carrier) datagramsFor(addr netip.Addr) (*datagramService, error) {
	from := c.route(addr)
	var routed *datagramService
	for _, n := range c.attached() {
		switch {
		case n.datagrams.unicast == nil:
		case n.iface.Prefix.Contains(addr):
			return n.datagrams, nil
		case n.iface.Loopback():
		case routed == nil, n.iface.Addr() == from:
			routed = n.datagrams
		}
	}
	if routed == nil {
		return nil, fmt.Errorf("nbt: datagram service: %w", carrier.ErrOff)
	}
	return routed, nil
}

func (s *datagramService) send(kind nbdgm.Type, addr netip.Addr, to, from netbios.Name, data []byte) error {
	if s.unicast == nil {
		return fmt.Errorf("nbt: datagram service on %s: %w", s.node.iface.Name, carrier.ErrOff)
	}
	port := s.carrier.cfg.Ports.Datagram
	d := nbdgm.Datagram{
		Header: nbdgm.Header{
			Type: kind, Node: datagramNode(s.carrier.cfg.NodeType), First: true, ID: uint16(s.id.Add(1)),
			Source: netip.AddrPortFrom(s.node.iface.Addr(), port),
		},
		From: from, To: to, FromScope: s.carrier.cfg.Scope, ToScope: s.carrier.cfg.Scope, Data: data,
	}
	b, err := d.Append(nil)
	if err != nil {
		return err
	}
	if _, err := s.unicast.WriteToUDPAddrPort(b, netip.AddrPortFrom(addr, port)); err != nil {
		return fmt.Errorf("nbt: datagram to %v: %w", addr, err)
	}
	return nil
}

// datagramNode is the node type as datagrams spell it (RFC 1002 4.4.1).
func datagramNode(t nbns.NodeType) nbdgm.NodeType {
	return [...]nbdgm.NodeType{
		nbns.BNode: nbdgm.BNode, nbns.PNode: nbdgm.PNode, nbns.MNode: nbdgm.MNode, nbns.HNode: nbdgm.HNode,
	}[t]
}
