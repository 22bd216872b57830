package lock_test

import (
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"go.uber.org/goleak"

	"messngr/tray/lock"
	"messngr/tray/traytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// screen is a lock.Screen with the signals of both buses.
type screen struct {
	*lock.Screen
	t       *testing.T
	signals [2]chan *dbus.Signal
	names   [2]string // on the buses
}

func newScreen(t *testing.T, user, system, id string) *screen {
	t.Helper()
	s := &screen{t: t}
	var conns [2]*dbus.Conn
	for i, bus := range []string{user, system} {
		if bus != "" {
			conns[i] = traytest.Dial(t, bus)
			s.signals[i] = make(chan *dbus.Signal, 10)
			conns[i].Signal(s.signals[i])
			s.names[i] = conns[i].Names()[0]
		}
	}
	var err error
	if s.Screen, err = lock.New(t.Context(), conns[0], conns[1], id); err != nil {
		t.Fatal(err)
	}
	return s
}

// becomes waits until the screen is locked or not.
func (s *screen) becomes(locked bool) {
	s.t.Helper()
	deadline := time.After(5 * time.Second)
	for s.Locked() != locked {
		var sig *dbus.Signal
		select {
		case sig = <-s.signals[0]:
		case sig = <-s.signals[1]:
		case <-deadline:
			s.t.Fatalf("the screen does not become locked=%v", locked)
		}
		if changed := s.Signal(sig); changed != (s.Locked() == locked) {
			s.t.Errorf("Signal = %v, and the screen is locked: %v", changed, s.Locked())
		}
	}
}

func TestScreenSaver(t *testing.T) {
	bus := traytest.Bus(t)
	s := newScreen(t, bus, "", "")
	if s.Locked() {
		t.Error("locked without a screen saver")
	}
	saver := traytest.StartSaver(t, bus, false)
	saver.Lock(t, true)
	s.becomes(true)
	if again := newScreen(t, bus, "", ""); !again.Locked() {
		t.Error("a program that starts while the screen is locked does not know it")
	}
	saver.Lock(t, false)
	s.becomes(false)
	saver.Lock(t, true)
	s.becomes(true)
	saver.Stop() // it cannot lock any more
	s.becomes(false)
}

func TestLogind(t *testing.T) {
	user, system := traytest.Bus(t), traytest.Bus(t)
	logind := traytest.StartLogind(t, system, true)
	s := newScreen(t, user, system, "7")
	if !s.Locked() {
		t.Error("not locked at the beginning")
	}
	logind.Lock(t, false)
	s.becomes(false)
	// A service of the user is in no session, and finds the user's.
	s = newScreen(t, user, system, "")
	logind.Lock(t, true)
	s.becomes(true)
	// As long as one says so, it is.
	saver := traytest.StartSaver(t, user, false)
	saver.Lock(t, true)
	logind.Lock(t, false)
	saver.Lock(t, false)
	s.becomes(false)
}

func TestAMachineWithoutLogind(t *testing.T) {
	user, system := traytest.Bus(t), traytest.Bus(t)
	if s := newScreen(t, user, system, "7"); s.Locked() {
		t.Error("locked")
	}
}

// Everybody on the machine can send signals to everybody else: nobody but logind
// unlocks the screen.
func TestSomebodyElseOnTheMachine(t *testing.T) {
	user, system := traytest.Bus(t), traytest.Bus(t)
	logind := traytest.StartLogind(t, system, true)
	s := newScreen(t, user, system, "7")
	if !s.Locked() {
		t.Fatal("not locked at the beginning")
	}
	send := func(from *dbus.Conn, path dbus.ObjectPath, iface, member string, body ...any) {
		t.Helper()
		m := &dbus.Message{Type: dbus.TypeSignal, Body: body, Headers: map[dbus.HeaderField]dbus.Variant{
			dbus.FieldPath: dbus.MakeVariant(path), dbus.FieldInterface: dbus.MakeVariant(iface), dbus.FieldMember: dbus.MakeVariant(member),
			dbus.FieldDestination: dbus.MakeVariant(s.names[1]), dbus.FieldSignature: dbus.MakeVariant(dbus.SignatureOf(body...)),
		}}
		from.Send(m, nil)
	}
	other := traytest.Dial(t, system)
	forged := []struct {
		iface, member string
		body          []any
	}{
		{"org.freedesktop.DBus.Properties", "PropertiesChanged", []any{"org.freedesktop.login1.Session",
			map[string]dbus.Variant{"LockedHint": dbus.MakeVariant(false)}, []string{}}},
		{"org.freedesktop.DBus", "NameOwnerChanged", []any{"org.freedesktop.login1", ":1.0", other.Names()[0]}},
	}
	for _, f := range append(forged, forged[0]) {
		send(other, traytest.LogindSession, f.iface, f.member, f.body...)
		for came := ""; came != f.iface+"."+f.member; {
			select {
			case sig := <-s.signals[1]:
				came = sig.Name
				if s.Signal(sig) || !s.Locked() {
					t.Fatalf("%s of somebody else has unlocked the screen", sig.Name)
				}
			case <-time.After(5 * time.Second):
				t.Fatalf("%s does not arrive", f.member)
			}
		}
	}
	// A logind that starts anew is believed, and its end unlocks nothing.
	logind.Stop()
	logind = traytest.StartLogind(t, system, true)
	if !s.Locked() {
		t.Error("the screen is unlocked because logind has gone")
	}
	logind.Lock(t, false)
	s.becomes(false)
}
