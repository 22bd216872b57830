// Package wiretest brings recorded and written-out bytes into the tests of codecs, and of
// what speaks them.
package wiretest

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"messngr/wire/internal/pcap"
)

// Unhex returns the bytes that s writes in hexadecimal, with white space anywhere between
// them.
func Unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A Packet is a recorded UDP datagram or TCP segment.
type Packet = pcap.Packet

// Packets returns what a recording in the folder testdata holds, in its order. A file
// without any packet fails the test.
func Packets(t testing.TB, file string) []Packet {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	packets, err := pcap.Packets(b)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return packets
}

// Recordings returns the names of all recordings in the folder testdata. Finding none
// fails the test.
func Recordings(t testing.TB) []string {
	t.Helper()
	found, err := filepath.Glob("testdata/*.pcap")
	if err != nil || len(found) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for i := range found {
		found[i] = filepath.Base(found[i])
	}
	return found
}
