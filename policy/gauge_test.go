package policy_test

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"messngr"
	"messngr/policy"
)

func nan() float64 { return math.NaN() }

// flood hands over n messages from addr and counts what was taken, and what of
// it may pop up. Whatever was not taken must have been busy.
func flood(t *testing.T, p *policy.Policy, addr string, n int) (taken, popped int) {
	t.Helper()
	m := message("ALICE", addr)
	for range n {
		j, err := p.Judge(m)
		switch {
		case err == nil:
			taken++
			if !j.Quiet {
				popped++
			}
		case !errors.Is(err, messngr.ErrBusy):
			t.Fatalf("Judge = %v, want ErrBusy", err)
		}
	}
	return taken, popped
}

func TestTakePerSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPolicy(t, policy.Defaults(), &keeper{})
		if taken, _ := flood(t, p, "10.0.0.7", 2500); taken != 2000 {
			t.Errorf("%d of a burst were taken, want 2000", taken)
		}
		time.Sleep(time.Second)
		if taken, _ := flood(t, p, "10.0.0.7", 500); taken != 200 {
			t.Errorf("%d were taken after a second, want 200", taken)
		}
		// Two hundred a second are taken for ever.
		total := 0
		for range 600 {
			time.Sleep(5 * time.Millisecond)
			taken, _ := flood(t, p, "10.0.0.7", 1)
			total += taken
		}
		if total < 599 {
			t.Errorf("%d of 600 were taken at 200 a second", total)
		}
		time.Sleep(time.Minute)
		if taken, _ := flood(t, p, "10.0.0.7", 2500); taken != 2000 {
			t.Errorf("%d were taken after a minute's rest, want a whole burst of 2000", taken)
		}
	})
}

func TestOneFlooderStarvesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPolicy(t, policy.Defaults(), &keeper{})
		for range 100 {
			flood(t, p, "10.0.0.66", 1000) // 10,000 a second
			if taken, _ := flood(t, p, "10.0.0.7", 5); taken != 5 {
				t.Fatalf("%d of 5 messages beside the flood were taken", taken)
			}
			time.Sleep(100 * time.Millisecond)
		}
		// Nor does it use up the pop-ups of all.
		if _, popped := flood(t, p, "10.0.0.8", 1); popped != 1 {
			t.Error("a message of somebody else does not pop up beside the flood")
		}
	})
}

func TestTakeInAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPolicy(t, policy.Defaults(), &keeper{})
		total := 0
		for i := range 20 {
			taken, _ := flood(t, p, fmt.Sprintf("10.0.0.%d", i+1), 1000)
			total += taken
		}
		if total != 10000 {
			t.Errorf("%d were taken of 20 sources, want 10000", total)
		}
		time.Sleep(time.Second)
		total = 0
		for i := range 20 {
			taken, _ := flood(t, p, fmt.Sprintf("10.0.0.%d", i+1), 200)
			total += taken
		}
		if total != 2000 {
			t.Errorf("%d were taken of 20 sources in a second, want 2000", total)
		}
	})
}

func TestPopUpsAreLimitedWhileTheIntakeGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPolicy(t, policy.Defaults(), &keeper{})
		if taken, popped := flood(t, p, "10.0.0.7", 500); taken != 500 || popped != 10 {
			t.Errorf("%d taken, %d popped up; want 500 and 10", taken, popped)
		}
		time.Sleep(10 * time.Second)
		if taken, popped := flood(t, p, "10.0.0.7", 500); taken != 500 || popped != 5 {
			t.Errorf("after ten seconds %d taken, %d popped up; want 500 and 5", taken, popped)
		}
		time.Sleep(time.Minute)
		total := 0
		for i := range 10 {
			_, popped := flood(t, p, fmt.Sprintf("10.0.0.%d", i+1), 10)
			total += popped
		}
		if total != 20 {
			t.Errorf("%d popped up of ten sources, want 20 in all", total)
		}
	})
}

func TestALimitOfZeroDoesNotLimit(t *testing.T) {
	p := newPolicy(t, policy.Config{}, &keeper{})
	if taken, popped := flood(t, p, "10.0.0.7", 50000); taken != 50000 || popped != 50000 {
		t.Errorf("%d taken, %d popped up; want all", taken, popped)
	}
}

// A hundred thousand sources must not cost more than a few thousand do, and
// those who keep talking are not forgotten: else a flooder would get a new
// bucket from others' noise.
func TestManySourcesNeedBoundedMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := policy.Defaults()
		cfg.Allow = []string{"10.0.0.0/8"}
		cfg.TakeInAll = policy.Limit{}
		p := newPolicy(t, cfg, &keeper{})
		flood(t, p, "10.0.0.66", 2000)
		before := heap()
		addr, got := netip.MustParseAddr("10.64.0.0"), 0
		for i := range 100000 {
			addr = addr.Next()
			if _, err := p.Judge(&messngr.Message{From: messngr.From{Claimed: "X", Address: addr}}); err != nil {
				t.Fatal(err)
			}
			if i%1000 == 0 {
				taken, _ := flood(t, p, "10.0.0.66", 1)
				got += taken
			}
		}
		if got != 0 {
			t.Errorf("a source got %d messages more because of others' noise", got)
		}
		if grown := int64(heap()) - int64(before); grown > 4<<20 {
			t.Errorf("memory grew by %d bytes", grown)
		}
		runtime.KeepAlive(p)
	})
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
