package nbt

import (
	"context"
	"errors"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"messngr/carrier/nbt/link"
	"messngr/carrier/nbt/linktest"
	"messngr/wire/nbns"
)

func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		h := l.start(t, Config{}, "127.0.0.1/8")
		mustClaim(t, h.Carrier, pc17)
		var list atomic.Pointer[[]Interface]
		list.Store(&[]Interface{linktest.Interface("eth0", "10.0.0.1/24")})
		var asked atomic.Int32
		choose := func() ([]Interface, error) {
			asked.Add(1)
			if l := list.Load(); l != nil {
				return *l, nil
			}
			return nil, errors.New("nothing to choose from")
		}
		changes, ended := make(chan link.Change), make(chan error, 1)
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error, 1)
		go func() { result <- h.follow(ctx, choose, changes, ended) }()

		time.Sleep(time.Minute)
		wantStates(t, h.Carrier, "eth0 PC17<03> registered")
		list.Store(&[]Interface{linktest.Interface("eth0", "10.0.0.2/24")})
		for range 20 {
			changes <- link.Change{}
		}
		time.Sleep(time.Minute)
		if got := asked.Load(); got != 2 {
			t.Errorf("asked %d times what to use, want once at the start and once for a crowd of changes", got)
		}
		wantAddrs(t, h.Carrier, pc17, "10.0.0.2")

		list.Store(&[]Interface{linktest.Interface("eth0", "10.0.0.3/24")})
		for range 30 { // a link that never comes to rest hides no change of another
			changes <- link.Change{}
			time.Sleep(100 * time.Millisecond)
		}
		wantAddrs(t, h.Carrier, pc17, "10.0.0.3")
		time.Sleep(time.Minute)

		list.Store(nil) // what cannot be known changes nothing
		changes <- link.Change{}
		time.Sleep(time.Minute)
		wantAddrs(t, h.Carrier, pc17, "10.0.0.3")

		sent := l.Record(func(from, _ netip.AddrPort, p nbns.Packet) bool { return p.Kind == nbns.Overwrite })
		changes <- link.Change{Back: true}
		time.Sleep(time.Minute)
		if got := len(sent()); got != 1 {
			t.Errorf("%d assertions after a link came back, want 1", got)
		}
		cancel()
		if err := <-result; err != nil {
			t.Errorf("follow = %v, want nil", err)
		}
		broken := errors.New("broken")
		ended <- broken
		if err := h.follow(t.Context(), choose, changes, ended); !errors.Is(err, broken) {
			t.Errorf("follow = %v, want the end of the watch", err)
		}
	})
}

func TestSlept(t *testing.T) {
	now := time.Now()
	if slept(now, now.Add(time.Hour)) {
		t.Error("an hour on both clocks is taken for sleep")
	}
	// Round(0) takes the running clock away: such a pair only knows the wall clock.
	if slept(now.Round(0), now.Round(0).Add(time.Hour)) {
		t.Error("times of one clock are taken for sleep")
	}
}

func TestFollowEndsWithItsContext(t *testing.T) {
	c, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	chosen := make(chan struct{}, 1)
	result := make(chan error, 1)
	go func() {
		result <- c.Follow(ctx, func() ([]Interface, error) {
			select {
			case chosen <- struct{}{}:
			default:
			}
			return nil, nil
		})
	}()
	<-chosen
	cancel()
	if err := <-result; err != nil {
		t.Errorf("Follow = %v, want nil", err)
	}
}
