package browse_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr/wire/browse"
	"messngr/wire/nbdgm"
	"messngr/wire/smb"
	"messngr/wire/wiretest"
)

// recorded returns the frames that nmbd wrote to the browser service's mailslot.
func recorded(t testing.TB) [][]byte {
	t.Helper()
	var frames [][]byte
	for _, p := range wiretest.Packets(t, "browse.pcap") {
		if p.To.Port() != 138 {
			continue
		}
		d, err := nbdgm.Parse(p.Payload)
		if err != nil {
			t.Fatal(err)
		}
		w, err := smb.ParseMailslotWrite(d.(nbdgm.Datagram).Data)
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, w.Data)
	}
	if len(frames) != 13 {
		t.Fatalf("testdata/browse.pcap has %d frames of the browser service, want 13", len(frames))
	}
	return frames
}

var frames = []struct {
	name    string
	value   browse.Frame
	encoded string
}{
	{
		"host",
		browse.Announcement{
			Kind: browse.Host, Period: 12 * time.Minute, Name: "PC17", Major: 4, Minor: 9,
			Type: browse.Workstation | browse.Server | browse.Unix, Comment: "hello",
		},
		"01 00 80fc0a00 50433137000000000000000000000000 04 09 03080000 0f01 55aa 68656c6c6f00",
	},
	{
		"a host that goes",
		browse.Announcement{Kind: browse.Host, Name: "ABCDEFGHIJKLMNO"},
		"01 00 00000000 4142434445464748494a4b4c4d4e4f00 00 00 00000000 0f01 55aa 00",
	},
	{
		"workgroup",
		browse.Announcement{Kind: browse.Workgroup, Period: time.Minute, Name: "TESTGRP", Type: browse.Workgroups | browse.WindowsNT, Comment: "ALPHA"},
		"0c 00 60ea0000 54455354475250000000000000000000 00 00 00100080 0f01 55aa 414c50484100",
	},
	{
		"local master, the longest comment",
		browse.Announcement{Kind: browse.LocalMaster, Name: "\x9a", Comment: strings.Repeat("x", 42)},
		"0f 00 00000000 9a000000000000000000000000000000 00 00 00000000 0f01 55aa " + strings.Repeat("78", 42) + "00",
	},
	{"request", browse.AnnouncementRequest{Name: "ALPHA"}, "02 00 414c50484100"},
	{"request of nobody", browse.AnnouncementRequest{}, "02 00 00"},
}

func TestFrames(t *testing.T) {
	for _, tt := range frames {
		t.Run(tt.name, func(t *testing.T) {
			want := wiretest.Unhex(t, tt.encoded)
			b, err := tt.value.Append([]byte("before"))
			if err != nil || !bytes.Equal(b, append([]byte("before"), want...)) {
				t.Errorf("Append = %x, %v, want %x", b, err, want)
			}
			got, err := browse.Parse(want)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.value, got); diff != "" {
				t.Errorf("Parse (-want +got):\n%s", diff)
			}
		})
	}
}

// nmbd's announcements parse, and are written again with the same bytes but for the
// update count, which nmbd counts up though it must not.
func TestRecordedFrames(t *testing.T) {
	seen := make(map[browse.Kind]browse.Announcement)
	elections := 0
	for i, b := range recorded(t) {
		f, err := browse.Parse(b)
		if b[0] == 0x08 {
			elections++
			if err == nil {
				t.Errorf("frame %d: an election was read as %+v", i+1, f)
			}
			continue
		}
		if err != nil {
			t.Errorf("frame %d: %v", i+1, err)
			continue
		}
		got, err := f.Append(nil)
		want := bytes.Clone(b)
		want[1] = 0
		if b[0] == 0x02 {
			want = want[:3] // nmbd writes its name behind the end
		}
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("frame %d: written as %x, %v, want %x", i+1, got, err, want)
		}
		if a, ok := f.(browse.Announcement); ok {
			seen[a.Kind] = a
		}
	}
	if elections == 0 {
		t.Error("the recording has no elections")
	}
	want := map[browse.Kind]browse.Announcement{
		browse.Host: {
			Kind: browse.Host, Period: 3 * time.Minute, Name: "BETA", Major: 6, Minor: 1, Type: 0x809a03, Comment: "A file server",
		},
		browse.LocalMaster: {
			Kind: browse.LocalMaster, Period: 2 * time.Minute, Name: "ALPHA", Major: 6, Minor: 1, Type: 0x849a03, Comment: "The master",
		},
		browse.Workgroup: {
			Kind: browse.Workgroup, Period: 2 * time.Minute, Name: "TESTGRP", Major: 6, Minor: 1, Type: 0x80001000, Comment: "ALPHA",
		},
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("announcements (-want +got):\n%s", diff)
	}
}

