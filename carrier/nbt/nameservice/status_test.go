package nameservice

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr/carrier"
	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

func TestStatus(t *testing.T) {
	machine := mustName("BETA", netbios.Workstation)
	entry := func(n netbios.Name, group bool) carrier.NameEntry {
		return carrier.NameEntry{Name: n, Group: group, State: carrier.Owned}
	}
	for _, hide := range []bool{false, true} {
		t.Run(fmt.Sprintf("hide users %v", hide), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLAN(1)
				b := l.start(t, Config{HideUsers: hide}, "10.0.0.2/24")
				mustClaim(t, b.Service, machine, machine.WithSuffix(netbios.Messenger), alice)
				if err := tryClaim(t, b.Service, group, true); err != nil {
					t.Fatal(err)
				}
				a := l.start(t, Config{}, "10.0.0.1/24")
				mustClaim(t, a.Service, pc17)
				wantConflict(t, tryClaim(t, b.Service, pc17.WithSuffix(netbios.Messenger), false), pc17, "10.0.0.1")
				want := []carrier.NameEntry{entry(machine, false), entry(machine.WithSuffix(netbios.Messenger), false)}
				if !hide {
					want = append(want, entry(alice, false))
				}
				want = append(want, entry(group, true))
				if !hide {
					want = append(want, carrier.NameEntry{Name: pc17, State: carrier.Conflict})
				}
				got, err := a.Status(t.Context(), addr("10.0.0.2"))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got, compareAddr); diff != "" {
					t.Errorf("status (-want +got):\n%s", diff)
				}
				status, err := a.AdapterStatus(t.Context(), addr("10.0.0.2"))
				if err != nil {
					t.Fatal(err)
				}
				if got, want := status.Statistics.UnitID, [6]byte{2, 0, 0, 0, 0, 2}; got != want {
					t.Errorf("unit id = %x, want %x", got, want)
				}
			})
		})
	}
}

func TestStatusOfOurselvesAndOfNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		h := l.start(t, Config{}, "10.0.0.1/24", "127.0.0.1/8")
		mustClaim(t, h.Service, pc17)
		for _, own := range []string{"10.0.0.1", "127.0.0.1"} {
			if got, err := h.Status(t.Context(), addr(own)); err != nil || len(got) != 1 {
				t.Errorf("Status(%s) = %v, %v, want one name", own, got, err)
			}
		}
		start := time.Now()
		if got, err := h.Status(t.Context(), addr("10.0.0.9")); !errors.Is(err, carrier.ErrNoName) {
			t.Errorf("Status of nobody = %v, %v, want ErrNoName", got, err)
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("Status of nobody took %v, want 3 s", took)
		}
	})
}

// TestStatusFromLoopbackOnly: a host that takes part nowhere can still ask.
func TestStatusFromLoopbackOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		b := l.start(t, Config{Allow: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/32")}}, "10.0.0.2/24")
		mustClaim(t, b.Service, pc17)
		h := l.start(t, Config{}, "127.0.0.1/8")
		if got, err := h.Status(t.Context(), addr("10.0.0.2")); err != nil || len(got) != 1 {
			t.Errorf("Status = %v, %v, want one name", got, err)
		}
	})
}

func TestStatusReplies(t *testing.T) {
	request := func(n netbios.Name, broadcast bool) nbns.Packet {
		return nbns.Packet{ID: 7, Kind: nbns.StatusRequest, Broadcast: broadcast, Name: n}
	}
	tests := []struct {
		name   string
		from   string
		packet nbns.Packet
		want   int
	}{
		{"wildcard", "10.0.0.9:4711", request(netbios.Wildcard(), false), 1},
		{"a name of ours", "10.0.0.9:4711", request(pc17, false), 1},
		{"another name", "10.0.0.9:4711", request(alice, false), 0},
		{"by broadcast", "10.0.0.9:4711", request(netbios.Wildcard(), true), 1},
		{"another name by broadcast", "10.0.0.9:4711", request(alice, true), 0},
		{"from beyond the network", "192.168.7.7:4711", request(netbios.Wildcard(), false), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLAN(1)
				h := l.start(t, Config{}, "10.0.0.1/24")
				mustClaim(t, h.Service, pc17)
				if got := len(ask(t, l, tt.from, tt.packet, "10.0.0.1:137")); got != tt.want {
					t.Errorf("%d answers, want %d", got, tt.want)
				}
			})
		})
	}
}

func TestStatusOfManyNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		h := l.start(t, Config{}, "10.0.0.1/24")
		for i := range 100 {
			mustClaim(t, h.Service, mustName(fmt.Sprintf("NAME%d", i), netbios.Messenger))
		}
		got := ask(t, l, "10.0.0.9:4711", nbns.Packet{Kind: nbns.StatusRequest, Name: netbios.Wildcard()}, "10.0.0.1:137")
		if len(got) != 1 || !got[0].Truncated || len(got[0].Status.Names) != maxStatusNames {
			t.Fatalf("answers = %+v, want one that is truncated to %d names", got, maxStatusNames)
		}
		b, err := got[0].Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > 1472 {
			t.Errorf("answer of %d bytes, want at most 1472", len(b))
		}
	})
}

func TestStatusIsLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		h := l.start(t, Config{}, "10.0.0.1/24")
		mustClaim(t, h.Service, pc17)
		sent := l.Record(func(_, _ netip.AddrPort, p nbns.Packet) bool { return p.Kind == nbns.StatusResponse })
		for range 1000 {
			forge(t, l, "10.0.0.9:4711", nbns.Packet{Kind: nbns.StatusRequest, Name: netbios.Wildcard()}, "10.0.0.1:137")
		}
		time.Sleep(time.Second)
		if got := len(sent()); got < 200 || got > 300 {
			t.Errorf("%d of 1000 requests within a second answered, want 200 to 300", got)
		}
	})
}
