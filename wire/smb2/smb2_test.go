package smb2_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"messngr/wire/smb2"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// RFC 4493 4.
func TestCMAC(t *testing.T) {
	key := [16]byte(unhex(t, "2b7e151628aed2a6abf7158809cf4f3c"))
	m := unhex(t, "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710")
	for n, want := range map[int]string{
		0:  "bb1d6929e95937287fa37d129b756746",
		16: "070a16b46b4d4144f79bdd9dd04a287c",
		40: "dfa66747de9ae63030ca32611497c827",
		64: "51f0bebf7e3b9d92fc49741779363cfe",
	} {
		if got := smb2.CMAC(key, m[:n]); hex.EncodeToString(got[:]) != want {
			t.Errorf("AES-CMAC of %d bytes is %x, want %s", n, got, want)
		}
	}
}

// The keys of a published example of SMB 3.0 ("Encryption in SMB 3.0: A protocol
// perspective", Microsoft's open specifications support team).
func TestDerive(t *testing.T) {
	key := [16]byte(unhex(t, "b4546771b515f766a86735532dd6c4f0"))
	for label, want := range map[[2]string]string{
		{"SMB2AESCCM\x00", "ServerIn \x00"}: "261b72350558f2e9dcf613070383edbf",
		{"SMB2AESCCM\x00", "ServerOut\x00"}: "8fe2b57ec34d2db5b1a9727f526bbdb5",
	} {
		if got := smb2.Derive(key, label[0], label[1]); hex.EncodeToString(got[:]) != want {
			t.Errorf("key for %q is %x, want %s", label, got, want)
		}
	}
}

func TestHeaders(t *testing.T) {
	for _, h := range []smb2.Header{
		{Command: smb2.Ioctl, Credits: 31, MessageID: 7, Tree: 5, Session: 0x1122334455667788, Signed: true, Signature: [16]byte{1, 2, 3}},
		{Command: smb2.Create, Status: smb2.NameNotFound, Response: true, Tree: 1},
		{Command: smb2.Read, Status: smb2.Pending, Response: true, Async: true},
	} {
		b := h.Append(nil)
		got, err := smb2.ParseHeader(b)
		if diff := cmp.Diff(h, got); err != nil || diff != "" || len(b) != smb2.HeaderSize {
			t.Errorf("%v, %d bytes (-want +got):\n%s", err, len(b), diff)
		}
	}
	good := (&smb2.Header{}).Append(nil)
	for name, b := range map[string][]byte{
		"nothing": nil, "SMB 1": append([]byte("\xffSMB"), good[4:]...), "cut short": good[:63],
		"two in one": append(append(append([]byte(nil), good[:20]...), 0x40, 0, 0, 0), good[24:]...),
	} {
		if h, err := smb2.ParseHeader(b); err == nil {
			t.Errorf("%s: %+v, want an error", name, h)
		}
	}
}

// TestRequests draws each body; where a real server answered it is the business of
// package ipc and of interop.
func TestRequests(t *testing.T) {
	id := smb2.FileID(bytes.Repeat([]byte{0xab}, 16))
	for _, tt := range []struct {
		name string
		got  []byte
		want string
	}{
		{"session setup", smb2.AppendSessionSetup(nil, []byte("token")),
			"1900 00 01 00000000 00000000 5800 0500 0000000000000000 746f6b656e"},
		{"tree connect", smb2.AppendTreeConnect(nil, `\\B\IPC$`),
			"0900 0000 4800 1000 5c005c0042005c004900500043002400"},
		{"create", smb2.AppendCreate(nil, "ab"),
			"3900 00 00 02000000 0000000000000000 0000000000000000 9f011200 00000000 07000000 01000000 00000000 7800 0400 00000000 00000000 61006200"},
		{"transceive", smb2.AppendTransceive(nil, id, []byte("data"), 1024),
			"3900 0000 17c01100 " + strings.Repeat("ab", 16) + " 78000000 04000000 00000000 00000000 00000000 00040000 01000000 00000000 64617461"},
		{"validate", smb2.AppendValidate(nil, [16]byte{1, 2}),
			"3900 0000 04021400 " + strings.Repeat("ff", 16) + " 78000000 22000000 00000000 00000000 00000000 18000000 01000000 00000000" +
				"40000000 01020000000000000000000000000000 0100 0500 0202 1002 0003 0203 1103"},
		{"write", smb2.AppendWrite(nil, id, []byte("data")),
			"3100 7000 04000000 0000000000000000 " + strings.Repeat("ab", 16) + " 00000000 00000000 0000 0000 00000000 64617461"},
		{"read", smb2.AppendRead(nil, id, 1024),
			"3100 50 00 00040000 0000000000000000 " + strings.Repeat("ab", 16) + " 00000000 00000000 00000000 0000 0000 00"},
		{"close", smb2.AppendClose(nil, id), "1800 0000 00000000 " + strings.Repeat("ab", 16)},
		{"logoff", smb2.AppendLogoff(nil), "0400 0000"},
	} {
		if want := unhex(t, tt.want); !bytes.Equal(tt.got, want) {
			t.Errorf("%s is\n%x, want\n%x", tt.name, tt.got, want)
		}
	}
	b := smb2.AppendNegotiate(nil, [16]byte{1}, [32]byte{2})
	if want := unhex(t, "2400 0500 0100 0000 40000000 01000000000000000000000000000000 70000000 0200 0000"+
		"0202 1002 0003 0203 1103 0000 0100 2600 00000000 0100 2000 0100 02"+strings.Repeat("00", 31)+"0000"+
		"0200 0600 00000000 0200 0200 0100"); !bytes.Equal(b, want) {
		t.Errorf("negotiate is\n%x, want\n%x", b, want)
	}
}

