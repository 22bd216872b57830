package browse

import (
	"encoding/binary"
	"errors"
	"fmt"

	"messngr/wire/smb"
)

// The commands of SMB by which a list is asked for (MS-CIFS 2.2.2.1): a session of
// nobody in particular, the share of the pipes, and a call of the pipe.
const (
	sessionSetup smb.Command = 0x73
	treeConnect  smb.Command = 0x75

	dialect   = "NT LM 0.12"
	pipe      = `\PIPE\LANMAN`
	lastOfAll = 0xFF // no further command in the packet

	// maxParameters bounds the parameters of an answer; those of a list have 8 bytes.
	maxParameters = 64
	// maxBuffer is the longest packet that we say we take.
	maxBuffer = 0xFFFF
	// callWords is how many words a call has, and callParamsAt where its parameters
	// begin, counted from the header.
	callWords    = 14
	callParamsAt = 32 + 1 + 2*callWords + 2 + len(pipe) + 1
	// answerWords is the least number of words in the answer to a call.
	answerWords = 10
)

// AppendNegotiate appends the packet that offers the dialect of Windows NT, which every
// server since Windows 95 speaks (MS-CIFS 2.2.4.52.1).
func AppendNegotiate(b []byte) ([]byte, error) {
	return smb.Packet{
		Header: smb.Header{Command: smb.Negotiate},
		Data:   []byte("\x02" + dialect + "\x00"),
	}.Append(b)
}

// CheckNegotiated reads the answer to AppendNegotiate: the dialect must have been taken,
// in its form without extended security.
func CheckNegotiated(p smb.Packet) error {
	if p.Header.Command != smb.Negotiate || len(p.Words) != 34 || p.Words[0] != 0 || p.Words[1] != 0 {
		return errors.New("browse: the server does not speak " + dialect)
	}
	return nil
}

// AppendSessionSetup appends the packet that opens a session without a user (MS-CIFS
// 2.2.4.53.1). The answer brings the user id for all later headers.
func AppendSessionSetup(b []byte) ([]byte, error) {
	le := binary.LittleEndian
	words := append(make([]byte, 0, 26), lastOfAll, 0, 0, 0)
	words = le.AppendUint16(words, maxBuffer)
	words = le.AppendUint16(words, 1)          // one request at a time
	words = append(words, make([]byte, 18)...) // circuit, session key, passwords, capabilities: none
	return smb.Packet{
		Header: smb.Header{Command: sessionSetup},
		Words:  words,
		Data:   []byte("\x00\x00\x00\x00"), // user, domain, system, program
	}.Append(b)
}

// AppendTreeConnect appends the packet that connects to the pipes of a server (MS-CIFS
// 2.2.4.55.1). The answer brings the tree id for all later headers.
func AppendTreeConnect(b []byte, h smb.Header, server string) ([]byte, error) {
	if err := checkString("server", server, nameLen-1); err != nil {
		return b, err
	}
	h.Command = treeConnect
	return smb.Packet{
		Header: h,
		Words:  []byte{lastOfAll, 0, 0, 0, 0, 0, 1, 0}, // a password of one byte: none
		Data:   []byte("\x00" + `\\` + server + `\IPC$` + "\x00IPC\x00"),
	}.Append(b)
}

// AppendCall appends the packet that calls the pipe of RAP with parameters (MS-CIFS
// 2.2.4.33.1, MS-RAP 2.1).
func AppendCall(b []byte, h smb.Header, parameters []byte) ([]byte, error) {
	if len(parameters) > 1<<10 {
		return b, fmt.Errorf("browse: call with %d bytes of parameters", len(parameters))
	}
	le := binary.LittleEndian
	n := uint16(len(parameters))
	var words []byte
	for _, w := range [callWords]uint16{
		n, 0, // in all: parameters, data
		maxParameters, listBuffer, 0, // greatest answer: parameters, data, set-up words
		0, 0, 0, 0, // flags, time limit, reserved
		n, uint16(callParamsAt), 0, uint16(callParamsAt) + n, // parameters, data
		0, // set-up words
	} {
		words = le.AppendUint16(words, w)
	}
	h.Command = smb.Transaction
	return smb.Packet{Header: h, Words: words, Data: append([]byte(pipe+"\x00"), parameters...)}.Append(b)
}

// ParseCall reads a call of the pipe of RAP, and returns its parameters.
//
// Deliberately lax: the name of the pipe is not looked at; smbclient writes it in Unicode.
func ParseCall(p smb.Packet) ([]byte, error) {
	if p.Header.Command != smb.Transaction || p.Header.Flags&smb.Reply != 0 || len(p.Words) != 2*callWords {
		return nil, errors.New("browse: not a call of a pipe")
	}
	le := binary.LittleEndian
	return part(p, le.Uint16(p.Words[20:]), le.Uint16(p.Words[18:]))
}

// An Answer collects the answer to a call, which may come in several packets.
type Answer struct {
	// Parameters and Data are what has come.
	Parameters, Data []byte
}

// Add takes one packet in (MS-CIFS 2.2.4.33.2), and reports whether the answer is whole.
// Packets must come in their order.
func (a *Answer) Add(p smb.Packet) (whole bool, err error) {
	if p.Header.Command != smb.Transaction || len(p.Words) < 2*answerWords {
		return false, errors.New("browse: not the answer to a call")
	}
	word := func(i int) uint16 { return binary.LittleEndian.Uint16(p.Words[2*i:]) }
	parameters, err := part(p, word(4), word(3))
	if err != nil {
		return false, err
	}
	data, err := part(p, word(7), word(6))
	if err != nil {
		return false, err
	}
	if int(word(5)) != len(a.Parameters) && len(parameters) > 0 || int(word(8)) != len(a.Data) && len(data) > 0 {
		return false, errors.New("browse: parts of an answer are missing")
	}
	a.Parameters, a.Data = append(a.Parameters, parameters...), append(a.Data, data...)
	if len(a.Parameters) > maxParameters || len(a.Data) > maxBuffer {
		return false, errors.New("browse: the answer is longer than was asked for")
	}
	whole = len(a.Parameters) >= int(word(0)) && len(a.Data) >= int(word(1))
	if !whole && len(parameters)+len(data) == 0 {
		return false, errors.New("browse: the answer does not go on")
	}
	return whole, nil
}

// AppendAnswer appends the answer to a call whose header is h, in one packet.
func AppendAnswer(b []byte, h smb.Header, parameters, data []byte) ([]byte, error) {
	if len(parameters) > maxParameters || len(data) > listBuffer {
		return b, fmt.Errorf("browse: answer of %d and %d bytes", len(parameters), len(data))
	}
	const at = 32 + 1 + 2*answerWords + 2
	p, d := uint16(len(parameters)), uint16(len(data))
	var words []byte
	for _, w := range [answerWords]uint16{p, d, 0, p, at, 0, d, at + p, 0, 0} {
		words = binary.LittleEndian.AppendUint16(words, w)
	}
	h = h.Answer(0)
	return smb.Packet{Header: h, Words: words, Data: append(parameters[:p:p], data...)}.Append(b)
}

// part returns the bytes of a packet that an offset from its header and a count name.
func part(p smb.Packet, offset, count uint16) ([]byte, error) {
	if count == 0 {
		return nil, nil
	}
	from := int(offset) - (32 + 1 + len(p.Words) + 2)
	if from < 0 || from+int(count) > len(p.Data) {
		return nil, fmt.Errorf("browse: %d bytes at %d of a packet with %d", count, offset, len(p.Data))
	}
	return p.Data[from : from+int(count)], nil
}
