package tray

import (
	"context"
	"slices"
	"time"

	"github.com/godbus/dbus/v5"

	"messngr/tray/desktop"
	"messngr/tray/notification"
)

// What the notification daemon is asked. It may take its time, so that it is
// asked in a goroutine of its own, one thing after another, while the loop goes
// on. What it tells meanwhile waits for the end of the call, which it may be
// about.

// calls is what the notification daemon is to be asked, and how far that is.
type calls struct {
	queue   []*shown           // to be put onto the screen
	closing []uint32           // to be taken off the screen
	hint    *notification.Note // to be told; nil: nothing is
	// busy says that a call is on its way, and flying which message it shows.
	busy   bool
	flying *shown
	done   chan func()    // what follows from the call; it has room for it
	told   []*dbus.Signal // that came during the call
}

// ask asks the daemon what is next: at most one call is on its way.
func (a *agent) ask(ctx context.Context, now time.Time) {
	for c := &a.daemon; !c.busy; {
		switch s := c.next(a.shown); {
		case len(c.closing) > 0:
			ids := c.closing
			c.closing = nil
			a.call(func() func() {
				a.notes.Close(ctx, ids...)
				return func() {}
			})
		case c.hint != nil:
			a.showHint(ctx)
		case s != nil:
			a.show(ctx, s)
		case !a.digest.due.IsZero() && !now.Before(a.digest.due):
			a.showDigest(ctx, now)
		default:
			return
		}
	}
}

// call makes a call, which returns what follows from it.
func (a *agent) call(f func() (done func())) {
	a.daemon.busy = true
	a.errands.Go(func() { a.daemon.done <- f() })
}

// answered deals with what follows from a call, and then with what the daemon
// has told meanwhile.
func (a *agent) answered(ctx context.Context, done func()) {
	a.daemon.busy, a.daemon.flying = false, nil
	done()
	told := a.daemon.told
	a.daemon.told = nil
	for _, sig := range told {
		a.noteSignal(ctx, sig)
	}
}

// next is the message to show next, the most urgent one that is still to be seen;
// nil: there is none.
func (c *calls) next(wanted map[messageID]*shown) *shown {
	c.queue = slices.DeleteFunc(c.queue, func(s *shown) bool { return wanted[s.m.ID] != s })
	if len(c.queue) == 0 {
		return nil
	}
	return slices.MaxFunc(c.queue, func(a, b *shown) int { return int(a.m.Level) - int(b.m.Level) })
}

// put has a message brought onto the screen, or what is there up to date, with a
// sound; "" for none.
func (a *agent) put(s *shown, sound string) {
	if sound != "" {
		s.sound = sound
	}
	if !slices.Contains(a.daemon.queue, s) {
		a.daemon.queue = append(a.daemon.queue, s)
	}
}

// show brings a message of the queue onto the screen.
func (a *agent) show(ctx context.Context, s *shown) {
	d := &a.daemon
	d.queue = slices.DeleteFunc(d.queue, func(other *shown) bool { return other == s })
	d.flying = s
	c := a.words.Message(&s.m, a.hides(), time.Now())
	sound, replaces := s.sound, s.note
	s.sound = ""
	a.call(func() func() {
		c.Sound = a.play(ctx, sound)
		id, err := a.notes.Show(ctx, c.Note, replaces)
		return func() { a.wasPut(ctx, s, c.Whole, id, err) }
	})
}

// wasPut takes note of what became of show.
func (a *agent) wasPut(ctx context.Context, s *shown, whole bool, id uint32, err error) {
	switch {
	case a.shown[s.m.ID] != s: // withdrawn meanwhile
		a.takeAway(s.note, id)
		return
	case err != nil:
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
	s.note, s.whole, a.byNote[id], a.retryPause = id, whole, s.m.ID, 0
	if whole && !s.sighted && !a.hides() {
		s.sighted = true
		a.sight(&s.m)
	}
}

// takeAway has notifications taken off the screen; 0 stands for none.
func (a *agent) takeAway(notes ...uint32) {
	for _, note := range notes {
		if note != 0 && !slices.Contains(a.daemon.closing, note) {
			a.daemon.closing = append(a.daemon.closing, note)
		}
	}
}

// play returns the sound for the daemon to play, and plays it if the daemon
// cannot. It is part of a call.
func (a *agent) play(ctx context.Context, sound string) string {
	if sound == "" {
		return ""
	}
	if able, err := a.notes.Abilities(ctx); err == nil && able.Sound {
		return sound
	}
	a.sounds.Play(ctx, sound)
	return ""
}

// showDigest brings the digest up to date: it is changed in its place, or taken
// away when there is nothing left to count.
func (a *agent) showDigest(ctx context.Context, now time.Time) {
	d := &a.digest
	d.due = time.Time{}
	if d.count() == 0 {
		a.takeAway(d.note)
		d.reset()
		return
	}
	n, sound, replaces := a.words.Digest(d.content(), a.hides()), "", d.note
	if replaces == 0 {
		sound = a.sound(d.level)
	}
	d.shownAt = now
	a.call(func() func() {
		n.Sound = a.play(ctx, sound)
		id, err := a.notes.Show(ctx, n, replaces)
		return func() {
			if err != nil {
				d.note = 0
				a.refused(ctx, err)
				return
			}
			d.note, d.changes, a.retryPause = id, d.changes+1, 0
		}
	})
}

// tell says something to the person that is no message, in one notification
// that each takes from the one before.
func (a *agent) tell(summary, text string) {
	a.daemon.hint = &notification.Note{Summary: summary, Body: text, Icon: "messngr", Transient: true}
}

func (a *agent) showHint(ctx context.Context) {
	n, replaces := *a.daemon.hint, a.hint
	a.daemon.hint = nil
	a.call(func() func() {
		id, err := a.notes.Show(ctx, n, replaces)
		return func() {
			if err == nil {
				a.hint = id
			} else if ctx.Err() == nil {
				a.log.Warn("tell the person", "text", n.Body, "err", err)
			}
		}
	})
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
			soon(&a.popUpAt, a.program.Began(), desktop.Pause)
		}
	}
	if a.retryAt.IsZero() {
		a.retryAt = time.Now().Add(a.retryPause)
		a.retryPause = min(2*a.retryPause, daemonMost)
	}
	// The rest waits for that: the daemon is not there.
	a.daemon.queue = slices.DeleteFunc(a.daemon.queue, func(s *shown) bool { return s.note == 0 })
}

// retry shows what should be on the screen and is not.
func (a *agent) retry(now time.Time) {
	for _, s := range a.shown {
		if s.note == 0 && s.again.IsZero() && s != a.daemon.flying {
			a.put(s, "")
		}
	}
	if a.digest.count() > 0 && a.digest.note == 0 {
		a.digest.due = now
	}
}
