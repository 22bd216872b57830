package nbns_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr/wire/nbns"
	"messngr/wire/wiretest"
)

// TestParseLeniently has the spellings that are understood but never written.
func TestParseLeniently(t *testing.T) {
	claim := "0020 0001 c00c 0020 0001 00000000 0006 6000 0a4d0001"
	hNode := owner("10.77.0.1", false, nbns.HNode)
	tests := []struct {
		name string
		hex  string
		want nbns.Packet
	}{
		{"refresh with opcode 9 (RFC 1002 4.2.4)", "0001 4800 0001 0000 0000 0001" + cliaHex + claim,
			nbns.Packet{ID: 1, Kind: nbns.Refresh, Name: clia, Addresses: hNode}},
		{"refresh with RD", "0001 4100 0001 0000 0000 0001" + cliaHex + claim,
			nbns.Packet{ID: 1, Kind: nbns.Refresh, Name: clia, Addresses: hNode}},
		{"record name in full", "0001 2900 0001 0000 0000 0001" + cliaHex + "0020 0001" + cliaHex + "0020 0001 00000000 0006 6000 0a4d0001",
			nbns.Packet{ID: 1, Kind: nbns.Registration, Name: clia, Addresses: hNode}},
		{"reserved bits of NB_FLAGS", "0001 2900 0001 0000 0000 0001" + cliaHex + "0020 0001 c00c 0020 0001 00000000 0006 7fff 0a4d0001",
			nbns.Packet{ID: 1, Kind: nbns.Registration, Name: clia, Addresses: hNode}},
		{"scope by a pointer into the question", "0001 2900 0001 0000 0000 0001" + cliaHex[:66] + "014100 0020 0001" +
			cliaHex[:66] + "c02d 0020 0001 00000000 0006 6000 0a4d0001",
			nbns.Packet{ID: 1, Kind: nbns.Registration, Name: clia, Scope: "A", Addresses: hNode}},
		{"negative query response as RFC 1002 4.2.14 draws it", "0001 8583 0000 0000 0000 0000" + cliaHex + "000a 0001 00000000 0000",
			nbns.Packet{ID: 1, Kind: nbns.QueryResponse, Server: true, Rcode: nbns.RcodeName, Name: clia}},
		{"negative query response of type NB", "0001 8583 0000 0001 0000 0000" + cliaHex + "0020 0001 00000000 0000",
			nbns.Packet{ID: 1, Kind: nbns.QueryResponse, Server: true, Rcode: nbns.RcodeName, Name: clia}},
		{"failure without a record", "0001 8583 0000 0000 0000 0000",
			nbns.Packet{ID: 1, Kind: nbns.QueryResponse, Server: true, Rcode: nbns.RcodeName}},
		{"registration refused without a record", "0001 ad85 0000 0000 0000 0000",
			nbns.Packet{ID: 1, Kind: nbns.RegistrationResponse, Rcode: nbns.RcodeRefused}},
		{"question in a response", "0001 8500 0001 0001 0000 0000" + cliaHex + "0020 0001 c00c 0020 0001 00000000 0006 6000 0a4d0001",
			nbns.Packet{ID: 1, Kind: nbns.QueryResponse, Name: clia, Addresses: hNode}},
		{"no authority bit", "0001 8100 0000 0001 0000 0000" + cliaHex + "0020 0001 00000000 0006 6000 0a4d0001",
			nbns.Packet{ID: 1, Kind: nbns.QueryResponse, Name: clia, Addresses: hNode}},
		{"answer to a multi-homed registration with its opcode", "0001 fd80 0000 0001 0000 0000" + cliaHex + "0020 0001 00000e10 0006 6000 0a4d0001",
			nbns.Packet{ID: 1, Kind: nbns.RegistrationResponse, Name: clia, TTL: time.Hour, Addresses: hNode}},
		{"answer to a refresh with its opcode", "0001 c400 0000 0001 0000 0000" + cliaHex + "0020 0001 00000e10 0006 6000 0a4d0001",
			nbns.Packet{ID: 1, Kind: nbns.RegistrationResponse, Name: clia, TTL: time.Hour, Addresses: hNode}},
		{"wait of type NULL", "0001 bc00 0000 0001 0000 0000" + cliaHex + "000a 0001 0000000f 0002 2910",
			nbns.Packet{ID: 1, Kind: nbns.Wait, Name: clia, TTL: 15 * time.Second, Waiting: nbns.Registration}},
		{"wait for a node status", "0001 bc00 0000 0001 0000 0000" + cliaHex + "0020 0001 0000000f 0002 0000",
			nbns.Packet{ID: 1, Kind: nbns.Wait, Name: clia, TTL: 15 * time.Second, Waiting: nbns.StatusRequest}},
		{"wait for an unknown opcode", "0001 bc00 0000 0001 0000 0000" + cliaHex + "0020 0001 0000000f 0002 5000",
			nbns.Packet{ID: 1, Kind: nbns.Wait, Name: clia, TTL: 15 * time.Second}},
		{"statistics of six bytes", "0001 8400 0000 0001 0000 0000" + starHex + "0021 0001 00000000 0007 00 020000000001",
			nbns.Packet{ID: 1, Kind: nbns.StatusResponse, Name: starName, Status: &nbns.Status{Statistics: nbns.Statistics{UnitID: [6]byte{2, 0, 0, 0, 0, 1}}}}},
		{"no statistics", "0001 8400 0000 0001 0000 0000" + starHex + "0021 0001 00000000 0013 01 434c4941202020202020202020202003 0400",
			nbns.Packet{ID: 1, Kind: nbns.StatusResponse, Name: starName, Status: &nbns.Status{Names: []nbns.StatusName{{Name: clia, Active: true}}}}},
		{"bytes after the packet", "0001 0100 0001 0000 0000 0000" + cliaHex + "0020 0001 ffff",
			nbns.Packet{ID: 1, Kind: nbns.Query, Name: clia}},
		{"redirect", "0001 8500 0000 0000 0001 0001" + cliaHex + "0002 0001 0000000f 0006 044e424e5300 c039 0001 0001 0000000f 0004 0a4d0005",
			nbns.Packet{ID: 1, Kind: nbns.Redirect, Name: clia, TTL: 15 * time.Second, Addresses: []nbns.Address{{Addr: addr("10.77.0.5")}}}},
		{"redirect to a name spelled in full", "0001 8500 0000 0000 0001 0001" + cliaHex + "0002 0001 0000000f 0006 044e424e5300 044e424e5300 0001 0001 0000000f 0004 0a4d0005",
			nbns.Packet{ID: 1, Kind: nbns.Redirect, Name: clia, TTL: 15 * time.Second, Addresses: []nbns.Address{{Addr: addr("10.77.0.5")}}}},
		{"redirect without address", "0001 8500 0000 0000 0001 0000" + cliaHex + "0002 0001 0000000f 0006 044e424e5300",
			nbns.Packet{ID: 1, Kind: nbns.Redirect, Name: clia, TTL: 15 * time.Second}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := nbns.Parse(wiretest.Unhex(t, tt.hex))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, compareAddr); diff != "" {
				t.Errorf("Parse (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	rec := "0020 0001 00000000 0006 6000 0a4d0001"
	head := "0001 2900 0001 0000 0000 0001" + cliaHex + "0020 0001"
	tests := []struct{ name, hex string }{
		{"nothing", ""},
		{"eleven bytes", "0001 0100 0001 0000 0000 00"},
		{"two questions", "0001 0100 0002 0000 0000 0000" + cliaHex + "0020 0001" + cliaHex + "0020 0001"},
		{"33 records", "0001 8500 0000 0021 0000 0000" + cliaHex + rec},
		{"counts that overflow 16 bits", "0001 8500 0000 8000 8000 0001" + cliaHex + rec},
		{"opcode 1", "0001 0800 0001 0000 0000 0000" + cliaHex + "0020 0001"},
		{"opcode 1 in a response", "0001 8800 0000 0001 0000 0000" + cliaHex + rec},
		{"wait as a request", "0001 3800 0001 0000 0000 0000" + cliaHex + "0020 0001"},
		{"response marked as broadcast", "0001 8510 0000 0001 0000 0000" + cliaHex + rec},
		{"query without question", "0001 0100 0000 0000 0000 0000"},
		{"query of type A", "0001 0100 0001 0000 0000 0000" + cliaHex + "0001 0001"},
		{"query of another class", "0001 0100 0001 0000 0000 0000" + cliaHex + "0020 0003"},
		{"question cut short", "0001 0100 0001 0000 0000 0000" + cliaHex + "0020 00"},
		{"registration of type NBSTAT", "0001 2900 0001 0000 0000 0001" + cliaHex + "0021 0001 c00c" + rec},
		{"registration without record", "0001 2900 0001 0000 0000 0000" + cliaHex + "0020 0001"},
		{"registration with the record missing", head},
		{"registration with the record of another name", head + starHex + rec},
		{"registration with a record of type A", head + "c00c 0001 0001 00000000 0004 0a4d0001"},
		{"record of another class", head + "c00c 0020 0003 00000000 0006 6000 0a4d0001"},
		{"record cut short", head + "c00c 0020 0001 00000000"},
		{"record longer than the packet", head + "c00c 0020 0001 00000000 000c 6000 0a4d0001"},
		{"address of five bytes", head + "c00c 0020 0001 00000000 0005 6000 0a4d00"},
		{"pointer to itself", head + "c032" + rec},
		{"pointer forwards", head + "c034" + rec},
		{"pointer into the header", head + "c000" + rec},
		{"pointer cut short", head + "c0"},
		{"pointer to a pointer", "0001 8500 0001 0001 0000 0000" + cliaHex[:66] + "c00c 0020 0001 c00c" + rec},
		{"pointer as question", "0001 0100 0001 0000 0000 0000 c00c 0020 0001"},
		{"label of a reserved kind", "0001 0100 0001 0000 0000 0000" + cliaHex[:66] + "4041 00 0020 0001"},
		{"name longer than 288 bytes", "0001 0100 0001 0000 0000 0000" + cliaHex[:66] + strings.Repeat("3f"+strings.Repeat("41", 63), 4) + "00 0020 0001"},
		{"success without a record", "0001 8500 0000 0000 0000 0000"},
		{"response of type A", "0001 8500 0000 0001 0000 0000" + cliaHex + "0001 0001 00000000 0004 0a4d0001"},
		{"status without data", "0001 8400 0000 0001 0000 0000" + starHex + "0021 0001 00000000 0000"},
		{"status with a name missing", "0001 8400 0000 0001 0000 0000" + starHex + "0021 0001 00000000 0013 02 434c4941202020202020202020202003 0400"},
		{"redirect of type NB", "0001 8500 0000 0000 0001 0000" + cliaHex + rec},
		{"redirect cut short in a name", "0001 8500 0000 0000 0001 0001" + cliaHex + "0002 0001 0000000f 0006 044e424e5300 044e"},
		{"redirect cut short in a pointer", "0001 8500 0000 0000 0001 0001" + cliaHex + "0002 0001 0000000f 0006 044e424e5300 c0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := nbns.Parse(wiretest.Unhex(t, tt.hex)); err == nil {
				t.Errorf("Parse = %+v, want an error", got)
			}
		})
	}
}
