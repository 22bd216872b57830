package smb2

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"errors"
)

// ccm is a block cipher of 16 bytes in the mode of RFC 3610, which the standard library
// does not have. It is a cipher.AEAD.
type ccm struct {
	block      cipher.Block
	nonce, tag int // sizes in bytes
}

func (c *ccm) NonceSize() int { return c.nonce }
func (c *ccm) Overhead() int  { return c.tag }

// Seal encrypts a message, and puts the tag behind it.
func (c *ccm) Seal(dst, nonce, message, additional []byte) []byte {
	tag := c.mac(nonce, message, additional)
	stream := c.stream(nonce)
	stream.XORKeyStream(tag[:], tag[:])
	out := make([]byte, len(message))
	stream.XORKeyStream(out, message)
	return append(append(dst, out...), tag[:c.tag]...)
}

// Open decrypts a message.
func (c *ccm) Open(dst, nonce, sealed, additional []byte) ([]byte, error) {
	if len(sealed) < c.tag {
		return nil, errors.New("smb2: message is shorter than its tag")
	}
	var told [16]byte
	end := len(sealed) - c.tag
	copy(told[:], sealed[end:])
	stream := c.stream(nonce)
	stream.XORKeyStream(told[:], told[:])
	out := make([]byte, end)
	stream.XORKeyStream(out, sealed[:end])
	tag := c.mac(nonce, out, additional)
	if subtle.ConstantTimeCompare(tag[:c.tag], told[:c.tag]) != 1 {
		return nil, errors.New("smb2: message is not what its tag says")
	}
	return append(dst, out...), nil
}

// stream is the key stream, of which the first block is for the tag (RFC 3610 2.3).
func (c *ccm) stream(nonce []byte) cipher.Stream {
	var a [16]byte
	a[0] = byte(14 - c.nonce)
	copy(a[1:], nonce)
	return cipher.NewCTR(c.block, a[:])
}

// mac computes the tag before it is encrypted (RFC 3610 2.2).
func (c *ccm) mac(nonce, message, additional []byte) [16]byte {
	var x [16]byte
	x[0] = byte((c.tag-2)/2<<3 + 14 - c.nonce)
	if len(additional) > 0 {
		x[0] |= 0x40
	}
	binary.BigEndian.PutUint64(x[8:], uint64(len(message)))
	copy(x[1:], nonce) // over the upper bytes of a length that has none
	c.block.Encrypt(x[:], x[:])
	mix := func(b []byte) {
		for len(b) > 0 {
			n := subtle.XORBytes(x[:], x[:], b)
			c.block.Encrypt(x[:], x[:])
			b = b[n:]
		}
	}
	if len(additional) > 0 { // fewer than 65,280 bytes
		mix(append(binary.BigEndian.AppendUint16(nil, uint16(len(additional))), additional...))
	}
	mix(message)
	return x
}
