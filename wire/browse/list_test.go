package browse_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"messngr/wire/browse"
	"messngr/wire/wiretest"
)

var requests = []struct {
	name    string
	value   browse.ListRequest
	encoded string
}{
	{"all", browse.ListRequest{Types: browse.All}, "6800" + "57724c6568444f00" + "4231364242447a00" + "0100 e0ff ffffffff"},
	{"of a workgroup", browse.ListRequest{Types: browse.Server, Workgroup: "TESTGRP"},
		"6800" + "57724c6568447a00" + "4231364242447a00" + "0100 e0ff 02000000 5445535447525000"},
}

func TestListRequest(t *testing.T) {
	for _, tt := range requests {
		t.Run(tt.name, func(t *testing.T) {
			want := wiretest.Unhex(t, tt.encoded)
			b, err := tt.value.Append([]byte("before"))
			if err != nil || !bytes.Equal(b, append([]byte("before"), want...)) {
				t.Errorf("Append = %x, %v, want %x", b, err, want)
			}
			got, err := browse.ParseListRequest(want)
			if diff := cmp.Diff(tt.value, got); err != nil || diff != "" {
				t.Errorf("ParseListRequest: %v (-want +got):\n%s", err, diff)
			}
		})
	}
	for _, workgroup := range []string{"ABCDEFGHIJKLMNOP", "A\x00B"} {
		if b, err := (browse.ListRequest{Workgroup: workgroup}).Append(nil); err == nil {
			t.Errorf("workgroup %q was written as %x", workgroup, b)
		}
	}
	good := wiretest.Unhex(t, requests[1].encoded)
	for n := range len(good) - len("TESTGRP\x00") {
		if r, err := browse.ParseListRequest(good[:n]); err == nil {
			t.Errorf("the first %d bytes were read as %+v", n, r)
		}
	}
	for at, change := range map[int]byte{0: 1, 2: 'X', 9: 'X', 10: 'X', 18: 2, 26: 0} {
		b := bytes.Clone(good)
		b[at] = change
		if r, err := browse.ParseListRequest(b); err == nil {
			t.Errorf("with %#02x at %d it was read as %+v", change, at, r)
		}
	}
}

var lists = []struct {
	name         string
	value        browse.List
	params, data string
}{
	{"nobody", browse.List{}, "0000 0000 0000 0000", ""},
	{
		"two",
		browse.List{
			Entries: []browse.Entry{
				{Name: "ALPHA", Major: 6, Minor: 1, Type: 0x849a03, Comment: "The master"},
				{Name: "ABCDEFGHIJKLMNO", Type: 3},
			},
			Available: 2,
		},
		"0000 0000 0200 0200",
		"414c5048410000000000000000000000 06 01 039a8400 34000000" +
			"4142434445464748494a4b4c4d4e4f00 00 00 03000000 3f000000" + "546865206d617374657200 00",
	},
	{
		"more than fitted",
		browse.List{Entries: []browse.Entry{{Name: "A"}}, Available: 300},
		"ea00 0000 0100 2c01", "41000000000000000000000000000000 00 00 00000000 1a000000 00",
	},
}

func TestList(t *testing.T) {
	for _, tt := range lists {
		t.Run(tt.name, func(t *testing.T) {
			params, data, err := tt.value.Append()
			if err != nil || !bytes.Equal(params, wiretest.Unhex(t, tt.params)) || !bytes.Equal(data, wiretest.Unhex(t, tt.data)) {
				t.Errorf("Append = %x, %x, %v, want %s, %s", params, data, err, tt.params, tt.data)
			}
			got, err := browse.ParseList(wiretest.Unhex(t, tt.params), wiretest.Unhex(t, tt.data))
			if diff := cmp.Diff(tt.value, got); err != nil || diff != "" {
				t.Errorf("ParseList: %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// The converter is what the sender's pointers are too large by.
func TestListWithConverter(t *testing.T) {
	params, data := wiretest.Unhex(t, lists[1].params), wiretest.Unhex(t, lists[1].data)
	for _, converter := range []uint16{1, 0x8000, 0xFFF0} {
		binary.LittleEndian.PutUint16(params[2:], converter)
		moved := bytes.Clone(data)
		for _, at := range []int{22, 48} {
			binary.LittleEndian.PutUint16(moved[at:], binary.LittleEndian.Uint16(data[at:])+converter)
		}
		got, err := browse.ParseList(params, moved)
		if diff := cmp.Diff(lists[1].value, got); err != nil || diff != "" {
			t.Errorf("converter %#x: %v (-want +got):\n%s", converter, err, diff)
		}
	}
}

func TestListRefuses(t *testing.T) {
	params, data := wiretest.Unhex(t, lists[1].params), wiretest.Unhex(t, lists[1].data)
	change := func(b []byte, at int, to ...byte) []byte {
		b = bytes.Clone(b)
		copy(b[at:], to)
		return b
	}
	for name, tt := range map[string]struct{ params, data []byte }{
		"no parameters":      {nil, data},
		"an error":           {change(params, 0, 5), data},
		"a lying count":      {change(params, 4, 3), data},
		"a comment far away": {params, change(data, 22, 0xFF, 0xFF)},
		"an empty name":      {params, change(data, 0, 0)},
		"an endless name":    {params, change(data, 0, []byte("ABCDEFGHIJKLMNOP")...)},
	} {
		if l, err := browse.ParseList(tt.params, tt.data); err == nil {
			t.Errorf("%s: ParseList = %+v, want an error", name, l)
		}
	}
	for name, l := range map[string]browse.List{
		"a long name":      {Entries: []browse.Entry{{Name: "ABCDEFGHIJKLMNOP"}}},
		"no name":          {Entries: []browse.Entry{{}}},
		"a zero":           {Entries: []browse.Entry{{Name: "A", Comment: "\x00"}}},
		"a long comment":   {Entries: []browse.Entry{{Name: "A", Comment: strings.Repeat("x", 1<<16)}}},
		"too many":         {Entries: make([]browse.Entry, 1), Available: 1 << 16},
		"less than nobody": {Available: -1},
	} {
		if params, data, err := l.Append(); err == nil {
			t.Errorf("%s: Append = %x, %x, want an error", name, params, data)
		}
	}
}

func FuzzList(f *testing.F) {
	for _, l := range lists {
		f.Add(wiretest.Unhex(f, l.params), wiretest.Unhex(f, l.data))
	}
	for _, a := range answers(f) {
		f.Add(a.Parameters, a.Data)
	}
	f.Fuzz(func(t *testing.T, params, data []byte) {
		l, err := browse.ParseList(params, data)
		if err != nil {
			return
		}
		params, data, err = l.Append()
		if err != nil {
			return // many entries may share one comment, and say that there are fewer than they are
		}
		got, err := browse.ParseList(params, data)
		if diff := cmp.Diff(l, got); err != nil || diff != "" {
			t.Errorf("read again: %v (-want +got):\n%s", err, diff)
		}
	})
}
