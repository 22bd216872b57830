// Package link knows the IPv4 interfaces of this host: which there are, when they
// change, and how to open UDP sockets on them.
package link

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
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

// List returns the IPv4 addresses of all interfaces that are up, loopback included.
func List() ([]Interface, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("link: list interfaces: %w", err)
	}
	var list []Interface
	for _, i := range all {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			return nil, fmt.Errorf("link: addresses of interface %q: %w", i.Name, err)
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
				entry.Broadcast = Broadcast(entry.Prefix)
			}
			list = append(list, entry)
		}
	}
	return list, nil
}

// Broadcast returns the highest address of the network p, which reaches all of its
// nodes; the zero value where there is no room for one.
func Broadcast(p netip.Prefix) netip.Addr {
	if p.Bits() > 30 {
		return netip.Addr{}
	}
	b := p.Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(b)
}

// OneOfEachNetwork returns the first IPv4 address of each network in the list. A
// second one would be a second owner of each name, and hear no broadcasts.
func OneOfEachNetwork(list []Interface) []Interface {
	var kept []Interface
	for _, i := range list {
		same := func(o Interface) bool { return o.Prefix.Masked() == i.Prefix.Masked() }
		if i.Prefix.Addr().Is4() && !slices.ContainsFunc(kept, same) {
			kept = append(kept, i)
		}
	}
	return kept
}
