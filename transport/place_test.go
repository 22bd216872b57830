package transport_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr"
	"messngr/carrier"
	"messngr/transport"
	"messngr/wire/netbios"
)

// network has hand-made answers; what it lacks is not asked.
type network struct {
	carrier.NetBIOS
	names []carrier.NameEntry
	addrs []netip.Addr
	fail  error
}

func (n network) Status(context.Context, netip.Addr) ([]carrier.NameEntry, error) {
	return n.names, n.fail
}

func (n network) Resolve(context.Context, netbios.Name) ([]netip.Addr, error) {
	return n.addrs, n.fail
}

func name(t *testing.T, label string, suffix netbios.Suffix) netbios.Name {
	t.Helper()
	n, err := netbios.New(label, suffix)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestLocate(t *testing.T) {
	here, there := netip.MustParseAddr("10.77.0.1"), netip.MustParseAddr("10.77.0.2")
	entry := func(label string, suffix netbios.Suffix, group bool, state carrier.NameState) carrier.NameEntry {
		return carrier.NameEntry{Name: name(t, label, suffix), Group: group, State: state}
	}
	pc, user := entry("PC1", netbios.Messenger, false, carrier.Owned), entry("ALICE", netbios.Messenger, false, carrier.Owned)
	machine, group := entry("PC1", netbios.Workstation, false, carrier.Owned), entry("LAB", netbios.Messenger, true, carrier.Owned)
	lost := entry("PC1", netbios.Messenger, false, carrier.Conflict)
	byName, byAddress := messngr.Device{Name: "müller"}, messngr.Device{Address: here}
	muller := name(t, "M\x9aLLER", netbios.Messenger)
	tests := []struct {
		name    string
		to      messngr.Device
		network network
		want    transport.Place
		err     error
	}{
		{"resolved", byName, network{addrs: []netip.Addr{here, there}}, transport.Place{Called: muller, Addrs: []netip.Addr{here, there}}, nil},
		{"at its address", messngr.Device{Name: "MÜLLER", Address: there}, network{fail: carrier.ErrNoName}, transport.Place{Called: muller, Addrs: []netip.Addr{there}}, nil},
		{"nobody", byName, network{fail: carrier.ErrNoName}, transport.Place{}, messngr.ErrUnknownName},
		{"no addresses", byName, network{}, transport.Place{}, messngr.ErrUnknownName},
		{"network off", byName, network{fail: carrier.ErrOff}, transport.Place{}, messngr.ErrUnavailable},
		{"no possible name", messngr.Device{Name: "a name that is too long"}, network{}, transport.Place{}, messngr.ErrUnknownName},
		{"the machine's own name", byAddress, network{names: []carrier.NameEntry{group, user, machine, pc}}, transport.Place{Called: pc.Name, Addrs: []netip.Addr{here}}, nil},
		{"a user's name", byAddress, network{names: []carrier.NameEntry{group, lost, machine, user}}, transport.Place{Called: user.Name, Addrs: []netip.Addr{here}}, nil},
		{"no name for messages", byAddress, network{names: []carrier.NameEntry{group, machine}}, transport.Place{}, messngr.ErrUnknownName},
		{"no status", byAddress, network{fail: carrier.ErrNoName}, transport.Place{}, messngr.ErrUnavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := transport.Env{}.Locate(t.Context(), tt.network, tt.to)
			if !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
				t.Errorf("place (-want +got):\n%s", diff)
			}
		})
	}
}

func TestShorten(t *testing.T) {
	for long, want := range map[string]string{
		"":                      "",
		"alice":                 "alice",
		"two\nlines":            "two lines",
		"Müller":                "M\x81ller",
		strings.Repeat("ü", 20): strings.Repeat("\x81", 15),
		"exactly15bytes€":       "exactly15bytes", // EUR would not fit
	} {
		if got := string(transport.Env{}.Shorten(long)); got != want {
			t.Errorf("Shorten(%q) = %q, want %q", long, got, want)
		}
	}
}

func TestSender(t *testing.T) {
	for claimed, want := range map[string]string{
		"alice":                 "",
		"":                      "", // this host
		"Mu\u0308ller":          "",
		"Administrator of PC17": `sent as "Administrator o", all that old machines take of the name`,
		"Дмитрий":               `sent as "???????", all that old machines take of the name`,
	} {
		name, told := transport.Env{Host: "PC17"}.Sender(&messngr.Message{From: messngr.From{Claimed: claimed}})
		if len(name) == 0 || told != want {
			t.Errorf("Sender(%q) = %q, %q, want %q", claimed, name, told, want)
		}
	}
}
