package memstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"messngr"
	"messngr/store"
)

// Queue implements store.Store.
func (s *Store) Queue(ctx context.Context, out store.Outgoing) error {
	if err := check(out.Message); err != nil {
		return err
	}
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if s.findSent(out.Message.ID) != nil {
		return thereAlready(out.Message.ID)
	}
	s.lastSent++
	out.Seq, out.Message = s.lastSent, kept(out.Message)
	out.Recipients = slices.Clone(out.Recipients)
	for i := range out.Recipients {
		out.Recipients[i].Attempts = nil
	}
	s.sent = append(s.sent, out)
	return nil
}

func (s *Store) findSent(id messngr.ID) *store.Outgoing {
	for i := range s.sent {
		if s.sent[i].Message.ID == id {
			return &s.sent[i]
		}
	}
	return nil
}

// Begin implements store.Store.
func (s *Store) Begin(ctx context.Context, a store.Attempt) (int64, error) {
	if a.Began.IsZero() {
		return 0, errors.New("store: an attempt at no time")
	}
	leave, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	o := s.findSent(a.Message)
	if o == nil || a.Recipient < 0 || a.Recipient >= len(o.Recipients) {
		return 0, fmt.Errorf("store: recipient %d of message %v: %w", a.Recipient, a.Message, messngr.ErrNotFound)
	}
	s.lastAttempt++
	to := &o.Recipients[a.Recipient]
	to.Attempts = append(to.Attempts, store.Attempt{
		Number: s.lastAttempt, Message: a.Message, Recipient: a.Recipient, Via: a.Via, Began: micro(a.Began),
	})
	return s.lastAttempt, nil
}

// Finish implements store.Store.
func (s *Store) Finish(ctx context.Context, a store.Attempt) error {
	if a.Ended.IsZero() {
		return errors.New("store: an attempt that ended at no time")
	}
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	known := s.findAttempt(a.Number)
	if known == nil {
		return fmt.Errorf("store: attempt %d: %w", a.Number, messngr.ErrNotFound)
	}
	if !known.Yields(a.Evidence.State) {
		return nil
	}
	if a.Via != "" {
		known.Via = a.Via
	}
	known.Ended, known.Evidence, known.Code, known.Failure = micro(a.Ended), a.Evidence, a.Code, a.Failure
	return nil
}

func (s *Store) findAttempt(number int64) *store.Attempt {
	for _, o := range s.sent {
		for _, r := range o.Recipients {
			for i := range r.Attempts {
				if r.Attempts[i].Number == number {
					return &r.Attempts[i]
				}
			}
		}
	}
	return nil
}

// Sent implements store.Store.
func (s *Store) Sent(ctx context.Context, q store.Query) ([]store.Outgoing, error) {
	list, err := s.selectSent(ctx, func(o *store.Outgoing) bool {
		return inRange(&q, o.Seq) && among(q.Audiences, o.Owner) && matches(&q, o.Message, recipients(o))
	})
	return cut(&q, list), err
}

// recipients returns the names by which a message was addressed, for searching.
func recipients(o *store.Outgoing) string {
	names := []string{o.Message.To}
	for _, r := range o.Recipients {
		names = append(names, r.To)
	}
	return strings.Join(names, " ")
}

// SentMessage implements store.Store.
func (s *Store) SentMessage(ctx context.Context, id messngr.ID) (store.Outgoing, error) {
	list, err := s.selectSent(ctx, func(o *store.Outgoing) bool { return o.Message.ID == id })
	if err == nil && len(list) == 0 {
		err = notFound(id)
	}
	if err != nil {
		return store.Outgoing{}, err
	}
	return list[0], nil
}

// Pending implements store.Store.
func (s *Store) Pending(ctx context.Context) ([]store.Outgoing, error) {
	return s.selectSent(ctx, pending)
}

func pending(o *store.Outgoing) bool {
	return slices.ContainsFunc(o.Recipients, func(r store.Recipient) bool { return r.Open() })
}

// selectSent returns copies of the sent messages that are wanted, the oldest
// first.
func (s *Store) selectSent(ctx context.Context, wanted func(*store.Outgoing) bool) ([]store.Outgoing, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	var list []store.Outgoing
	for _, o := range s.sent {
		if !wanted(&o) {
			continue
		}
		o.Recipients = slices.Clone(o.Recipients)
		for i := range o.Recipients {
			o.Recipients[i].Attempts = slices.Clone(o.Recipients[i].Attempts)
		}
		list = append(list, o)
	}
	return list, nil
}
