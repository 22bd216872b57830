package nbt

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"

	"messngr/carrier"
)

// An Interface is one IPv4 address of this host, and the network around it.
type Interface struct {
	// Name is what the operating system calls it, such as eth0.
	Name string
	// Prefix is the address together with the length of the network's prefix.
	Prefix netip.Prefix
	// Broadcast is the address that reaches all nodes of the network; the zero
	// value where there is none, as on loopback.
	Broadcast netip.Addr
	// Hardware is the adapter's address, told as unit id in a node status.
	Hardware [6]byte
}

// Addr returns the address of this host on the interface.
func (i Interface) Addr() netip.Addr {
	return i.Prefix.Addr()
}

// Loopback reports whether nobody but this host is on the interface.
func (i Interface) Loopback() bool {
	return i.Addr().IsLoopback()
}

// Interfaces lists the IPv4 addresses of all interfaces that are up, loopback included.
func Interfaces() ([]Interface, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("nbt: list interfaces: %w", err)
	}
	var list []Interface
	for _, i := range all {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			return nil, fmt.Errorf("nbt: addresses of interface %q: %w", i.Name, err)
		}
		for _, a := range addrs {
			ipnet, ok := a.(*net.IPNet)
			if !ok || ipnet.IP.To4() == nil {
				continue
			}
			bits, _ := ipnet.Mask.Size()
			entry := Interface{
				Name:   i.Name,
				Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte(ipnet.IP.To4())), bits),
			}
			copy(entry.Hardware[:], i.HardwareAddr)
			if i.Flags&net.FlagBroadcast != 0 {
				entry.Broadcast = lastAddr(entry.Prefix)
			}
			list = append(list, entry)
		}
	}
	return list, nil
}

// lastAddr returns the highest address of the network p, which is its broadcast
// address; the zero value where there is no room for one.
func lastAddr(p netip.Prefix) netip.Addr {
	if p.Bits() > 30 {
		return netip.Addr{}
	}
	b := p.Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(b)
}

// oneOfEachNetwork returns the first IPv4 address of each network in the list. A
// second one would be a second owner of each name, and hear no broadcasts.
func oneOfEachNetwork(list []Interface) []Interface {
	var kept []Interface
	for _, i := range list {
		same := func(o Interface) bool { return o.Prefix.Masked() == i.Prefix.Masked() }
		if i.Prefix.Addr().Is4() && !slices.ContainsFunc(kept, same) {
			kept = append(kept, i)
		}
	}
	return kept
}

// A packetConn is one UDP socket; *net.UDPConn is the real one. Tests put networks
// in memory in its place.
type packetConn interface {
	ReadFromUDPAddrPort(b []byte) (n int, from netip.AddrPort, err error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (n int, err error)
	Close() error
}

// readBuffer is how many bytes may wait to be read from a socket.
const readBuffer = 1 << 20

// listenUDP opens a socket at addr and nowhere else. It must never share the port
// (SO_REUSEADDR): that succeeds beside a running nmbd and steals its answers.
func listenUDP(addr netip.AddrPort) (packetConn, error) {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return nil, err
	}
	// Whole networks speak at once when the power comes back. A system that grants
	// less memory for that is no reason to do without the port.
	_ = conn.SetReadBuffer(readBuffer)
	return conn, nil
}

// A node is this host on one interface: the services there, and the fate of their ports.
type node struct {
	carrier *Carrier
	iface   Interface
	ports   []carrier.Port

	names     *nameService
	datagrams *datagramService
	sessions  *sessionService

	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// attach opens all services on the interface and starts them. Ports that cannot be
// opened are reported and left out.
func (c *Carrier) attach(iface Interface) *node {
	n := &node{carrier: c, iface: iface}
	n.names = openNames(n)
	n.datagrams = openDatagrams(n)
	n.sessions = openSessions(n)
	ctx, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	n.wg.Go(func() { n.names.run(ctx) })
	n.wg.Go(func() { n.datagrams.run(ctx) })
	n.wg.Go(func() { n.sessions.run(ctx) })
	return n
}

// stop releases the names and then ends all services.
func (n *node) stop() {
	n.names.releaseAll()
	n.cancel()
	n.wg.Wait()
}

// openUDP opens a UDP port of the interface and reports what became of it. It returns nil if
// the port cannot be had.
func (n *node) openUDP(addr netip.Addr, port uint16, purpose string) packetConn {
	at := netip.AddrPortFrom(addr, port)
	conn, err := packetConn(nil), n.carrier.keeps("udp", at)
	if err == nil {
		conn, err = n.carrier.listenUDP(at)
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
			probe, err = n.carrier.listenUDP(p.Address)
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
