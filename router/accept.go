package router

import (
	"context"
	"errors"
	"fmt"
	"time"

	"messngr"
	"messngr/router/copies"
	"messngr/store"
)

// Accept implements messngr.Accept.
func (r *Router) Accept(ctx context.Context, in messngr.Inbound) (messngr.Results, error) {
	results := make(messngr.Results, len(in.To))
	var taken bool
	var failed error
	for i, to := range in.To {
		err := r.accept(ctx, &in, i)
		results[i] = messngr.Result{To: to, Err: err}
		r.count(err)
		if err == nil {
			taken = true
		} else if failed == nil {
			failed = err
		}
	}
	switch {
	case taken:
		return results, nil
	case failed == nil:
		failed = fmt.Errorf("no recipient: %w", messngr.ErrUnknownName)
	}
	return results, failed
}

func (r *Router) count(err error) {
	switch {
	case err == nil:
	case errors.Is(err, messngr.ErrUnknownName):
		r.counters.UnknownName.Add(1)
	case errors.Is(err, messngr.ErrBusy):
		r.counters.Busy.Add(1)
	case errors.Is(err, messngr.ErrRefused), errors.Is(err, messngr.ErrPaused):
		r.counters.Refused.Add(1)
	default:
		r.counters.Failed.Add(1)
	}
}

// accept takes the message for one of its recipients.
func (r *Router) accept(ctx context.Context, in *messngr.Inbound, recipient int) error {
	if r.paused.Load() {
		return messngr.ErrPaused
	}
	to := in.To[recipient]
	entry, ok := r.cfg.Names.Lookup(to, in.Group)
	if !ok {
		return fmt.Errorf("%s: %w", to, messngr.ErrUnknownName)
	}
	m := in.Message
	m.Audience = entry.User
	if m.From.Trust == messngr.Unverified {
		m.Level = min(m.Level, messngr.LevelNotice)
	}
	keep := func() error {
		judgement, err := r.cfg.Policy.Judge(&m)
		if err != nil {
			return err
		}
		m.Warning = judgement.Warning
		incoming := store.Incoming{Message: &m, Origin: in.Origin, Quiet: judgement.Quiet}
		if in.Origin != "" && recipient > 0 {
			incoming.Origin = messngr.Origin(fmt.Sprintf("%s#%d", in.Origin, recipient))
		}
		return r.take(ctx, incoming)
	}
	if in.Route == "" {
		return keep()
	}
	// Copies are no messages to the limits of the policy.
	copied, err := r.copies.Once(ctx, copies.KeyOf(m.From.Claimed, to, m.Text), in.Route, keep)
	if copied {
		r.counters.Copies.Add(1)
	}
	if err != nil && err == ctx.Err() {
		return unavailable(err)
	}
	return err
}

// take gives the message its id and time and stores it.
func (r *Router) take(ctx context.Context, in store.Incoming) error {
	m := in.Message
	if len(m.Text) > messngr.MaxText {
		return &messngr.TooLongError{Limit: messngr.MaxText, Length: len(m.Text)}
	}
	var err error
	if m.ID, err = messngr.NewID(); err != nil {
		return unavailable(err)
	}
	m.Time = time.Now()
	_, repeated, err := r.cfg.Store.Take(ctx, in)
	if ctx.Err() == nil {
		r.note(err)
	}
	switch {
	case err != nil:
		return unavailable(err)
	case repeated:
		r.counters.Repeated.Add(1)
		return nil
	}
	r.countTaken()
	r.arrive.raise()
	return nil
}

// note says in the log when the store begins to fail, and when it works again. Senders
// hear of it, if their protocol has a word for it; but who looks after this host has to.
func (r *Router) note(err error) {
	switch failing := err != nil; {
	case r.failing.Swap(failing) == failing:
	case failing:
		r.cfg.Log.Error("messages cannot be kept", "err", err)
	default:
		r.cfg.Log.Info("messages are kept again")
	}
}
