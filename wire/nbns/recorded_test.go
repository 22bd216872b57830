package nbns_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr/wire/nbns"
	"messngr/wire/netbios"
	"messngr/wire/wiretest"
)

// recordings returns the payloads of all recorded packets of the name service.
func recordings(t testing.TB) map[string][][]byte {
	t.Helper()
	all := map[string][][]byte{}
	for _, f := range wiretest.Recordings(t) {
		for _, p := range wiretest.Packets(t, f) {
			if p.To.Port() == nbns.Port || p.From.Port() == nbns.Port {
				all[f] = append(all[f], p.Payload)
			}
		}
	}
	for f, want := range map[string]int{
		"nbns-bnode-conflict.pcap": 20, "nbns-bnode-register.pcap": 24, "nbns-wins-two-hosts.pcap": 151, "nbns-wins.pcap": 22,
	} {
		if got := len(all[f]); got != want {
			t.Fatalf("testdata/%s has %d packets, want %d", f, got, want)
		}
	}
	return all
}

// TestRecorded holds the codec against every packet that real peers sent: each must
// parse, and be written again with the same bytes but for known liberties.
func TestRecorded(t *testing.T) {
	for file, packets := range recordings(t) {
		for i, b := range packets {
			p, err := nbns.Parse(b)
			if err != nil {
				t.Errorf("%s: packet %d: %v", file, i+1, err)
				continue
			}
			got, err := p.Append(nil)
			if err != nil {
				t.Errorf("%s: packet %d: %v", file, i+1, err)
				continue
			}
			if want := canonical(b, p); !bytes.Equal(got, want) {
				t.Errorf("%s: packet %d\n got %x\nwant %x", file, i+1, got, want)
			}
		}
	}
}

// canonical turns a recorded packet into the spelling that this package writes. The
// test client of nbns-wins.pcap refreshed with opcode 9 and with RD; the WACK of nmbd has
// type NULL.
func canonical(b []byte, p nbns.Packet) []byte {
	b = bytes.Clone(b)
	switch p.Kind {
	case nbns.Refresh:
		b[2] = 0x40
	case nbns.Wait:
		b[47] = 0x20
	}
	return b
}

func TestRecordedDialogue(t *testing.T) {
	packets := recordings(t)["nbns-wins.pcap"]
	alice, nobody := name("ALICE", netbios.Messenger), name("NOBODY", netbios.Messenger)
	group, srvb := name("TESTGRP2", netbios.Workstation), name("SRVB", netbios.Messenger)
	ttl := 300000 * time.Second
	hNode, hGroup := owner("10.77.0.1", false, nbns.HNode), owner("10.77.0.1", true, nbns.HNode)
	want := map[int]nbns.Packet{
		1:  {ID: 0x1001, Kind: nbns.Registration, Name: clia, TTL: ttl, Addresses: hNode},
		2:  {ID: 0x1001, Kind: nbns.RegistrationResponse, Name: clia, TTL: ttl, Addresses: hNode},
		3:  {ID: 0x1002, Kind: nbns.MultihomedRegistration, Name: alice, TTL: ttl, Addresses: hNode},
		5:  {ID: 0x1003, Kind: nbns.Query, Name: alice},
		6:  {ID: 0x1003, Kind: nbns.QueryResponse, Server: true, Name: alice, TTL: ttl, Addresses: hNode},
		7:  {ID: 0x1004, Kind: nbns.Registration, Name: group, TTL: ttl, Addresses: hGroup},
		10: {ID: 0x1005, Kind: nbns.QueryResponse, Server: true, Name: group, TTL: ttl, Addresses: owner("0.0.0.0", true, nbns.HNode)},
		12: {ID: 0x1006, Kind: nbns.QueryResponse, Server: true, Rcode: nbns.RcodeName, Name: nobody},
		13: {ID: 0x1007, Kind: nbns.Refresh, Name: clia, TTL: ttl, Addresses: hNode},
		15: {ID: 0x1008, Kind: nbns.Refresh, Name: clia, TTL: ttl, Addresses: hNode},
		18: {ID: 0x1009, Kind: nbns.RegistrationResponse, Rcode: nbns.RcodeRefused, Name: srvb, Addresses: hNode},
		19: {ID: 0x100a, Kind: nbns.Release, Name: clia, Addresses: hNode},
		20: {ID: 0x100a, Kind: nbns.ReleaseResponse, Name: clia, Addresses: hNode},
		21: {ID: 0x100b, Kind: nbns.StatusRequest, Name: starName},
		22: {ID: 0x100b, Kind: nbns.StatusResponse, Name: starName, Status: &nbns.Status{Names: []nbns.StatusName{
			{Name: srvb.WithSuffix(netbios.Workstation), Node: nbns.HNode, Active: true},
			{Name: srvb, Node: nbns.HNode, Active: true},
			{Name: srvb.WithSuffix(netbios.FileServer), Node: nbns.HNode, Active: true},
			{Name: netbios.MSBrowse(), Group: true, Node: nbns.HNode, Active: true},
			{Name: name("ALIASB", netbios.Workstation), Node: nbns.HNode, Active: true},
			{Name: name("ALIASB", netbios.Messenger), Node: nbns.HNode, Active: true},
			{Name: name("ALIASB", netbios.FileServer), Node: nbns.HNode, Active: true},
			{Name: name("TESTGRP", netbios.Workstation), Group: true, Node: nbns.HNode, Active: true},
			{Name: name("TESTGRP", netbios.MasterBrowser), Node: nbns.HNode, Active: true},
			{Name: name("TESTGRP", netbios.BrowserElection), Group: true, Node: nbns.HNode, Active: true},
		}}},
	}
	for i, w := range want {
		got, err := nbns.Parse(packets[i-1])
		if err != nil {
			t.Errorf("packet %d: %v", i, err)
			continue
		}
		if diff := cmp.Diff(w, got, compareAddr); diff != "" {
			t.Errorf("packet %d (-want +got):\n%s", i, diff)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, packets := range recordings(f) {
		for _, b := range packets {
			f.Add(b)
		}
	}
	for _, row := range codecTable() {
		f.Add(wiretest.Unhex(f, row.hex))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := nbns.Parse(b)
		if err != nil || p.Kind == nbns.Redirect {
			return
		}
		again, err := p.Append(nil)
		if err != nil {
			t.Fatalf("%+v does not encode: %v", p, err)
		}
		got, err := nbns.Parse(again)
		if err != nil {
			t.Fatalf("own bytes %x do not parse: %v", again, err)
		}
		if diff := cmp.Diff(p, got, compareAddr); diff != "" {
			t.Errorf("parsed again (-first +second):\n%s", diff)
		}
	})
}
