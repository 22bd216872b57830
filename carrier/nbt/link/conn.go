package link

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"time"
)

const (
	// MaxPacket is the longest packet that Receive takes in whole: a node status of 255
	// names has 4,687 bytes.
	MaxPacket = 8 << 10
	// readBuffer is how many bytes may wait to be read from a socket.
	readBuffer = 1 << 20
	// readPause is how long a socket rests that cannot be read from.
	readPause = 100 * time.Millisecond
)

// A Conn is one UDP socket. *net.UDPConn is the real one; linktest has others.
type Conn interface {
	ReadFromUDPAddrPort(b []byte) (n int, from netip.AddrPort, err error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (n int, err error)
	Close() error
}

// A Listener opens a socket at addr and nowhere else.
type Listener func(addr netip.AddrPort) (Conn, error)

// Listen is the Listener of the operating system. It never shares a port
// (SO_REUSEADDR): that would succeed beside a running nmbd and steal its answers.
func Listen(addr netip.AddrPort) (Conn, error) {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return nil, err
	}
	// Whole networks speak at once when the power comes back. A system that grants
	// less memory for that is no reason to do without the port.
	_ = conn.SetReadBuffer(readBuffer)
	return conn, nil
}

// A Router says from which address of this host another one is reached; the zero value if
// it cannot tell.
type Router func(to netip.Addr) netip.Addr

// Route is the Router of the operating system. It sends nothing.
func Route(to netip.Addr) netip.Addr {
	const discard = 9 // any port will do
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(to, discard)))
	if err != nil {
		return netip.Addr{}
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
}

// Receive hands every packet that arrives at the socket to take, one after another,
// until ctx ends or the socket is closed. The bytes are valid only during the call.
func Receive(ctx context.Context, conn Conn, log *slog.Logger, take func(b []byte, from netip.AddrPort)) {
	in := make([]byte, MaxPacket)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(in)
		if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			log.Debug("socket cannot be read from", "error", err)
			select {
			case <-time.After(readPause):
			case <-ctx.Done():
			}
			continue
		}
		take(in[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
	}
}
