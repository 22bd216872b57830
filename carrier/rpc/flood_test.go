package rpc

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"messngr/carrier/rpc/proof"
	"messngr/wire/dcerpc"
)

// forge hands the server a datagram with any source.
func (s *served) forge(from netip.AddrPort, d dcerpc.Datagram) {
	s.t.Helper()
	b, err := d.Append(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.server.receive(s.sockets[netip.AddrPortFrom(beta, 135)], from, b)
}

// tally counts what the server sends to each address.
type tally struct {
	mu      sync.Mutex
	packets map[netip.Addr]int
	octets  map[netip.Addr]int
}

// tally counts from now on.
func (s *served) tally() *tally {
	c := &tally{packets: make(map[netip.Addr]int), octets: make(map[netip.Addr]int)}
	s.network.watch = func(from, to netip.AddrPort, b []byte) bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		if from.Addr() == beta {
			c.packets[to.Addr()]++
			c.octets[to.Addr()] += len(b)
		}
		return false
	}
	return c
}

func (c *tally) to(addr netip.Addr) (packets, octets int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.packets[addr], c.octets[addr]
}

// TestBurstOfHonestClients lets many clients of one address call at the same moment, each
// once: the first that answer prove the address for all.
func TestBurstOfHonestClients(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		const n = 500
		peers := make([]*peer, n)
		for i := range peers {
			peers[i] = s.peer(alpha)
			b, _ := peers[i].call.Append(nil)
			if _, err := peers[i].conn.WriteToUDPAddrPort(b, peers[i].server); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		asked := 0
		answered := make([]bool, n)
		for round := 0; round < 2; round++ {
			for i, p := range peers {
				for _, d := range p.hears() {
					if d.Type == dcerpc.TypeRequest && !answered[i] {
						answered[i] = true
						asked++
						p.says(p.identity(d))
					}
				}
			}
		}
		if asked != n || len(s.ran()) != n {
			t.Errorf("%d of %d clients were asked, and %d calls were run", asked, n, len(s.ran()))
		}
	})
}

// TestSpooferOfAnAddress floods the server with calls in the name of a host that has not
// proven itself. The host still gets through, if it repeats its call as clients do.
func TestSpooferOfAnAddress(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		sent := s.tally()
		p := s.peer(alpha)
		forged := p.call
		forged.Idempotent = true
		flood := func(n int) {
			for i := range n {
				forged.Activity = uuid.New()
				s.forge(netip.AddrPortFrom(alpha, uint16(20000+i)), forged)
				if i%10 == 9 {
					time.Sleep(time.Millisecond)
				}
			}
		}
		flood(20330) // not a whole number of callbacks that are allowed
		if n, _ := sent.to(alpha); n > 50 {
			t.Errorf("%d callbacks in 2 s to a host that has said nothing", n)
		}
		var got []dcerpc.Datagram
		for tries := 0; len(got) == 0; tries++ {
			if tries == 5 {
				t.Fatal("the host that a forger pretends to be is locked out")
			}
			got = p.says(p.call)
			if len(got) == 0 {
				flood(10330) // for a second
				got = p.hears()
			}
		}
		p.one(dcerpc.TypeResponse, p.says(p.identity(p.question(got))))
		// Now the forger can do nothing about it, for as long as the proof lasts.
		for range 5 {
			flood(5000)
			next := s.peer(alpha)
			next.one(dcerpc.TypeResponse, next.meets())
		}
		if n := len(s.ran()); n != 6 {
			t.Errorf("%d calls were run, want the 6 of the host", n)
		}
	})
}

// TestSpooferOfManyAddresses floods the server with calls of ever new addresses, more
// than it remembers. An honest client with a new address is asked at once.
func TestSpooferOfManyAddresses(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		honest := s.peer(alpha)
		forged := honest.call
		for i := range uint32(50000) {
			forged.Activity = uuid.New()
			s.forge(netip.AddrPortFrom(address(i), 1026), forged)
			if i%10000 == 0 {
				p := s.peer(alpha)
				p.one(dcerpc.TypeResponse, p.meets())
				time.Sleep(proof.Time) // so that the address has to prove itself again
			}
		}
		if n := len(s.ran()); n != 5 {
			t.Errorf("%d calls were run, want the 5 of the honest host", n)
		}
		if k := s.keeps(); k.strangers > maxStrangers {
			t.Errorf("%d strangers, want at most %d", k.strangers, maxStrangers)
		}
	})
}

