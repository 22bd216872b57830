package nbt

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

// A lan is a set of IPv4 networks in memory, joined by a router that lets no
// broadcasts through. It runs in the time of testing/synctest.
type lan struct {
	mu      sync.Mutex
	rng     *rand.Rand
	sockets map[netip.AddrPort][]*socket
	loss    float64
	twice   float64                        // probability that a packet arrives twice
	delay   func(*rand.Rand) time.Duration // of every packet; nil: a millisecond
	apart   func(a, b netip.Addr) bool     // that no packets pass between
	trace   func(from, to netip.AddrPort, b []byte)
	taken   map[netip.AddrPort]error // ports that cannot be had
}

func newLAN(seed uint64) *lan {
	return &lan{
		rng:     rand.New(rand.NewPCG(seed, 1)),
		sockets: make(map[netip.AddrPort][]*socket),
		taken:   make(map[netip.AddrPort]error),
	}
}

// A socket is one UDP socket of a host on the lan.
type socket struct {
	lan    *lan
	at     netip.AddrPort
	queue  chan datagram
	closed chan struct{}
	once   sync.Once
}

type datagram struct {
	from netip.AddrPort
	data []byte
}

// listen opens a socket. Any number may be bound to one broadcast address, each by
// another host.
func (l *lan) listen(at netip.AddrPort) (*socket, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.taken[at]; err != nil {
		return nil, err
	}
	for at.Port() == 0 {
		if p := netip.AddrPortFrom(at.Addr(), uint16(40000+l.rng.IntN(20000))); len(l.sockets[p]) == 0 {
			at = p
		}
	}
	s := &socket{lan: l, at: at, queue: make(chan datagram, 4096), closed: make(chan struct{})}
	l.sockets[at] = append(l.sockets[at], s)
	return s, nil
}

func (s *socket) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	select {
	case d := <-s.queue:
		return copy(b, d.data), d.from, nil
	case <-s.closed:
		return 0, netip.AddrPort{}, net.ErrClosed
	}
}

func (s *socket) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	select {
	case <-s.closed:
		return 0, net.ErrClosed
	default:
	}
	s.lan.send(s.at, to, append([]byte(nil), b...))
	return len(b), nil
}

func (s *socket) Close() error {
	s.once.Do(func() {
		close(s.closed)
		s.lan.mu.Lock()
		defer s.lan.mu.Unlock()
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

func (l *lan) send(from, to netip.AddrPort, b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.trace != nil {
		l.trace(from, to, b)
	}
	for _, s := range l.sockets[to] {
		if l.apart != nil && l.apart(from.Addr(), s.at.Addr()) {
			continue
		}
		copies := 1
		if l.rng.Float64() < l.twice {
			copies = 2
		}
		for range copies {
			if l.rng.Float64() < l.loss {
				continue
			}
			wait := time.Millisecond
			if l.delay != nil {
				wait = l.delay(l.rng)
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

// attachHost opens the sockets of a carrier on the lan from now on. On one machine
// of the lan the broadcast address is bound once, so every host is a machine.
func (l *lan) attachHost(c *Carrier) {
	c.listenUDP = func(at netip.AddrPort) (packetConn, error) {
		s, err := l.listen(at)
		if err != nil {
			return nil, err
		}
		return s, nil
	}
}

// iface returns the interface with an address such as 10.0.0.1/24.
func iface(name, prefix string) Interface {
	p := netip.MustParsePrefix(prefix)
	i := Interface{Name: name, Prefix: p, Broadcast: lastAddr(p), Hardware: [6]byte{2, 0, 0, 0, 0, p.Addr().As4()[3]}}
	if p.Addr().IsLoopback() {
		i.Broadcast = netip.Addr{}
	}
	return i
}

func mustName(label string, suffix netbios.Suffix) netbios.Name {
	n, err := netbios.New(label, suffix)
	if err != nil {
		panic(err)
	}
	return n
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// A host is a carrier on a lan, and how to stop it.
type host struct {
	*Carrier
	stop func()
}

// testLog shows what hosts say when the tests run with -v.
func testLog(t testing.TB, name string) *slog.Logger {
	if !testing.Verbose() {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})).With("host", name)
}

func ports(t testing.TB) Ports {
	t.Helper()
	p, err := StandardPorts(0)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// newHost makes a carrier with the given addresses, B node if it has no name server, else H.
func (l *lan) newHost(t testing.TB, cfg Config, prefixes ...string) *Carrier {
	t.Helper()
	for i, p := range prefixes {
		cfg.Interfaces = append(cfg.Interfaces, iface(fmt.Sprintf("eth%d", i), p))
	}
	cfg.Ports = ports(t)
	cfg.Ports.Session, cfg.Ports.Direct = 0, 0 // the lan carries no TCP
	cfg.Log = testLog(t, cfg.Interfaces[0].Prefix.String())
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l.attachHost(c)
	return c
}

// start runs a new host until the test ends or the host is stopped.
func (l *lan) start(t testing.TB, cfg Config, prefixes ...string) host {
	t.Helper()
	c := l.newHost(t, cfg, prefixes...)
	return host{c, run(t, c)}
}

// packetsOf records the packets of the name service that a filter picks.
func (l *lan) record(wants func(from, to netip.AddrPort, p nbns.Packet) bool) func() []nbns.Packet {
	var mu sync.Mutex
	var list []nbns.Packet
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trace = func(from, to netip.AddrPort, b []byte) {
		p, err := nbns.Parse(b)
		if err == nil && wants(from, to, p) {
			mu.Lock()
			list = append(list, p)
			mu.Unlock()
		}
	}
	return func() []nbns.Packet {
		mu.Lock()
		defer mu.Unlock()
		return append([]nbns.Packet(nil), list...)
	}
}

// run runs a carrier until the test ends or stop is called, and waits until it is ready.
func run(t testing.TB, c *Carrier) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	<-c.Ready()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run = %v, want nil", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// tryClaim claims a name on a host and gives the verdict.
func tryClaim(t testing.TB, c *Carrier, name netbios.Name, group bool) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	return c.Claim(ctx, name, group)
}

func mustClaim(t testing.TB, c *Carrier, names ...netbios.Name) {
	t.Helper()
	for _, n := range names {
		if err := tryClaim(t, c, n, false); err != nil {
			t.Fatalf("Claim(%v) = %v", n, err)
		}
	}
}

var compareAddr = cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{}, netip.Prefix{})
