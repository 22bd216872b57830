package ntlm_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rc4"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr/wire/ntlm"
	"messngr/wire/utf16le"
)

// RFC 1320 A.5.
func TestMD4(t *testing.T) {
	for s, want := range map[string]string{
		"":               "31d6cfe0d16ae931b73c59d7e0c089c0",
		"a":              "bde52cb31de33e46245e05fbdbd6fb24",
		"abc":            "a448017aaf21d8525fc10ae87aa6729d",
		"message digest": "d9130a8164549fe818874806e1c7014b",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789":                   "043f8582f241db351ce627e153e7f0e4",
		"12345678901234567890123456789012345678901234567890123456789012345678901234567890": "e33b4ddc9c38f2199c3e7b164fcc0536",
	} {
		if got := ntlm.MD4([]byte(s)); hex.EncodeToString(got[:]) != want {
			t.Errorf("MD4(%q) = %x, want %s", s, got, want)
		}
	}
}

func pair(id uint16, value []byte) []byte {
	b := binary.LittleEndian.AppendUint16(nil, id)
	return append(binary.LittleEndian.AppendUint16(b, uint16(len(value))), value...)
}

// The example of MS-NLMP 4.2.4: user, password, challenges, and what comes of them.
var (
	example = ntlm.Credentials{User: "User", Domain: "Domain", Password: "Password"}
	server  = [8]byte{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef}
	client  = [8]byte{0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa}
	info    = append(append(pair(2, utf16le.Encode("Domain")), pair(1, utf16le.Encode("Server"))...), 0, 0, 0, 0)
)

func TestExample(t *testing.T) {
	owf := ntlm.PasswordKey(example)
	response, base := ntlm.Respond(owf, server, client, 0, info)
	sealed, err := ntlm.Seal(base, bytes.Repeat([]byte{0x55}, 16))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		got  []byte
		want string
	}{
		{"NTOWFv2 (4.2.4.1.1)", owf, "0c868a403bfd7a93a3001ef22ef02e3f"},
		{"session base key (4.2.4.1.2)", base, "8de40ccadbc14a82f15cb0ad0de95ca3"},
		{"NTLMv2 response (4.2.4.2.2)", response[:16], "68cd0ab851e51c96aabc927bebef6a1c"},
		{"encrypted session key (4.2.4.2.3)", sealed, "c5dad2544fc9799094ce1ce90bc9d03e"},
	} {
		if hex.EncodeToString(tt.got) != tt.want {
			t.Errorf("%s is %x, want %s", tt.name, tt.got, tt.want)
		}
	}
}

const flags = ntlm.Unicode | ntlm.ExtendedSecurity | ntlm.TargetInfo | ntlm.KeyExchange | ntlm.Sign | ntlm.NTLM | ntlm.Key128

var random = ntlm.Random{Challenge: client, Key: [16]byte(bytes.Repeat([]byte{0x55}, 16))}

// fieldOf reads a field of the third message.
func fieldOf(t *testing.T, m []byte, number int) []byte {
	t.Helper()
	at := 12 + 8*number
	n, offset := int(binary.LittleEndian.Uint16(m[at:])), int(binary.LittleEndian.Uint32(m[at+4:]))
	if offset+n > len(m) {
		t.Fatalf("field %d: %d bytes at %d of %d", number, n, offset, len(m))
	}
	return m[offset : offset+n]
}

func TestAuthenticate(t *testing.T) {
	challenge := (&ntlm.Challenge{Flags: flags, Server: server, Target: utf16le.Encode("Server"), Info: info}).Append(nil)
	proof, err := ntlm.Authenticate(example, "", ntlm.Negotiate(), challenge, random, 0)
	if err != nil {
		t.Fatal(err)
	}
	m, key := proof.Message, proof.Key
	if !bytes.Equal(key, random.Key[:]) {
		t.Errorf("key %x", key)
	}
	for i, want := range []string{
		"86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa", // MS-NLMP 4.2.4.2.1
		"68cd0ab851e51c96aabc927bebef6a1c0101000000000000" + "0000000000000000" + "aaaaaaaaaaaaaaaa" + "00000000" +
			hex.EncodeToString(info) + "00000000",
		hex.EncodeToString(utf16le.Encode("Domain")), hex.EncodeToString(utf16le.Encode("User")), "", "c5dad2544fc9799094ce1ce90bc9d03e",
	} {
		if got := hex.EncodeToString(fieldOf(t, m, i)); got != want {
			t.Errorf("field %d is %s, want %s", i, got, want)
		}
	}
	if mic := m[72:88]; !bytes.Equal(mic, make([]byte, 16)) {
		t.Errorf("a MIC for a server that told no time: %x", mic)
	}
}

