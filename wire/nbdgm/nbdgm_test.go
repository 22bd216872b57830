package nbdgm_test

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr/wire/nbdgm"
	"messngr/wire/netbios"
	"messngr/wire/wiretest"
)

func name(t testing.TB, label string, suffix netbios.Suffix) netbios.Name {
	t.Helper()
	n, err := netbios.New(label, suffix)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func header(kind nbdgm.Type) nbdgm.Header {
	return nbdgm.Header{Type: kind, First: true, ID: 0x1234, Source: netip.MustParseAddrPort("10.77.0.1:138")}
}

// First-level encodings: EDEMEJEBCACA...AD, FEEFFDFEEHFCFACA...AA and CKAAAA...AA.
const (
	clia    = "20 4544454d454a4542434143414341434143414341434143414341434143414144 00" // CLIA<03>
	testgrp = "20 4645454646444645454846434641434143414341434143414341434143414141 00" // TESTGRP<00>
	star    = "20 434b414141414141414141414141414141414141414141414141414141414141 00" // the wildcard
)

func TestPackets(t *testing.T) {
	fragment := header(nbdgm.DirectUnique)
	fragment.First, fragment.More, fragment.Node = false, true, nbdgm.HNode
	tests := []struct {
		name    string
		value   nbdgm.Packet
		encoded string
	}{
		{"group",
			nbdgm.Datagram{
				Header: header(nbdgm.DirectGroup),
				From:   name(t, "CLIA", netbios.Messenger), To: name(t, "TESTGRP", netbios.Workstation), Data: []byte("data"),
			},
			"11 02 1234 0a4d0001 008a 0048 0000" + clia + testgrp + "64617461"},
		{"broadcast without data",
			nbdgm.Datagram{
				Header: header(nbdgm.Broadcast),
				From:   name(t, "CLIA", netbios.Messenger), To: netbios.Wildcard(), Data: []byte{},
			},
			"12 02 1234 0a4d0001 008a 0044 0000" + clia + star},
		{"fragment of a hybrid node, with scopes",
			nbdgm.Datagram{
				Header: fragment, Offset: 0x0201,
				From: name(t, "CLIA", netbios.Messenger), FromScope: "A", To: netbios.Wildcard(), ToScope: "B.C", Data: []byte("x"),
			},
			"10 0d 1234 0a4d0001 008a 004b 0201" + clia[:len(clia)-2] + "014100" + star[:len(star)-2] + "0142014300" + "78"},
		{"error", nbdgm.Error{Header: header(nbdgm.DatagramError), Code: nbdgm.NameNotPresent},
			"13 02 1234 0a4d0001 008a 82"},
		{"query", nbdgm.Query{Header: header(nbdgm.QueryRequest), To: name(t, "TESTGRP", netbios.Workstation)},
			"14 02 1234 0a4d0001 008a" + testgrp},
		{"response", nbdgm.Query{Header: header(nbdgm.NegativeResponse), To: name(t, "TESTGRP", netbios.Workstation), ToScope: "A"},
			"16 02 1234 0a4d0001 008a" + testgrp[:len(testgrp)-2] + "014100"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := wiretest.Unhex(t, tt.encoded)
			b, err := tt.value.Append([]byte("before"))
			if err != nil || !bytes.Equal(b, append([]byte("before"), want...)) {
				t.Errorf("Append\n%x, %v, want\n%x", b, err, want)
			}
			got, err := nbdgm.Parse(want)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.value, got, cmpopts.EquateComparable(netip.AddrPort{})); diff != "" {
				t.Errorf("Parse (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFragments(t *testing.T) {
	whole := nbdgm.Datagram{Header: header(nbdgm.DirectUnique)}
	more, unmarked, offset := whole, whole, whole
	more.More, unmarked.First, offset.Offset = true, false, 512
	for _, tt := range []struct {
		name string
		d    nbdgm.Datagram
		want bool
	}{{"whole", whole, false}, {"more follow", more, true}, {"not marked as the first", unmarked, false}, {"offset", offset, true}} {
		if got := tt.d.Fragment(); got != tt.want {
			t.Errorf("%s: Fragment = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestParseIsLax(t *testing.T) {
	p, err := nbdgm.Parse(wiretest.Unhex(t, "11 f2 1234 0a4d0001 008a 0048 0000"+clia+testgrp+"64617461"+"ffff"))
	if err != nil {
		t.Fatal(err)
	}
	if d := p.(nbdgm.Datagram); string(d.Data) != "data" || d.Fragment() || d.Node != nbdgm.BNode {
		t.Errorf("Parse = %+v, want data in one piece of a B node", d)
	}
}

func TestParseRefuses(t *testing.T) {
	const group = "11 02 1234 0a4d0001 008a "
	tests := []struct{ name, encoded string }{
		{"nothing", ""},
		{"cut in the header", "11 02 1234 0a4d0001 00"},
		{"other type", "17 02 1234 0a4d0001 008a"},
		{"datagram without length", group + "0048"},
		{"length behind the end", group + "0045 0000" + clia + testgrp},
		{"length inside of the names", group + "0043 0000" + clia + testgrp},
		{"no source name", group + "0000 0000"},
		{"no destination name", group + "0022 0000" + clia},
		{"error without code", "13 02 1234 0a4d0001 008a"},
		{"error with more", "13 02 1234 0a4d0001 008a 8200"},
		{"query without name", "14 02 1234 0a4d0001 008a"},
		{"query with more", "14 02 1234 0a4d0001 008a" + testgrp + "00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if p, err := nbdgm.Parse(wiretest.Unhex(t, tt.encoded)); err == nil {
				t.Errorf("Parse = %+v, want an error", p)
			}
		})
	}
}

func TestPacketsThatCannotBe(t *testing.T) {
	six := header(nbdgm.DirectGroup)
	six.Source = netip.MustParseAddrPort("[2001:db8::1]:138")
	tests := []struct {
		name  string
		value nbdgm.Packet
	}{
		{"datagram of another type", nbdgm.Datagram{Header: header(nbdgm.DatagramError)}},
		{"error of another type", nbdgm.Error{Header: header(nbdgm.DirectGroup)}},
		{"query of another type", nbdgm.Query{Header: header(nbdgm.DirectGroup)}},
		{"IPv6", nbdgm.Datagram{Header: six}},
		{"no source", nbdgm.Error{Header: nbdgm.Header{Type: nbdgm.DatagramError}}},
		{"no source of a query", nbdgm.Query{Header: nbdgm.Header{Type: nbdgm.QueryRequest}}},
		{"scope of the source", nbdgm.Datagram{Header: header(nbdgm.DirectGroup), FromScope: ".."}},
		{"scope of the destination", nbdgm.Datagram{Header: header(nbdgm.DirectGroup), ToScope: ".."}},
		{"scope of a query", nbdgm.Query{Header: header(nbdgm.QueryRequest), ToScope: ".."}},
		{"too long", nbdgm.Datagram{Header: header(nbdgm.DirectGroup), Data: make([]byte, 65535-67)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if b, err := tt.value.Append([]byte("x")); err == nil || string(b) != "x" {
				t.Errorf("Append = %d bytes, %v, want an error and nothing appended", len(b), err)
			}
		})
	}
}

func recordings(t testing.TB) map[string][]byte {
	t.Helper()
	found := make(map[string][]byte)
	for _, file := range wiretest.Recordings(t) {
		found[file] = wiretest.Packets(t, file)[0].Payload
	}
	return found
}

func TestRecorded(t *testing.T) {
	got := make(map[string][2]string)
	for file, b := range recordings(t) {
		p, err := nbdgm.Parse(b)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		d := p.(nbdgm.Datagram)
		got[file] = [2]string{d.From.String(), d.To.String()}
		if again, err := d.Append(nil); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%s encodes to %x, %v, want %x", file, again, err, b)
		}
	}
	want := map[string][2]string{
		"mailslot.pcap": {"CLIA<03>", "TESTGRP<00>"},
		"nmbd.pcap":     {"SRVB<00>", "TESTGRP<1e>"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func FuzzParse(f *testing.F) {
	for _, b := range recordings(f) {
		f.Add(b)
	}
	for _, s := range []string{"13 02 1234 0a4d0001 008a 82", "14 02 1234 0a4d0001 008a" + testgrp} {
		f.Add(wiretest.Unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := nbdgm.Parse(b)
		if err != nil {
			return
		}
		again, err := p.Append(nil)
		if err != nil || len(again) > len(b) {
			t.Fatalf("encodes to %x, %v, want %x", again, err, b)
		}
		b[1] &= 0x0f // the reserved flags
		if !bytes.Equal(again, b[:len(again)]) {
			t.Errorf("encodes to %x, want %x", again, b)
		}
	})
}
