package smb

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

const (
	formatDialect = 0x02
	// maxDialects is far more than any client has offered.
	maxDialects = 64
	// noDialect says that none of the dialects is spoken (MS-CIFS 2.2.4.52.2).
	noDialect = 0xFFFF
	// maxBuffer is the longest request in bytes that the server wants to see.
	maxBuffer = 4356
)

// Dialects reads the body of a Negotiate request (MS-CIFS 2.2.4.52.1):
//
//	00 | count | 02 dialect 00 | 02 dialect 00 ...
func (p Packet) Dialects() ([]string, error) {
	if err := p.checkWords(0); err != nil {
		return nil, err
	}
	var dialects []string
	for rest := p.Data; len(rest) > 0; {
		if len(dialects) == maxDialects {
			return nil, fmt.Errorf("smb: more than %d dialects", maxDialects)
		}
		var dialect []byte
		var err error
		if dialect, rest, err = cutString(rest, formatDialect); err != nil {
			return nil, fmt.Errorf("smb: dialect: %w", err)
		}
		dialects = append(dialects, string(dialect))
	}
	return dialects, nil
}

// AppendNegotiated appends the answer of a server that only takes messages to a client
// that offers dialects. It chooses the oldest of them that it knows, because messages
// belong to all and the answer is the smallest then, and offers nothing: no security, no
// resources, no capabilities. Without a known dialect the answer says so, and the client
// can still send.
func (h Header) AppendNegotiated(b []byte, dialects []string) []byte {
	h = h.Answer(0)
	choose := func(known func(string) bool) (index uint16, ok bool) {
		i := slices.IndexFunc(dialects, known)
		return uint16(i), i >= 0
	}
	if i, ok := choose(isCore); ok {
		return h.appendHead(b, 0, i)
	}
	if i, ok := choose(isLANManager); ok {
		return h.appendLANManager(b, i)
	}
	if i, ok := choose(isNT); ok {
		return h.appendNT(b, i)
	}
	return h.appendHead(b, 0, noDialect)
}

func isCore(dialect string) bool {
	return dialect == "PC NETWORK PROGRAM 1.0" || dialect == "PCLAN1.0"
}

func isLANManager(dialect string) bool {
	return strings.HasPrefix(dialect, "LANMAN") || strings.HasPrefix(dialect, "LM1.2X") ||
		strings.HasPrefix(dialect, "DOS LANMAN") || strings.HasPrefix(dialect, "DOS LM1.2X") ||
		dialect == "MICROSOFT NETWORKS 3.0"
}

func isNT(dialect string) bool { return dialect == "NT LM 0.12" }

// appendLANManager appends 13 words: dialect, security mode, greatest buffer, requests
// and circuits at once, raw mode, session key (2), time, date, zone, length of the
// challenge, reserved (the LANMAN1.0 form, as smbd sends it).
func (h Header) appendLANManager(b []byte, dialect uint16) []byte {
	return h.appendHead(b, 0, dialect, 0, maxBuffer, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0)
}

// appendNT appends 17 words (MS-CIFS 2.2.4.52.2): dialect, security mode (1 byte),
// requests and circuits at once, greatest buffer (4), greatest raw buffer (4), session
// key (4), capabilities (4), time (8), zone, length of the challenge (1 byte); then the
// names of domain and server, both empty.
func (h Header) appendNT(b []byte, dialect uint16) []byte {
	le := binary.LittleEndian
	var words [34]byte
	le.PutUint16(words[0:], dialect)
	le.PutUint16(words[3:], 1)
	le.PutUint16(words[5:], 1)
	le.PutUint32(words[7:], maxBuffer)
	b = h.append(b)
	b = append(b, byte(len(words)/2))
	b = append(b, words[:]...)
	b = le.AppendUint16(b, 2)
	return append(b, 0, 0)
}
