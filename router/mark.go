package router

import (
	"context"
	"errors"
	"time"

	"messngr"
	"messngr/store"
)

// Mark records what a person did to messages of the inbox that asker may see,
// and returns how many were there.
func (r *Router) Mark(ctx context.Context, asker messngr.Principal, mark store.Mark, ids ...messngr.ID) (int, error) {
	entries, err := r.visible(ctx, asker, ids)
	if err != nil {
		return 0, err
	}
	return r.mark(ctx, mark, entries)
}

// Delete removes messages of the inbox that asker may see.
func (r *Router) Delete(ctx context.Context, asker messngr.Principal, ids ...messngr.ID) (int, error) {
	entries, err := r.visible(ctx, asker, ids)
	if err != nil {
		return 0, err
	}
	return r.cfg.Store.Delete(ctx, idsOf(entries)...)
}

// visible returns the entries of those ids that exist and that asker may see.
func (r *Router) visible(ctx context.Context, asker messngr.Principal, ids []messngr.ID) ([]store.Entry, error) {
	var entries []store.Entry
	for _, id := range ids {
		e, err := r.cfg.Store.Entry(ctx, id)
		switch {
		case errors.Is(err, messngr.ErrNotFound):
		case err != nil:
			return nil, err
		case asker.MaySee(e.Message.Audience):
			entries = append(entries, e)
		}
	}
	return entries, nil
}

// mark marks entries, and brings the evidence to the senders of those that were
// sent from this host.
func (r *Router) mark(ctx context.Context, mark store.Mark, entries []store.Entry) (int, error) {
	now := time.Now()
	n, err := r.cfg.Store.Mark(ctx, mark, now, idsOf(entries)...)
	if err != nil {
		return n, err
	}
	for _, e := range entries {
		if e.Attempt == 0 || !e.Acknowledged.IsZero() {
			continue
		}
		var state messngr.State
		switch mark {
		case store.Shown:
			state = messngr.Displayed
		case store.Acknowledged:
			state = messngr.Acknowledged
		default:
			continue
		}
		if err := r.Report(ctx, e.Attempt, Local, messngr.Evidence{State: state}); err != nil {
			return n, err
		}
	}
	return n, nil
}

// Report records evidence that came after an attempt had ended, such as a
// receipt, and wakes those who wait for it. An attempt that the retention has
// removed is passed over.
func (r *Router) Report(ctx context.Context, attempt int64, via string, ev messngr.Evidence) error {
	err := r.cfg.Store.Finish(ctx, store.Attempt{Number: attempt, Ended: time.Now(), Via: via, Evidence: ev})
	if err != nil && !errors.Is(err, messngr.ErrNotFound) {
		return err
	}
	r.evidence.raise()
	return nil
}

func idsOf(entries []store.Entry) []messngr.ID {
	ids := make([]messngr.ID, len(entries))
	for i, e := range entries {
		ids[i] = e.Message.ID
	}
	return ids
}
