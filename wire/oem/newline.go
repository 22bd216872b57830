package oem

import "strings"

// Newline is how a line break is written on the wire.
type Newline string

// The conventions of the senders. Receivers take all of them.
const (
	DC4  Newline = "\x14" // Windows (MS-MSRP 2.2.3)
	CRLF Newline = "\r\n" // smbclient, and text of RPC messages
	LF   Newline = "\n"   // Unix
)

// Normalize turns every line break, 0x14, CR LF, LF CR, LF or CR, into "\n".
// Text must be joined before, since a block can end inside of a line break.
func Normalize(s string) string {
	if !strings.ContainsAny(s, "\r\x14") {
		return s
	}
	var out strings.Builder
	out.Grow(len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != '\n' && c != '\r' && c != 0x14 {
			out.WriteByte(c)
			continue
		}
		if i+1 < len(s) && (c == '\r' && s[i+1] == '\n' || c == '\n' && s[i+1] == '\r') {
			i++
		}
		out.WriteByte('\n')
	}
	return out.String()
}

// ToWire writes the line breaks of s in one convention, whichever they are.
func ToWire(s string, n Newline) string {
	return strings.ReplaceAll(Normalize(s), "\n", string(n))
}
