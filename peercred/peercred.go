// Package peercred asks the kernel which user is at the other end of a unix socket.
package peercred

import (
	"errors"
	"net"
)

// UID returns the id of the user who opened the connection, or -1 and an error, which
// is errors.ErrUnsupported for a unix socket where the system does not tell.
func UID(conn net.Conn) (int, error) {
	c, ok := conn.(*net.UnixConn)
	if !ok {
		return -1, errors.New("not a unix socket")
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return -1, err
	}
	uid := -1
	var failed error
	if err := raw.Control(func(fd uintptr) { uid, failed = ask(int(fd)) }); err != nil {
		return -1, err
	}
	return uid, failed
}
