package netbios_test

import (
	"testing"

	"messngr/wire/netbios"
)

func TestExactKeepsEveryByte(t *testing.T) {
	// U+30A2 in code page 932 is 83 41, U+30C4 is 83 63: the second byte is that of "c".
	const label = "\x83\x63PC"
	got, err := netbios.Exact(label, netbios.Messenger)
	if want := netbios.Name([]byte(label + "           \x03")); err != nil || got != want {
		t.Errorf("Exact(%q) = %q, %v, want %q", label, got[:], err, want[:])
	}
	for _, bad := range []string{"", "   ", "SIXTEENLETTERSXX"} {
		if n, err := netbios.Exact(bad, netbios.Messenger); err == nil {
			t.Errorf("Exact(%q) = %v, want an error", bad, n)
		}
	}
}
