// Package udp opens the sockets that remote procedure calls go through.
package udp

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// A Conn is one UDP socket; *net.UDPConn is the real one. Tests put networks in
// memory in its place.
type Conn interface {
	ReadFromUDPAddrPort(b []byte) (n int, from netip.AddrPort, err error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (n int, err error)
	SetReadDeadline(t time.Time) error
	Close() error
}

// receiveBuffer is what the system should keep of datagrams that we come to too late.
const receiveBuffer = 1 << 20

// Listen opens a socket at addr and nowhere else. It must never share the port
// (SO_REUSEADDR): that succeeds beside somebody else's endpoint mapper and steals its
// answers.
func Listen(addr netip.AddrPort) (Conn, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return nil, err
	}
	_ = conn.SetReadBuffer(receiveBuffer) // as much as the system allows
	return conn, nil
}

// Dial opens a socket to call a server from: at an address by which the server can be
// reached, and open for answers from any of the server's ports.
func Dial(to netip.AddrPort) (Conn, error) {
	probe, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to)) // which sends nothing
	if err != nil {
		return nil, err
	}
	local := probe.LocalAddr().(*net.UDPAddr).AddrPort().Addr()
	_ = probe.Close()
	config := net.ListenConfig{Control: reportErrors}
	conn, err := config.ListenPacket(context.Background(), "udp", netip.AddrPortFrom(local, 0).String())
	if err != nil {
		return nil, err
	}
	return conn.(*net.UDPConn), nil
}
