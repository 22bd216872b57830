package pcap_test

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr/wire/internal/pcap"
)

const header = "d4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000000"

func file(t *testing.T, parts ...string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(strings.Join(parts, ""), " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const (
	udpFrame = "ffffffffffff 020000000001 0800" +
		"4500 001e 0000 0000 40 11 0000 0a4d0001 0a4d00ff" +
		"0089 0089 000a 0000 6869"
	arpFrame = "ffffffffffff 020000000001 0806 0001"
)

func TestPackets(t *testing.T) {
	got, err := pcap.Packets(file(t, header,
		"00000000 00000000 10000000 10000000", arpFrame,
		"00000000 00000000 2c000000 2c000000", udpFrame))
	if err != nil {
		t.Fatal(err)
	}
	want := []pcap.Packet{{
		Protocol: 17,
		From:     netip.MustParseAddrPort("10.77.0.1:137"),
		To:       netip.MustParseAddrPort("10.77.0.255:137"),
		Payload:  []byte("hi"),
	}}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.AddrPort{})); diff != "" {
		t.Errorf("packets (-want +got):\n%s", diff)
	}
}

func TestRefuses(t *testing.T) {
	tests := []struct{ name, file string }{
		{"nothing", ""},
		{"no frames", header},
		{"other magic", "00000000" + header[8:]},
		{"other link type", strings.Replace(header, "01000000", "71000000", 1)},
		{"record cut short", header + "00000000"},
		{"frame cut short", header + "00000000 00000000 10000000 10000000 ffff"},
		{"no IPv4", header + "00000000 00000000 10000000 10000000" + arpFrame},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := pcap.Packets(file(t, tt.file)); err == nil {
				t.Errorf("Packets = %v, want an error", got)
			}
		})
	}
}
