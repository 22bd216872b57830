package oem_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"messngr/wire/oem"
)

func TestNormalize(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""}, {"abc", "abc"}, {"a\nb\n", "a\nb\n"},
		{"a\x14b", "a\nb"}, {"a\r\nb", "a\nb"}, {"a\n\rb", "a\nb"}, {"a\rb", "a\nb"},
		{"a\r\n\r\nb", "a\n\nb"}, {"a\n\r\n\rb", "a\n\nb"}, {"a\r\rb", "a\n\nb"}, {"a\n\nb", "a\n\nb"},
		{"a\x14\x14b", "a\n\nb"}, {"a\r\x14b", "a\n\nb"}, {"a\n\r\nb", "a\n\nb"}, {"\r", "\n"}, {"\r\n", "\n"},
	} {
		if got := oem.Normalize(tt.in); got != tt.want {
			t.Errorf("Normalize(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// A line break that is cut in two by a block is one line break.
func TestNormalizeAfterJoining(t *testing.T) {
	got := oem.Normalize(page(t, "850").Decode([]byte("one\r"), []byte("\ntwo")))
	if got != "one\ntwo" {
		t.Errorf("got %q", got)
	}
}

func TestToWire(t *testing.T) {
	for _, tt := range []struct {
		n    oem.Newline
		want string
	}{
		{oem.DC4, "a\x14b\x14\x14c"},
		{oem.CRLF, "a\r\nb\r\n\r\nc"},
		{oem.LF, "a\nb\n\nc"},
	} {
		for _, in := range []string{"a\nb\n\nc", "a\r\nb\n\nc", "a\x14b\r\rc"} {
			if got := oem.ToWire(in, tt.n); got != tt.want {
				t.Errorf("ToWire(%q, %q) = %q, want %q", in, tt.n, got, tt.want)
			}
		}
	}
}

func TestNewlineProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.RuneFrom([]rune("ab\n\r\x14ü"))).Draw(t, "s")
		n := rapid.SampledFrom([]oem.Newline{oem.DC4, oem.CRLF, oem.LF}).Draw(t, "newline")
		lines := oem.Normalize(s)
		if strings.ContainsAny(lines, "\r\x14") {
			t.Fatalf("Normalize(%q) = %q", s, lines)
		}
		if got := oem.Normalize(oem.ToWire(s, n)); got != lines {
			t.Fatalf("Normalize(ToWire(%q)) = %q, want %q", s, got, lines)
		}
	})
}
