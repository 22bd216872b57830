package display

import (
	"os"

	"golang.org/x/sys/unix"
)

// KnowsUTF8 reports whether the terminal f expects UTF-8, as terminal emulators,
// sshd and the console tell the kernel for its line editor: termios(3), IUTF8.
func KnowsUTF8(f *os.File) bool {
	conn, err := f.SyscallConn()
	if err != nil {
		return false
	}
	known := false
	err = conn.Control(func(fd uintptr) {
		t, err := unix.IoctlGetTermios(int(fd), unix.TCGETS)
		known = err == nil && t.Iflag&unix.IUTF8 != 0
	})
	return known && err == nil
}
