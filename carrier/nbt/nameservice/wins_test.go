package nameservice

import (
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr/carrier"
	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

func TestNodeTypes(t *testing.T) {
	tests := []struct {
		node        nbns.NodeType
		claim       []string // order of what a claim sends, without repetitions
		resolve     []string
		serverFails bool
	}{
		{nbns.PNode, []string{"server registration"}, []string{"server query"}, false},
		{nbns.MNode, []string{"broadcast registration", "broadcast overwrite", "server registration"}, []string{"broadcast query", "server query"}, false},
		{nbns.HNode, []string{"server registration", "broadcast registration", "broadcast overwrite"}, []string{"server query", "broadcast query"}, false},
		{nbns.HNode, []string{"server registration", "broadcast registration", "broadcast overwrite"}, []string{"broadcast query"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.node.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLAN(1)
				if !tt.serverFails {
					newWINS(t, l, "10.0.0.5")
				}
				cfg := servedBy("10.0.0.5")
				cfg.NodeType = tt.node
				var mu sync.Mutex
				var sent []string
				l.Trace = func(from, to netip.AddrPort, b []byte) {
					p, err := nbns.Parse(b)
					if err != nil || p.Kind.Response() {
						return
					}
					line := "server " + p.Kind.String()
					if p.Broadcast {
						line = "broadcast " + p.Kind.String()
					}
					mu.Lock()
					defer mu.Unlock()
					if !slices.Contains(sent, line) {
						sent = append(sent, line)
					}
				}
				h := l.start(t, cfg, "10.0.0.1/24")
				take := func() []string {
					mu.Lock()
					defer mu.Unlock()
					got := sent
					sent = nil
					return got
				}
				mustClaim(t, h.Service, pc17)
				if diff := cmp.Diff(tt.claim, take()); diff != "" {
					t.Errorf("claim (-want +got):\n%s", diff)
				}
				time.Sleep(5 * time.Second) // the check after the claim is over
				take()
				if _, err := h.Resolve(t.Context(), alice); err == nil {
					t.Error("Resolve found a name that nobody has")
				}
				if diff := cmp.Diff(tt.resolve, take()); diff != "" {
					t.Errorf("resolve (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestServerKeepsAndForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		w := newWINS(t, l, "10.0.0.5")
		w.ttl = time.Minute
		h := l.start(t, servedBy("10.0.0.5"), "10.0.0.1/24")
		mustClaim(t, h.Service, pc17)
		w.wantRequests("registration PC17<03> 10.0.0.1")
		time.Sleep(29 * time.Second)
		w.wantRequests()
		time.Sleep(2 * time.Second)
		w.wantRequests("refresh PC17<03> 10.0.0.1") // at half of the TTL
		time.Sleep(10 * time.Minute)
		if got := len(w.requests()); got != 20 {
			t.Errorf("%d refreshes in ten minutes, want 20", got)
		}
		h.stop()
		w.wantRequests("release PC17<03> 10.0.0.1")
	})
}

// TestServerForgetsUs: a server that lost its memory learns the name anew.
func TestServerForgetsUs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		w := newWINS(t, l, "10.0.0.5")
		h := l.start(t, servedBy("10.0.0.5"), "10.0.0.1/24")
		mustClaim(t, h.Service, pc17)
		synctest.Wait()
		w.odd = func(p nbns.Packet, _ netip.AddrPort) ([]nbns.Packet, bool) {
			if p.Kind != nbns.Refresh {
				return nil, false
			}
			return []nbns.Packet{{ID: p.ID, Kind: nbns.RegistrationResponse, Rcode: nbns.RcodeName, Name: p.Name, Addresses: p.Addresses}}, true
		}
		w.requests()
		time.Sleep(31 * time.Minute)
		w.wantRequests("refresh PC17<03> 10.0.0.1", "registration PC17<03> 10.0.0.1")
		wantStates(t, h.Service, "eth0 PC17<03> registered")
	})
}

func TestServerRefuses(t *testing.T) {
	for _, node := range []nbns.NodeType{nbns.PNode, nbns.MNode, nbns.HNode} {
		t.Run(node.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLAN(1)
				w := newWINS(t, l, "10.0.0.5")
				w.records[pc17] = []nbns.Address{{Addr: addr("10.0.7.7")}}
				cfg := servedBy("10.0.0.5")
				cfg.NodeType = node
				h := l.start(t, cfg, "10.0.0.1/24")
				wantConflict(t, tryClaim(t, h.Service, pc17, false), pc17, "10.0.7.7")
				wantStates(t, h.Service, "eth0 PC17<03> conflict of 10.0.7.7")
			})
		})
	}
}

