package server

import (
	"errors"
	"io/fs"
	"net"
	"os"

	"messngr/peercred"
)

// socketMode lets everybody on this host connect where the system says who they
// are, and nobody but the service's own user elsewhere.
func socketMode() fs.FileMode {
	if peercred.Supported {
		return 0o666
	}
	return 0o600
}

// peerUID returns the id of the user who connected. A system that does not tell lets
// only one user connect: see socketMode.
func peerUID(conn net.Conn) (uid int, ok bool) {
	uid, err := peercred.UID(conn)
	if errors.Is(err, errors.ErrUnsupported) {
		return os.Getuid(), true
	}
	return uid, err == nil
}
