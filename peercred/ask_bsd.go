//go:build darwin || freebsd

package peercred

import "golang.org/x/sys/unix"

// Supported reports whether this system tells who is at the other end.
const Supported = true

// ask is unix(4), LOCAL_PEERCRED.
func ask(fd int) (int, error) {
	cred, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return -1, err
	}
	return int(cred.Uid), nil
}
