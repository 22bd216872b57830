package smb2

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
)

// sealedSize is how long the header of an encrypted message is (MS-SMB2 2.2.41):
//
//	 0  FD "SMB" | tag (16)
//	20  nonce (16, of which 12 count)
//	36  size u32 | reserved u16 | flags u16 | session u64
//
// Everything from the nonce on is protected by the tag.
const sealedSize = 52

const sealedProtocol = "\xfdSMB"

// A Cipher encrypts the messages of a session in dialect 3.1.1. It is for one goroutine
// at a time.
type Cipher struct {
	seal, open cipher.AEAD
	session    uint64
	nonce      uint64
}

// NewCipher returns the cipher of a client for a session of that number and key (MS-SMB2
// 3.1.4.2). transcript is what the Signer's is.
func NewCipher(sessionKey []byte, transcript Transcript, session uint64) *Cipher {
	return newCipher(sessionKey, transcript, session, "SMBC2SCipherKey\x00", "SMBS2CCipherKey\x00")
}

func newCipher(sessionKey []byte, transcript Transcript, session uint64, seal, open string) *Cipher {
	var key [16]byte
	copy(key[:], sessionKey)
	return &Cipher{seal: gcm(derive(key, seal, string(transcript[:]))), open: gcm(derive(key, open, string(transcript[:]))), session: session}
}

func gcm(key [16]byte) cipher.AEAD {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // keys of 16 bytes are keys
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // blocks of AES are blocks
	}
	return aead
}

// IsSealed reports whether a message is encrypted.
func IsSealed(b []byte) bool { return len(b) >= 4 && string(b[:4]) == sealedProtocol }

// Seal encrypts a message.
func (c *Cipher) Seal(message []byte) []byte {
	var nonce [16]byte
	c.nonce++ // never the same with one key
	binary.LittleEndian.PutUint64(nonce[:], c.nonce)
	b := append([]byte(sealedProtocol), make([]byte, 16)...)
	b = append(b, nonce[:]...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(message)))
	b = append(b, 0, 0, 1, 0)
	b = binary.LittleEndian.AppendUint64(b, c.session)
	sealed := c.seal.Seal(nil, nonce[:12], message, b[20:])
	tag := sealed[len(message):]
	copy(b[4:], tag)
	return append(b, sealed[:len(message)]...)
}

// Open decrypts a message. It fails if anything of it is not as it was written.
func (c *Cipher) Open(b []byte) ([]byte, error) {
	if len(b) < sealedSize || !IsSealed(b) || int64(binary.LittleEndian.Uint32(b[36:])) != int64(len(b)-sealedSize) ||
		binary.LittleEndian.Uint16(b[42:]) != 1 || binary.LittleEndian.Uint64(b[44:]) != c.session {
		return nil, errors.New("smb2: not an encrypted message of this session")
	}
	sealed := append(append([]byte(nil), b[sealedSize:]...), b[4:20]...)
	message, err := c.open.Open(nil, b[20:32], sealed, b[20:sealedSize])
	if err != nil {
		return nil, errors.New("smb2: an encrypted message was changed on its way")
	}
	return message, nil
}
