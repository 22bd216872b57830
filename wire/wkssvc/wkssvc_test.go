package wkssvc_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"messngr/wire/wiretest"
	"messngr/wire/wkssvc"
)

// stubs are what the Python bindings of Samba 4.17.12 write for the call.
func stubs() []struct {
	name, hex string
	big       bool
	want      wkssvc.Message
} {
	full := wkssvc.Message{Server: "BETA", To: "ALICE", From: "BOB", Text: wkssvc.EncodeText("Grüße")}
	return []struct {
		name, hex string
		big       bool
		want      wkssvc.Message
	}{
		{"all of it", "00000200 05000000 00000000 05000000 4200450054004100 00000000" +
			"06000000 00000000 06000000 41004c00490043004500 0000" +
			"04000200 04000000 00000000 04000000 42004f004200 0000" +
			"0c000000 47007200fc00df0065000000 0c000000", false, full},
		{"big-endian", "00020000 00000005 00000000 00000005 0042004500540041 00000000" +
			"00000006 00000000 00000006 0041004c004900430045 0000" +
			"00020004 00000004 00000000 00000004 0042004f0042 0000" +
			"0000000c 47007200fc00df0065000000 0000000c", true, full},
		{"no server, no sender, no text", "00000000 06000000 00000000 06000000 41004c00490043004500 0000" +
			"00000000 00000000 00000000", false, wkssvc.Message{To: "ALICE", Text: []byte{}}},
	}
}

func TestMessages(t *testing.T) {
	for _, tt := range stubs() {
		t.Run(tt.name, func(t *testing.T) {
			got, err := wkssvc.Parse(wiretest.Unhex(t, tt.hex), tt.big)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
			b := got.Append(nil, tt.big)
			if len(b) != len(wiretest.Unhex(t, tt.hex)) {
				t.Errorf("written as %x, want other ids of pointers and nothing else", b)
			}
			again, err := wkssvc.Parse(b, tt.big)
			if diff := cmp.Diff(got, again); err != nil || diff != "" {
				t.Errorf("written and read: %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestNonsense(t *testing.T) {
	good := strings.ReplaceAll(stubs()[0].hex, " ", "")
	for name, s := range map[string]string{
		"nothing":         "",
		"two sizes":       good[:len(good)-8] + "0d000000",
		"no second size":  good[:len(good)-8],
		"text cut short":  good[:len(good)-16],
		"too long a text": "00000000 01000000 00000000 01000000 0000 0000 00000000 01000100",
		"text of 4 GB":    "00000000 01000000 00000000 01000000 0000 0000 00000000 ffffffff",
		"too long a name": "00000000 01010000 00000000 01010000" + strings.Repeat("4100", 257),
	} {
		if m, err := wkssvc.Parse(wiretest.Unhex(t, s), false); err == nil {
			t.Errorf("%s: %+v, want an error", name, m)
		}
	}
}

func TestText(t *testing.T) {
	for _, s := range []string{"", "Grüße 😀", "two\r\nlines"} {
		if got := wkssvc.DecodeText(wkssvc.EncodeText(s)); got != s {
			t.Errorf("%q became %q", s, got)
		}
	}
	for s, want := range map[string]string{"A\x00B": "A", "A\x00\x00\x00B\x00": "A", "\x3d\xd8A\x00": "�A"} {
		if got := wkssvc.DecodeText([]byte(s)); got != want {
			t.Errorf("%q is read as %q, want %q", s, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, tt := range stubs() {
		f.Add(wiretest.Unhex(f, tt.hex), tt.big)
	}
	f.Fuzz(func(t *testing.T, b []byte, big bool) {
		m, err := wkssvc.Parse(b, big)
		if err != nil || len(m.To) >= 250 || len(m.From) >= 250 || len(m.Server) >= 250 {
			return
		}
		got, err := wkssvc.Parse(m.Append(nil, big), big)
		if diff := cmp.Diff(m, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}
