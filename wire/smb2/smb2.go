// Package smb2 is the client's half of SMB 2 and 3, as far as it takes to open a named pipe
// of another machine and to talk through it: what a client writes, and what it reads
// (MS-SMB2). What is signed cannot be changed on its way; what is encrypted, from
// dialect 3.0 on, cannot be read either.
package smb2

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The commands (MS-SMB2 2.2.1.2).
const (
	Negotiate    uint16 = 0
	SessionSetup uint16 = 1
	Logoff       uint16 = 2
	TreeConnect  uint16 = 3
	Create       uint16 = 5
	Close        uint16 = 6
	Read         uint16 = 8
	Write        uint16 = 9
	Ioctl        uint16 = 11
)

// HeaderSize is how long the header of a message is.
const HeaderSize = 64

// Flags of a header.
const (
	flagResponse = 0x00000001
	flagAsync    = 0x00000002
	flagSigned   = 0x00000008
)

// Status is an NTSTATUS. It is an error where it is not Success.
type Status uint32

// The codes that are acted on, and those that people can do something about.
const (
	Success            Status = 0
	Pending            Status = 0x00000103 // the answer comes later
	BufferOverflow     Status = 0x80000005 // there is more to read
	MoreProcessing     Status = 0xC0000016 // the next message of the login
	AccessDenied       Status = 0xC0000022
	NameNotFound       Status = 0xC0000034 // no such pipe
	NoLogonServers     Status = 0xC000005E
	NoSuchUser         Status = 0xC0000064
	WrongPassword      Status = 0xC000006A
	LogonFailure       Status = 0xC000006D
	AccountRestriction Status = 0xC000006E
	InvalidHours       Status = 0xC000006F
	InvalidWorkstation Status = 0xC0000070
	PasswordExpired    Status = 0xC0000071
	AccountDisabled    Status = 0xC0000072
	PipeNotAvailable   Status = 0xC00000AC
	PipeBusy           Status = 0xC00000AE
	PipeDisconnected   Status = 0xC00000B0
	NotSupported       Status = 0xC00000BB // none of our dialects is spoken
	BadNetworkName     Status = 0xC00000CC
	PipeBroken         Status = 0xC000014B
	LogonNotGranted    Status = 0xC000015B
	AccountExpired     Status = 0xC0000193
	PasswordMustChange Status = 0xC0000224
	AccountLockedOut   Status = 0xC0000234
)

// Login reports whether the status says that a user may not log in, for a reason that is
// the user's own.
func (s Status) Login() bool {
	switch s {
	case NoLogonServers, NoSuchUser, WrongPassword, LogonFailure, AccountRestriction, InvalidHours, InvalidWorkstation,
		PasswordExpired, AccountDisabled, LogonNotGranted, AccountExpired, PasswordMustChange, AccountLockedOut:
		return true
	}
	return false
}

// words are what people are told.
func (s Status) words() string {
	switch s {
	case Success:
		return "success"
	case AccessDenied:
		return "access denied"
	case NameNotFound:
		return "there is no such pipe"
	case NoLogonServers:
		return "the server cannot ask its domain who that is"
	case NoSuchUser, WrongPassword, LogonFailure:
		return "user or password are wrong"
	case AccountRestriction:
		return "the account may not be used like this; an empty password may be the reason"
	case InvalidHours:
		return "the account may not be used at this time"
	case InvalidWorkstation:
		return "the account may not be used from this machine"
	case PasswordExpired, PasswordMustChange:
		return "the password has expired"
	case AccountDisabled:
		return "the account is disabled"
	case AccountExpired:
		return "the account has expired"
	case AccountLockedOut:
		return "the account is locked, after too many wrong passwords"
	case LogonNotGranted:
		return "the account may not log in to that machine over the network"
	case PipeNotAvailable, PipeBusy:
		return "nobody serves the pipe just now"
	case PipeBroken, PipeDisconnected:
		return "the pipe was closed"
	case NotSupported:
		return "not supported"
	case BadNetworkName:
		return "there is no such share"
	}
	return ""
}