func TestFramesAreLax(t *testing.T) {
	host := wiretest.Unhex(t, frames[0].encoded)
	changed := func(at int, bytes ...byte) []byte {
		b := append([]byte(nil), host...)
		copy(b[at:], bytes)
		return b
	}
	for name, b := range map[string][]byte{
		"an update count":              changed(1, 7),
		"another version":              changed(28, 1, 2, 3, 4),
		"rubbish behind the name":      changed(12, 'x', 'y'),
		"no end":                       host[:len(host)-1],
		"bytes behind the comment":     append(changed(0), "more"...),
		"a comment that is not needed": host[:32],
	} {
		f, err := browse.Parse(b)
		a, ok := f.(browse.Announcement)
		if err != nil || !ok || a.Name != "PC17" || a.Comment != "hello" && a.Comment != "" {
			t.Errorf("%s: Parse = %+v, %v, want PC17", name, f, err)
		}
	}
	long := append(changed(0)[:32], strings.Repeat("c", 48)+"\x00"...)
	if f, err := browse.Parse(long); err != nil || f.(browse.Announcement).Comment != strings.Repeat("c", 42) {
		t.Errorf("a long comment: Parse = %+v, %v, want its beginning", f, err)
	}
}

func TestFramesRefuse(t *testing.T) {
	host := wiretest.Unhex(t, frames[0].encoded)
	endless := append([]byte(nil), host...)
	copy(endless[6:], "ABCDEFGHIJKLMNOP")
	for name, b := range map[string][]byte{
		"nothing": nil, "one byte": {1}, "cut": host[:31], "a name without end": endless,
		"an election": {8, 1, 0, 0}, "a long asker": append([]byte{2, 0}, "ABCDEFGHIJKLMNOP"...),
	} {
		if f, err := browse.Parse(b); err == nil {
			t.Errorf("%s: Parse = %+v, want an error", name, f)
		}
	}
	for name, f := range map[string]browse.Frame{
		"no kind":        browse.Announcement{Name: "A"},
		"a long name":    browse.Announcement{Kind: browse.Host, Name: "ABCDEFGHIJKLMNOP"},
		"a zero":         browse.Announcement{Kind: browse.Host, Name: "A\x00B"},
		"a long comment": browse.Announcement{Kind: browse.Host, Comment: strings.Repeat("x", 43)},
		"a long period":  browse.Announcement{Kind: browse.Host, Period: 50 * 24 * time.Hour},
		"no period":      browse.Announcement{Kind: browse.Host, Period: -time.Second},
		"a long asker":   browse.AnnouncementRequest{Name: "ABCDEFGHIJKLMNOP"},
	} {
		if b, err := f.Append([]byte("before")); err == nil || string(b) != "before" {
			t.Errorf("%s: Append = %q, %v, want an error and nothing", name, b, err)
		}
	}
}

func TestSystem(t *testing.T) {
	for bits, want := range map[browse.ServerType]string{
		0x00809a03: "Unix", 0x00009003: "Windows NT Server", 0x00001003: "Windows NT",
		0x00400003: "Windows 95", 0x00002003: "Windows for Workgroups", 3: "",
	} {
		if got := bits.System(); got != want {
			t.Errorf("System of %#x = %q, want %q", uint32(bits), got, want)
		}
	}
}

// What parses is written in a way that parses to the same.
func FuzzFrame(f *testing.F) {
	for _, b := range recorded(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, err := browse.Parse(b)
		if err != nil {
			return
		}
		again, err := frame.Append(nil)
		if err != nil {
			t.Fatalf("%+v cannot be written: %v", frame, err)
		}
		got, err := browse.Parse(again)
		if diff := cmp.Diff(frame, got); err != nil || diff != "" {
			t.Errorf("read again: %v (-want +got):\n%s", err, diff)
		}
	})
}
