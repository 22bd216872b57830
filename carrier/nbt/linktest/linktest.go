// Package linktest has IPv4 networks in memory, for tests of what speaks over UDP: they
// lose, double and delay packets as a test wants, and keep the time of testing/synctest.
package linktest

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"messngr/carrier/nbt/link"
	"messngr/wire/nbns"
)

// A LAN is a set of IPv4 networks, joined by a router that lets no broadcasts through.
// It is locked by whoever changes a field while it is in use.
type LAN struct {
	sync.Mutex
	// Loss is the probability that a packet gets lost, Twice that it arrives twice.
	Loss, Twice float64
	// Delay is how long a packet travels; nil: a millisecond.
	Delay func(*rand.Rand) time.Duration
	// Apart says between whom no packets pass; nil: all do.
	Apart func(a, b netip.Addr) bool
	// Trace sees every packet that is sent.
	Trace func(from, to netip.AddrPort, b []byte)
	// Taken are ports that cannot be had.
	Taken map[netip.AddrPort]error

	rng     *rand.Rand
	sockets map[netip.AddrPort][]*Socket
}

// New returns a network without faults. The seed decides what becomes of packets when
// it gets some.
func New(seed uint64) *LAN {
	return &LAN{
		Taken:   make(map[netip.AddrPort]error),
		rng:     rand.New(rand.NewPCG(seed, 1)),
		sockets: make(map[netip.AddrPort][]*Socket),
	}
}

// A Socket is one UDP socket of a host on the network. It implements link.Conn.
type Socket struct {
	lan    *LAN
	at     netip.AddrPort
	queue  chan datagram
	closed chan struct{}
	once   sync.Once
}

type datagram struct {
	from netip.AddrPort
	data []byte
}

// Listen opens a socket. Any number may be bound to one broadcast address, each by
// another host.
func (l *LAN) Listen(at netip.AddrPort) (*Socket, error) {
	l.Lock()
	defer l.Unlock()
	if err := l.Taken[at]; err != nil {
		return nil, err
	}
	for at.Port() == 0 {
		if p := netip.AddrPortFrom(at.Addr(), uint16(40000+l.rng.IntN(20000))); len(l.sockets[p]) == 0 {
			at = p
		}
	}
	s := &Socket{lan: l, at: at, queue: make(chan datagram, 4096), closed: make(chan struct{})}
	l.sockets[at] = append(l.sockets[at], s)
	return s, nil
}

// Listener returns Listen for one host, which can have each port once.
func (l *LAN) Listener() link.Listener {
	var mu sync.Mutex
	var mine []*Socket
	return func(at netip.AddrPort) (link.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		mine = slices.DeleteFunc(mine, (*Socket).isClosed)
		if slices.ContainsFunc(mine, func(s *Socket) bool { return s.at == at }) {
			return nil, errors.New("address already in use")
		}
		s, err := l.Listen(at)
		if err != nil {
			return nil, err
		}
		mine = append(mine, s)
		return s, nil
	}
}

func (s *Socket) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// ReadFromUDPAddrPort implements link.Conn.
func (s *Socket) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	select {
	case d := <-s.queue:
		return copy(b, d.data), d.from, nil
	case <-s.closed:
		return 0, netip.AddrPort{}, net.ErrClosed
	}
}

// WriteToUDPAddrPort implements link.Conn.
func (s *Socket) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	select {
	case <-s.closed:
		return 0, net.ErrClosed
	default:
	}
	s.lan.send(s.at, to, append([]byte(nil), b...))
	return len(b), nil
}

// Close implements link.Conn.
func (s *Socket) Close() error {
	s.once.Do(func() {
		close(s.closed)
		s.lan.Lock()
		defer s.lan.Unlock()
		list := s.lan.sockets[s.at]
		for i := range list {
			if list[i] == s {
				s.lan.sockets[s.at] = append(list[:i:i], list[i+1:]...)
				break
			}
		}
	})
	return nil
}

func (l *LAN) send(from, to netip.AddrPort, b []byte) {
	l.Lock()
	defer l.Unlock()
	if l.Trace != nil {
		l.Trace(from, to, b)
	}
	for _, s := range l.sockets[to] {
		if l.Apart != nil && l.Apart(from.Addr(), s.at.Addr()) {
			continue
		}
		copies := 1
		if l.rng.Float64() < l.Twice {
			copies = 2
		}
		for range copies {
			if l.rng.Float64() < l.Loss {
				continue
			}
			wait := time.Millisecond
			if l.Delay != nil {
				wait = l.Delay(l.rng)
			}
			time.AfterFunc(wait, func() {
				select {
				case s.queue <- datagram{from, b}:
				case <-s.closed:
				default:
				}
			})
		}
	}
}

// Record collects the packets of the name service that are sent from now on and that
// wants picks, until the next call; what it returns lists them.
func (l *LAN) Record(wants func(from, to netip.AddrPort, p nbns.Packet) bool) func() []nbns.Packet {
	var mu sync.Mutex
	var list []nbns.Packet
	l.Lock()
	defer l.Unlock()
	l.Trace = func(from, to netip.AddrPort, b []byte) {
		if p, err := nbns.Parse(b); err == nil && wants(from, to, p) {
			mu.Lock()
			defer mu.Unlock()
			list = append(list, p)
		}
	}
	return func() []nbns.Packet {
		mu.Lock()
		defer mu.Unlock()
		return append([]nbns.Packet(nil), list...)
	}
}

// NoRoute is a link.Router that cannot tell.
func NoRoute(netip.Addr) netip.Addr { return netip.Addr{} }

// Interface returns the interface that has an address such as 10.0.0.1/24.
func Interface(name, prefix string) link.Interface {
	p := netip.MustParsePrefix(prefix)
	i := link.Interface{Name: name, Prefix: p, Broadcast: link.Broadcast(p), Hardware: [6]byte{2, 0, 0, 0, 0, p.Addr().As4()[3]}}
	if p.Addr().IsLoopback() {
		i.Broadcast = netip.Addr{}
	}
	return i
}
