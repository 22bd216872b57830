package link

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var compareAddr = cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func iface(name, prefix string) Interface {
	return Interface{Name: name, Prefix: netip.MustParsePrefix(prefix)}
}

func TestBroadcast(t *testing.T) {
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
		if got := Broadcast(netip.MustParsePrefix(prefix)); got != want {
			t.Errorf("Broadcast(%s) = %v, want %v", prefix, got, want)
		}
	}
}

func TestList(t *testing.T) {
	list, err := List()
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
	if diff := cmp.Diff(want, OneOfEachNetwork(list), compareAddr); diff != "" {
		t.Errorf("used (-want +got):\n%s", diff)
	}
}

func TestRoute(t *testing.T) {
	if got := Route(addr("127.0.0.1")); got != addr("127.0.0.1") {
		t.Errorf("127.0.0.1 is reached from %v, want from itself", got)
	}
	if got := Route(addr("::1")); got.IsValid() {
		t.Errorf("::1 is reached from %v, want from nowhere, since there is only IPv4", got)
	}
}
