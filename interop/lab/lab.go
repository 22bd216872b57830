//go:build linux

package lab

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Lab is a set of subnets, the hosts on them, and the routers between them.
type Lab struct {
	dir     string
	wires   *namespace // holds one bridge per subnet
	subnets []*Subnet
	hosts   []*Host
}

// New starts a lab without subnets. Each host keeps its logs and its /run and /var/lib in a folder below dir, which
// stays when the lab is closed. The caller closes the lab.
func New(dir string) (*Lab, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	wires, err := newNamespace("wires", filepath.Join(dir, "wires"))
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	return &Lab{dir: dir, wires: wires}, nil
}

// Close ends every host, and with it all processes that were started there.
func (l *Lab) Close() error {
	var errs []error
	for _, h := range l.hosts {
		errs = append(errs, h.close())
	}
	return errors.Join(append(errs, l.wires.close())...)
}

// Subnet adds a broadcast domain. Hosts on it get the prefix's addresses in turn, from the first.
func (l *Lab) Subnet(prefix netip.Prefix) (*Subnet, error) {
	s := &Subnet{
		lab:    l,
		prefix: prefix.Masked(),
		bridge: fmt.Sprintf("br%d", len(l.subnets)),
		next:   prefix.Masked().Addr().Next(),
	}
	// A snooping bridge withholds multicast from ports that it has heard no IGMP report from.
	if err := l.wires.ip("link", "add", s.bridge, "type", "bridge", "mcast_snooping", "0"); err != nil {
		return nil, fmt.Errorf("lab: subnet %v: %w", prefix, err)
	}
	if err := l.wires.ip("link", "set", s.bridge, "up"); err != nil {
		return nil, fmt.Errorf("lab: subnet %v: %w", prefix, err)
	}
	l.subnets = append(l.subnets, s)
	return s, nil
}

// Router connects subnets: it takes the last address of each and forwards between them, and every host that exists on
// them sends through it from then on.
func (l *Lab) Router(subnets ...*Subnet) (*Host, error) {
	router, err := l.newHost("router")
	if err != nil {
		return nil, err
	}
	for i, s := range subnets {
		if err := router.attach(fmt.Sprintf("eth%d", i), s, s.last()); err != nil {
			return nil, err
		}
		for _, h := range s.hosts {
			if err := h.ns.ip("route", "replace", "default", "via", s.last().String()); err != nil {
				return nil, fmt.Errorf("lab: host %s: %w", h.name, err)
			}
		}
	}
	if err := router.ns.run("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"); err != nil {
		return nil, fmt.Errorf("lab: router: %w", err)
	}
	return router, nil
}

// newHost makes a host without an interface.
func (l *Lab) newHost(name string) (*Host, error) {
	dir := filepath.Join(l.dir, name)
	if _, err := os.Stat(dir); err == nil {
		return nil, fmt.Errorf("lab: host %s: the folder %s is taken", name, dir)
	}
	ns, err := newNamespace(name, dir)
	if err != nil {
		return nil, fmt.Errorf("lab: host %s: %w", name, err)
	}
	h := &Host{name: name, dir: dir, ns: ns}
	l.hosts = append(l.hosts, h)
	return h, nil
}

// Subnet is one broadcast domain of a [Lab].
type Subnet struct {
	lab    *Lab
	prefix netip.Prefix
	bridge string
	next   netip.Addr
	hosts  []*Host
	ports  int
}

// Host adds a host with the next free address, a default route out of its eth0 (a datagram to 255.255.255.255 needs
// one), and the host name given.
func (s *Subnet) Host(name string) (*Host, error) {
	h, err := s.lab.newHost(name)
	if err != nil {
		return nil, err
	}
	if err := h.attach("eth0", s, s.next); err != nil {
		return nil, err
	}
	if err := h.ns.ip("route", "add", "default", "dev", "eth0"); err != nil {
		return nil, fmt.Errorf("lab: host %s: %w", name, err)
	}
	s.next = s.next.Next()
	s.hosts = append(s.hosts, h)
	return h, nil
}

// Lab is where the subnet is.
func (s *Subnet) Lab() *Lab { return s.lab }

// Prefix is the subnet's address and length.
func (s *Subnet) Prefix() netip.Prefix { return s.prefix }

// Broadcast is the subnet's directed broadcast address.
func (s *Subnet) Broadcast() netip.Addr {
	b := s.prefix.Addr().As4()
	for i := s.prefix.Bits(); i < 32; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return netip.AddrFrom4(b)
}

func (s *Subnet) last() netip.Addr { return s.Broadcast().Prev() }

// attach plugs a cable between a new interface of the host and the subnet's bridge.
func (h *Host) attach(iface string, s *Subnet, addr netip.Addr) error {
	s.ports++
	port := fmt.Sprintf("%sp%d", s.bridge, s.ports)
	// One command makes both ends where they belong: neither is ever seen outside the lab.
	if err := command("ip", "link", "add", "name", iface, "netns", h.ns.pidString(),
		"type", "veth", "peer", "name", port, "netns", s.lab.wires.pidString()); err != nil {
		return fmt.Errorf("lab: host %s: %w", h.name, err)
	}
	err := errors.Join(
		s.lab.wires.ip("link", "set", port, "master", s.bridge, "up"),
		h.ns.ip("address", "add", netip.PrefixFrom(addr, s.prefix.Bits()).String(), "brd", s.Broadcast().String(), "dev", iface),
		h.ns.ip("link", "set", iface, "up"))
	if err != nil {
		return fmt.Errorf("lab: host %s: %w", h.name, err)
	}
	if !h.addr.IsValid() {
		h.addr, h.subnet, h.port = addr, s, port
	}
	return nil
}

// command runs a program outside the lab; its error holds what the program said.
func command(name string, args ...string) error {
	return said(exec.Command(name, args...), (*exec.Cmd).CombinedOutput)
}

func said(cmd *exec.Cmd, run func(*exec.Cmd) ([]byte, error)) error {
	if out, err := run(cmd); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
