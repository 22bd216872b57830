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
	"messngr/carrier/nbt/linktest"
)

func TestPorts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		taken := errors.New("address already in use")
		l.Taken[netip.MustParseAddrPort("10.0.1.255:137")] = taken
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
		clear(l.Taken)
		other := l.start(t, Config{}, "10.0.1.2/24")
		mustClaim(t, other.Carrier, pc17)
		wantAddrs(t, h.Carrier, pc17, "10.0.1.2")
	})
}

// TestPortBecomesFree: what another program had is taken when it is gone.
func TestPortBecomesFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		l.Taken[netip.MustParseAddrPort("10.0.0.1:137")] = errors.New("address already in use")
		h := l.start(t, Config{}, "10.0.0.1/24")
		if err := tryClaim(t, h.Carrier, pc17, false); !errors.Is(err, carrier.ErrOff) {
			t.Errorf("Claim = %v, want ErrOff", err)
		}
		time.Sleep(5 * reopenTime)
		wantStates(t, h.Carrier, "eth0 PC17<03> claiming")
		l.Lock()
		clear(l.Taken)
		l.Unlock()
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
		c, err := New(Config{Interfaces: []Interface{linktest.Interface("lo", prefix)}, Ports: p})
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
	second, err := New(Config{Interfaces: []Interface{linktest.Interface("lo", "127.0.0.72/8")}, Ports: p})
	if err != nil {
		t.Fatal(err)
	}
	run(t, second)
	if ports := second.Ports(); len(ports) != 1 || ports[0].Err == nil {
		t.Errorf("a second carrier shares the port: %+v", ports)
	}
}
