package nameservice

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr/carrier"
	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

func wantAddrs(t *testing.T, c *Service, name netbios.Name, want ...string) {
	t.Helper()
	got, err := c.Resolve(t.Context(), name)
	if err != nil {
		t.Errorf("Resolve(%v) = %v", name, err)
		return
	}
	var list []netip.Addr
	for _, s := range want {
		list = append(list, addr(s))
	}
	if diff := cmp.Diff(list, got, compareAddr); diff != "" {
		t.Errorf("Resolve(%v) (-want +got):\n%s", name, diff)
	}
}

func TestResolveByBroadcast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		l.Twice = 1 // nmbd answers twice, and networks may do worse
		asker := l.start(t, Config{}, "10.0.0.1/24", "10.0.1.1/24")
		a := l.start(t, Config{}, "10.0.0.2/24")
		b := l.start(t, Config{}, "10.0.1.3/24")
		mustClaim(t, asker.Service, mustName("ASKER", netbios.Messenger))
		mustClaim(t, a.Service, pc17)
		mustClaim(t, b.Service, alice)
		for _, c := range []*Service{asker.Service, a.Service, b.Service} {
			if err := tryClaim(t, c, group, true); err != nil {
				t.Fatal(err)
			}
		}
		start := time.Now()
		wantAddrs(t, asker.Service, pc17, "10.0.0.2")
		wantAddrs(t, asker.Service, alice, "10.0.1.3")
		if took := time.Since(start); took > 5*time.Millisecond {
			t.Errorf("two queries took %v, want no waiting", took)
		}
		wantAddrs(t, a.Service, mustName("ASKER", netbios.Messenger), "10.0.0.1")
		wantAddrs(t, a.Service, group, "10.0.0.255")
		wantAddrs(t, asker.Service, group, "10.0.0.255", "10.0.1.255")
		wantAddrs(t, asker.Service, mustName("ASKER", netbios.Messenger), "10.0.0.1", "10.0.1.1")
	})
}

// TestResolveOwnName: loopback is the answer only where nobody else can have the name.
func TestResolveOwnName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		alone := l.start(t, Config{}, "127.0.0.1/8")
		mustClaim(t, alone.Service, pc17)
		wantAddrs(t, alone.Service, pc17, "127.0.0.1")
		alone.stop()

		other := l.start(t, Config{}, "10.0.0.9/24")
		mustClaim(t, other.Service, alice)
		h := l.start(t, Config{}, "127.0.0.1/8", "10.0.0.1/24")
		mustClaim(t, h.Service, pc17)
		wantConflict(t, tryClaim(t, h.Service, alice, false), alice, "10.0.0.9")
		wantAddrs(t, h.Service, pc17, "10.0.0.1")
		wantAddrs(t, h.Service, alice, "10.0.0.9")
	})
}

func TestResolveForeignGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		asker := l.start(t, Config{}, "10.0.0.1/24", "10.0.1.1/24")
		member := l.start(t, Config{}, "10.0.1.2/24")
		if err := tryClaim(t, member.Service, group, true); err != nil {
			t.Fatal(err)
		}
		wantAddrs(t, asker.Service, group, "10.0.1.255")
	})
}

