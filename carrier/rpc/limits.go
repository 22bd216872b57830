package rpc

import (
	"hash/maphash"
	"net/netip"
	"time"
)

const (
	// proofTime is how long an address counts as proven after it has answered a
	// callback, and how long a client may go on with its activity without another.
	proofTime = 60 * time.Second
	// maxAddresses bounds how many addresses are remembered, of each kind.
	maxAddresses = 4096
)

// A purpose is what a packet to an address is for that has not proven itself.
type purpose uint8

const (
	// toAsk is a callback for a call that has just arrived.
	toAsk purpose = iota
	// toAskAgain is one for a call that was repeated after a while. A forger who
	// floods us with ever new calls never repeats one; a client whose call got lost
	// among them does.
	toAskAgain
	// toComplain is for everything else.
	toComplain
	purposes
)

// allowance is how many packets for a purpose an address gets at once, and in a second.
func (p purpose) allowance() (burst, rate float64) {
	switch p {
	case toAskAgain:
		return 50, 50
	default:
		return 10, 10
	}
}

// limits decide what may be sent to addresses that anybody may have forged. An address
// that has answered a callback has proven itself, and is not limited for a while. There
// is no limit for all addresses together, so that no one can use up another's.
type limits struct {
	proofs  map[netip.Addr]time.Time
	buckets map[netip.Addr]*bucket
	calls   memory
}

type bucket struct {
	filled time.Time
	tokens [purposes]float64
}

func newLimits() limits {
	return limits{
		proofs:  make(map[netip.Addr]time.Time),
		buckets: make(map[netip.Addr]*bucket),
		calls:   memory{seed: maphash.MakeSeed()},
	}
}

// prove notes that somebody at addr has answered a callback. It reports whether addr had
// not been proven.
func (l *limits) prove(addr netip.Addr, now time.Time) bool {
	news := !l.proven(addr, now)
	if len(l.proofs) >= maxAddresses {
		forgetOne(l.proofs)
	}
	l.proofs[addr] = now
	delete(l.buckets, addr)
	return news
}

// proven reports whether addr has proven itself not too long ago.
func (l *limits) proven(addr netip.Addr, now time.Time) bool {
	at, ok := l.proofs[addr]
	return ok && now.Sub(at) < proofTime
}

// allow reports whether another packet for that purpose may be sent to addr.
func (l *limits) allow(addr netip.Addr, p purpose, now time.Time) bool {
	if l.proven(addr, now) {
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

// expire forgets what has no effect any more.
func (l *limits) expire(now time.Time) {
	for addr, at := range l.proofs {
		if now.Sub(at) >= proofTime {
			delete(l.proofs, addr)
		}
	}
	for addr, b := range l.buckets {
		if now.Sub(b.filled) >= proofTime {
			delete(l.buckets, addr)
		}
	}
}

// memory remembers, in a fixed space, calls that could not be looked into, to know them
// again when they are repeated. It may forget some, and nobody can choose which.
type memory struct {
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

// repeated reports whether the call was seen some time before, and remembers it.
func (m *memory) repeated(call strangerKey, now time.Time) bool {
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
