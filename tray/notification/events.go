package notification

import "github.com/godbus/dbus/v5"

// Event is something that happened to a notification: a Closed, Invoked,
// Replied or Restarted.
type Event interface{ event() }

// Reason says why a notification was closed (signal "NotificationClosed").
type Reason uint32

// The reasons.
const (
	Expired   Reason = 1
	Dismissed Reason = 2 // by a person
	Withdrawn Reason = 3 // by Daemon.Close
	Undefined Reason = 4
)

// Closed says that a notification is no longer on the screen.
type Closed struct {
	ID     uint32
	Reason Reason
}

// Invoked says that a person chose an action.
type Invoked struct {
	ID  uint32
	Key string
	// Token lets a program that is started now take the focus; "" if the daemon
	// gives none (xdg-activation).
	Token string
}

// Replied brings what a person wrote into the line of ActionReply.
type Replied struct {
	ID   uint32
	Text string
}

// Restarted says that the daemon has gone, or another has come, so that nothing
// that was shown before is on the screen and all ids are void.
type Restarted struct {
	// Present says that a daemon runs now. If none does, the next Show may
	// start one.
	Present bool
}

func (Closed) event()    {}
func (Invoked) event()   {}
func (Replied) event()   {}
func (Restarted) event() {}

// Signal turns a signal of the bus into an event; ok is false if it is none.
func (d *Daemon) Signal(s *dbus.Signal) (e Event, ok bool) {
	switch s.Name {
	case bus + ".NameOwnerChanged":
		if s.Sender == bus {
			return d.ownerChanged(s.Body)
		}
	case notifications + ".NotificationClosed":
		var c Closed
		ok = d.is(s) && dbus.Store(s.Body, &c.ID, (*uint32)(&c.Reason)) == nil
		return c, ok
	case notifications + ".ActionInvoked":
		i := Invoked{Token: d.token}
		d.token = ""
		ok = d.is(s) && dbus.Store(s.Body, &i.ID, &i.Key) == nil
		if i.Key == inlineReply {
			i.Key = ActionReply
		}
		return i, ok
	case notifications + ".ActivationToken":
		var id uint32 // of the ActionInvoked that follows
		if d.is(s) && dbus.Store(s.Body, &id, &d.token) != nil {
			d.token = ""
		}
	case notifications + ".NotificationReplied":
		var r Replied
		ok = d.is(s) && dbus.Store(s.Body, &r.ID, &r.Text) == nil
		return r, ok
	}
	return nil, false
}

// is reports whether a signal comes from the daemon, and not from another
// program that would like to press a button.
func (d *Daemon) is(s *dbus.Signal) bool { return d.owner != "" && s.Sender == d.owner }

func (d *Daemon) ownerChanged(body []any) (Event, bool) {
	var name, before, after string
	if dbus.Store(body, &name, &before, &after) != nil || name != service {
		return nil, false
	}
	// Abilities has heard of a daemon that it started before this signal came.
	known := after != "" && after == d.owner
	d.own(after)
	if known || before == "" && after == "" {
		return nil, false
	}
	return Restarted{Present: after != ""}, true
}
