package desktop

import (
	"errors"
	"testing"
	"time"
)

// Pop-ups that fail are tried again later and later; those that lasted, soon.
func TestPopUpPauses(t *testing.T) {
	p := New("", nil)
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	failed := errors.New("no display")
	if !p.Again().IsZero() {
		t.Error("nothing has failed, and they have to wait")
	}
	for n, want := range []time.Duration{2, 4, 8, 16, 32, 64, 128, 300, 300} {
		p.began = now
		p.Over(failed, now)
		if got := p.Again().Sub(now); got != want*time.Second {
			t.Errorf("after %d failures they wait %v, want %v", n+1, got, want*time.Second)
		}
	}
	p.began = now.Add(-2 * time.Minute)
	if p.Over(failed, now); p.Again().Sub(now) != 2*time.Second {
		t.Errorf("those that have lasted wait %v", p.Again().Sub(now))
	}
	if p.Over(nil, now); !p.Again().IsZero() {
		t.Error("those that have ended well wait")
	}
}
