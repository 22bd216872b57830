package session

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/user"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// Utmp lists the logins that a utmp file tells of: utmp(5). Terminal
// multiplexers and programs such as xterm announce their terminals there, also
// where logind counts the sessions.
type Utmp struct {
	// Path is the file; "" for the system's own.
	Path string
}

func (u Utmp) path() string {
	if u.Path != "" {
		return u.Path
	}
	return "/run/utmp"
}

// maxUtmp bounds what is read: more than ten thousand logins.
const maxUtmp = 4 << 20

// Sessions implements Lister. Entries of processes that have ended are stale
// and left out.
func (u Utmp) Sessions(context.Context) ([]Session, error) {
	f, err := os.Open(u.path())
	if err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxUtmp))
	if err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	usual := utmpRecord32
	if runtime.GOARCH == "arm64" {
		usual = utmpRecord64
	}
	var sessions []Session
	for _, e := range parseUtmp(b, utmpRecord(len(b), usual)) {
		if unix.Kill(e.pid, 0) == unix.ESRCH {
			continue
		}
		s := e.session()
		if account, err := user.Lookup(e.user); err == nil {
			if uid, err := strconv.Atoi(account.Uid); err == nil {
				s.UID = uid
			}
		}
		s.Active = lastInput(s.TTY)
		sessions = append(sessions, s)
	}
	return sessions, nil
}

// watch lets the kernel tell when the file is written.
func (u Utmp) watch(ctx context.Context, changed func()) error {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return fmt.Errorf("session: inotify: %w", err)
	}
	events := os.NewFile(uintptr(fd), "inotify")
	defer context.AfterFunc(ctx, func() { events.Close() })()
	defer events.Close()
	if _, err := unix.InotifyAddWatch(fd, u.path(), unix.IN_MODIFY); err != nil {
		return fmt.Errorf("session: watch %s: %w", u.path(), err)
	}
	changed()
	buf := make([]byte, 4096)
	for {
		if _, err := events.Read(buf); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("session: watch %s: %w", u.path(), err)
		}
		changed()
	}
}
