// Package notification asks the notification daemon of a desktop session to
// show something (Desktop Notifications Specification 1.2), whatever the daemon
// can or cannot do, and hears what people do with it.
package notification

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	service       = "org.freedesktop.Notifications"
	path          = dbus.ObjectPath("/org/freedesktop/Notifications")
	notifications = "org.freedesktop.Notifications"
	bus           = "org.freedesktop.DBus"
)

// callTime bounds one call. The first one may have to wait until the daemon
// has been started.
const callTime = 5 * time.Second

// notification-daemon 3.20 tells that it has closed a notification that it
// shows, and leaves it on the screen all the same until its time ends. So it
// gets a short time first, and an end besides in case that it waits for others
// to be shown.
const (
	lingerer   = "Notification Daemon"
	lingerTime = 50 * time.Millisecond
)

// Urgency says how a notification is to be treated (section "Urgency Levels").
type Urgency byte

// The urgencies. A critical notification stays until somebody closes it.
const (
	Low Urgency = iota
	Normal
	Critical
)

// ActionDefault is the key of the action of a click on the notification itself.
const ActionDefault = "default"

// ActionReply is the key of the action to answer. Daemons that know how give it
// a line to write in, and the answer comes as a Replied event; on all others it
// is a button like any.
const ActionReply = "reply"

// inlineReply is how those daemons call it.
const inlineReply = "inline-reply"

// Action is a button.
type Action struct {
	Key   string // told by the Invoked event
	Label string
}

// Note is what is to be shown.
type Note struct {
	// Summary is one line, and Body is what stands below. Both are plain text:
	// nothing in them is taken for markup.
	Summary, Body string
	Urgency       Urgency
	// Actions are left out where the daemon has none.
	Actions []Action
	// Icon is the name of an icon of the theme.
	Icon string
	// Sound is a name of the sound theme that the daemon shall play; "" for none.
	Sound string
	// Stays keeps it until somebody closes it; otherwise the daemon decides.
	Stays bool
	// Resident keeps it when an action has been invoked.
	Resident bool
	// Transient keeps it out of the daemon's history.
	Transient bool
}

// Abilities is what a daemon can do.
type Abilities struct {
	// Actions, Body, Markup, Persistence, Reply and Sound are its capabilities
	// "actions", "body", "body-markup", "persistence", "inline-reply" and
	// "sound".
	Actions, Body, Markup, Persistence, Reply, Sound bool
}

// Daemon is the notification daemon of a session. Its methods may be called by
// one goroutine at a time.
type Daemon struct {
	conn *dbus.Conn
	app  string
	// owner is the daemon's connection; "" while there is none.
	owner     string
	abilities *Abilities // of the owner; nil: not asked yet
	lingers   bool       // the owner is a lingerer
	token     string     // for the program that the next action starts
}

// New returns the daemon that is reached over conn. The signals of conn have to
// be handed to Signal from now on. The app is shown by daemons as the source.
func New(ctx context.Context, conn *dbus.Conn, app string) (*Daemon, error) {
	d := &Daemon{conn: conn, app: app}
	for _, match := range [][]dbus.MatchOption{
		{dbus.WithMatchInterface(notifications), dbus.WithMatchObjectPath(path)},
		{dbus.WithMatchSender(bus), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, service)},
	} {
		if err := conn.AddMatchSignalContext(ctx, match...); err != nil {
			return nil, fmt.Errorf("notification: %w", err)
		}
	}
	d.findOwner(ctx)
	return d, nil
}

// findOwner asks who the daemon is. Nobody may be: it is started when needed.
func (d *Daemon) findOwner(ctx context.Context) {
	var owner string
	if d.conn.BusObject().CallWithContext(ctx, bus+".GetNameOwner", 0, service).Store(&owner) == nil {
		d.own(owner)
	}
}

func (d *Daemon) own(owner string) {
	if owner != d.owner {
		d.owner, d.abilities, d.lingers = owner, nil, false
	}
}

