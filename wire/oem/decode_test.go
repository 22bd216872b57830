package oem_test

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"messngr/wire/oem"
)

func canonical(a, b string) bool { return norm.NFC.String(a) == norm.NFC.String(b) }

// recorded returns the text blocks of one message in testdata.
func recorded(t testing.TB, name string) [][]byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var blocks [][]byte
	for len(b) > 0 {
		n := 2 + int(binary.BigEndian.Uint16(b))
		blocks = append(blocks, b[2:n])
		b = b[n:]
	}
	return blocks
}

func TestDecodeRecorded(t *testing.T) {
	var long strings.Builder
	for i := 0; long.Len() < 1598; i++ {
		long.WriteString(string([]byte{'0' + byte(i/100), '0' + byte(i/10%10), '0' + byte(i%10)}) + ":abcdefghijklmnopqrstuvwxyz0123456789")
	}
	for _, tt := range []struct{ file, want string }{
		{"smbclient-umlaut.blocks", "Gruesse: äöüß ÄÖÜ é ñ\n"},
		{"smbclient-umlaut-euro.blocks", "Grüße aus Köln: äöüß ÄÖÜ é ñ €\n"},
		{"smbclient-multi-lf.blocks", "line one\nline two\n\nline four\n"},
		{"smbclient-b5000.blocks", long.String()[:1598]},
	} {
		if got := oem.Normalize(page(t, "850").Decode(recorded(t, tt.file)...)); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.file, got, tt.want)
		}
	}
}

func TestDecode(t *testing.T) {
	for _, tt := range []struct {
		name, page string
		blocks     []string
		want       string
	}{
		{"nothing", "850", nil, ""},
		{"empty blocks", "850", []string{"", "a", "", "b", ""}, "ab"},
		{"page", "850", []string{"\x84\x94\x81"}, "äöü"},
		{"UTF-8", "850", []string{"äöü €"}, "äöü €"},
		{"UTF-8 with byte order mark", "850", []string{"\xef\xbb\xbfäöü"}, "äöü"},
		{"UTF-8 split in a character", "850", []string{"5 \xe2\x82", "\xac"}, "5 €"},
		{"UTF-8 split byte by byte", "850", []string{"\xe2", "\x82", "\xac", " \x81"}, "€ ü"},
		{"a block of UTF-8, then the page", "850", []string{"für 5 €, ", "f\x81r dich"}, "für 5 €, für dich"},
		{"the page, then UTF-8", "850", []string{"f\x81r dich, ", "für 5 €"}, "für dich, für 5 €"},
		{"UTF-8 split, then the page", "850", []string{"5 \xe2\x82", "\xac und ", "f\x81r dich"}, "5 € und für dich"},
		{"page, UTF-8 split, page", "850", []string{"\x81 ", "5 \xe2\x82", "\xacä", " \x81"}, "ü 5 €ä ü"},
		{"rest of a split block is of the page", "850", []string{"5 \xe2\x82", "\xac f\x81r"}, "5 € für"},
		{"split that is none", "850", []string{"Ende\xe2\x82", "x\x81"}, "EndeÔéxü"},
		{"bytes that are nothing", "857", []string{"\xd5\xe7 \x81"}, "\ufffd\ufffd ü"},
		{"NUL stays", "850", []string{"a\x00\x81"}, "a\x00ü"},

		{"Cyrillic of the page", "866", []string{"\x8f\xe0\xa8\xa2\xa5\xe2, \xac\xa8\xe0"}, "Привет, мир"},
		{"Cyrillic in UTF-8", "866", []string{"Привет, мир"}, "Привет, мир"},
		{"Cyrillic in UTF-8 for page 850, split", "850", []string{"Прив\xd0", "\xb5т, мир"}, "Привет, мир"},
		{"a word of the page that is valid UTF-8", "866", []string{"\xe7\xa0\xa9?"}, "чай?"},
		{"two words of the page that are", "866", []string{"\xe2\xa0\xac \xa8 \xe2\xa0\xaa"}, "там и так"},
		{"a sign in UTF-8 that is letters of the page", "866", []string{"5 €"}, "5 €"},
		{"quotes in UTF-8", "866", []string{"it’s"}, "it’s"},
		{"a capital apostrophe", "850", []string{"DON’T"}, "DON’T"},
		{"emoji", "866", []string{"😀"}, "😀"},
		{"one letter of UTF-8", "437", []string{"é"}, "é"},
		{"Greek", "737", []string{"\xe2\xa4\x98"}, "ένα"},

		{"DBCS", "932", []string{"\x93\xfa\x96\x7b\x8c\xea"}, "日本語"},
		{"DBCS split in a character", "932", []string{"\x93\xfa\x96", "\x7b\x8c\xea"}, "日本語"},
		{"DBCS split before an ASCII trail byte in a block of ASCII", "932", []string{"\x93\xfa\x96", "\x7babc", "\x8c\xea"}, "日本abc語"},
		{"UTF-8 for a page of DBCS", "932", []string{"日本語"}, "日本語"},
		{"UTF-8 for a page of DBCS, split", "936", []string{"你\xe5\xa5", "\xbd吗"}, "你好吗"},
		{"Chinese that is valid UTF-8", "936", []string{"\xd0\xbb\xd0\xbb"}, "谢谢"},
		{"an umlaut that is valid Chinese", "936", []string{"müller"}, "müller"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var blocks [][]byte
			for _, b := range tt.blocks {
				blocks = append(blocks, []byte(b))
			}
			if got := page(t, tt.page).Decode(blocks...); got != tt.want {
				t.Errorf("\n got %q\nwant %q", got, tt.want)
			}
		})
	}
}

