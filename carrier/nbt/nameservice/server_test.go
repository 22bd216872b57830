package nameservice

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"messngr/carrier/wins"
	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

// noKeeper forgets everything.
type noKeeper struct{}

func (noKeeper) Settings(context.Context, string) (map[string]string, error) { return nil, nil }
func (noKeeper) Set(context.Context, string, string, string) error           { return nil }
func (noKeeper) Unset(context.Context, string, string) (bool, error)         { return false, nil }

// smallWINS returns the name server of this program, which runs until the test ends.
func smallWINS(t testing.TB, cfg wins.Config) *wins.Server {
	t.Helper()
	defaults := wins.Defaults()
	if cfg.MinTTL == 0 {
		cfg.MinTTL, cfg.MaxTTL = defaults.MinTTL, defaults.MaxTTL
	}
	cfg.MaxNames = defaults.MaxNames
	s, err := wins.New(t.Context(), cfg, noKeeper{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

// site returns a lan with the name server of this program at 10.0.9.9.
func site(t *testing.T, cfg wins.Config) (*lan, *host) {
	l := newLAN(1)
	cfg.Networks = append(cfg.Networks, "10.0.0.0/8")
	server := smallWINS(t, cfg)
	own := servedBy("10.0.9.9")
	own.Server = server
	return l, l.start(t, own, "10.0.9.9/24")
}

// TestSite: three networks that hear nothing of each other's broadcasts are one site.
func TestSite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, server := site(t, wins.Config{})
		mustClaim(t, server.Service, mustName("SERVER", netbios.Messenger))
		if err := tryClaim(t, server.Service, group, true); err != nil {
			t.Fatal(err)
		}
		a := l.start(t, servedBy("10.0.9.9"), "10.0.1.1/24")
		b := l.start(t, servedBy("10.0.9.9"), "10.0.2.1/24", "10.0.3.1/24")
		start := time.Now()
		mustClaim(t, a.Service, pc17)
		mustClaim(t, b.Service, alice)
		if err := tryClaim(t, a.Service, group, true); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("claims of free names took %v", took)
		}
		wantBoth := func(name netbios.Name) {
			t.Helper()
			got, err := a.Resolve(t.Context(), name)
			slices.SortFunc(got, netip.Addr.Compare)
			if err != nil || !slices.Equal(got, []netip.Addr{addr("10.0.2.1"), addr("10.0.3.1")}) {
				t.Errorf("Resolve(%v) = %v, %v, want both addresses", name, got, err)
			}
		}
		wantBoth(alice)
		wantAddrs(t, b.Service, pc17, "10.0.1.1")
		wantAddrs(t, b.Service, mustName("SERVER", netbios.Messenger), "10.0.9.9")
		wantAddrs(t, b.Service, group, "10.0.2.255", "10.0.3.255")
		wantConflict(t, tryClaim(t, b.Service, pc17, false), pc17, "10.0.1.1")
		wantConflict(t, tryClaim(t, a.Service, mustName("SERVER", netbios.Messenger), false), mustName("SERVER", netbios.Messenger), "10.0.9.9")
		if err := a.Release(t.Context(), pc17); err != nil {
			t.Fatal(err)
		}
		mustClaim(t, b.Service, pc17)
		wantBoth(pc17)
	})
}

// TestOwnerIsGone: who does not answer the server loses the name, after some seconds.
func TestOwnerIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := site(t, wins.Config{})
		a := l.start(t, servedBy("10.0.9.9"), "10.0.1.1/24")
		b := l.start(t, servedBy("10.0.9.9"), "10.0.2.1/24")
		mustClaim(t, a.Service, pc17)
		l.Lock()
		l.Apart = func(from, to netip.Addr) bool { return from == addr("10.0.1.1") || to == addr("10.0.1.1") }
		l.Unlock()
		start := time.Now()
		mustClaim(t, b.Service, pc17)
		if took := time.Since(start); took < 2*time.Second || took > 5*time.Second {
			t.Errorf("the claim took %v, want about 3 s and what the network takes", took)
		}
		l.Lock()
		l.Apart = nil
		l.Unlock()
		time.Sleep(3 * time.Hour) // the refresh tells the first owner
		wantStates(t, a.Service, "eth0 PC17<03> conflict of 10.0.2.1")
		wantStates(t, b.Service, "eth0 PC17<03> registered")
	})
}

