package msgsvc_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"messngr/wire/dcerpc"
	"messngr/wire/msgsvc"
	"messngr/wire/wiretest"
)

func message(from, to, text string) msgsvc.Message {
	return msgsvc.Message{From: []byte(from), To: []byte(to), Text: []byte(text)}
}

func TestMessage(t *testing.T) {
	for _, tt := range []struct {
		name string
		m    msgsvc.Message
		big  bool
		hex  string
	}{
		{"padded to four bytes between the strings", message("ALICE", "CLIA", "Hello"), false,
			"06000000 00000000 06000000 414c494345000000 05000000 00000000 05000000 434c494100000000" +
				"06000000 00000000 06000000 48656c6c6f00"},
		{"big-endian", message("A", "BOB", "x"), true,
			"00000002 00000000 00000002 41000000 00000004 00000000 00000004 424f4200 00000002 00000000 00000002 7800"},
		{"empty", message("", "", ""), false,
			"01000000 00000000 01000000 00000000 01000000 00000000 01000000 00000000 01000000 00000000 01000000 00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wire := wiretest.Unhex(t, tt.hex)
			if got := tt.m.Append([]byte("odd"), tt.big); !bytes.Equal(got[3:], wire) {
				t.Errorf("Append\n got %x\nwant %x", got[3:], wire)
			}
			got, err := msgsvc.Parse(wire, tt.big)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.m, got); diff != "" {
				t.Errorf("Parse (-want +got):\n%s", diff)
			}
		})
	}
}

// requests returns the stubs of all recorded calls that are not in fragments.
func requests(t testing.TB) [][]byte {
	t.Helper()
	var stubs [][]byte
	for _, file := range []string{"clrpc.pcap", "clrpc-client.pcap", "clrpc-dialogues.pcap"} {
		for _, p := range wiretest.Packets(t, file) {
			d, err := dcerpc.ParseDatagram(p.Payload)
			if err == nil && d.Type == dcerpc.TypeRequest && d.Interface == msgsvc.Interface() && !d.Fragment {
				stubs = append(stubs, d.Body)
			}
		}
	}
	if len(stubs) != 54 {
		t.Fatalf("the recordings have %d calls, want 54", len(stubs))
	}
	return stubs
}

func TestRecorded(t *testing.T) {
	texts := make(map[string]int)
	for i, stub := range requests(t) {
		m, err := msgsvc.Parse(stub, false)
		if err != nil {
			t.Errorf("call %d: %v", i, err)
			continue
		}
		text, _, _ := strings.Cut(string(m.Text), "\n")
		texts[string(m.From)+" to "+string(m.To)+": "+text]++
	}
	want := map[string]int{
		"ALICE to CLIA: Hello": 1,
		"SECURITY to ALERT: Microsoft Windows has detected your internet browser": 1,
		"ALPHA to BETA: FreeDCE client -> python server":                          1,
		"ALPHA to BETA: hello by connectionless DCE":                              1,
		"ALPHA to BETA: samba-codec client -> FreeDCE server":                     1,
		"ALPHA to BETA: scapy client -> FreeDCE server":                           1,
		"ALPHA to BETA: idempotent -> FreeDCE server":                             1,
		"ALPHA to BETA: bench":                                                    47,
	}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

func TestSpamPacket(t *testing.T) {
	b, err := os.ReadFile("testdata/spam.hex")
	if err != nil {
		t.Fatal(err)
	}
	d, err := dcerpc.ParseDatagram(wiretest.Unhex(t, string(b)))
	if err != nil || !d.Idempotent || !d.NoFack {
		t.Fatalf("%+v, %v, want an idempotent request", d, err)
	}
	m, err := msgsvc.Parse(d.Body, d.BigEndian)
	if err != nil || string(m.From) != "SECURITY" || string(m.To) != "ALERT" || len(m.Text) != 289 {
		t.Errorf("from %q to %q, %d bytes, %v", m.From, m.To, len(m.Text), err)
	}
}

// stub builds a stub whose third string is declared and filled as told (MS03-043).
func stub(maximum, offset, actual uint32, text []byte) []byte {
	head := message("SECURITY", "ALERT", "")
	b := head.Append(nil, false)
	b = b[:len(b)-13]
	for _, v := range []uint32{maximum, offset, actual} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return append(b, text...)
}

// TestLyingCounts gives counts of every size around the text's and around every limit.
func TestLyingCounts(t *testing.T) {
	const size = 3000
	text := bytes.Repeat([]byte{0x14}, size)
	counts := []uint32{0, 1, 2, size - 1, size, size + 1, size + 7, size + 8, 4095, 4096, msgsvc.MaxText, msgsvc.MaxText + 1,
		msgsvc.MaxText + 2, 1 << 24, 1<<31 - 1, 1 << 31, 1<<32 - 1}
	for _, maximum := range counts {
		for _, actual := range counts {
			for _, offset := range []uint32{0, 1, 1 << 31, 1<<32 - 1} {
				m, err := msgsvc.Parse(stub(maximum, offset, actual, text), false)
				fits := offset == 0 && actual <= maximum && maximum <= msgsvc.MaxText+1 && actual <= size && size-actual <= 7
				if (err == nil) != fits {
					t.Errorf("counts %d, %d, %d: %v, want them to be taken: %v", maximum, offset, actual, err, fits)
				}
				if err == nil && len(m.Text) != int(actual) {
					t.Errorf("counts %d, %d, %d: text of %d bytes", maximum, offset, actual, len(m.Text))
				}
			}
		}
	}
}

// TestEveryLength cuts a message short at every length.
func TestEveryLength(t *testing.T) {
	m := message("ALICE", "CLIA", strings.Repeat("x", 600))
	whole := m.Append(nil, false)
	for n := range whole {
		if m, err := msgsvc.Parse(whole[:n], false); err == nil {
			t.Errorf("%d of %d bytes are taken as %+v", n, len(whole), m)
		}
	}
}

func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		name           string
		from, to, text int
		fails          bool
	}{
		{"longest", msgsvc.MaxName, msgsvc.MaxName, msgsvc.MaxText, false},
		{"long sender", msgsvc.MaxName + 1, 1, 1, true},
		{"long recipient", 1, msgsvc.MaxName + 1, 1, true},
		{"long text", 1, 1, msgsvc.MaxText + 1, true},
	} {
		m := message(strings.Repeat("f", tt.from), strings.Repeat("t", tt.to), strings.Repeat("x", tt.text))
		got, err := msgsvc.Parse(m.Append(nil, false), false)
		if (err != nil) != tt.fails {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err == nil && !cmp.Equal(got, m) {
			t.Errorf("%s: came back with %d, %d and %d bytes", tt.name, len(got.From), len(got.To), len(got.Text))
		}
	}
}

