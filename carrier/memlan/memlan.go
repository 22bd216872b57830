// Package memlan is a NetBIOS network in memory: any number of hosts that claim
// names, open sessions and send each other datagrams without a socket. Tests run
// whole services on it, in the time of testing/synctest.
package memlan

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"messngr/carrier"
	"messngr/wire/netbios"
)

// Interface is what every host calls its one interface.
const Interface = "memlan"

// Faults say what the network does to datagrams. The zero value delivers each one
// once, at once. Sessions are reliable, as they are over TCP.
type Faults struct {
	// Seed makes a run with the same order of datagrams repeatable.
	Seed uint64
	// Loss and Duplicate are the shares of datagrams, 0 to 1, that never arrive and
	// that arrive twice.
	Loss, Duplicate float64
	// Delay holds every datagram up for so long, and Jitter for up to so much more.
	// With Jitter they can overtake each other.
	Delay, Jitter time.Duration
}

// LAN is one network. Its methods may be called by several goroutines at once.
type LAN struct {
	faults Faults

	mu     sync.Mutex
	random *rand.Rand
	hosts  map[netip.Addr]*Host
	onWay  []flight // by the time of arrival, then in the order of sending
}

// flight is a datagram that arrives later.
type flight struct {
	at time.Time
	to *Host
	d  carrier.Datagram
}

// New returns a network without hosts.
func New(faults Faults) *LAN {
	return &LAN{
		faults: faults,
		random: rand.New(rand.NewPCG(faults.Seed, 0)),
		hosts:  make(map[netip.Addr]*Host),
	}
}

// Broadcast is the address that stands for all hosts of the network.
func (l *LAN) Broadcast() netip.Addr { return netip.AddrFrom4([4]byte{255, 255, 255, 255}) }

// Host adds a host that is not yet switched on: Run does that. Adding a second host
// with the same address is a mistake of the test and panics.
func (l *LAN) Host(addr netip.Addr) *Host {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hosts[addr] != nil {
		panic(fmt.Sprintf("memlan: there is a host at %v already", addr))
	}
	h := &Host{
		lan:   l,
		addr:  addr,
		ready: make(chan struct{}),
		inbox: make(chan carrier.Datagram, inboxSize),
		names: make(map[netbios.Name]bool),
	}
	l.hosts[addr] = h
	return h
}

// inboxSize is how many datagrams a host that is busy has room for; as with UDP, more
// are lost.
const inboxSize = 256

// Host is one host of a LAN. It implements carrier.NetBIOS.
type Host struct {
	lan   *LAN
	addr  netip.Addr
	ready chan struct{}
	inbox chan carrier.Datagram

	serve  carrier.SessionHandler
	take   func(carrier.Datagram)
	admits func(remote netip.Addr, called netbios.Name) error

	// What follows is guarded by lan.mu.
	names    map[netbios.Name]bool // whether it is a group's
	running  context.Context       // nil while the host is off
	sessions sync.WaitGroup
}

// Addr returns the host's address.
func (h *Host) Addr() netip.Addr { return h.addr }

// Run implements carrier.NetBIOS.
func (h *Host) Run(ctx context.Context) error {
	h.lan.mu.Lock()
	h.running = ctx
	h.lan.mu.Unlock()
	close(h.ready)
	for {
		select {
		case d := <-h.inbox:
			h.take(d)
		case <-ctx.Done():
			h.lan.mu.Lock()
			h.running = nil
			clear(h.names)
			h.lan.mu.Unlock()
			h.sessions.Wait()
			return nil
		}
	}
}

// Ready implements carrier.NetBIOS.
func (h *Host) Ready() <-chan struct{} { return h.ready }

// Claim implements carrier.NetBIOS. It needs no time.
func (h *Host) Claim(_ context.Context, name netbios.Name, group bool) error {
	h.lan.mu.Lock()
	defer h.lan.mu.Unlock()
	if h.running == nil {
		return carrier.ErrOff
	}
	for _, other := range h.lan.hosts {
		if isGroup, ok := other.names[name]; ok && other != h && !(group && isGroup) {
			return &carrier.ConflictError{Name: name, Owner: other.addr}
		}
	}
	h.names[name] = group
	return nil
}

// Release implements carrier.NetBIOS.
func (h *Host) Release(_ context.Context, name netbios.Name) error {
	h.lan.mu.Lock()
	defer h.lan.mu.Unlock()
	delete(h.names, name)
	return nil
}

