package ntlm

import (
	"encoding/binary"
	"math/bits"
)

// md4 returns the digest of RFC 1320. It is broken, and part of what a password is turned
// into (MS-NLMP 3.3.1); nothing else may use it.
func md4(message []byte) [16]byte {
	m := append(append([]byte(nil), message...), 0x80)
	for len(m)%64 != 56 {
		m = append(m, 0)
	}
	m = binary.LittleEndian.AppendUint64(m, uint64(len(message))*8)
	state := [4]uint32{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}
	for ; len(m) > 0; m = m[64:] {
		state = md4Block(state, m[:64])
	}
	var digest [16]byte
	for i, s := range state {
		binary.LittleEndian.PutUint32(digest[4*i:], s)
	}
	return digest
}

// md4Block takes in one block (RFC 1320 3.4).
func md4Block(state [4]uint32, block []byte) [4]uint32 {
	var x [16]uint32
	for i := range x {
		x[i] = binary.LittleEndian.Uint32(block[4*i:])
	}
	rounds := [3]struct {
		mix   func(x, y, z uint32) uint32
		add   uint32
		order [16]int
		shift [4]int
	}{
		{func(x, y, z uint32) uint32 { return x&y | ^x&z }, 0,
			[16]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, [4]int{3, 7, 11, 19}},
		{func(x, y, z uint32) uint32 { return x&y | x&z | y&z }, 0x5a827999,
			[16]int{0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15}, [4]int{3, 5, 9, 13}},
		{func(x, y, z uint32) uint32 { return x ^ y ^ z }, 0x6ed9eba1,
			[16]int{0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15}, [4]int{3, 9, 11, 15}},
	}
	a, b, c, d := state[0], state[1], state[2], state[3]
	for _, r := range rounds {
		for i, k := range r.order {
			a = bits.RotateLeft32(a+r.mix(b, c, d)+x[k]+r.add, r.shift[i%4])
			a, b, c, d = d, a, b, c
		}
	}
	return [4]uint32{state[0] + a, state[1] + b, state[2] + c, state[3] + d}
}