// response is a message with a header and that body.
func response(t testing.TB, body string) []byte {
	return append((&smb2.Header{Response: true}).Append(nil), unhex(t, body)...)
}

func TestResponses(t *testing.T) {
	id := strings.Repeat("cd", 16)
	const zeros16 = "00000000000000000000000000000000"
	hash := "0100 2600 00000000 0100 2000 0100" + zeros16 + zeros16 + "0000"
	middle := zeros16 + "00000000 00008000" + strings.Repeat("00", 28)
	for body, want := range map[string]uint16{
		"1103 0100" + middle + "80000000" + hash:                                                                      0,
		"1103 0200" + middle + "80000000" + hash + "0200 0400 00000000 0100 0200":                                     2,
		"1103 0300" + middle + "80000000" + hash + "8800 0100 00000000 1100000000000000 0200 0400 00000000 0100 0100": 1,
		"1103 0200" + middle + "80000000 0200 0400 00000000 0100 0000 00000000" + hash:                                0,
		"1103 0200" + middle + "80000000 0200 0400 00000000 0100 7700 00000000" + hash:                                0,
		"0003 0000" + middle + "00000000":                                                                             0,
		"0003 0000" + zeros16 + "40000000 00008000" + strings.Repeat("00", 28) + "00000000":                           1,
		"1002 0000" + zeros16 + "40000000 00008000" + strings.Repeat("00", 28) + "00000000":                           0,
	} {
		n, err := smb2.ParseNegotiated(response(t, "4100 0100"+body))
		if err != nil || n.HasCipher() != want {
			t.Errorf("%s: negotiated %+v, %v, want cipher %d", body, n, err, want)
		}
	}
	s, err := smb2.ParseSession(response(t, "0900 0500 4800 0300 616263"))
	if diff := cmp.Diff(smb2.Session{Guest: true, Encrypted: true, Token: []byte("abc")}, s); err != nil || diff != "" {
		t.Errorf("%v, session (-want +got):\n%s", err, diff)
	}
	created, err := smb2.ParseCreated(response(t, "5900"+strings.Repeat("00", 62)+id+strings.Repeat("00", 8)))
	if err != nil || hex.EncodeToString(created[:]) != id {
		t.Errorf("created %x, %v", created, err)
	}
	data, err := smb2.ParseTransceived(response(t, "3100 0000 17c01100"+id+"70000000 00000000 70000000 03000000 00000000 00000000 616263"))
	if err != nil || string(data) != "abc" {
		t.Errorf("transceived %q, %v", data, err)
	}
	written, err := smb2.ParseWritten(response(t, "1100 0000 03000000 00000000 0000 0000"))
	if err != nil || written != 3 {
		t.Errorf("written %d, %v", written, err)
	}
	for flags, want := range map[string]bool{"30000000": false, "30800000": true} {
		if got, err := smb2.ParseTree(response(t, "1000 02 00"+flags+"00000000 ff011f00")); err != nil || got != want {
			t.Errorf("share with flags %s: encrypted %v, %v", flags, got, err)
		}
	}
	data, err = smb2.ParseRead(response(t, "1100 50 00 03000000 00000000 00000000 616263"))
	if err != nil || string(data) != "abc" {
		t.Errorf("read %q, %v", data, err)
	}
}

