package nameservice

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"messngr/carrier/nbt/link"
	"messngr/carrier/nbt/linktest"
	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

// forge sends a packet from a stranger on the lan.
func forge(t *testing.T, l *lan, from string, p nbns.Packet, to string) {
	t.Helper()
	s, err := l.Listen(netip.MustParseAddrPort(from))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	b, err := p.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.WriteToUDPAddrPort(b, netip.MustParseAddrPort(to)); err != nil {
		t.Fatal(err)
	}
}

// TestForgedDemands: whoever sends a demand takes no name away, unless another node
// owns it indeed.
func TestForgedDemands(t *testing.T) {
	zero := []nbns.Address{{Addr: netip.IPv4Unspecified()}}
	demands := map[string]nbns.Packet{
		"conflict demand":  {Kind: nbns.RegistrationResponse, Rcode: nbns.RcodeConflict, Name: pc17, Addresses: zero},
		"late refusal":     {Kind: nbns.RegistrationResponse, Rcode: nbns.RcodeActive, Name: pc17, Addresses: zero},
		"refusal, no data": {Kind: nbns.RegistrationResponse, Rcode: nbns.RcodeActive, Name: pc17},
		"release":          {Kind: nbns.Release, Broadcast: true, Name: pc17, Addresses: []nbns.Address{{Addr: addr("10.0.0.1")}}},
		"unicast release":  {Kind: nbns.Release, Name: pc17, Addresses: []nbns.Address{{Addr: addr("10.0.0.1")}}},
		"overwrite":        {Kind: nbns.Overwrite, Broadcast: true, Name: pc17, Addresses: []nbns.Address{{Addr: addr("10.0.0.66")}}},
	}
	for name, p := range demands {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLAN(1)
				h := l.start(t, Config{}, "10.0.0.1/24")
				mustClaim(t, h.Service, pc17)
				for range 5 {
					forge(t, l, "10.0.0.66:137", p, "10.0.0.1:137")
					time.Sleep(time.Second)
					wantStates(t, h.Service, "eth0 PC17<03> registered")
				}
			})
		})
		t.Run(name+" with another owner", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLAN(1)
				h := l.start(t, Config{}, "10.0.0.1/24")
				mustClaim(t, h.Service, pc17)
				time.Sleep(time.Hour) // past all checks but the rare ones
				squat(t, l, "10.0.0.66", pc17)
				forge(t, l, "10.0.0.77:137", p, "10.0.0.1:137")
				time.Sleep(5 * time.Second)
				if p.Kind == nbns.Overwrite { // answered by a refusal: it is the other who has to give way
					wantStates(t, h.Service, "eth0 PC17<03> registered")
					return
				}
				wantStates(t, h.Service, "eth0 PC17<03> conflict of 10.0.0.66")
			})
		})
	}
}

// squat runs a node that answers queries for the name and cares for nothing else.
func squat(t *testing.T, l *lan, ip string, name netbios.Name) {
	t.Helper()
	answerFor(t, l, ip, name, ip)
}