// TestResolveOddAnswers: what a name server says of a name must not send a message
// for one person to everybody, nor to ourselves.
func TestResolveOddAnswers(t *testing.T) {
	tests := []struct {
		name   string
		asked  netbios.Name
		answer []nbns.Address
		want   []string
	}{
		{"a group that takes messages", alice, []nbns.Address{{Group: true, Addr: addr("0.0.0.0")}}, nil},
		{"a group whose member tells itself", alice, []nbns.Address{{Group: true, Addr: addr("10.0.0.7")}}, nil},
		{"multicast", alice, []nbns.Address{{Addr: addr("224.0.0.1")}}, nil},
		{"our own loopback", alice, []nbns.Address{{Addr: addr("127.0.0.1")}}, nil},
		{"one of them is good", alice, []nbns.Address{{Addr: addr("0.0.0.0")}, {Addr: addr("127.0.0.1")}, {Addr: addr("10.0.0.7")}}, []string{"10.0.0.7"}},
		{"a group", group, []nbns.Address{{Group: true, Addr: addr("255.255.255.255")}}, []string{"10.0.0.255"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLAN(1)
				w := newWINS(t, l, "10.0.0.100")
				w.records[tt.asked] = tt.answer
				h := l.start(t, Config{NodeType: nbns.PNode, WINS: []netip.Addr{w.at.Addr()}}, "10.0.0.1/24")
				if tt.want != nil {
					wantAddrs(t, h.Service, tt.asked, tt.want...)
				} else if got, err := h.Resolve(t.Context(), tt.asked); !errors.Is(err, carrier.ErrNoName) {
					t.Errorf("Resolve = %v, %v, want ErrNoName", got, err)
				}
			})
		})
	}
}

func TestResolveNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		h := l.start(t, Config{}, "10.0.0.1/24")
		sent := l.Record(func(_, _ netip.AddrPort, p nbns.Packet) bool { return p.Kind == nbns.Query })
		start := time.Now()
		if _, err := h.Resolve(t.Context(), alice); !errors.Is(err, carrier.ErrNoName) {
			t.Errorf("Resolve = %v, want ErrNoName", err)
		}
		if took := time.Since(start); took != 750*time.Millisecond {
			t.Errorf("Resolve took %v, want three times 250 ms", took)
		}
		if got := len(sent()); got != 3 {
			t.Errorf("%d queries, want 3", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := h.Resolve(ctx, alice); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Resolve = %v, want the deadline", err)
		}
	})
}

func TestResolveSurvivesLoss(t *testing.T) {
	found := 0
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			l := newLAN(seed)
			a := l.start(t, Config{}, "10.0.0.1/24")
			b := l.start(t, Config{}, "10.0.0.2/24")
			mustClaim(t, b.Service, pc17)
			l.Lock()
			l.Loss = 0.2
			l.Unlock()
			if _, err := a.Resolve(t.Context(), pc17); err == nil {
				found++
			}
		})
	}
	if found < 180 { // 0.36 to the third are lost: 191 of 200 on average
		t.Errorf("found %d of 200 with a fifth of the packets lost", found)
	}
}

func TestCacheIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		a := l.start(t, Config{}, "10.0.0.1/24")
		b := l.start(t, Config{}, "10.0.0.2/24")
		mustClaim(t, b.Service, pc17)
		sent := l.Record(func(from, _ netip.AddrPort, p nbns.Packet) bool {
			return p.Kind == nbns.Query && from.Addr() == addr("10.0.0.1")
		})
		for range 10 {
			wantAddrs(t, a.Service, pc17, "10.0.0.2")
		}
		if got := len(sent()); got != 1 {
			t.Errorf("%d queries for one name, want 1", got)
		}
		time.Sleep(10 * time.Minute)
		wantAddrs(t, a.Service, pc17, "10.0.0.2")
		if got := len(sent()); got != 2 {
			t.Errorf("%d queries after ten minutes, want 2", got)
		}
		// The name moves to another machine: its claim is heard, and forgets the old place.
		b.stop()
		c := l.start(t, Config{}, "10.0.0.3/24")
		mustClaim(t, c.Service, pc17)
		wantAddrs(t, a.Service, pc17, "10.0.0.3")
	})
}

func TestResolveAtServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		first, second := newWINS(t, l, "10.0.9.5"), newWINS(t, l, "10.0.9.6")
		controllers := mustName("WORKGROUP", netbios.DomainControllers)
		first.records[alice] = []nbns.Address{{Addr: addr("10.0.7.7")}, {Addr: addr("10.0.8.7")}}
		second.records[pc17] = []nbns.Address{{Addr: addr("10.0.7.8")}}
		first.records[group] = []nbns.Address{{Addr: addr("10.0.7.8"), Group: true}}
		first.odd = func(p nbns.Packet, _ netip.AddrPort) ([]nbns.Packet, bool) {
			members := []nbns.Address{{Addr: addr("10.0.7.1"), Group: true}, {Addr: addr("10.0.7.2"), Group: true}}
			return []nbns.Packet{{ID: p.ID, Kind: nbns.QueryResponse, Name: p.Name, Addresses: members}}, p.Name == controllers
		}
		cfg := servedBy("10.0.9.5", "10.0.9.6")
		cfg.NodeType = nbns.PNode
		h := l.start(t, cfg, "10.0.0.1/24", "127.0.0.1/8")
		wantAddrs(t, h.Service, alice, "10.0.7.7", "10.0.8.7")
		wantAddrs(t, h.Service, pc17, "10.0.7.8") // only the second one knows it
		wantAddrs(t, h.Service, group, "10.0.0.255")
		wantAddrs(t, h.Service, controllers, "10.0.7.1", "10.0.7.2")
		if _, err := h.Resolve(t.Context(), mustName("NOBODY", netbios.Messenger)); !errors.Is(err, carrier.ErrNoName) {
			t.Errorf("Resolve = %v, want ErrNoName", err)
		}
	})
}

// TestNearestAddressFirst: of the addresses of one machine those on our networks are tried
// first, and one that we have too last: many hosts have it, on a network within themselves.
func TestNearestAddressFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		w := newWINS(t, l, "10.0.9.5")
		many := []nbns.Address{{Addr: addr("172.17.0.1")}, {Addr: addr("10.0.7.7")}, {Addr: addr("10.0.1.7")}}
		for i := range 100 {
			many = append(many, nbns.Address{Addr: netip.AddrFrom4([4]byte{10, 0, 6, byte(i)})})
		}
		w.records[alice], w.records[pc17] = many[:3], many
		h := l.start(t, servedBy("10.0.9.5"), "10.0.0.1/24", "10.0.1.1/24", "172.17.0.1/16")
		wantAddrs(t, h.Service, alice, "10.0.1.7", "10.0.7.7", "172.17.0.1")
		if got, err := h.Resolve(t.Context(), pc17); err != nil || len(got) != maxAddresses || got[0] != addr("10.0.1.7") {
			t.Errorf("Resolve = %v, %v, want %d of many addresses, the nearest first", got, err, maxAddresses)
		}
	})
}

// TestGroupAtServer: both addresses that servers tell for a plain group mean everybody.
func TestGroupAtServer(t *testing.T) {
	for _, everybody := range []string{"0.0.0.0", "255.255.255.255"} {
		synctest.Test(t, func(t *testing.T) {
			l := newLAN(1)
			w := newWINS(t, l, "10.0.0.5")
			w.odd = func(p nbns.Packet, _ netip.AddrPort) ([]nbns.Packet, bool) {
				return []nbns.Packet{{
					ID: p.ID, Kind: nbns.QueryResponse, Name: p.Name,
					Addresses: []nbns.Address{{Addr: addr(everybody), Group: true}},
				}}, true
			}
			h := l.start(t, servedBy("10.0.0.5"), "10.0.0.1/24", "10.0.1.1/24")
			wantAddrs(t, h.Service, group, "10.0.0.255", "10.0.1.255")
		})
	}
}

func TestTwoOwnersAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		squat(t, l, "10.0.0.66", pc17)
		squat(t, l, "10.0.0.67", pc17)
		h := l.start(t, Config{}, "10.0.0.1/24")
		got, err := h.Resolve(t.Context(), pc17)
		if err != nil || len(got) != 1 {
			t.Errorf("Resolve = %v, %v, want the first answer", got, err)
		}
	})
}
