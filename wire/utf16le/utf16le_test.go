package utf16le_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"messngr/wire/utf16le"
	"messngr/wire/wiretest"
)

func TestText(t *testing.T) {
	for _, tt := range []struct{ text, hex string }{
		{"", ""},
		{"Aé€", "4100 e900 ac20"},
		{"🙂", "3dd8 42de"},
	} {
		b := wiretest.Unhex(t, tt.hex)
		if got := utf16le.Encode(tt.text); !bytes.Equal(got, b) {
			t.Errorf("%q is written as %x, want %x", tt.text, got, b)
		}
		if got := utf16le.Decode(b); got != tt.text {
			t.Errorf("%x is read as %q, want %q", b, got, tt.text)
		}
	}
	if got := utf16le.Encode("\xff"); !bytes.Equal(got, []byte{0xfd, 0xff}) {
		t.Errorf("what is no UTF-8 is written as %x", got)
	}
}

func TestDecodeIsLax(t *testing.T) {
	for hex, want := range map[string]string{
		"4100 0000 4200": "A",
		"4100 42":        "A",
		"3dd8 4100":      "\ufffdA",
		"42de":           "\ufffd",
	} {
		if got := utf16le.Decode(wiretest.Unhex(t, hex)); got != want {
			t.Errorf("%s is read as %q, want %q", hex, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("A\x00\x42\xde"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := utf16le.Decode(b)
		if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			t.Fatalf("%x is read as %q", b, s)
		}
		if again := utf16le.Decode(utf16le.Encode(s)); again != s {
			t.Errorf("%q is read again as %q", s, again)
		}
	})
}
