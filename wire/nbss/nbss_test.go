package nbss_test

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"messngr/wire/nbss"
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

func TestHeader(t *testing.T) {
	tests := []struct {
		name    string
		value   nbss.Header
		encoded string
	}{
		{"message", nbss.Header{Type: nbss.Message, Length: 0x30}, "00000030"},
		{"empty message", nbss.Header{Type: nbss.Message}, "00000000"},
		{"the length's seventeenth bit", nbss.Header{Type: nbss.Message, Length: nbss.MaxLength}, "0001ffff"},
		{"request", nbss.Header{Type: nbss.SessionRequest, Length: 68}, "81000044"},
		{"request with the longest scopes", nbss.Header{Type: nbss.SessionRequest, Length: 510}, "810001fe"},
		{"positive", nbss.Header{Type: nbss.PositiveResponse}, "82000000"},
		{"negative", nbss.Header{Type: nbss.NegativeResponse, Length: 1}, "83000001"},
		{"retarget", nbss.Header{Type: nbss.RetargetResponse, Length: 6}, "84000006"},
		{"keep-alive", nbss.Header{Type: nbss.KeepAlive}, "85000000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := tt.value.Append([]byte("before"))
			if want := "before" + string(wiretest.Unhex(t, tt.encoded)); err != nil || string(b) != want {
				t.Errorf("Append = %q, %v, want %q", b, err, want)
			}
			got, err := nbss.ParseHeader(wiretest.Unhex(t, tt.encoded))
			if err != nil || got != tt.value {
				t.Errorf("ParseHeader = %+v, %v, want %+v", got, err, tt.value)
			}
		})
	}
}

func TestDirectHeader(t *testing.T) {
	tests := []struct {
		name    string
		value   nbss.Header
		encoded string
	}{
		{"message", nbss.Header{Type: nbss.Message, Length: 0x30}, "00000030"},
		{"longest", nbss.Header{Type: nbss.Message, Length: nbss.MaxDirectLength}, "00ffffff"},
		{"keep-alive", nbss.Header{Type: nbss.KeepAlive}, "85000000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := tt.value.AppendDirect(nil)
			if want := wiretest.Unhex(t, tt.encoded); err != nil || !bytes.Equal(b, want) {
				t.Errorf("AppendDirect = %x, %v, want %x", b, err, want)
			}
			got, err := nbss.ParseDirectHeader(wiretest.Unhex(t, tt.encoded))
			if err != nil || got != tt.value {
				t.Errorf("ParseDirectHeader = %+v, %v, want %+v", got, err, tt.value)
			}
		})
	}
}

func TestHeaderRefuses(t *testing.T) {
	tests := []struct{ name, encoded string }{
		{"nothing", ""},
		{"three bytes", "000000"},
		{"type that does not exist", "80000000"},
		{"reserved flags", "00020000"},
		{"keep-alive with a body", "85000001"},
		{"positive with a body", "82000001"},
		{"negative without reason", "83000000"},
		{"retarget of 4 bytes", "84000004"},
		{"request without names", "81000000"},
		{"request longer than two names", "81000241"},
		{"HTTP", hex.EncodeToString([]byte("GET "))},
		{"TLS", "16030100"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if h, err := nbss.ParseHeader(wiretest.Unhex(t, tt.encoded)); err == nil {
				t.Errorf("ParseHeader = %+v, want an error", h)
			}
		})
	}
	for _, encoded := range []string{"", "81000044", "85000001", "ffffffff"} {
		if h, err := nbss.ParseDirectHeader(wiretest.Unhex(t, encoded)); err == nil {
			t.Errorf("ParseDirectHeader(%s) = %+v, want an error", encoded, h)
		}
	}
	for _, length := range []int{-1, nbss.MaxLength + 1} {
		if b, err := (nbss.Header{Length: length}).Append([]byte("x")); err == nil || string(b) != "x" {
			t.Errorf("Append with length %d = %x, %v, want an error and nothing appended", length, b, err)
		}
	}
	for _, length := range []int{-1, nbss.MaxDirectLength + 1} {
		if b, err := (nbss.Header{Length: length}).AppendDirect([]byte("x")); err == nil || string(b) != "x" {
			t.Errorf("AppendDirect with length %d = %x, %v, want an error and nothing appended", length, b, err)
		}
	}
}