// TestMIC: a server that tells its time gets a MIC over all three messages, and is told so.
func TestMIC(t *testing.T) {
	stamp := binary.LittleEndian.AppendUint64(nil, 0x01d97a0bb6bb3780)
	told := append(append(pair(2, utf16le.Encode("Domain")), pair(7, stamp)...), 0, 0, 0, 0)
	negotiate := ntlm.Negotiate()
	challenge := (&ntlm.Challenge{Flags: flags, Server: server, Info: told}).Append(nil)
	proof, err := ntlm.Authenticate(example, "", negotiate, challenge, random, 42)
	if err != nil {
		t.Fatal(err)
	}
	m, key := proof.Message, proof.Key
	if lm := fieldOf(t, m, 0); !bytes.Equal(lm, make([]byte, 24)) {
		t.Errorf("LM response %x, want none", lm)
	}
	nt := fieldOf(t, m, 1)
	if !bytes.Equal(nt[24:32], stamp) || !bytes.Contains(nt, pair(6, []byte{2, 0, 0, 0})) {
		t.Errorf("NT response %x, want the server's time and the flag of the MIC", nt)
	}
	mic := bytes.Clone(m[72:88])
	copy(m[72:88], make([]byte, 16))
	h := hmac.New(md5.New, key)
	h.Write(append(append(append([]byte(nil), negotiate...), challenge...), m...))
	if !hmac.Equal(mic, h.Sum(nil)) {
		t.Errorf("MIC %x, want %x", mic, h.Sum(nil))
	}
}

// TestTarget: the proof names the service that the client means, whatever the server says.
func TestTarget(t *testing.T) {
	meant, other := pair(9, utf16le.Encode("cifs/beta")), pair(9, utf16le.Encode("cifs/victim"))
	stamp := pair(7, make([]byte, 8))
	for name, tt := range map[string]struct{ info, want []byte }{
		"told":           {slices.Concat(stamp, pair(2, nil)), slices.Concat(stamp, pair(2, nil), pair(6, []byte{2, 0, 0, 0}), meant)},
		"no time":        {pair(2, nil), slices.Concat(pair(2, nil), meant)},
		"another target": {slices.Concat(other, stamp), slices.Concat(stamp, pair(6, []byte{2, 0, 0, 0}), meant)},
		"other flags":    {slices.Concat(pair(6, []byte{1, 0, 0, 0}), pair(2, nil)), slices.Concat(pair(2, nil), pair(6, []byte{1, 0, 0, 0}), meant)},
	} {
		challenge := (&ntlm.Challenge{Flags: flags, Server: server, Info: append(tt.info, 0, 0, 0, 0)}).Append(nil)
		proof, err := ntlm.Authenticate(example, "cifs/beta", ntlm.Negotiate(), challenge, random, 0)
		if err != nil {
			t.Fatal(err)
		}
		nt := fieldOf(t, proof.Message, 1)
		if got, want := nt[44:len(nt)-4], append(tt.want, 0, 0, 0, 0); !bytes.Equal(got, want) {
			t.Errorf("%s: the pairs are %x, want %x", name, got, want)
		}
	}
}

