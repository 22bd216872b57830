package router

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

// carry brings a message to one recipient, again and again if it may wait. The
// first round of attempts ends at the deadline. lost is why the recipient could
// not be found, if it could not.
func (r *Router) carry(out store.Outgoing, recipient int, lost error, deadline time.Time) {
	if lost != nil {
		r.conclude(out, recipient, messngr.Failed, lost.Error(), messngr.Code(lost))
		return
	}
	for delay := retryFirst; ; delay = min(2*delay, retryMost) {
		if expires := out.Message.Expires; !expires.IsZero() && expires.Before(deadline) {
			deadline = expires
		}
		ctx, cancel := context.WithDeadline(r.running, deadline)
		again := r.round(ctx, out, recipient)
		cancel()
		if !again {
			return
		}
		select {
		case <-r.running.Done():
			return
		case <-time.After(min(delay, time.Until(out.Message.Expires))):
		}
		deadline = time.Now().Add(attemptTimeout)
	}
}

// round tries the routes to one recipient once. It reports whether the message
// may be tried again later. What it leaves Queued because the service is about to
// stop is taken up at the next start.
func (r *Router) round(ctx context.Context, out store.Outgoing, recipient int) (again bool) {
	if out.Message.Expired(time.Now()) {
		r.conclude(out, recipient, messngr.Expired, "no route before it expired", "expired")
		return false
	}
	to := &out.Recipients[recipient]
	routes := r.routesFor(to)
	if len(routes) == 0 {
		r.conclude(out, recipient, messngr.Failed, "no route carries this to "+to.Device.String(), messngr.Code(messngr.ErrUnavailable))
		return false
	}
	if routes[0].Via != Local { // what stays here waits for nobody elsewhere
		if !r.slots.take(ctx, out.Owner) {
			if !out.Wait {
				r.conclude(out, recipient, messngr.Failed, "its turn did not come in time", messngr.Code(messngr.ErrUnavailable))
			}
			return out.Wait
		}
		defer r.slots.give(out.Owner)
	}
	for i, route := range routes {
		if r.running.Err() != nil {
			return false
		}
		o := r.attempt(ctx, out, recipient, route, again || i < len(routes)-1)
		again = out.Wait && (o.later || again && o.elsewhere)
		if !o.elsewhere {
			break
		}
	}
	return again
}

// outcome says what the end of an attempt means for the rest of the way.
type outcome struct {
	elsewhere bool // nothing was taken: another route may do
	later     bool // it may work at another time
}

func outcomeOf(err error) outcome {
	is := func(target error) bool { return errors.Is(err, target) }
	switch {
	case err == nil, is(messngr.ErrUncertain): // whatever else it is
		return outcome{}
	case is(messngr.ErrTooLong):
		return outcome{elsewhere: true}
	case is(messngr.ErrUnavailable), is(messngr.ErrUnknownName):
		return outcome{elsewhere: true, later: true}
	case is(messngr.ErrBusy), is(messngr.ErrPaused):
		return outcome{later: true}
	}
	return outcome{}
}

// attempt makes one attempt by one route and records it. alternative says that
// the message goes on if this route cannot carry it.
func (r *Router) attempt(ctx context.Context, out store.Outgoing, recipient int, route Route, alternative bool) outcome {
	books := context.WithoutCancel(ctx) // what was done is recorded in any case
	number, err := r.cfg.Store.Begin(books, store.Attempt{
		Message: out.Message.ID, Recipient: recipient, Via: route.Via, Began: time.Now(),
	})
	if err != nil {
		r.cfg.Log.Error("record an attempt", "id", out.Message.ID, "err", err)
		r.giveUp(out, recipient, err)
		return outcome{later: true} // nothing left this host
	}
	r.ledger.begin(number)
	to := out.Recipients[recipient].Device
	ev, err := r.sendParts(withAttempt(ctx, number), route, to, out.Message)
	if messngr.Code(err) == "internal" && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		// It was cut off and does not say where.
		err = fmt.Errorf("%w: %w", messngr.ErrUncertain, err)
	}
	o := outcomeOf(err)
	ended := store.Attempt{Number: number, Via: route.Via, Ended: time.Now(), Evidence: ev}
	if err != nil {
		ended.Evidence.State = verdict(err, o.elsewhere && alternative || o.later && out.Wait)
		ended.Failure, ended.Code = err.Error(), messngr.Code(err)
	}
	if err := r.cfg.Store.Finish(books, ended); err != nil {
		r.cfg.Log.Error("record an attempt's end", "id", out.Message.ID, "err", err)
	}
	if receipt, early := r.ledger.end(number); early {
		if err := r.Report(books, number, route.Via, receipt); err != nil {
			r.cfg.Log.Error("record a receipt", "id", out.Message.ID, "err", err)
		}
	}
	r.evidence.raise()
	return o
}

// verdict is the state that an attempt which ended with err has shown, if the
// message goes on or not.
func verdict(err error, goesOn bool) messngr.State {
	is := func(target error) bool { return errors.Is(err, target) }
	switch {
	case is(messngr.ErrUncertain):
		return messngr.Unknown
	case goesOn:
		return messngr.Queued
	case is(messngr.ErrRefused), is(messngr.ErrPaused), is(messngr.ErrBusy):
		return messngr.Refused
	default:
		return messngr.Failed
	}
}

// conclude records that a recipient's way has ended without another attempt.
func (r *Router) conclude(out store.Outgoing, recipient int, state messngr.State, why, code string) {
	ctx := context.WithoutCancel(r.running)
	a := store.Attempt{
		Message: out.Message.ID, Recipient: recipient, Began: time.Now(), Ended: time.Now(),
		Evidence: messngr.Evidence{State: state}, Failure: why, Code: code,
	}
	var err error
	if a.Number, err = r.cfg.Store.Begin(ctx, a); err == nil {
		err = r.cfg.Store.Finish(ctx, a)
	}
	if err != nil {
		r.cfg.Log.Error("record the end of a message", "id", out.Message.ID, "err", err)
		r.giveUp(out, recipient, err)
	}
	r.evidence.raise()
}

// recipientKey names one recipient of one message.
type recipientKey struct {
	message   messngr.ID
	recipient int
}

// giveUp remembers for Send that nothing more will be known of a recipient in this
// run of the service, since the books cannot be written.
func (r *Router) giveUp(out store.Outgoing, recipient int, why error) {
	if !out.Wait {
		r.lost.Store(recipientKey{out.Message.ID, recipient}, why)
	}
	r.evidence.raise()
}

// addLost adds what the books do not say to what they do.
func (r *Router) addLost(out *store.Outgoing) {
	for i := range out.Recipients {
		to := &out.Recipients[i]
		if why, ok := r.lost.Load(recipientKey{out.Message.ID, i}); ok && to.Open() {
			now := time.Now()
			to.Attempts = append(slices.Clone(to.Attempts), store.Attempt{
				Message: out.Message.ID, Recipient: i, Began: now, Ended: now, Evidence: messngr.Evidence{State: messngr.Failed},
				Failure: why.(error).Error(), Code: messngr.Code(why.(error)),
			})
		}
	}
}