// TestConfirmed: what was negotiated is told once more, or something else.
func TestConfirmed(t *testing.T) {
	server := strings.Repeat("5e", 16)
	n, err := smb2.ParseNegotiated(response(t, "4100 0300 0003 0000"+server+"47000000"+strings.Repeat("00", 36)))
	if err != nil {
		t.Fatal(err)
	}
	told := func(data string) []byte {
		return response(t, "3100 0000 04021400"+strings.Repeat("ff", 16)+"70000000 00000000 70000000 18000000 00000000 00000000"+data)
	}
	for data, want := range map[string]bool{
		"47000000" + server + "0300 0003":         true,
		"07000000" + server + "0300 0003":         false,
		"47000000" + server[:30] + "00 0300 0003": false,
		"47000000" + server + "0100 0003":         false,
		"47000000" + server + "0300 1103":         false,
	} {
		if got, err := n.Confirmed(told(data)); got != want || err != nil {
			t.Errorf("%s: %v, %v, want %v", data, got, err, want)
		}
	}
	if got, err := n.Confirmed(told("")); got || err == nil {
		t.Errorf("nothing confirms: %v, %v", got, err)
	}
}

// TestLyingResponses: no offset and no length is believed.
func TestLyingResponses(t *testing.T) {
	for name, b := range map[string][]byte{
		"too short":          response(t, "0900"),
		"another structure":  response(t, "0800 0000 4800 0300 616263"),
		"beyond the end":     response(t, "0900 0000 4800 0400 616263"),
		"inside the header":  response(t, "0900 0000 3000 0400 616263"),
		"far beyond the end": response(t, "0900 0000 ffff ffff 616263"),
	} {
		if s, err := smb2.ParseSession(b); err == nil {
			t.Errorf("%s: %+v, want an error", name, s)
		}
	}
	if n, err := smb2.ParseNegotiated(response(t, "4100 0100 ff02"+strings.Repeat("00", 58))); err == nil {
		t.Errorf("another dialect: %+v, want an error", n)
	}
	for _, contexts := range []string{"0100" + strings.Repeat("00", 52) + "80000000", "0100" + strings.Repeat("00", 52) + "ffffffff",
		"0100" + strings.Repeat("00", 52) + "10000000", "0100" + strings.Repeat("00", 52) + "80000000 0200 0500 00000000 0100 0200",
		// No hash, another one, two of them, and the right one twice.
		"0000" + strings.Repeat("00", 56),
		"0100" + strings.Repeat("00", 52) + "80000000 0100 0600 00000000 0100 0000 0200",
		"0100" + strings.Repeat("00", 52) + "80000000 0100 0800 00000000 0200 0000 0100 0200",
		"0200" + strings.Repeat("00", 52) + "80000000 0100 0600 00000000 0100 0000 0100 0000 0100 0600 00000000 0100 0000 0100",
	} {
		if n, err := smb2.ParseNegotiated(response(t, "4100 0100 1103 "+contexts)); err == nil {
			t.Errorf("contexts %s: %+v, want an error", contexts, n)
		}
	}
	if d, err := smb2.ParseTransceived(response(t, "3100"+strings.Repeat("00", 30)+"ffffffff ffffffff"+strings.Repeat("00", 8))); err == nil {
		t.Errorf("4 GB: %x, want an error", d)
	}
}

// TestSigning: what was changed is noticed, in each dialect, with a key of its own.
func TestSigning(t *testing.T) {
	key := bytes.Repeat([]byte{7}, 16)
	var transcript smb2.Transcript
	transcript.Add([]byte("negotiate"))
	seen := make(map[string]bool)
	for _, dialect := range []uint16{smb2.Dialect202, smb2.Dialect300, smb2.Dialect311} {
		s := smb2.NewSigner(dialect, key, transcript)
		m := append((&smb2.Header{Command: smb2.Close, Signed: true}).Append(nil), "body"...)
		s.Sign(m)
		if !s.Verify(m) || seen[string(m[48:64])] {
			t.Errorf("%#x: signature %x", dialect, m[48:64])
		}
		seen[string(m[48:64])] = true
		for i := range m {
			m[i] ^= 1
			if s.Verify(m) {
				t.Errorf("%#x: a change of byte %d is not noticed", dialect, i)
			}
			m[i] ^= 1
		}
		if s.Verify(m[:10]) {
			t.Errorf("%#x: ten bytes are signed", dialect)
		}
	}
	other := transcript
	other.Add([]byte("something else"))
	m := (&smb2.Header{}).Append(nil)
	smb2.NewSigner(smb2.Dialect311, key, transcript).Sign(m)
	if smb2.NewSigner(smb2.Dialect311, key, other).Verify(m) {
		t.Error("another beginning of the connection is not noticed")
	}
}

