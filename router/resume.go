package router

import (
	"context"
	"time"

	"messngr"
	"messngr/store"
)

// resume takes up what the last run of the service left: attempts that it did
// not see the end of are Unknown, messages that may wait go on waiting, and
// those that may not have failed.
func (r *Router) resume(ctx context.Context) error {
	pending, err := r.cfg.Store.Pending(ctx)
	if err != nil {
		return err
	}
	close(r.resumed) // what is queued from now on is no business of resume
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
	for n := range to.Attempts {
		a := &to.Attempts[n]
		if !a.Ended.IsZero() {
			continue
		}
		a.Ended, a.Evidence.State = time.Now(), messngr.Unknown
		a.Failure, a.Code = "the service was stopped during this attempt", messngr.Code(messngr.ErrUncertain)
		if err := r.cfg.Store.Finish(ctx, *a); err != nil {
			return err
		}
	}
	switch {
	case to.State() != messngr.Queued:
	case out.Wait:
		r.spawn(func() { r.carry(out, i, nil, time.Now().Add(attemptTimeout)) })
	default:
		r.conclude(out, i, messngr.Failed, "the service was stopped before it was sent", messngr.Code(messngr.ErrUnavailable))
	}
	return nil
}
