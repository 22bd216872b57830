package netbios

import (
	"errors"
	"fmt"
	"strings"
)

const (
	encodedLabel = 2 * len(Name{}) // letters of a first-level encoded name
	maxScopePart = 63              // bytes of one label of a scope
	maxDomain    = 255             // bytes of an encoded domain name
)

// MaxScope is the longest scope identifier, in bytes, its dots included: encoded it is
// a domain name of 255 bytes (RFC 1035 2.3.4). RFC 1002 4.1 counts the name itself in,
// which leaves 220 bytes; the name servers of Windows and Samba do not, and take 237.
const MaxScope = maxDomain - 1 - 1

// MaxEncoded is the longest encoded name with its scope, in bytes.
const MaxEncoded = 1 + encodedLabel + maxDomain

var errShort = errors.New("netbios: encoded name is cut short")

// AppendEncoded appends the second-level encoding of the name within scope to b:
//
//	0x20, 32 letters A to P, { length, label }..., 0x00
//
// Each byte of the name is two letters, its high nibble first (first-level encoding,
// RFC 1001 14.1). The scope is a domain name without the final dot, or empty. It is an error
// if the scope has an empty label, one of more than 63 bytes, or more than MaxScope
// bytes; b is then returned as it was.
func (n Name) AppendEncoded(b []byte, scope string) ([]byte, error) {
	if err := checkScope(scope); err != nil {
		return b, err
	}
	b = append(b, byte(encodedLabel))
	for _, c := range n {
		b = append(b, 'A'+c>>4, 'A'+c&15)
	}
	for scope != "" {
		var label string
		label, scope, _ = strings.Cut(scope, ".")
		b = append(b, byte(len(label)))
		b = append(b, label...)
	}
	return append(b, 0), nil
}

func checkScope(scope string) error {
	if scope == "" {
		return nil
	}
	if len(scope) > MaxScope {
		return fmt.Errorf("netbios: scope has %d bytes, at most %d are possible", len(scope), MaxScope)
	}
	for label := range strings.SplitSeq(scope, ".") {
		if label == "" || len(label) > maxScopePart {
			return fmt.Errorf("netbios: scope %q has a label of %d bytes, 1 to %d are possible", scope, len(label), maxScopePart)
		}
	}
	return nil
}

// ParseEncoded reads one second-level encoded name from the front of b and returns
// it with its scope and the bytes that follow it. Label pointers are refused: they
// occur in name service packets only (RFC 1002 4.2.1), whose package resolves them.
// A label that holds a dot is refused because no scope in text could stand for it.
func ParseEncoded(b []byte) (name Name, scope string, rest []byte, err error) {
	const head = 1 + encodedLabel
	if len(b) < head+1 {
		return Name{}, "", nil, errShort
	}
	if b[0] != byte(encodedLabel) {
		return Name{}, "", nil, fmt.Errorf("netbios: first label has length byte %#02x, not %#02x", b[0], encodedLabel)
	}
	for i := range name {
		hi, lo := b[1+2*i]-'A', b[2+2*i]-'A'
		if hi > 15 || lo > 15 {
			return Name{}, "", nil, fmt.Errorf("netbios: %q is no first-level encoding", string(b[1+2*i:3+2*i]))
		}
		name[i] = hi<<4 | lo
	}
	scope, rest, err = parseScope(b[head:])
	if err != nil {
		return Name{}, "", nil, err
	}
	return name, scope, rest, nil
}

// parseScope reads labels up to and including the empty one. No scope costs no
// allocation: that is the case on nearly every network.
func parseScope(b []byte) (scope string, rest []byte, err error) {
	var text [MaxScope + 1]byte
	n := 0
	for {
		if len(b) == 0 {
			return "", nil, errShort
		}
		size := int(b[0])
		b = b[1:]
		switch {
		case size == 0:
			return string(text[min(1, n):n]), b, nil
		case size > maxScopePart:
			return "", nil, fmt.Errorf("netbios: label has length byte %#02x", size)
		case size > len(b):
			return "", nil, errShort
		case n+1+size > len(text):
			return "", nil, fmt.Errorf("netbios: scope is longer than %d bytes", MaxScope)
		}
		text[n] = '.'
		copy(text[n+1:], b[:size])
		if strings.Contains(string(b[:size]), ".") {
			return "", nil, fmt.Errorf("netbios: scope label %q holds a dot", string(b[:size]))
		}
		n += 1 + size
		b = b[size:]
	}
}

// SameScope reports whether two scopes are the same one. Capital and small ASCII
// letters do not differ, as in all domain names (RFC 1001 14.1, RFC 1035 2.3.3).
func SameScope(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if capital(a[i]) != capital(b[i]) {
			return false
		}
	}
	return true
}

func capital(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - ('a' - 'A')
	}
	return c
}