// Error implements error.
func (s Status) Error() string {
	if words := s.words(); words != "" {
		return words
	}
	return fmt.Sprintf("NT status %#08x", uint32(s))
}

// Header begins each message (MS-SMB2 2.2.1.2).
type Header struct {
	Command   uint16
	Status    Status
	Credits   uint16 // asked for, or granted
	Response  bool
	Async     bool // the answer comes later, or this is it
	Signed    bool
	MessageID uint64
	Tree      uint32 // if not Async
	Session   uint64
	Signature [16]byte
}

// Append writes the header.
func (h *Header) Append(b []byte) []byte {
	flags := uint32(0)
	for flag, set := range map[uint32]bool{flagResponse: h.Response, flagAsync: h.Async, flagSigned: h.Signed} {
		if set {
			flags |= flag
		}
	}
	b = append(b, "\xfeSMB\x40\x00\x01\x00"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(h.Status))
	b = binary.LittleEndian.AppendUint16(b, h.Command)
	b = binary.LittleEndian.AppendUint16(b, h.Credits)
	b = binary.LittleEndian.AppendUint32(b, flags)
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint64(b, h.MessageID)
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint32(b, h.Tree)
	b = binary.LittleEndian.AppendUint64(b, h.Session)
	return append(b, h.Signature[:]...)
}

// ParseHeader reads the header of a message.
func ParseHeader(b []byte) (Header, error) {
	if len(b) < HeaderSize || string(b[:4]) != "\xfeSMB" || binary.LittleEndian.Uint16(b[4:]) != HeaderSize {
		return Header{}, errors.New("smb2: not a message of SMB 2")
	}
	flags := binary.LittleEndian.Uint32(b[16:])
	h := Header{
		Status: Status(binary.LittleEndian.Uint32(b[8:])), Command: binary.LittleEndian.Uint16(b[12:]),
		Credits: binary.LittleEndian.Uint16(b[14:]), Response: flags&flagResponse != 0, Async: flags&flagAsync != 0,
		Signed: flags&flagSigned != 0, MessageID: binary.LittleEndian.Uint64(b[24:]),
		Session: binary.LittleEndian.Uint64(b[40:]), Signature: [16]byte(b[48:]),
	}
	if binary.LittleEndian.Uint32(b[20:]) != 0 {
		return Header{}, errors.New("smb2: several messages in one, which nobody has asked for")
	}
	if !h.Async {
		h.Tree = binary.LittleEndian.Uint32(b[36:])
	}
	return h, nil
}

// A writer appends little-endian integers.
type writer []byte

func (w *writer) u8(v uint8)   { *w = append(*w, v) }
func (w *writer) u16(v uint16) { *w = binary.LittleEndian.AppendUint16(*w, v) }
func (w *writer) u32(v uint32) { *w = binary.LittleEndian.AppendUint32(*w, v) }
func (w *writer) u64(v uint64) { *w = binary.LittleEndian.AppendUint64(*w, v) }
func (w *writer) raw(b []byte) { *w = append(*w, b...) }
func (w *writer) zeros(n int)  { *w = append(*w, make([]byte, n)...) }

// body checks that the body of a response has the size that its structure says, and
// returns it; b is the whole message.
func body(b []byte, name string, structure, size int) ([]byte, error) {
	if len(b) < HeaderSize+size || int(binary.LittleEndian.Uint16(b[HeaderSize:])) != structure {
		return nil, fmt.Errorf("smb2: %s of %d bytes", name, len(b))
	}
	return b[HeaderSize:], nil
}

// part returns the bytes of a message that an offset and a length name.
func part(b []byte, offset, length uint32) ([]byte, error) {
	if length == 0 {
		return nil, nil
	}
	if offset < HeaderSize || int64(offset)+int64(length) > int64(len(b)) {
		return nil, fmt.Errorf("smb2: %d bytes at %d of %d", length, offset, len(b))
	}
	return b[offset : offset+length : offset+length], nil
}