// Whatever smbclient does to a text, the text comes back: it cuts the UTF-8
// into blocks of 127 bytes, and sends in the page those that it can convert.
func TestDecodeAsSmbclientSends(t *testing.T) {
	p := page(t, "850")
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.SampledFrom([]rune("aeinrst äöüßÄÖÜéèñ.,!?€„“–Привет日本")), 50, 600, -1).Draw(t, "text")
		var blocks [][]byte
		for rest := []byte(text); len(rest) > 0; {
			block := rest[:min(127, len(rest))]
			rest = rest[len(block):]
			if utf8.Valid(block) {
				if b, lossy := p.Encode(string(block)); !lossy {
					block = b
				}
			}
			blocks = append(blocks, block)
		}
		if got := p.Decode(blocks...); got != text {
			t.Fatalf("\n got %q\nwant %q", got, text)
		}
	})
}

// A message of a page comes back wherever it is cut: Windows cuts at 128 bytes.
func TestDecodeAsWindowsSends(t *testing.T) {
	texts := map[string]string{
		"850": "Größere Änderungen: der Server fährt um 18 Uhr für drei Stunden herunter, bitte alles sichern.",
		"866": "Внимание! Сервер будет остановлен в 18 часов на три часа, сохраните свою работу.",
		"737": "Προσοχή! Ο διακομιστής θα σταματήσει στις έξι, αποθηκεύστε την εργασία σας.",
		"932": "サーバーは十八時に停止します。作業を保存してください。ﾊﾛｰ、皆さん！",
		"936": "服务器将于十八点停止运行，请保存您的工作。谢谢！",
		"949": "서버가 오후 여섯 시에 중단됩니다. 작업을 저장하십시오.",
		"950": "伺服器將於十八點停止運作，請儲存您的工作。謝謝！",
	}
	for number, text := range texts {
		p := page(t, number)
		b, lossy := p.Encode(text)
		if lossy {
			t.Fatalf("%s: the text is not of the page: %q", number, b)
		}
		for cut := range len(b) {
			if got := p.Decode(b[:cut], b[cut:]); got != text {
				t.Errorf("%s cut at %d:\n got %q\nwant %q", number, cut, got, text)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/*.blocks")
	if err != nil || len(files) == 0 {
		f.Fatal("no recordings", err)
	}
	for _, file := range files {
		for i, block := range recorded(f, filepath.Base(file)) {
			f.Add(uint8(i), block, uint64(i))
		}
	}
	f.Add(uint8(18), []byte("\x93\xfa\x96\x7babc\x8c\xea"), uint64(7))
	f.Fuzz(func(t *testing.T, n uint8, b []byte, seed uint64) {
		all := numbers()
		p := page(t, all[int(n)%len(all)])
		cut := rand.New(rand.NewPCG(seed, 0))
		var blocks [][]byte
		for rest := b; len(rest) > 0; {
			k := 1 + cut.IntN(min(len(rest), 128))
			blocks, rest = append(blocks, rest[:k]), rest[k:]
		}
		got := p.Decode(blocks...)
		if !utf8.ValidString(got) {
			t.Errorf("Decode(%x) is not UTF-8: %q", blocks, got)
		}
		if len(got) > 6*len(b) {
			t.Errorf("Decode made %d bytes of %d", len(got), len(b))
		}
		if utf8.Valid(b) && strings.Count(string(b), "")-1 == len(b) && got != string(b) {
			t.Errorf("ASCII %q came out as %q", b, got)
		}
		clean := oem.Clean(oem.Normalize(got))
		if again := oem.Clean(clean); again != clean {
			t.Errorf("Clean(%q) = %q, then %q", got, clean, again)
		}
	})
}
