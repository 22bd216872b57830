package nbt

import (
	"context"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"

	"messngr/carrier"
	"messngr/carrier/nbt/link"
	"messngr/carrier/nbt/nameservice"
)

// A node is this host on one interface: the services there, and the fate of their ports.
type node struct {
	carrier *Carrier
	iface   Interface
	ports   []carrier.Port

	names     *nameservice.Node
	datagrams *datagramService
	sessions  *sessionService

	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// attach opens all services on the interface and starts them. Ports that cannot be
// opened are reported and left out.
func (c *Carrier) attach(iface Interface) *node {
	n := &node{carrier: c, iface: iface}
	n.names = c.names.Attach(iface, func(at netip.Addr, purpose string) link.Conn {
		return n.openUDP(at, c.cfg.Ports.Name, purpose)
	})
	n.datagrams = openDatagrams(n)
	n.sessions = openSessions(n)
	ctx, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	n.wg.Go(func() { n.datagrams.run(ctx) })
	n.wg.Go(func() { n.sessions.run(ctx) })
	return n
}

// stop releases the names and then ends all services.
func (n *node) stop() {
	n.names.Stop()
	n.cancel()
	n.wg.Wait()
}

// openUDP opens a UDP port of the interface and reports what became of it. It returns nil if
// the port cannot be had.
func (n *node) openUDP(addr netip.Addr, port uint16, purpose string) link.Conn {
	at := netip.AddrPortFrom(addr, port)
	conn, err := link.Conn(nil), n.carrier.keeps("udp", at)
	if err == nil {
		conn, err = n.carrier.listen(at)
	}
	n.report(carrier.Port{Network: "udp", Address: at, Purpose: purpose, Err: err})
	if err != nil {
		return nil
	}
	return conn
}

// couldOpenMore reports whether a port that could not be had is free now.
func (n *node) couldOpenMore() bool {
	return slices.ContainsFunc(n.ports, func(p carrier.Port) bool {
		if p.Err == nil || n.carrier.keeps(p.Network, p.Address) != nil {
			return false
		}
		var probe io.Closer
		var err error
		if p.Network == "udp" {
			probe, err = n.carrier.listen(p.Address)
		} else {
			probe, err = net.Listen("tcp4", p.Address.String())
		}
		if err == nil {
			probe.Close()
		}
		return err == nil
	})
}

// report tells the administrator what became of a port; see Carrier.Ports.
func (n *node) report(p carrier.Port) {
	p.Interface = n.iface.Name
	n.ports = append(n.ports, p)
	if p.Err != nil {
		n.carrier.log.Warn("port not available", "network", p.Network, "address", p.Address, "interface", p.Interface,
			"purpose", p.Purpose, "error", p.Err)
	}
}
