package rpc

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recordedPacket is one datagram of a recording.
type recordedPacket struct {
	from, to netip.AddrPort
	data     []byte
}

// recordings returns all recorded datagrams, by the file that they are in.
func recordings(t testing.TB) map[string][]recordedPacket {
	t.Helper()
	all := make(map[string][]recordedPacket)
	for file, want := range map[string]int{"clrpc.txt": 6, "clrpc-client.txt": 3, "clrpc-dialogues.txt": 134} {
		b, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(bytes.NewReader(b))
		for lines.Scan() {
			fields := strings.Fields(lines.Text())
			if len(fields) != 3 {
				t.Fatalf("%s: %q", file, lines.Text())
			}
			data, err := hex.DecodeString(fields[2])
			if err != nil {
				t.Fatal(err)
			}
			all[file] = append(all[file], recordedPacket{netip.MustParseAddrPort(fields[0]), netip.MustParseAddrPort(fields[1]), data})
		}
		if got := len(all[file]); got != want {
			t.Fatalf("testdata/%s has %d datagrams, want %d", file, got, want)
		}
	}
	return all
}

// recordedSpam returns the spam packet.
func recordedSpam(t testing.TB) []byte {
	t.Helper()
	b := recordings(t)["clrpc.txt"][5].data
	if len(b) != 438 || !bytes.Contains(b, []byte("SECURITY")) {
		t.Fatalf("the spam packet has %d bytes", len(b))
	}
	return b
}
