// Package ntlm proves to a server that its client knows a password, by NTLM version 2: the
// three messages, and the key that both have afterwards (MS-NLMP). Older versions are not
// spoken.
package ntlm

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rc4"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"messngr/wire/utf16le"
)

// signature begins each message, and is followed by its type.
const signature = "NTLMSSP\x00"

// Flags say what both sides can do and want (MS-NLMP 2.2.2.5).
type Flags uint32

// The flags that matter here.
const (
	Unicode          Flags = 0x00000001
	RequestTarget    Flags = 0x00000004
	Sign             Flags = 0x00000010
	NTLM             Flags = 0x00000200
	Anonymous        Flags = 0x00000800
	AlwaysSign       Flags = 0x00008000
	ExtendedSecurity Flags = 0x00080000
	TargetInfo       Flags = 0x00800000
	Key128           Flags = 0x20000000
	KeyExchange      Flags = 0x40000000
)

// offered are the flags of a client.
const offered = Unicode | RequestTarget | Sign | NTLM | AlwaysSign | ExtendedSecurity | Key128 | KeyExchange

// The kinds of attribute-value pairs that matter here (MS-NLMP 2.2.2.1).
const (
	avEnd        = 0
	avFlags      = 6
	avTimestamp  = 7
	avTargetName = 9
)

// avMIC says, among the flags of the pairs, that the message has a MIC.
const avMIC = 2

// Credentials are who a client is. Without a user it is nobody.
type Credentials struct {
	User, Domain, Password string
}

// Random is what has to be unpredictable in an answer.
type Random struct {
	Challenge [8]byte
	Key       [16]byte
}

// Negotiate returns the first message, from the client (MS-NLMP 2.2.1.1).
func Negotiate() []byte {
	b := append([]byte(signature), 1, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(offered))
	return append(b, make([]byte, 16)...) // neither domain nor machine
}

// Challenge is the second message, from the server (MS-NLMP 2.2.1.2).
type Challenge struct {
	Flags  Flags
	Server [8]byte
	// Target is the server's or its domain's name, and Info its attribute-value pairs,
	// both as they were written.
	Target, Info []byte
}

// ParseChallenge reads the second message.
func ParseChallenge(b []byte) (Challenge, error) {
	if len(b) < 48 || string(b[:8]) != signature || binary.LittleEndian.Uint32(b[8:]) != 2 {
		return Challenge{}, errors.New("ntlm: not a challenge")
	}
	c := Challenge{Flags: Flags(binary.LittleEndian.Uint32(b[20:])), Server: [8]byte(b[24:])}
	var err error
	if c.Target, err = field(b, 12); err != nil {
		return Challenge{}, err
	}
	if c.Flags&TargetInfo != 0 {
		if c.Info, err = field(b, 40); err != nil {
			return Challenge{}, err
		}
		if _, err = pair(c.Info, avEnd); err != nil {
			return Challenge{}, err
		}
	}
	return c, nil
}

// Append writes the message, for tests of clients.
func (c *Challenge) Append(b []byte) []byte {
	b = append(append(b, signature...), 2, 0, 0, 0)
	at := uint32(48)
	b = appendField(b, &at, c.Target)
	b = binary.LittleEndian.AppendUint32(b, uint32(c.Flags))
	b = append(append(b, c.Server[:]...), make([]byte, 8)...)
	b = appendField(b, &at, c.Info)
	return append(append(b, c.Target...), c.Info...)
}

// field reads what the length and the offset at a place of a message say.
func field(b []byte, at int) ([]byte, error) {
	n, offset := int64(binary.LittleEndian.Uint16(b[at:])), int64(binary.LittleEndian.Uint32(b[at+4:]))
	if n == 0 {
		return nil, nil
	}
	if offset+n > int64(len(b)) {
		return nil, fmt.Errorf("ntlm: %d bytes at %d of %d", n, offset, len(b))
	}
	return b[offset : offset+n : offset+n], nil
}

// appendField writes length, room and offset of data, which goes behind what went before.
func appendField(b []byte, at *uint32, data []byte) []byte {
	b = binary.LittleEndian.AppendUint16(b, uint16(len(data)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(data)))
	b = binary.LittleEndian.AppendUint32(b, *at)
	*at += uint32(len(data))
	return b
}

