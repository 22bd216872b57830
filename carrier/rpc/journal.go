package rpc

import (
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// A Refusal counts what came from one address and was not taken, for one reason.
type Refusal struct {
	Address netip.Addr
	Reason  string
	Count   int64
	Last    time.Time
}

// The reasons of refusals.
const (
	// ReasonNoProof: its sender did not answer the callback. A forged sender cannot.
	ReasonNoProof = "the sender did not answer the callback"
	// ReasonFlood: calls in the name of that address came faster than it may be asked.
	ReasonFlood = "more calls than may be asked about"
	// ReasonShort: it is shorter than the callback, which would then help a forger.
	ReasonShort = "call is shorter than the callback"
	// ReasonDenied: the machine at that address says that the call is not its own.
	ReasonDenied = "the sender denies the call"
	// ReasonMaybe: the call wants no answer (maybe), as only spam does.
	ReasonMaybe = "call that wants no answer"
	// ReasonBroadcast: the call is addressed to everybody (broadcast).
	ReasonBroadcast = "call to everybody"
	// ReasonMalformed: it cannot be understood.
	ReasonMalformed = "malformed packet"
	// ReasonAuth: it is authenticated in some way; we speak none.
	ReasonAuth = "unsupported authentication"
	// ReasonSource: nobody can be there.
	ReasonSource = "impossible source"
	// ReasonInterface: we do not serve that.
	ReasonInterface = "unknown interface"
	// ReasonBusy: too many calls run already.
	ReasonBusy = "too many calls at once"
)

// maxRefusals bounds the journal. The entry that was counted longest ago makes room.
const maxRefusals = 256

// journal keeps what was refused. Its methods may be called by several goroutines.
type journal struct {
	mu      sync.Mutex
	entries map[journalKey]*Refusal
	totals  map[string]int64
}

type journalKey struct {
	addr   netip.Addr
	reason string
}

func (j *journal) refused(addr netip.Addr, reason string) {
	now := time.Now()
	j.mu.Lock()
	defer j.mu.Unlock()
	k := journalKey{addr, reason}
	r := j.entries[k]
	if r == nil {
		if len(j.entries) >= maxRefusals {
			j.forget()
		}
		if j.entries == nil {
			j.entries = make(map[journalKey]*Refusal)
		}
		r = &Refusal{Address: addr, Reason: reason}
		j.entries[k] = r
	}
	r.Count++
	r.Last = now
	if j.totals == nil {
		j.totals = make(map[string]int64)
	}
	j.totals[reason]++
}

func (j *journal) forget() {
	var oldest journalKey
	var last time.Time
	for k, r := range j.entries {
		if last.IsZero() || r.Last.Before(last) {
			oldest, last = k, r.Last
		}
	}
	delete(j.entries, oldest)
}

// list returns what was refused, the latest first.
func (j *journal) list() []Refusal {
	j.mu.Lock()
	defer j.mu.Unlock()
	list := make([]Refusal, 0, len(j.entries))
	for _, r := range j.entries {
		list = append(list, *r)
	}
	slices.SortFunc(list, func(a, b Refusal) int { return b.Last.Compare(a.Last) })
	return list
}

// counts returns how much was refused for each reason, from all addresses.
func (j *journal) counts() map[string]int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return maps.Clone(j.totals)
}
