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
//	20  nonce (16, of which 11 or 12 count)
//	36  size u32 | reserved u16 | flags u16 | session u64
//
// Everything from the nonce on is protected by the tag.
const sealedSize = 52

const sealedProtocol = "\xfdSMB"

// The ciphers (MS-SMB2 2.2.3.1.2).
const (
	aes128CCM = 1
	aes128GCM = 2
)

// A Cipher encrypts the messages of a session in dialect 3.0 and later. It is for one
// goroutine at a time.
type Cipher struct {
	seal, open cipher.AEAD
	session    uint64
	nonce      uint64
}

// NewCipher returns the cipher of a client for a session of that number and key (MS-SMB2
// 3.1.4.2), nil if the two sides have none in common. transcript is what the Signer's is.
func (n *Negotiated) NewCipher(sessionKey []byte, transcript Transcript, session uint64) *Cipher {
	if n.Dialect == Dialect311 {
		return n.newCipher(sessionKey, [2]string{"SMBC2SCipherKey\x00", string(transcript[:])},
			[2]string{"SMBS2CCipherKey\x00", string(transcript[:])}, session)
	}
	return n.newCipher(sessionKey, [2]string{"SMB2AESCCM\x00", "ServerIn \x00"}, [2]string{"SMB2AESCCM\x00", "ServerOut\x00"}, session)
}

// newCipher returns a cipher with keys of those labels and contexts.
func (n *Negotiated) newCipher(sessionKey []byte, seal, open [2]string, session uint64) *Cipher {
	if n.cipher == 0 {
		return nil
	}
	var key [16]byte
	copy(key[:], sessionKey)
	return &Cipher{seal: n.aead(derive(key, seal[0], seal[1])), open: n.aead(derive(key, open[0], open[1])), session: session}
}

func (n *Negotiated) aead(key [16]byte) cipher.AEAD {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // keys of 16 bytes are keys
	}
	if n.cipher == aes128CCM {
		return &ccm{block: block, nonce: 11, tag: 16}
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // blocks of AES are blocks
	}
	return aead
}

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
	sealed := c.seal.Seal(nil, nonce[:c.seal.NonceSize()], message, b[20:])
	tag := sealed[len(message):]
	copy(b[4:], tag)
	return append(b, sealed[:len(message)]...)
}

// Open decrypts a message. It fails if anything of it is not as it was written.
func (c *Cipher) Open(b []byte) ([]byte, error) {
	if len(b) < sealedSize || string(b[:4]) != sealedProtocol || int64(binary.LittleEndian.Uint32(b[36:])) != int64(len(b)-sealedSize) ||
		binary.LittleEndian.Uint16(b[42:]) != 1 || binary.LittleEndian.Uint64(b[44:]) != c.session {
		return nil, errors.New("smb2: not an encrypted message of this session")
	}
	sealed := append(append([]byte(nil), b[sealedSize:]...), b[4:20]...)
	message, err := c.open.Open(nil, b[20:20+c.open.NonceSize()], sealed, b[20:sealedSize])
	if err != nil {
		return nil, errors.New("smb2: an encrypted message was changed on its way")
	}
	return message, nil
}