// TestFailoverAndReturn: names move to the second server while the first is down,
// and back when it is up again.
func TestFailoverAndReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		first, second := newWINS(t, l, "10.0.0.5"), newWINS(t, l, "10.0.0.6")
		first.ttl, second.ttl = 20*time.Minute, 20*time.Minute
		first.down()
		cfg := servedBy("10.0.0.5", "10.0.0.6")
		cfg.NodeType = nbns.PNode
		h := l.start(t, cfg, "10.0.0.1/24")
		mustClaim(t, h.Service, pc17, alice)
		second.wantRequests("registration PC17<03> 10.0.0.1", "registration ALICE<03> 10.0.0.1")
		time.Sleep(5 * time.Minute)
		second.wantRequests()
		first.up()
		time.Sleep(3 * time.Minute)
		if got := first.requests(); len(got) != 2 {
			t.Errorf("the first server saw %q after its return, want two registrations", got)
		}
		time.Sleep(time.Hour)
		second.wantRequests()
		first.requests()
		first.down()
		time.Sleep(15 * time.Minute)
		if got := second.requests(); len(got) < 2 {
			t.Errorf("the second server saw %q after the first one's loss, want both names", got)
		}
		wantStates(t, h.Service, "eth0 PC17<03> registered", "eth0 ALICE<03> registered")
		h.stop()
		got := second.requests()
		slices.Sort(got)
		if diff := cmp.Diff([]string{"release ALICE<03> 10.0.0.1", "release PC17<03> 10.0.0.1"}, got); diff != "" {
			t.Errorf("at shutdown (-want +got):\n%s", diff)
		}
	})
}

// TestReleaseOfOneAddress: a server that takes the release of one address of a machine for
// that of all, as nmbd does, hears of the others again.
func TestReleaseOfOneAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		w := newWINS(t, l, "10.0.0.5")
		w.odd = func(p nbns.Packet, _ netip.AddrPort) ([]nbns.Packet, bool) {
			if p.Kind == nbns.Release {
				delete(w.records, p.Name)
			}
			return nil, false
		}
		h := l.start(t, servedBy("10.0.0.5"), "10.0.0.1/24", "10.0.1.1/24")
		mustClaim(t, h.Service, pc17)
		time.Sleep(2 * time.Minute)
		h.nodes[1].Stop()
		h.nodes = h.nodes[:1]
		time.Sleep(time.Second)
		w.mu.Lock()
		defer w.mu.Unlock()
		if owners := w.owners(pc17); len(owners) != 1 || owners[0].Addr != addr("10.0.0.1") {
			t.Errorf("the server has the name at %v, want the address that is left", owners)
		}
	})
}

// TestServersDisagree: a preferred server that refuses the name after its return does not
// keep us from the one that granted it, nor is it asked all the time.
func TestServersDisagree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		first, second := newWINS(t, l, "10.0.0.5"), newWINS(t, l, "10.0.0.6")
		second.ttl = 20 * time.Minute
		first.down()
		h := l.start(t, servedBy("10.0.0.5", "10.0.0.6"), "10.0.0.1/24")
		mustClaim(t, h.Service, pc17)
		first.odd = func(p nbns.Packet, _ netip.AddrPort) ([]nbns.Packet, bool) {
			return []nbns.Packet{{ID: p.ID, Kind: nbns.RegistrationResponse, Rcode: nbns.RcodeRefused, Name: p.Name, Addresses: p.Addresses}},
				p.Kind != nbns.Query
		}
		first.up()
		time.Sleep(time.Hour)
		if got := len(first.requests()); got > 2*60+10 {
			t.Errorf("the first server saw %d requests within an hour, want one or two a minute", got)
		}
		wantStates(t, h.Service, "eth0 PC17<03> registered")
		second.mu.Lock()
		defer second.mu.Unlock()
		if len(second.owners(pc17)) == 0 {
			t.Error("the second server was not told any more, want refreshes")
		}
	})
}

