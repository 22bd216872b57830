package traytest

import (
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"
)

// Host is a made-up tray: it takes icons, and acts as the person who clicks.
type Host struct {
	conn *dbus.Conn

	mu    sync.Mutex
	items []string
	came  chan string
}

const (
	watcher = "org.kde.StatusNotifierWatcher"
	item    = "org.kde.StatusNotifierItem"
	menu    = "com.canonical.dbusmenu"
)

// StartHost starts a tray on a bus.
func StartHost(t testing.TB, address string) *Host {
	t.Helper()
	h := &Host{conn: Dial(t, address), came: make(chan string, 10)}
	if err := h.conn.Export(&hostMethods{h}, "/StatusNotifierWatcher", watcher); err != nil {
		t.Fatal(err)
	}
	if _, err := h.conn.RequestName(watcher, dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	return h
}

// Stop ends the tray.
func (h *Host) Stop() { h.conn.Close() }

type hostMethods struct{ h *Host }

// RegisterStatusNotifierItem takes an icon.
func (m *hostMethods) RegisterStatusNotifierItem(name string) *dbus.Error {
	m.h.mu.Lock()
	defer m.h.mu.Unlock()
	m.h.items = append(m.h.items, name)
	m.h.came <- name
	return nil
}

// Item waits for the next icon and returns its name on the bus.
func (h *Host) Item() string { return <-h.came }

// Property reads a property of an icon.
func (h *Host) Property(name, property string) (any, error) {
	var v dbus.Variant
	err := h.conn.Object(name, "/StatusNotifierItem").Call("org.freedesktop.DBus.Properties.Get", 0, item, property).Store(&v)
	return v.Value(), err
}

// Activate clicks on an icon.
func (h *Host) Activate(name string) error {
	return h.conn.Object(name, "/StatusNotifierItem").Call(item+".Activate", 0, int32(0), int32(0)).Err
}

// Line is a line of an icon's menu.
type Line struct {
	ID         int32
	Properties map[string]dbus.Variant
	Children   []dbus.Variant
}

// Menu reads the lines of an icon's menu.
func (h *Host) Menu(name string) ([]Line, error) {
	var revision uint32
	var root Line
	if err := h.conn.Object(name, "/MenuBar").Call(menu+".GetLayout", 0, int32(0), int32(-1), []string{}).Store(&revision, &root); err != nil {
		return nil, err
	}
	var lines []Line
	for _, child := range root.Children {
		var l Line
		if err := dbus.Store([]any{child.Value()}, &l); err != nil {
			return nil, err
		}
		lines = append(lines, l)
	}
	return lines, nil
}

// Choose clicks on the line of the menu with that label.
func (h *Host) Choose(name, label string) (bool, error) {
	lines, err := h.Menu(name)
	if err != nil {
		return false, err
	}
	for _, l := range lines {
		if l.Properties["label"].Value() == label {
			return true, h.conn.Object(name, "/MenuBar").Call(menu+".Event", 0, l.ID, "clicked", dbus.MakeVariant(""), uint32(0)).Err
		}
	}
	return false, nil
}

// Saver is a made-up screen saver.
type Saver struct {
	conn *dbus.Conn

	mu     sync.Mutex
	active bool
	woken  int
}

const saver = "org.freedesktop.ScreenSaver"

// StartSaver starts a screen saver on a bus.
func StartSaver(t testing.TB, address string, active bool) *Saver {
	t.Helper()
	s := &Saver{conn: Dial(t, address), active: active}
	if err := s.conn.Export(&saverMethods{s}, "/org/freedesktop/ScreenSaver", saver); err != nil {
		t.Fatal(err)
	}
	if _, err := s.conn.RequestName(saver, dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	return s
}

type saverMethods struct{ s *Saver }

// GetActive says whether the screen is locked.
func (m *saverMethods) GetActive() (bool, *dbus.Error) {
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	return m.s.active, nil
}

// SimulateUserActivity shows the screen.
func (m *saverMethods) SimulateUserActivity() *dbus.Error {
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	m.s.woken++
	return nil
}

// Woken is how often the screen was to be shown.
func (s *Saver) Woken() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.woken
}

// Lock locks the screen, or unlocks it.
func (s *Saver) Lock(t testing.TB, on bool) {
	t.Helper()
	s.mu.Lock()
	s.active = on
	s.mu.Unlock()
	if err := s.conn.Emit("/org/freedesktop/ScreenSaver", saver+".ActiveChanged", on); err != nil {
		t.Fatal(err)
	}
}

// Stop ends the screen saver.
func (s *Saver) Stop() { s.conn.Close() }

// StartLogind starts a made-up logind on a bus that stands for the machine's,
// with one session.
func StartLogind(t testing.TB, address string, locked bool) *Logind {
	t.Helper()
	l := &Logind{conn: Dial(t, address), locked: locked}
	if err := l.conn.Export(&logindManager{}, "/org/freedesktop/login1", "org.freedesktop.login1.Manager"); err != nil {
		t.Fatal(err)
	}
	if err := l.conn.Export(&logindSession{l}, LogindSession, "org.freedesktop.DBus.Properties"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.conn.RequestName("org.freedesktop.login1", dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	return l
}

// LogindSession is the session that a Logind has.
const LogindSession = dbus.ObjectPath("/org/freedesktop/login1/session/_37")

// Logind is a made-up logind.
type Logind struct {
	conn *dbus.Conn

	mu     sync.Mutex
	locked bool
}

type logindManager struct{}

// GetSession finds the session by its id, or of a program that is in none.
func (*logindManager) GetSession(id string) (dbus.ObjectPath, *dbus.Error) {
	if id != "7" && id != "auto" {
		return "", dbus.NewError("org.freedesktop.login1.NoSuchSession", nil)
	}
	return LogindSession, nil
}

// GetSessionByPID knows no process.
func (*logindManager) GetSessionByPID(uint32) (dbus.ObjectPath, *dbus.Error) {
	return "", dbus.NewError("org.freedesktop.login1.NoSessionForPID", nil)
}

type logindSession struct{ l *Logind }

// Get returns the property LockedHint, whatever is asked for.
func (s *logindSession) Get(string, string) (dbus.Variant, *dbus.Error) {
	s.l.mu.Lock()
	defer s.l.mu.Unlock()
	return dbus.MakeVariant(s.l.locked), nil
}

// Stop ends it.
func (l *Logind) Stop() { l.conn.Close() }

// Lock changes the property LockedHint.
func (l *Logind) Lock(t testing.TB, on bool) {
	t.Helper()
	l.mu.Lock()
	l.locked = on
	l.mu.Unlock()
	err := l.conn.Emit(LogindSession, "org.freedesktop.DBus.Properties.PropertiesChanged", "org.freedesktop.login1.Session",
		map[string]dbus.Variant{"LockedHint": dbus.MakeVariant(on)}, []string{})
	if err != nil {
		t.Fatal(err)
	}
}
