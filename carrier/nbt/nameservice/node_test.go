package nameservice

import (
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr/carrier/nbt/link"
	"messngr/carrier/nbt/linktest"
	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

// ask sends one packet from a socket of the lan and returns what comes back within a second.
func ask(t *testing.T, l *lan, from string, p nbns.Packet, to string) []nbns.Packet {
	t.Helper()
	s, err := l.Listen(netip.MustParseAddrPort(from))
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.WriteToUDPAddrPort(b, netip.MustParseAddrPort(to)); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(time.Second, func() { s.Close() })
	var got []nbns.Packet
	buf := make([]byte, link.MaxPacket)
	for {
		n, _, err := s.ReadFromUDPAddrPort(buf)
		if err != nil {
			return got
		}
		p, err := nbns.Parse(buf[:n])
		if err != nil {
			t.Error(err)
		}
		got = append(got, p)
	}
}

// TestReplies has one row for each rule about who is answered what.
func TestReplies(t *testing.T) {
	const (
		unicast   = "10.0.0.1:137"
		broadcast = "10.0.0.255:137"
		asker     = "10.0.0.9:4711"
		stranger  = "192.168.7.7:4711"
		friend    = "172.16.1.1:4711"
		loopback  = "127.0.0.1:137"
	)
	nobody := mustName("NOBODY", netbios.Messenger)
	self := []nbns.Address{{Addr: addr("10.0.0.1")}}
	members := []nbns.Address{{Addr: addr("10.0.0.1"), Group: true}}
	asked := []nbns.Address{{Addr: addr("10.0.0.9"), Node: nbns.HNode}}
	askedGroup := []nbns.Address{{Addr: addr("10.0.0.9"), Group: true}}
	query := func(n netbios.Name, broadcast bool) nbns.Packet {
		return nbns.Packet{ID: 7, Kind: nbns.Query, Broadcast: broadcast, Name: n}
	}
	claiming := func(k nbns.Kind, n netbios.Name, broadcast bool, by []nbns.Address) nbns.Packet {
		return nbns.Packet{ID: 7, Kind: k, Broadcast: broadcast, Name: n, Addresses: by}
	}
	positive := func(n netbios.Name, at []nbns.Address) []nbns.Packet {
		return []nbns.Packet{{ID: 7, Kind: nbns.QueryResponse, Name: n, TTL: answerTTL, Addresses: at}}
	}
	refusal := func(n netbios.Name, by []nbns.Address) []nbns.Packet {
		return []nbns.Packet{{ID: 7, Kind: nbns.RegistrationResponse, Rcode: nbns.RcodeActive, Name: n, Addresses: by}}
	}
	tests := []struct {
		name     string
		from, to string
		packet   nbns.Packet
		want     []nbns.Packet
	}{
		{"broadcast query for a name of ours", asker, broadcast, query(pc17, true), positive(pc17, self)},
		{"broadcast query for a group of ours", asker, broadcast, query(group, true), positive(group, members)},
		{"broadcast query for another name", asker, broadcast, query(nobody, true), nil},
		{"unicast query for a name of ours", asker, unicast, query(pc17, false), positive(pc17, self)},
		{"unicast query for another name", asker, unicast, query(nobody, false),
			[]nbns.Packet{{ID: 7, Kind: nbns.QueryResponse, Rcode: nbns.RcodeName, Name: nobody}}},
		{"query for a name of ours that is sent to all, and not marked so", asker, broadcast, query(pc17, false), positive(pc17, self)},
		{"query for another name that is sent to all, and not marked so", asker, broadcast, query(nobody, false), nil},
		{"wildcard", asker, broadcast, query(netbios.Wildcard(), true), positive(netbios.Wildcard(), self)},
		{"query from beyond the network", stranger, unicast, query(pc17, false), nil},
		{"query from the allow-list", friend, unicast, query(pc17, false), positive(pc17, self)},
		{"query in another scope", asker, unicast, nbns.Packet{ID: 7, Kind: nbns.Query, Name: pc17, Scope: "OTHER"}, nil},
		{"our own broadcast", "10.0.0.1:137", broadcast, query(pc17, true), nil},
		{"query of a program on this host", "10.0.0.1:4711", broadcast, query(pc17, true), positive(pc17, self)},
		{"query on loopback", "127.0.0.1:4711", loopback, query(pc17, false), positive(pc17, []nbns.Address{{Addr: addr("127.0.0.1")}})},
		{"registration of our name", asker, broadcast, claiming(nbns.Registration, pc17, true, asked), refusal(pc17, asked)},
		{"registration sent to us alone", asker, unicast, claiming(nbns.Registration, pc17, true, asked), refusal(pc17, asked)},
		{"multi-homed registration", asker, broadcast, claiming(nbns.MultihomedRegistration, pc17, true, asked), refusal(pc17, asked)},
		{"overwrite demand", asker, broadcast, claiming(nbns.Overwrite, pc17, true, asked), refusal(pc17, asked)},
		{"registration as a group", asker, broadcast, claiming(nbns.Registration, pc17, true, askedGroup), refusal(pc17, askedGroup)},
		{"registration of our group as a group", asker, broadcast, claiming(nbns.Registration, group, true, askedGroup), nil},
		{"registration of our group as unique", asker, broadcast, claiming(nbns.Registration, group, true, asked), refusal(group, asked)},
		{"registration of another name", asker, broadcast, claiming(nbns.Registration, nobody, true, asked), nil},
		{"registration from beyond the network", stranger, unicast, claiming(nbns.Registration, pc17, false, asked), nil},
		{"refresh by broadcast", asker, broadcast, claiming(nbns.Refresh, pc17, true, asked), nil},
		{"refresh sent to us alone", asker, unicast, claiming(nbns.Refresh, pc17, false, asked), refusal(pc17, asked)},
		{"release of our name", asker, unicast, claiming(nbns.Release, pc17, false, asked),
			[]nbns.Packet{{ID: 7, Kind: nbns.ReleaseResponse, Rcode: nbns.RcodeActive, Name: pc17, Addresses: asked}}},
		{"release of our group", asker, broadcast, claiming(nbns.Release, group, true, askedGroup), nil},
		{"release of another name", asker, broadcast, claiming(nbns.Release, nobody, true, asked), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLAN(1)
				h := l.start(t, Config{Allow: []netip.Prefix{netip.MustParsePrefix("172.16.0.0/12")}}, "10.0.0.1/24", "127.0.0.1/8")
				mustClaim(t, h.Service, pc17)
				if err := tryClaim(t, h.Service, group, true); err != nil {
					t.Fatal(err)
				}
				got := ask(t, l, tt.from, tt.packet, tt.to)
				if diff := cmp.Diff(tt.want, got, compareAddr); diff != "" {
					t.Errorf("answers (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestPNodeIgnoresBroadcasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		newWINS(t, l, "10.0.0.5")
		h := l.start(t, Config{NodeType: nbns.PNode, WINS: []netip.Addr{addr("10.0.0.5")}}, "10.0.0.1/24")
		mustClaim(t, h.Service, pc17)
		query := nbns.Packet{ID: 7, Kind: nbns.Query, Broadcast: true, Name: pc17}
		if got := ask(t, l, "10.0.0.9:4711", query, "10.0.0.255:137"); got != nil {
			t.Errorf("answered a broadcast: %+v", got)
		}
		query.Broadcast = false
		if got := ask(t, l, "10.0.0.9:4711", query, "10.0.0.1:137"); len(got) != 1 || got[0].Rcode != nbns.RcodeOK {
			t.Errorf("answers to a unicast query = %+v, want one that is positive", got)
		}
	})
}

// TestMultihomedAnswers: by broadcast a host tells the address on that network, to a
// name server that asks it alone all of them.
func TestMultihomedAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		h := l.start(t, Config{}, "10.0.0.1/24", "10.0.1.1/24", "127.0.0.1/8")
		mustClaim(t, h.Service, pc17)
		first, second := nbns.Address{Addr: addr("10.0.0.1")}, nbns.Address{Addr: addr("10.0.1.1")}
		for _, tt := range []struct {
			to        string
			broadcast bool
			want      []nbns.Address
		}{
			{"10.0.1.255:137", true, []nbns.Address{second}},
			{"10.0.1.1:137", false, []nbns.Address{second, first}},
		} {
			got := ask(t, l, "10.0.1.9:4711", nbns.Packet{Kind: nbns.Query, Broadcast: tt.broadcast, Name: pc17}, tt.to)
			if len(got) != 1 {
				t.Errorf("%s: %d answers, want 1", tt.to, len(got))
			} else if diff := cmp.Diff(tt.want, got[0].Addresses, compareAddr); diff != "" {
				t.Errorf("%s: addresses (-want +got):\n%s", tt.to, diff)
			}
		}
	})
}

