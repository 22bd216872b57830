//go:build !linux && !darwin && !freebsd

package server

import (
	"net"
	"os"
)

// socketMode lets nobody connect but the service's own user.
const socketMode = 0o600

// peerUID trusts the mode of the socket: this system does not tell who connected,
// so it is whoever may.
func peerUID(conn net.Conn) (int, bool) {
	_, ok := conn.(*net.UnixConn)
	return os.Getuid(), ok
}
