package nameservice

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr/carrier"
	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

var (
	pc17  = mustName("PC17", netbios.Messenger)
	alice = mustName("ALICE", netbios.Messenger)
	group = mustName("WORKGROUP", netbios.Workstation)
)

// states gives the states of a host's names as text, for comparison.
func states(c *Service) []string {
	var list []string
	for _, e := range c.Names() {
		line := e.Interface + " " + e.Name.String() + " " + e.State.String()
		if e.Group {
			line += " group"
		}
		if e.Owner.IsValid() {
			line += " of " + e.Owner.String()
		}
		list = append(list, line)
	}
	return list
}

func wantStates(t *testing.T, c *Service, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, states(c)); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func wantConflict(t *testing.T, err error, name netbios.Name, owner string) {
	t.Helper()
	got, ok := errors.AsType[*carrier.ConflictError](err)
	if !ok {
		t.Fatalf("error = %v, want a conflict", err)
	}
	if want := (carrier.ConflictError{Name: name, Owner: addr(owner)}); *got != want {
		t.Errorf("conflict = %+v, want %+v", *got, want)
	}
}

// TestClaimByBroadcast has the packets of RFC 1002 5.1.1.1 and their times.
func TestClaimByBroadcast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		type sent struct {
			At        time.Duration
			To        string
			Kind      nbns.Kind
			Broadcast bool
			Rdata     nbns.Address
			TTL       time.Duration
		}
		start := time.Now()
		var got []sent
		l.Trace = func(from, to netip.AddrPort, b []byte) {
			p, err := nbns.Parse(b)
			if err != nil {
				t.Error(err)
				return
			}
			got = append(got, sent{time.Since(start), to.String(), p.Kind, p.Broadcast, p.Addresses[0], p.TTL})
		}
		h := l.start(t, Config{}, "10.0.0.1/24")
		mustClaim(t, h.Service, pc17)
		wantStates(t, h.Service, "eth0 PC17<03> registered")
		self := nbns.Address{Addr: addr("10.0.0.1")}
		all := "10.0.0.255:137"
		want := []sent{
			{0, all, nbns.Registration, true, self, 0},
			{250 * time.Millisecond, all, nbns.Registration, true, self, 0},
			{500 * time.Millisecond, all, nbns.Registration, true, self, 0},
			{750 * time.Millisecond, all, nbns.Overwrite, true, self, 0},
		}
		synctest.Wait()
		if diff := cmp.Diff(want, got, compareAddr); diff != "" {
			t.Errorf("claim (-want +got):\n%s", diff)
		}

		got, start = nil, time.Now()
		if err := h.Release(t.Context(), pc17); err != nil {
			t.Fatal(err)
		}
		wantStates(t, h.Service)
		want = []sent{
			{0, all, nbns.Release, true, self, 0},
			{250 * time.Millisecond, all, nbns.Release, true, self, 0},
			{500 * time.Millisecond, all, nbns.Release, true, self, 0},
		}
		if diff := cmp.Diff(want, got, compareAddr); diff != "" {
			t.Errorf("release (-want +got):\n%s", diff)
		}
	})
}

func TestClaimAgainIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		h := l.start(t, Config{}, "10.0.0.1/24")
		mustClaim(t, h.Service, pc17)
		start := time.Now()
		mustClaim(t, h.Service, pc17)
		if took := time.Since(start); took != 0 {
			t.Errorf("second Claim took %v, want 0", took)
		}
		if err := tryClaim(t, h.Service, pc17, true); err == nil {
			t.Error("the same name is claimed as a group too")
		}
	})
}

func TestOwnerDefends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		a := l.start(t, Config{}, "10.0.0.1/24")
		b := l.start(t, Config{}, "10.0.0.2/24")
		mustClaim(t, a.Service, pc17)
		if err := tryClaim(t, a.Service, group, true); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		wantConflict(t, tryClaim(t, b.Service, pc17, false), pc17, "10.0.0.1")
		if took := time.Since(start); took > 10*time.Millisecond {
			t.Errorf("the refusal took %v", took)
		}
		wantStates(t, b.Service, "eth0 PC17<03> conflict of 10.0.0.1")
		wantConflict(t, tryClaim(t, b.Service, group, false), group, "10.0.0.1")
		wantStates(t, a.Service, "eth0 PC17<03> registered", "eth0 WORKGROUP<00> registered group")
	})
}

func TestGroupsAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		for i, prefix := range []string{"10.0.0.1/24", "10.0.0.2/24", "10.0.0.3/24"} {
			h := l.start(t, Config{}, prefix)
			if err := tryClaim(t, h.Service, group, true); err != nil {
				t.Errorf("member %d: %v", i, err)
			}
		}
		h := l.start(t, Config{}, "10.0.0.4/24")
		mustClaim(t, h.Service, pc17)
		other := l.start(t, Config{}, "10.0.0.5/24")
		wantConflict(t, tryClaim(t, other.Service, pc17, true), pc17, "10.0.0.4")
	})
}

// TestConflictIsTriedAgain: a name is not lost for ever, because its owner may go.
func TestConflictIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		a := l.start(t, Config{}, "10.0.0.1/24")
		b := l.start(t, Config{}, "10.0.0.2/24")
		mustClaim(t, a.Service, pc17)
		wantConflict(t, tryClaim(t, b.Service, pc17, false), pc17, "10.0.0.1")
		a.stop()
		time.Sleep(conflictRetry * 5 / 4)
		wantStates(t, b.Service, "eth0 PC17<03> registered")
	})
}