func TestRequest(t *testing.T) {
	beta := "\x20ECEFFEEBCACACACACACACACACACACAAD"
	alpha := "\x20EBEMFAEIEBCACACACACACACACACACAAA"
	tests := []struct {
		name    string
		value   nbss.Request
		encoded string
	}{
		{"as smbclient calls",
			nbss.Request{Called: name(t, "BETA", netbios.Messenger), Calling: name(t, "ALPHA", netbios.Workstation)},
			"\x81\x00\x00\x44" + beta + "\x00" + alpha + "\x00"},
		{"with scopes",
			nbss.Request{Called: name(t, "BETA", netbios.Messenger), Calling: name(t, "ALPHA", netbios.Workstation), CalledScope: "LAB", CallingScope: "A.B"},
			"\x81\x00\x00\x4c" + beta + "\x03LAB\x00" + alpha + "\x01A\x01B\x00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := tt.value.Append([]byte("before"))
			if want := "before" + tt.encoded; err != nil || string(b) != want {
				t.Errorf("Append = %q, %v, want %q", b, err, want)
			}
			got, err := nbss.ParseRequest([]byte(tt.encoded[nbss.HeaderLen:]))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.value, got); diff != "" {
				t.Errorf("ParseRequest (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRequestRefuses(t *testing.T) {
	good := "\x20ECEFFEEBCACACACACACACACACACACAAD\x00"
	for _, encoded := range []string{"", good, good + good + "x", good + good[:20], "x" + good + good} {
		if r, err := nbss.ParseRequest([]byte(encoded)); err == nil {
			t.Errorf("ParseRequest(%q) = %+v, want an error", encoded, r)
		}
	}
	for _, r := range []nbss.Request{{CalledScope: ".."}, {CallingScope: ".."}} {
		if b, err := r.Append([]byte("x")); err == nil || string(b) != "x" {
			t.Errorf("Append of %+v = %q, %v, want an error and nothing appended", r, b, err)
		}
	}
}

func TestResponses(t *testing.T) {
	if got, want := nbss.AppendPositive(nil), wiretest.Unhex(t, "82000000"); !bytes.Equal(got, want) {
		t.Errorf("AppendPositive = %x, want %x", got, want)
	}
	if got, want := nbss.AppendKeepAlive(nil), wiretest.Unhex(t, "85000000"); !bytes.Equal(got, want) {
		t.Errorf("AppendKeepAlive = %x, want %x", got, want)
	}
	for _, code := range []nbss.ErrorCode{nbss.NotListeningOnCalled, nbss.NotListeningForCalling, nbss.CalledNameNotPresent, nbss.NoResources, nbss.Unspecified} {
		b := code.Append(nil)
		if want := []byte{0x83, 0, 0, 1, byte(code)}; !bytes.Equal(b, want) {
			t.Errorf("Append of %#02x = %x, want %x", byte(code), b, want)
		}
		got, err := nbss.ParseNegative(b[nbss.HeaderLen:])
		if err != nil || got != code {
			t.Errorf("ParseNegative = %#02x, %v, want %#02x", byte(got), err, byte(code))
		}
	}
	to := netip.MustParseAddrPort("10.77.0.2:139")
	b, err := nbss.AppendRetarget(nil, to)
	if want := wiretest.Unhex(t, "84000006 0a4d0002 008b"); err != nil || !bytes.Equal(b, want) {
		t.Errorf("AppendRetarget = %x, %v, want %x", b, err, want)
	}
	if got, err := nbss.ParseRetarget(b[nbss.HeaderLen:]); err != nil || got != to {
		t.Errorf("ParseRetarget = %v, %v, want %v", got, err, to)
	}
	if b, err := nbss.AppendRetarget(nil, netip.MustParseAddrPort("[2001:db8::1]:139")); err == nil {
		t.Errorf("AppendRetarget to IPv6 = %x, want an error", b)
	}
	if c, err := nbss.ParseNegative(nil); err == nil {
		t.Errorf("ParseNegative of nothing = %v, want an error", c)
	}
	if a, err := nbss.ParseRetarget(make([]byte, 5)); err == nil {
		t.Errorf("ParseRetarget of 5 bytes = %v, want an error", a)
	}
}

func TestErrorCodeInWords(t *testing.T) {
	tests := []struct {
		code nbss.ErrorCode
		want string
	}{
		{nbss.NotListeningOnCalled, "session refused: not listening on the called name (0x80)"},
		{nbss.NotListeningForCalling, "session refused: not listening for the calling name (0x81)"},
		{nbss.CalledNameNotPresent, "session refused: called name not present (0x82)"},
		{nbss.NoResources, "session refused: insufficient resources (0x83)"},
		{nbss.Unspecified, "session refused: no reason given (0x8f)"},
	}
	for _, tt := range tests {
		if got := tt.code.Error(); got != tt.want {
			t.Errorf("%#02x says %q, want %q", byte(tt.code), got, tt.want)
		}
	}
}

// recorded returns what went each way in the recorded sessions, one element for each
// direction of each session.
func recorded(t testing.TB) [][]byte {
	t.Helper()
	var streams [][]byte
	for _, file := range wiretest.Recordings(t) {
		index := make(map[[2]netip.AddrPort]int)
		for _, p := range wiretest.Packets(t, file) {
			key := [2]netip.AddrPort{p.From, p.To}
			if _, ok := index[key]; !ok {
				index[key] = len(streams)
				streams = append(streams, nil)
			}
			streams[index[key]] = append(streams[index[key]], p.Payload...)
		}
	}
	return streams
}

func TestRecorded(t *testing.T) {
	count := make(map[nbss.Type]int)
	var called []string
	for _, b := range recorded(t) {
		for len(b) > 0 {
			h, err := nbss.ParseHeader(b)
			if err != nil {
				t.Fatal(err)
			}
			count[h.Type]++
			again, err := h.Append(nil)
			if err != nil || !bytes.Equal(again, b[:nbss.HeaderLen]) {
				t.Errorf("header %x encodes to %x, %v", b[:nbss.HeaderLen], again, err)
			}
			packet := b[:nbss.HeaderLen+h.Length]
			if h.Type == nbss.SessionRequest {
				r, err := nbss.ParseRequest(packet[nbss.HeaderLen:])
				if err != nil {
					t.Fatal(err)
				}
				called = append(called, r.Called.String())
				if again, err := r.Append(nil); err != nil || !bytes.Equal(again, packet) {
					t.Errorf("request encodes to %x, %v, want %x", again, err, packet)
				}
			}
			b = b[len(packet):]
		}
	}
	if diff := cmp.Diff([]string{"BETA<03>", "BETA<03>", "NOSUCHNAME<03>"}, called); diff != "" {
		t.Errorf("called names (-want +got):\n%s", diff)
	}
	if count[nbss.SessionRequest] != 3 || count[nbss.PositiveResponse] != 3 || count[nbss.Message] < 30 {
		t.Errorf("found %v, want 3 requests, 3 positive responses and many messages", count)
	}
}

func FuzzParse(f *testing.F) {
	for _, stream := range recorded(f) {
		f.Add(stream)
	}
	f.Add(nbss.CalledNameNotPresent.Append(nil))
	f.Add([]byte{0x84, 0, 0, 6, 10, 77, 0, 2, 0, 139})
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := nbss.ParseDirectHeader(b); err == nil {
			again, err := h.AppendDirect(nil)
			if err != nil || !bytes.Equal(again, b[:nbss.HeaderLen]) {
				t.Errorf("direct header %+v encodes to %x, %v, want %x", h, again, err, b[:nbss.HeaderLen])
			}
		}
		h, err := nbss.ParseHeader(b)
		if err != nil || len(b) < nbss.HeaderLen+h.Length {
			return
		}
		packet := b[:nbss.HeaderLen+h.Length]
		body := packet[nbss.HeaderLen:]
		again, err := h.Append(nil)
		if err == nil {
			switch h.Type {
			case nbss.SessionRequest:
				var r nbss.Request
				if r, err = nbss.ParseRequest(body); err != nil {
					return
				}
				again, err = r.Append(nil)
			case nbss.NegativeResponse:
				var c nbss.ErrorCode
				if c, err = nbss.ParseNegative(body); err == nil {
					again = c.Append(nil)
				}
			case nbss.RetargetResponse:
				var to netip.AddrPort
				if to, err = nbss.ParseRetarget(body); err == nil {
					again, err = nbss.AppendRetarget(nil, to)
				}
			default:
				again = append(again, body...)
			}
		}
		if err != nil || !bytes.Equal(again, packet) {
			t.Errorf("encodes to %x, %v, want %x", again, err, packet)
		}
	})
}