// Names implements carrier.NetBIOS.
func (h *Host) Names() []carrier.NameEntry {
	h.lan.mu.Lock()
	defer h.lan.mu.Unlock()
	var entries []carrier.NameEntry
	for name, group := range h.names {
		entries = append(entries, carrier.NameEntry{Name: name, Group: group, State: carrier.Owned, Interface: Interface})
	}
	slices.SortFunc(entries, func(a, b carrier.NameEntry) int { return slices.Compare(a.Name[:], b.Name[:]) })
	return entries
}

// Resolve implements carrier.NetBIOS.
func (h *Host) Resolve(_ context.Context, name netbios.Name) ([]netip.Addr, error) {
	h.lan.mu.Lock()
	defer h.lan.mu.Unlock()
	for addr, other := range h.lan.hosts {
		switch group, ok := other.names[name]; {
		case ok && group:
			return []netip.Addr{h.lan.Broadcast()}, nil
		case ok:
			return []netip.Addr{addr}, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", name, carrier.ErrNoName)
}

// Status implements carrier.NetBIOS.
func (h *Host) Status(ctx context.Context, addr netip.Addr) ([]carrier.NameEntry, error) {
	h.lan.mu.Lock()
	other := h.lan.hosts[addr]
	on := other != nil && other.running != nil
	h.lan.mu.Unlock()
	if !on {
		return nil, fmt.Errorf("status of %v: %w", addr, carrier.ErrNoName)
	}
	return other.Names(), nil
}

// HandleSessions implements carrier.NetBIOS.
func (h *Host) HandleSessions(serve carrier.SessionHandler) { h.serve = serve }

// AdmitSessions makes the host ask, before it opens a session, whether there is
// somebody to talk to: nil, or an error of package carrier. It is called before Run.
// A host without it admits sessions to its own names.
func (h *Host) AdmitSessions(admits func(remote netip.Addr, called netbios.Name) error) {
	h.admits = admits
}

// HandleDatagrams implements carrier.NetBIOS.
func (h *Host) HandleDatagrams(take func(carrier.Datagram)) { h.take = take }

// Ports implements carrier.NetBIOS: there are none.
func (h *Host) Ports() []carrier.Port { return nil }

// SendDatagram implements carrier.NetBIOS. Like UDP it reports no errors of the way.
func (h *Host) SendDatagram(ctx context.Context, addr netip.Addr, to, from netbios.Name, data []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	h.lan.mu.Lock()
	defer h.lan.mu.Unlock()
	if h.running == nil {
		return carrier.ErrOff
	}
	for _, other := range h.lan.sorted() {
		if !addr.IsValid() || addr == other.addr {
			d := carrier.Datagram{
				To: to, From: from, Group: !addr.IsValid(), Interface: Interface,
				Source: netip.AddrPortFrom(h.addr, 138), Data: slices.Clone(data),
			}
			h.lan.transmit(other, d)
		}
	}
	return nil
}

// sorted returns the hosts in the order of their addresses, so that faults hit the
// same ones in every run.
func (l *LAN) sorted() []*Host {
	hosts := make([]*Host, 0, len(l.hosts))
	for _, h := range l.hosts {
		hosts = append(hosts, h)
	}
	slices.SortFunc(hosts, func(a, b *Host) int { return a.addr.Compare(b.addr) })
	return hosts
}

// transmit puts d on its way to one host.
func (l *LAN) transmit(to *Host, d carrier.Datagram) {
	copies := 1
	if l.random.Float64() < l.faults.Duplicate {
		copies = 2
	}
	for range copies {
		lost := l.random.Float64() < l.faults.Loss
		delay := l.faults.Delay
		if l.faults.Jitter > 0 {
			delay += time.Duration(l.random.Int64N(int64(l.faults.Jitter)))
		}
		switch {
		case lost:
		case delay > 0:
			f := flight{at: time.Now().Add(delay), to: to, d: d}
			i, _ := slices.BinarySearchFunc(l.onWay, f.at, func(f flight, at time.Time) int {
				if f.at.After(at) {
					return 1
				}
				return -1
			})
			l.onWay = slices.Insert(l.onWay, i, f)
			time.AfterFunc(delay, l.land)
		default:
			to.arrive(d)
		}
	}
}

// land lets the first of the datagrams on their way arrive. Timers that end at the same
// moment may call it in any order.
func (l *LAN) land() {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.onWay[0]
	l.onWay = l.onWay[1:]
	f.to.arrive(f.d)
}

// arrive hands d to the host if it is on and has the name; lan.mu is held.
func (h *Host) arrive(d carrier.Datagram) {
	group, ours := h.names[d.To]
	if d.To == netbios.Wildcard() {
		group, ours = true, true
	}
	if h.running == nil || h.take == nil || !ours || group != d.Group {
		return
	}
	select {
	case h.inbox <- d:
	default:
	}
}
