package notification_test

import (
	"context"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"messngr/tray/notification"
	"messngr/tray/traytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// client is a client of the daemon on a bus, with its signals.
type client struct {
	*notification.Daemon
	t       *testing.T
	signals chan *dbus.Signal
}

func newClient(t *testing.T, bus string) *client {
	t.Helper()
	c := &client{t: t, signals: make(chan *dbus.Signal, 10)}
	conn := traytest.Dial(t, bus)
	conn.Signal(c.signals)
	var err error
	if c.Daemon, err = notification.New(t.Context(), conn, "Test"); err != nil {
		t.Fatal(err)
	}
	return c
}

// event waits for the next event.
func (c *client) event() notification.Event {
	c.t.Helper()
	for {
		select {
		case s := <-c.signals:
			if e, ok := c.Signal(s); ok {
				return e
			}
		case <-time.After(5 * time.Second):
			c.t.Fatal("no event came")
		}
	}
}

// none reads the signals of a while and fails if one of them is an event.
func (c *client) none() {
	c.t.Helper()
	for {
		select {
		case s := <-c.signals:
			if e, ok := c.Signal(s); ok {
				c.t.Errorf("event %+v", e)
			}
		case <-time.After(100 * time.Millisecond):
			return
		}
	}
}

func (c *client) show(n notification.Note, replaces uint32) uint32 {
	c.t.Helper()
	id, err := c.Show(c.t.Context(), n, replaces)
	if err != nil {
		c.t.Fatal(err)
	}
	return id
}

func TestHints(t *testing.T) {
	bus := traytest.Bus(t)
	daemon := traytest.StartDaemon(t, bus, traytest.Everything())
	c := newClient(t, bus)
	c.show(notification.Note{Summary: "S", Urgency: notification.Critical, Stays: true, Resident: true, Transient: true, Sound: "bell", Icon: "mail"}, 0)
	c.show(notification.Note{Summary: "S", Body: "B"}, 0)
	calls := daemon.Calls()
	want := []map[string]any{
		{"urgency": byte(2), "category": "im.received", "desktop-entry": "messngr", "sound-name": "bell", "resident": true, "transient": true},
		{"urgency": byte(0), "category": "im.received", "desktop-entry": "messngr", "suppress-sound": true},
	}
	for i, call := range calls {
		got := map[string]any{}
		for k, v := range call.Hints {
			got[k] = v.Value()
		}
		if diff := cmp.Diff(want[i], got); diff != "" {
			t.Errorf("%d: -want +got:\n%s", i, diff)
		}
	}
	if calls[0].App != "Test" || calls[0].Icon != "mail" || calls[0].Timeout != 0 || calls[1].Timeout != -1 {
		t.Errorf("%+v", calls)
	}
}

func TestEvents(t *testing.T) {
	bus := traytest.Bus(t)
	daemon := traytest.StartDaemon(t, bus, append(traytest.Everything(), "inline-reply"))
	c := newClient(t, bus)
	id := c.show(notification.Note{Summary: "S"}, 0)
	daemon.Invoke(id, "inline-reply", "token")
	expect := func(want notification.Event) {
		t.Helper()
		if diff := cmp.Diff(want, c.event()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
	expect(notification.Invoked{ID: id, Key: notification.ActionReply, Token: "token"})
	expect(notification.Closed{ID: id, Reason: notification.Dismissed})
	id = c.show(notification.Note{Summary: "S"}, 0)
	daemon.Invoke(id, "other", "")
	expect(notification.Invoked{ID: id, Key: "other"}) // the token was for the one before
	expect(notification.Closed{ID: id, Reason: notification.Dismissed})
	id = c.show(notification.Note{Summary: "S"}, 0)
	daemon.Reply(id, "yes")
	expect(notification.Replied{ID: id, Text: "yes"})
	expect(notification.Closed{ID: id, Reason: notification.Dismissed})
	id = c.show(notification.Note{Summary: "S"}, 0)
	c.Close(t.Context(), id)
	expect(notification.Closed{ID: id, Reason: notification.Withdrawn})
	id = c.show(notification.Note{Summary: "S"}, 0)
	daemon.Expire(id)
	expect(notification.Closed{ID: id, Reason: notification.Expired})
	c.none()
}

// A program of the session that is not the daemon presses no buttons.
func TestSignalsOfOthers(t *testing.T) {
	bus := traytest.Bus(t)
	traytest.StartDaemon(t, bus, traytest.Everything())
	c := newClient(t, bus)
	id := c.show(notification.Note{Summary: "S"}, 0)
	other := traytest.Dial(t, bus)
	for signal, args := range map[string][]any{
		"ActionInvoked": {id, "acknowledge"}, "NotificationClosed": {id, uint32(2)},
		"NotificationReplied": {id, "yes"}, "ActivationToken": {id, "token"},
	} {
		if err := other.Emit("/org/freedesktop/Notifications", "org.freedesktop.Notifications."+signal, args...); err != nil {
			t.Fatal(err)
		}
	}
	c.none()
}

// Signals with other content than the specification's are no events.
func TestBrokenSignals(t *testing.T) {
	bus := traytest.Bus(t)
	conn := traytest.Dial(t, bus)
	if _, err := conn.RequestName("org.freedesktop.Notifications", 0); err != nil {
		t.Fatal(err)
	}
	c := newClient(t, bus)
	for signal, args := range map[string][]any{
		"ActionInvoked": {"7", "acknowledge"}, "NotificationClosed": {uint32(7)}, "NotificationReplied": {uint32(7), true},
		"ActivationToken": {"x"}, "Unknown": {},
	} {
		if err := conn.Emit("/org/freedesktop/Notifications", "org.freedesktop.Notifications."+signal, args...); err != nil {
			t.Fatal(err)
		}
	}
	c.none()
}

func TestDaemonsThatComeAndGo(t *testing.T) {
	bus := traytest.Bus(t)
	c := newClient(t, bus)
	if _, err := c.Show(t.Context(), notification.Note{Summary: "S"}, 0); err == nil {
		t.Error("nobody showed it, without an error")
	}
	daemon := traytest.StartDaemon(t, bus, []string{"body"})
	if e := c.event(); e != (notification.Restarted{Present: true}) {
		t.Errorf("%+v", e)
	}
	if a, err := c.Abilities(t.Context()); err != nil || a != (notification.Abilities{Body: true}) {
		t.Errorf("%+v, %v", a, err)
	}
	c.none() // that it is there is known
	daemon.Stop()
	if e := c.event(); e != (notification.Restarted{}) {
		t.Errorf("%+v", e)
	}
	traytest.StartDaemon(t, bus, traytest.Everything())
	if e := c.event(); e != (notification.Restarted{Present: true}) {
		t.Errorf("%+v", e)
	}
	want := notification.Abilities{Actions: true, Body: true, Markup: true, Persistence: true, Sound: true}
	if a, err := c.Abilities(t.Context()); err != nil || a != want {
		t.Errorf("%+v, %v", a, err)
	}
	// A client that comes later finds it.
	newClient(t, bus).show(notification.Note{Summary: "S"}, 0)
}

func TestRefusal(t *testing.T) {
	bus := traytest.Bus(t)
	daemon := traytest.StartDaemon(t, bus, traytest.Everything())
	c := newClient(t, bus)
	daemon.Refuse(dbus.NewError("org.freedesktop.DBus.Error.LimitsExceeded", []any{"no more"}))
	if id, err := c.Show(t.Context(), notification.Note{Summary: "S"}, 0); err == nil || id != 0 {
		t.Errorf("Show = %d, %v", id, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Show(ctx, notification.Note{Summary: "S"}, 0); err == nil {
		t.Error("Show succeeds when its context has ended")
	}
}

// A daemon that closes without taking anything off the screen gets a short time
// for it first.
func TestALingeringDaemon(t *testing.T) {
	bus := traytest.Bus(t)
	daemon := traytest.StartDaemon(t, bus, traytest.Everything())
	daemon.Call("Notification Daemon")
	c := newClient(t, bus)
	a, b := c.show(notification.Note{Summary: "secret"}, 0), c.show(notification.Note{Summary: "S"}, 0)
	c.Close(t.Context(), a, b)
	calls := daemon.Calls()[2:]
	if len(calls) != 2 || calls[0].Replaces != a || calls[0].Timeout != 1 || calls[0].Summary == "secret" || calls[1].Replaces != b {
		t.Errorf("%+v", calls)
	}
	if diff := cmp.Diff([]uint32{a, b}, daemon.Closes()); diff != "" {
		t.Errorf("closed, -want +got:\n%s", diff)
	}
}
