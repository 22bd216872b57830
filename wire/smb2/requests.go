package smb2

import (
	"bytes"

	"messngr/wire/utf16le"
)

// The dialects, newest last (MS-SMB2 2.2.3).
const (
	Dialect202 uint16 = 0x0202
	Dialect210 uint16 = 0x0210
	Dialect300 uint16 = 0x0300
	Dialect302 uint16 = 0x0302
	Dialect311 uint16 = 0x0311
)

// offered are the dialects that a client offers.
type offered [5]uint16

func dialects() offered { return offered{Dialect202, Dialect210, Dialect300, Dialect302, Dialect311} }

// signingEnabled is the security mode of a client that signs where it can.
const signingEnabled = 1

// AppendNegotiate writes the body of the first request (MS-SMB2 2.2.3). salt makes the hash
// of the first messages a new one each time.
func AppendNegotiate(b []byte, client [16]byte, salt [32]byte) []byte {
	const fixed, list = 36, 2 * len(offered{})
	contexts := (HeaderSize + fixed + list + 7) &^ 7
	w := writer(b)
	w.u16(36)
	w.u16(uint16(len(offered{})))
	w.u16(signingEnabled)
	w.u16(0)
	w.u32(capabilityEncryption)
	w.raw(client[:])
	w.u32(uint32(contexts))
	w.u16(2)
	w.u16(0)
	for _, d := range dialects() {
		w.u16(d)
	}
	w.zeros(contexts - HeaderSize - fixed - list)
	// SMB2_PREAUTH_INTEGRITY_CAPABILITIES: SHA-512 (MS-SMB2 2.2.3.1.1).
	w.u16(contextPreauth)
	w.u16(6 + uint16(len(salt)))
	w.u32(0)
	w.u16(1)
	w.u16(uint16(len(salt)))
	w.u16(hashSHA512)
	w.raw(salt[:])
	w.zeros(2) // 38 bytes, and the next begins at a multiple of eight
	// SMB2_ENCRYPTION_CAPABILITIES: the ciphers, best first (MS-SMB2 2.2.3.1.2).
	w.u16(contextEncryption)
	w.u16(6)
	w.u32(0)
	w.u16(2)
	w.u16(aes128GCM)
	w.u16(aes128CCM)
	return w
}

// The negotiate contexts that matter here (MS-SMB2 2.2.3.1).
const (
	contextPreauth    = 1
	contextEncryption = 2
)

// hashSHA512 is the only hash that there is (MS-SMB2 2.2.3.1.1).
const hashSHA512 = 1

// capabilityEncryption says, in dialect 3.0 and later, that a side can encrypt.
const capabilityEncryption = 0x40

// AppendSessionSetup writes the body of a message of the login (MS-SMB2 2.2.5).
func AppendSessionSetup(b, token []byte) []byte {
	w := writer(b)
	w.u16(25)
	w.u8(0)
	w.u8(signingEnabled)
	w.u32(0)
	w.u32(0)
	w.u16(HeaderSize + 24)
	w.u16(uint16(len(token)))
	w.u64(0)
	w.raw(token)
	return w
}

// AppendTreeConnect writes the body of the request for a share, such as \\HOST\IPC$
// (MS-SMB2 2.2.9).
func AppendTreeConnect(b []byte, share string) []byte {
	name := utf16le.Encode(share)
	w := writer(b)
	w.u16(9)
	w.u16(0)
	w.u16(HeaderSize + 8)
	w.u16(uint16(len(name)))
	w.raw(name)
	return w
}

// AppendCreate writes the body of the request that opens a pipe (MS-SMB2 2.2.13).
func AppendCreate(b []byte, pipe string) []byte {
	const (
		impersonation = 2
		readWrite     = 0x0012019f // GENERIC_READ and GENERIC_WRITE, for a pipe
		shareAll      = 7
		open          = 1
	)
	name := utf16le.Encode(pipe)
	w := writer(b)
	w.u16(57)
	w.u8(0)
	w.u8(0)
	w.u32(impersonation)
	w.u64(0)
	w.u64(0)
	w.u32(readWrite)
	w.u32(0)
	w.u32(shareAll)
	w.u32(open)
	w.u32(0)
	w.u16(HeaderSize + 56)
	w.u16(uint16(len(name)))
	w.u32(0)
	w.u32(0)
	w.raw(name)
	if len(name) == 0 {
		w.u8(0)
	}
	return w
}

// A FileID is an open pipe.
type FileID [16]byte

// The control codes (MS-SMB2 2.2.31).
const (
	transceive = 0x0011C017 // writes to a pipe and reads from it, in one request (MS-FSCC 2.3.45)
	validate   = 0x00140204 // tells what was negotiated
)

// AppendTransceive writes the body of the request that writes data to a pipe and reads up
// to most bytes of its answer (MS-SMB2 2.2.31).
func AppendTransceive(b []byte, id FileID, data []byte, most uint32) []byte {
	return appendControl(b, transceive, id, data, most)
}

func appendControl(b []byte, code uint32, id FileID, data []byte, most uint32) []byte {
	const isFSCTL = 1
	w := writer(b)
	w.u16(57)
	w.u16(0)
	w.u32(code)
	w.raw(id[:])
	w.u32(HeaderSize + 56)
	w.u32(uint32(len(data)))
	w.u32(0)
	w.u32(0)
	w.u32(0)
	w.u32(most)
	w.u32(isFSCTL)
	w.u32(0)
	w.raw(data)
	return w
}

// AppendValidate writes the body of the request by which a client has what was said in the
// negotiation told once more, signed (MS-SMB2 2.2.31.4). client is what AppendNegotiate got.
func AppendValidate(b []byte, client [16]byte) []byte {
	w := writer(nil)
	w.u32(capabilityEncryption)
	w.raw(client[:])
	w.u16(signingEnabled)
	w.u16(uint16(len(offered{})))
	for _, d := range dialects() {
		w.u16(d)
	}
	none := FileID(bytes.Repeat([]byte{0xff}, 16))
	return appendControl(b, validate, none, w, uint32(len(toldAgain{})))
}

// AppendWrite writes the body of the request that writes a message to a pipe (MS-SMB2
// 2.2.21).
func AppendWrite(b []byte, id FileID, data []byte) []byte {
	w := writer(b)
	w.u16(49)
	w.u16(HeaderSize + 48)
	w.u32(uint32(len(data)))
	w.u64(0)
	w.raw(id[:])
	w.zeros(4 + 4 + 2 + 2 + 4)
	w.raw(data)
	return w
}

// AppendRead writes the body of the request that reads up to most bytes (MS-SMB2 2.2.19).
func AppendRead(b []byte, id FileID, most uint32) []byte {
	w := writer(b)
	w.u16(49)
	w.u8(HeaderSize + 16) // where the data is to stand in the answer
	w.u8(0)
	w.u32(most)
	w.u64(0)
	w.raw(id[:])
	w.zeros(4 + 4 + 4 + 2 + 2 + 1)
	return w
}

// AppendClose writes the body of the request that closes a pipe (MS-SMB2 2.2.15).
func AppendClose(b []byte, id FileID) []byte {
	w := writer(b)
	w.u16(24)
	w.u16(0)
	w.u32(0)
	w.raw(id[:])
	return w
}

// AppendLogoff writes the body of the last request (MS-SMB2 2.2.7).
func AppendLogoff(b []byte) []byte { return append(b, 4, 0, 0, 0) }
