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
	// backlogLimit is how many messages that waited are shown one by one; more
	// of them become a digest.
	backlogLimit = 10
	// digestDelay is how long quiet messages are counted before a digest.
	digestDelay = 5 * time.Second
	// markDelay and markBatch say how many messages' marks "shown" share one
	// flush to the disk. After a crash those may be shown again, with the same id.
	markDelay = 200 * time.Millisecond
	markBatch = 500
	// showBatch is how many messages a display loop reads at once.
	showBatch = 100
	// showTimeout bounds one call of a display.
	showTimeout = time.Minute
	// pollPeople is how often messages without an audience are tried again,
	// besides when somebody logs on.
	pollPeople = time.Minute
)

// Show feeds one display until ctx ends: first what was never shown, then every
// message as it comes. A display that hangs delays nobody but itself.
func (r *Router) Show(ctx context.Context, name string, d messngr.Display) error {
	l := &showLoop{r: r, name: name, display: d, digests: make(map[digestKey]*digest)}
	marks := time.NewTicker(markDelay)
	defer marks.Stop()
	defer l.flush(context.WithoutCancel(ctx))
	poll := time.NewTicker(pollPeople)
	defer poll.Stop()
	if err := l.backlog(ctx, 0); err != nil {
		return fmt.Errorf("display %s: %w", name, err)
	}
	for {
		arrived, people := r.arrive.wait(), r.people.wait()
		more, err := l.news(ctx)
		if err != nil && ctx.Err() == nil {
			r.cfg.Log.Error("read messages to show", "display", name, "err", err)
		}
		if more {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-arrived:
		case <-people:
			l.retry(ctx)
		case <-poll.C:
			l.retry(ctx)
		case <-marks.C:
			l.flush(ctx)
			l.digestDue(ctx)
		}
	}
}

type showLoop struct {
	r       *Router
	name    string
	display messngr.Display
	// last is the sequence number of the last message that was looked at.
	last int64
	// waiting is the first message that nobody was there to see; 0: none.
	waiting int64
	shown   []store.Entry
	digests map[digestKey]*digest
}

// digestKey is what messages of one digest have in common.
type digestKey struct{ audience, address string }

type digest struct {
	since   time.Time
	entries []store.Entry
}

// backlog looks at the messages after the given one that nobody has seen yet.
// A few are shown one by one, many as a digest: whoever comes back after a week
// must not click through two hundred windows.
func (l *showLoop) backlog(ctx context.Context, after int64) error {
	for {
		entries, err := l.r.cfg.Store.Inbox(ctx, store.Query{Unshown: true, Oldest: true, After: after, Limit: showBatch})
		if err != nil || len(entries) == 0 {
			if newest, e := l.r.cfg.Store.Inbox(ctx, store.Query{Limit: 1}); e == nil && len(newest) == 1 {
				l.last = max(l.last, newest[0].Seq)
			}
			return err
		}
		for _, e := range entries {
			l.entry(ctx, e, len(entries) > backlogLimit)
			after = e.Seq
		}
		l.last = max(l.last, after)
	}
}

func (l *showLoop) retry(ctx context.Context) {
	if l.waiting == 0 {
		return
	}
	after := l.waiting - 1
	l.waiting = 0
	if err := l.backlog(ctx, after); err != nil {
		l.r.cfg.Log.Error("read messages that wait", "display", l.name, "err", err)
	}
}

// news shows the messages that came since; it reports whether there may be more.
func (l *showLoop) news(ctx context.Context) (bool, error) {
	entries, err := l.r.cfg.Store.Inbox(ctx, store.Query{Oldest: true, After: l.last, Limit: showBatch})
	for _, e := range entries {
		l.entry(ctx, e, false)
		l.last = e.Seq
	}
	return len(entries) == showBatch && ctx.Err() == nil, err
}

// entry shows one message, or counts it for a digest.
func (l *showLoop) entry(ctx context.Context, e store.Entry, many bool) {
	switch {
	case ctx.Err() != nil || e.Message.Expired(time.Now()):
	case (e.Quiet || many) && e.Message.Level < messngr.LevelUrgent:
		l.count(e)
	default:
		l.show(ctx, e.Message, e)
	}
}

// show puts m on the display, and remembers the outcome for the entries that it
// stands for, the first of them first.
func (l *showLoop) show(ctx context.Context, m *messngr.Message, entries ...store.Entry) {
	ctx, cancel := context.WithTimeout(ctx, showTimeout)
	defer cancel()
	err := l.display.Show(ctx, m)
	switch {
	case err == nil:
		l.r.counters.Shown.Add(1)
		l.shown = append(l.shown, entries...)
		if len(l.shown) >= markBatch {
			l.flush(ctx)
		}
	case ctx.Err() == nil || errors.Is(err, messngr.ErrNobody):
		if seq := entries[0].Seq; l.waiting == 0 || seq < l.waiting {
			l.waiting = seq
		}
		if !errors.Is(err, messngr.ErrNobody) {
			l.r.cfg.Log.Error("show message", "display", l.name, "id", m.ID, "err", err)
		}
	}
}

// flush marks what was shown.
func (l *showLoop) flush(ctx context.Context) {
	if len(l.shown) == 0 {
		return
	}
	if _, err := l.r.mark(ctx, store.Shown, l.shown); err != nil {
		l.r.cfg.Log.Error("mark messages as shown", "display", l.name, "err", err)
		return
	}
	l.shown = l.shown[:0]
}

func (l *showLoop) count(e store.Entry) {
	k := digestKey{e.Message.Audience, e.Message.From.Address.String()}
	d := l.digests[k]
	if d == nil {
		d = &digest{since: time.Now()}
		l.digests[k] = d
	}
	d.entries = append(d.entries, e)
}

// digestDue shows the digests whose time has come.
func (l *showLoop) digestDue(ctx context.Context) {
	for k, d := range l.digests {
		if time.Since(d.since) < digestDelay {
			continue
		}
		delete(l.digests, k)
		id, err := messngr.NewID()
		if err != nil {
			continue
		}
		l.r.counters.Digests.Add(1)
		l.show(ctx, &messngr.Message{
			ID: id, Time: time.Now(), Via: Local, To: l.r.cfg.Host, Audience: k.audience,
			From: messngr.From{Claimed: "messngr", Proven: "messngr", Trust: messngr.Vouched},
			Text: digestText(d.entries),
		}, d.entries...)
	}
}

func digestText(entries []store.Entry) string {
	noun := "messages"
	if len(entries) == 1 {
		noun = "message"
	}
	from := entries[len(entries)-1].Message.From
	source := from.Claimed
	if from.Address.IsValid() {
		source = fmt.Sprintf("%s (%s)", from.Claimed, from.Address)
	}
	return fmt.Sprintf("%d more %s from %s, not shown one by one. Read: messngr inbox", len(entries), noun, source)
}
