package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"messngr"
)

// Group is the group whose members administer the service.
const Group = "messngr"

// Listen opens the service's socket. A socket that a dead service left behind
// is removed; one that answers is an error. Everybody on this host may connect:
// who they are decides what they may do.
func Listen(ctx context.Context, path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
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
		return nil, err
	}
	if err := os.Chmod(path, 0o666); err != nil {
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
	if conn, err := d.DialContext(ctx, "unix", path); err == nil {
		_ = conn.Close()
		return fmt.Errorf("another messngr is running on %s", path)
	}
	return os.Remove(path)
}

type connKey struct{}

// Serve serves the API on l until ctx ends.
func (s *Service) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler:           s.Handler(PeerCredentials),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		},
	}
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if srv.Shutdown(grace) != nil {
			_ = srv.Close()
		}
	})
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// PeerCredentials authenticates whoever is at the other end of a unix socket by
// the word of the kernel.
func PeerCredentials(r *http.Request) (messngr.Principal, bool) {
	conn, _ := r.Context().Value(connKey{}).(net.Conn)
	uid, ok := peerUID(conn)
	if !ok {
		return messngr.Principal{}, false
	}
	return principal(uid), true
}

// principal describes the user with that id.
func principal(uid int) messngr.Principal {
	p := messngr.Principal{UID: uid, Login: strconv.Itoa(uid), Admin: uid == 0 || uid == os.Getuid()}
	u, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return p
	}
	p.Login = u.Username
	if p.Admin {
		return p
	}
	group, err := user.LookupGroup(Group)
	if err != nil {
		return p
	}
	if ids, err := u.GroupIds(); err == nil {
		p.Admin = slices.Contains(ids, group.Gid)
	}
	return p
}
