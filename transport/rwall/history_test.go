package rwall

import (
	"net/netip"
	"testing"
	"time"

	"messngr/wire/sunrpc"
)

func TestHistory(t *testing.T) {
	var h history
	from, other := netip.MustParseAddrPort("10.77.0.1:1000"), netip.MustParseAddrPort("10.77.0.1:1001")
	call := sunrpc.Call{XID: 7, Args: []byte("text")}
	now := time.Unix(1_000_000_000, 0)
	first := h.origin(from, call, now)
	for range 5 {
		now = now.Add(window - time.Second)
		if again := h.origin(from, call, now); again != first {
			t.Fatalf("a repetition is %q, was %q", again, first)
		}
	}
	if after := h.origin(from, call, now.Add(window)); after == first {
		t.Errorf("the same after %v is still %q", window, after)
	}
	for name, origin := range map[string]string{
		"another port":   string(h.origin(other, call, now)),
		"another number": string(h.origin(from, sunrpc.Call{XID: 8, Args: call.Args}, now)),
		"another text":   string(h.origin(from, sunrpc.Call{XID: 7, Args: []byte("texts")}, now)),
	} {
		if origin == string(first) {
			t.Errorf("%s: taken for a repetition", name)
		}
	}
}

// TestHistoryIsBounded floods it: it forgets some, and no call costs more than others.
func TestHistoryIsBounded(t *testing.T) {
	var h history
	from := netip.MustParseAddrPort("10.77.0.1:1000")
	now := time.Unix(1_000_000_000, 0)
	start := time.Now()
	const flood = 50 * maxHistory
	for i := range uint32(flood) {
		h.origin(from, sunrpc.Call{XID: i}, now)
	}
	if n := len(h.calls); n != maxHistory {
		t.Errorf("%d calls are remembered, want %d", n, maxHistory)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("%d calls took %v", flood, took)
	}
	last := h.origin(from, sunrpc.Call{XID: flood}, now)
	now = now.Add(window - time.Second)
	h.origin(from, sunrpc.Call{XID: flood}, now)
	h.origin(from, sunrpc.Call{XID: flood + 1}, now.Add(sweepTime))
	if n := len(h.calls); n != 2 {
		t.Errorf("%d calls are remembered when all but 2 are too old", n)
	}
	if again := h.origin(from, sunrpc.Call{XID: flood}, now.Add(window/2)); again != last {
		t.Errorf("who goes on is forgotten: %q, was %q", again, last)
	}
}
