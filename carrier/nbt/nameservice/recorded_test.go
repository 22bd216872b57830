package nameservice

import (
	"bytes"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"messngr/carrier/nbt/link"
	"messngr/wire/netbios"
	"messngr/wire/wiretest"
)

// The packets below were recorded with tcpdump between network namespaces on Debian
// 12, with Samba 4.17.12 as node and as name server; wire/nbns/testdata has them all.

// TestDefenceLikeSamba: put in the place of an nmbd, we send the same bytes as it did
// to another nmbd that wanted its names.
func TestDefenceLikeSamba(t *testing.T) {
	tests := []struct{ name, request, answer string }{
		{"file server",
			"45b92910000100000000000120454345464645454243414341434143414341434143414341434143414341434100" +
				"00200001c00c0020000100000000000600000a4d0003",
			"45b9ad86000000010000000020454345464645454243414341434143414341434143414341434143414341434100" +
				"0020000100000000000600000a4d0003"},
		{"messenger",
			"45ba2910000100000000000120454345464645454243414341434143414341434143414341434143414341414400" +
				"00200001c00c0020000100000000000600000a4d0003",
			"45baad86000000010000000020454345464645454243414341434143414341434143414341434143414341414400" +
				"0020000100000000000600000a4d0003"},
		{"workstation",
			"45bb2910000100000000000120454345464645454243414341434143414341434143414341434143414341414100" +
				"00200001c00c0020000100000000000600000a4d0003",
			"45bbad86000000010000000020454345464645454243414341434143414341434143414341434143414341414100" +
				"0020000100000000000600000a4d0003"},
		{"a group is shared",
			"45bc2910000100000000000120454d45424543454846434550464646414341434143414341434143414341414100" +
				"00200001c00c0020000100000000000680000a4d0003",
			""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLAN(1)
				h := l.start(t, Config{}, "10.77.0.2/24")
				beta := mustName("BETA", netbios.Workstation)
				mustClaim(t, h.Service, beta, beta.WithSuffix(netbios.Messenger), beta.WithSuffix(netbios.FileServer))
				if err := tryClaim(t, h.Service, mustName("LABGROUP", netbios.Workstation), true); err != nil {
					t.Fatal(err)
				}
				got := exchangeRaw(t, l, "10.77.0.3:137", "10.77.0.255:137", wiretest.Unhex(t, tt.request))
				if want := wiretest.Unhex(t, tt.answer); !bytes.Equal(got, want) {
					t.Errorf("\n got %x\nwant %x", got, want)
				}
			})
		})
	}
}

// exchangeRaw sends bytes and returns the bytes that come back within a second.
func exchangeRaw(t *testing.T, l *lan, from, to string, b []byte) []byte {
	t.Helper()
	s, err := l.Listen(netip.MustParseAddrPort(from))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.WriteToUDPAddrPort(b, netip.MustParseAddrPort(to)); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(time.Second, func() { s.Close() })
	buf := make([]byte, link.MaxPacket)
	n, _, err := s.ReadFromUDPAddrPort(buf)
	if err != nil {
		return []byte{}
	}
	return buf[:n]
}

// TestClientOfSamba: what we send to register and release a name is what Samba's name
// server took, and what it answered is understood. Only the id differs.
func TestClientOfSamba(t *testing.T) {
	dialogue := []struct{ request, answer string }{
		{"100129000001000000000001204544454d454a454243414341434143414341434143414341434143414341414400" +
			"00200001c00c00200001000493e0000660000a4d0001",
			"1001ad800000000100000000204544454d454a454243414341434143414341434143414341434143414341414400" +
				"00200001000493e0000660000a4d0001"},
		{"100a30000001000000000001204544454d454a454243414341434143414341434143414341434143414341414400" +
			"00200001c00c0020000100000000000660000a4d0001",
			"100ab4000000000100000000204544454d454a454243414341434143414341434143414341434143414341414400" +
				"0020000100000000000660000a4d0001"},
	}
	synctest.Test(t, func(t *testing.T) {
		l := newLAN(1)
		server, err := l.Listen(netip.MustParseAddrPort("10.77.0.2:137"))
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		done := make(chan struct{})
		go func() {
			defer close(done)
			buf := make([]byte, link.MaxPacket)
			for i, d := range dialogue {
				n, from, err := server.ReadFromUDPAddrPort(buf)
				if err != nil {
					return
				}
				want, answer := wiretest.Unhex(t, d.request), wiretest.Unhex(t, d.answer)
				copy(want, buf[:2])
				copy(answer, buf[:2])
				if !bytes.Equal(buf[:n], want) {
					t.Errorf("request %d\n got %x\nwant %x", i, buf[:n], want)
				}
				server.WriteToUDPAddrPort(answer, from)
			}
		}()
		h := l.start(t, servedBy("10.77.0.2"), "10.77.0.1/24")
		clia := mustName("CLIA", netbios.Messenger)
		mustClaim(t, h.Service, clia)
		wantStates(t, h.Service, "eth0 CLIA<03> registered")
		if err := h.Release(t.Context(), clia); err != nil {
			t.Fatal(err)
		}
		<-done
	})
}
