package smbd

import (
	"net/netip"
	"testing"
	"time"
)

func TestOnce(t *testing.T) {
	a, b := netip.MustParseAddrPort("10.77.0.1:138"), netip.MustParseAddrPort("10.77.0.2:138")
	o := newOnce()
	for _, tt := range []struct {
		packet string
		from   netip.AddrPort
		at     time.Duration
		want   bool
	}{
		{"\x11group", a, 0, true},
		{"\x11group", a, time.Millisecond, false},
		{"\x11group", a, 2 * time.Millisecond, true}, // sent again by somebody who does not count
		{"\x11group", a, 3 * time.Millisecond, false},
		{"\x11other", a, 4 * time.Millisecond, true},
		{"\x11group", b, 4 * time.Millisecond, true},
		{"\x10directed", a, 5 * time.Millisecond, true},
		{"\x10directed", a, 6 * time.Millisecond, true},
		{"\x12all", a, 7 * time.Millisecond, true},
		{"\x11other", a, 5 * time.Second, true}, // that nmbd has heard it once only is well
		{"", a, 5 * time.Second, true},
	} {
		if got := o.first([]byte(tt.packet), tt.from, time.Unix(1000, 0).Add(tt.at)); got != tt.want {
			t.Errorf("%q from %v at %v: first is %v, want %v", tt.packet, tt.from, tt.at, got, tt.want)
		}
		if len(o.heard) > 4 {
			t.Errorf("%d packets are remembered", len(o.heard))
		}
	}
}

// TestOnceInAFlood: no packet costs more than others, and no more are remembered than may be.
func TestOnceInAFlood(t *testing.T) {
	o := newOnce()
	from, now := netip.MustParseAddrPort("10.77.0.1:138"), time.Unix(1000, 0)
	start := time.Now()
	for i := range 200_000 {
		now = now.Add(10 * time.Microsecond)
		packet := []byte{0x11, byte(i), byte(i >> 8), byte(i >> 16)}
		if !o.first(packet, from, now) || o.first(packet, from, now.Add(time.Millisecond)) {
			t.Fatalf("packet %d", i)
		}
		if i%3 == 0 {
			o.first(packet, from, now) // of which no copy comes
		}
		if n := len(o.heard) + len(o.before); n > 2*maxHeard {
			t.Fatalf("%d packets are remembered", n)
		}
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}
