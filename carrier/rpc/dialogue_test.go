package rpc

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"messngr/carrier/rpc/fragment"
	"messngr/carrier/rpc/udp"
	"messngr/wire/dcerpc"
)

// dialogue is what one client and one server said to each other in a recording.
type dialogue struct {
	name    string
	packets []recordedPacket
	client  netip.AddrPort
}

// dialogues returns the recorded dialogues, by the client's port.
func dialogues(t testing.TB) map[uint16]*dialogue {
	t.Helper()
	all := make(map[uint16]*dialogue)
	for file, packets := range recordings(t) {
		for _, p := range packets {
			// The client is the one with 10.77.0.1.
			client := p.from
			if client.Addr() != alpha {
				client = p.to
			}
			d := all[client.Port()]
			if d == nil {
				d = &dialogue{name: fmt.Sprintf("%s, port %d", file, client.Port()), client: client}
				all[client.Port()] = d
			}
			d.packets = append(d.packets, p)
		}
	}
	if len(all) != 10 {
		t.Fatalf("%d dialogues in the recordings, want 10", len(all))
	}
	return all
}

func parsed(t testing.TB, p recordedPacket) dcerpc.Datagram {
	t.Helper()
	d, err := dcerpc.ParseDatagram(p.data)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// decisions are what a server decided about the calls of a dialogue: what it answered, by
// the number of the call.
type decisions map[uint32]string

// recorded returns what the recorded server decided.
func (d *dialogue) recorded(t testing.TB) decisions {
	made := make(decisions)
	for _, p := range d.packets {
		if g := parsed(t, p); p.to == d.client && g.Interface == echoes && g.Type == dcerpc.TypeResponse {
			made[g.Sequence] = fmt.Sprintf("%x", g.Body)
		}
	}
	return made
}

// replayClient says to our server what the recorded client said, and returns what ours
// decided. Only the answers to callbacks are fitted to the questions that it asks.
func (d *dialogue) replayClient(t *testing.T, s *served) decisions {
	t.Helper()
	conn, err := s.network.listen(d.client)
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, conn: conn, server: netip.AddrPortFrom(beta, 135)}
	made := make(decisions)
	var questions []dcerpc.Datagram
	var boot uint32
	listen := func(got []dcerpc.Datagram) {
		for _, g := range got {
			switch {
			case g.Interface == dcerpc.Conversation():
				questions = append(questions, g)
			case g.Type == dcerpc.TypeResponse:
				made[g.Sequence] = fmt.Sprintf("%x", g.Body)
				boot = g.ServerBoot
			case g.Type != dcerpc.TypeFack:
				t.Errorf("%s: our server says %+v", d.name, g)
			}
		}
	}
	for _, packet := range d.packets {
		if packet.from != d.client {
			continue
		}
		g := parsed(t, packet)
		if g.Interface != dcerpc.Conversation() {
			if g.ServerBoot != 0 {
				g.ServerBoot = boot
			}
			listen(p.says(g))
			continue
		}
		who, err := dcerpc.ParseIdentity(g.Body, g.Op, g.BigEndian)
		if err != nil || len(questions) == 0 {
			t.Fatalf("%s: the recorded client answers a callback, but %d were asked, %v", d.name, len(questions), err)
		}
		q := questions[0]
		questions = questions[1:]
		answer := g
		answer.Activity, answer.Sequence, answer.Op = q.Activity, q.Sequence, q.Op
		answer.Body = who.Append(nil, q.Op, g.BigEndian)
		listen(p.says(answer))
	}
	return made
}

// TestRecordedClients replays the recorded clients against our server: it decides as the
// recorded servers did, but for calls whose clients did not answer a callback, which it
// never runs: one such server asked for none, and another one not for an idempotent call.
func TestRecordedClients(t *testing.T) {
	const (
		idempotent = 55648
		spammer    = 3515
		unasked    = 42066
	)
	for port, d := range dialogues(t) {
		t.Run(d.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *served) {
				s.do = func(dcerpc.Call) ([]byte, error) { return make([]byte, 4), nil }
				want := d.recorded(t)
				if port == idempotent || port == spammer || port == unasked {
					want = decisions{}
				}
				if diff := cmp.Diff(want, d.replayClient(t, s)); diff != "" {
					t.Errorf("decisions (-recorded +ours):\n%s", diff)
				}
				if got := s.ran(); len(got) != len(want) {
					t.Errorf("%d calls were run, want %d", len(got), len(want))
				}
				for _, stub := range s.ran() {
					if !bytes.Equal([]byte(stub), d.stub(t)) {
						t.Errorf("run was a call with %d bytes, the recorded one has %d", len(stub), len(d.stub(t)))
					}
				}
			})
		})
	}
}

