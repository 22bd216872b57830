package rpc

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/google/uuid"
)

func address(n uint32) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], 10<<24|n)
	return netip.AddrFrom4(b)
}

func TestLimits(t *testing.T) {
	l := newLimits()
	now := time.Now()
	for i := range 20 {
		if got, want := l.allow(alpha, toAsk, now), i < 10; got != want {
			t.Fatalf("callback %d: %v, want %v", i, got, want)
		}
	}
	if !l.allow(beta, toAsk, now) || !l.allow(alpha, toAskAgain, now) || !l.allow(alpha, toComplain, now) {
		t.Error("what one address has used up is missing elsewhere")
	}
	if now = now.Add(time.Second); !l.allow(alpha, toAsk, now) {
		t.Error("a second later no callback is allowed")
	}
	if !l.prove(alpha, now) || l.prove(alpha, now) {
		t.Error("prove does not tell the first proof from the second")
	}
	for range 1000 {
		if !l.allow(alpha, toAsk, now) {
			t.Fatal("an address that has proven itself is limited")
		}
	}
	if now = now.Add(proofTime - 1); !l.proven(alpha, now) {
		t.Error("the proof does not last for 60 s")
	}
	if now = now.Add(1); l.proven(alpha, now) {
		t.Error("the proof lasts for longer than 60 s")
	}
	l.expire(now)
	if len(l.proofs) != 0 {
		t.Errorf("%d proofs are kept when they are over", len(l.proofs))
	}
}

func TestLimitsAreBounded(t *testing.T) {
	l := newLimits()
	now := time.Now()
	for i := range uint32(3 * maxAddresses) {
		l.allow(address(i), toAsk, now)
		l.prove(address(i+1<<20), now)
	}
	if len(l.buckets) > maxAddresses || len(l.proofs) > maxAddresses {
		t.Errorf("%d addresses and %d proofs, want at most %d", len(l.buckets), len(l.proofs), maxAddresses)
	}
	l.expire(now.Add(time.Hour))
	if len(l.buckets)+len(l.proofs) != 0 {
		t.Errorf("%d addresses and %d proofs an hour later", len(l.buckets), len(l.proofs))
	}
}

func TestMemory(t *testing.T) {
	m := newLimits().calls
	now := time.Now()
	key := func(n byte) strangerKey {
		return strangerKey{uuid.UUID{n}, netip.AddrPortFrom(alpha, 1)}
	}
	for _, tt := range []struct {
		key   byte
		after time.Duration
		want  bool
	}{
		{1, 0, false}, {1, 0, false}, {2, 100 * time.Millisecond, false}, {1, 99 * time.Millisecond, false},
		{1, time.Millisecond, true}, {2, time.Second, true}, {3, 0, false}, {1, time.Minute, false},
	} {
		now = now.Add(tt.after)
		if got := m.repeated(key(tt.key), now); got != tt.want {
			t.Errorf("call %d after %v: repeated %v, want %v", tt.key, tt.after, got, tt.want)
		}
	}
}
