package router

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"messngr"
	"messngr/store"
)

const (
	// attemptTimeout bounds one attempt of a message that may wait.
	attemptTimeout = 15 * time.Second
	// A message that may wait is tried again after retryFirst, then after twice
	// that, and so on up to retryMost.
	retryFirst = 5 * time.Second
	retryMost  = 5 * time.Minute
)

// start carries a stored message to all its recipients, in jobs of the router,
// and calls done when the first round of attempts has ended.
func (r *Router) start(out store.Outgoing, deadline time.Time, done func()) {
	var left atomic.Int32
	left.Store(int32(len(out.Recipients)))
	firstRound := func() {
		if left.Add(-1) == 0 {
			done()
		}
	}
	for i := range out.Recipients {
		if !r.spawn(func() { r.carry(out, i, deadline, firstRound) }) {
			firstRound() // resume takes it up at the next start
		}
	}
}

// spawn runs job in a goroutine that Run waits for. It does not when Run is
// about to end.
func (r *Router) spawn(job func()) bool {
	r.closing.Lock()
	defer r.closing.Unlock()
	if r.running.Err() != nil {
		return false
	}
	r.jobs.Go(job)
	return true
}

// carry brings a message to one recipient, again and again if it may wait.
func (r *Router) carry(out store.Outgoing, recipient int, deadline time.Time, firstRound func()) {
	delay := retryFirst
	for {
		ctx, cancel := context.WithDeadline(r.running, deadline)
		again := r.round(ctx, out, recipient)
		cancel()
		firstRound()
		firstRound = func() {}
		if !again {
			return
		}
		select {
		case <-r.running.Done():
			return // resume takes it up at the next start
		case <-time.After(min(delay, time.Until(out.Message.Expires))):
		}
		delay = min(2*delay, retryMost)
		deadline = time.Now().Add(attemptTimeout)
	}
}

// round tries the routes to one recipient once. It reports whether the message
// may be tried again later.
func (r *Router) round(ctx context.Context, out store.Outgoing, recipient int) (again bool) {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
	}
	to := &out.Recipients[recipient]
	if out.Message.Expired(time.Now()) {
		r.conclude(out, recipient, messngr.Expired, "no route before it expired")
		return false
	}
	routes := r.routesFor(to)
	if len(routes) == 0 {
		r.conclude(out, recipient, messngr.Failed, fmt.Sprintf("%v: %s", ErrNoRoute, to.Device))
		return false
	}
	for i, route := range routes {
		err := r.attempt(ctx, out, recipient, route, i == len(routes)-1)
		if !next(err) {
			return false
		}
	}
	return out.Wait
}

// next reports whether another route may be tried after err.
func next(err error) bool {
	return errors.Is(err, messngr.ErrUnavailable) || errors.Is(err, messngr.ErrUnknownName) ||
		errors.Is(err, messngr.ErrTooLong) || errors.Is(err, context.DeadlineExceeded)
}

// attempt makes one attempt by one route and records it.
func (r *Router) attempt(ctx context.Context, out store.Outgoing, recipient int, route Route, last bool) error {
	books := context.WithoutCancel(ctx) // what was done is recorded in any case
	number, err := r.cfg.Store.Begin(books, store.Attempt{
		Message: out.Message.ID, Recipient: recipient, Via: route.Via, Began: time.Now(),
	})
	if err != nil {
		r.cfg.Log.Error("record an attempt", "id", out.Message.ID, "err", err)
		return err // nothing left this host
	}
	to := out.Recipients[recipient].Device
	ev, err := r.sendParts(withAttempt(ctx, number), route, to, out.Message)
	ended := store.Attempt{Number: number, Via: route.Via, Ended: time.Now(), Evidence: ev}
	if err != nil {
		ended.Evidence.State = verdict(err, out.Wait || !last)
		ended.Failure, ended.Code = err.Error(), messngr.Code(err)
	}
	if err := r.cfg.Store.Finish(books, ended); err != nil {
		r.cfg.Log.Error("record an attempt's end", "id", out.Message.ID, "err", err)
	}
	r.evidence.raise()
	return err
}

// verdict is the state that an attempt which ended with err has shown.
func verdict(err error, more bool) messngr.State {
	switch {
	case errors.Is(err, messngr.ErrUncertain):
		return messngr.Unknown
	case next(err) && more:
		return messngr.Queued
	case errors.Is(err, messngr.ErrRefused), errors.Is(err, messngr.ErrPaused):
		return messngr.Refused
	default:
		return messngr.Failed
	}
}

// conclude records that a recipient's way has ended without another attempt.
func (r *Router) conclude(out store.Outgoing, recipient int, state messngr.State, why string) {
	ctx := context.WithoutCancel(r.running)
	a := store.Attempt{
		Message: out.Message.ID, Recipient: recipient, Began: time.Now(), Ended: time.Now(),
		Evidence: messngr.Evidence{State: state}, Failure: why, Code: state.String(),
	}
	var err error
	if a.Number, err = r.cfg.Store.Begin(ctx, a); err == nil {
		err = r.cfg.Store.Finish(ctx, a)
	}
	if err != nil {
		r.cfg.Log.Error("record the end of a message", "id", out.Message.ID, "err", err)
	}
	r.evidence.raise()
}

// resume takes up what the last run of the service left: attempts that it did
// not see the end of are Unknown, messages that may wait go on waiting, and
// those that may not have failed.
func (r *Router) resume(ctx context.Context) error {
	pending, err := r.cfg.Store.Pending(ctx)
	if err != nil {
		return err
	}
	for _, out := range pending {
		for i := range out.Recipients {
			if err := r.resumeRecipient(ctx, out, i); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Router) resumeRecipient(ctx context.Context, out store.Outgoing, i int) error {
	to := &out.Recipients[i]
	for _, a := range to.Attempts {
		if a.Ended.IsZero() {
			a.Ended, a.Evidence.State = time.Now(), messngr.Unknown
			a.Failure, a.Code = "the service was stopped during this attempt", messngr.Code(messngr.ErrUncertain)
			return r.cfg.Store.Finish(ctx, a)
		}
	}
	switch {
	case to.State() != messngr.Queued:
	case !out.Wait:
		r.conclude(out, i, messngr.Failed, "the service was stopped before it was sent")
	default:
		r.spawn(func() { r.carry(out, i, time.Now().Add(attemptTimeout), func() {}) })
	}
	return nil
}

// localSender delivers to names of this host, by way of the store alone.
type localSender struct{ r *Router }

// Send implements messngr.Sender.
func (l localSender) Send(ctx context.Context, to messngr.Device, m *messngr.Message) (messngr.Evidence, error) {
	var ev messngr.Evidence
	entry, ok := l.r.cfg.Names.Lookup(to.Name, false)
	if !ok {
		return ev, fmt.Errorf("%s: %w", to.Name, messngr.ErrUnknownName)
	}
	in := *m
	in.ID, in.Via, in.To, in.Audience = messngr.ID{}, Local, entry.Name, entry.User
	if err := l.r.take(ctx, &in, store.Incoming{Attempt: attemptOf(ctx)}); err != nil {
		return ev, err
	}
	return messngr.Evidence{State: messngr.Delivered}, nil
}

type attemptKey struct{}

// withAttempt lets the local route know which attempt it is part of, so that
// later evidence finds it.
func withAttempt(ctx context.Context, number int64) context.Context {
	return context.WithValue(ctx, attemptKey{}, number)
}

func attemptOf(ctx context.Context) int64 {
	number, _ := ctx.Value(attemptKey{}).(int64)
	return number
}
