package tray

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

// news is what the feed brings: one of its fields is set.
type news struct {
	// backlog is what waited when the service was reached for the first time.
	backlog *backlog
	event   *control.Event
	// away is why the service cannot be asked; it is sent once each time.
	away error
}

// backlog is what waits in the inbox.
type backlog struct {
	// unread are the messages that were not read, at most backlogMost of them, the
	// newest, and the emergencies that were read and not acknowledged; the oldest
	// first.
	unread []control.Message
	newest int64 // the number of the newest message of all
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

// feed follows the inbox of the person for as long as the session lasts,
// wherever the service goes in the meantime.
type feed struct {
	connect func() *control.Client
	news    chan news
}

func (f *feed) run(ctx context.Context) {
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
		f.bring(ctx, news{away: err})
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, retryMost)
	}
}

func (f *feed) bring(ctx context.Context, n news) {
	select {
	case f.news <- n:
	case <-ctx.Done():
	}
}

// follow reads what waits and then what comes, until the service goes away.
func (f *feed) follow(ctx context.Context, last *int64) error {
	c := f.connect()
	if *last < 0 {
		b, err := readBacklog(ctx, c)
		if err != nil {
			return err
		}
		*last = b.newest
		f.bring(ctx, news{backlog: b})
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
		f.bring(ctx, news{event: &e})
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

// readBacklog reads what waits.
func readBacklog(ctx context.Context, c *control.Client) (*backlog, error) {
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
	return &backlog{unread: unread, newest: newest}, nil
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
			if m.ReadAt != nil && m.Level >= messngr.LevelEmergency && !isSettled(m) {
				pending = append(pending, *m)
			}
		}
		if len(l.Messages) < emergencyPage {
			break
		}
	}
	return pending, nil
}

// settled finds out which of the messages nobody has to see any more.
func settled(ctx context.Context, c *control.Client, ids []messngr.ID) ([]messngr.ID, error) {
	var gone []messngr.ID
	for _, id := range ids {
		m, err := c.Message(ctx, id)
		var declined *control.Error
		switch {
		case errors.As(err, &declined) && declined.Code == "not_found", err == nil && isSettled(&m):
			gone = append(gone, id)
		case err != nil:
			return gone, err
		}
	}
	return gone, nil
}

// isSettled reports whether nobody has to see m any more. An emergency has to be
// acknowledged: to have read it somewhere is not enough.
func isSettled(m *control.Message) bool {
	return m.AcknowledgedAt != nil || m.ReadAt != nil && m.Level < messngr.LevelEmergency
}

func isExpired(m *control.Message, now time.Time) bool {
	return m.ExpiresAt != nil && !now.Before(*m.ExpiresAt)
}
