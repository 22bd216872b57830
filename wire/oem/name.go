package oem

import (
	"errors"
	"fmt"
	"strings"
)

// MaxName is the length limit of a message name in bytes of the page: a NetBIOS
// name without its suffix (RFC 1001 14.1, MS-MSRP 2.2.2.1).
const MaxName = 15

// ErrName is wrapped by every error of EncodeName.
var ErrName = errors.New("not a message name")

// EncodeName returns s as message names are compared and registered: in upper
// case, in the page, without blanks around it (MS-MSRP 2.2.2.1). It does not
// pad. The error wraps ErrName if s is empty, longer than MaxName bytes, has a
// control character or one that the page lacks: a name that is nearly right
// would be somebody else's.
func (p Page) EncodeName(s string) ([]byte, error) {
	s = strings.Trim(s, " ")
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			return nil, fmt.Errorf("oem: %w: %q has a control character", ErrName, s)
		}
	}
	b, lossy := p.Encode(p.Upper(s))
	switch {
	case len(b) == 0:
		return nil, fmt.Errorf("oem: %w: it is empty", ErrName)
	case lossy:
		return nil, fmt.Errorf("oem: %w: %q cannot be written in code page %s", ErrName, s, p)
	case len(b) > MaxName:
		return nil, fmt.Errorf("oem: %w: %q takes %d bytes, %d is the limit", ErrName, s, len(b), MaxName)
	}
	return b, nil
}

// DecodeName returns the text of a name in the page, without the blanks and
// zero bytes that pad it. It never takes a name for UTF-8, so that what
// EncodeName made comes back; Decode suits a name that may be either.
func (p Page) DecodeName(b []byte) string {
	return p.charset().decode([]byte(strings.TrimRight(string(b), " \x00")))
}
