package nameservice

import (
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr/carrier/nbt/link"
	"messngr/carrier/nbt/linktest"
	"messngr/wire/nbns"
	"messngr/wire/netbios"
)

// A fakeWINS is a name server for tests: as simple as can be, and as odd as the test
// asks for.
type fakeWINS struct {
	t       *testing.T
	lan     *lan
	at      netip.AddrPort
	sock    *linktest.Socket
	mu      sync.Mutex
	records map[netbios.Name][]nbns.Address
	renewed map[string]time.Time // when the line about a name and address was last claimed
	seen    []string             // requests that change something, as kind, name and address
	ttl     time.Duration
	// challenges makes it send claimants to the present owner (RFC 1002 4.2.7).
	challenges bool
	// odd may answer instead of the server; nil, false for nothing at all.
	odd func(p nbns.Packet, from netip.AddrPort) (replies []nbns.Packet, handled bool)
}

func newWINS(t *testing.T, l *lan, ip string) *fakeWINS {
	t.Helper()
	w := &fakeWINS{
		t: t, lan: l, at: netip.AddrPortFrom(addr(ip), 137),
		records: make(map[netbios.Name][]nbns.Address), renewed: make(map[string]time.Time), ttl: time.Hour,
	}
	w.up()
	t.Cleanup(w.down)
	return w
}

// up starts the server, with what it remembers.
func (w *fakeWINS) up() {
	s, err := w.lan.Listen(w.at)
	if err != nil {
		w.t.Fatal(err)
	}
	w.sock = s
	go w.serve(s)
}

func (w *fakeWINS) down() { w.sock.Close() }

func (w *fakeWINS) serve(s *linktest.Socket) {
	buf := make([]byte, link.MaxPacket)
	for {
		n, from, err := s.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		p, err := nbns.Parse(buf[:n])
		if err != nil {
			w.t.Errorf("name server got a bad packet: %v", err)
			continue
		}
		for _, reply := range w.answer(p, from) {
			b, err := reply.Append(nil)
			if err != nil {
				w.t.Error(err)
			}
			s.WriteToUDPAddrPort(b, from)
		}
	}
}

func (w *fakeWINS) answer(p nbns.Packet, from netip.AddrPort) []nbns.Packet {
	w.mu.Lock()
	defer w.mu.Unlock()
	line := p.Kind.String() + " " + p.Name.String()
	if len(p.Addresses) == 1 {
		line += " " + p.Addresses[0].Addr.String()
	}
	if p.Kind != nbns.Query {
		w.seen = append(w.seen, line)
	}
	if w.odd != nil {
		if replies, handled := w.odd(p, from); handled {
			return replies
		}
	}
	reply := nbns.Packet{ID: p.ID, Name: p.Name, Addresses: p.Addresses}
	owners := w.owners(p.Name)
	if p.Kind != nbns.Query {
		w.renewed[p.Name.String()+p.Addresses[0].Addr.String()] = time.Now()
	}
	switch p.Kind {
	case nbns.Query:
		reply.Kind, reply.Server, reply.Addresses = nbns.QueryResponse, true, owners
		if len(owners) == 0 {
			reply.Rcode = nbns.RcodeName
		} else if owners[0].Group {
			reply.Addresses = []nbns.Address{{Addr: netip.IPv4Unspecified(), Group: true}}
		}
	case nbns.Release:
		reply.Kind = nbns.ReleaseResponse
		w.records[p.Name] = slices.DeleteFunc(owners, func(a nbns.Address) bool { return a.Addr == p.Addresses[0].Addr })
	case nbns.Registration, nbns.MultihomedRegistration, nbns.Overwrite, nbns.Refresh:
		reply.Kind, reply.TTL = nbns.RegistrationResponse, w.ttl
		same := func(a nbns.Address) bool { return a.Addr == p.Addresses[0].Addr }
		switch {
		case slices.ContainsFunc(owners, same):
		case p.Kind == nbns.Overwrite:
			w.records[p.Name] = p.Addresses
		case w.challenges && len(owners) > 0:
			reply.Kind, reply.TTL, reply.Addresses = nbns.Challenge, 0, owners
		case len(owners) > 0 && !owners[0].Group && p.Kind != nbns.MultihomedRegistration:
			reply.Rcode, reply.TTL = nbns.RcodeActive, 0
		default:
			w.records[p.Name] = append(owners, p.Addresses...)
		}
	default:
		w.t.Errorf("name server got a %s", p.Kind)
	}
	return []nbns.Packet{reply}
}

// owners returns who has the name and has not let it expire.
func (w *fakeWINS) owners(name netbios.Name) []nbns.Address {
	w.records[name] = slices.DeleteFunc(w.records[name], func(a nbns.Address) bool {
		renewed, ok := w.renewed[name.String()+a.Addr.String()]
		return ok && time.Since(renewed) > w.ttl
	})
	return w.records[name]
}

// requests returns what the server was asked to change since the last call.
func (w *fakeWINS) requests() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.seen
	w.seen = nil
	return seen
}

func (w *fakeWINS) wantRequests(want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.requests()); diff != "" {
		w.t.Errorf("requests to %v (-want +got):\n%s", w.at, diff)
	}
}

func servedBy(ips ...string) Config {
	cfg := Config{NodeType: nbns.HNode}
	for _, ip := range ips {
		cfg.WINS = append(cfg.WINS, addr(ip))
	}
	return cfg
}
