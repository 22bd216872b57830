package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

// Logind lists the sessions that systemd-logind, or elogind, counts:
// org.freedesktop.login1(5).
type Logind struct {
	// Address is where the D-Bus system bus listens; "" for the system's own.
	Address string
}

const (
	login1        = "org.freedesktop.login1"
	login1Manager = login1 + ".Manager"
	login1Session = login1 + ".Session"
	login1Path    = "/org/freedesktop/login1"
)

// busTimeout is how long the bus may take to answer.
const busTimeout = 5 * time.Second

func (l Logind) dial(ctx context.Context) (*dbus.Conn, error) {
	address := l.Address
	if address == "" {
		address = os.Getenv("DBUS_SYSTEM_BUS_ADDRESS")
	}
	if address == "" {
		address = "unix:path=/run/dbus/system_bus_socket"
	}
	conn, err := dbus.Connect(address, dbus.WithContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("session: system bus: %w", err)
	}
	return conn, nil
}

// Sessions implements Lister. Only sessions of people count: not those of
// login screens, lock screens and time-tabled jobs, nor those that are ending.
func (l Logind) Sessions(ctx context.Context) ([]Session, error) {
	ctx, cancel := context.WithTimeout(ctx, busTimeout)
	defer cancel()
	conn, err := l.dial(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	var list []struct {
		ID   string
		UID  uint32
		User string
		Seat string
		Path dbus.ObjectPath
	}
	// Not to be started for us: if it does not run it has no sessions.
	err = conn.Object(login1, login1Path).
		CallWithContext(ctx, login1Manager+".ListSessions", dbus.FlagNoAutoStart).Store(&list)
	if err != nil {
		return nil, fmt.Errorf("session: logind: %w", unavailable(err))
	}
	var sessions []Session
	for _, s := range list {
		var properties map[string]dbus.Variant
		err := conn.Object(login1, s.Path).
			CallWithContext(ctx, "org.freedesktop.DBus.Properties.GetAll", dbus.FlagNoAutoStart, login1Session).
			Store(&properties)
		var gone dbus.Error
		if errors.As(err, &gone) { // it has ended since it was listed
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("session: logind: session %q: %w", s.ID, err)
		}
		if found, ok := fromLogind(s.ID, s.User, s.UID, properties); ok {
			sessions = append(sessions, found)
		}
	}
	return sessions, nil
}

// unavailable makes the bus's ways to say that there is no logind fs.ErrNotExist.
func unavailable(err error) error {
	var e dbus.Error
	if errors.As(err, &e) && (e.Name == "org.freedesktop.DBus.Error.NameHasNoOwner" ||
		e.Name == "org.freedesktop.DBus.Error.ServiceUnknown") {
		return fmt.Errorf("%w: %s", fs.ErrNotExist, e.Name)
	}
	return err
}

// fromLogind reads the properties of a session; ok is false if it is not a
// person's, or not an open one.
func fromLogind(id, user string, uid uint32, properties map[string]dbus.Variant) (s Session, ok bool) {
	text := func(name string) string {
		v, _ := properties[name].Value().(string)
		return printable(v)
	}
	// "user", and since systemd 256 "user-early" and "user-light".
	if !strings.HasPrefix(text("Class"), "user") || text("State") == "closing" || printable(user) == "" {
		return Session{}, false
	}
	s = Session{
		ID:      printable(id),
		User:    user,
		UID:     int(uid),
		TTY:     terminal(text("TTY")),
		Display: text("Display"),
		Remote:  text("RemoteHost"),
	}
	if µs, ok := properties["Timestamp"].Value().(uint64); ok && µs > 0 {
		s.Since = time.UnixMicro(int64(µs))
	}
	if leader, ok := properties["Leader"].Value().(uint32); ok && s.TTY == "" && text("Type") == "tty" {
		s.TTY = terminalOf("/proc", int(leader))
	}
	s.Active = lastInput(s.TTY)
	return s, true
}

// watch listens to logind's signals.
func (l Logind) watch(ctx context.Context, changed func()) error {
	conn, err := l.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	signals := make(chan *dbus.Signal, 16)
	conn.Signal(signals)
	// Everybody on the machine can send signals that look like logind's.
	if err := conn.AddMatchSignalContext(ctx, dbus.WithMatchSender(login1), dbus.WithMatchInterface(login1Manager), dbus.WithMatchObjectPath(login1Path)); err != nil {
		return fmt.Errorf("session: logind: %w", err)
	}
	changed()
	for {
		select {
		case <-ctx.Done():
			return nil
		case signal, ok := <-signals:
			if !ok {
				return errors.New("session: the system bus went away")
			}
			if signal.Name == login1Manager+".SessionNew" || signal.Name == login1Manager+".SessionRemoved" {
				changed()
			}
		}
	}
}
