// Package lock knows whether the screen of a desktop session is locked: from
// logind, and from the screen savers that tell the session's bus.
package lock

import (
	"context"
	"os"
	"slices"

	"github.com/godbus/dbus/v5"
)

const (
	bus            = "org.freedesktop.DBus"
	login1         = "org.freedesktop.login1"
	login1Manager  = "org.freedesktop.login1.Manager"
	login1Session  = "org.freedesktop.login1.Session"
	login1Path     = dbus.ObjectPath("/org/freedesktop/login1")
	properties     = "org.freedesktop.DBus.Properties"
	lockedProperty = "LockedHint"
)

// saver is a screen saver: the name of its service and of its interface, and
// where its object is.
type saver struct {
	name string
	path dbus.ObjectPath
}

// savers lists the screen savers that announce ActiveChanged.
func savers() []saver {
	return []saver{
		{"org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver"},
		{"org.gnome.ScreenSaver", "/org/gnome/ScreenSaver"},
		{"org.mate.ScreenSaver", "/org/mate/ScreenSaver"},
		{"org.cinnamon.ScreenSaver", "/org/cinnamon/ScreenSaver"},
		{"org.xfce.ScreenSaver", "/org/xfce/ScreenSaver"},
	}
}

// Screen is the screen of the session. Its methods may be called by one
// goroutine at a time.
type Screen struct {
	user    *dbus.Conn
	locked  map[string]bool // by who says so
	session dbus.ObjectPath // of logind; "" if it does not know us
	logind  string          // logind's connection to the machine's bus; "" while it has none
}

// New watches the screen. The user's bus is the one of the desktop session, and
// system that of the machine, or nil if there is none; the signals of both have
// to be handed to Signal from now on. With an id logind is asked for that
// session ($XDG_SESSION_ID), otherwise for the one that the program is in.
func New(ctx context.Context, user, system *dbus.Conn, id string) (*Screen, error) {
	s := &Screen{user: user, locked: make(map[string]bool)}
	if err := s.watchSavers(ctx, user); err != nil {
		return nil, err
	}
	if system != nil {
		// A machine without logind has no session to ask for.
		_ = s.watchSession(ctx, system, id)
	}
	return s, nil
}

func (s *Screen) watchSavers(ctx context.Context, user *dbus.Conn) error {
	for _, v := range savers() {
		if err := user.AddMatchSignalContext(ctx, dbus.WithMatchInterface(v.name), dbus.WithMatchMember("ActiveChanged")); err != nil {
			return err
		}
		err := user.AddMatchSignalContext(ctx, dbus.WithMatchSender(bus), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, v.name))
		if err != nil {
			return err
		}
		// Not to be started for us: a saver that does not run locks nothing.
		var active bool
		err = user.Object(v.name, v.path).CallWithContext(ctx, v.name+".GetActive", dbus.FlagNoAutoStart).Store(&active)
		if err == nil && active {
			s.locked[v.name] = true
		}
	}
	return nil
}

func (s *Screen) watchSession(ctx context.Context, system *dbus.Conn, id string) error {
	// Everybody on the machine can send signals to everybody else there, so it
	// matters who has sent one.
	err := system.AddMatchSignalContext(ctx, dbus.WithMatchSender(bus), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, login1))
	if err != nil {
		return err
	}
	if err := system.BusObject().CallWithContext(ctx, bus+".GetNameOwner", 0, login1).Store(&s.logind); err != nil {
		return err
	}
	manager := system.Object(login1, login1Path)
	call := manager.CallWithContext(ctx, login1Manager+".GetSession", dbus.FlagNoAutoStart, id)
	if id == "" {
		call = manager.CallWithContext(ctx, login1Manager+".GetSessionByPID", dbus.FlagNoAutoStart, uint32(os.Getpid()))
	}
	err = call.Store(&s.session)
	if err != nil { // as for a service of the user, which is in no session
		err = manager.CallWithContext(ctx, login1Manager+".GetSession", dbus.FlagNoAutoStart, "auto").Store(&s.session)
	}
	if err != nil {
		return err
	}
	err = system.AddMatchSignalContext(ctx, dbus.WithMatchSender(login1), dbus.WithMatchInterface(properties), dbus.WithMatchObjectPath(s.session), dbus.WithMatchMember("PropertiesChanged"))
	if err != nil {
		return err
	}
	var locked dbus.Variant
	err = system.Object(login1, s.session).CallWithContext(ctx, properties+".Get", dbus.FlagNoAutoStart, login1Session, lockedProperty).Store(&locked)
	if on, ok := locked.Value().(bool); err == nil && ok && on {
		s.locked[login1] = true
	}
	return err
}

// Locked reports whether the screen is locked: somebody says so.
func (s *Screen) Locked() bool { return len(s.locked) > 0 }

// Wake asks the screen savers to show the screen again that they have made dark.
// A locked one stays locked.
func (s *Screen) Wake(ctx context.Context) {
	const quietly = dbus.FlagNoAutoStart | dbus.FlagNoReplyExpected
	for _, v := range savers() {
		// Those that do not run, or know no such method, keep nothing dark for us.
		s.user.Object(v.name, v.path).GoWithContext(ctx, v.name+".SimulateUserActivity", quietly, nil)
	}
}

// Signal takes a signal of one of the buses, and reports whether it changed
// anything.
func (s *Screen) Signal(sig *dbus.Signal) (changed bool) {
	before := s.Locked()
	switch {
	case sig.Name == properties+".PropertiesChanged":
		if s.session == "" || sig.Path != s.session || s.logind == "" || sig.Sender != s.logind {
			break
		}
		var name string
		var values map[string]dbus.Variant
		var gone []string
		if dbus.Store(sig.Body, &name, &values, &gone) == nil && name == login1Session {
			if on, ok := values[lockedProperty].Value().(bool); ok {
				s.set(login1, on)
			}
		}
	case sig.Name == bus+".NameOwnerChanged" && sig.Sender == bus:
		var name, old, owner string
		switch err := dbus.Store(sig.Body, &name, &old, &owner); {
		case err != nil:
		case name == login1:
			s.logind = owner // one that starts anew leaves the screen as it is
		case owner == "":
			s.set(name, false) // a saver that has gone locks nothing
		}
	default:
		isActive := func(v saver) bool { return sig.Name == v.name+".ActiveChanged" }
		if i := slices.IndexFunc(savers(), isActive); i >= 0 {
			var on bool
			if dbus.Store(sig.Body, &on) == nil {
				s.set(savers()[i].name, on)
			}
		}
	}
	return before != s.Locked()
}

func (s *Screen) set(source string, on bool) {
	if on {
		s.locked[source] = true
	} else {
		delete(s.locked, source)
	}
}
