package tray

import (
	"context"
	"time"

	"github.com/godbus/dbus/v5"

	"messngr"
	"messngr/control"
	"messngr/tray/desktop"
	"messngr/tray/notification"
)

// What is on the screen.

// shown is a message that is on the screen by itself, or should be.
type shown struct {
	m     control.Message
	since time.Time // since when it is to be there
	note  uint32    // 0: the daemon did not take it, or took it away
	sound string    // to be heard when it is put there; "": none
	// whole says that all of the message can be read there, and sighted that it
	// could be once.
	whole, sighted bool
	// again is when it is shown once more; zero: it is not.
	again time.Time
}

const (
	// soundPause is the least time between two sounds of the same urgency.
	soundPause = 2 * time.Second
	// againPause is when something urgent is shown again that a daemon has taken
	// off the screen by itself.
	againPause = time.Minute
	// The pause before a daemon that took nothing is asked again.
	daemonFirst = time.Second
	daemonMost  = 5 * time.Minute
)

// present shows a message by itself if the gate lets it through, and otherwise
// counts it in the digest.
func (a *agent) present(ctx context.Context, m *control.Message, now time.Time) {
	if a.mustPop(m) {
		soon(&a.popUpAt, a.program.Began(), desktop.Pause)
		a.popIfDue(ctx, now) // a notification daemon may take its time
	}
	normal, urgent := 0, 0
	for _, s := range a.shown {
		if s.m.Level >= messngr.LevelUrgent {
			urgent++
		} else {
			normal++
		}
	}
	if m.Level >= messngr.LevelEmergency {
		a.screen.Wake(ctx) // somebody may be near who looks at it when it lights up
	}
	if !a.gate.admits(m.Level, normal, urgent, now) {
		a.digest.add(m, now)
		return
	}
	s := &shown{m: *m, since: now}
	a.shown[m.ID] = s
	a.put(s, a.sound(m.Level))
	soon(&a.iconAt, a.drawn, iconPause)
}

// hides reports whether texts are not to be seen now.
func (a *agent) hides() bool { return a.locked && a.cfg.Locked != lockedShow }

// sound returns the sound of a level, "" for none. Of several at once the first
// is heard, and what is more urgent.
func (a *agent) sound(level messngr.Level) string {
	now, name := time.Now(), a.cfg.sound(level)
	if name == "" || now.Sub(a.sounded) < soundPause && level <= a.soundedAs {
		return ""
	}
	a.sounded, a.soundedAs = now, level
	return name
}

// forget drops a message that is no longer to be on the screen.
func (a *agent) forget(id messageID) {
	if s := a.shown[id]; s != nil {
		delete(a.byNote, s.note)
		delete(a.shown, id)
	}
}

func (a *agent) signal(ctx context.Context, sig *dbus.Signal) {
	if sig == nil {
		return // the bus has gone, which run finds out
	}
	a.icon.Signal(ctx, sig)
	if a.screen.Signal(sig) {
		a.lockChanged(ctx)
	}
	if a.daemon.busy {
		a.daemon.told = append(a.daemon.told, sig)
		return
	}
	a.noteSignal(ctx, sig)
}

// noteSignal deals with what the notification daemon tells.
func (a *agent) noteSignal(ctx context.Context, sig *dbus.Signal) {
	event, ok := a.notes.Signal(sig)
	if !ok {
		return
	}
	switch e := event.(type) {
	case notification.Closed:
		a.closed(ctx, e)
	case notification.Invoked:
		a.invoked(ctx, e)
	case notification.Replied:
		a.replied(ctx, e)
	case notification.Restarted:
		a.restarted(e)
	}
}

func (a *agent) systemSignal(ctx context.Context, sig *dbus.Signal) {
	if sig == nil {
		a.systemSignals = nil // the machine's bus has gone; nobody tells any more
		return
	}
	if a.screen.Signal(sig) {
		a.lockChanged(ctx)
	}
}

// lockChanged hides what is on the screen, or shows it again.
func (a *agent) lockChanged(ctx context.Context) {
	a.locked = a.screen.Locked()
	a.program.TellLocked(a.locked)
	if !a.locked {
		a.release(ctx)
	}
	if a.cfg.Locked == lockedShow {
		return
	}
	for _, s := range a.shown {
		if s.note != 0 || s == a.daemon.flying {
			a.put(s, "")
		}
	}
	if a.digest.count() > 0 && (a.digest.note != 0 || a.daemon.busy) {
		a.digest.due = time.Now()
	}
}

// closed takes note that a notification is no longer on the screen. A message
// that a person has put away has been read, if all of it could be; an emergency
// has to be acknowledged.
func (a *agent) closed(ctx context.Context, e notification.Closed) {
	if e.ID == a.hint {
		a.hint = 0
	}
	if e.ID == a.digest.note && e.ID != 0 {
		a.digest.reset()
		soon(&a.iconAt, a.drawn, iconPause)
		return
	}
	id, ours := a.byNote[e.ID]
	if !ours {
		return
	}
	s := a.shown[id]
	switch {
	case e.Reason == notification.Dismissed && s.whole && s.m.Level < messngr.LevelEmergency:
		a.forget(id)
		a.mark(ctx, "read", []messageID{id})
	case e.Reason != notification.Dismissed && s.m.Level >= messngr.LevelUrgent:
		delete(a.byNote, e.ID)
		s.note, s.again = 0, time.Now().Add(againPause)
	default:
		a.forget(id)
	}
	soon(&a.iconAt, a.drawn, iconPause)
}

// restarted shows again, in silence, what a daemon took along when it went.
func (a *agent) restarted(e notification.Restarted) {
	clear(a.byNote)
	for _, s := range a.shown {
		s.note = 0
	}
	a.digest.note, a.hint, a.daemon.closing = 0, 0, nil
	if len(a.shown) == 0 && a.digest.count() == 0 {
		return
	}
	a.retryAt = time.Now()
	if !e.Present { // it may be about to come back; else the next call starts it
		a.retryAt = a.retryAt.Add(2 * time.Second)
	}
}
