package memstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"messngr"
	"messngr/store"
)

// Take implements store.Store.
func (s *Store) Take(ctx context.Context, in store.Incoming) (e store.Entry, duplicate bool, err error) {
	if err := check(in.Message); err != nil {
		return e, false, err
	}
	leave, err := s.enter(ctx)
	if err != nil {
		return e, false, err
	}
	defer leave()
	m := in.Message
	if f, ok := s.origins[in.Origin]; ok {
		if i := s.find(f.id); i >= 0 {
			return s.received[i], true, nil
		}
		return store.Entry{Seq: f.seq, Message: &messngr.Message{ID: f.id, Time: f.time}}, true, nil
	}
	if s.find(m.ID) >= 0 {
		return e, false, thereAlready(m.ID)
	}
	s.lastReceived++
	e = store.Entry{Seq: s.lastReceived, Message: kept(m), Quiet: in.Quiet, Attempt: in.Attempt}
	if in.Origin != "" {
		s.origins[in.Origin] = first{e.Seq, m.ID, e.Message.Time}
	}
	s.received = append(s.received, e)
	e.Message = m
	return e, false, nil
}

// find returns the index of a received message, or -1.
func (s *Store) find(id messngr.ID) int {
	return slices.IndexFunc(s.received, func(e store.Entry) bool { return e.Message.ID == id })
}

// Inbox implements store.Store.
func (s *Store) Inbox(ctx context.Context, q store.Query) ([]store.Entry, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	var list []store.Entry
	for _, e := range s.received {
		if q.Unread && !e.Read.IsZero() || q.Unshown && !e.Shown.IsZero() {
			continue
		}
		if inRange(&q, e.Seq) && among(q.Audiences, e.Message.Audience) && matches(&q, e.Message, e.Message.To) {
			list = append(list, e)
		}
	}
	return cut(&q, list), nil
}

func inRange(q *store.Query, seq int64) bool {
	return seq > q.After && (q.Before == 0 || seq < q.Before)
}

func among(audiences []string, audience string) bool {
	return audiences == nil || slices.Contains(audiences, audience)
}

// cut puts list, which is the oldest first, in the order of the query and
// shortens it.
func cut[T any](q *store.Query, list []T) []T {
	if !q.Oldest {
		slices.Reverse(list)
	}
	return list[:min(len(list), q.Max())]
}

// Entry implements store.Store.
func (s *Store) Entry(ctx context.Context, id messngr.ID) (e store.Entry, err error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return e, err
	}
	defer leave()
	i := s.find(id)
	if i < 0 {
		return e, notFound(id)
	}
	return s.received[i], nil
}

// Mark implements store.Store.
func (s *Store) Mark(ctx context.Context, mark store.Mark, at time.Time, ids ...messngr.ID) (int, error) {
	if mark > store.Acknowledged {
		return 0, fmt.Errorf("store: unknown mark %d", mark)
	}
	leave, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	n := 0
	for i := range s.received {
		if e := &s.received[i]; slices.Contains(ids, e.Message.ID) {
			set(e, mark, micro(at))
			n++
		}
	}
	return n, nil
}

func set(e *store.Entry, mark store.Mark, at time.Time) {
	once := func(t *time.Time) {
		if t.IsZero() {
			*t = at
		}
	}
	switch mark {
	case store.Shown:
		once(&e.Shown)
	case store.Read:
		once(&e.Read)
	case store.Unread:
		e.Read = time.Time{}
	case store.Acknowledged:
		once(&e.Acknowledged)
	}
}

// Delete implements store.Store.
func (s *Store) Delete(ctx context.Context, ids ...messngr.ID) (int, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	before := len(s.received)
	s.received = slices.DeleteFunc(s.received, func(e store.Entry) bool {
		return slices.Contains(ids, e.Message.ID)
	})
	return before - len(s.received), nil
}

// Counts implements store.Store.
func (s *Store) Counts(ctx context.Context, audiences []string) (total, unread int, err error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer leave()
	for _, e := range s.received {
		if !among(audiences, e.Message.Audience) {
			continue
		}
		total++
		if e.Read.IsZero() {
			unread++
		}
	}
	return total, unread, nil
}
