// Package oem turns the text of old machines into Unicode and back: OEM code
// pages, the newline conventions of messages, and text that is safe to show.
//
// Received text takes three steps, in this order, because a block of a message
// may end in the middle of a character or of a line break:
//
//	text := oem.Clean(oem.Normalize(page.Decode(blocks...)))
//
// Text to be sent takes two:
//
//	b, lossy := page.Encode(oem.ToWire(text, oem.DC4))
package oem

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// Default is the name of the page that is assumed where nobody has named one:
// the OEM page of Western European Windows and of Samba's "dos charset".
// Nothing on the wire says which page a peer uses (MS-MSRP 2.2.3).
const Default = "850"

// Page is a code page of DOS or Windows. It is immutable and may be used by
// many goroutines at once. The zero Page is the page called Default.
type Page struct {
	name string
	set  charset
}

// Lookup finds a page by its number, bare or as it is commonly written: "437",
// "cp850", "IBM850", "windows-1252", "MS932". Case does not matter. It knows
// 437, 720, 737, 775, 850, 852, 855, 857, 858, 860 to 866, 869, 874, 932, 936,
// 949, 950, 1250 to 1258, and 20127, which is ASCII.
func Lookup(name string) (Page, error) {
	number := strings.ToLower(strings.TrimSpace(name))
	for _, prefix := range []string{"windows", "codepage", "dos", "oem", "ibm", "win", "ms", "cp"} {
		if rest, ok := strings.CutPrefix(number, prefix); ok {
			number = strings.TrimLeft(rest, "-_ ")
			break
		}
	}
	set := lookup(number)
	if set == nil {
		return Page{}, fmt.Errorf("oem: unknown code page %q", name)
	}
	return Page{name: number, set: set}, nil
}

// lookup knows every page by its number.
func lookup(number string) charset {
	switch number {
	case "437":
		return single{charmap.CodePage437}
	case "720":
		return newTable(cp720)
	case "737":
		return newTable(cp737)
	case "775":
		return newTable(cp775)
	case "850":
		return single{charmap.CodePage850}
	case "852":
		return single{charmap.CodePage852}
	case "855":
		return single{charmap.CodePage855}
	case "857":
		return newTable(cp857)
	case "858":
		return single{charmap.CodePage858}
	case "860":
		return single{charmap.CodePage860}
	case "861":
		return newTable(cp861)
	case "862":
		return single{charmap.CodePage862}
	case "863":
		return single{charmap.CodePage863}
	case "864":
		return newTable(cp864)
	case "865":
		return single{charmap.CodePage865}
	case "866":
		return single{charmap.CodePage866}
	case "869":
		return newTable(cp869)
	case "874":
		return single{charmap.Windows874}
	case "932":
		return double{japanese.ShiftJIS}
	case "936":
		return double{simplifiedchinese.GBK}
	case "949":
		return double{korean.EUCKR}
	case "950":
		return double{traditionalchinese.Big5}
	}
	return lookupWindows(number)
}

// lookupWindows knows the pages that Windows calls ANSI.
func lookupWindows(number string) charset {
	switch number {
	case "1250":
		return single{charmap.Windows1250}
	case "1251":
		return single{charmap.Windows1251}
	case "1252":
		return single{charmap.Windows1252}
	case "1253":
		return single{charmap.Windows1253}
	case "1254":
		return single{charmap.Windows1254}
	case "1255":
		return single{charmap.Windows1255}
	case "1256":
		return single{charmap.Windows1256}
	case "1257":
		return single{charmap.Windows1257}
	case "1258":
		return single{charmap.Windows1258}
	case "20127":
		return ascii{}
	}
	return nil
}

// ASCII returns the page 20127, for where nothing else can be shown.
func ASCII() Page { return Page{name: "20127", set: ascii{}} }

// String returns the page's number: "850".
func (p Page) String() string {
	if p.set == nil {
		return Default
	}
	return p.name
}

func (p Page) charset() charset {
	if p.set == nil {
		return single{charmap.CodePage850}
	}
	return p.set
}

// Upper returns s in upper case as far as the page has the capital letters,
// character by character: "müller" becomes "MÜLLER", "straße" keeps its ß, and
// ÿ stays small in a page without Ÿ.
func (p Page) Upper(s string) string {
	set := p.charset()
	return strings.Map(func(r rune) rune {
		upper := toUpper(r)
		if upper < utf8.RuneSelf || upper == r {
			return upper
		}
		if _, ok := set.appendRune(nil, upper); ok {
			return upper
		}
		return r
	}, s)
}

// toUpper leaves alone the letters whose capital belongs to another letter, as
// Windows does: otherwise two different names could become one.
func toUpper(r rune) rune {
	switch r {
	case 'ı', 'ſ', 'µ':
		return r
	}
	return unicode.ToUpper(r)
}