// The example of MS-NLMP 4.2.4.4, in which the 18 bytes of the text were encrypted before
// their signature: that is further on in the key stream than a signature alone.
func TestSign(t *testing.T) {
	stream := make([]byte, 18+8)
	c, err := rc4.NewCipher([]byte("\x59\xf6\x00\x97\x3c\xc4\x96\x0a\x25\x48\x0a\x7c\x19\x6e\x4c\x58"))
	if err != nil {
		t.Fatal(err)
	}
	c.XORKeyStream(stream, stream)
	want := []byte("\x01\x00\x00\x00\x7f\xb3\x8e\xc5\xc5\x5d\x49\x76\x00\x00\x00\x00")
	for i := range 8 {
		want[4+i] ^= stream[18+i] ^ stream[i]
	}
	sign := func(f ntlm.Flags) []byte {
		challenge := (&ntlm.Challenge{Flags: f, Server: server, Target: utf16le.Encode("Server"), Info: info}).Append(nil)
		proof, err := ntlm.Authenticate(example, "", ntlm.Negotiate(), challenge, random, 0)
		if err != nil {
			t.Fatal(err)
		}
		sum, err := proof.Sign(utf16le.Encode("Plaintext"))
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	if got := sign(flags); !bytes.Equal(got, want) {
		t.Errorf("signature %x, want %x", got, want)
	}
	if got := sign(flags &^ ntlm.KeyExchange); len(got) != 16 || bytes.Equal(got, want) {
		t.Errorf("signature without a key exchange: %x", got)
	}
	for _, f := range []ntlm.Flags{ntlm.Sign, ntlm.Key128} {
		if got := sign(flags &^ f); got != nil {
			t.Errorf("without the flag %#x: signature %x", f, got)
		}
	}
}

func TestAnonymous(t *testing.T) {
	challenge := (&ntlm.Challenge{Flags: flags &^ ntlm.TargetInfo, Server: server}).Append(nil)
	proof, err := ntlm.Authenticate(ntlm.Credentials{}, "cifs/beta", ntlm.Negotiate(), challenge, random, 0)
	if err != nil {
		t.Fatal(err)
	}
	m, key := proof.Message, proof.Key
	if sealed, err := ntlm.Seal(make([]byte, 16), key); err != nil || !bytes.Equal(fieldOf(t, m, 5), sealed) {
		t.Errorf("the key is told as %x, want %x", fieldOf(t, m, 5), sealed)
	}
	if sum, err := proof.Sign([]byte("x")); err != nil || sum != nil {
		t.Errorf("nobody signs with %x, %v", sum, err)
	}
	if lm, nt, user := fieldOf(t, m, 0), fieldOf(t, m, 1), fieldOf(t, m, 3); !bytes.Equal(lm, []byte{0}) || len(nt)+len(user) > 0 {
		t.Errorf("responses %x and %x of %q", lm, nt, user)
	}
	if got := ntlm.Flags(binary.LittleEndian.Uint32(m[60:])); got&ntlm.Anonymous == 0 || !bytes.Equal(key, random.Key[:]) {
		t.Errorf("flags %#x, key %x", got, key)
	}
}

func TestChallenges(t *testing.T) {
	want := ntlm.Challenge{Flags: flags, Server: server, Target: utf16le.Encode("Server"), Info: info}
	b := want.Append(nil)
	got, err := ntlm.ParseChallenge(b)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	change := func(at int, v byte) []byte { c := bytes.Clone(b); c[at] = v; return c }
	for name, b := range map[string][]byte{
		"nothing":                    nil,
		"no signature":               change(0, 'X'),
		"another type":               change(8, 3),
		"a target beyond the end":    change(17, 0xff),
		"pairs beyond the end":       change(44, 0xff),
		"pairs without an end":       b[:len(b)-4],
		"a pair longer than the end": change(len(b)-18, 0xff),
	} {
		if c, err := ntlm.ParseChallenge(b); err == nil {
			t.Errorf("%s: %+v, want an error", name, c)
		}
	}
	for name, c := range map[string]ntlm.Challenge{
		"no Unicode": {Flags: flags &^ ntlm.Unicode, Info: info}, "version 1": {Flags: flags &^ ntlm.TargetInfo},
	} {
		if proof, err := ntlm.Authenticate(example, "", nil, c.Append(nil), random, 0); err == nil {
			t.Errorf("%s: answered with %x", name, proof.Message)
		}
	}
}

func FuzzAuthenticate(f *testing.F) {
	f.Add((&ntlm.Challenge{Flags: flags, Server: server, Target: utf16le.Encode("Server"), Info: info}).Append(nil))
	stamped := append(pair(7, make([]byte, 8)), 0, 0, 0, 0)
	f.Add((&ntlm.Challenge{Flags: flags, Server: server, Info: stamped}).Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ntlm.ParseChallenge(b)
		if err != nil {
			return
		}
		got, err := ntlm.ParseChallenge(c.Append(nil))
		if c.Flags&ntlm.TargetInfo == 0 {
			got.Info = c.Info
		}
		if diff := cmp.Diff(c, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		if proof, err := ntlm.Authenticate(example, "cifs/beta", ntlm.Negotiate(), b, random, 0); err == nil {
			for i := range 6 {
				fieldOf(t, proof.Message, i)
			}
		}
	})
}
