package nbt

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr/carrier"
	"messngr/wire/nbdgm"
	"messngr/wire/netbios"
)

var (
	lab      = mustName("LAB", netbios.Workstation)
	pc1, pc2 = mustName("PC1", netbios.Messenger), mustName("PC2", netbios.Messenger)
)

// inbox collects the datagrams of one host in words.
type inbox struct {
	mu   sync.Mutex
	list []string
}

func (i *inbox) take(d carrier.Datagram) {
	i.mu.Lock()
	defer i.mu.Unlock()
	note := fmt.Sprintf("%s to %s from %v on %s: %q", d.From, d.To, d.Source, d.Interface, d.Data)
	if d.Group {
		note += ", group"
	}
	if d.Mismatch {
		note += ", mismatch"
	}
	i.list = append(i.list, note)
}

// want waits until nothing happens any more and says what should have come.
func (i *inbox) want(t *testing.T, list ...string) {
	t.Helper()
	time.Sleep(time.Second)
	i.mu.Lock()
	defer i.mu.Unlock()
	if diff := cmp.Diff(list, i.list); diff != "" {
		t.Errorf("datagrams (-want +got):\n%s", diff)
	}
	i.list = nil
}

// listening starts a host that has a name and is in the group.
func (l *lan) listening(t *testing.T, cfg Config, name netbios.Name, prefixes ...string) (host, *inbox) {
	t.Helper()
	c := l.newHost(t, cfg, prefixes...)
	in := &inbox{}
	c.HandleDatagrams(in.take)
	h := host{c, run(t, c)}
	mustClaim(t, c, name)
	if err := tryClaim(t, c, lab, true); err != nil {
		t.Fatal(err)
	}
	return h, in
}

func TestDatagrams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		one, inOne := l.listening(t, Config{}, pc1, "10.0.0.1/24", "10.0.1.1/24")
		_, inTwo := l.listening(t, Config{}, pc2, "10.0.0.2/24")
		_, inThree := l.listening(t, Config{}, mustName("PC3", netbios.Messenger), "10.0.1.3/24")
		send := func(to netip.Addr, called netbios.Name) {
			t.Helper()
			if err := one.SendDatagram(t.Context(), to, called, pc1, []byte("hi")); err != nil {
				t.Fatal(err)
			}
		}
		send(addr("10.0.0.2"), pc2)
		inTwo.want(t, `PC1<03> to PC2<03> from 10.0.0.1:138 on eth0: "hi"`)
		send(addr("10.0.1.3"), pc2) // not its name
		inThree.want(t)

		send(netip.Addr{}, lab)
		inTwo.want(t, `PC1<03> to LAB<00> from 10.0.0.1:138 on eth0: "hi", group`)
		inThree.want(t, `PC1<03> to LAB<00> from 10.0.1.1:138 on eth0: "hi", group`)
		inOne.mu.Lock() // its own broadcasts come back to it, as from any network
		if n := len(inOne.list); n != 2 {
			t.Errorf("%d of its own broadcasts came back, want 2: %q", n, inOne.list)
		}
		inOne.mu.Unlock()

		send(netip.Addr{}, netbios.Wildcard())
		inTwo.want(t, `PC1<03> to *<00> from 10.0.0.1:138 on eth0: "hi", group`)
		send(netip.Addr{}, mustName("OTHERS", netbios.Workstation))
		inTwo.want(t)
	})
}

// stranger sends raw packets to a host.
func (l *lan) stranger(t *testing.T, from string) func(to string, b []byte) {
	t.Helper()
	s, err := l.Listen(netip.MustParseAddrPort(from))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return func(to string, b []byte) {
		if _, err := s.WriteToUDPAddrPort(b, netip.MustParseAddrPort(to)); err != nil {
			t.Error(err)
		}
	}
}

func encode(t *testing.T, p nbdgm.Packet) []byte {
	t.Helper()
	b, err := p.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWhichDatagramsAreTaken(t *testing.T) {
	good := func() nbdgm.Datagram {
		return nbdgm.Datagram{
			Header: nbdgm.Header{Type: nbdgm.DirectUnique, First: true, Source: netip.MustParseAddrPort("10.0.0.9:138")},
			From:   pc2, To: pc1, Data: []byte("hi"),
		}
	}
	with := func(change func(*nbdgm.Datagram)) nbdgm.Packet {
		d := good()
		change(&d)
		return d
	}
	const taken = `PC2<03> to PC1<03> from 10.0.0.9:138 on eth0: "hi"`
	tests := []struct {
		name   string
		packet nbdgm.Packet
		want   string
	}{
		{"good", good(), taken},
		{"from another port", with(func(d *nbdgm.Datagram) { d.Source = netip.MustParseAddrPort("10.0.0.9:4711") }), taken},
		{"claims another address", with(func(d *nbdgm.Datagram) { d.Source = netip.MustParseAddrPort("10.0.0.8:138") }), taken + ", mismatch"},
		{"broadcast", with(func(d *nbdgm.Datagram) { d.Type, d.To = nbdgm.Broadcast, netbios.Wildcard() }),
			strings.Replace(taken, "PC1<03>", "*<00>", 1) + ", group"},
		{"group", with(func(d *nbdgm.Datagram) { d.Type, d.To = nbdgm.DirectGroup, lab }),
			strings.Replace(taken, "PC1<03>", "LAB<00>", 1) + ", group"},
		{"first fragment", with(func(d *nbdgm.Datagram) { d.More = true }), ""},
		{"last fragment", with(func(d *nbdgm.Datagram) { d.First, d.Offset = false, 512 }), ""},
		{"another name", with(func(d *nbdgm.Datagram) { d.To = pc2 }), ""},
		{"another scope", with(func(d *nbdgm.Datagram) { d.ToScope = "LAB" }), ""},
		{"error", nbdgm.Error{Header: nbdgm.Header{Type: nbdgm.DatagramError, Source: good().Source}, Code: nbdgm.NameNotPresent}, ""},
		{"query", nbdgm.Query{Header: nbdgm.Header{Type: nbdgm.QueryRequest, Source: good().Source}, To: pc1}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLAN(1)
				_, in := l.listening(t, Config{}, pc1, "10.0.0.1/24")
				answered := 0
				send := l.stranger(t, "10.0.0.9:138")
				l.Lock()
				l.Trace = func(_, to netip.AddrPort, _ []byte) {
					if to.Addr() == addr("10.0.0.9") {
						answered++
					}
				}
				l.Unlock()
				send("10.0.0.1:138", encode(t, tt.packet))
				send("10.0.0.1:138", []byte("garbage"))
				if tt.want == "" {
					in.want(t)
				} else {
					in.want(t, tt.want)
				}
				l.Lock()
				defer l.Unlock()
				if answered != 0 {
					t.Errorf("%d packets went back, want none: nobody proved to be there", answered)
				}
			})
		})
	}
}

