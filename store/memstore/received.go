package memstore

import (
	"cmp"
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
	s.seqs[m.ID] = e.Seq
	e.Message = m
	return e, false, nil
}

// find returns the index of a received message, or -1.
func (s *Store) find(id messngr.ID) int {
	seq, ok := s.seqs[id]
	if !ok {
		return -1
	}
	i, _ := slices.BinarySearchFunc(s.received, seq, func(e store.Entry, seq int64) int { return cmp.Compare(e.Seq, seq) })
	return i
}

// keep removes the received messages that keep does not want, and returns how many.
func (s *Store) keep(keep func(i int, e *store.Entry) bool) int {
	before := len(s.received)
	s.received = filter(s.received, func(i int, e *store.Entry) bool {
		if keep(i, e) {
			return true
		}
		delete(s.seqs, e.Message.ID)
		delete(s.readings, e.Seq)
		return false
	})
	return before - len(s.received)
}

// as returns the entry with the marks of a reader.
func (s *Store) as(reader string, e store.Entry) store.Entry {
	if reader != "" {
		r := s.readings[e.Seq][reader]
		e.Read, e.Acknowledged = r.read, r.acknowledged
	}
	return e
}

// discarded reports whether the reader wants to see the entry no more.
func (s *Store) discarded(reader string, e *store.Entry) bool {
	return reader != "" && s.readings[e.Seq][reader].discarded
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
		if s.discarded(q.Reader, &e) {
			continue
		}
		e = s.as(q.Reader, e)
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
func (s *Store) Entry(ctx context.Context, id messngr.ID, reader string) (e store.Entry, err error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return e, err
	}
	defer leave()
	i := s.find(id)
	if i < 0 || s.discarded(reader, &s.received[i]) {
		return e, notFound(id)
	}
	return s.as(reader, s.received[i]), nil
}

// Mark implements store.Store.
func (s *Store) Mark(ctx context.Context, mark store.Mark, reader string, at time.Time, ids ...messngr.ID) (int, error) {
	if mark > store.Discarded {
		return 0, fmt.Errorf("store: unknown mark %d", mark)
	}
	leave, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	marked := make(map[messngr.ID]bool)
	for _, id := range ids {
		if i := s.find(id); i >= 0 && !marked[id] {
			marked[id] = true
			s.set(&s.received[i], mark, reader, micro(at))
		}
	}
	return len(marked), nil
}

func (s *Store) set(e *store.Entry, mark store.Mark, reader string, at time.Time) {
	once := func(times ...*time.Time) {
		for _, t := range times {
			if t.IsZero() {
				*t = at
			}
		}
	}
	if s.readings[e.Seq] == nil {
		s.readings[e.Seq] = make(map[string]reading)
	}
	r := s.readings[e.Seq][reader]
	switch mark {
	case store.Shown:
		once(&e.Shown)
	case store.Read:
		once(&e.Read, &r.read)
	case store.Unread:
		r.read, e.Read = time.Time{}, time.Time{}
		for other, o := range s.readings[e.Seq] {
			if other != reader && !o.read.IsZero() && (e.Read.IsZero() || o.read.Before(e.Read)) {
				e.Read = o.read
			}
		}
	case store.Acknowledged:
		once(&e.Acknowledged, &r.acknowledged)
	case store.Discarded:
		r.discarded = true
	}
	s.readings[e.Seq][reader] = r
}

// Expire implements store.Store.
func (s *Store) Expire(ctx context.Context, at time.Time, attempts ...int64) ([]store.Entry, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	var ended []store.Entry
	for i := range s.received {
		e := &s.received[i]
		if e.Attempt == 0 || !slices.Contains(attempts, e.Attempt) {
			continue
		}
		if !e.Message.Expired(at) {
			m := *e.Message // the old one may be in others' hands
			m.Expires = micro(at)
			e.Message = &m
		}
		ended = append(ended, *e)
	}
	return ended, nil
}

// Delete implements store.Store.
func (s *Store) Delete(ctx context.Context, ids ...messngr.ID) (int, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	gone := make(map[messngr.ID]bool, len(ids))
	for _, id := range ids {
		gone[id] = true
	}
	return s.keep(func(_ int, e *store.Entry) bool { return !gone[e.Message.ID] }), nil
}

// Counts implements store.Store.
func (s *Store) Counts(ctx context.Context, audiences []string, reader string) (total, unread int, err error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer leave()
	for _, e := range s.received {
		if !among(audiences, e.Message.Audience) || s.discarded(reader, &e) {
			continue
		}
		total++
		if s.as(reader, e).Read.IsZero() {
			unread++
		}
	}
	return total, unread, nil
}
