// Package inbox follows the messages of one person by the API /v1 of the
// service, and keeps the order in which they have to be seen.
package inbox

import (
	"cmp"
	"context"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"messngr"
	"messngr/control"
	"messngr/desktop/describe"
)

// Client is what is asked of the service.
type Client interface {
	Messages(ctx context.Context, q control.MessageQuery) (control.MessageList, error)
	Events(ctx context.Context, after int64, own bool, show func(control.Event) error) error
}

// Feed brings the messages of one person, and what becomes of them. What is for
// other people is left out, also where the service would show it to an
// administrator. The functions are called one after another.
type Feed struct {
	Client Client
	// Unread is called with what waits, oldest first: what was not read, and
	// emergencies until they are acknowledged, when the feed begins and
	// whenever something may have been missed; nil: it is not read.
	Unread func([]control.Message)
	// Event is called for everything that happens after that, and for an
	// EventResync before it.
	Event func(control.Event)
	// State is called with nil when the service answers, and with the error when
	// it no longer does.
	State func(error)
}

const (
	// page is how many messages are asked for at once.
	page = 1000
	// maxWaiting bounds among how many messages those are looked for that wait; the
	// list has the others.
	maxWaiting = 10_000
	// The pause before the service is asked again grows from retryFirst to
	// retryMost.
	retryFirst = 200 * time.Millisecond
	retryMost  = 10 * time.Second
)

// Run follows the messages until ctx ends.
func (f *Feed) Run(ctx context.Context) {
	pause := retryFirst
	for ctx.Err() == nil {
		began := time.Now()
		err := f.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		f.State(err)
		if time.Since(began) > retryMost {
			pause = retryFirst
		}
		// Many desktops lose one service at the same time.
		jitter := time.Duration(rand.Int64N(int64(pause) / 2))
		select {
		case <-ctx.Done():
		case <-time.After(pause + jitter):
		}
		pause = min(2*pause, retryMost)
	}
}

// follow brings what waits, and then what comes, until the connection ends.
func (f *Feed) follow(ctx context.Context) error {
	newest, err := f.Client.Messages(ctx, control.MessageQuery{Own: true, Limit: 1})
	if err != nil {
		return err
	}
	var last int64
	if len(newest.Messages) > 0 {
		last = newest.Messages[0].Seq
	}
	answers := false
	err = f.Client.Events(ctx, last, true, func(e control.Event) error {
		if !answers {
			answers = true
			f.State(nil)
		}
		if e.Kind == control.EventArrived {
			if e.Message == nil {
				return nil
			}
			last = e.Message.Seq
		}
		if e.Kind == control.EventResync && f.Unread != nil {
			// The stream is open: what happens while this is read comes after it.
			waiting, err := f.waiting(ctx, last)
			if err != nil {
				return err
			}
			f.Unread(waiting)
		}
		f.Event(e)
		return nil
	})
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// waiting reads what waits up to the number last, oldest first: what was not
// read, and the emergencies that were and are not acknowledged.
func (f *Feed) waiting(ctx context.Context, last int64) ([]control.Message, error) {
	list, err := f.pages(ctx, control.MessageQuery{Own: true, Unread: true, Before: last + 1}, func(m *control.Message) bool {
		return m.AcknowledgedAt == nil
	})
	if err != nil {
		return nil, err
	}
	read, err := f.pages(ctx, control.MessageQuery{Own: true, Before: last + 1}, func(m *control.Message) bool {
		return m.ReadAt != nil && m.AcknowledgedAt == nil && describe.Level(m) >= messngr.LevelEmergency
	})
	list = append(list, read...)
	slices.SortFunc(list, func(a, b control.Message) int { return cmp.Compare(a.Seq, b.Seq) })
	return list, err
}

// pages returns those of the newest maxWaiting messages of a query that are
// wanted.
func (f *Feed) pages(ctx context.Context, q control.MessageQuery, wanted func(*control.Message) bool) ([]control.Message, error) {
	var list []control.Message
	q.Limit = page
	for range maxWaiting / page {
		l, err := f.Client.Messages(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range l.Messages {
			m := &l.Messages[i]
			q.Before = m.Seq
			if wanted(m) {
				list = append(list, *m)
			}
		}
		if len(l.Messages) < page {
			break
		}
	}
	return list, nil
}

// MustBeSeen reports whether m is to be put before a person who wants to see
// what is at least so important. A question always is.
func MustBeSeen(m *control.Message, level messngr.Level) bool {
	return describe.Level(m) >= level || len(m.Answers) > 0
}

// MustBeAnswered reports whether a person has to do something with m, so that to
// look at it is not enough: what is urgent is to be acknowledged, and a question
// to be answered, as long as it holds.
func MustBeAnswered(m *control.Message, now time.Time) bool {
	over := m.AcknowledgedAt != nil || m.ExpiresAt != nil && !now.Before(*m.ExpiresAt)
	return !over && MustBeSeen(m, messngr.LevelUrgent)
}
