package netbios_test

import (
	"bytes"
	"strings"
	"testing"

	"messngr/wire/netbios"
)

func mustName(t testing.TB, label string, suffix netbios.Suffix) netbios.Name {
	t.Helper()
	n, err := netbios.New(label, suffix)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// longScope has the greatest length possible: 3 x 63 + 61 letters and 3 dots.
var longScope = strings.Repeat(strings.Repeat("x", 63)+".", 3) + strings.Repeat("y", 61)

func TestEncoding(t *testing.T) {
	tests := []struct {
		name    string
		value   netbios.Name
		scope   string
		encoded string
	}{
		{"example of RFC 1002 4.1", mustName(t, "FRED", netbios.FileServer), "NETBIOS.COM",
			"\x20EGFCEFEECACACACACACACACACACACACA\x07NETBIOS\x03COM\x00"},
		{"messenger name, sent to a WINS server", mustName(t, "CLIA", netbios.Messenger), "",
			"\x20EDEMEJEBCACACACACACACACACACACAAD\x00"},
		{"wildcard, as nmblookup -A asks", netbios.Wildcard(), "",
			"\x20CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\x00"},
		{"all nibbles", netbios.Name([]byte("\x01\x23\x45\x67\x89\xab\xcd\xef\x10\x32\x54\x76\x98\xba\xdc\xfe")), "a",
			"\x20ABCDEFGHIJKLMNOPBADCFEHGJILKNMPO\x01a\x00"},
		{"longest scope", mustName(t, "A", netbios.Messenger), longScope,
			"\x20EBCACACACACACACACACACACACACACAAD" + strings.Repeat("\x3f"+strings.Repeat("x", 63), 3) +
				"\x3d" + strings.Repeat("y", 61) + "\x00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.value.AppendEncoded([]byte("before"), tt.scope)
			if err != nil {
				t.Fatal(err)
			}
			if want := "before" + tt.encoded; string(got) != want {
				t.Errorf("AppendEncoded = %q, want %q", got, want)
			}
			name, scope, rest, err := netbios.ParseEncoded([]byte(tt.encoded + "after"))
			if err != nil {
				t.Fatal(err)
			}
			if name != tt.value || scope != tt.scope || string(rest) != "after" {
				t.Errorf("ParseEncoded = %v, %q, %q, want %v, %q, %q", name, scope, rest, tt.value, tt.scope, "after")
			}
		})
	}
	if got := len(longScope); got != netbios.MaxScope {
		t.Errorf("longest scope tried has %d bytes, want %d", got, netbios.MaxScope)
	}
}

func TestAppendEncodedRefuses(t *testing.T) {
	tests := []struct{ name, scope string }{
		{"empty label", "A..B"},
		{"final dot", "A."},
		{"only a dot", "."},
		{"label of 64 bytes", strings.Repeat("x", 64)},
		{"one byte too long", longScope + "y"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := mustName(t, "A", netbios.Messenger).AppendEncoded([]byte("before"), tt.scope)
			if err == nil {
				t.Errorf("scope %q accepted", tt.scope)
			}
			if string(got) != "before" {
				t.Errorf("AppendEncoded = %q, want its argument unchanged", got)
			}
		})
	}
}

func TestParseEncodedRefuses(t *testing.T) {
	const good = "\x20EGFCEFEECACACACACACACACACACACACA"
	tests := []struct{ name, encoded string }{
		{"nothing", ""},
		{"cut in the name", good[:20]},
		{"no end", good},
		{"length byte 31", "\x1f" + good[1:] + "\x00"},
		{"small letters", strings.ToLower(good) + "\x00"},
		{"letter Q", "\x20EQ" + good[3:] + "\x00"},
		{"byte below A", "\x20E@" + good[3:] + "\x00"},
		{"pointer instead of a name", "\xc0\x0c" + good},
		{"pointer as scope", good + "\xc0\x0c"},
		{"label of 64 bytes", good + "\x40" + strings.Repeat("x", 64) + "\x00"},
		{"scope cut short", good + "\x05ABCD"},
		{"scope without end", good + "\x04ABCD"},
		{"dot inside a label", good + "\x03A.B\x00"},
		{"too long", good + strings.Repeat("\x3f"+strings.Repeat("x", 63), 3) + "\x3e" + strings.Repeat("y", 62) + "\x00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if name, scope, _, err := netbios.ParseEncoded([]byte(tt.encoded)); err == nil {
				t.Errorf("ParseEncoded = %v, %q, want an error", name, scope)
			}
		})
	}
}

func TestSameScope(t *testing.T) {
	if !netbios.SameScope("NetBIOS.com", "NETBIOS.COM") {
		t.Error("capitals make a difference")
	}
	if netbios.SameScope("", "NETBIOS") {
		t.Error("no scope is the same as a scope")
	}
	if netbios.SameScope("A\x81", "A\x82") {
		t.Error("different bytes outside ASCII are the same")
	}
}

func FuzzParseEncoded(f *testing.F) {
	for _, seed := range []string{
		"\x20EGFCEFEECACACACACACACACACACACACA\x07NETBIOS\x03COM\x00rest",
		"\x20CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\x00",
		"\x20EGFCEFEECACACACACACACACACACACACA\xc0\x0c",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		name, scope, rest, err := netbios.ParseEncoded(b)
		if err != nil {
			return
		}
		again, err := name.AppendEncoded(nil, scope)
		if err != nil {
			t.Fatalf("parsed %v, %q does not encode: %v", name, scope, err)
		}
		if got := append(again, rest...); !bytes.Equal(got, b) {
			t.Errorf("encodes to %q, want %q", got, b)
		}
	})
}

func TestWithoutScopeNothingIsAllocated(t *testing.T) {
	encoded, err := mustName(t, "PC17", netbios.Messenger).AppendEncoded(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	allocs := testing.AllocsPerRun(100, func() {
		name, scope, _, err := netbios.ParseEncoded(encoded)
		if err != nil {
			t.Fatal(err)
		}
		if encoded, err = name.AppendEncoded(encoded[:0], scope); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations, want none", allocs)
	}
}