// TestReturnInSpiteOfDemands: whoever sends demands all the time does not keep us from the
// server when it is back.
func TestReturnInSpiteOfDemands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		w := newWINS(t, l, "10.0.0.5")
		w.down()
		h := l.start(t, servedBy("10.0.0.5"), "10.0.0.1/24")
		mustClaim(t, h.Service, pc17)
		w.up()
		for range 300 {
			forge(t, l, "10.0.0.66:137", nbns.Packet{
				Kind: nbns.RegistrationResponse, Rcode: nbns.RcodeConflict, Name: pc17,
				Addresses: []nbns.Address{{Addr: netip.IPv4Unspecified()}},
			}, "10.0.0.1:137")
			time.Sleep(time.Second)
		}
		if got := w.requests(); !slices.Contains(got, "registration PC17<03> 10.0.0.1") {
			t.Errorf("the server saw %q after its return, want a registration", got)
		}
	})
}

// TestServersDown: without servers an H node lives by broadcast, and a P node waits.
func TestServersDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		w := newWINS(t, l, "10.0.0.5")
		w.down()
		h := l.start(t, servedBy("10.0.0.5"), "10.0.0.1/24")
		start := time.Now()
		mustClaim(t, h.Service, pc17)
		if took := time.Since(start); took > 6*time.Second {
			t.Errorf("the first claim took %v", took)
		}
		start = time.Now()
		mustClaim(t, h.Service, alice) // does not wait for the dead server again
		if took := time.Since(start); took > time.Second {
			t.Errorf("the second claim took %v, want it to leave the silent server alone", took)
		}
		cfg := servedBy("10.0.0.5")
		cfg.NodeType = nbns.PNode
		p := l.start(t, cfg, "10.0.0.2/24")
		if err := tryClaim(t, p.Service, mustName("BOB", netbios.Messenger), false); err == nil {
			t.Error("a P node claimed a name without a server")
		}
		w.up()
		time.Sleep(3 * time.Minute)
		wantStates(t, p.Service, "eth0 BOB<03> registered")
		w.mu.Lock()
		defer w.mu.Unlock()
		if got := len(w.records); got != 3 {
			t.Errorf("the server knows %d names after its return, want 3", got)
		}
	})
}

// TestServerOutOfReachOfOneInterface: a server that an interface does not reach serves the
// others all the time.
func TestServerOutOfReachOfOneInterface(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		w := newWINS(t, l, "10.0.9.9")
		w.records[alice] = []nbns.Address{{Addr: addr("10.0.8.8")}}
		l.Apart = func(from, to netip.Addr) bool { return from == addr("10.0.1.1") && to == w.at.Addr() }
		h := l.start(t, servedBy("10.0.9.9"), "10.0.0.1/24", "10.0.1.1/24")
		mustClaim(t, h.Service, pc17)
		for range 60 {
			time.Sleep(5 * time.Second)
			if err := h.PurgeCache(); err != nil {
				t.Fatal(err)
			}
			wantAddrs(t, h.Service, alice, "10.0.8.8")
		}
		wantStates(t, h.Service, "eth0 PC17<03> registered", "eth1 PC17<03> registered")
	})
}