// TestFloodOfFragments sends the beginnings of calls as long as can be, of strangers and
// of clients that have proven themselves.
func TestFloodOfFragments(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		d := s.peer(alpha).call
		d.Fragment, d.NoFack = true, true
		d.Body = make([]byte, 4000)
		for i := range uint32(3000) {
			d.Activity = uuid.New()
			for d.Number = range 4 {
				s.forge(netip.AddrPortFrom(address(i), 1026), d)
			}
		}
		if k := s.keeps(); k.strangerBytes > maxStrangerBytes || k.strangerBytes != k.inStrangers || k.strangers == 0 {
			t.Errorf("%+v, want at most %d bytes of strangers, and all of them counted", k, maxStrangerBytes)
		}
		time.Sleep(time.Minute)
		p := s.peer(alpha)
		for range 300 {
			p.call.Activity, p.call.Sequence = uuid.New(), 0
			first := p.call
			first.Fragment, first.Number, first.Body = true, 0, d.Body
			p.meetsFragment(first)
			for first.Number = 1; first.Number < 20; first.Number++ {
				first.NoFack = true
				p.says(first)
			}
		}
		if k := s.keeps(); k.activityBytes > maxAssembly || k.activityBytes != k.inActivities || k.activities == 0 {
			t.Errorf("%+v, want at most %d bytes of fragments, and all of them counted", k, maxAssembly)
		}
		s.wantRan()
	})
}

func TestActivitiesAreBounded(t *testing.T) {
	table := newActivities()
	now := time.Now()
	for i := range 3 * maxActivities {
		a, _ := table.enter(activityKey{id: uuid.New()}, now)
		if i == 0 {
			a.progress = running
		}
		table.trim()
	}
	if len(table.known) > maxActivities || table.order.Len() != len(table.known) {
		t.Errorf("%d activities, %d in order, want at most %d", len(table.known), table.order.Len(), maxActivities)
	}
	if first := table.order.Front().Value.(*activity); first.progress != running {
		t.Error("an activity whose call runs was forgotten")
	}
}

// spam is the packet that flooded the Internet, and what could be made of it.
func spam(t testing.TB) [][]byte {
	t.Helper()
	original := recordedSpam(t)
	kin := [][]byte{original}
	change := func(f func(d *dcerpc.Datagram)) {
		d, err := dcerpc.ParseDatagram(original)
		if err != nil {
			t.Fatal(err)
		}
		f(&d)
		b, err := d.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		kin = append(kin, b)
	}
	for flags := range 64 {
		change(func(d *dcerpc.Datagram) {
			d.Idempotent, d.Maybe, d.Broadcast = flags&1 != 0, flags&2 != 0, flags&4 != 0
			d.NoFack, d.Last, d.Fragment = flags&8 != 0, flags&16 != 0, flags&32 != 0
		})
	}
	change(func(d *dcerpc.Datagram) { d.ServerBoot = 1 })
	change(func(d *dcerpc.Datagram) { d.Sequence = 1 << 31 })
	change(func(d *dcerpc.Datagram) { d.Activity = uuid.UUID{} })
	change(func(d *dcerpc.Datagram) { d.Object = uuid.UUID{1} })
	change(func(d *dcerpc.Datagram) { d.Op = 1 })
	change(func(d *dcerpc.Datagram) { d.Interface.Minor = 1 })
	change(func(d *dcerpc.Datagram) { d.Auth = 10 })
	for kind := range dcerpc.TypeQuack + 1 {
		change(func(d *dcerpc.Datagram) { d.Type = kind })
	}
	for n := range original {
		kin = append(kin, original[:n])
	}
	return kin
}

