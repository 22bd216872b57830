package router

import (
	"context"
	"sync"
)

const (
	// maxAttempts is how many attempts to reach devices run at once.
	maxAttempts = 256
	// maxAttemptsOfOne is how many of them are of one sender, so that a long list of
	// machines that do not answer keeps nobody else waiting.
	maxAttemptsOfOne = 64
)

// slots are the places in which attempts run.
type slots struct {
	all   chan struct{}
	mu    sync.Mutex
	owner map[string]chan struct{} // of everybody who has sent something
}

func newSlots() *slots {
	return &slots{all: make(chan struct{}, maxAttempts), owner: make(map[string]chan struct{})}
}

// take waits for a slot; it reports false if ctx ends before.
func (s *slots) take(ctx context.Context, owner string) bool {
	own := s.of(owner)
	select {
	case own <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	select {
	case s.all <- struct{}{}:
		return true
	case <-ctx.Done():
		<-own
		return false
	}
}

// give gives back what take took.
func (s *slots) give(owner string) {
	<-s.all
	<-s.of(owner)
}

func (s *slots) of(owner string) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	own, ok := s.owner[owner]
	if !ok {
		own = make(chan struct{}, maxAttemptsOfOne)
		s.owner[owner] = own
	}
	return own
}
