package traytest

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	service = "org.freedesktop.Notifications"
	path    = dbus.ObjectPath("/org/freedesktop/Notifications")
)

// Everything is what a daemon can do that can do everything.
func Everything() []string {
	return []string{"actions", "body", "body-markup", "persistence", "sound"}
}

// Note is one call of Notify.
type Note struct {
	ID, Replaces             uint32
	App, Icon, Summary, Body string
	Actions                  []string // keys and labels in turn
	Hints                    map[string]dbus.Variant
	Timeout                  int32
	At                       time.Time
}

// Urgency is the hint of that name; -1 if there is none.
func (n *Note) Urgency() int {
	if u, ok := n.Hints["urgency"].Value().(byte); ok {
		return int(u)
	}
	return -1
}

// Keys are the keys of the actions.
func (n *Note) Keys() []string {
	var keys []string
	for i := 0; i < len(n.Actions); i += 2 {
		keys = append(keys, n.Actions[i])
	}
	return keys
}

// Daemon is a made-up notification daemon. What it is told to show stays on the
// screen until somebody takes it away.
type Daemon struct {
	t    testing.TB
	conn *dbus.Conn

	mu     sync.Mutex
	name   string
	able   []string
	refuse *dbus.Error
	merges bool
	held   chan struct{} // closed when Notify may go on; nil: it may
	closes []uint32      // what was asked to be closed
	last   uint32
	calls  []Note
	screen map[uint32]Note
	news   chan struct{} // closed and replaced when something changes
}

// StartDaemon starts a daemon with those capabilities on a bus.
func StartDaemon(t testing.TB, address string, capabilities []string) *Daemon {
	t.Helper()
	d := &Daemon{t: t, conn: Dial(t, address), name: "traytest", able: capabilities, screen: make(map[uint32]Note), news: make(chan struct{})}
	if err := d.conn.Export(&methods{d}, path, service); err != nil {
		t.Fatal(err)
	}
	if reply, err := d.conn.RequestName(service, dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("the name of the notification daemon: %v, %v", reply, err)
	}
	return d
}

// Stop ends the daemon, and with it everything that it shows.
func (d *Daemon) Stop() { d.conn.Close() }

// Refuse makes every Notify fail with err, or succeed again for nil.
func (d *Daemon) Refuse(err *dbus.Error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refuse = err
}

// Hold makes every Notify wait until release is called.
func (d *Daemon) Hold() (release func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held = make(chan struct{})
	return sync.OnceFunc(func() { close(d.held) })
}

// Merge makes the daemon show what has the same texts in one place.
func (d *Daemon) Merge() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.merges = true
}

// Call makes the daemon say that it is called so.
func (d *Daemon) Call(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.name = name
}

// Closes are the ids that were asked to be closed so far.
func (d *Daemon) Closes() []uint32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.closes)
}

// methods are what the bus calls.
type methods struct{ d *Daemon }

// Notify shows something.
func (m *methods) Notify(app string, replaces uint32, icon, summary, body string, actions []string, hints map[string]dbus.Variant, timeout int32) (uint32, *dbus.Error) {
	d := m.d
	d.mu.Lock()
	held := d.held
	d.mu.Unlock()
	if held != nil {
		<-held
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refuse != nil {
		return 0, d.refuse
	}
	id := replaces
	for _, n := range d.screen {
		if d.merges && n.Summary == summary && n.Body == body {
			id = n.ID
		}
	}
	if _, there := d.screen[id]; !there {
		d.last++
		id = d.last
	}
	n := Note{ID: id, Replaces: replaces, App: app, Icon: icon, Summary: summary, Body: body, Actions: actions, Hints: hints, Timeout: timeout, At: time.Now()}
	d.calls = append(d.calls, n)
	d.screen[id] = n
	d.changed()
	return id, nil
}

// CloseNotification takes it away.
func (m *methods) CloseNotification(id uint32) *dbus.Error {
	m.d.mu.Lock()
	m.d.closes = append(m.d.closes, id)
	m.d.mu.Unlock()
	m.d.close(id, 3)
	return nil
}

// GetCapabilities says what the daemon can do.
func (m *methods) GetCapabilities() ([]string, *dbus.Error) { return m.d.able, nil }

// GetServerInformation says who it is.
func (m *methods) GetServerInformation() (name, vendor, version, spec string, err *dbus.Error) {
	m.d.mu.Lock()
	defer m.d.mu.Unlock()
	return m.d.name, "messngr", "1", "1.2", nil
}

func (d *Daemon) changed() {
	close(d.news)
	d.news = make(chan struct{})
}

func (d *Daemon) close(id, reason uint32) {
	d.mu.Lock()
	_, there := d.screen[id]
	delete(d.screen, id)
	d.changed()
	d.mu.Unlock()
	if there {
		d.emit("NotificationClosed", id, reason)
	}
}

func (d *Daemon) emit(signal string, args ...any) {
	// A daemon that has been stopped tells nobody.
	if err := d.conn.Emit(path, service+"."+signal, args...); err != nil && !errors.Is(err, dbus.ErrClosed) {
		d.t.Error(err)
	}
}

// Dismiss is a person who puts a notification away, Expire the daemon that does.
func (d *Daemon) Dismiss(id uint32) { d.close(id, 2) }

// Expire is the daemon that takes a notification away by itself.
func (d *Daemon) Expire(id uint32) { d.close(id, 1) }

// Invoke is a person who presses a button, after which the notification goes.
func (d *Daemon) Invoke(id uint32, key, token string) {
	if token != "" {
		d.emit("ActivationToken", id, token)
	}
	d.emit("ActionInvoked", id, key)
	d.close(id, 2)
}

// Reply is a person who writes an answer into the notification.
func (d *Daemon) Reply(id uint32, text string) {
	d.emit("NotificationReplied", id, text)
	d.close(id, 2)
}

// Calls are all calls of Notify so far.
func (d *Daemon) Calls() []Note {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.calls)
}

// Screen is what is shown, in the order of the ids.
func (d *Daemon) Screen() []Note {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []Note
	for _, n := range d.screen {
		list = append(list, n)
	}
	slices.SortFunc(list, func(a, b Note) int { return int(a.ID) - int(b.ID) })
	return list
}

// Await waits until what is shown satisfies ok, and returns it. After ten
// seconds the test fails.
func (d *Daemon) Await(what string, ok func(screen []Note) bool) []Note {
	d.t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		d.mu.Lock()
		news := d.news
		d.mu.Unlock()
		screen := d.Screen()
		if ok(screen) {
			return screen
		}
		select {
		case <-news:
		case <-deadline:
			d.t.Fatalf("%s: the screen shows %d notifications: %+v", what, len(screen), screen)
		}
	}
}

// AwaitCount waits until so many notifications are shown.
func (d *Daemon) AwaitCount(n int) []Note {
	d.t.Helper()
	return d.Await("a number of notifications", func(screen []Note) bool { return len(screen) == n })
}
