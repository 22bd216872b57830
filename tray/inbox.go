package tray

import (
	"context"
	"slices"
	"time"

	"messngr"
	"messngr/control"
	"messngr/tray/feed"
)

// What happens to the inbox, and what follows from it for the screen.

// backlogFew is how many messages that waited are shown one by one; more of
// them become a digest: whoever comes back after a week must not click through
// two hundred windows.
const backlogFew = 5

func (a *agent) heard(ctx context.Context, n feed.News) {
	now := time.Now()
	wasAway := a.away
	a.away = n.Away
	switch {
	case n.Backlog != nil:
		a.begin(ctx, n.Backlog, now)
	case n.Event != nil:
		a.happened(ctx, n.Event, now)
	case wasAway == nil:
		a.log.Info("wait for the service", "err", n.Away)
	}
	if wasAway != nil && a.away == nil {
		a.popUpsAnew()
	}
	if (a.away == nil) != (wasAway == nil) {
		soon(&a.iconAt, a.drawn, iconPause)
	}
	if a.away == nil {
		soon(&a.countAt, a.counted, countPause)
	}
}

// begin shows what came since the last session, and what is urgent even if it
// was shown then.
func (a *agent) begin(ctx context.Context, b *feed.Backlog, now time.Time) {
	seen := a.progress.load()
	if seen > b.Newest {
		seen = 0 // the service has a new store
	}
	a.last, a.begun = b.Newest, true
	var list []control.Message
	for _, m := range b.Unread {
		if m.Seq > seen || m.Level >= messngr.LevelUrgent {
			list = append(list, m)
		}
	}
	a.wait(ctx, list, now)
	soon(&a.saveAt, now, savePause)
}

// wait shows messages that have waited: a few one by one, many as a digest.
func (a *agent) wait(ctx context.Context, list []control.Message, now time.Time) {
	few := 0
	for i := range list {
		if m := &list[i]; a.wanted(m, now) && !m.Quiet && m.Level < messngr.LevelUrgent {
			few++
		}
	}
	for i := range list {
		m := &list[i]
		switch {
		case !a.wanted(m, now):
		case a.holds(m):
			a.hold(m)
		case m.Level < messngr.LevelUrgent && (few > backlogFew || m.Quiet):
			a.digest.add(m, now)
			a.digest.waited = true
		default:
			a.present(ctx, m, now)
		}
	}
}

// wanted reports whether a message still has to be seen, and is not on the
// screen yet.
func (a *agent) wanted(m *control.Message, now time.Time) bool {
	_, known := a.shown[m.ID]
	return !known && !feed.IsSettled(m) && !feed.IsExpired(m, now)
}

func (a *agent) happened(ctx context.Context, e *control.Event, now time.Time) {
	switch e.Kind {
	case control.EventArrived:
		a.arrived(ctx, e.Message, now)
	case control.EventRead: // an emergency has to be acknowledged
		isEmergency := func(id messageID) bool {
			s := a.shown[id]
			return s != nil && s.m.Level >= messngr.LevelEmergency
		}
		a.withdraw(slices.DeleteFunc(e.IDs, isEmergency), now)
	case control.EventAcknowledged, control.EventDeleted, control.EventRetracted:
		a.withdraw(e.IDs, now)
	case control.EventResync:
		for id := range a.owed {
			a.tellAcknowledged(ctx, id, func() {})
		}
		a.resync(ctx)
	}
}

// arrived deals with one new message.
func (a *agent) arrived(ctx context.Context, m *control.Message, now time.Time) {
	if m == nil {
		return
	}
	a.last = max(a.last, m.Seq)
	soon(&a.saveAt, now, savePause)
	switch {
	case !a.wanted(m, now):
	case a.holds(m):
		a.hold(m)
	case m.Quiet && m.Level < messngr.LevelUrgent:
		a.digest.add(m, now)
	default:
		a.present(ctx, m, now)
	}
}

// holds reports whether a message is held back for now: because nobody is to be
// disturbed, or because the screen is locked and that is the policy.
func (a *agent) holds(m *control.Message) bool {
	if muted := a.disturb.off(); muted != a.muted {
		a.muted = muted
		soon(&a.iconAt, a.drawn, iconPause)
	}
	return a.muted && m.Level < a.breakThrough || a.locked && a.cfg.Locked == lockedWait
}

func (a *agent) hold(m *control.Message) {
	if a.heldFrom == 0 || m.Seq < a.heldFrom {
		a.heldFrom = m.Seq
	}
}

// release shows what was held back.
func (a *agent) release(ctx context.Context) {
	from := a.heldFrom
	if from == 0 {
		return
	}
	a.heldFrom = 0
	a.errand(ctx, func(ctx context.Context, c *control.Client) (func(), error) {
		b, err := feed.ReadBacklog(ctx, c)
		if err != nil {
			return nil, err
		}
		var list []control.Message
		for _, m := range b.Unread {
			if m.Seq >= from {
				list = append(list, m)
			}
		}
		return func() { a.wait(ctx, list, time.Now()) }, nil
	})
}

// withdraw takes messages off the screen that nobody has to see any more.
func (a *agent) withdraw(ids []messageID, now time.Time) {
	for _, id := range ids {
		if s := a.shown[id]; s != nil && s != a.daemon.flying {
			a.takeAway(s.note)
		}
		a.forget(id)
	}
	a.digest.drop(ids, now)
	soon(&a.iconAt, a.drawn, iconPause)
}

// resync finds out what became of the messages that are on the screen, after a
// time in which nobody told.
func (a *agent) resync(ctx context.Context) {
	var ids []messageID
	for id := range a.shown {
		ids = append(ids, id)
	}
	const most = 100 // of a digest; the others may stay in its count
	for id := range a.digest.ids {
		if ids = append(ids, id); len(ids) > most {
			break
		}
	}
	if len(ids) == 0 {
		return
	}
	a.errand(ctx, func(ctx context.Context, c *control.Client) (func(), error) {
		gone, err := feed.Settled(ctx, c, ids)
		return func() { a.withdraw(gone, time.Now()) }, err
	})
}

// expire takes messages off the screen that have lost their meaning, and shows
// urgent ones again that the daemon has taken away.
func (a *agent) expire(now time.Time) {
	var gone []messageID
	for id, s := range a.shown {
		switch {
		case feed.IsExpired(&s.m, now):
			gone = append(gone, id)
		case !s.again.IsZero() && !now.Before(s.again):
			s.again = time.Time{}
			a.put(s, "")
		}
	}
	if len(gone) > 0 {
		a.withdraw(gone, now)
	}
}

// sight remembers that a person could see a message, so that its sender hears
// of it.
func (a *agent) sight(m *control.Message) {
	if m.ShownAt != nil {
		return // as it was elsewhere
	}
	a.sighted = append(a.sighted, m.ID)
	soon(&a.sightAt, time.Now(), sightPause)
}

func (a *agent) tellSighted(ctx context.Context) {
	ids := a.sighted
	a.sighted = nil
	a.mark(ctx, "shown", ids)
}

// mark marks messages, at once but apart from the loop.
func (a *agent) mark(ctx context.Context, as string, ids []messageID) {
	if len(ids) == 0 {
		return
	}
	a.errand(ctx, func(ctx context.Context, c *control.Client) (func(), error) {
		_, err := c.Mark(ctx, control.MarkRequest{IDs: ids, As: as})
		return nil, err
	})
}
