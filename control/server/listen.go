package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"messngr"
	"messngr/account"
	"messngr/control"
	"messngr/lockfile"
)

// Group is the group whose members administer the service.
const Group = "messngr"

// Listen opens the service's socket. A socket that a dead service left behind
// is removed; one that somebody listens at is an error, and a lock beside it keeps
// apart services that start at the same moment. Everybody on this host may connect,
// where the system says who they are: that decides what they may do.
func Listen(ctx context.Context, path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	lock, err := lockfile.Take(path + ".lock")
	if held, ok := errors.AsType[*lockfile.HeldError](err); ok {
		return nil, fmt.Errorf("another messngr (process %d) is running on %s", held.PID, path)
	}
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	l, err := listen(ctx, path)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return &lockedListener{l, lock}, nil
}

// lockedListener holds the lock of its path as long as it is open.
type lockedListener struct {
	net.Listener
	lock *os.File
}

// Close implements net.Listener.
func (l *lockedListener) Close() error { return errors.Join(l.Listener.Close(), l.lock.Close()) }

func listen(ctx context.Context, path string) (net.Listener, error) {
	if _, err := os.Lstat(path); err == nil {
		if err := removeStale(ctx, path); err != nil {
			return nil, err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "unix", path)
	if err != nil {
		return nil, control.SocketError(path, err)
	}
	if err := os.Chmod(path, socketMode()); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

func removeStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s is not a socket", path)
	}
	d := net.Dialer{Timeout: time.Second}
	conn, err := d.DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		_ = conn.Close()
		return fmt.Errorf("another messngr is running on %s", path)
	case !isRefused(err):
		// Somebody else's, or too busy to answer: not dead.
		return fmt.Errorf("%s is in use: %w", path, err)
	}
	return os.Remove(path)
}

// isRefused reports whether nobody listens at a socket.
func isRefused(err error) bool {
	const onWindows = syscall.Errno(10061) // WSAECONNREFUSED
	return errors.Is(err, syscall.ECONNREFUSED) || runtime.GOOS == "windows" && errors.Is(err, onWindows)
}

type connKey struct{}

// shutdownTime is how long Serve waits for the last answers.
const shutdownTime = 2 * time.Second

// Serve serves the API on l until ctx ends, and closes l. It returns when all
// that it was asked has been answered, or could not be in time.
func (s *Service) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler:           s.Handler(s.PeerCredentials),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		},
	}
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
		defer cancel()
		if srv.Shutdown(grace) != nil {
			_ = srv.Close()
		}
	})
	err := srv.Serve(newCrowd(l))
	if stop() { // ctx has not ended, so the socket has failed
		_ = srv.Close()
		return err
	}
	<-closed
	return nil
}

// PeerCredentials authenticates whoever is at the other end of a unix socket by
// the word of the kernel.
func (s *Service) PeerCredentials(r *http.Request) (messngr.Principal, bool) {
	conn, _ := r.Context().Value(connKey{}).(net.Conn)
	if v, ok := conn.(*visitor); ok {
		conn = v.Conn
	}
	uid, ok := peerUID(conn)
	if !ok {
		return messngr.Principal{}, false
	}
	return PrincipalOf(s.Accounts, uid), true
}

// PrincipalOf describes the user of this host with that id.
func PrincipalOf(accounts *account.Book, uid int) messngr.Principal {
	p := messngr.Principal{UID: uid, Login: strconv.Itoa(uid), Admin: uid == 0 || uid == os.Getuid()}
	if a, err := accounts.ByUID(uid); err == nil {
		p.Login, p.Admin = a.Login, p.Admin || accounts.InGroup(a, Group)
	}
	return p
}
