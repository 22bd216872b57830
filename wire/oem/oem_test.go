package oem_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"messngr/wire/oem"
)

// numbers are the pages that Lookup promises.
func numbers() []string {
	return strings.Fields(`437 720 737 775 850 852 855 857 858 860 861 862 863 864 865 866 869 874
		932 936 949 950 1250 1251 1252 1253 1254 1255 1256 1257 1258 20127`)
}

func page(t testing.TB, name string) oem.Page {
	t.Helper()
	p, err := oem.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestLookup(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"850", "850"}, {"cp850", "850"}, {"CP850", "850"}, {"IBM850", "850"}, {"ibm-850", "850"}, {"CP-850", "850"},
		{"windows-1252", "1252"}, {"Windows-1252", "1252"}, {"cp1252", "1252"}, {"win1251", "1251"},
		{"932", "932"}, {"MS932", "932"}, {" oem866 ", "866"}, {"dos-720", "720"},
	} {
		p, err := oem.Lookup(tt.name)
		if err != nil || p.String() != tt.want {
			t.Errorf("Lookup(%q) = %v, %v, want %s", tt.name, p, err, tt.want)
		}
	}
	for _, name := range []string{"", "cp", "85", "8500", "1259", "0850", "utf-8", "latin1", "cpcp850", "850\n850"} {
		if p, err := oem.Lookup(name); err == nil {
			t.Errorf("Lookup(%q) = %v, want an error", name, p)
		}
	}
}

func TestZeroPageIsDefault(t *testing.T) {
	var zero oem.Page
	if zero.String() != oem.Default {
		t.Errorf("zero page is %v, want %v", zero, oem.Default)
	}
	if got := zero.Decode([]byte{0x81}); got != "ü" {
		t.Errorf("zero page decodes 0x81 as %q, want ü", got)
	}
}

// One character that tells each page from the others, from the tables that
// Microsoft publishes.
func TestPages(t *testing.T) {
	for _, tt := range []struct {
		page, bytes, text string
	}{
		{"437", "\x9b\xee", "¢ε"}, {"720", "\x98\x9f", "ء\u0627"}, {"737", "\x80\x98", "Αα"},
		{"775", "\x80\xd0", "Ćą"}, {"850", "\x81\xe1", "üß"}, {"852", "\x88\xfd", "łř"},
		{"855", "\xa1\xa0", "Аа"}, {"857", "\x98\x8d", "İı"}, {"858", "\xd5", "€"},
		{"860", "\x84\x94", "ãõ"}, {"861", "\x8c\x8d", "ðÞ"}, {"862", "\x80\x9a", "את"},
		{"863", "\x86\xa6", "¶³"}, {"864", "\xa3\xc1", "£\ufe80"}, {"865", "\xaf\x9b", "¤ø"},
		{"866", "\x8f\xe0", "Пр"}, {"869", "\xa4\xd6", "Αα"}, {"874", "\xa1\x80", "ก€"},
		{"932", "\x93\xfa\xb1", "日ｱ"}, {"936", "\xc4\xe3", "你"}, {"949", "\xc7\xd1", "한"}, {"950", "\xa7\x41", "你"},
		{"1250", "\xb3\xf8", "łř"}, {"1251", "\xcf\xf0", "Пр"}, {"1252", "\x80\x93", "€“"},
		{"1253", "\xc1\xe1", "Αα"}, {"1254", "\xdd\xfd", "İı"}, {"1255", "\xe0\xfa", "את"},
		{"1256", "\xc1\xc7", "ء\u0627"}, {"1257", "\xc0\xe0", "Ąą"}, {"1258", "\xe2\xec", "ấ"},
		{"20127", "ab", "ab"},
	} {
		t.Run(tt.page, func(t *testing.T) {
			p := page(t, tt.page)
			text := "x " + tt.text + " y"
			b, lossy := p.Encode(text)
			if string(b) != "x "+tt.bytes+" y" || lossy {
				t.Errorf("Encode(%q) = %x, %v, want %x", text, b, lossy, tt.bytes)
			}
			if got := p.Decode([]byte("x " + tt.bytes + " y")); got != text {
				t.Errorf("Decode(%x) = %q, want %q", tt.bytes, got, text)
			}
		})
	}
}

// Every page reads ASCII as ASCII, and writes each character that it reads so
// that it reads it again.
func TestPagesRoundTrip(t *testing.T) {
	for _, number := range numbers() {
		t.Run(number, func(t *testing.T) {
			t.Parallel()
			p := page(t, number)
			known := make(map[string]bool)
			for one := range 256 {
				known[p.DecodeName([]byte{byte(one), '|'})] = true
				for two := 0; two < 256 && strings.HasPrefix(number, "9"); two++ {
					known[p.DecodeName([]byte{byte(one), byte(two), '|'})] = true
				}
			}
			for c := range rune(utf8.RuneSelf) {
				if b, lossy := p.Encode(string(c)); lossy || string(b) != string(c) || !known[string(c)+"|"] {
					t.Errorf("ASCII %q is written %x, lossy %v", c, b, lossy)
				}
			}
			written := 0
			for text := range known {
				b, lossy := p.Encode(text)
				if lossy {
					// Bytes that stand for nothing, for a control, and characters of
					// Hong Kong's addition to 950 that its encoder does not know.
					if !strings.ContainsAny(text, "\ufffd\u0080䕫êÊ") {
						t.Errorf("%q cannot be written", text)
					}
					continue
				}
				if got := p.DecodeName(b); !canonical(got, text) {
					t.Fatalf("%q is written %x, which reads %q", text, b, got)
				}
				written++
			}
			if written < 200 && number != "20127" {
				t.Errorf("the page writes only %d texts", written)
			}
		})
	}
}

func TestUpper(t *testing.T) {
	for _, tt := range []struct{ page, in, want string }{
		{"850", "müller", "MÜLLER"},
		{"850", "straße", "STRAßE"},
		{"850", "µÿı", "µÿı"},
		{"1252", "ÿ", "Ÿ"},
		{"866", "привет", "ПРИВЕТ"},
		{"737", "άλφας", "ΆΛΦΑΣ"},
		{"857", "ıi", "ıI"},
		{"932", "ａｂ日", "ＡＢ日"},
	} {
		if got := page(t, tt.page).Upper(tt.in); got != tt.want {
			t.Errorf("%s: Upper(%q) = %q, want %q", tt.page, tt.in, got, tt.want)
		}
	}
}