// pair finds the value of a pair, nil if there is none. It fails if the pairs do not end.
func pair(info []byte, kind uint16) ([]byte, error) {
	var value []byte
	for rest := info; len(rest) >= 4; {
		id, n := binary.LittleEndian.Uint16(rest), int(binary.LittleEndian.Uint16(rest[2:]))
		rest = rest[4:]
		switch {
		case id == avEnd:
			return value, nil
		case n > len(rest):
			return nil, errors.New("ntlm: pair is cut short")
		case id == kind:
			value = rest[:n:n]
		}
		rest = rest[n:]
	}
	return nil, errors.New("ntlm: pairs without an end")
}

// Proof is the third message, from the client, and what follows from it.
type Proof struct {
	Message []byte
	// Key is what both sides know afterwards, and nobody else, unless the client is nobody.
	Key []byte

	flags Flags
}

// Authenticate returns the third message, and the key that the session has afterwards
// (MS-NLMP 3.1.5.1.2, 3.3.2). target is the service that the client means, such as
// "cifs/HOST": the proof is good for no other, where servers look at it; "" for any.
// negotiate and challenge are the first two messages as they were sent; now is the time in
// units of 100 ns since 1601, for servers that do not tell theirs. It fails if the server
// does not speak NTLM version 2.
func Authenticate(c Credentials, target string, negotiate, challenge []byte, random Random, now uint64) (Proof, error) {
	server, err := ParseChallenge(challenge)
	if err != nil {
		return Proof{}, err
	}
	if server.Flags&(Unicode|ExtendedSecurity) != Unicode|ExtendedSecurity || server.Info == nil && c.User != "" {
		return Proof{}, fmt.Errorf("ntlm: the server speaks no NTLM version 2 (flags %#x)", uint32(server.Flags))
	}
	flags := server.Flags & (offered | TargetInfo)
	if c.User == "" {
		key, sealed, err := exchange(flags, make([]byte, 16), random)
		if err != nil {
			return Proof{}, err
		}
		return Proof{Message: appendAuthenticate(flags|Anonymous, Credentials{}, []byte{0}, nil, sealed), Key: key}, nil
	}
	stamp, err := pair(server.Info, avTimestamp)
	if err != nil {
		return Proof{}, err
	}
	stamped := len(stamp) == 8
	if stamped {
		now = binary.LittleEndian.Uint64(stamp)
	}
	info := answered(server.Info, target, stamped)
	owf := passwordKey(c)
	proof, base := respond(owf, server.Server, random.Challenge, now, info)
	lm := make([]byte, 24)
	if !stamped {
		lm = append(mac(owf, server.Server[:], random.Challenge[:]), random.Challenge[:]...)
	}
	key, sealed, err := exchange(flags, base, random)
	if err != nil {
		return Proof{}, err
	}
	message := appendAuthenticate(flags, c, lm, proof, sealed)
	if stamped {
		copy(message[micAt:], mac(key, negotiate, challenge, message))
	}
	return Proof{Message: message, Key: key, flags: flags}, nil
}

// exchange returns the session's key, and how it is told to the server, if it is not the
// base itself (MS-NLMP 3.1.5.1.2).
func exchange(flags Flags, base []byte, random Random) (key, sealed []byte, err error) {
	if flags&KeyExchange == 0 {
		return base, nil, nil
	}
	key = bytes.Clone(random.Key[:])
	sealed, err = seal(base, key)
	return key, sealed, err
}

// The constants from which keys are made (MS-NLMP 3.4.5).
const (
	clientSigning = "session key to client-to-server signing key magic constant\x00"
	clientSealing = "session key to client-to-server sealing key magic constant\x00"
)