// TestServerIsAskedByItsRoute: a question to another network leaves by the interface from
// which the system reaches it, be it the first one or not.
func TestServerIsAskedByItsRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		w := newWINS(t, l, "10.0.9.9")
		w.records[alice] = []nbns.Address{{Addr: addr("10.0.8.8")}}
		l.Apart = func(from, to netip.Addr) bool { return from == addr("10.0.0.1") && to == w.at.Addr() }
		cfg := servedBy("10.0.9.9")
		cfg.Route = func(to netip.Addr) netip.Addr {
			if to == w.at.Addr() {
				return addr("10.0.1.1")
			}
			return netip.Addr{}
		}
		h := l.start(t, cfg, "10.0.0.1/24", "10.0.1.1/24", "10.0.2.1/24")
		wantAddrs(t, h.Service, alice, "10.0.8.8")
	})
}

// TestChallenge: an end-node challenge makes us ask the owner ourselves (RFC 1002 4.2.7).
func TestChallenge(t *testing.T) {
	challenge := func(owner string) func(nbns.Packet, netip.AddrPort) ([]nbns.Packet, bool) {
		return func(p nbns.Packet, _ netip.AddrPort) ([]nbns.Packet, bool) {
			return []nbns.Packet{{
				ID: p.ID, Kind: nbns.Challenge, Name: p.Name, Addresses: []nbns.Address{{Addr: addr(owner)}},
			}}, p.Kind == nbns.Registration
		}
	}
	t.Run("owner is there", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newLAN(1)
			w := newWINS(t, l, "10.0.0.5")
			other := l.start(t, servedBy("10.0.0.5"), "10.0.1.7/24")
			mustClaim(t, other.Service, pc17)
			w.odd = challenge("10.0.1.7")
			h := l.start(t, servedBy("10.0.0.5"), "10.0.0.1/24")
			wantConflict(t, tryClaim(t, h.Service, pc17, false), pc17, "10.0.1.7")
		})
	})
	t.Run("owner is gone", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newLAN(1)
			w := newWINS(t, l, "10.0.0.5")
			w.odd = challenge("10.0.1.7")
			h := l.start(t, servedBy("10.0.0.5"), "10.0.0.1/24")
			mustClaim(t, h.Service, pc17)
			w.wantRequests("registration PC17<03> 10.0.0.1", "overwrite PC17<03> 10.0.0.1")
		})
	})
	t.Run("we are the owner", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newLAN(1)
			w := newWINS(t, l, "10.0.0.5")
			w.odd = challenge("10.0.0.1")
			h := l.start(t, servedBy("10.0.0.5"), "10.0.0.1/24")
			mustClaim(t, h.Service, pc17)
			w.wantRequests("registration PC17<03> 10.0.0.1", "overwrite PC17<03> 10.0.0.1")
		})
	})
}

func TestMultihomedRegistration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		w := newWINS(t, l, "10.0.0.5")
		h := l.start(t, servedBy("10.0.0.5"), "10.0.0.1/24", "10.0.1.1/24", "127.0.0.1/8")
		mustClaim(t, h.Service, pc17)
		got := w.requests()
		slices.Sort(got)
		want := []string{"multi-homed registration PC17<03> 10.0.0.1", "multi-homed registration PC17<03> 10.0.1.1"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("unique name (-want +got):\n%s", diff)
		}
		if err := tryClaim(t, h.Service, group, true); err != nil {
			t.Fatal(err)
		}
		got = w.requests()
		slices.Sort(got)
		want = []string{"registration WORKGROUP<00> 10.0.0.1", "registration WORKGROUP<00> 10.0.1.1"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("group (-want +got):\n%s", diff)
		}
	})
}

