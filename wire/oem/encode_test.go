package oem_test

import (
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"messngr/wire/oem"
)

func TestEncode(t *testing.T) {
	for _, tt := range []struct {
		page, in, want string
		lossy          bool
	}{
		{"850", "", "", false},
		{"850", "Grüße\n\t", "Gr\x81\xe1e\n\t", false},
		{"850", "u\u0308", "\x81", false},
		{"850", "5 €", "5 EUR", true},
		{"858", "5 €", "5 \xd5", false},
		{"1252", "„5 €“ – …", "\x845 \x80\x93 \x96 \x85", false},
		{"850", "„5“ ‚x’ – — … • ™ №", `"5" 'x' - - ... * TM No`, true},
		{"850", "őŁšž", "oLsz", true},
		{"437", "Øœþ", "Ooeth", true},
		{"866", "Grüße", "Grusse", true},
		{"850", "Привет", "??????", true},
		{"850", "日本", "??", true},
		{"850", "ＡＢ！ ﬁ ½ ⅓", "AB! fi \xab 1/3", true},
		{"437", "a\u200db\u00adc\ufe0f", "abc", true},
		{"850", "😀", "?", true},
		{"850", "\xff\ufffd", "??", true},
		{"1258", "Việt ấy", "Vi\xea\xf2t \xe2\xecy", false},
		{"932", "日本 \\ ~", "\x93\xfa\x96\x7b \\ ~", false},
		{"932", "¥100", "JPY100", true},
		{"932", "é", "e", true},
		{"864", "100%", "100%", false},
		{"20127", "Grüße – 5 €, Привет", "Grusse - 5 EUR, ??????", true},
	} {
		b, lossy := page(t, tt.page).Encode(tt.in)
		if string(b) != tt.want || lossy != tt.lossy {
			t.Errorf("%s: Encode(%q) = %q, %v, want %q, %v", tt.page, tt.in, b, lossy, tt.want, tt.lossy)
		}
	}
}

// What is not lossy comes back, and a text becomes at most so much longer.
func TestEncodeProperties(t *testing.T) {
	all := numbers()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(all).Draw(t, "page")
		s := rapid.String().Draw(t, "s")
		p, err := oem.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		b, lossy := p.Encode(s)
		if got := p.DecodeName(append(b, '|')); !lossy && !canonical(got, s+"|") {
			t.Fatalf("Encode(%q) = %x, which reads %q", s, b, got)
		}
		if n := utf8.RuneCountInString(norm.NFC.String(s)); len(b) > 36*n {
			t.Fatalf("Encode(%q) makes %d bytes of %d characters", s, len(b), n)
		}
	})
}
