package oem_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"messngr/wire/oem"
)

func TestClean(t *testing.T) {
	for _, tt := range []struct{ in, want, line string }{
		{"", "", ""},
		{"Grüße, 世界 😀\n\tend", "Grüße, 世界 😀\n\tend", "Grüße, 世界 😀  end"},
		{"\x1b[2J\x1b]0;title\a", "^[[2J^[]0;title^G", "^[[2J^[]0;title^G"},
		{"a\x00b\x7f", "a^@b^?", "a^@b^?"},
		{"a\rb", "a^Mb", "a b"},
		{"\u009b31m", "<U+009B>31m", "<U+009B>31m"},
		{"\x9b31m\xff", "\ufffd31m\ufffd", "\ufffd31m\ufffd"},
		{"\u202egpj.exe\u2066\u200e\u200f\u061c", "<U+202E>gpj.exe<U+2066><U+200E><U+200F><U+061C>", ""},
		{"a\u2028b\u2029c\u0085", "a<U+2028>b<U+2029>c<U+0085>", ""},
		{"a\U000e0041\U000e0001\ufeff\u200b", "a<U+E0041><U+E0001><U+FEFF><U+200B>", ""},
		{"\ufffe\ufdd0\U0010ffff", "<U+FFFE><U+FDD0><U+10FFFF>", ""},
		{"👩\u200d💻 می\u200cخواهم co\u00adop ❤\ufe0f", "👩\u200d💻 می\u200cخواهم co\u00adop ❤\ufe0f", ""},
		{"\u0600\u06dd", "\u0600\u06dd", ""},
		{" BOSS\n\nMessage from ADMIN ", " BOSS\n\nMessage from ADMIN ", "BOSS  Message from ADMIN"},
		{"<U+202E>", "<U+202E>", ""},
	} {
		if got := oem.Clean(tt.in); got != tt.want {
			t.Errorf("Clean(%q) = %q, want %q", tt.in, got, tt.want)
		}
		if tt.line == "" {
			tt.line = tt.want
		}
		if got := oem.CleanLine(tt.in); got != tt.line {
			t.Errorf("CleanLine(%q) = %q, want %q", tt.in, got, tt.line)
		}
	}
}

// Every character by itself: nothing that moves or hides text gets through.
// (Planes 2 to 13 have ideographs only, but for the noncharacters at their end.)
func TestCleanEveryCharacter(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if r > 0x1ffff && r < 0xe0000 && r&0xfff0 != 0xfff0 {
			continue
		}
		checkClean(t, "a"+string(r)+"b")
	}
}

func checkClean(t *testing.T, s string) {
	t.Helper()
	clean, line := oem.Clean(s), oem.CleanLine(s)
	for _, got := range []string{clean, line} {
		if !utf8.ValidString(got) || len(got) > 8*len(s) {
			t.Fatalf("%q became %q", s, got)
		}
		for _, r := range got {
			switch {
			case r == '\n' || r == '\t':
			case unicode.Is(unicode.Cc, r), unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp, unicode.Noncharacter_Code_Point),
				0xe0000 <= r && r < 0xe0100, unicode.Is(unicode.Cf, r) && !strings.ContainsRune("\u00ad\u200c\u200d", r) &&
					!unicode.Is(unicode.Prepended_Concatenation_Mark, r):
				t.Fatalf("%q became %q, with %U", s, got, r)
			}
		}
	}
	if strings.ContainsAny(line, "\n\t") {
		t.Fatalf("CleanLine(%q) = %q", s, line)
	}
	if again := oem.Clean(clean); again != clean {
		t.Fatalf("Clean(%q) = %q, again %q", s, clean, again)
	}
	if again := oem.CleanLine(line); again != line {
		t.Fatalf("CleanLine(%q) = %q, again %q", s, line, again)
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "Grüße\n\t", "\x1b[2J", "\u202e\u009b\xff\U000e0041", "a\r\n\x14b"} {
		f.Add(s)
	}
	f.Fuzz(checkClean)
}
