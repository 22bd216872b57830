package displaytest

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// PTY is a terminal of the test's own.
type PTY struct {
	// Name is the terminal below /dev, such as "pts/3".
	Name string

	fd     int // the side that programs write to
	master *os.File
	mu     sync.Mutex
	seen   strings.Builder
}

// OpenPTY opens a terminal that takes messages and knows UTF-8, as a terminal
// emulator would. It is closed with the test.
func OpenPTY(t testing.TB) *PTY {
	t.Helper()
	open := func(path string, flags int) int {
		fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|flags, 0)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		return fd
	}
	fd := open("/dev/ptmx", unix.O_NONBLOCK)
	master := os.NewFile(uintptr(fd), "/dev/ptmx")
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	p := &PTY{Name: fmt.Sprintf("pts/%d", n), master: master}
	p.fd = open("/dev/"+p.Name, 0)
	t.Cleanup(func() { unix.Close(p.fd) })
	p.SetUTF8(t, true)
	p.SetMode(t, 0o620)
	return p
}

// File opens the side that programs write to once more.
func (p *PTY) File(t testing.TB) *os.File {
	t.Helper()
	f, err := os.OpenFile("/dev/"+p.Name, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// Read begins to look at the terminal; without it the terminal fills up. It
// returns what has been written to it so far.
func (p *PTY) Read(t testing.TB) (seen func() string) {
	var reader sync.WaitGroup
	reader.Go(func() {
		buf := make([]byte, 4096)
		for {
			n, err := p.master.Read(buf)
			p.mu.Lock()
			p.seen.Write(buf[:n])
			p.mu.Unlock()
			if err != nil {
				return
			}
		}
	})
	t.Cleanup(func() {
		p.master.Close()
		reader.Wait()
	})
	return func() string {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.seen.String()
	}
}

// SetUTF8 says whether the terminal expects UTF-8.
func (p *PTY) SetUTF8(t testing.TB, on bool) {
	t.Helper()
	termios, err := unix.IoctlGetTermios(p.fd, unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	termios.Iflag &^= unix.IUTF8
	if on {
		termios.Iflag |= unix.IUTF8
	}
	termios.Oflag &^= unix.OPOST // what was written is what is seen
	if err := unix.IoctlSetTermios(p.fd, unix.TCSETS, termios); err != nil {
		t.Fatal(err)
	}
}

// SetWidth sets the width in columns.
func (p *PTY) SetWidth(t testing.TB, columns int) {
	t.Helper()
	if err := unix.IoctlSetWinsize(p.fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: uint16(columns)}); err != nil {
		t.Fatal(err)
	}
}

// SetMode sets the permissions: 0620 takes messages, 0600 is what mesg(1) calls
// "n".
func (p *PTY) SetMode(t testing.TB, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod("/dev/"+p.Name, mode); err != nil {
		t.Fatal(err)
	}
}

// Stop stops the output of the terminal as Ctrl-S does, and Continue as Ctrl-Q.
func (p *PTY) Stop(t testing.TB) { p.flow(t, unix.TCOOFF) }

// Continue ends what Stop began.
func (p *PTY) Continue(t testing.TB) { p.flow(t, unix.TCOON) }

func (p *PTY) flow(t testing.TB, action int) {
	t.Helper()
	if err := unix.IoctlSetInt(p.fd, unix.TCXONC, action); err != nil {
		t.Fatal(err)
	}
}
