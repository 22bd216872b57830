package router

import (
	"context"
	"sync"
	"time"

	"messngr/store"
)

const (
	// markDelay and markBatch say how many messages' marks share one flush to
	// the disk. After a crash those may be shown again, with the same id.
	markDelay = 200 * time.Millisecond
	markBatch = 500
	// markRetry is when marks are written again that could not be written.
	markRetry = 5 * time.Second
)

// marks remembers what a display has shown until it is written down. It is
// written also while the display hangs with the next message.
type marks struct {
	r       *Router
	display string

	mu     sync.Mutex
	seen   []sighting
	timer  *time.Timer
	closed bool
}

func (m *marks) add(seen ...sighting) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen = append(m.seen, seen...)
	switch {
	case len(m.seen) >= markBatch:
		_ = m.write() // which has arranged to try it again
	case m.timer == nil:
		m.arm(markDelay)
	}
}

// flush writes everything down now.
func (m *marks) flush() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.write()
}

// close flushes and ends.
func (m *marks) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	_ = m.write()
}

// arm has the marks written after a delay. The caller holds mu.
func (m *marks) arm(delay time.Duration) {
	if !m.closed {
		m.timer = time.AfterFunc(delay, func() { _ = m.flush() })
	}
}

// write writes everything down, or arranges for another time. The caller holds mu.
func (m *marks) write() error {
	if m.timer != nil {
		m.timer.Stop()
		m.timer = nil
	}
	if len(m.seen) == 0 {
		return nil
	}
	// The service may be about to stop, but this has to be known next time.
	if _, err := m.r.mark(context.WithoutCancel(m.r.running), store.Shown, "", m.seen); err != nil {
		m.r.cfg.Log.Error("mark messages as shown", "display", m.display, "err", err)
		m.arm(markRetry)
		return err
	}
	m.seen = m.seen[:0]
	return nil
}