// TestOwnerAsksForPatience: an owner who only puts the server off is gone, before the claimant
// loses patience.
func TestOwnerAsksForPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := site(t, wins.Config{})
		owner := newWINS(t, l, "10.0.1.1") // which has a socket, and says what the test wants
		owner.odd = func(p nbns.Packet, _ netip.AddrPort) ([]nbns.Packet, bool) {
			return []nbns.Packet{{ID: p.ID, Kind: nbns.Wait, Name: p.Name, TTL: time.Minute, Waiting: p.Kind}}, true
		}
		claim := nbns.Packet{ID: 9, Kind: nbns.Registration, Name: pc17, Addresses: []nbns.Address{{Addr: addr("10.0.1.1")}}}
		if got := ask(t, l, "10.0.2.2:137", claim, "10.0.9.9:137"); len(got) != 1 || got[0].Rcode != nbns.RcodeOK {
			t.Fatalf("first claim: %+v", got)
		}
		b := l.start(t, servedBy("10.0.9.9"), "10.0.2.1/24")
		start := time.Now()
		mustClaim(t, b.Service, pc17)
		if took := time.Since(start); took < 8*time.Second || took > 11*time.Second {
			t.Errorf("the claim took %v, want at most the 10 s for which the claimant was put off", took)
		}
	})
}

