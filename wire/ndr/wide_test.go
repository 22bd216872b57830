package ndr_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"messngr/wire/ndr"
)

func TestWideStrings(t *testing.T) {
	for _, tt := range []struct {
		text, little, big string
	}{
		{"", "01000000 00000000 01000000 0000", "00000001 00000000 00000001 0000"},
		{"Bü", "03000000 00000000 03000000 4200 fc00 0000", "00000003 00000000 00000003 0042 00fc 0000"},
		{"😀", "03000000 00000000 03000000 3dd8 00de 0000", "00000003 00000000 00000003 d83d de00 0000"},
	} {
		for big, want := range map[bool]string{false: tt.little, true: tt.big} {
			w := ndr.NewWriter(nil, big)
			w.WString(tt.text)
			if got := hex.EncodeToString(w.Data()); got != strings.ReplaceAll(want, " ", "") {
				t.Errorf("%q is written as %s, want %s", tt.text, got, want)
			}
			r := ndr.NewReader(w.Data(), big)
			if got := r.WString(3); got != tt.text || r.Err() != nil || len(r.Rest()) != 0 {
				t.Errorf("%q is read as %q, %v, rest %x", tt.text, got, r.Err(), r.Rest())
			}
		}
	}
}

// What senders count is not what they fill; what follows is read all the same.
func TestWideStringsEndAtTheirNUL(t *testing.T) {
	b, err := hex.DecodeString("04000000" + "00000000" + "04000000" + "4100" + "0000" + "5800" + "5800" + "2a000000")
	if err != nil {
		t.Fatal(err)
	}
	r := ndr.NewReader(b, false)
	if got := r.WString(4); got != "A" || r.Uint32() != 42 || r.Err() != nil {
		t.Errorf("read %q, %v", got, r.Err())
	}
}

func TestWideStringsThatLie(t *testing.T) {
	for name, s := range map[string]string{
		"over the limit":   "05000000" + "00000000" + "01000000" + "0000",
		"at an offset":     "04000000" + "01000000" + "01000000" + "0000",
		"more than at all": "01000000" + "00000000" + "02000000" + "41000000",
		"cut short":        "04000000" + "00000000" + "04000000" + "410042",
		"no counts":        "0400",
	} {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		r := ndr.NewReader(b, false)
		if got := r.WString(4); got != "" || r.Err() == nil {
			t.Errorf("%s: %q, want an error", name, got)
		}
		if name == "cut short" && !errors.Is(r.Err(), ndr.ErrShort) {
			t.Errorf("%s: %v", name, r.Err())
		}
	}
}

func TestPointers(t *testing.T) {
	var w ndr.Writer
	w.Uint8(1)
	w.Pointer(true)
	w.Pointer(false)
	w.Pointer(true)
	if bytes.Equal(w.Data()[4:8], w.Data()[12:16]) {
		t.Errorf("two pointers have one id: %x", w.Data())
	}
	r := ndr.NewReader(w.Data(), false)
	r.Uint8()
	if got := []bool{r.Pointer(), r.Pointer(), r.Pointer()}; !got[0] || got[1] || !got[2] {
		t.Errorf("pointers to something: %v", got)
	}
}

func FuzzWideStrings(f *testing.F) {
	var w ndr.Writer
	w.WString("Grüße 😀")
	f.Add(w.Data())
	f.Fuzz(func(t *testing.T, b []byte) {
		r := ndr.NewReader(b, false)
		s := r.WString(1 << 16)
		if r.Err() != nil {
			return
		}
		var w ndr.Writer
		w.WString(s)
		again := ndr.NewReader(w.Data(), false)
		if got := again.WString(1<<16 + 1); got != s || again.Err() != nil {
			t.Errorf("%q, %v, want %q", got, again.Err(), s)
		}
	})
}
