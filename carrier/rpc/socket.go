package rpc

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"

	"messngr/carrier"
	"messngr/carrier/rpc/udp"
)

// socket is one address that we serve at.
type socket struct {
	conn udp.Conn
	addr netip.AddrPort
	stop context.CancelFunc
	done chan struct{} // closed when nothing more is read
}

// portPurpose says to people what our ports are for.
const portPurpose = "remote procedure calls"

// adjust opens and closes sockets until they are those that are wanted. A port that
// cannot be had is reported once.
func (c *Carrier) adjust() {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := make(map[netip.AddrPort]*socket)
	var ports []carrier.Port
	for _, addr := range c.wanted {
		at := netip.AddrPortFrom(addr, c.cfg.Port)
		s, err := c.sockets[at], error(nil)
		if s == nil {
			s, err = c.open(at)
		}
		if err == nil {
			kept[at] = s
		} else if !slices.ContainsFunc(c.ports, func(p carrier.Port) bool { return p.Address == at && p.Err != nil }) {
			c.log.Warn("port not available", "network", "udp", "address", at, "purpose", portPurpose, "error", err)
		}
		ports = append(ports, carrier.Port{Network: "udp", Address: at, Purpose: portPurpose, Err: err})
	}
	for at, s := range c.sockets {
		if kept[at] == nil {
			s.close()
		}
	}
	c.sockets, c.ports = kept, ports
}

// open starts to serve at an address.
func (c *Carrier) open(at netip.AddrPort) (*socket, error) {
	conn, err := c.listen(at)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &socket{conn: conn, addr: at, stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		c.serve(ctx, s)
	}()
	return s, nil
}

// quiet ends what arrives at the socket. Answers can still be sent.
func (s *socket) quiet() {
	s.stop()
	<-s.done
}

func (s *socket) close() {
	s.quiet()
	_ = s.conn.Close()
}

// serve hands what arrives at a socket to the server, until ctx ends.
func (c *Carrier) serve(ctx context.Context, s *socket) {
	defer context.AfterFunc(ctx, func() { _ = s.conn.SetReadDeadline(time.Unix(1, 0)) })()
	b := make([]byte, 1<<16)
	for failures := 0; ; failures++ {
		n, from, err := s.conn.ReadFromUDPAddrPort(b)
		switch {
		case err == nil:
			failures = 0
			c.server.receive(s, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), b[:n])
		case ctx.Err() != nil || errors.Is(err, net.ErrClosed):
			return
		case failures < 100: // some systems tell of peers that have gone
		default:
			c.log.Warn("nothing can be received", "address", s.addr, "err", err)
			select { // an error that stays must not keep a processor busy
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}
}
