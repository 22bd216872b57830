package nbt

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"messngr/carrier/nbt/linktest"
	"messngr/wire/nbns"
)

func TestStandardPorts(t *testing.T) {
	got, err := StandardPorts(10000)
	if want := (Ports{Name: 10137, Datagram: 10138, Session: 10139, Direct: 10445}); err != nil || got != want {
		t.Errorf("StandardPorts(10000) = %+v, %v, want %+v", got, err, want)
	}
	if _, err := StandardPorts(65090); err != nil {
		t.Errorf("StandardPorts(65090) = %v", err)
	}
	if got, err := StandardPorts(65091); err == nil {
		t.Errorf("StandardPorts(65091) = %+v, want an error", got)
	}
}

func TestNewRefuses(t *testing.T) {
	server := []netip.Addr{addr("10.0.0.5")}
	for name, cfg := range map[string]Config{
		"scope with an empty label": {Scope: "A..B"},
		"IPv6 name server":          {WINS: []netip.Addr{addr("fe80::1")}},
		"P node without server":     {NodeType: nbns.PNode},
		"H node without server":     {NodeType: nbns.HNode},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := New(Config{NodeType: DefaultNodeType(server), WINS: server, Scope: "A.B"}); err != nil {
		t.Error(err)
	}
	if got := DefaultNodeType(nil); got != nbns.BNode {
		t.Errorf("DefaultNodeType(nil) = %v, want B", got)
	}
}

// TestInterfacesComeAndGo: names follow the interfaces, and those that stay notice nothing.
func TestInterfacesComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		h := l.start(t, Config{}, "10.0.0.1/24")
		other := l.start(t, Config{}, "10.0.1.9/24")
		mustClaim(t, h.Carrier, pc17)
		if err := tryClaim(t, h.Carrier, group, true); err != nil {
			t.Fatal(err)
		}
		mustClaim(t, other.Carrier, pc17)
		time.Sleep(time.Minute) // past the checks that follow a claim
		sent := l.Record(func(from, _ netip.AddrPort, p nbns.Packet) bool { return from.Addr() == addr("10.0.0.1") })

		first, second := linktest.Interface("eth0", "10.0.0.1/24"), linktest.Interface("eth1", "10.0.1.1/24")
		h.SetInterfaces([]Interface{first, second})
		time.Sleep(time.Second)
		wantStates(t, h.Carrier,
			"eth0 PC17<03> registered", "eth0 WORKGROUP<00> registered group",
			"eth1 PC17<03> conflict of 10.0.1.9", "eth1 WORKGROUP<00> registered group")
		if got := sent(); len(got) != 0 {
			t.Errorf("the first interface sent %+v, want nothing", got)
		}

		h.SetInterfaces([]Interface{second})
		time.Sleep(time.Second)
		wantStates(t, h.Carrier, "eth1 PC17<03> conflict of 10.0.1.9", "eth1 WORKGROUP<00> registered group")
		if got := len(sent()); got != 6 {
			t.Errorf("%d packets from the first interface, want 3 releases for each name", got)
		}

		h.SetInterfaces([]Interface{linktest.Interface("eth1", "10.0.2.1/24")})
		time.Sleep(2 * time.Second)
		wantStates(t, h.Carrier, "eth1 PC17<03> registered", "eth1 WORKGROUP<00> registered group")
	})
}
