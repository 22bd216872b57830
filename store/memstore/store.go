// Package memstore keeps messages in memory, for tests and for hosts that shall
// keep nothing: it makes every promise of a store.Store but the one to outlive
// the process.
package memstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"messngr"
	"messngr/store"
)

// Store is a store.Store in memory. New returns it.
type Store struct {
	mu       sync.Mutex
	closed   bool
	received []store.Entry // by Seq; the marks are anybody's
	seqs     map[messngr.ID]int64
	readings map[int64]map[string]reading // by Seq and reader
	sent     []store.Outgoing
	origins  map[messngr.Origin]first
	settings map[string]map[string]string
	// The last numbers given.
	lastReceived, lastSent, lastAttempt int64
}

// reading is when one person read and acknowledged one message; zero: not.
type reading struct {
	read, acknowledged time.Time
	discarded          bool
}

// first is what is remembered of the hand-over that had an origin first.
type first struct {
	seq  int64
	id   messngr.ID
	time time.Time
}

var _ store.Store = (*Store)(nil)

var errClosed = fmt.Errorf("store: closed: %w", messngr.ErrUnavailable)

// New returns an empty store.
func New() *Store {
	return &Store{
		origins:  make(map[messngr.Origin]first),
		seqs:     make(map[messngr.ID]int64),
		readings: make(map[int64]map[string]reading),
		settings: make(map[string]map[string]string),
	}
}

// enter locks the store, unless ctx has ended or the store is closed.
func (s *Store) enter(ctx context.Context) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, errClosed
	}
	return s.mu.Unlock, nil
}

// Close implements store.Store.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

func check(m *messngr.Message) error {
	if m.ID == uuid.Nil || m.Time.IsZero() {
		return errors.New("store: a message without an id or a time")
	}
	return nil
}

// kept returns a copy of m as a store gives it back.
func kept(m *messngr.Message) *messngr.Message {
	k := *m
	k.Time, k.Expires = micro(m.Time), micro(m.Expires)
	k.Answers = nil
	if len(m.Answers) > 0 {
		k.Answers = slices.Clone(m.Answers)
	}
	return &k
}

// micro returns t as a store gives it back.
func micro(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMicro(t.UnixMicro()).UTC()
}

func notFound(id messngr.ID) error {
	return fmt.Errorf("store: message %v: %w", id, messngr.ErrNotFound)
}

func thereAlready(id messngr.ID) error {
	return fmt.Errorf("store: message %v is there already", id)
}

// Settings implements store.Store.
func (s *Store) Settings(ctx context.Context, kind string) (map[string]string, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	values := make(map[string]string)
	for key, value := range s.settings[kind] {
		values[key] = value
	}
	return values, nil
}

// Set implements store.Store.
func (s *Store) Set(ctx context.Context, kind, key, value string) error {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if s.settings[kind] == nil {
		s.settings[kind] = make(map[string]string)
	}
	s.settings[kind][key] = value
	return nil
}

// Unset implements store.Store.
func (s *Store) Unset(ctx context.Context, kind, key string) (bool, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	_, was := s.settings[kind][key]
	delete(s.settings[kind], key)
	return was, nil
}

// Prune implements store.Store.
func (s *Store) Prune(ctx context.Context, r store.Retention, now time.Time) (int, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	before := len(s.received) + len(s.sent)
	tooOld := func(t time.Time) bool { return r.Age > 0 && t.Before(now.Add(-r.Age)) }
	young := func(m *messngr.Message) bool { return !tooOld(m.Time) && !m.Time.After(now) }
	tooMuch := func(i, n int) bool { return r.Count > 0 && i < n-r.Count }

	n, seen := len(s.received), false
	s.keep(func(i int, e *store.Entry) bool {
		seen = seen || young(e.Message)
		return (seen || !tooOld(e.Message.Time)) && !tooMuch(i, n)
	})
	n, seen = len(s.sent), false
	s.sent = filter(s.sent, func(i int, o *store.Outgoing) bool {
		seen = seen || young(o.Message)
		return pending(o) || (seen || !tooOld(o.Message.Time)) && !tooMuch(i, n)
	})
	for origin, f := range s.origins {
		if f.time.Before(now.Add(-store.OriginAge)) {
			delete(s.origins, origin)
		}
	}
	return before - len(s.received) - len(s.sent), nil
}

func filter[T any](list []T, keep func(int, *T) bool) []T {
	var out []T
	for i := range list {
		if keep(i, &list[i]) {
			out = append(out, list[i])
		}
	}
	return out
}
