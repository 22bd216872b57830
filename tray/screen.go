package tray

import (
	"context"
	"time"

	"github.com/godbus/dbus/v5"

	"messngr"
	"messngr/control"
	"messngr/tray/notification"
)

// What is on the screen.

// shown is a message that is on the screen by itself, or should be.
type shown struct {
	m     control.Message
	since time.Time // since when it is to be there
	note  uint32    // 0: the daemon did not take it, or took it away
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
		soon(&a.popUpAt, a.program.began, popUpPause)
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
	a.put(ctx, s, a.sound(ctx, m.Level))
	soon(&a.iconAt, a.drawn, iconPause)
}

// put brings a message onto the screen, or what is there up to date, with a sound
// of the daemon's.
func (a *agent) put(ctx context.Context, s *shown, sound string) {
	c := a.words.newCard(&s.m, a.hides(), time.Now())
	c.Sound = sound
	id, err := a.notes.Show(ctx, c.Note, s.note)
	if err != nil {
		delete(a.byNote, s.note)
		s.note = 0
		a.refused(ctx, err)
		return
	}
	if id != s.note {
		delete(a.byNote, s.note)
	}
	if other := a.shown[a.byNote[id]]; other != nil && other != s {
		other.note = 0 // the daemon has put this one into its place
	}
	s.note, s.whole, a.byNote[id], a.retryPause = id, c.whole, s.m.ID, 0
	if c.whole && !s.sighted {
		s.sighted = true
		a.sight(&s.m)
	}
}

// hides reports whether texts are not to be seen now.
func (a *agent) hides() bool { return a.locked && a.cfg.Locked != lockedShow }

// sound returns the sound of a level for the daemon to play, and plays it if the
// daemon cannot. Of several at once the first is heard, and what is more urgent.
func (a *agent) sound(ctx context.Context, level messngr.Level) string {
	now, name := time.Now(), a.cfg.sound(level)
	if name == "" || now.Sub(a.sounded) < soundPause && level <= a.soundedAs {
		return ""
	}
	a.sounded, a.soundedAs = now, level
	if able, err := a.notes.Abilities(ctx); err == nil && able.Sound {
		return name
	}
	a.sounds.Play(ctx, name)
	return ""
}

// refused arranges for another try when the daemon did not take something. In
// the meantime the pop-ups show it, where they are installed.
func (a *agent) refused(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	if a.retryPause == 0 {
		a.log.Warn("the notification daemon takes nothing", "err", err)
		a.retryPause = daemonFirst
		if a.popUp < never {
			soon(&a.popUpAt, a.program.began, popUpPause)
		}
	}
	if a.retryAt.IsZero() {
		a.retryAt = time.Now().Add(a.retryPause)
		a.retryPause = min(2*a.retryPause, daemonMost)
	}
}

// retry shows what should be on the screen and is not. The first failure ends
// it: the daemon is not there.
func (a *agent) retry(ctx context.Context, now time.Time) {
	for _, s := range a.shown {
		if s.note != 0 || !s.again.IsZero() {
			continue
		}
		if a.put(ctx, s, ""); s.note == 0 {
			return
		}
	}
	if a.digest.count() > 0 && a.digest.note == 0 {
		a.showDigest(ctx, now)
	}
}

// showDigest brings the digest up to date: it is changed in its place, or taken
// away when there is nothing left to count.
func (a *agent) showDigest(ctx context.Context, now time.Time) {
	d := &a.digest
	d.due = time.Time{}
	if d.count() == 0 {
		if d.note != 0 {
			a.notes.Close(ctx, d.note)
		}
		d.reset()
		return
	}
	n := a.words.digestCard(d, a.hides())
	if d.note == 0 {
		n.Sound = a.sound(ctx, d.level)
	}
	id, err := a.notes.Show(ctx, n, d.note)
	if err != nil {
		d.note = 0
		a.refused(ctx, err)
		return
	}
	d.note, d.shownAt, d.changes, a.retryPause = id, now, d.changes+1, 0
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
	a.program.tellLocked(a.locked)
	if !a.locked {
		a.release(ctx)
	}
	if a.cfg.Locked == lockedShow {
		return
	}
	for _, s := range a.shown {
		if s.note != 0 {
			a.put(ctx, s, "")
		}
	}
	if a.digest.note != 0 {
		a.showDigest(ctx, time.Now())
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
	a.digest.note, a.hint = 0, 0
	if len(a.shown) == 0 && a.digest.count() == 0 {
		return
	}
	a.retryAt = time.Now()
	if !e.Present { // it may be about to come back; else the next call starts it
		a.retryAt = a.retryAt.Add(2 * time.Second)
	}
}
