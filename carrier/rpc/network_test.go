package rpc

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"messngr/carrier/rpc/udp"
)

// network carries datagrams in memory, in the time of testing/synctest.
type network struct {
	// Loss and duplicate are the shares of datagrams that never arrive, and that arrive
	// twice; reorder is the share that is held up, for as long as delay at the most.
	loss, duplicate, reorder float64
	delay                    time.Duration
	// watch, if set, sees every datagram when it is sent, and may swallow it.
	watch func(from, to netip.AddrPort, b []byte) (swallow bool)

	mu      sync.Mutex
	random  *rand.Rand
	sockets map[netip.AddrPort]*memoryConn
	ports   uint16
}

func newNetwork(seed uint64) *network {
	return &network{
		random: rand.New(rand.NewPCG(seed, 0)), sockets: make(map[netip.AddrPort]*memoryConn), ports: 50000,
	}
}

// listen opens a socket at addr; port 0 is any.
func (n *network) listen(addr netip.AddrPort) (udp.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if addr.Port() == 0 {
		n.ports++
		addr = netip.AddrPortFrom(addr.Addr(), n.ports)
	}
	if n.sockets[addr] != nil {
		return nil, &net.OpError{Op: "listen", Net: "udp", Err: syscall.EADDRINUSE}
	}
	c := &memoryConn{network: n, addr: addr, changed: make(chan struct{})}
	n.sockets[addr] = c
	return c, nil
}

// carrier returns a carrier for the host at addr on this network.
func (n *network) carrier(addr netip.Addr) *Carrier {
	c, err := New(Config{Addresses: []netip.Addr{addr}, Port: 135})
	if err != nil {
		panic(err)
	}
	c.listen = n.listen
	c.client.dial = func(netip.AddrPort) (udp.Conn, error) {
		conn, err := n.listen(netip.AddrPortFrom(addr, 0))
		if err == nil {
			conn.(*memoryConn).reports = true
		}
		return conn, err
	}
	c.client.lost = func(conn udp.Conn, _ netip.AddrPort) int { return conn.(*memoryConn).refused() }
	return c
}

// send carries one datagram.
func (n *network) send(from *memoryConn, to netip.AddrPort, b []byte) {
	if n.watch != nil && n.watch(from.addr, to, b) {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	copies := 1
	if n.random.Float64() < n.loss {
		copies = 0
	}
	if n.random.Float64() < n.duplicate {
		copies++
	}
	for range copies {
		d := datagram{from.addr, append([]byte(nil), b...)}
		if n.random.Float64() >= n.reorder {
			n.deliver(from, to, d)
			continue
		}
		time.AfterFunc(time.Duration(n.random.Int64N(int64(n.delay)+1)), func() {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.deliver(from, to, d)
		})
	}
}

// deliver gives a datagram to who listens, or tells its sender that nobody does.
func (n *network) deliver(from *memoryConn, to netip.AddrPort, d datagram) {
	if c := n.sockets[to]; c != nil {
		c.put(func() { c.inbox = append(c.inbox, d) })
		return
	}
	if from.reports {
		from.put(func() { from.unreachable++; from.failed = syscall.ECONNREFUSED })
	}
}

type datagram struct {
	from netip.AddrPort
	data []byte
}

// memoryConn is a socket on a network. It implements udp.Conn.
type memoryConn struct {
	network *network
	addr    netip.AddrPort
	reports bool // whether it is told of datagrams that do not arrive

	mu          sync.Mutex
	inbox       []datagram
	deadline    time.Time
	closed      bool
	failed      error
	unreachable int
	changed     chan struct{} // closed at the next change
}

func (c *memoryConn) put(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
	close(c.changed)
	c.changed = make(chan struct{})
}

// refused returns how many datagrams have not arrived since it was last asked.
func (c *memoryConn) refused() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.unreachable
	c.unreachable = 0
	return n
}

func (c *memoryConn) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	for {
		c.mu.Lock()
		now, deadline, changed := time.Now(), c.deadline, c.changed
		var d datagram
		var err error
		switch {
		case c.closed:
			err = net.ErrClosed
		case !deadline.IsZero() && !now.Before(deadline):
			err = os.ErrDeadlineExceeded
		case c.failed != nil:
			err, c.failed = c.failed, nil
		case len(c.inbox) > 0:
			d, c.inbox = c.inbox[0], c.inbox[1:]
		}
		c.mu.Unlock()
		if err != nil || d.data != nil {
			return copy(b, d.data), d.from, err
		}
		var timeout <-chan time.Time
		var timer *time.Timer
		if !deadline.IsZero() {
			timer = time.NewTimer(deadline.Sub(now))
			timeout = timer.C
		}
		select {
		case <-changed:
		case <-timeout:
		}
		if timer != nil {
			timer.Stop()
		}
	}
}

func (c *memoryConn) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	c.mu.Lock()
	closed := c.closed
	c.mu.Unlock()
	if closed {
		return 0, net.ErrClosed
	}
	c.network.send(c, to, b)
	return len(b), nil
}

func (c *memoryConn) SetReadDeadline(t time.Time) error {
	c.put(func() { c.deadline = t })
	return nil
}

func (c *memoryConn) Close() error {
	c.network.mu.Lock()
	if c.network.sockets[c.addr] == c {
		delete(c.network.sockets, c.addr)
	}
	c.network.mu.Unlock()
	c.put(func() { c.closed = true })
	return nil
}

// address is one of many.
func address(n uint32) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], 10<<24|n)
	return netip.AddrFrom4(b)
}
