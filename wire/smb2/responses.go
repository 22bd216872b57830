package smb2

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Negotiated is what a server chose (MS-SMB2 2.2.4).
type Negotiated struct {
	Dialect uint16

	cipher uint16 // that both know, 0 if there is none
	told   toldAgain
}

// toldAgain is what a server tells once more if it is asked for (MS-SMB2 2.2.32.6):
//
//	0  capabilities u32 | server (16) | security mode u16 | dialect u16
type toldAgain [24]byte

// ParseNegotiated reads the response to the first request; b is the whole message, as
// everywhere here.
func ParseNegotiated(b []byte) (Negotiated, error) {
	r, err := body(b, "response to negotiate", 65, 64)
	if err != nil {
		return Negotiated{}, err
	}
	n := Negotiated{
		Dialect: binary.LittleEndian.Uint16(r[4:]),
		told:    toldAgain(slices.Concat(r[24:28], r[8:24], r[2:4], r[4:6])),
	}
	switch n.Dialect {
	case Dialect202, Dialect210:
		return n, nil
	case Dialect300, Dialect302:
		if binary.LittleEndian.Uint32(r[24:])&capabilityEncryption != 0 {
			n.cipher = aes128CCM
		}
		return n, nil
	case Dialect311:
		err := n.readContexts(b, int(binary.LittleEndian.Uint16(r[6:])), binary.LittleEndian.Uint32(r[60:]))
		return n, err
	}
	return Negotiated{}, fmt.Errorf("smb2: the server chose the dialect %#04x", n.Dialect)
}

// Confirmed reports whether the response to AppendValidate says what n does: whether nobody
// has changed the negotiation on its way (MS-SMB2 3.2.5.14.12).
func (n *Negotiated) Confirmed(b []byte) (bool, error) {
	told, err := ParseTransceived(b)
	return err == nil && bytes.Equal(told, n.told[:]), err
}

// readContexts reads what else the server says in dialect 3.1.1 (MS-SMB2 2.2.4.1): by which
// hash the first messages are protected, which is to be ours (3.2.5.2), and the cipher.
func (n *Negotiated) readContexts(b []byte, count int, offset uint32) error {
	hashes := 0
	for at := int64(offset); count > 0; count-- {
		if at < HeaderSize || at+8 > int64(len(b)) {
			return fmt.Errorf("smb2: negotiate context at %d of %d", at, len(b))
		}
		kind, size := binary.LittleEndian.Uint16(b[at:]), uint32(binary.LittleEndian.Uint16(b[at+2:]))
		data, err := part(b, uint32(at)+8, size)
		if err != nil {
			return err
		}
		if kind == contextPreauth && len(data) >= 6 && binary.LittleEndian.Uint16(data) == 1 && binary.LittleEndian.Uint16(data[4:]) == hashSHA512 {
			hashes++
		}
		if kind == contextEncryption && len(data) >= 4 && binary.LittleEndian.Uint16(data) == 1 {
			if c := binary.LittleEndian.Uint16(data[2:]); c == aes128GCM || c == aes128CCM {
				n.cipher = c
			}
		}
		at = (at + 8 + int64(size) + 7) &^ 7
	}
	if hashes != 1 {
		return errors.New("smb2: the server protects the negotiation by another hash, or not at all")
	}
	return nil
}

// Session is the server's part of the login (MS-SMB2 2.2.6).
type Session struct {
	// Guest and Null say that the server has not proven, or does not know, who we are:
	// then nothing can be signed.
	Guest, Null bool
	// Encrypted says that the server takes nothing that is not.
	Encrypted bool
	Token     []byte
}

// ParseSession reads a response of the login.
func ParseSession(b []byte) (Session, error) {
	r, err := body(b, "response to session setup", 9, 8)
	if err != nil {
		return Session{}, err
	}
	flags := binary.LittleEndian.Uint16(r[2:])
	s := Session{Guest: flags&1 != 0, Null: flags&2 != 0, Encrypted: flags&4 != 0}
	s.Token, err = part(b, uint32(binary.LittleEndian.Uint16(r[4:])), uint32(binary.LittleEndian.Uint16(r[6:])))
	return s, err
}

// shareEncrypts is the flag of a share that takes nothing that is not encrypted.
const shareEncrypts = 0x8000

// ParseTree reads the response to the request for a share, whose number is in the header
// (MS-SMB2 2.2.10). It reports whether the share takes nothing that is not encrypted.
func ParseTree(b []byte) (encrypted bool, err error) {
	r, err := body(b, "response to tree connect", 16, 16)
	if err != nil {
		return false, err
	}
	return binary.LittleEndian.Uint32(r[4:])&shareEncrypts != 0, nil
}

// ParseWritten reads the response to the request that writes, and returns how many bytes
// were written (MS-SMB2 2.2.22).
func ParseWritten(b []byte) (uint32, error) {
	r, err := body(b, "response to write", 17, 16)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(r[4:]), nil
}

// ParseCreated reads the response to the request that opens a pipe (MS-SMB2 2.2.14).
func ParseCreated(b []byte) (FileID, error) {
	r, err := body(b, "response to create", 89, 88)
	if err != nil {
		return FileID{}, err
	}
	return FileID(r[64:80]), nil
}

// ParseTransceived returns what was read from a pipe, or told (MS-SMB2 2.2.32).
func ParseTransceived(b []byte) ([]byte, error) {
	r, err := body(b, "response to ioctl", 49, 48)
	if err != nil {
		return nil, err
	}
	return part(b, binary.LittleEndian.Uint32(r[32:]), binary.LittleEndian.Uint32(r[36:]))
}

// ParseRead returns what was read (MS-SMB2 2.2.20).
func ParseRead(b []byte) ([]byte, error) {
	r, err := body(b, "response to read", 17, 16)
	if err != nil {
		return nil, err
	}
	return part(b, uint32(r[2]), binary.LittleEndian.Uint32(r[4:]))
}
