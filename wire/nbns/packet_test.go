package nbns_test

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr/wire/nbns"
	"messngr/wire/netbios"
	"messngr/wire/wiretest"
)

var compareAddr = cmpopts.EquateComparable(netip.Addr{})

func name(label string, suffix netbios.Suffix) netbios.Name {
	n, err := netbios.New(label, suffix)
	if err != nil {
		panic(err)
	}
	return n
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// Encoded names of the tables.
var (
	cliaHex = "20" + hex.EncodeToString([]byte("EDEMEJEBCACACACACACACACACACACAAD")) + "00"
	starHex = "20" + hex.EncodeToString([]byte("CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")) + "00"
	clia    = name("CLIA", netbios.Messenger)

	starName = netbios.Wildcard()
)

func owner(ip string, group bool, node nbns.NodeType) []nbns.Address {
	return []nbns.Address{{Addr: addr(ip), Group: group, Node: node}}
}

// codecTable has one row per kind of packet and per field that matters in it; each
// holds in both directions.
func codecTable() []codecRow {
	const claim = " 0020 0001 c00c 0020 0001"
	return []codecRow{
		{"query by unicast, flags 0100",
			nbns.Packet{ID: 0x1003, Kind: nbns.Query, Name: clia},
			"1003 0100 0001 0000 0000 0000" + cliaHex + "0020 0001"},
		{"query by broadcast, flags 0110",
			nbns.Packet{ID: 0xffff, Kind: nbns.Query, Broadcast: true, Name: clia},
			"ffff 0110 0001 0000 0000 0000" + cliaHex + "0020 0001"},
		{"query for what a node has itself, flags 0000",
			nbns.Packet{ID: 1, Kind: nbns.Query, NoRecursion: true, Name: clia},
			"0001 0000 0001 0000 0000 0000" + cliaHex + "0020 0001"},
		{"query within a scope",
			nbns.Packet{ID: 1, Kind: nbns.Query, Name: clia, Scope: "NETBIOS.COM"},
			"0001 0100 0001 0000 0000 0000" + cliaHex[:66] + "074e455442494f53 03434f4d 00 0020 0001"},
		{"status request",
			nbns.Packet{ID: 0x100b, Kind: nbns.StatusRequest, Name: netbios.Wildcard()},
			"100b 0000 0001 0000 0000 0000" + starHex + "0021 0001"},
		{"registration at a name server",
			nbns.Packet{ID: 0x1001, Kind: nbns.Registration, Name: clia, TTL: 300000 * time.Second, Addresses: owner("10.77.0.1", false, nbns.HNode)},
			"1001 2900 0001 0000 0000 0001" + cliaHex + claim + "000493e0 0006 6000 0a4d0001"},
		{"registration by broadcast, for ever",
			nbns.Packet{ID: 1, Kind: nbns.Registration, Broadcast: true, Name: clia, Addresses: owner("10.77.0.1", false, nbns.BNode)},
			"0001 2910 0001 0000 0000 0001" + cliaHex + claim + "00000000 0006 0000 0a4d0001"},
		{"registration of a group, P node",
			nbns.Packet{ID: 1, Kind: nbns.Registration, Name: clia, Addresses: owner("10.77.0.1", true, nbns.PNode)},
			"0001 2900 0001 0000 0000 0001" + cliaHex + claim + "00000000 0006 a000 0a4d0001"},
		{"multi-homed registration, M node",
			nbns.Packet{ID: 1, Kind: nbns.MultihomedRegistration, Name: clia, Addresses: owner("10.77.0.1", false, nbns.MNode)},
			"0001 7900 0001 0000 0000 0001" + cliaHex + claim + "00000000 0006 4000 0a4d0001"},
		{"registration within a scope: the pointer stays at 12",
			nbns.Packet{ID: 1, Kind: nbns.Registration, Name: clia, Scope: "A", Addresses: owner("10.77.0.1", false, nbns.BNode)},
			"0001 2900 0001 0000 0000 0001" + cliaHex[:66] + "014100" + claim + "00000000 0006 0000 0a4d0001"},
		{"overwrite demand",
			nbns.Packet{ID: 1, Kind: nbns.Overwrite, Broadcast: true, Name: clia, Addresses: owner("10.77.0.1", false, nbns.BNode)},
			"0001 2810 0001 0000 0000 0001" + cliaHex + claim + "00000000 0006 0000 0a4d0001"},
		{"longest TTL",
			nbns.Packet{ID: 1, Kind: nbns.Overwrite, Name: clia, TTL: (1<<32 - 1) * time.Second, Addresses: owner("10.77.0.1", false, nbns.HNode)},
			"0001 2800 0001 0000 0000 0001" + cliaHex + claim + "ffffffff 0006 6000 0a4d0001"},
		{"refresh",
			nbns.Packet{ID: 1, Kind: nbns.Refresh, Name: clia, TTL: time.Hour, Addresses: owner("10.77.0.1", false, nbns.HNode)},
			"0001 4000 0001 0000 0000 0001" + cliaHex + claim + "00000e10 0006 6000 0a4d0001"},
		{"release request",
			nbns.Packet{ID: 1, Kind: nbns.Release, Name: clia, Addresses: owner("10.77.0.1", false, nbns.HNode)},
			"0001 3000 0001 0000 0000 0001" + cliaHex + claim + "00000000 0006 6000 0a4d0001"},
		{"release demand",
			nbns.Packet{ID: 1, Kind: nbns.Release, Broadcast: true, Name: clia, Addresses: owner("10.77.0.1", false, nbns.BNode)},
			"0001 3010 0001 0000 0000 0001" + cliaHex + claim + "00000000 0006 0000 0a4d0001"},
		{"positive query response of a node",
			nbns.Packet{ID: 1, Kind: nbns.QueryResponse, Name: clia, Addresses: owner("10.77.0.1", false, nbns.BNode)},
			"0001 8500 0000 0001 0000 0000" + cliaHex + "0020 0001 00000000 0006 0000 0a4d0001"},
		{"positive query response of a name server, two owners, more to come",
			nbns.Packet{ID: 1, Kind: nbns.QueryResponse, Server: true, Truncated: true, Name: clia, Addresses: append(owner("10.77.0.1", false, nbns.HNode), owner("255.255.255.255", true, nbns.HNode)...)},
			"0001 8780 0000 0001 0000 0000" + cliaHex + "0020 0001 00000000 000c 6000 0a4d0001 e000 ffffffff"},
		{"negative query response",
			nbns.Packet{ID: 1, Kind: nbns.QueryResponse, Server: true, Rcode: nbns.RcodeName, Name: clia},
			"0001 8583 0000 0001 0000 0000" + cliaHex + "000a 0001 00000000 0000"},
		{"positive registration response",
			nbns.Packet{ID: 1, Kind: nbns.RegistrationResponse, Name: clia, TTL: time.Hour, Addresses: owner("10.77.0.1", false, nbns.HNode)},
			"0001 ad80 0000 0001 0000 0000" + cliaHex + "0020 0001 00000e10 0006 6000 0a4d0001"},
		{"negative registration response",
			nbns.Packet{ID: 1, Kind: nbns.RegistrationResponse, Rcode: nbns.RcodeActive, Name: clia, Addresses: owner("10.77.0.1", false, nbns.BNode)},
			"0001 ad86 0000 0001 0000 0000" + cliaHex + "0020 0001 00000000 0006 0000 0a4d0001"},
		{"name conflict demand",
			nbns.Packet{ID: 1, Kind: nbns.RegistrationResponse, Rcode: nbns.RcodeConflict, Name: clia, Addresses: owner("0.0.0.0", false, nbns.BNode)},
			"0001 ad87 0000 0001 0000 0000" + cliaHex + "0020 0001 00000000 0006 0000 00000000"},
		{"end-node challenge",
			nbns.Packet{ID: 1, Kind: nbns.Challenge, Name: clia, Addresses: owner("10.77.0.1", false, nbns.BNode)},
			"0001 ad00 0000 0001 0000 0000" + cliaHex + "0020 0001 00000000 0006 0000 0a4d0001"},
		{"positive release response",
			nbns.Packet{ID: 1, Kind: nbns.ReleaseResponse, Name: clia, Addresses: owner("10.77.0.1", false, nbns.BNode)},
			"0001 b400 0000 0001 0000 0000" + cliaHex + "0020 0001 00000000 0006 0000 0a4d0001"},
		{"negative release response",
			nbns.Packet{ID: 1, Kind: nbns.ReleaseResponse, Rcode: nbns.RcodeRefused, Name: clia, Addresses: owner("10.77.0.1", false, nbns.BNode)},
			"0001 b405 0000 0001 0000 0000" + cliaHex + "0020 0001 00000000 0006 0000 0a4d0001"},
		{"wait for a multi-homed registration",
			nbns.Packet{ID: 1, Kind: nbns.Wait, Name: clia, TTL: 15 * time.Second, Waiting: nbns.MultihomedRegistration},
			"0001 bc00 0000 0001 0000 0000" + cliaHex + "0020 0001 0000000f 0002 7900"},
		{"wait for something",
			nbns.Packet{ID: 1, Kind: nbns.Wait, Name: clia, TTL: 15 * time.Second},
			"0001 bc00 0000 0001 0000 0000" + cliaHex + "0020 0001 0000000f 0000"},
		{"status response, every flag of a name, every counter",
			nbns.Packet{ID: 1, Kind: nbns.StatusResponse, Name: netbios.Wildcard(), Status: fullStatus()},
			"0001 8400 0000 0001 0000 0000" + starHex + "0021 0001 00000000 0053" +
				"02 434c4941202020202020202020202003 6400 5747202020202020202020202020201e fa00" +
				"020000000001 02 03 0405 0607 0809 0a0b 0c0d 0e0f 10111213 14151617" +
				"1819 1a1b 1c1d 1e1f 2021 2223 2425 2627 2829"},
		{"status response without names",
			nbns.Packet{ID: 1, Kind: nbns.StatusResponse, Name: netbios.Wildcard(), Status: &nbns.Status{}},
			"0001 8400 0000 0001 0000 0000" + starHex + "0021 0001 00000000 002f 00" + strings.Repeat("00", 46)},
		{"status refused",
			nbns.Packet{ID: 1, Kind: nbns.StatusResponse, Name: netbios.Wildcard(), Rcode: nbns.RcodeRefused},
			"0001 8405 0000 0001 0000 0000" + starHex + "0021 0001 00000000 0000"},
	}
}

type codecRow struct {
	name   string
	packet nbns.Packet
	hex    string
}

func fullStatus() *nbns.Status {
	return &nbns.Status{
		Names: []nbns.StatusName{
			{Name: clia, Node: nbns.HNode, Active: true},
			{Name: name("WG", netbios.BrowserElection), Group: true, Node: nbns.HNode,
				Deregistering: true, Conflict: true, Permanent: true},
		},
		Statistics: nbns.Statistics{
			UnitID: [6]byte{2, 0, 0, 0, 0, 1}, Jumpers: 2, TestResult: 3, Version: 0x0405, Period: 0x0607,
			CRCErrors: 0x0809, AlignmentErrors: 0x0a0b, Collisions: 0x0c0d, SendAborts: 0x0e0f,
			GoodSends: 0x10111213, GoodReceives: 0x14151617, Retransmits: 0x1819, NoResources: 0x1a1b,
			FreeCommandBlocks: 0x1c1d, CommandBlocks: 0x1e1f, MaxCommandBlocks: 0x2021,
			PendingSessions: 0x2223, MaxPendingSessions: 0x2425, MaxSessions: 0x2627, SessionDatagramSize: 0x2829,
		},
	}
}

func TestCodec(t *testing.T) {
	for _, tt := range codecTable() {
		t.Run(tt.name, func(t *testing.T) {
			wire := wiretest.Unhex(t, tt.hex)
			got, err := tt.packet.Append([]byte("before"))
			if err != nil {
				t.Fatal(err)
			}
			if want := append([]byte("before"), wire...); !bytes.Equal(got, want) {
				t.Errorf("Append\n got %x\nwant %x", got, want)
			}
			parsed, err := nbns.Parse(wire)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.packet, parsed, compareAddr); diff != "" {
				t.Errorf("Parse (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWords(t *testing.T) {
	for k := nbns.Query; k <= nbns.Redirect; k++ {
		if s := k.String(); s == "unknown" || s == "none" {
			t.Errorf("kind %d is called %q", k, s)
		}
		if got, want := k.Response(), k > nbns.Release; got != want {
			t.Errorf("%v: Response() = %v, want %v", k, got, want)
		}
	}
	if got := nbns.Kind(99).String() + ", " + nbns.Rcode(15).String(); got != "unknown, unknown error" {
		t.Errorf("outside the tables: %q", got)
	}
	if got, want := nbns.RcodeActive.String(), "name is active at another node"; got != want {
		t.Errorf("rcode 6 is %q, want %q", got, want)
	}
	if got, want := nbns.BNode.String()+nbns.PNode.String()+nbns.MNode.String()+nbns.HNode.String(), "BPMH"; got != want {
		t.Errorf("node types are %q, want %q", got, want)
	}
}
