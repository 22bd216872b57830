package tty

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"messngr/display"
)

// terminal is an open terminal.
type terminal struct {
	file     *os.File
	device   uint64
	owner    int
	writable bool // mesg y
	look     look
}

// minColumns is the width below which lines may as well be broken anywhere.
const minColumns = 20

var errNotTerminal = errors.New("is no terminal")

// openTerminal opens a terminal below /dev for writing, so that no write ever
// waits, and so that it does not become ours.
func openTerminal(name string) (*terminal, error) {
	path := "/dev/" + name
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return nil, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	// Before it is opened, since that can have effects with other kinds of files.
	if st.Mode&unix.S_IFMT != unix.S_IFCHR {
		return nil, errNotTerminal
	}
	writable := st.Mode&unix.S_IWGRP != 0
	file, err := os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_NOFOLLOW, 0)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) && !writable {
			return nil, errMesg
		}
		return nil, err
	}
	t := &terminal{
		file: file, writable: writable, owner: int(st.Uid), device: st.Rdev,
		look: look{columns: Columns, utf8: display.KnowsUTF8(file)},
	}
	if err := t.check(); err != nil {
		file.Close()
		return nil, err
	}
	return t, nil
}

// check makes sure that what was opened is what was looked at, and a terminal.
func (t *terminal) check() error {
	info, err := t.file.Stat()
	if err != nil {
		return err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || st.Mode&unix.S_IFMT != unix.S_IFCHR || st.Rdev != t.device {
		return errNotTerminal
	}
	conn, err := t.file.SyscallConn()
	if err != nil {
		return err
	}
	terminal := false
	err = conn.Control(func(fd uintptr) {
		_, no := unix.IoctlGetTermios(int(fd), unix.TCGETS)
		terminal = no == nil
		// Not the last column, which makes some terminals begin a new line.
		if size, no := unix.IoctlGetWinsize(int(fd), unix.TIOCGWINSZ); no == nil && size.Col > 0 {
			t.look.columns = min(Columns, max(int(size.Col)-1, minColumns))
		}
	})
	if err == nil && !terminal {
		err = errNotTerminal
	}
	return err
}

// is reports whether w is the same terminal.
func (t *terminal) is(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok || file == nil {
		return false
	}
	info, err := file.Stat()
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Mode&unix.S_IFMT == unix.S_IFCHR && st.Rdev == t.device
}

// tryWrite writes what the terminal takes at once, in one call.
func (t *terminal) tryWrite(b []byte) (n int, err error) {
	conn, err := t.file.SyscallConn()
	if err != nil {
		return 0, err
	}
	var failed error
	err = conn.Write(func(fd uintptr) bool {
		n, failed = unix.Write(int(fd), b)
		return true
	})
	if err == nil && failed != nil && failed != unix.EAGAIN && failed != unix.EINTR {
		err = fmt.Errorf("write: %w", failed)
	}
	return max(n, 0), err
}

// write writes all of b, and waits for the terminal until ctx ends.
func (t *terminal) write(ctx context.Context, b []byte) error {
	stop := context.AfterFunc(ctx, func() { _ = t.file.SetWriteDeadline(time.Unix(1, 0)) })
	defer stop()
	_, err := t.file.Write(b)
	return err
}

// Close closes the terminal.
func (t *terminal) Close() error { return t.file.Close() }