// answerFor runs a node at ip that answers queries for the name with the address owner.
func answerFor(t *testing.T, l *lan, ip string, name netbios.Name, owner string) {
	t.Helper()
	unicast, err := l.Listen(netip.AddrPortFrom(addr(ip), 137))
	if err != nil {
		t.Fatal(err)
	}
	broadcast, err := l.Listen(netip.MustParseAddrPort("10.0.0.255:137"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*linktest.Socket{unicast, broadcast} {
		t.Cleanup(func() { s.Close() })
		go func() {
			buf := make([]byte, link.MaxPacket)
			for {
				n, from, err := s.ReadFromUDPAddrPort(buf)
				if err != nil {
					return
				}
				p, err := nbns.Parse(buf[:n])
				if err != nil || p.Kind != nbns.Query || p.Name != name {
					continue
				}
				b, err := nbns.Packet{
					ID: p.ID, Kind: nbns.QueryResponse, Name: name, Addresses: []nbns.Address{{Addr: addr(owner)}},
				}.Append(nil)
				if err != nil {
					t.Error(err)
				}
				unicast.WriteToUDPAddrPort(b, from)
			}
		}()
	}
}

// TestForgedDemandsCostLittle: a flood of demands makes no flood of inquiries.
func TestForgedDemandsCostLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		h := l.start(t, Config{}, "10.0.0.1/24")
		mustClaim(t, h.Service, pc17)
		time.Sleep(time.Hour)
		sent := l.Record(func(from, _ netip.AddrPort, p nbns.Packet) bool { return from.Addr() == addr("10.0.0.1") })
		for range 1000 {
			forge(t, l, "10.0.0.66:137", nbns.Packet{
				Kind: nbns.RegistrationResponse, Rcode: nbns.RcodeConflict, Name: pc17,
				Addresses: []nbns.Address{{Addr: netip.IPv4Unspecified()}},
			}, "10.0.0.1:137")
			time.Sleep(60 * time.Millisecond)
		}
		if got := len(sent()); got < 4 || got > 30 {
			t.Errorf("a minute of forged demands made us send %d packets, want 4 to 30", got)
		}
		wantStates(t, h.Service, "eth0 PC17<03> registered")
	})
}

// TestPartitionHeals: of two owners that were apart, one stays when the networks
// grow together.
func TestPartitionHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		left := netip.MustParsePrefix("10.0.0.0/30")
		l.Apart = func(a, b netip.Addr) bool { return left.Contains(a) != left.Contains(b) }
		a := l.start(t, Config{}, "10.0.0.1/24")
		b := l.start(t, Config{}, "10.0.0.9/24")
		mustClaim(t, a.Service, pc17)
		mustClaim(t, b.Service, pc17)
		if n := owners(pc17, a.Service, b.Service); n != 2 {
			t.Fatalf("%d owners while apart, want 2", n)
		}
		l.Lock()
		l.Apart = nil
		l.Unlock()
		time.Sleep(laterChecks * 3 / 2)
		if n := owners(pc17, a.Service, b.Service); n != 1 {
			t.Errorf("%d owners after the networks joined, want 1", n)
		}
	})
}

// TestSquatterIsNoticed: a node that ignores our objection ends as
// the only owner, or we do; never both for long.
func TestSquatterIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		h := l.start(t, Config{}, "10.0.0.1/24")
		mustClaim(t, h.Service, pc17)
		squat(t, l, "10.0.0.66", pc17)
		time.Sleep(10 * time.Second)
		wantStates(t, h.Service, "eth0 PC17<03> conflict of 10.0.0.66")
	})
}

// TestProxyAnswersForUs: who says what a name server knows of us takes no name away.
func TestProxyAnswersForUs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		h := l.start(t, Config{}, "10.0.0.1/24", "10.0.1.1/24")
		answerFor(t, l, "10.0.0.66", pc17, "10.0.1.1")
		mustClaim(t, h.Service, pc17)
		time.Sleep(time.Hour)
		wantStates(t, h.Service, "eth0 PC17<03> registered", "eth1 PC17<03> registered")
	})
}

// TestLateCopyOfARelease: a copy of a release that arrives after the next claim takes the name
// from the server, which hears of it again soon.
func TestLateCopyOfARelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		w := newWINS(t, l, "10.0.0.5")
		cfg := servedBy("10.0.0.5")
		cfg.NodeType = nbns.PNode
		h := l.start(t, cfg, "10.0.0.1/24")
		mustClaim(t, h.Service, pc17)
		forge(t, l, "10.0.0.66:137", nbns.Packet{ // the server of this test minds no address
			Kind: nbns.Release, Name: pc17, Addresses: []nbns.Address{{Addr: addr("10.0.0.1")}},
		}, "10.0.0.5:137")
		time.Sleep(5 * time.Second)
		w.wantRequests("registration PC17<03> 10.0.0.1", "release PC17<03> 10.0.0.1", "refresh PC17<03> 10.0.0.1")
		time.Sleep(10 * time.Minute)
		w.wantRequests()
	})
}
