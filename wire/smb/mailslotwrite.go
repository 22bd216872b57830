package smb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

const (
	mailslotSetup     = 3
	mailslotWords     = 14 + mailslotSetup
	mailslotNameAt    = headerLen + 1 + 2*mailslotWords + 2
	mailslotAlignment = 4
	maxMailslotName   = 128
	opWriteMailslot   = 1
	classUnreliable   = 2
	noResponse        = 0x0002
)

// MailslotWrite is the TRANSACTION that writes Data to a mailslot, as it travels in a
// NetBIOS datagram (MS-MAIL 2.2.1, MS-CIFS 2.2.4.33.1). The header counts as the first
// 32 bytes:
//
//	32  17 words
//	33  parameters in all 0       35  data in all
//	37  greatest answer: parameters, data (2 each), set-up (1); reserved (1)
//	43  flags: 2, no response     45  time limit 0 (4)   49  reserved 0
//	51  parameters 0              53  their offset 0
//	55  data                      57  their offset
//	59  set-up words 3, reserved 0
//	61  1: write a mailslot       63  priority           65  class
//	67  number of bytes
//	69  name, 0, up to 3 bytes to a multiple of 4, data
type MailslotWrite struct {
	// Name is the mailslot's, such as \MAILSLOT\MESSNGR. Capital and small letters do
	// not differ.
	Name string
	// Priority is 0 to 9, the most urgent.
	Priority uint16
	// Data is what is written.
	Data []byte
}

// ParseMailslotWrite reads the user data of a NetBIOS datagram. Data is taken by its
// offset and count, and must lie behind the name.
//
// Deliberately lax: the number of bytes is ignored as Windows does, several senders get
// it wrong; so is the class, and whatever fills the gap in front of the data.
func ParseMailslotWrite(b []byte) (MailslotWrite, error) {
	if len(b) < headerLen || string(b[:4]) != protocolID {
		return MailslotWrite{}, ErrNotSMB
	}
	if c := Command(b[4]); c != Transaction {
		return MailslotWrite{}, fmt.Errorf("smb: command %#02x is no mailslot write", byte(c))
	}
	if len(b) < mailslotNameAt || b[32] < mailslotWords {
		return MailslotWrite{}, fmt.Errorf("smb: mailslot write of %d bytes", len(b))
	}
	le := binary.LittleEndian
	if b[59] < mailslotSetup || le.Uint16(b[61:]) != opWriteMailslot {
		return MailslotWrite{}, errors.New("smb: transaction is no mailslot write")
	}
	name, behind, err := mailslotName(b)
	if err != nil {
		return MailslotWrite{}, err
	}
	count, offset := int(le.Uint16(b[55:])), int(le.Uint16(b[57:]))
	if total := int(le.Uint16(b[35:])); total > count {
		return MailslotWrite{}, fmt.Errorf("smb: mailslot write of %d bytes brings only %d", total, count)
	}
	if count > 0 && offset < behind || offset+count > len(b) {
		return MailslotWrite{}, fmt.Errorf("smb: data at %d to %d of %d bytes", offset, offset+count, len(b))
	}
	w := MailslotWrite{Name: name, Priority: le.Uint16(b[63:])}
	if count > 0 {
		w.Data = b[offset : offset+count : offset+count]
	}
	return w, nil
}

// mailslotName reads the name behind the words, and says where it ends.
func mailslotName(b []byte) (name string, behind int, err error) {
	at := headerLen + 1 + 2*int(b[32]) + 2
	if at > len(b) {
		return "", 0, fmt.Errorf("smb: %d words announced, %d bytes follow", b[32], len(b)-headerLen)
	}
	end := bytes.IndexByte(b[at:min(len(b), at+maxMailslotName+1)], 0)
	if end < 0 {
		return "", 0, errors.New("smb: name of the mailslot has no end")
	}
	return string(b[at : at+end]), at + end + 1, nil
}

// Append appends the packet to b, its data at a multiple of four bytes and of class 2,
// the only one that datagrams carry. It is an error if the name is longer than 128
// bytes or contains a zero byte, or if there are more data than can be counted.
func (w MailslotWrite) Append(b []byte) ([]byte, error) {
	if len(w.Name) > maxMailslotName || strings.Contains(w.Name, "\x00") {
		return b, fmt.Errorf("smb: name of mailslot %q cannot be encoded", w.Name)
	}
	named := mailslotNameAt + len(w.Name) + 1
	pad := -named & (mailslotAlignment - 1)
	if err := checkSize(named + pad + len(w.Data)); err != nil {
		return b, err
	}
	size := len(w.Name) + 1 + pad + len(w.Data)
	n := uint16(len(w.Data))
	b = Header{Command: Transaction}.appendHead(b, size,
		0, n, 0, 0, 0, noResponse, 0, 0, 0, 0, 0, n, uint16(named+pad),
		mailslotSetup, opWriteMailslot, w.Priority, classUnreliable)
	b = append(b, w.Name...)
	b = append(b, make([]byte, 1+pad)...)
	return append(b, w.Data...), nil
}
