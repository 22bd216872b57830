package router

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"messngr"
	"messngr/store"
)

// Mark records what asker did to messages of the inbox that asker may see, and
// returns how many were there. Everybody reads for himself.
func (r *Router) Mark(ctx context.Context, asker messngr.Principal, mark store.Mark, ids ...messngr.ID) (int, error) {
	seen, err := r.visible(ctx, asker, ids)
	if err != nil {
		return 0, err
	}
	return r.mark(ctx, mark, asker.Login, seen)
}

// Delete removes messages of the inbox that asker may see, and returns how many
// were there. What is for the machine is removed for asker alone, and stays for
// all others, unless asker DeletesForAll.
func (r *Router) Delete(ctx context.Context, asker messngr.Principal, ids ...messngr.ID) (int, error) {
	seen, err := r.visible(ctx, asker, ids)
	if err != nil {
		return 0, err
	}
	var shared []sighting
	if !r.DeletesForAll(asker) {
		own := make([]sighting, 0, len(seen))
		for _, s := range seen {
			if s.audience == "" {
				shared = append(shared, s)
			} else {
				own = append(own, s)
			}
		}
		seen = own
	}
	if len(shared) > 0 && asker.Login == "" {
		return 0, fmt.Errorf("%w: it is for the machine, and somebody without a login name has no list of his own to delete it from", messngr.ErrRefused)
	}
	n, err := r.cfg.Store.Delete(ctx, idsOf(seen)...)
	if err != nil || len(shared) == 0 {
		return n, err
	}
	discarded, err := r.cfg.Store.Mark(ctx, store.Discarded, asker.Login, time.Now(), idsOf(shared)...)
	return n + discarded, err
}

// DeletesForAll reports whether what asker deletes of the machine's messages is
// deleted for everybody.
func (r *Router) DeletesForAll(asker messngr.Principal) bool {
	return asker.Admin || r.cfg.Rights.Delete
}

// sighting is what has to be known of a message to mark it.
type sighting struct {
	id       messngr.ID
	audience string
	// attempt is the one that brought it, if its sender is to hear of the mark.
	attempt int64
}

func sightingOf(e store.Entry) sighting { return sighting{e.Message.ID, e.Message.Audience, e.Attempt} }

// visible returns those of the messages that exist, that asker may see, and that asker
// has not deleted for himself.
func (r *Router) visible(ctx context.Context, asker messngr.Principal, ids []messngr.ID) ([]sighting, error) {
	var seen []sighting
	for _, id := range ids {
		e, err := r.cfg.Store.Entry(ctx, id, asker.Login)
		switch {
		case errors.Is(err, messngr.ErrNotFound):
		case err != nil:
			return nil, err
		case asker.MaySee(e.Message.Audience):
			seen = append(seen, sightingOf(e))
		}
	}
	return seen, nil
}

func idsOf(seen []sighting) []messngr.ID {
	ids := make([]messngr.ID, len(seen))
	for i, s := range seen {
		ids[i] = s.id
	}
	return ids
}

// mark marks messages, and brings the evidence to the senders of those that were
// sent from this host.
func (r *Router) mark(ctx context.Context, mark store.Mark, reader string, seen []sighting) (int, error) {
	n, err := r.cfg.Store.Mark(ctx, mark, reader, time.Now(), idsOf(seen)...)
	if err != nil {
		return 0, err
	}
	for _, s := range seen {
		if s.attempt == 0 {
			continue
		}
		if err := r.tell(ctx, s); err != nil {
			return n, err
		}
	}
	return n, nil
}

// tell reports to the sender what the books say of a message of this host: what the
// person did whom it is for, or anybody if it is for the machine.
func (r *Router) tell(ctx context.Context, s sighting) error {
	e, err := r.cfg.Store.Entry(ctx, s.id, s.audience)
	switch {
	case errors.Is(err, messngr.ErrNotFound):
		return nil // it was deleted
	case err != nil:
		return err
	case !e.Acknowledged.IsZero():
		return r.Report(ctx, s.attempt, Local, messngr.Evidence{State: messngr.Acknowledged})
	case !e.Shown.IsZero() || !e.Read.IsZero():
		return r.Report(ctx, s.attempt, Local, messngr.Evidence{State: messngr.Displayed})
	}
	return nil
}

// Report records evidence that came apart from the end of its attempt, such as a
// receipt, and wakes those who wait for it. It replaces what was known of the
// attempt, unless it says less. An attempt that the retention has removed is passed
// over.
func (r *Router) Report(ctx context.Context, attempt int64, via string, ev messngr.Evidence) error {
	if r.ledger.hold(attempt, ev) {
		return nil
	}
	err := r.cfg.Store.Finish(ctx, store.Attempt{Number: attempt, Ended: time.Now(), Via: via, Evidence: ev})
	if err != nil && !errors.Is(err, messngr.ErrNotFound) {
		return err
	}
	r.evidence.raise()
	return nil
}

// ledger keeps the order of evidence: a receipt may be here before the attempt
// that it belongs to has been recorded as ended, and then it waits for that.
type ledger struct {
	mu      sync.Mutex
	running map[int64]messngr.Evidence // attempt -> the best receipt so far
}

func (l *ledger) begin(attempt int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running[attempt] = messngr.Evidence{}
}

// hold keeps a receipt for an attempt that runs; it reports whether it does.
func (l *ledger) hold(attempt int64, receipt messngr.Evidence) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	known, runs := l.running[attempt]
	if runs && receipt.State > known.State {
		l.running[attempt] = receipt
	}
	return runs
}

// end ends an attempt, and returns the receipt that was early.
func (l *ledger) end(attempt int64) (receipt messngr.Evidence, early bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	receipt = l.running[attempt]
	delete(l.running, attempt)
	return receipt, receipt.State != messngr.Queued
}
