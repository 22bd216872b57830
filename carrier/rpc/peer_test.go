package rpc

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"messngr/carrier/rpc/udp"
	"messngr/wire/dcerpc"
)

// served is a server under test, and what it has run.
type served struct {
	*Carrier
	t       testing.TB
	network *network
	stop    func()

	mu    sync.Mutex
	calls []dcerpc.Call
	from  []netip.AddrPort
	do    func(dcerpc.Call) ([]byte, error) // what a call does; it returns its stub if that is nil
}

// serve runs a server at beta in the time of a synctest bubble.
func serve(t testing.TB, n *network) *served {
	t.Helper()
	s := &served{t: t, network: n, Carrier: n.carrier(beta)}
	s.Handle(echoes, "echo", s.run)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	<-s.Ready()
	s.stop = func() { cancel(); running.Wait() }
	t.Cleanup(s.stop)
	return s
}

func (s *served) run(_ context.Context, from netip.AddrPort, call dcerpc.Call) ([]byte, error) {
	s.mu.Lock()
	s.calls = append(s.calls, call)
	s.from = append(s.from, from)
	do := s.do
	s.mu.Unlock()
	if do != nil {
		return do(call)
	}
	return call.Stub, nil
}

// ran returns the stubs of the calls that were run.
func (s *served) ran() []string {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	var stubs []string
	for _, c := range s.calls {
		stubs = append(stubs, string(c.Stub))
	}
	return stubs
}

func (s *served) wantRan(stubs ...string) {
	s.t.Helper()
	if got := s.ran(); !slices.Equal(got, stubs) {
		s.t.Errorf("run were %.100q, want %.100q", got, stubs)
	}
}

// wantRefused checks how often something was refused for a reason, wherever it came from.
func (s *served) wantRefused(reason string, want int64) {
	s.t.Helper()
	synctest.Wait()
	if got := s.Refused()[reason]; got != want {
		s.t.Errorf("%d times refused because %q, want %d: %v", got, reason, want, s.Refused())
	}
}

// kept is what a server keeps just now.
type kept struct {
	strangers, strangerBytes  int // with the bytes that are counted
	activities, activityBytes int
	inStrangers, inActivities int // the bytes that there are
}

// keeps returns what the server keeps when nothing happens any more.
func (s *served) keeps() kept {
	synctest.Wait()
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	k := kept{
		strangers: len(s.server.strangers.calls), strangerBytes: s.server.strangers.bytes,
		activities: len(s.server.activities.known), activityBytes: s.server.activities.bytes,
	}
	for _, c := range s.server.strangers.calls {
		k.inStrangers += c.in.Size()
	}
	for _, a := range s.server.activities.known {
		k.inActivities += a.in.Size()
	}
	return k
}

// peer is a client that is made by hand.
type peer struct {
	t      testing.TB
	conn   udp.Conn
	server netip.AddrPort
	call   dcerpc.Datagram // the request that it makes
}

// peer opens a socket at addr.
func (s *served) peer(addr netip.Addr) *peer {
	s.t.Helper()
	conn, err := s.network.listen(netip.AddrPortFrom(addr, 0))
	if err != nil {
		s.t.Fatal(err)
	}
	return &peer{t: s.t, conn: conn, server: netip.AddrPortFrom(beta, 135), call: dcerpc.Datagram{
		Type: dcerpc.TypeRequest, Interface: echoes, Activity: uuid.New(),
		InterfaceHint: dcerpc.NoHint, ActivityHint: dcerpc.NoHint,
		Body: []byte("a call that is longer than a callback"),
	}}
}

// says sends a packet and returns what the server answers at once.
func (p *peer) says(d dcerpc.Datagram) []dcerpc.Datagram {
	p.t.Helper()
	b, err := d.Append(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.saysBytes(b)
}

func (p *peer) saysBytes(b []byte) []dcerpc.Datagram {
	p.t.Helper()
	if _, err := p.conn.WriteToUDPAddrPort(b, p.server); err != nil {
		p.t.Fatal(err)
	}
	return p.hears()
}

// hears returns what has arrived when nothing happens any more.
func (p *peer) hears() []dcerpc.Datagram {
	p.t.Helper()
	synctest.Wait()
	var got []dcerpc.Datagram
	for {
		_ = p.conn.SetReadDeadline(time.Now().Add(1))
		b := make([]byte, 1<<16)
		n, from, err := p.conn.ReadFromUDPAddrPort(b)
		if isTimeout(err) {
			return got
		}
		if err != nil || from != p.server {
			p.t.Fatalf("a packet from %v: %v", from, err)
		}
		d, err := dcerpc.ParseDatagram(b[:n])
		if err != nil {
			p.t.Fatal(err)
		}
		got = append(got, d)
	}
}

// one returns the only packet of got, which must have a type.
func (p *peer) one(want dcerpc.PacketType, got []dcerpc.Datagram) dcerpc.Datagram {
	p.t.Helper()
	if len(got) != 1 || got[0].Type != want {
		p.t.Fatalf("answers %+v, want one %v", got, want)
	}
	return got[0]
}

// question returns the callback that got is, which must be about p's call.
func (p *peer) question(got []dcerpc.Datagram) dcerpc.Datagram {
	p.t.Helper()
	d := p.one(dcerpc.TypeRequest, got)
	q, err := dcerpc.ParseQuestion(d.Body, d.BigEndian)
	if err != nil || q.Activity != p.call.Activity || d.Interface != dcerpc.Conversation() || !d.Idempotent {
		p.t.Fatalf("callback %+v, %+v, %v", d, q, err)
	}
	return d
}

// identity returns the answer to a callback.
func (p *peer) identity(callback dcerpc.Datagram) dcerpc.Datagram {
	d := callback.Answer(dcerpc.TypeResponse, 1)
	d.Body = dcerpc.Identity{Sequence: p.call.Sequence, Client: uuid.UUID{1}}.Append(nil, callback.Op, callback.BigEndian)
	return d
}

// meets makes p's call, answers the callback, and returns what comes.
func (p *peer) meets() []dcerpc.Datagram {
	p.t.Helper()
	got := p.says(p.identity(p.question(p.says(p.call))))
	if len(got) > 0 {
		p.call.ServerBoot = got[0].ServerBoot
	}
	return got
}

// status returns the status of the reject or fault that got is.
func (p *peer) status(want dcerpc.PacketType, got []dcerpc.Datagram) dcerpc.Status {
	p.t.Helper()
	d := p.one(want, got)
	s, err := d.Status()
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

// bubble runs a test with a server in simulated time.
func bubble(t *testing.T, run func(t *testing.T, s *served)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		run(t, serve(t, newNetwork(1)))
	})
}
