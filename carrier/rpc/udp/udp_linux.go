package udp

import (
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// reportErrors asks the system to tell of datagrams that it knows not to have arrived,
// which it does not for sockets that are open for several peers.
func reportErrors(_, _ string, c syscall.RawConn) error {
	var err error
	controlled := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_RECVERR, 1)
	})
	if controlled != nil {
		return controlled
	}
	return err
}

// Lost returns how many datagrams to that address the system has told not to have
// arrived since it was last asked: nobody is there, or nobody listens.
func Lost(conn Conn, to netip.AddrPort) int {
	udp, ok := conn.(*net.UDPConn)
	if !ok {
		return 0
	}
	raw, err := udp.SyscallConn()
	if err != nil {
		return 0
	}
	lost := 0
	_ = raw.Control(func(fd uintptr) {
		var data [1]byte
		var oob [512]byte
		for {
			_, _, _, at, err := unix.Recvmsg(int(fd), data[:], oob[:], unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
			if err != nil {
				return
			}
			if v4, ok := at.(*unix.SockaddrInet4); ok && netip.AddrFrom4(v4.Addr) == to.Addr() {
				lost++
			}
		}
	})
	return lost
}
