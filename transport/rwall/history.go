package rwall

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"net/netip"
	"sync"
	"time"

	"messngr"
	"messngr/wire/sunrpc"
)

const (
	// window is how long after its last datagram a call counts as a repetition of itself.
	// rwall(1) repeats one for 25 seconds.
	window = 2 * time.Minute
	// maxHistory is how many calls are remembered.
	maxHistory = 4096
	// sweepTime is how often those that are too old are looked for, at the most.
	sweepTime = 5 * time.Second
)

// history recognises calls that are repeated because their answers were lost: they have
// the same source, number and text. The zero history is empty.
type history struct {
	mu    sync.Mutex
	calls map[callKey]*pastCall
	swept time.Time
}

type callKey struct {
	from netip.AddrPort
	xid  uint32
	args [sha256.Size]byte
}

type pastCall struct {
	origin messngr.Origin
	last   time.Time
}

// origin returns the identity of a call: that of the call which it repeats, if it does.
// Mostly it is the same also after a restart, since it says only roughly when the call was
// first seen.
func (h *history) origin(from netip.AddrPort, c sunrpc.Call, now time.Time) messngr.Origin {
	k := callKey{from, c.XID, sha256.Sum256(c.Args)}
	h.mu.Lock()
	defer h.mu.Unlock()
	past := h.calls[k]
	if past == nil || now.Sub(past.last) >= window {
		h.makeRoom(now)
		past = &pastCall{origin: messngr.Origin(fmt.Sprintf("%s/%v/%08x/%x/%d",
			Name, from, c.XID, k.args[:8], now.Unix()/int64(window/time.Second)))}
		if h.calls == nil {
			h.calls = make(map[callKey]*pastCall)
		}
		h.calls[k] = past
	}
	past.last = now
	return past.origin
}

// makeRoom forgets calls that are too old to be repeated, and else any one: in a flood there
// are no old ones.
func (h *history) makeRoom(now time.Time) {
	if len(h.calls) < maxHistory {
		return
	}
	if now.Sub(h.swept) >= sweepTime {
		h.swept = now
		maps.DeleteFunc(h.calls, func(_ callKey, past *pastCall) bool { return now.Sub(past.last) >= window })
	}
	for k := range h.calls {
		if len(h.calls) < maxHistory {
			return
		}
		delete(h.calls, k)
	}
}
