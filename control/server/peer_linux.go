package server

import (
	"net"

	"golang.org/x/sys/unix"
)

// socketMode lets everybody on this host connect.
const socketMode = 0o666

// peerUID asks the kernel who connected (unix(7), SO_PEERCRED).
func peerUID(conn net.Conn) (int, bool) {
	c, ok := conn.(*net.UnixConn)
	if !ok {
		return 0, false
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, false
	}
	var cred *unix.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil || credErr != nil {
		return 0, false
	}
	return int(cred.Uid), true
}
