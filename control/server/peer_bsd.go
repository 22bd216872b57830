//go:build darwin || freebsd

package server

import (
	"net"

	"golang.org/x/sys/unix"
)

// socketMode lets everybody on this host connect.
const socketMode = 0o666

// peerUID asks the kernel who connected (unix(4), LOCAL_PEERCRED).
func peerUID(conn net.Conn) (int, bool) {
	c, ok := conn.(*net.UnixConn)
	if !ok {
		return 0, false
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, false
	}
	var cred *unix.Xucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptXucred(int(fd), unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	}); err != nil || credErr != nil {
		return 0, false
	}
	return int(cred.Uid), true
}