// TestSealing: what was encrypted can be opened by the other side, and by nobody who has
// changed a bit of it.
func TestSealing(t *testing.T) {
	var transcript smb2.Transcript
	transcript.Add([]byte("negotiate"))
	key := bytes.Repeat([]byte{7}, 16)
	for _, n := range smb2.Ciphers {
		ours, theirs := n.NewCipher(key, transcript, 42), n.NewServerCipher(key, transcript, 42)
		seen := make(map[string]bool)
		for _, m := range []string{"a message", "a message", "", strings.Repeat("0123456789", 50)} {
			b := ours.Seal([]byte(m))
			if seen[string(b)] || len(m) > 0 && bytes.Contains(b, []byte(m)) {
				t.Errorf("%+v: %q is sealed as %q", n, m, b)
			}
			seen[string(b)] = true
			if got, err := theirs.Open(b); err != nil || string(got) != m {
				t.Errorf("%+v: opened as %q, %v", n, got, err)
			}
			if got, err := ours.Open(b); err == nil {
				t.Errorf("%+v: our own is opened as %q", n, got)
			}
			for i := range b {
				b[i] ^= 1
				if got, err := theirs.Open(b); err == nil {
					t.Errorf("%+v: a change of byte %d is not noticed: %q", n, i, got)
				}
				b[i] ^= 1
			}
		}
		if got, err := theirs.Open([]byte("\xfdSMB")); err == nil {
			t.Errorf("four bytes are opened as %q", got)
		}
	}
	if c := (&smb2.Negotiated{Dialect: smb2.Dialect311}).NewCipher(key, transcript, 42); c != nil {
		t.Error("a cipher that was not agreed on")
	}
}

// RFC 3610 8, packet vectors 1 and 7.
func TestCCM(t *testing.T) {
	for _, tt := range []struct {
		nonce, message, additional, want string
		tag                              int
	}{
		{"00000003020100a0a1a2a3a4a5", "08090a0b0c0d0e0f101112131415161718191a1b1c1d1e", "0001020304050607",
			"588c979a61c663d2f066d0c2c0f989806d5f6b61dac384 17e8d12cfdf926e0", 8},
		{"00000009080706a0a1a2a3a4a5", "08090a0b0c0d0e0f101112131415161718191a1b1c1d1e", "0001020304050607",
			"0135d1b2c95f41d5d1d4fec185d166b8094e999dfed96c 048c56602c97acbb7490", 10},
	} {
		got, err := smb2.SealCCM(unhex(t, "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf"), unhex(t, tt.nonce), unhex(t, tt.message), unhex(t, tt.additional), tt.tag)
		if err != nil || !bytes.Equal(got, unhex(t, tt.want)) {
			t.Errorf("%x, %v, want %s", got, err, tt.want)
		}
	}
}

// FuzzResponses: nothing that a server says is more than an error.
func FuzzResponses(f *testing.F) {
	for _, body := range []string{"0900 0500 4800 0300 616263", "1100 50 00 03000000 00000000 00000000 616263",
		"4100 0100 1103 0100" + strings.Repeat("00", 52) + "80000000 0200 0400 00000000 0100 0200"} {
		f.Add(response(f, body))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := smb2.ParseHeader(b); err == nil {
			got, err := smb2.ParseHeader(h.Append(nil))
			if diff := cmp.Diff(h, got); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		}
		_, _ = smb2.ParseNegotiated(b)
		_, _ = smb2.ParseTree(b)
		_, _ = smb2.ParseWritten(b)
		_, _ = smb2.ParseCreated(b)
		for _, parse := range []func([]byte) ([]byte, error){smb2.ParseTransceived, smb2.ParseRead, func(b []byte) ([]byte, error) {
			s, err := smb2.ParseSession(b)
			return s.Token, err
		}} {
			if data, err := parse(b); err == nil && len(data) > len(b)-smb2.HeaderSize {
				t.Errorf("%d bytes out of a message of %d", len(data), len(b))
			}
		}
	})
}
