package sunrpc_test

import (
	"bytes"
	"io"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"

	"messngr/wire/sunrpc"
	"messngr/wire/wiretest"
)

func TestAddresses(t *testing.T) {
	for s, want := range map[string]string{
		"10.77.0.2.240.92": "10.77.0.2:61532",
		"0.0.0.0.0.111":    "0.0.0.0:111",
		"::1.2.255":        "[::1]:767",
	} {
		got, err := sunrpc.ParseAddress(s)
		if err != nil || got != netip.MustParseAddrPort(want) {
			t.Errorf("ParseAddress(%q) = %v, %v, want %v", s, got, err, want)
		}
		if again := sunrpc.FormatAddress(got); again != s {
			t.Errorf("FormatAddress(%v) = %q, want %q", got, again, s)
		}
	}
	for _, s := range []string{"", ".", "..", "10.77.0.2", "10.77.0.2.256.0", "10.77.0.2.0.-1", "10.77.0.2.0", "/run/rpcbind.sock", "a.1.2"} {
		if got, err := sunrpc.ParseAddress(s); err == nil {
			t.Errorf("ParseAddress(%q) = %v, want an error", s, got)
		}
	}
}

func TestMapping(t *testing.T) {
	b := wiretest.Unhex(t, "000186a8 00000001 00000011 0000f05c")
	want := sunrpc.Mapping{Program: sunrpc.WallProgram, Version: 1, Protocol: sunrpc.UDP, Port: 61532}
	if got, err := sunrpc.ParseMapping(b); err != nil || got != want || !bytes.Equal(got.Append(nil), b) {
		t.Errorf("mapping %+v, %v, want %+v", got, err, want)
	}
	if got, err := sunrpc.ParseMapping(b[:15]); err == nil {
		t.Errorf("half a mapping is %+v", got)
	}
	if got, err := sunrpc.ParseBinding(wiretest.Unhex(t, "000186a8 00000001 00000100"+strings.Repeat("61", 256)+"00000000 00000000")); err == nil {
		t.Errorf("a network with a name of 256 bytes is %+v", got)
	}
}

func TestStrings(t *testing.T) {
	for name, tt := range map[string]struct{ hex, want string }{
		"padded":                    {"00000005 68656c6c 6f000000", "hello"},
		"padding that is not clear": {"00000005 68656c6c 6f616263", "hello"},
		"empty":                     {"00000000", ""},
		"more than it has":          {"00000008 68656c6c 6f00000a", "hello"},
		"something behind it":       {"00000004 68656c6c 0000002a", "hell"},
	} {
		if got, err := sunrpc.ParseString(wiretest.Unhex(t, tt.hex), 8); err != nil || string(got) != tt.want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, tt.want)
		}
	}
	for name, s := range map[string]string{
		"nothing":        "",
		"over the limit": "00000009 68656c6c 6f000000 00000000",
		"cut short":      "00000008 68656c6c",
		"no padding":     "00000005 68656c6c 6f",
		"lying":          "fffffffd 68656c6c",
	} {
		if got, err := sunrpc.ParseString(wiretest.Unhex(t, s), 8); err == nil {
			t.Errorf("%s: %q, want an error", name, got)
		}
	}
	if n, err := sunrpc.ParseUint32(sunrpc.AppendUint32(nil, 61532)); err != nil || n != 61532 {
		t.Errorf("integer %d, %v", n, err)
	}
	if n, err := sunrpc.ParseUint32([]byte{0, 0, 1}); err == nil {
		t.Errorf("three bytes are the integer %d", n)
	}
}

func TestRecords(t *testing.T) {
	stream := sunrpc.AppendRecord(sunrpc.AppendRecord(nil, []byte("one")), nil)
	stream = append(stream, wiretest.Unhex(t, "00000002 7477 80000001 6f")...)
	r := iotest.OneByteReader(bytes.NewReader(stream))
	for _, want := range []string{"one", "", "two"} {
		if got, err := sunrpc.ReadRecord(r, 3); err != nil || string(got) != want {
			t.Errorf("record %q, %v, want %q", got, err, want)
		}
	}
	if got, err := sunrpc.ReadRecord(r, 3); err == nil {
		t.Errorf("a record behind the end: %q", got)
	}
	for name, s := range map[string]string{
		"too long":        "80000004 61616161",
		"4 GB":            "ffffffff 61616161",
		"too long in all": "00000002 6161 80000002 6161",
		"empty fragment":  "00000000 80000001 61",
		"cut short":       "80000003 6161",
	} {
		if got, err := sunrpc.ReadRecord(io.Reader(bytes.NewReader(wiretest.Unhex(t, s))), 3); err == nil {
			t.Errorf("%s: %q, want an error", name, got)
		}
	}
}
