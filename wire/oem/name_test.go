package oem_test

import (
	"errors"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"messngr/wire/oem"
)

func TestEncodeName(t *testing.T) {
	for _, tt := range []struct{ page, in, want string }{
		{"850", "müller", "M\x9aLLER"},
		{"1252", "müller", "M\xdcLLER"},
		{"850", "  alice ", "ALICE"},
		{"850", "backup server", "BACKUP SERVER"},
		{"850", "ABCDEFGHIJKLMNO", "ABCDEFGHIJKLMNO"},
		{"850", "ääääääääääääääé", "\x8e\x8e\x8e\x8e\x8e\x8e\x8e\x8e\x8e\x8e\x8e\x8e\x8e\x8e\x90"},
		{"866", "иван", "\x88\x82\x80\x8d"},
		{"932", "東京pc", "\x93\x8c\x8b\x9ePC"},
	} {
		b, err := page(t, tt.page).EncodeName(tt.in)
		if err != nil || string(b) != tt.want {
			t.Errorf("%s: EncodeName(%q) = %q, %v, want %q", tt.page, tt.in, b, err, tt.want)
		}
	}
	for _, in := range []string{"", "   ", "ABCDEFGHIJKLMNOP", "иван", "a\x00b", "a\nb", "a\x7fb", "5€", "\xff"} {
		if b, err := page(t, "850").EncodeName(in); !errors.Is(err, oem.ErrName) {
			t.Errorf("EncodeName(%q) = %q, %v, want ErrName", in, b, err)
		}
	}
}

func TestDecodeName(t *testing.T) {
	for _, tt := range []struct{ page, in, want string }{
		{"850", "M\x9aLLER         ", "MÜLLER"},
		{"850", "ALICE\x00\x00", "ALICE"},
		{"850", "", ""},
		{"850", "\x01\x02__MSBROWSE__\x02", "\x01\x02__MSBROWSE__\x02"},
		{"850", "Ü", "├£"}, // never UTF-8
	} {
		if got := page(t, tt.page).DecodeName([]byte(tt.in)); got != tt.want {
			t.Errorf("%s: DecodeName(%q) = %q, want %q", tt.page, tt.in, got, tt.want)
		}
	}
}

// A name that can be written is short, reads as it was meant, and writes the
// same bytes again, so that it can be compared by its bytes.
func TestNameProperties(t *testing.T) {
	all := numbers()
	rapid.Check(t, func(t *rapid.T) {
		p, err := oem.Lookup(rapid.SampledFrom(all).Draw(t, "page"))
		if err != nil {
			t.Fatal(err)
		}
		s := rapid.StringN(0, 20, -1).Draw(t, "s")
		b, err := p.EncodeName(s)
		if err != nil {
			return
		}
		name := p.DecodeName(b)
		if len(b) == 0 || len(b) > oem.MaxName || !utf8.ValidString(name) {
			t.Fatalf("EncodeName(%q) = %q, which reads %q", s, b, name)
		}
		again, err := p.EncodeName(name)
		if err != nil || string(again) != string(b) {
			t.Fatalf("EncodeName(%q) = %q, but EncodeName(%q) = %q, %v", s, b, name, again, err)
		}
	})
}
