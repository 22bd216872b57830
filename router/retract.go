package router

import (
	"context"
	"errors"
	"fmt"
	"time"

	"messngr"
	"messngr/store"
)

// Retract takes back a message that asker sent: what it brought to people of this host
// has no meaning from now on. It stays in their inboxes, where they may have read it, and
// leaves their screens. It returns those messages, and the recipients for whom it is out
// of reach: they got it from another machine, or may still get it.
// messngr.ErrNotFound if asker has sent no such message.
func (r *Router) Retract(ctx context.Context, asker messngr.Principal, id messngr.ID) (ended []store.Entry, beyond []string, err error) {
	out, err := r.cfg.Store.SentMessage(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	if !asker.Admin && out.Owner != asker.Login {
		return nil, nil, fmt.Errorf("message %v: %w", id, messngr.ErrNotFound)
	}
	var local []store.Attempt
	for i := range out.Recipients {
		to := &out.Recipients[i]
		elsewhere := to.Open()
		for _, a := range to.Attempts {
			if a.Via == Local {
				local = append(local, a)
			} else if s := a.Evidence.State; s == messngr.Unknown || s.Reached(messngr.Sent) {
				elsewhere = true
			}
		}
		if elsewhere {
			beyond = append(beyond, to.To)
		}
	}
	numbers := make([]int64, len(local))
	for i, a := range local {
		numbers[i] = a.Number
	}
	if ended, err = r.cfg.Store.Expire(ctx, time.Now(), numbers...); err != nil {
		return nil, nil, err
	}
	for _, a := range local {
		if a.Evidence.State.Reached(messngr.Delivered) {
			ev := a.Evidence
			ev.Detail = "taken back"
			err = errors.Join(err, r.Report(ctx, a.Number, Local, ev))
		}
	}
	return ended, beyond, err
}