// Sign returns the client's signature of b, the first of the session (MS-NLMP 3.4.4.2);
// nil if the two have not agreed on one with keys of 128 bits. There is no second.
func (p *Proof) Sign(b []byte) ([]byte, error) {
	if p.flags&(Sign|Key128) != Sign|Key128 {
		return nil, nil
	}
	signing := md5.Sum(append(bytes.Clone(p.Key), clientSigning...))
	sum := mac(signing[:], make([]byte, 4), b)[:8] // the signature's number is 0
	if p.flags&KeyExchange != 0 {
		sealing := md5.Sum(append(bytes.Clone(p.Key), clientSealing...))
		var err error
		if sum, err = seal(sealing[:], sum); err != nil {
			return nil, err
		}
	}
	return append(append([]byte{1, 0, 0, 0}, sum...), 0, 0, 0, 0), nil
}

// passwordKey turns a password into a key (MS-NLMP 3.3.2: NTOWFv2).
func passwordKey(c Credentials) []byte {
	digest := md4(utf16le.Encode(c.Password))
	return mac(digest[:], utf16le.Encode(strings.ToUpper(c.User)+c.Domain))
}

// respond returns the response to a challenge, and the base of the session's key
// (MS-NLMP 3.3.2: ComputeResponse).
func respond(owf []byte, server, client [8]byte, now uint64, info []byte) (response, base []byte) {
	temp := []byte{1, 1, 0, 0, 0, 0, 0, 0}
	temp = binary.LittleEndian.AppendUint64(temp, now)
	temp = append(append(temp, client[:]...), 0, 0, 0, 0)
	temp = append(append(temp, info...), 0, 0, 0, 0)
	proof := mac(owf, server[:], temp)
	return append(bytes.Clone(proof), temp...), mac(owf, proof)
}

// answered returns the server's pairs as they are sent back to it: with the service that is
// meant, and with the flag for a message that has a MIC (MS-NLMP 3.1.5.1.2).
func answered(info []byte, target string, mic bool) []byte {
	var out []byte
	flags := uint32(0)
	for rest := info; len(rest) >= 4; {
		id, n := binary.LittleEndian.Uint16(rest), int(binary.LittleEndian.Uint16(rest[2:]))
		if id == avEnd {
			break
		}
		switch {
		case id == avFlags && n == 4:
			flags = binary.LittleEndian.Uint32(rest[4:])
		case id == avTargetName && target != "":
			// Which service is meant is not for the server to say.
		default:
			out = append(out, rest[:4+n]...)
		}
		rest = rest[4+n:]
	}
	if mic {
		flags |= avMIC
	}
	if flags != 0 {
		out = binary.LittleEndian.AppendUint32(append(out, avFlags, 0, 4, 0), flags)
	}
	if target != "" {
		name := utf16le.Encode(target)
		out = binary.LittleEndian.AppendUint16(append(out, avTargetName, 0), uint16(len(name)))
		out = append(out, name...)
	}
	return append(out, avEnd, 0, 0, 0)
}

// The layout of the third message (MS-NLMP 2.2.1.3): behind the six fields, the flags and
// the version stands the MIC, then what the fields point to.
const (
	micAt   = 72
	dataAt  = micAt + 16
	version = "\x0a\x00\x00\x00\x00\x00\x00\x0f" // revision 15 of the protocol
)

// appendAuthenticate writes the third message, with zeros for its MIC.
func appendAuthenticate(flags Flags, c Credentials, lm, nt, sealed []byte) []byte {
	const negotiatesVersion Flags = 0x02000000
	b := append([]byte(signature), 3, 0, 0, 0)
	at := uint32(dataAt)
	fields := [][]byte{lm, nt, utf16le.Encode(c.Domain), utf16le.Encode(c.User), nil, sealed}
	for _, f := range fields {
		b = appendField(b, &at, f)
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(flags|negotiatesVersion))
	b = append(append(b, version...), make([]byte, 16)...)
	for _, f := range fields {
		b = append(b, f...)
	}
	return b
}

// seal encrypts data by RC4, which is all that NTLM knows.
func seal(key, data []byte) ([]byte, error) {
	c, err := rc4.NewCipher(key)
	if err != nil {
		return nil, err
	}
	out := make([]byte, len(data))
	c.XORKeyStream(out, data)
	return out, nil
}

func mac(key []byte, parts ...[]byte) []byte {
	h := hmac.New(md5.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}