// TestSpam sends the spam packet and all its kin. None is run, each is counted under its
// reason or harmless in itself, and no answer is longer than what it answers.
func TestSpam(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		sent := s.tally()
		for i, b := range spam(t) {
			from := netip.AddrPortFrom(address(uint32(i)), 3515)
			s.server.receive(s.sockets[netip.AddrPortFrom(beta, 135)], from, b)
			if packets, octets := sent.to(from.Addr()); packets > 1 || octets > len(b) {
				t.Errorf("%d bytes of spam are answered with %d in %d packets", len(b), octets, packets)
			}
		}
		s.wantRan()
		time.Sleep(time.Minute)
		s.wantRan()
		s.wantRefused(ReasonMaybe, 32)
		s.wantRefused(ReasonBroadcast, 16)
		s.wantRefused(ReasonInterface, 1)
		s.wantRefused(ReasonAuth, 1)
		s.wantRefused(ReasonMalformed, 438)
		// The original; the sixteen with the flags that are left; those with other
		// numbers; and the request among the types.
		s.wantRefused(ReasonNoProof, 1+16+4+1)
	})
}

// TestNoAnswerIsLongerThanTheQuestion says random things from addresses that have proven
// nothing: what the server says to each is never more than it heard from there.
func TestNoAnswerIsLongerThanTheQuestion(t *testing.T) {
	bubble(t, func(t *testing.T, s *served) {
		random := rand.New(rand.NewPCG(1, 2))
		sent := s.tally()
		heard := make(map[netip.Addr]int)
		activities := []uuid.UUID{uuid.New(), uuid.New(), uuid.New()}
		for range 20000 {
			d := dcerpc.Datagram{
				Type: dcerpc.PacketType(random.IntN(11)), Interface: echoes, Activity: activities[random.IntN(3)],
				Fragment: random.IntN(2) == 0, Last: random.IntN(2) == 0, NoFack: random.IntN(2) == 0,
				Number: uint16(random.IntN(3)), Sequence: uint32(random.IntN(3)), BigEndian: random.IntN(2) == 0,
				Body: []byte(strings.Repeat("x", random.IntN(60))),
			}
			switch random.IntN(6) {
			case 0:
				d.Interface = dcerpc.Conversation()
			case 1:
				d.Interface.ID = uuid.UUID{9}
			case 2:
				d.ServerBoot = uint32(random.IntN(3))
			}
			from := netip.AddrPortFrom(address(uint32(random.IntN(20))), uint16(1+random.IntN(3)))
			heard[from.Addr()] += dcerpc.HeaderSize + len(d.Body)
			s.forge(from, d)
			if _, octets := sent.to(from.Addr()); octets > heard[from.Addr()] {
				t.Fatalf("%v heard %d bytes for %d, the last time for %+v", from, octets, heard[from.Addr()], d)
			}
			time.Sleep(time.Duration(random.IntN(int(50 * time.Millisecond))))
		}
		s.wantRan()
		if len(sent.octets) == 0 {
			t.Error("nothing was answered at all, so that this test shows nothing")
		}
	})
}

// FuzzServer says anything to a server, in a row, from two addresses that never answer a
// callback: nothing is run, and nothing breaks.
func FuzzServer(f *testing.F) {
	for _, d := range dialogues(f) {
		var all []byte
		for _, p := range d.packets[:min(len(d.packets), 5)] { // the engine is slow with long seeds
			all = append(binary.BigEndian.AppendUint16(all, uint16(len(p.data))), p.data...)
		}
		f.Add(all)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		synctest.Test(t, func(t *testing.T) {
			s := serve(t, newNetwork(1))
			for i := 0; len(b) >= 2; i++ {
				n := min(int(binary.BigEndian.Uint16(b)), len(b)-2)
				from := netip.AddrPortFrom(address(uint32(i%2)), 1026)
				s.server.receive(s.sockets[netip.AddrPortFrom(beta, 135)], from, b[2:2+n])
				b = b[2+n:]
			}
			time.Sleep(time.Minute)
			s.wantRan()
			if k := s.keeps(); k != (kept{}) {
				t.Errorf("%+v is kept for ever", k)
			}
		})
	})
}
