package rpc

import (
	"maps"
	"net/netip"
	"sync"
)

// The reasons for which something is not taken.
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

// refusals counts what was not taken, and tells who keeps the journal. Its methods may be
// called by several goroutines.
type refusals struct {
	tell func(addr netip.Addr, reason string) // nil: nobody

	mu     sync.Mutex
	totals map[string]int64
}

func (r *refusals) refused(addr netip.Addr, reason string) {
	r.mu.Lock()
	r.totals[reason]++
	r.mu.Unlock()
	if r.tell != nil {
		r.tell(addr, reason)
	}
}

// counts returns how much was refused for each reason.
func (r *refusals) counts() map[string]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.totals)
}