// TestTwoClaimAtOnceAtServer: exactly one gets the name and the other is told, although
// both are in networks of their own.
func TestTwoClaimAtOnceAtServer(t *testing.T) {
	for lead := -60 * time.Millisecond; lead <= 60*time.Millisecond; lead += time.Millisecond / 2 {
		synctest.Test(t, func(t *testing.T) {
			l, _ := site(t, wins.Config{})
			a := l.start(t, servedBy("10.0.9.9"), "10.0.1.1/24")
			b := l.start(t, servedBy("10.0.9.9"), "10.0.2.1/24")
			errs := make(chan error, 2)
			for s, wait := range map[*Service]time.Duration{a.Service: max(0, lead), b.Service: max(0, -lead)} {
				go func() {
					time.Sleep(wait)
					errs <- tryClaim(t, s, pc17, false)
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

// TestWhoIsServed has a row for each kind of machine that asks the name server.
func TestWhoIsServed(t *testing.T) {
	registration := nbns.Packet{ID: 9, Kind: nbns.Registration, Name: pc17, Addresses: []nbns.Address{{Addr: addr("10.0.0.7")}}}
	wildcard := registration
	wildcard.Name = netbios.Wildcard()
	broadcast := registration
	broadcast.Broadcast = true
	for _, tt := range []struct {
		name, from, to string
		packet         nbns.Packet
		want           int
	}{
		{"on our network", "10.0.9.1:137", "10.0.9.9:137", registration, 1},
		{"on a network that is served", "10.0.0.7:137", "10.0.9.9:137", registration, 1},
		{"from a high port", "10.0.0.7:4711", "10.0.9.9:137", registration, 1},
		{"a stranger", "192.168.7.7:137", "10.0.9.9:137", registration, 0},
		{"a claim of the wildcard name, which is refused", "10.0.9.1:137", "10.0.9.9:137", wildcard, 1},
		{"a broadcast", "10.0.9.1:137", "10.0.9.255:137", broadcast, 0},
		{"a broadcast that is not marked as one", "10.0.9.1:137", "10.0.9.255:137", registration, 0},
		{"a stranger's question", "192.168.7.7:137", "10.0.9.9:137", nbns.Packet{ID: 9, Kind: nbns.Query, Name: alice}, 0},
		{"a stranger's question for a node status", "192.168.7.7:137", "10.0.9.9:137",
			nbns.Packet{ID: 9, Kind: nbns.StatusRequest, Name: netbios.Wildcard()}, 0},
		{"a served machine's question for a node status", "10.0.0.7:137", "10.0.9.9:137",
			nbns.Packet{ID: 9, Kind: nbns.StatusRequest, Name: netbios.Wildcard()}, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			l, _ := site(t, wins.Config{})
			if got := ask(t, l, tt.from, tt.packet, tt.to); len(got) != tt.want {
				t.Errorf("%s: %d answers, want %d: %+v", tt.name, len(got), tt.want, got)
			}
		})
	}
}

// TestServerOfSeveralNetworks: the machines of all networks of the host are served, by
// whichever of its addresses they were told.
func TestServerOfSeveralNetworks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		own := servedBy("10.0.9.9")
		own.Server = smallWINS(t, wins.Config{})
		server := l.start(t, own, "10.0.9.9/24", "10.0.8.9/24")
		mustClaim(t, server.Service, mustName("SERVER", netbios.Messenger))
		near := l.start(t, servedBy("10.0.9.9"), "10.0.9.1/24")
		far := l.start(t, servedBy("10.0.9.9"), "10.0.8.1/24")
		mustClaim(t, near.Service, pc17)
		mustClaim(t, far.Service, alice)
		wantAddrs(t, near.Service, alice, "10.0.8.1")
		wantAddrs(t, far.Service, pc17, "10.0.9.1")
		status := nbns.Packet{ID: 9, Kind: nbns.StatusRequest, Name: netbios.Wildcard()}
		if got := ask(t, l, "10.0.8.7:137", status, "10.0.9.9:137"); len(got) != 1 {
			t.Errorf("%d node statuses by the address on the other network, want 1", len(got))
		}
	})
}

// TestManyAddressesAtServer: machines with several addresses, the server among them, have
// their names by all of them, in whatever order the packets come.
func TestManyAddressesAtServer(t *testing.T) {
	for seed := range uint64(100) {
		synctest.Test(t, func(t *testing.T) {
			l := newLAN(seed)
			l.Delay = func(r *rand.Rand) time.Duration { return time.Duration(r.IntN(3000)) * time.Microsecond }
			own := servedBy("10.0.1.9")
			own.Server = smallWINS(t, wins.Config{Networks: []string{"10.0.0.0/8"}})
			server := l.start(t, own, "10.0.1.9/24", "10.0.2.9/24", "10.0.3.9/24")
			mustClaim(t, server.Service, mustName("SERVER", netbios.Messenger))
			h := l.start(t, servedBy("10.0.1.9"), "10.0.1.1/24", "10.0.2.1/24", "10.0.4.1/24")
			mustClaim(t, h.Service, pc17)
			got := ask(t, l, "10.0.1.7:137", nbns.Packet{ID: 9, Kind: nbns.Query, Name: pc17}, "10.0.1.9:137")
			if len(got) != 1 || len(got[0].Addresses) != 3 {
				t.Errorf("seed %d: the server says %+v, want three addresses", seed, got)
			}
			got = ask(t, l, "10.0.3.7:137", nbns.Packet{ID: 9, Kind: nbns.Query, Name: mustName("SERVER", netbios.Messenger)}, "10.0.3.9:137")
			if len(got) != 1 || len(got[0].Addresses) != 3 {
				t.Errorf("seed %d: the server says of itself %+v, want three addresses", seed, got)
			}
		})
	}
}

// TestServerAsksFromAnotherAddress: an owner who knows the server by another address than the
// one by which it asks answers all the same.
func TestServerAsksFromAnotherAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		own := servedBy("10.0.9.9")
		own.Server = smallWINS(t, wins.Config{Networks: []string{"10.0.0.0/8"}})
		l.start(t, own, "10.0.9.9/24", "10.0.8.9/24")
		a := l.start(t, servedBy("10.0.9.9"), "10.0.1.1/24")
		b := l.start(t, servedBy("10.0.8.9"), "10.0.2.1/24")
		mustClaim(t, a.Service, pc17)
		wantConflict(t, tryClaim(t, b.Service, pc17, false), pc17, "10.0.1.1")
	})
}

