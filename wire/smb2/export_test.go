package smb2

import "crypto/aes"

// CMAC and Derive are for the examples of their specifications.
var (
	CMAC   = cmac
	Derive = derive
)

// SealCCM is for the examples of RFC 3610, whose nonces are longer and tags shorter.
func SealCCM(key, nonce, message, additional []byte, tag int) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return (&ccm{block: block, nonce: len(nonce), tag: tag}).Seal(nil, nonce, message, additional), nil
}

// NewServerCipher is the cipher of the other side.
func (n *Negotiated) NewServerCipher(sessionKey []byte, t Transcript, session uint64) *Cipher {
	c := n.NewCipher(sessionKey, t, session)
	c.seal, c.open = c.open, c.seal
	return c
}

// Ciphers has the ciphers of each dialect.
var Ciphers = []Negotiated{
	{Dialect: Dialect300, cipher: aes128CCM}, {Dialect: Dialect311, cipher: aes128CCM}, {Dialect: Dialect311, cipher: aes128GCM},
}

// HasCipher says which cipher was agreed on.
func (n *Negotiated) HasCipher() uint16 { return n.cipher }