// stub returns the stub of the first call of a dialogue.
func (d *dialogue) stub(t testing.TB) []byte {
	t.Helper()
	var in fragment.Assembly
	for _, p := range d.packets {
		g := parsed(t, p)
		if p.from == d.client && g.Type == dcerpc.TypeRequest && !in.Complete() {
			if _, err := in.Add(&g); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !in.Complete() {
		t.Fatalf("%s: the first call is not complete", d.name)
	}
	return in.Stub()
}

// ports opens all ports of the recorded server.
func (d *dialogue) ports(t *testing.T, n *network) map[netip.AddrPort]udp.Conn {
	t.Helper()
	conns := make(map[netip.AddrPort]udp.Conn)
	for _, p := range d.packets {
		port := p.from
		if port == d.client {
			port = p.to
		}
		if conns[port] == nil {
			conn, err := n.listen(port)
			if err != nil {
				t.Fatal(err)
			}
			conns[port] = conn
		}
	}
	return conns
}

// replayServer says to our client what the recorded server said, as soon as the client
// has said what precedes it. Only the activity is fitted to our client's.
func (d *dialogue) replayServer(t *testing.T, conns map[netip.AddrPort]udp.Conn) (answers []dcerpc.Datagram) {
	t.Helper()
	read := func(conn udp.Conn) (dcerpc.Datagram, netip.AddrPort) {
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		b := make([]byte, 1<<16)
		size, from, err := conn.ReadFromUDPAddrPort(b)
		if err != nil {
			t.Fatalf("%s: our client says nothing: %v", d.name, err)
		}
		g, err := dcerpc.ParseDatagram(b[:size])
		if err != nil {
			t.Fatal(err)
		}
		return g, from
	}
	request, client := read(conns[d.packets[0].to])
	for _, p := range d.packets {
		g := parsed(t, p)
		if p.from == d.client {
			if g.Interface == dcerpc.Conversation() {
				answer, _ := read(conns[p.to])
				answers = append(answers, answer)
			}
			continue
		}
		if g.Interface == dcerpc.Conversation() {
			q, err := dcerpc.ParseQuestion(g.Body, g.BigEndian)
			if err != nil {
				t.Fatal(err)
			}
			q.Activity = request.Activity
			g.Body = q.Append(nil, g.BigEndian)
		} else {
			g.Activity = request.Activity
		}
		b, err := g.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if _, err := conns[p.from].WriteToUDPAddrPort(b, client); err != nil {
			t.Fatal(err)
		}
		if g.Type == dcerpc.TypeResponse && g.Interface == echoes {
			break
		}
	}
	return answers
}

// TestRecordedServers replays the recorded servers against our client, which makes the
// same call: it answers callbacks as the recorded client did, and takes the answer.
func TestRecordedServers(t *testing.T) {
	replayed := 0
	for _, d := range dialogues(t) {
		want := d.recorded(t)
		if len(want) == 0 {
			continue // the recorded server never answered
		}
		replayed++
		t.Run(d.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(1)
				c := n.carrier(alpha)
				c.cfg.Port = d.packets[0].to.Port()
				c.client.port = c.cfg.Port
				c.wanted = nil
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() { ended <- c.Run(ctx) }()
				<-c.Ready()
				conns := d.ports(t, n) // before the call, which finds a closed port otherwise
				var answer dcerpc.Answer
				var err error
				done := make(chan struct{})
				go func() {
					defer close(done)
					answer, err = c.Call(ctx, beta, dcerpc.Call{Interface: echoes, Stub: d.stub(t)})
				}()
				answers := d.replayServer(t, conns)
				<-done
				if got := fmt.Sprintf("%x", answer.Stub); err != nil || got != want[0] {
					t.Errorf("the call ended with %s, %v, want %s", got, err, want[0])
				}
				for _, a := range answers {
					who, err := dcerpc.ParseIdentity(a.Body, a.Op, a.BigEndian)
					if who.Client = (uuid.UUID{}); err != nil || who != (dcerpc.Identity{}) {
						t.Errorf("our client answers a callback with %+v, %v", who, err)
					}
				}
				cancel()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
	if replayed != 7 {
		t.Errorf("%d recorded servers were replayed, want 7", replayed)
	}
}
