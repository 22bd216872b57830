package ndr_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/uuid"

	"messngr/wire/ndr"
	"messngr/wire/wiretest"
)

var id = uuid.MustParse("5a7b91f8-ff00-11d0-a9b2-00c04fb6e6fc")

// TestValues writes and reads one row of values in both orders of bytes. Each value but
// the first stands at a place where it needs padding.
func TestValues(t *testing.T) {
	for _, tt := range []struct {
		big bool
		hex string
	}{
		{false, "01 00 0302 04 00 0000 08070605 f8917b5a 00ff d011 a9b200c04fb6e6fc 09 000000 03000000 00000000 03000000 686900"},
		{true, "01 00 0203 04 00 0000 05060708 5a7b91f8 ff00 11d0 a9b200c04fb6e6fc 09 000000 00000003 00000000 00000003 686900"},
	} {
		want := wiretest.Unhex(t, tt.hex)
		w := ndr.NewWriter([]byte("odd"), tt.big)
		w.Uint8(1)
		w.Uint16(0x0203)
		w.Uint8(4)
		w.Uint32(0x05060708)
		w.UUID(id)
		w.Uint8(9)
		w.String([]byte("hi"))
		if got := w.Data()[3:]; !bytes.Equal(got, want) || w.Len() != len(want) {
			t.Errorf("big-endian %v: wrote %d bytes\n got %x\nwant %x", tt.big, w.Len(), got, want)
		}
		r := ndr.NewReader(want, tt.big)
		if v := r.Uint8(); v != 1 {
			t.Errorf("big-endian %v: byte %d, want 1", tt.big, v)
		}
		if v := r.Uint16(); v != 0x0203 {
			t.Errorf("big-endian %v: integer of two bytes %#x, want 0x203", tt.big, v)
		}
		if v := r.Bytes(1); string(v) != "\x04" {
			t.Errorf("big-endian %v: bytes %x, want 04", tt.big, v)
		}
		if v := r.Uint32(); v != 0x05060708 {
			t.Errorf("big-endian %v: integer of four bytes %#x, want 0x5060708", tt.big, v)
		}
		if v := r.UUID(); v != id {
			t.Errorf("big-endian %v: %v, want %v", tt.big, v, id)
		}
		if v := r.Uint8(); v != 9 {
			t.Errorf("big-endian %v: byte %d, want 9", tt.big, v)
		}
		if v := r.String(3); string(v) != "hi" {
			t.Errorf("big-endian %v: string %q, want \"hi\"", tt.big, v)
		}
		if err := r.Err(); err != nil || len(r.Rest()) != 0 {
			t.Errorf("big-endian %v: error %v and %d bytes left", tt.big, err, len(r.Rest()))
		}
	}
}

func TestString(t *testing.T) {
	for _, tt := range []struct {
		name, hex string
		want      string
		fails     bool
	}{
		{name: "as long as it says", hex: "03000000 00000000 03000000 686900", want: "hi"},
		{name: "counted beyond its end", hex: "10000000 00000000 08000000 6869000000000000", want: "hi"},
		{name: "what follows a NUL is not text", hex: "04000000 00000000 04000000 68006900", want: "h"},
		{name: "without a NUL", hex: "02000000 00000000 02000000 6869", want: "hi"},
		{name: "empty", hex: "01000000 00000000 01000000 00", want: ""},
		{name: "nothing at all", hex: "00000000 00000000 00000000", want: ""},
		{name: "exactly the limit", hex: "20000000 00000000 01000000 00", want: ""},
		{name: "above the limit", hex: "21000000 00000000 01000000 00", fails: true},
		{name: "far above the limit", hex: "ffffffff 00000000 01000000 00", fails: true},
		{name: "more than the maximum", hex: "02000000 00000000 03000000 686900", fails: true},
		{name: "an offset", hex: "03000000 01000000 02000000 6900", fails: true},
		{name: "more than there is", hex: "10000000 00000000 10000000 686900", fails: true},
		{name: "counts cut short", hex: "03000000 00000000 0300", fails: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := ndr.NewReader(wiretest.Unhex(t, tt.hex), false)
			got := r.String(32)
			if (r.Err() != nil) != tt.fails || string(got) != tt.want {
				t.Errorf("got %q, %v, want %q (an error: %v)", got, r.Err(), tt.want, tt.fails)
			}
		})
	}
}

func TestErrorStays(t *testing.T) {
	r := ndr.NewReader([]byte{1, 2, 3, 4, 5}, false)
	r.Uint32()
	r.Uint32()
	if !errors.Is(r.Err(), ndr.ErrShort) {
		t.Fatalf("error %v, want ErrShort", r.Err())
	}
	if r.Uint8() != 0 || r.Uint16() != 0 || r.UUID() != (uuid.UUID{}) || r.String(9) != nil || r.Bytes(0) != nil {
		t.Error("something was read after an error")
	}
	r = ndr.NewReader(nil, false)
	if r.Bytes(-1); r.Err() == nil {
		t.Error("a negative length is no error")
	}
}

// FuzzString reads three strings, as the calls of the Messenger service have them, and
// checks that nothing outside of the data or of the limit can be had.
func FuzzString(f *testing.F) {
	const limit = 64
	for _, s := range []string{
		"03000000 00000000 03000000 686900 00 10000000 00000000 08000000 6869000000000000 01000000 00000000 01000000 00",
		"ffffffff 00000000 ffffffff 00", "00000003 00000000 00000003 686900",
	} {
		f.Add(wiretest.Unhex(f, s), false)
		f.Add(wiretest.Unhex(f, s), true)
	}
	f.Fuzz(func(t *testing.T, b []byte, big bool) {
		r := ndr.NewReader(b, big)
		w := ndr.NewWriter(nil, big)
		var first [3]string
		for i := range first {
			s := r.String(limit)
			if len(s) > limit || bytes.IndexByte(s, 0) >= 0 {
				t.Fatalf("string %q of %d bytes, limit %d", s, len(s), limit)
			}
			first[i] = string(s)
			w.String(s)
		}
		if r.Err() != nil {
			return
		}
		r = ndr.NewReader(w.Data(), big)
		for i := range first {
			if got := string(r.String(limit + 1)); got != first[i] {
				t.Errorf("string %d is %q when written again, was %q", i, got, first[i])
			}
		}
		if r.Err() != nil {
			t.Error(r.Err())
		}
	})
}