// TestConflictIsSaidOnce: to the log, however often the name is tried again.
func TestConflictIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		a := l.start(t, Config{}, "10.0.0.1/24")
		mustClaim(t, a.Service, pc17)
		var said bytes.Buffer
		b := l.start(t, Config{Log: slog.New(slog.NewTextHandler(&said, nil))}, "10.0.0.2/24")
		wantConflict(t, tryClaim(t, b.Service, pc17, false), pc17, "10.0.0.1")
		time.Sleep(time.Hour)
		if got := strings.Count(said.String(), "owned by another machine"); got != 1 {
			t.Errorf("the conflict was said %d times, want once: %s", got, said.String())
		}
	})
}

func TestClaimInConflictTriesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		a := l.start(t, Config{}, "10.0.0.1/24")
		b := l.start(t, Config{}, "10.0.0.2/24")
		mustClaim(t, a.Service, pc17)
		wantConflict(t, tryClaim(t, b.Service, pc17, false), pc17, "10.0.0.1")
		wantConflict(t, tryClaim(t, b.Service, pc17, false), pc17, "10.0.0.1")
		if err := a.Release(t.Context(), pc17); err != nil {
			t.Fatal(err)
		}
		mustClaim(t, b.Service, pc17)
	})
}

// TestTwoClaimAtOnce: exactly one gets the name and the other is told, whatever the
// distance in time and whoever comes first.
func TestTwoClaimAtOnce(t *testing.T) {
	for lead := -1200 * time.Millisecond; lead <= 1200*time.Millisecond; lead += 50 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			l := newLAN(1)
			a := l.start(t, Config{}, "10.0.0.1/24")
			b := l.start(t, Config{}, "10.0.0.2/24")
			errs := make(chan error, 2)
			for c, wait := range map[*Service]time.Duration{a.Service: max(0, lead), b.Service: max(0, -lead)} {
				go func() {
					time.Sleep(wait)
					errs <- tryClaim(t, c, pc17, false)
				}()
			}
			first, second := <-errs, <-errs
			if (first == nil) == (second == nil) {
				t.Errorf("lead %v: verdicts are %v and %v, want one owner", lead, first, second)
			}
			if n := owners(pc17, a.Service, b.Service); n != 1 {
				t.Errorf("lead %v: %d owners, want 1", lead, n)
			}
		})
	}
}

// owners counts the hosts that own the name.
func owners(name netbios.Name, hosts ...*Service) int {
	n := 0
	for _, c := range hosts {
		for _, e := range c.Names() {
			if e.Name == name && e.State == carrier.Owned {
				n++
			}
		}
	}
	return n
}

func TestLoopbackNamesAreOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		sent := l.Record(func(netip.AddrPort, netip.AddrPort, nbns.Packet) bool { return true })
		h := l.start(t, Config{}, "127.0.0.1/8")
		mustClaim(t, h.Service, pc17)
		wantStates(t, h.Service, "eth0 PC17<03> registered")
		h.stop()
		if got := sent(); len(got) != 0 {
			t.Errorf("sent %d packets on loopback, want none", len(got))
		}
	})
}

func TestClaimWithoutPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		broken := errors.New("permission denied")
		l.Taken[netip.MustParseAddrPort("10.0.0.1:137")] = broken
		h := l.start(t, Config{}, "10.0.0.1/24")
		if err := tryClaim(t, h.Service, pc17, false); !errors.Is(err, carrier.ErrOff) {
			t.Errorf("Claim = %v, want ErrOff", err)
		}
		wantStates(t, h.Service, "eth0 PC17<03> claiming")
	})
}

func TestReleaseDuringClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		h := l.start(t, Config{}, "10.0.0.1/24")
		verdict := make(chan error, 1)
		go func() { verdict <- tryClaim(t, h.Service, pc17, false) }()
		time.Sleep(100 * time.Millisecond)
		if err := h.Release(t.Context(), pc17); err != nil {
			t.Fatal(err)
		}
		if err := <-verdict; !errors.Is(err, carrier.ErrOff) {
			t.Errorf("Claim = %v, want ErrOff because the name was released", err)
		}
		wantStates(t, h.Service)
		mustClaim(t, h.Service, pc17)
	})
}

func TestClaimWhileReleasing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		h := l.start(t, Config{}, "10.0.0.1/24")
		mustClaim(t, h.Service, pc17)
		released := make(chan error, 1)
		go func() { released <- h.Release(context.Background(), pc17) }()
		time.Sleep(100 * time.Millisecond)
		wantStates(t, h.Service, "eth0 PC17<03> released")
		mustClaim(t, h.Service, pc17)
		if err := <-released; err != nil {
			t.Error(err)
		}
		wantStates(t, h.Service, "eth0 PC17<03> registered")
	})
}

func TestClaimAfterRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newLAN(1).start(t, Config{}, "10.0.0.1/24")
		h.stop()
		if err := tryClaim(t, h.Service, pc17, false); !errors.Is(err, carrier.ErrOff) {
			t.Errorf("Claim = %v, want ErrOff", err)
		}
	})
}
