package nbt

import (
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"messngr/wire/nbdgm"
)

// TestFragments: what was too long for one packet of RFC 1002 arrives in any order, and
// never joined to what it does not belong to.
func TestFragments(t *testing.T) {
	head, tail := strings.Repeat("x", 512), "tail"
	part := func(data string, offset uint16, more bool) nbdgm.Datagram {
		return nbdgm.Datagram{
			Header: nbdgm.Header{
				Type: nbdgm.DirectUnique, First: offset == 0, More: more, ID: 7, Source: netip.MustParseAddrPort("10.0.0.9:138"),
			},
			Offset: offset, From: pc2, To: pc1, Data: []byte(data),
		}
	}
	first, last := part(head, 0, true), part(tail, 512, false)
	otherID, otherName := last, last
	otherID.ID, otherName.From = 8, pc1
	plain := part(tail, 0, false)
	plain.First = false // marked as no fragment at all
	joined := `PC2<03> to PC1<03> from 10.0.0.9:138 on eth0: "` + head + tail + `"`
	tests := []struct {
		name  string
		parts []nbdgm.Datagram
		pause time.Duration
		want  string
	}{
		{"in order", []nbdgm.Datagram{first, last}, 100 * time.Millisecond, joined},
		{"reversed", []nbdgm.Datagram{last, first}, 100 * time.Millisecond, joined},
		{"twice", []nbdgm.Datagram{first, first, last, last}, 100 * time.Millisecond, joined},
		{"too late", []nbdgm.Datagram{first, last}, 3 * time.Second, ""},
		{"another datagram's", []nbdgm.Datagram{first, otherID}, 0, ""},
		{"another sender's", []nbdgm.Datagram{first, otherName}, 0, ""},
		{"with a gap", []nbdgm.Datagram{first, part(tail, 513, false)}, 0, ""},
		{"from the middle", []nbdgm.Datagram{first, part(tail, 512, true)}, 0, ""},
		{"without the mark of the first", []nbdgm.Datagram{plain}, 0, `PC2<03> to PC1<03> from 10.0.0.9:138 on eth0: "tail"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLAN(1)
				_, in := l.listening(t, Config{}, pc1, "10.0.0.1/24")
				send := l.stranger(t, "10.0.0.9:138")
				for _, p := range tt.parts {
					send("10.0.0.1:138", encode(t, p))
					time.Sleep(tt.pause)
				}
				if tt.want == "" {
					in.want(t)
				} else {
					in.want(t, tt.want)
				}
			})
		})
	}
}

// TestFragmentsAreFew: parts without end fill no memory, and in time make room.
func TestFragmentsAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f fragments
		part := func(id int, more bool) nbdgm.Datagram {
			d := nbdgm.Datagram{Header: nbdgm.Header{Type: nbdgm.DirectGroup, ID: uint16(id), More: more}, Data: []byte("x")}
			if !more {
				d.Offset = 1
			}
			return d
		}
		for id := range 1000 {
			f.join(part(id, true), addr("10.0.0.9"))
		}
		if n := len(f.waiting); n != maxFragments {
			t.Errorf("%d parts wait, want %d", n, maxFragments)
		}
		time.Sleep(fragmentTime + time.Millisecond)
		f.join(part(2000, true), addr("10.0.0.9"))
		if d, ok := f.join(part(2000, false), addr("10.0.0.9")); !ok || string(d.Data) != "xx" {
			t.Errorf("joined %q, %v, want xx", d.Data, ok)
		}
		if n := len(f.waiting); n != 0 {
			t.Errorf("%d parts wait, want none", n)
		}
	})
}
