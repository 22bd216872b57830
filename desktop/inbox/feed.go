// Package inbox follows the messages of one person by the API /v1 of the
// service, and keeps the order in which they have to be seen.
package inbox

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"time"

	"messngr"
	"messngr/control"
	"messngr/desktop/describe"
)

// Client is what is asked of the service.
type Client interface {
	Messages(ctx context.Context, q control.MessageQuery) (control.MessageList, error)
	Message(ctx context.Context, id messngr.ID) (control.Message, error)
	Watch(ctx context.Context, after int64, show func(control.Message) error) error
}

// Feed brings the messages of one person.
type Feed struct {
	Client Client
	// Login is the person. Messages for others are left out, also where the
	// service would show them to an administrator.
	Login string
	// Unread is called with what waits, oldest first, when the feed begins and
	// whenever the connection to the service was lost and found again.
	Unread func([]control.Message)
	// Arrived is called for every message that comes after that.
	Arrived func(control.Message)
	// State is called with nil when the service answers, and with the error when
	// it no longer does.
	State func(error)
}

const (
	// page is how many messages are asked for at once.
	page = 1000
	// maxWaiting bounds how many waiting messages are read at the beginning; the
	// list has the others.
	maxWaiting = 10_000
	// The pause before the service is asked again grows from retryFirst to
	// retryMost.
	retryFirst = 200 * time.Millisecond
	retryMost  = 10 * time.Second
)

// Run follows the messages until ctx ends. The functions are called by the
// goroutine that calls Run, one after another.
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

// follow reads what waits, and then what comes, until the connection ends.
func (f *Feed) follow(ctx context.Context) error {
	newest, err := f.Client.Messages(ctx, control.MessageQuery{Limit: 1})
	if err != nil {
		return err
	}
	var last int64
	if len(newest.Messages) > 0 {
		last = newest.Messages[0].Seq
	}
	waiting, err := f.waiting(ctx, last)
	if err != nil {
		return err
	}
	f.State(nil)
	f.Unread(waiting)
	err = f.Client.Watch(ctx, last, func(m control.Message) error {
		if f.mine(&m) {
			f.Arrived(m)
		}
		return nil
	})
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// waiting reads what was not read yet up to the number last, oldest first.
func (f *Feed) waiting(ctx context.Context, last int64) ([]control.Message, error) {
	var list []control.Message
	q := control.MessageQuery{Unread: true, Before: last + 1, Limit: page}
	for len(list) < maxWaiting {
		l, err := f.Client.Messages(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, m := range l.Messages {
			q.Before = m.Seq
			if f.mine(&m) && m.AcknowledgedAt == nil {
				list = append(list, m)
			}
		}
		if len(l.Messages) < page {
			break
		}
	}
	for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
		list[i], list[j] = list[j], list[i]
	}
	return list, nil
}

func (f *Feed) mine(m *control.Message) bool { return Mine(m, f.Login) }

// Mine reports whether m is for the person or for everybody on this computer.
func Mine(m *control.Message, login string) bool {
	return m.Audience == "" || m.Audience == login
}

// Settled reports whether nobody needs to be shown m any more: it was read or
// acknowledged somewhere, or it is gone.
func Settled(ctx context.Context, c Client, id messngr.ID) (bool, error) {
	m, err := c.Message(ctx, id)
	var declined *control.Error
	if errors.As(err, &declined) && declined.Code == "not_found" {
		return true, nil
	}
	return err == nil && (m.ReadAt != nil || m.AcknowledgedAt != nil), err
}

// MustBeSeen reports whether m is to be put before a person who wants to see
// what is at least so important. A question always is.
func MustBeSeen(m *control.Message, level messngr.Level) bool {
	return describe.Level(m) >= level || len(m.Answers) > 0
}