// TestServerTakesUsForTwo: a server that refuses a second address of a machine, since it takes
// it for another one, is asked again soon: we are in no conflict with ourselves.
func TestServerTakesUsForTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		w := newWINS(t, l, "10.0.0.5")
		confused := true
		w.odd = func(p nbns.Packet, _ netip.AddrPort) ([]nbns.Packet, bool) {
			return []nbns.Packet{{ID: p.ID, Kind: nbns.RegistrationResponse, Rcode: nbns.RcodeActive, Name: p.Name, Addresses: p.Addresses}},
				confused && p.Kind != nbns.Query && len(w.owners(p.Name)) > 0 && w.owners(p.Name)[0].Addr != p.Addresses[0].Addr
		}
		h := l.start(t, servedBy("10.0.0.5"), "10.0.0.1/24", "10.0.1.1/24")
		if err := tryClaim(t, h.Service, pc17, false); err == nil {
			t.Error("the claim succeeded, want the server's refusal")
		} else if _, ok := errors.AsType[*carrier.ConflictError](err); ok {
			t.Errorf("Claim = %v, want no conflict", err)
		}
		w.mu.Lock()
		confused = false
		w.mu.Unlock()
		time.Sleep(30 * time.Second)
		wantStates(t, h.Service, "eth0 PC17<03> registered", "eth1 PC17<03> registered")
	})
}

// TestOldServer: one that does not know multi-homed registration gets the old one.
func TestOldServer(t *testing.T) {
	for _, rcode := range []nbns.Rcode{nbns.RcodeFormat, nbns.RcodeOpcode} {
		synctest.Test(t, func(t *testing.T) {
			l := newLAN(1)
			w := newWINS(t, l, "10.0.0.5")
			w.odd = func(p nbns.Packet, _ netip.AddrPort) ([]nbns.Packet, bool) {
				return []nbns.Packet{{ID: p.ID, Kind: nbns.RegistrationResponse, Rcode: rcode, Name: p.Name}},
					p.Kind == nbns.MultihomedRegistration
			}
			cfg := servedBy("10.0.0.5")
			cfg.NodeType = nbns.PNode
			l.start(t, cfg, "10.0.0.1/24", "10.0.1.1/24")
			h := l.start(t, cfg, "10.0.0.3/24", "10.0.1.3/24")
			tryClaim(t, h.Service, group.WithSuffix(netbios.Messenger), false)
			if got := w.requests(); !slices.ContainsFunc(got, func(s string) bool { return s == "registration WORKGROUP<03> 10.0.0.3" }) {
				t.Errorf("%v: requests = %q, want a plain registration", rcode, got)
			}
		})
	}
}

// TestServerDoubts: a refresh that is refused costs the name only if the other owner
// that the server knows is there.
func TestServerDoubts(t *testing.T) {
	for _, present := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			l := newLAN(1)
			w := newWINS(t, l, "10.0.0.5")
			w.ttl = 10 * time.Minute
			h := l.start(t, servedBy("10.0.0.5"), "10.0.0.1/24")
			mustClaim(t, h.Service, pc17)
			time.Sleep(time.Minute)
			want := "eth0 PC17<03> registered"
			if present {
				other := l.start(t, Config{Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")}}, "10.0.1.7/24")
				mustClaim(t, other.Service, pc17)
				want = "eth0 PC17<03> conflict of 10.0.1.7"
			}
			w.mu.Lock()
			w.records[pc17] = []nbns.Address{{Addr: addr("10.0.1.7")}}
			w.mu.Unlock()
			time.Sleep(5 * time.Minute)
			wantStates(t, h.Service, want)
		})
	}
}

func TestRefreshTime(t *testing.T) {
	for ttl, want := range map[time.Duration]time.Duration{
		20 * time.Second:       10 * time.Second,
		time.Second:            time.Second,
		0:                      2 * time.Hour,
		144 * time.Hour:        2 * time.Hour,
		30 * time.Minute:       15 * time.Minute,
		(1<<32 - 1) * 1e9:      2 * time.Hour,
		300 * time.Second:      150 * time.Second,
		1500 * 1e6:             time.Second,
		4 * time.Hour:          2 * time.Hour,
		4*time.Hour - 2*1e9:    2*time.Hour - 1e9,
		2500 * 1e6:             1250 * 1e6,
		2000 * 1e6:             time.Second,
		12 * time.Second:       6 * time.Second,
		time.Duration(1e9 - 1): time.Second,
	} {
		if got := refreshTime(ttl); got != want {
			t.Errorf("refreshTime(%v) = %v, want %v", ttl, got, want)
		}
	}
}
