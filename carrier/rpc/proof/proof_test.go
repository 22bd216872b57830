package proof

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

var alpha, beta = address(1), address(2)

func address(n uint32) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], 10<<24|n)
	return netip.AddrFrom4(b)
}

func TestLimits(t *testing.T) {
	l := NewLimits()
	now := time.Now()
	for i := range 20 {
		if got, want := l.Allow(alpha, Ask, now), i < 10; got != want {
			t.Fatalf("callback %d: %v, want %v", i, got, want)
		}
	}
	if !l.Allow(beta, Ask, now) || !l.Allow(alpha, AskAgain, now) || !l.Allow(alpha, Complain, now) {
		t.Error("what one address has used up is missing elsewhere")
	}
	if now = now.Add(time.Second); !l.Allow(alpha, Ask, now) {
		t.Error("a second later no callback is allowed")
	}
	if !l.Prove(alpha, now) || l.Prove(alpha, now) {
		t.Error("prove does not tell the first proof from the second")
	}
	for range 1000 {
		if !l.Allow(alpha, Ask, now) {
			t.Fatal("an address that has proven itself is limited")
		}
	}
	if now = now.Add(Time - 1); !l.Proven(alpha, now) {
		t.Error("the proof does not last for 60 s")
	}
	if now = now.Add(1); l.Proven(alpha, now) {
		t.Error("the proof lasts for longer than 60 s")
	}
	l.Expire(now)
	if len(l.proofs) != 0 {
		t.Errorf("%d proofs are kept when they are over", len(l.proofs))
	}
}

func TestLimitsAreBounded(t *testing.T) {
	l := NewLimits()
	now := time.Now()
	for i := range uint32(3 * maxAddresses) {
		l.Allow(address(i), Ask, now)
		l.Prove(address(i+1<<20), now)
	}
	if len(l.buckets) > maxAddresses || len(l.proofs) > maxAddresses {
		t.Errorf("%d addresses and %d proofs, want at most %d", len(l.buckets), len(l.proofs), maxAddresses)
	}
	l.Expire(now.Add(time.Hour))
	if len(l.buckets)+len(l.proofs) != 0 {
		t.Errorf("%d addresses and %d proofs an hour later", len(l.buckets), len(l.proofs))
	}
}

func TestMemory(t *testing.T) {
	m := NewMemory[[2]byte]()
	now := time.Now()
	for _, tt := range []struct {
		key   byte
		after time.Duration
		want  bool
	}{
		{1, 0, false}, {1, 0, false}, {2, 100 * time.Millisecond, false}, {1, 99 * time.Millisecond, false},
		{1, time.Millisecond, true}, {2, time.Second, true}, {3, 0, false}, {1, time.Minute, false},
	} {
		now = now.Add(tt.after)
		if got := m.Repeated([2]byte{tt.key}, now); got != tt.want {
			t.Errorf("call %d after %v: repeated %v, want %v", tt.key, tt.after, got, tt.want)
		}
	}
}
