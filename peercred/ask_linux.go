package peercred

import "golang.org/x/sys/unix"

// Supported reports whether this system tells who is at the other end.
const Supported = true

// ask is unix(7), SO_PEERCRED.
func ask(fd int) (int, error) {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return -1, err
	}
	return int(cred.Uid), nil
}
