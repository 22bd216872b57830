package tray

import (
	"errors"
	"testing"
	"time"
)

// Pop-ups that fail are tried again later and later; those that lasted, soon.
func TestPopUpPauses(t *testing.T) {
	var p program
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	failed := errors.New("no display")
	if !p.again().IsZero() {
		t.Error("nothing has failed, and they have to wait")
	}
	for n, want := range []time.Duration{2, 4, 8, 16, 32, 64, 128, 300, 300} {
		p.began = now
		p.over(failed, now)
		if got := p.again().Sub(now); got != want*time.Second {
			t.Errorf("after %d failures they wait %v, want %v", n+1, got, want*time.Second)
		}
	}
	p.began = now.Add(-2 * time.Minute)
	if p.over(failed, now); p.again().Sub(now) != 2*time.Second {
		t.Errorf("those that have lasted wait %v", p.again().Sub(now))
	}
	if p.over(nil, now); !p.again().IsZero() {
		t.Error("those that have ended well wait")
	}
}
