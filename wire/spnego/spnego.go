// Package spnego puts the messages of NTLM into the envelope in which file servers want
// them: the negotiation of who proves what by which means, with one means to choose from
// (RFC 4178, MS-SPNG).
package spnego

import (
	"errors"
	"fmt"
)

// The tags of DER and of the structures (RFC 4178 4.2, RFC 2743 3.1).
const (
	tagOctets      = 0x04
	tagOID         = 0x06
	tagEnumerated  = 0x0a
	tagSequence    = 0x30
	tagApplication = 0x60
	tagInit        = 0xa0
	tagResponse    = 0xa1
	tagField       = 0xa0 // and the number of the field
)

// The names of the means (RFC 4178 3, MS-SPNG 1.9).
const (
	oidSPNEGO = "\x2b\x06\x01\x05\x05\x02"
	oidNTLM   = "\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"
)

// AppendInit writes the client's first message, which offers NTLM, and brings the first
// message of that.
func AppendInit(b, token []byte) []byte {
	fields := append(element(tagField, Means()), element(tagField+2, element(tagOctets, token))...)
	offer := element(tagInit, element(tagSequence, fields))
	return append(b, element(tagApplication, append(element(tagOID, []byte(oidSPNEGO)), offer...))...)
}

// Means returns the list of means that AppendInit offers, as it is written: what the
// client signs, so that nobody can have shortened it on its way.
func Means() []byte { return element(tagSequence, element(tagOID, []byte(oidNTLM))) }

// AppendResponse writes a later message of the client, or, for tests of clients, one of
// the server. signature is that of the list of means, nil for none.
func AppendResponse(b, token, signature []byte) []byte {
	fields := element(tagField+2, element(tagOctets, token))
	if signature != nil {
		fields = append(fields, element(tagField+3, element(tagOctets, signature))...)
	}
	return append(b, element(tagResponse, element(tagSequence, fields))...)
}

// element writes one element of DER.
func element(tag byte, content []byte) []byte {
	b := []byte{tag}
	switch n := len(content); {
	case n < 0x80:
		b = append(b, byte(n))
	case n <= 0xff:
		b = append(b, 0x81, byte(n))
	case n <= 0xffff:
		b = append(b, 0x82, byte(n>>8), byte(n))
	default:
		b = append(b, 0x84, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(b, content...)
}

// The states of a negotiation that a server tells (RFC 4178 4.2.2).
const (
	stateRejected   = 2
	stateRequestMIC = 3
)

// ParseResponse returns the message of NTLM that a server's message brings, nil if it
// brings none. It fails if the server has chosen another means, or none.
func ParseResponse(b []byte) ([]byte, error) {
	response, _, err := read(b, tagResponse)
	if err != nil {
		return nil, err
	}
	fields, _, err := read(response, tagSequence)
	if err != nil {
		return nil, err
	}
	var token []byte
	for len(fields) > 0 {
		tag := fields[0]
		field, rest, err := read(fields, tag)
		if err != nil {
			return nil, err
		}
		switch tag {
		case tagField:
			state, _, err := read(field, tagEnumerated)
			if err != nil || len(state) != 1 || state[0] == stateRejected || state[0] == stateRequestMIC {
				return nil, fmt.Errorf("spnego: the server refuses NTLM (state %x)", state)
			}
		case tagField + 1:
			if oid, _, err := read(field, tagOID); err != nil || string(oid) != oidNTLM {
				return nil, errors.New("spnego: the server wants something else than NTLM")
			}
		case tagField + 2:
			if token, _, err = read(field, tagOctets); err != nil {
				return nil, err
			}
		}
		fields = rest
	}
	return token, nil
}

// read reads an element of that tag and returns what follows it. Lengths of more than four
// bytes are no lengths.
func read(b []byte, tag byte) (content, rest []byte, err error) {
	if len(b) < 2 || b[0] != tag {
		return nil, nil, fmt.Errorf("spnego: no element %#02x", tag)
	}
	n, at := int64(b[1]), 2
	if n >= 0x80 {
		count := int(n & 0x7f)
		if count < 1 || count > 4 || len(b) < 2+count {
			return nil, nil, fmt.Errorf("spnego: length of %d bytes", count)
		}
		n, at = 0, 2+count
		for _, c := range b[2:at] {
			n = n<<8 | int64(c)
		}
	}
	if n > int64(len(b)-at) {
		return nil, nil, fmt.Errorf("spnego: element of %d bytes, %d are left", n, len(b)-at)
	}
	end := at + int(n)
	return b[at:end:end], b[end:], nil
}