// TestOwnerIsAServer: a name server that is asked as a node, whether it still has a name, does
// not tell what it knows of others.
func TestOwnerIsAServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := site(t, wins.Config{})
		second := servedBy("10.0.8.8")
		second.Server = smallWINS(t, wins.Config{Networks: []string{"10.0.0.0/8"}})
		l.start(t, second, "10.0.8.8/24")
		register := func(at, server string) {
			t.Helper()
			claim := nbns.Packet{ID: 9, Kind: nbns.Registration, Name: pc17, Addresses: []nbns.Address{{Addr: addr(at)}}}
			if got := ask(t, l, "10.0.1.1:137", claim, server); len(got) != 1 || got[0].Rcode != nbns.RcodeOK {
				t.Fatalf("registration at %s: %+v", server, got)
			}
		}
		register("10.0.8.8", "10.0.9.9:137") // whose address that was, before the second server got it
		register("10.0.1.1", "10.0.8.8:137")
		b := l.start(t, servedBy("10.0.9.9"), "10.0.2.1/24")
		mustClaim(t, b.Service, pc17)
		got := ask(t, l, "10.0.7.7:137", nbns.Packet{ID: 9, Kind: nbns.Query, Name: pc17}, "10.0.8.8:137")
		if len(got) != 1 || got[0].Rcode != nbns.RcodeOK || got[0].Addresses[0].Addr != addr("10.0.1.1") {
			t.Errorf("the second server says %+v, want what it knows", got)
		}
	})
}

// TestServersOwnNames: the server defends them at once, without asking itself.
func TestServersOwnNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, server := site(t, wins.Config{})
		mustClaim(t, server.Service, pc17)
		if err := tryClaim(t, server.Service, group, true); err != nil {
			t.Fatal(err)
		}
		other := []nbns.Address{{Addr: addr("10.0.9.1"), Node: nbns.HNode}}
		for _, kind := range []nbns.Kind{nbns.Registration, nbns.MultihomedRegistration, nbns.Refresh} {
			got := ask(t, l, "10.0.9.1:137", nbns.Packet{ID: 9, Kind: kind, Name: pc17, Addresses: other}, "10.0.9.9:137")
			if len(got) != 1 || got[0].Kind != nbns.RegistrationResponse || got[0].Rcode != nbns.RcodeActive {
				t.Errorf("%v: %+v, want one refusal", kind, got)
			}
		}
		ask(t, l, "10.0.9.1:137", nbns.Packet{ID: 9, Kind: nbns.Release, Name: pc17, Addresses: other}, "10.0.9.9:137")
		got := ask(t, l, "10.0.9.1:137", nbns.Packet{ID: 9, Kind: nbns.Query, Name: pc17}, "10.0.9.9:137")
		if len(got) != 1 || !got[0].Server || len(got[0].Addresses) != 1 || got[0].Addresses[0].Addr != addr("10.0.9.9") {
			t.Errorf("answer about its own name = %+v", got)
		}
		got = ask(t, l, "10.0.9.1:137", nbns.Packet{ID: 9, Kind: nbns.Query, Name: group}, "10.0.9.9:137")
		if len(got) != 1 || got[0].Addresses[0].Addr != addr("255.255.255.255") {
			t.Errorf("answer about its group = %+v, want everybody", got)
		}
	})
}

// TestScopesAtServer: the server keeps names of scopes that are not its own, and asks
// their owners in their scope.
func TestScopesAtServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := site(t, wins.Config{})
		cfg := servedBy("10.0.9.9")
		cfg.Scope = "SALES"
		a := l.start(t, cfg, "10.0.1.1/24")
		b := l.start(t, cfg, "10.0.2.1/24")
		c := l.start(t, servedBy("10.0.9.9"), "10.0.3.1/24")
		mustClaim(t, a.Service, pc17)
		wantConflict(t, tryClaim(t, b.Service, pc17, false), pc17, "10.0.1.1")
		mustClaim(t, c.Service, pc17)
		wantAddrs(t, b.Service, pc17, "10.0.1.1")
	})
}

// TestServerAsksNoStrangers: nobody can make the server send packets to where nobody is served.
func TestServerAsksNoStrangers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := site(t, wins.Config{})
		far := 0
		l.Lock()
		l.Trace = func(_, to netip.AddrPort, _ []byte) {
			if !netip.MustParsePrefix("10.0.0.0/8").Contains(to.Addr()) {
				far++
			}
		}
		l.Unlock()
		claim := func(id uint16, at string) []nbns.Packet {
			return ask(t, l, "10.0.1.1:137", nbns.Packet{
				ID: id, Kind: nbns.Registration, Name: pc17, Addresses: []nbns.Address{{Addr: addr(at)}},
			}, "10.0.9.9:137")
		}
		if got := claim(1, "203.0.113.5"); len(got) != 1 || got[0].Rcode != nbns.RcodeOK {
			t.Errorf("first claim: %+v", got)
		}
		granted := func(p nbns.Packet) bool { return p.Kind == nbns.RegistrationResponse && p.Rcode == nbns.RcodeOK }
		if got := claim(2, "10.0.1.1"); len(got) != 2 || !slices.ContainsFunc(got, granted) {
			t.Errorf("second claim: %+v, want to wait and get it", got)
		}
		if far != 0 {
			t.Errorf("%d packets went to a stranger", far)
		}
	})
}

