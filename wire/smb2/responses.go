package smb2

import (
	"encoding/binary"
	"fmt"
)

// Negotiated is what a server chose (MS-SMB2 2.2.4).
type Negotiated struct {
	Dialect     uint16
	MaxTransact uint32

	cipher uint16 // that both know, 0 if there is none
}

// ParseNegotiated reads the response to the first request; b is the whole message, as
// everywhere here.
func ParseNegotiated(b []byte) (Negotiated, error) {
	r, err := body(b, "response to negotiate", 65, 64)
	if err != nil {
		return Negotiated{}, err
	}
	n := Negotiated{Dialect: binary.LittleEndian.Uint16(r[4:]), MaxTransact: binary.LittleEndian.Uint32(r[28:])}
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

// readContexts reads what else the server says in dialect 3.1.1 (MS-SMB2 2.2.4.1).
func (n *Negotiated) readContexts(b []byte, count int, offset uint32) error {
	for at := int64(offset); count > 0; count-- {
		if at < HeaderSize || at+8 > int64(len(b)) {
			return fmt.Errorf("smb2: negotiate context at %d of %d", at, len(b))
		}
		kind, size := binary.LittleEndian.Uint16(b[at:]), uint32(binary.LittleEndian.Uint16(b[at+2:]))
		data, err := part(b, uint32(at)+8, size)
		if err != nil {
			return err
		}
		if kind == contextEncryption && len(data) >= 4 && binary.LittleEndian.Uint16(data) == 1 {
			if c := binary.LittleEndian.Uint16(data[2:]); c == aes128GCM || c == aes128CCM {
				n.cipher = c
			}
		}
		at = (at + 8 + int64(size) + 7) &^ 7
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

// ParseTransceived returns what was read from a pipe (MS-SMB2 2.2.32).
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
