package nbt

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr/carrier"
)

func TestLastAddr(t *testing.T) {
	for prefix, want := range map[string]netip.Addr{
		"10.77.0.3/24":    addr("10.77.0.255"),
		"10.77.0.3/8":     addr("10.255.255.255"),
		"192.168.1.5/30":  addr("192.168.1.7"),
		"192.168.1.5/22":  addr("192.168.3.255"),
		"192.168.1.5/31":  {},
		"192.168.1.5/32":  {},
		"172.16.0.1/12":   addr("172.31.255.255"),
		"10.0.0.129/25":   addr("10.0.0.255"),
		"10.0.0.127/25":   addr("10.0.0.127"),
		"255.255.255.1/0": addr("255.255.255.255"),
	} {
		if got := lastAddr(netip.MustParsePrefix(prefix)); got != want {
			t.Errorf("lastAddr(%s) = %v, want %v", prefix, got, want)
		}
	}
}

func TestInterfaces(t *testing.T) {
	list, err := Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range list {
		if i.Loopback() {
			if i.Addr() != addr("127.0.0.1") || i.Broadcast.IsValid() {
				t.Errorf("loopback = %+v, want 127.0.0.1 without broadcast", i)
			}
			return
		}
	}
	t.Errorf("no loopback among %+v", list)
}

func TestOneOfEachNetwork(t *testing.T) {
	six := Interface{Name: "six", Prefix: netip.MustParsePrefix("fe80::1/64")}
	list := []Interface{
		iface("a", "10.0.0.1/24"), six, iface("b", "10.0.0.2/24"), iface("c", "10.0.1.1/24"), iface("lo", "127.0.0.1/8"),
	}
	want := []Interface{list[0], list[3], list[4]}
	if diff := cmp.Diff(want, oneOfEachNetwork(list), compareAddr); diff != "" {
		t.Errorf("used (-want +got):\n%s", diff)
	}
}

func TestPorts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		taken := errors.New("address already in use")
		l.taken[netip.MustParseAddrPort("10.0.1.255:137")] = taken
		h := l.start(t, Config{}, "10.0.0.1/24", "10.0.1.1/24", "127.0.0.1/8")
		port := func(iface, at, purpose string, err error) carrier.Port {
			return carrier.Port{Network: "udp", Address: netip.MustParseAddrPort(at), Interface: iface, Purpose: purpose, Err: err}
		}
		want := []carrier.Port{
			port("eth0", "10.0.0.1:137", "name service", nil),
			port("eth0", "10.0.0.255:137", "name service, broadcasts", nil),
			port("eth1", "10.0.1.1:137", "name service", nil),
			port("eth1", "10.0.1.255:137", "name service, broadcasts", taken),
			port("eth2", "127.0.0.1:137", "name service", nil),
		}
		got := slices.DeleteFunc(h.Ports(), func(p carrier.Port) bool { return p.Address.Port() != 137 })
		if diff := cmp.Diff(want, got, compareAddr, cmpopts.EquateErrors()); diff != "" {
			t.Errorf("ports (-want +got):\n%s", diff)
		}
		// Names can be found even so, but not owned.
		clear(l.taken)
		other := l.start(t, Config{}, "10.0.1.2/24")
		mustClaim(t, other.Carrier, pc17)
		wantAddrs(t, h.Carrier, pc17, "10.0.1.2")
	})
}

// TestPortBecomesFree: what another program had is taken when it is gone.
func TestPortBecomesFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		l.taken[netip.MustParseAddrPort("10.0.0.1:137")] = errors.New("address already in use")
		h := l.start(t, Config{}, "10.0.0.1/24")
		if err := tryClaim(t, h.Carrier, pc17, false); !errors.Is(err, carrier.ErrOff) {
			t.Errorf("Claim = %v, want ErrOff", err)
		}
		time.Sleep(5 * reopenTime)
		wantStates(t, h.Carrier, "eth0 PC17<03> claiming")
		l.mu.Lock()
		clear(l.taken)
		l.mu.Unlock()
		time.Sleep(reopenTime + 2*time.Second)
		wantStates(t, h.Carrier, "eth0 PC17<03> registered")
		for _, p := range h.Ports() {
			if p.Err != nil {
				t.Errorf("port %v is still not ours: %v", p.Address, p.Err)
			}
		}
	})
}

// TestRealSockets: two carriers on loopback addresses find each other's names.
func TestRealSockets(t *testing.T) {
	p, err := StandardPorts(20000)
	if err != nil {
		t.Fatal(err)
	}
	p.Datagram, p.Session, p.Direct = 0, 0, 0
	start := func(prefix string) *Carrier {
		c, err := New(Config{Interfaces: []Interface{iface("lo", prefix)}, Ports: p})
		if err != nil {
			t.Fatal(err)
		}
		run(t, c)
		if ports := c.Ports(); len(ports) != 1 || ports[0].Err != nil {
			t.Fatalf("ports = %+v, want one that is ours", ports)
		}
		return c
	}
	a, b := start("127.0.0.71/8"), start("127.0.0.72/8")
	mustClaim(t, b, pc17)
	got, err := a.Status(t.Context(), addr("127.0.0.72"))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Name != pc17 {
		t.Errorf("Status = %+v, want %v", got, pc17)
	}
	second, err := New(Config{Interfaces: []Interface{iface("lo", "127.0.0.72/8")}, Ports: p})
	if err != nil {
		t.Fatal(err)
	}
	run(t, second)
	if ports := second.Ports(); len(ports) != 1 || ports[0].Err == nil {
		t.Errorf("a second carrier shares the port: %+v", ports)
	}
}
