package nbt

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr/carrier"
	"messngr/wire/nbdgm"
	"messngr/wire/netbios"
)

// A neighbour has, or keeps, the ports that a test says, and hears what the test tells it.
type neighbour struct {
	mu     sync.Mutex
	keeps  map[netip.AddrPort]error
	takers map[int]func([]byte, netip.AddrPort)
	n      int
}

func newNeighbour() *neighbour {
	return &neighbour{keeps: make(map[netip.AddrPort]error), takers: make(map[int]func([]byte, netip.AddrPort))}
}

func (n *neighbour) Keeps(_ string, at netip.AddrPort) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.keeps[at]
}

func (n *neighbour) Datagrams(ctx context.Context, take func([]byte, netip.AddrPort)) {
	n.mu.Lock()
	n.n++
	id := n.n
	n.takers[id] = take
	n.mu.Unlock()
	<-ctx.Done()
	n.mu.Lock()
	delete(n.takers, id)
	n.mu.Unlock()
}

// hears passes a packet to all who listen, and reports how many those are.
func (n *neighbour) hears(b []byte, from string) int {
	n.mu.Lock()
	takers := n.takers
	n.mu.Unlock()
	for _, take := range takers {
		take(b, netip.MustParseAddrPort(from))
	}
	return len(takers)
}

// datagramTo returns a packet of the datagram service.
func datagramTo(t *testing.T, to netbios.Name, kind nbdgm.Type, text string) []byte {
	t.Helper()
	b, err := nbdgm.Datagram{
		Header: nbdgm.Header{Type: kind, First: true, Source: netip.MustParseAddrPort("10.0.0.9:138")},
		From:   mustName("SENDER", netbios.Workstation), To: to, Data: []byte(text),
	}.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// listenTo records what a carrier takes, or overhears.
func listenTo(set func(func(carrier.Datagram))) func() []string {
	var mu sync.Mutex
	var got []string
	set(func(d carrier.Datagram) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, fmt.Sprintf("%s %v to %v group %v from %v mismatch %v", d.Interface, string(d.Data), d.To, d.Group, d.Source, d.Mismatch))
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(got)
	}
}

// TestNeighboursDatagrams: datagrams come from the neighbour where it has the port, each
// of them once, and for our names only.
func TestNeighboursDatagrams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		for _, at := range []string{"10.0.0.1:138", "10.0.0.255:138", "10.0.2.1:138", "10.0.2.255:138"} {
			l.Taken[netip.MustParseAddrPort(at)] = errors.New("address already in use")
		}
		n := newNeighbour()
		c := l.newHost(t, Config{Neighbour: n}, "10.0.0.1/24", "10.0.1.1/24", "10.0.2.1/24", "127.0.0.1/8")
		got := listenTo(c.HandleDatagrams)
		run(t, c)
		mustClaim(t, c, pc17)
		if err := c.Claim(t.Context(), group, true); err != nil {
			t.Fatal(err)
		}
		ours := datagramTo(t, group, nbdgm.DirectGroup, "hello")
		if listeners := n.hears(ours, "10.0.0.9:138"); listeners != 2 {
			t.Errorf("%d interfaces listen to the neighbour, want the 2 whose port it has", listeners)
		}
		n.hears(datagramTo(t, pc17, nbdgm.DirectUnique, "you"), "10.0.2.9:138")
		n.hears(ours, "10.0.1.9:138")     // heard there by ourselves
		n.hears(ours, "192.168.0.9:1024") // by way of a router
		n.hears(datagramTo(t, alice, nbdgm.DirectUnique, "not you"), "10.0.0.9:138")
		n.hears([]byte("rubbish"), "10.0.0.9:138")
		want := []string{
			"eth0 hello to WORKGROUP<00> group true from 10.0.0.9:138 mismatch false",
			"eth2 you to PC17<03> group false from 10.0.2.9:138 mismatch true",
			"eth0 hello to WORKGROUP<00> group true from 192.168.0.9:1024 mismatch true",
		}
		if diff := cmp.Diff(want, got()); diff != "" {
			t.Errorf("datagrams (-want +got):\n%s", diff)
		}
	})
}

// TestNeighbourIsNotAskedInVain: where all ports are ours there is nothing to ask for.
func TestNeighbourIsNotAskedInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, n := newLAN(1), newNeighbour()
		run(t, l.newHost(t, Config{Neighbour: n}, "10.0.0.1/24", "127.0.0.1/8"))
		synctest.Wait()
		if listeners := n.hears(nil, "10.0.0.9:138"); listeners != 0 {
			t.Errorf("%d interfaces listen to the neighbour, want none", listeners)
		}
	})
}

// TestKeptPorts: what the neighbour keeps is not taken although it is free, until the
// neighbour does not want it any more.
func TestKeptPorts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, n := newLAN(1), newNeighbour()
		kept := errors.New("kept")
		at := netip.MustParseAddrPort("10.0.0.1:137")
		n.keeps[at] = kept
		h := l.start(t, Config{Neighbour: n}, "10.0.0.1/24")
		time.Sleep(5 * reopenTime)
		if got := h.Ports()[0]; got.Address != at || !errors.Is(got.Err, kept) {
			t.Errorf("port = %+v, want it left to the neighbour", got)
		}
		if s, err := l.Listen(at); err != nil {
			t.Errorf("the neighbour cannot have its port: %v", err)
		} else {
			s.Close()
		}
		n.mu.Lock()
		clear(n.keeps)
		n.mu.Unlock()
		time.Sleep(2 * reopenTime)
		if got := h.Ports()[0]; got.Err != nil {
			t.Errorf("port = %+v, want it ours", got)
		}
	})
}

// TestOverhear: whatever arrives from our network is overheard, for whatever name.
func TestOverhear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		c := l.newHost(t, Config{}, "10.0.0.1/24")
		overheard := listenTo(c.OverhearDatagrams)
		run(t, c)
		other := l.start(t, Config{}, "10.0.0.2/24")
		master := mustName("WORKGROUP", netbios.MasterBrowser)
		if err := other.SendDatagram(t.Context(), netip.Addr{}, master, alice, []byte("here I am")); err != nil {
			t.Fatal(err)
		}
		stranger, err := l.Listen(netip.MustParseAddrPort("192.168.7.7:138"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { stranger.Close() })
		if _, err := stranger.WriteToUDPAddrPort(datagramTo(t, master, nbdgm.DirectGroup, "me too"), netip.MustParseAddrPort("10.0.0.1:138")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		want := []string{"eth0 here I am to WORKGROUP<1d> group true from 10.0.0.2:138 mismatch false"}
		if diff := cmp.Diff(want, overheard()); diff != "" {
			t.Errorf("overheard (-want +got):\n%s", diff)
		}
	})
}
