package wins

import (
	"net/netip"
	"testing"
	"time"
)

// TestInventedSources: addresses without number take little memory, and keep no machine out.
func TestInventedSources(t *testing.T) {
	const burst = 20
	l := newLimits(10, burst)
	now := time.Now()
	noisy := netip.MustParseAddr("10.0.0.3")
	for l.allow(noisy, now) {
	}
	invented := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(1 + i>>16), byte(i >> 8), byte(i)}) }
	for i := range 3 * maxSources {
		if !l.allow(invented(i), now) {
			t.Fatalf("source %d gets no answer", i)
		}
	}
	if got := len(l.sources); got > maxSources {
		t.Errorf("%d sources are told apart, want at most %d", got, maxSources)
	}
	if l.allow(noisy, now) {
		t.Error("a machine that asked too much was forgotten for others that asked once")
	}
	l.sweep(now.Add(time.Minute))
	if got := len(l.sources); got != 0 {
		t.Errorf("%d sources are told apart after they have been quiet, want none", got)
	}
}