// Abilities asks what the daemon can do, once for each daemon.
func (d *Daemon) Abilities(ctx context.Context) (Abilities, error) {
	if d.abilities != nil {
		return *d.abilities, nil
	}
	var list []string
	if err := d.call(ctx, "GetCapabilities").Store(&list); err != nil {
		return Abilities{}, fmt.Errorf("notification: %w", err)
	}
	has := func(name string) bool { return slices.Contains(list, name) }
	a := Abilities{
		Actions: has("actions"), Body: has("body"), Markup: has("body-markup"),
		Persistence: has("persistence"), Reply: has(inlineReply), Sound: has("sound"),
	}
	d.findOwner(ctx) // the call may have started it
	var name, vendor, version, spec string
	err := d.call(ctx, "GetServerInformation").Store(&name, &vendor, &version, &spec)
	d.abilities, d.lingers = &a, err == nil && name == lingerer
	return a, nil
}

// Show shows n, in the place of the notification replaces unless that is 0, and
// returns the id that its events will have. If that one is gone already it is
// shown anew. An error says that the daemon did not take it, or is not there.
func (d *Daemon) Show(ctx context.Context, n Note, replaces uint32) (id uint32, err error) {
	able, err := d.Abilities(ctx)
	if err != nil {
		return 0, err
	}
	timeout := int32(-1)
	if n.Stays {
		timeout = 0
	}
	summary, body := n.texts(able)
	err = d.call(ctx, "Notify", d.app, replaces, n.Icon, summary, body, n.actions(able), n.hints(), timeout).Store(&id)
	if err == nil && id == 0 {
		err = errors.New("the daemon gives it no number")
	}
	if err != nil {
		return 0, fmt.Errorf("notification: %w", err)
	}
	return id, nil
}

// Close takes notifications away, as far as they are still there.
func (d *Daemon) Close(ctx context.Context, ids ...uint32) {
	// A daemon that has gone has taken them along; one that does not know an id
	// may say so.
	if d.lingers && len(ids) > 0 {
		for _, id := range ids {
			_ = d.call(ctx, "Notify", d.app, id, "", d.app, "", []string{}, map[string]dbus.Variant{}, int32(1)).Err
		}
		time.Sleep(lingerTime)
	}
	for _, id := range ids {
		_ = d.call(ctx, "CloseNotification", id).Err
	}
}

func (d *Daemon) call(ctx context.Context, method string, args ...any) *dbus.Call {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return d.conn.Object(service, path).CallWithContext(ctx, notifications+"."+method, 0, args...)
}

// texts makes summary and body as the daemon reads them.
func (n *Note) texts(able Abilities) (summary, body string) {
	switch {
	case !able.Body && n.Body != "":
		return strings.ReplaceAll(n.Summary+": "+n.Body, "\n", " "), ""
	case able.Markup:
		return n.Summary, escape(n.Body)
	}
	return n.Summary, n.Body
}

// escape writes plain text in the markup of the specification (section
// "Markup"), which is a part of XML.
func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;").Replace(s)
}

func (n *Note) actions(able Abilities) []string {
	list := []string{}
	if !able.Actions {
		return list
	}
	for _, a := range n.Actions {
		if a.Key == ActionReply && able.Reply {
			a.Key = inlineReply
		}
		list = append(list, a.Key, a.Label)
	}
	return list
}

func (n *Note) hints() map[string]dbus.Variant {
	hints := map[string]dbus.Variant{
		"urgency":       dbus.MakeVariant(byte(n.Urgency)),
		"category":      dbus.MakeVariant("im.received"),
		"desktop-entry": dbus.MakeVariant("messngr"),
	}
	if n.Sound != "" {
		hints["sound-name"] = dbus.MakeVariant(n.Sound)
	} else {
		hints["suppress-sound"] = dbus.MakeVariant(true)
	}
	if n.Resident {
		hints["resident"] = dbus.MakeVariant(true)
	}
	if n.Transient {
		hints["transient"] = dbus.MakeVariant(true)
	}
	return hints
}
