package smb2

import (
	"crypto/aes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
)

// A Transcript is the hash of the first messages of a connection and of a login, by which
// both sides see that nobody has changed them (MS-SMB2 3.1.4.4.1). It counts for dialect
// 3.1.1 only.
type Transcript [sha512.Size]byte

// Add takes in one message.
func (t *Transcript) Add(message []byte) { *t = sha512.Sum512(append(t[:], message...)) }

// A Signer signs the messages of a session.
type Signer struct {
	key  [16]byte
	cmac bool
}

// NewSigner returns the signer for a session of that dialect and key (MS-SMB2 3.1.4.1,
// 3.1.4.2). transcript is of all messages up to the client's last one of the login.
func NewSigner(dialect uint16, sessionKey []byte, transcript Transcript) *Signer {
	var key [16]byte
	copy(key[:], sessionKey)
	switch {
	case dialect == Dialect311:
		key = derive(key, "SMBSigningKey\x00", string(transcript[:]))
	case dialect >= Dialect300:
		key = derive(key, "SMB2AESCMAC\x00", "SmbSign\x00")
	}
	return &Signer{key, dialect >= Dialect300}
}

// derive is the function of SP800-108 5.1 with HMAC-SHA256 (MS-SMB2 3.1.4.2).
func derive(key [16]byte, label, context string) [16]byte {
	h := hmac.New(sha256.New, key[:])
	h.Write([]byte("\x00\x00\x00\x01" + label + "\x00" + context + "\x00\x00\x00\x80"))
	return [16]byte(h.Sum(nil))
}

// Sign puts the signature into a message whose header says that it is signed.
func (s *Signer) Sign(message []byte) {
	sum := s.sum(message)
	copy(message[48:64], sum[:])
}

// Verify reports whether the signature of a message is right.
func (s *Signer) Verify(message []byte) bool {
	sum := s.sum(message)
	return len(message) >= HeaderSize && hmac.Equal(sum[:], message[48:64])
}

// sum computes the signature, over the message with zeros in its place.
func (s *Signer) sum(message []byte) [16]byte {
	m := append([]byte(nil), message...)
	if len(m) >= HeaderSize {
		clear(m[48:64])
	}
	if s.cmac {
		return cmac(s.key, m)
	}
	h := hmac.New(sha256.New, s.key[:])
	h.Write(m)
	return [16]byte(h.Sum(nil))
}

// cmac is AES-CMAC (RFC 4493 2.4).
func cmac(key [16]byte, m []byte) [16]byte {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // keys of 16 bytes are keys
	}
	var sub [16]byte
	block.Encrypt(sub[:], sub[:])
	sub = double(sub)
	last := m[max(0, (len(m)-1)/16*16):]
	m = m[:len(m)-len(last)]
	var tail [16]byte
	if copy(tail[:], last) < 16 {
		tail[len(last)] = 0x80
		sub = double(sub)
	}
	var x [16]byte
	mix := func(b []byte) {
		for i := range x {
			x[i] ^= b[i]
		}
	}
	for ; len(m) > 0; m = m[16:] {
		mix(m)
		block.Encrypt(x[:], x[:])
	}
	mix(tail[:])
	mix(sub[:])
	block.Encrypt(x[:], x[:])
	return x
}

// double multiplies by two in the field of RFC 4493 2.3.
func double(b [16]byte) [16]byte {
	carry := b[0] >> 7
	for i := range b {
		b[i] <<= 1
		if i < 15 {
			b[i] |= b[i+1] >> 7
		}
	}
	b[15] ^= carry * 0x87
	return b
}
