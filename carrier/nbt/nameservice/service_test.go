package nameservice

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"messngr/carrier"
	"messngr/wire/nbns"
)

// TestNeighboursNames: a name that the neighbour has is neither registered nor released
// at the name server, where that would end the neighbour's own registration; others are.
func TestNeighboursNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		squat(t, l, "10.0.0.1", pc17)
		for _, at := range []string{"10.0.0.1:137", "10.0.0.255:137"} {
			l.Taken[netip.MustParseAddrPort(at)] = errors.New("address already in use")
		}
		server := newWINS(t, l, "10.0.0.2")
		h := l.start(t, servedBy("10.0.0.2"), "10.0.0.1/24")
		if err := tryClaim(t, h.Service, pc17, false); !errors.Is(err, carrier.ErrOff) {
			t.Errorf("Claim of the neighbour's name = %v, want ErrOff", err)
		}
		mustClaim(t, h.Service, alice)
		server.wantRequests("registration ALICE<03> 10.0.0.1")
		time.Sleep(10 * time.Minute)
		h.stop()
		if got := server.requests(); slices.ContainsFunc(got, func(s string) bool { return s != "release ALICE<03> 10.0.0.1" }) {
			t.Errorf("requests to the server: %q, want none about %v", got, pc17)
		}
	})
}

// TestNameIsLostBesideANeighbour: who cannot be asked whether a name is still his, because
// the port is another program's, finds out himself when the name server gave it away.
func TestNameIsLostBesideANeighbour(t *testing.T) {
	for _, node := range []nbns.NodeType{nbns.HNode, nbns.PNode} {
		synctest.Test(t, func(t *testing.T) {
			l := newLAN(1)
			w := newWINS(t, l, "10.0.9.5")
			w.challenges = true
			l.Taken[netip.MustParseAddrPort("10.0.0.1:137")] = errors.New("address already in use")
			cfg := servedBy("10.0.9.5")
			cfg.NodeType = node
			h := l.start(t, cfg, "10.0.0.1/24")
			mustClaim(t, h.Service, alice)
			time.Sleep(time.Minute) // past the checks that follow a claim at once
			other := l.start(t, cfg, "10.0.1.1/24")
			mustClaim(t, other.Service, alice) // since nobody answers for us
			// Past the next check, and before the name is tried again.
			time.Sleep(laterChecks*5/4 + 15*time.Second)
			wantStates(t, h.Service, "eth0 ALICE<03> conflict of 10.0.1.1")
			wantStates(t, other.Service, "eth0 ALICE<03> registered")
		})
	}
}

// TestRenew: what others took while nobody could hear us is theirs, the rest is said again.
func TestRenew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		w := newWINS(t, l, "10.0.0.5")
		h := l.start(t, servedBy("10.0.0.5"), "10.0.0.1/24")
		mustClaim(t, h.Service, pc17, alice)
		if err := tryClaim(t, h.Service, group, true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * secondCheck)
		w.requests()
		squat(t, l, "10.0.0.66", alice)
		h.Renew()
		time.Sleep(10 * time.Second)
		wantStates(t, h.Service,
			"eth0 PC17<03> registered", "eth0 ALICE<03> conflict of 10.0.0.66", "eth0 WORKGROUP<00> registered group")
		seen := map[string]bool{}
		for _, r := range w.requests() {
			seen[r] = true
		}
		for _, want := range []string{"refresh PC17<03> 10.0.0.1", "refresh WORKGROUP<00> 10.0.0.1", "release ALICE<03> 10.0.0.1"} {
			if !seen[want] {
				t.Errorf("the name server saw %v, want also %q", seen, want)
			}
		}
	})
}

func TestShutdownReleases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		h := l.start(t, Config{}, "10.0.0.1/24")
		mustClaim(t, h.Service, pc17, alice)
		sent := l.Record(func(_, _ netip.AddrPort, p nbns.Packet) bool { return p.Kind == nbns.Release })
		start := time.Now()
		h.stop()
		if took := time.Since(start); took > releaseTime {
			t.Errorf("shutdown took %v, want at most %v", took, releaseTime)
		}
		if got := len(sent()); got != 6 {
			t.Errorf("%d releases, want 3 for each of two names", got)
		}
	})
}

// TestShutdownWithDeadServer: nobody waits for a server that is gone.
func TestShutdownWithDeadServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		w := newWINS(t, l, "10.0.0.5")
		h := l.start(t, servedBy("10.0.0.5"), "10.0.0.1/24")
		mustClaim(t, h.Service, pc17)
		w.down()
		start := time.Now()
		h.stop()
		if took := time.Since(start); took > releaseTime {
			t.Errorf("shutdown took %v, want at most %v", took, releaseTime)
		}
	})
}
