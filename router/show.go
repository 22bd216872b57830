package router

import (
	"context"
	"errors"
	"fmt"
	"time"

	"messngr"
	"messngr/store"
)

const (
	// showBatch is how many messages a display loop reads at once.
	showBatch = 100
	// showTimeout bounds one call of a display.
	showTimeout = time.Minute
	// readRetry is when messages are read again that could not be read.
	readRetry = 5 * time.Second
	// Messages that nobody was there to see are tried again when somebody logs
	// on, and besides after patienceFirst, after twice that, and so on up to
	// patienceMost: a terminal may be ready to take messages again.
	patienceFirst = time.Minute
	patienceMost  = time.Hour
)

// Show feeds one display until ctx ends: first what was never shown, then every
// message as it comes. A display that hangs delays nobody but itself.
func (r *Router) Show(ctx context.Context, name string, d messngr.Display) error {
	newest, err := r.cfg.Store.Inbox(ctx, store.Query{Limit: 1})
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("display %s: %w", name, err)
	}
	l := &showLoop{
		r: r, name: name, display: d, digests: make(map[string]*digest),
		marks:   marks{r: r, display: name},
		waiting: true, patience: patienceFirst, tryAt: time.Now(),
	}
	defer l.marks.close()
	if len(newest) > 0 {
		l.last = newest[0].Seq
	}
	l.run(ctx)
	return nil
}

// showLoop is the state of one display. Every message is in one place: those up
// to last were shown (then they are, or soon will be, marked as such), are
// counted in a digest, or were tried in vain; the latter are found in the store
// again, among those that were never shown, as long as waiting is true.
type showLoop struct {
	r       *Router
	name    string
	display messngr.Display
	marks   marks
	digests map[string]*digest // by audience
	// last is the sequence number of the last message that was looked at.
	last int64
	// readAt is when news are read again after a failure; zero: there was none.
	readAt time.Time
	// waiting says that messages were tried in vain; they are tried again at
	// tryAt, and if that is in vain, after patience once more.
	waiting  bool
	tryAt    time.Time
	patience time.Duration
}

func (l *showLoop) run(ctx context.Context) {
	for ctx.Err() == nil {
		arrived, people := l.r.arrive.wait(), l.r.people.wait()
		if l.waiting && !time.Now().Before(l.tryAt) {
			l.backlog(ctx)
		}
		more := l.news(ctx)
		l.digestsDue(ctx)
		if more {
			continue
		}
		select {
		case <-ctx.Done():
		case <-arrived:
		case <-people:
			l.tryAt, l.patience = time.Now(), patienceFirst
		case <-l.alarm():
		}
	}
}

// alarm fires when there is something to do by the clock.
func (l *showLoop) alarm() <-chan time.Time {
	var next time.Time
	consider := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	if !l.readAt.IsZero() {
		consider(l.readAt)
	}
	if l.waiting {
		consider(l.tryAt)
	}
	for _, d := range l.digests {
		if len(d.seen) > 0 {
			consider(d.due)
		}
	}
	if next.IsZero() {
		return nil
	}
	return time.After(time.Until(next))
}

// news shows the messages that came since; it reports whether there may be more.
func (l *showLoop) news(ctx context.Context) (more bool) {
	l.readAt = time.Time{}
	entries, err := l.r.cfg.Store.Inbox(ctx, store.Query{Oldest: true, After: l.last, Limit: showBatch})
	if err != nil && ctx.Err() == nil {
		l.r.cfg.Log.Error("read messages to show", "display", l.name, "err", err)
		l.readAt = time.Now().Add(readRetry)
	}
	for _, e := range entries {
		switch {
		case ctx.Err() != nil:
			return false
		case e.Message.Expired(time.Now()):
		case isQuiet(e) && (!e.Shown.IsZero() || !e.Read.IsZero()): // no need to count it again
		case isQuiet(e):
			l.digest(e.Message.Audience).add(countedOf(e))
		default:
			l.one(ctx, e)
		}
		l.last = e.Seq
	}
	return len(entries) == showBatch
}

func isQuiet(e store.Entry) bool { return e.Quiet && e.Message.Level < messngr.LevelUrgent }

// one shows one message by itself.
func (l *showLoop) one(ctx context.Context, e store.Entry) {
	if l.show(ctx, e.Message) {
		l.r.counters.Shown.Add(1)
		l.marks.add(sightingOf(e))
	}
}

// show puts m on the display. If that is in vain, what it stands for is tried
// again later.
func (l *showLoop) show(ctx context.Context, m *messngr.Message) bool {
	bounded, cancel := context.WithTimeout(ctx, showTimeout)
	defer cancel()
	err := l.display.Show(bounded, m)
	if err == nil {
		return true
	}
	if ctx.Err() == nil && !errors.Is(err, messngr.ErrNobody) {
		l.r.cfg.Log.Error("show message", "display", l.name, "id", m.ID, "err", err)
	}
	if !l.waiting {
		l.waiting, l.tryAt = true, time.Now().Add(l.patience)
	}
	return false
}