func TestStatus(t *testing.T) {
	for _, big := range []bool{false, true} {
		b := msgsvc.AppendStatus(nil, msgsvc.NameNotFound, big)
		if s, err := msgsvc.ParseStatus(b, big); s != msgsvc.NameNotFound || err != nil {
			t.Errorf("big-endian %v: %v, %v", big, s, err)
		}
		if s, err := msgsvc.ParseStatus(b[:3], big); err == nil {
			t.Errorf("three bytes are %v", s)
		}
	}
	if got, want := msgsvc.AppendStatus(nil, msgsvc.NetworkError, false), []byte{0x58, 8, 0, 0}; !bytes.Equal(got, want) {
		t.Errorf("NERR_NetworkError is %x, want %x", got, want)
	}
	for s, want := range map[msgsvc.Status]msgsvc.Status{
		0x800708E1: msgsvc.NameNotFound, 0x80070005: msgsvc.AccessDenied, 0x80040005: 0x80040005,
		msgsvc.NameNotFound: msgsvc.NameNotFound, msgsvc.Success: msgsvc.Success,
	} {
		if got := s.Code(); got != want {
			t.Errorf("code of %#x = %v, want %v", uint32(s), got, want)
		}
	}
	seen := make(map[string]bool)
	for _, s := range []msgsvc.Status{
		msgsvc.Success, msgsvc.AccessDenied, msgsvc.NotSupported, msgsvc.InvalidParameter, msgsvc.NetworkError,
		msgsvc.NameNotFound, msgsvc.GroupError, msgsvc.Paused, msgsvc.NotReceived, msgsvc.NameInUse,
		msgsvc.NotLocalName, msgsvc.TruncatedBroadcast, msgsvc.DuplicateName,
	} {
		if word := s.Error(); seen[word] || strings.HasPrefix(word, "error ") && s != msgsvc.GroupError {
			t.Errorf("status %d is called %q", uint32(s), word)
		}
		seen[s.Error()] = true
	}
	if got, want := msgsvc.Status(1234).Error(), "error 1234"; got != want {
		t.Errorf("an unknown status is called %q, want %q", got, want)
	}
}

func FuzzParse(f *testing.F) {
	for _, b := range requests(f) {
		f.Add(b, false)
	}
	long := message("A", "B", strings.Repeat("x", 2000))
	f.Add(long.Append(nil, true), true)
	f.Add(stub(4096, 0, 4096, bytes.Repeat([]byte{0x14}, 4096)), false)
	f.Fuzz(func(t *testing.T, b []byte, big bool) {
		m, err := msgsvc.Parse(b, big)
		if err != nil {
			return
		}
		if n := len(m.From) + len(m.To) + len(m.Text); n > len(b) {
			t.Fatalf("%d bytes came out of %d", n, len(b))
		}
		got, err := msgsvc.Parse(m.Append(nil, big), big)
		if err != nil {
			if len(m.From) > msgsvc.MaxName || len(m.To) > msgsvc.MaxName || len(m.Text) > msgsvc.MaxText {
				return // declared without a NUL: there is no room for the one that is added
			}
			t.Fatalf("%+v does not parse when written again: %v", m, err)
		}
		if diff := cmp.Diff(m, got); diff != "" {
			t.Errorf("parsed again (-first +second):\n%s", diff)
		}
		if s, err := msgsvc.ParseStatus(b, big); err == nil {
			if again := msgsvc.AppendStatus(nil, s, big); !bytes.Equal(again, b[:4]) {
				t.Errorf("status %v becomes %x, was %x", s, again, b[:4])
			}
		}
	})
}