func TestDatagramsForAReleasedName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		one, _ := l.listening(t, Config{}, pc1, "10.0.0.1/24")
		two, inTwo := l.listening(t, Config{}, pc2, "10.0.0.2/24")
		if err := two.Release(t.Context(), pc2); err != nil {
			t.Fatal(err)
		}
		if err := one.SendDatagram(t.Context(), addr("10.0.0.2"), pc2, pc1, nil); err != nil {
			t.Error(err)
		}
		if err := tryClaim(t, two.Carrier, pc1, false); err == nil {
			t.Error("claimed the name of another machine")
		}
		if err := one.SendDatagram(t.Context(), addr("10.0.0.2"), pc1, pc1, nil); err != nil {
			t.Error(err)
		}
		inTwo.want(t)
	})
}

func TestDatagramsInAScope(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		one, _ := l.listening(t, Config{Scope: "LAB"}, pc1, "10.0.0.1/24")
		_, inTwo := l.listening(t, Config{Scope: "lab"}, pc2, "10.0.0.2/24")
		if err := one.SendDatagram(t.Context(), netip.Addr{}, lab, pc1, []byte("hi")); err != nil {
			t.Error(err)
		}
		inTwo.want(t, `PC1<03> to LAB<00> from 10.0.0.1:138 on eth0: "hi", group`)
	})
}

// TestDatagramsLeaveByTheirRoute: to another network from the interface by which it is reached.
func TestDatagramsLeaveByTheirRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		one := l.newHost(t, Config{}, "10.0.0.1/24", "10.0.1.1/24", "10.0.2.1/24")
		one.route = func(netip.Addr) netip.Addr { return addr("10.0.1.1") }
		run(t, one)
		_, inTwo := l.listening(t, Config{}, pc2, "10.0.9.2/24")
		if err := one.SendDatagram(t.Context(), addr("10.0.9.2"), pc2, pc1, []byte("hi")); err != nil {
			t.Fatal(err)
		}
		inTwo.want(t, `PC1<03> to PC2<03> from 10.0.1.1:138 on eth0: "hi"`)
	})
}

func TestDatagramPortIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		l.Taken[netip.MustParseAddrPort("10.0.0.1:138")] = errors.New("in use")
		one, _ := l.listening(t, Config{}, pc1, "10.0.0.1/24")
		_, inTwo := l.listening(t, Config{}, pc2, "10.0.0.2/24")
		// Nobody can send to it, but it can send.
		if err := one.SendDatagram(t.Context(), addr("10.0.0.2"), pc2, pc1, nil); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		inTwo.mu.Lock()
		defer inTwo.mu.Unlock()
		if len(inTwo.list) != 1 || !strings.HasPrefix(inTwo.list[0], "PC1<03> to PC2<03> from 10.0.0.1:") {
			t.Errorf("received %q, want one datagram", inTwo.list)
		}
		for _, p := range one.Ports() {
			if taken := p.Address.Port() == 138 && p.Address.Addr() == addr("10.0.0.1"); taken != (p.Err != nil) {
				t.Errorf("port %+v, want that only port 138 is taken", p)
			}
		}
	})
}

func TestDatagramsThatCannotLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		one, _ := l.listening(t, Config{}, pc1, "10.0.0.1/24")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := one.SendDatagram(ctx, netip.Addr{}, lab, pc1, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("after the end: %v, want Canceled", err)
		}
		if err := one.SendDatagram(t.Context(), netip.Addr{}, lab, pc1, make([]byte, 65536)); err == nil {
			t.Error("a datagram left that is too long")
		}
		one.stop()
		if err := one.SendDatagram(t.Context(), netip.Addr{}, lab, pc1, nil); !errors.Is(err, carrier.ErrOff) {
			t.Errorf("to a group without a network: %v, want ErrOff", err)
		}
		if err := one.SendDatagram(t.Context(), addr("10.0.0.2"), pc2, pc1, nil); !errors.Is(err, carrier.ErrOff) {
			t.Errorf("to a name without a network: %v, want ErrOff", err)
		}
	})
}
