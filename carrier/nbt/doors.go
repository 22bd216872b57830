package nbt

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// maxSessions and maxSessionsPerSource are how many sessions are open at once, on
	// all interfaces together. One costs about 10 kB. A host may send a burst of 2,000
	// messages, each in a session of its own.
	maxSessions          = 4096
	maxSessionsPerSource = 2048
	// patience is how long a session may be silent although others wait to get in.
	patience = 100 * time.Millisecond
)

// doors let sessions in and out. When there is no room, the session that has been silent
// for longest has to leave: who opens sessions to say nothing keeps nobody out.
type doors struct {
	mu      sync.Mutex
	open    map[*session]netip.Addr
	sources map[netip.Addr]int
}

func newDoors() doors {
	return doors{open: make(map[*session]netip.Addr), sources: make(map[netip.Addr]int)}
}

// enter lets a session in. It reports false if there is no room.
func (d *doors) enter(s *session) bool {
	source := s.Remote().Addr()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sources[source] >= maxSessionsPerSource && !d.showOut(func(from netip.Addr) bool { return from == source }) {
		return false
	}
	if len(d.open) >= maxSessions && !d.showOut(func(netip.Addr) bool { return true }) {
		return false
	}
	d.open[s] = source
	d.sources[source]++
	return true
}

// showOut ends the session that has been silent for longest, of those from some sources.
func (d *doors) showOut(from func(netip.Addr) bool) bool {
	var silent *session
	since := time.Now().Add(-patience).UnixNano()
	for s, source := range d.open {
		if began := s.silentSince.Load(); began > 0 && began < since && from(source) {
			silent, since = s, began
		}
	}
	if silent == nil || !silent.showOut(since) {
		return false
	}
	d.remove(silent)
	return true
}

// leave lets a session out. It does nothing if it was shown out before.
func (d *doors) leave(s *session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.remove(s)
}

func (d *doors) remove(s *session) {
	source, ok := d.open[s]
	if !ok {
		return
	}
	delete(d.open, s)
	if d.sources[source]--; d.sources[source] == 0 {
		delete(d.sources, source)
	}
}