// TestAdmissionInAFlood: strangers who ask for a name a thousand times at once do not have it
// look as if nobody had it.
func TestAdmissionInAFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		newWINS(t, l, "10.0.0.5")
		h := l.start(t, servedBy("10.0.0.5"), "10.0.1.1/24")
		mustClaim(t, h.Service, pc17)
		short, err := nbns.Packet{ID: 9, Kind: nbns.Query, Name: pc17}.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		long := append(short, make([]byte, answerSurplus)...)
		flood, err := l.Listen(netip.MustParseAddrPort("192.168.7.7:137"))
		if err != nil {
			t.Fatal(err)
		}
		defer flood.Close()
		for i := range 4000 {
			question := short
			if i%4 == 0 {
				question = long
			}
			flood.WriteToUDPAddrPort(question, netip.MustParseAddrPort("10.0.1.1:137"))
		}
		if got := exchangeRaw(t, l, "10.0.2.1:137", "10.0.1.1:137", long); len(got) == 0 {
			t.Error("no answer after a flood")
		}
	})
}

// TestAdmission has a row for each question of a node from another network.
func TestAdmission(t *testing.T) {
	tests := []struct {
		name     string
		packet   nbns.Packet
		padding  int
		answered bool
	}{
		{"as long as the answer", nbns.Packet{ID: 9, Kind: nbns.Query, Name: pc17}, answerSurplus, true},
		{"a byte too short", nbns.Packet{ID: 9, Kind: nbns.Query, Name: pc17}, answerSurplus - 1, false},
		{"as usual", nbns.Packet{ID: 9, Kind: nbns.Query, Name: pc17}, 0, false},
		{"about a name that is not ours", nbns.Packet{ID: 9, Kind: nbns.Query, Name: alice}, 100, false},
		{"about a group", nbns.Packet{ID: 9, Kind: nbns.Query, Name: group}, 100, false},
		{"in another scope", nbns.Packet{ID: 9, Kind: nbns.Query, Name: pc17, Scope: "A"}, 100, false},
		{"marked as a broadcast", nbns.Packet{ID: 9, Kind: nbns.Query, Name: pc17, Broadcast: true}, 100, false},
		{"for a status", nbns.Packet{ID: 9, Kind: nbns.StatusRequest, Name: pc17}, 1000, false},
		{"a claim", nbns.Packet{ID: 9, Kind: nbns.Registration, Name: pc17, Addresses: []nbns.Address{{Addr: addr("10.0.2.1")}}}, 100, false},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			l := newLAN(1)
			newWINS(t, l, "10.0.0.5")
			h := l.start(t, servedBy("10.0.0.5"), "10.0.1.1/24")
			mustClaim(t, h.Service, pc17)
			if err := tryClaim(t, h.Service, group, true); err != nil {
				t.Fatal(err)
			}
			b, err := tt.packet.Append(nil)
			if err != nil {
				t.Fatal(err)
			}
			got := exchangeRaw(t, l, "10.0.2.1:137", "10.0.1.1:137", append(b, make([]byte, tt.padding)...))
			if answered := len(got) > 0; answered != tt.answered {
				t.Errorf("%s: answered %v, want %v", tt.name, answered, tt.answered)
			}
			if len(got) > len(b)+tt.padding {
				t.Errorf("%s: answered %d bytes with %d", tt.name, len(b)+tt.padding, len(got))
			}
		})
	}
	t.Run("without a name server", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newLAN(1)
			h := l.start(t, Config{}, "10.0.1.1/24")
			mustClaim(t, h.Service, pc17)
			b, err := nbns.Packet{ID: 9, Kind: nbns.Query, Name: pc17}.Append(nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := exchangeRaw(t, l, "10.0.2.1:137", "10.0.1.1:137", append(b, make([]byte, 100)...)); len(got) > 0 {
				t.Errorf("answered with %d bytes, want nothing: no name server sends anybody here", len(got))
			}
		})
	})
}
