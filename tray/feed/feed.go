// Package feed brings what waits in the inbox of a person, and then what happens
// there, wherever the service goes in the meantime.
package feed

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"messngr"
	"messngr/control"
)

// News is what the feed brings: one of its fields is set.
type News struct {
	// Backlog is what waited when the service was reached for the first time.
	Backlog *Backlog
	// Event is what has happened since.
	Event *control.Event
	// Away is why the service cannot be asked; it comes after each attempt.
	Away error
}

// Backlog is what waits in the inbox.
type Backlog struct {
	// Unread are the messages that were not read, at most backlogMost of them, the
	// newest, and the emergencies that were read and not acknowledged; the oldest
	// first.
	Unread []control.Message
	// Newest is the number of the newest message of all.
	Newest int64
}

const (
	// backlogMost is how many waiting messages are looked at.
	backlogMost = 500
	// emergencyMost is how far back emergencies are looked for that were read and
	// not acknowledged, in messages; emergencyPage are asked for at once.
	emergencyMost = 10_000
	emergencyPage = 1_000
	// The pause before the service is asked again grows from retryFirst to
	// retryMost.
	retryFirst = time.Second
	retryMost  = 30 * time.Second
)

// Feed follows the inbox of one person.
type Feed struct {
	connect func() *control.Client
	news    chan News
}

// New returns a feed that finds the service by connect, anew whenever it went
// away.
func New(connect func() *control.Client) *Feed {
	return &Feed{connect: connect, news: make(chan News)}
}

// News is where the news come, one after another.
func (f *Feed) News() <-chan News { return f.news }

// Run follows the inbox until ctx ends.
func (f *Feed) Run(ctx context.Context) {
	last := int64(-1) // the number of the last message that was brought; negative: none yet
	pause := retryFirst
	for ctx.Err() == nil {
		began := time.Now()
		err := f.follow(ctx, &last)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > retryMost {
			pause = retryFirst
		}
		f.bring(ctx, News{Away: err})
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, retryMost)
	}
}

func (f *Feed) bring(ctx context.Context, n News) {
	select {
	case f.news <- n:
	case <-ctx.Done():
	}
}

// follow reads what waits and then what comes, until the service goes away.
func (f *Feed) follow(ctx context.Context, last *int64) error {
	c := f.connect()
	if *last < 0 {
		b, err := ReadBacklog(ctx, c)
		if err != nil {
			return err
		}
		*last = b.Newest
		f.bring(ctx, News{Backlog: b})
	} else {
		newest, err := newestOf(ctx, c)
		if err != nil {
			return err
		}
		*last = min(*last, newest) // a service with a new store counts anew
	}
	err := c.Events(ctx, *last, true, func(e control.Event) error {
		if e.Kind == control.EventArrived && e.Message != nil {
			*last = e.Message.Seq
		}
		f.bring(ctx, News{Event: &e})
		return nil
	})
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func newestOf(ctx context.Context, c *control.Client) (int64, error) {
	l, err := c.Messages(ctx, control.MessageQuery{Own: true, Limit: 1})
	if err != nil || len(l.Messages) == 0 {
		return 0, err
	}
	return l.Messages[0].Seq, nil
}

// ReadBacklog reads what waits.
func ReadBacklog(ctx context.Context, c *control.Client) (*Backlog, error) {
	newest, err := newestOf(ctx, c)
	if err != nil {
		return nil, err
	}
	l, err := c.Messages(ctx, control.MessageQuery{Own: true, Unread: true, Before: newest + 1, Limit: backlogMost})
	if err != nil {
		return nil, err
	}
	pending, err := readEmergencies(ctx, c, newest)
	if err != nil {
		return nil, err
	}
	unread := append(l.Messages, pending...)
	slices.SortFunc(unread, func(a, b control.Message) int { return cmp.Compare(a.Seq, b.Seq) })
	return &Backlog{Unread: unread, Newest: newest}, nil
}

// readEmergencies reads the emergencies that were read and not acknowledged.
func readEmergencies(ctx context.Context, c *control.Client, newest int64) ([]control.Message, error) {
	var pending []control.Message
	q := control.MessageQuery{Own: true, Before: newest + 1, Limit: emergencyPage}
	for range emergencyMost / emergencyPage {
		l, err := c.Messages(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range l.Messages {
			m := &l.Messages[i]
			q.Before = m.Seq
			if m.ReadAt != nil && m.Level >= messngr.LevelEmergency && !IsSettled(m) {
				pending = append(pending, *m)
			}
		}
		if len(l.Messages) < emergencyPage {
			break
		}
	}
	return pending, nil
}

// Settled finds out which of the messages nobody has to see any more.
func Settled(ctx context.Context, c *control.Client, ids []messngr.ID) ([]messngr.ID, error) {
	var gone []messngr.ID
	for _, id := range ids {
		m, err := c.Message(ctx, id)
		var declined *control.Error
		switch {
		case errors.As(err, &declined) && declined.Code == "not_found", err == nil && IsSettled(&m):
			gone = append(gone, id)
		case err != nil:
			return gone, err
		}
	}
	return gone, nil
}

// IsSettled reports whether nobody has to see m any more. An emergency has to be
// acknowledged: to have read it somewhere is not enough.
func IsSettled(m *control.Message) bool {
	return m.AcknowledgedAt != nil || m.ReadAt != nil && m.Level < messngr.LevelEmergency
}

// IsExpired reports whether the time of m has ended.
func IsExpired(m *control.Message, now time.Time) bool {
	return m.ExpiresAt != nil && !now.Before(*m.ExpiresAt)
}
