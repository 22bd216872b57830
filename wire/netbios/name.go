// Package netbios knows NetBIOS names: sixteen bytes, the meaning of the last
// one, and the two encodings that carry them over TCP/IP (RFC 1001 14, RFC 1002 4.1).
package netbios

import (
	"fmt"
	"strings"
)

// MaxLabel is the longest label of a name, in bytes: the sixteenth byte is the suffix.
const MaxLabel = 15

// A Name is a NetBIOS name as every NetBIOS protocol carries it: fifteen bytes in
// the OEM code page of whoever made it, padded on the right with blanks, and the
// suffix. Names are compared byte by byte (MS-NBTE 2.2.1), so == is the right
// comparison and a Name is a good map key. The zero Name is not a valid name.
type Name [MaxLabel + 1]byte

// New returns the name that has the given label and suffix. The label is 1 to 15
// bytes, already in the OEM code page, and not blank; its letters a to z are turned
// into capitals, all other bytes are taken as they are, so the caller capitalises
// letters outside ASCII before it encodes them.
func New(label string, suffix Suffix) (Name, error) {
	if len(label) > MaxLabel {
		return Name{}, fmt.Errorf("netbios: name %q has %d bytes, at most %d are possible", label, len(label), MaxLabel)
	}
	if strings.Trim(label, " ") == "" {
		return Name{}, fmt.Errorf("netbios: name %q is blank", label)
	}
	var n Name
	for i := range MaxLabel {
		c := byte(' ')
		if i < len(label) {
			c = label[i]
		}
		n[i] = capital(c)
	}
	n[MaxLabel] = byte(suffix)
	return n, nil
}

// Wildcard returns the name that every node answers to: an asterisk and fifteen
// zero bytes (RFC 1002 4.2.17, RFC 1001 17.2 for datagrams).
func Wildcard() Name {
	return Name{'*'}
}

// MSBrowse returns the group name that all master browsers of a subnet hold
// (MS-BRWS 2.1.1.1).
func MSBrowse() Name {
	return Name([]byte("\x01\x02__MSBROWSE__\x02\x01"))
}

// Label returns the name without its suffix and without the blanks that pad it,
// still in the OEM code page. The label of Wildcard is "*".
func (n Name) Label() string {
	if n == Wildcard() {
		return "*"
	}
	return strings.TrimRight(string(n[:MaxLabel]), " ")
}

// Suffix returns the sixteenth byte, which says what the name is for.
func (n Name) Suffix() Suffix {
	return Suffix(n[MaxLabel])
}

// WithSuffix returns the name that has the same label and the suffix s.
func (n Name) WithSuffix(s Suffix) Name {
	n[MaxLabel] = byte(s)
	return n
}

// String returns the name in the usual notation of label and hexadecimal suffix,
// PC17<03>. Bytes that are not printable ASCII, and the backslash, appear as \xHH:
// the result is safe to print and different for different names.
func (n Name) String() string {
	const hex = "0123456789abcdef"
	var b strings.Builder
	for _, c := range []byte(n.Label()) {
		if c < ' ' || c > '~' || c == '\\' {
			b.WriteString(`\x`)
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
			continue
		}
		b.WriteByte(c)
	}
	b.WriteString(n.Suffix().String())
	return b.String()
}