// deafConn is a socket to which nothing comes: for measuring what an answer costs.
type deafConn struct {
	sent   int
	closed chan struct{}
	once   sync.Once
}

func newDeafConn() *deafConn { return &deafConn{closed: make(chan struct{})} }

func (d *deafConn) ReadFromUDPAddrPort([]byte) (int, netip.AddrPort, error) {
	<-d.closed
	return 0, netip.AddrPort{}, net.ErrClosed
}

func (d *deafConn) WriteToUDPAddrPort(b []byte, _ netip.AddrPort) (int, error) {
	d.sent++
	return len(b), nil
}

func (d *deafConn) Close() error {
	d.once.Do(func() { close(d.closed) })
	return nil
}

// answering returns a name service with the names, and the bytes of a query.
func answering(t testing.TB, names int) (*Node, []byte) {
	t.Helper()
	s, err := New(Config{Port: nbns.Port, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	n := s.Attach(linktest.Interface("eth0", "10.0.0.1/24"), func(netip.Addr, string) link.Conn { return newDeafConn() })
	t.Cleanup(n.Stop)
	for i := range names {
		name := mustName(string(rune('A'+i%26))+string(rune('A'+i/26)), netbios.Messenger)
		cl := n.newClaim(name, false)
		cl.judge(nil)
		n.claims[name] = cl
	}
	query, err := nbns.Packet{ID: 1, Kind: nbns.Query, Broadcast: true, Name: mustName("AA", netbios.Messenger)}.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return n, query
}

func TestAnsweringAllocatesNothing(t *testing.T) {
	s, query := answering(t, 256)
	out := make([]byte, 0, link.MaxPacket)
	from := netip.MustParseAddrPort("10.0.0.9:4711")
	if allocs := testing.AllocsPerRun(100, func() { s.handle(query, from, true, out) }); allocs != 0 {
		t.Errorf("%v allocations for an answer, want none", allocs)
	}
	if got := s.unicast.(*deafConn).sent; got < 100 {
		t.Errorf("%d answers sent, want at least 100", got)
	}
}

func BenchmarkAnswer(b *testing.B) {
	s, query := answering(b, 256)
	out := make([]byte, 0, link.MaxPacket)
	from := netip.MustParseAddrPort("10.0.0.9:4711")
	b.ReportAllocs()
	for b.Loop() {
		s.handle(query, from, true, out)
	}
}
