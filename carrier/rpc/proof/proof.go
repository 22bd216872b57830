// Package proof decides what may be sent to addresses that anybody may have forged: who has
// answered a callback has proven where it is. Nothing of it is for two goroutines at once.
package proof

import (
	"hash/maphash"
	"net/netip"
	"time"
)

const (
	// Time is how long an address counts as proven after it has answered a
	// callback, and how long a client may go on with its activity without another.
	Time = 60 * time.Second
	// maxAddresses bounds how many addresses are remembered, of each kind.
	maxAddresses = 4096
)

// A Purpose is what a packet to an address is for that has not proven itself.
type Purpose uint8

// The purposes.
const (
	// Ask is a callback for a call that has just arrived.
	Ask Purpose = iota
	// AskAgain is one for a call that was repeated after a while. A forger who
	// floods us with ever new calls never repeats one; a client whose call got lost
	// among them does.
	AskAgain
	// Complain is for everything else.
	Complain
	purposes
)

// allowance is how many packets for a purpose an address gets at once, and in a second.
func (p Purpose) allowance() (burst, rate float64) {
	switch p {
	case AskAgain:
		return 50, 50
	default:
		return 10, 10
	}
}

// Limits decide what may be sent to addresses that anybody may have forged. An address
// that has answered a callback has proven itself, and is not limited for a while. There
// is no limit for all addresses together, so that no one can use up another's.
type Limits struct {
	proofs  map[netip.Addr]time.Time
	buckets map[netip.Addr]*bucket
}

type bucket struct {
	filled time.Time
	tokens [purposes]float64
}

// NewLimits returns limits for addresses of which none has proven itself.
func NewLimits() *Limits {
	return &Limits{proofs: make(map[netip.Addr]time.Time), buckets: make(map[netip.Addr]*bucket)}
}

// Prove notes that somebody at addr has answered a callback. It reports whether addr had
// not been proven.
func (l *Limits) Prove(addr netip.Addr, now time.Time) bool {
	news := !l.Proven(addr, now)
	if len(l.proofs) >= maxAddresses {
		forgetOne(l.proofs)
	}
	l.proofs[addr] = now
	delete(l.buckets, addr)
	return news
}

// Proven reports whether addr has proven itself not too long ago.
func (l *Limits) Proven(addr netip.Addr, now time.Time) bool {
	at, ok := l.proofs[addr]
	return ok && now.Sub(at) < Time
}

// Allow reports whether another packet for that purpose may be sent to addr.
func (l *Limits) Allow(addr netip.Addr, p Purpose, now time.Time) bool {
	if l.Proven(addr, now) {
		return true
	}
	b := l.buckets[addr]
	if b == nil {
		if len(l.buckets) >= maxAddresses {
			forgetOne(l.buckets)
		}
		b = &bucket{filled: now}
		for p := range purposes {
			b.tokens[p], _ = p.allowance()
		}
		l.buckets[addr] = b
	}
	passed := now.Sub(b.filled).Seconds()
	b.filled = now
	for p := range purposes {
		burst, rate := p.allowance()
		b.tokens[p] = min(burst, b.tokens[p]+passed*rate)
	}
	if b.tokens[p] < 1 {
		return false
	}
	b.tokens[p]--
	return true
}

// forgetOne makes room in a full table. Whom it forgets starts anew: nobody is worse off
// for it.
func forgetOne[T any](table map[netip.Addr]T) {
	for addr := range table {
		delete(table, addr)
		return
	}
}

// Expire forgets what has no effect any more.
func (l *Limits) Expire(now time.Time) {
	for addr, at := range l.proofs {
		if now.Sub(at) >= Time {
			delete(l.proofs, addr)
		}
	}
	for addr, b := range l.buckets {
		if now.Sub(b.filled) >= Time {
			delete(l.buckets, addr)
		}
	}
}

// A Memory remembers, in a fixed space, calls that could not be looked into, to know them
// again when they are repeated. It may forget some, and nobody can choose which.
type Memory[K comparable] struct {
	seed  maphash.Seed
	slots []slot // made when it is first needed
}

type slot struct {
	mark uint64
	at   time.Time
}

const (
	memorySize = 1 << 15
	// A repetition comes after a client's time to wait for an answer, and while it
	// still waits for one.
	soonestRepetition = 200 * time.Millisecond
	latestRepetition  = 30 * time.Second
)

// NewMemory returns one that remembers nothing.
func NewMemory[K comparable]() *Memory[K] { return &Memory[K]{seed: maphash.MakeSeed()} }

// Repeated reports whether the call was seen some time before, and remembers it.
func (m *Memory[K]) Repeated(call K, now time.Time) bool {
	if m.slots == nil {
		m.slots = make([]slot, memorySize)
	}
	mark := maphash.Comparable(m.seed, call)
	s := &m.slots[mark%memorySize]
	age := now.Sub(s.at)
	if s.mark == mark && age < latestRepetition {
		return age >= soonestRepetition
	}
	*s = slot{mark, now}
	return false
}
