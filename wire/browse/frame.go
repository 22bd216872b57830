// Package browse reads and writes what machines tell each other so that they appear in
// lists of the network: the frames of the browser service (MS-BRWS), which travel in
// writes to its mailslot, and the list that a master browser hands out (MS-RAP), with
// the few packets of SMB that ask for it. Numbers are little-endian.
//
// An announcement is
//
//	 0  opcode
//	 1  update count 0
//	 2  milliseconds until the next one, 4 bytes
//	 6  name, 16 bytes, ends with 0
//	22  version of the system, major and minor
//	24  type, 4 bytes
//	28  version of the browser service, 0F 01 (major 15, minor 1)
//	30  55 AA
//	32  comment, ends with 0
//
// Names and comments are in the sender's OEM code page and stay as they are here. They
// and everything else are claims.
package browse

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// Mailslot is the mailslot of the browser service (MS-BRWS 2.1).
const Mailslot = `\MAILSLOT\BROWSE`

// MaxComment is the longest comment in bytes, without its end (MS-BRWS 2.2.1).
const MaxComment = 42

// A Kind says what an announcement announces; it is the opcode (MS-BRWS 2.2).
type Kind byte

// The kinds of announcements.
const (
	Host        Kind = 0x01 // a machine, to the local master browser (MS-BRWS 2.2.1)
	Workgroup   Kind = 0x0C // a workgroup, to all master browsers (MS-BRWS 2.2.7)
	LocalMaster Kind = 0x0F // the master browser, to its workgroup (MS-BRWS 2.2.10)
)

// opRequest is the opcode of an AnnouncementRequest (MS-BRWS 2.2.2).
const opRequest = 0x02

const (
	announcementLen = 32
	nameLen         = 16
	// browserVersion and signature are the same in all frames of this protocol.
	browserVersion = "\x0F\x01"
	signature      = "\x55\xAA"
)

// Frame is an Announcement or an AnnouncementRequest.
type Frame interface {
	// Append appends the frame to b. It is an error if a name or the comment is too
	// long or contains a zero byte, or if the kind or the period has no spelling.
	Append(b []byte) ([]byte, error)
}

// Announcement says that a machine or a workgroup is there, or, with Type zero, that a
// machine goes.
type Announcement struct {
	Kind Kind
	// Period is the time until the next announcement, in whole milliseconds. Who has
	// missed three of them is gone.
	Period time.Duration
	// Name is the machine's, or the workgroup's.
	Name string
	// Major and Minor are the version of the operating system.
	Major, Minor byte
	Type         ServerType
	// Comment describes the machine in words. For a workgroup it is the name of its
	// master browser.
	Comment string
}

// AnnouncementRequest asks the machines of a workgroup to announce themselves. Name is
// who asks (MS-BRWS 2.2.2).
type AnnouncementRequest struct {
	Name string
}

// Parse reads one frame. Frames of other kinds, such as elections, are errors.
//
// Deliberately lax: the version of the browser service and the signature are ignored,
// since Windows for Workgroups writes other things there; a comment may lack its end, and
// of a longer one than is allowed, as Samba can send, the beginning is taken.
func Parse(b []byte) (Frame, error) {
	if len(b) < 2 {
		return nil, fmt.Errorf("browse: frame of %d bytes", len(b))
	}
	switch Kind(b[0]) {
	case Host, Workgroup, LocalMaster:
		return parseAnnouncement(b)
	case opRequest:
		return parseRequest(b)
	default:
		return nil, fmt.Errorf("browse: frame of kind %#02x", b[0])
	}
}

func parseAnnouncement(b []byte) (Frame, error) {
	if len(b) < announcementLen {
		return nil, fmt.Errorf("browse: announcement of %d bytes", len(b))
	}
	le := binary.LittleEndian
	a := Announcement{
		Kind:   Kind(b[0]),
		Period: time.Duration(le.Uint32(b[2:])) * time.Millisecond,
		Name:   untilZero(b[6 : 6+nameLen]),
		Major:  b[22], Minor: b[23],
		Type:    ServerType(le.Uint32(b[24:])),
		Comment: untilZero(b[announcementLen:]),
	}
	if len(a.Name) == nameLen {
		return nil, fmt.Errorf("browse: name %q has no end", a.Name)
	}
	a.Comment = a.Comment[:min(len(a.Comment), MaxComment)]
	return a, nil
}

// Append implements Frame.
func (a Announcement) Append(b []byte) ([]byte, error) {
	if a.Kind != Host && a.Kind != Workgroup && a.Kind != LocalMaster {
		return b, fmt.Errorf("browse: announcement of kind %#02x", byte(a.Kind))
	}
	period := a.Period / time.Millisecond
	if period < 0 || period > 1<<32-1 {
		return b, fmt.Errorf("browse: period of %v", a.Period)
	}
	if err := checkString("name", a.Name, nameLen-1); err != nil {
		return b, err
	}
	if err := checkString("comment", a.Comment, MaxComment); err != nil {
		return b, err
	}
	le := binary.LittleEndian
	b = append(b, byte(a.Kind), 0)
	b = le.AppendUint32(b, uint32(period))
	b = append(b, a.Name...)
	b = append(b, make([]byte, nameLen-len(a.Name))...)
	b = append(b, a.Major, a.Minor)
	b = le.AppendUint32(b, uint32(a.Type))
	b = append(b, browserVersion+signature...)
	b = append(b, a.Comment...)
	return append(b, 0), nil
}

func parseRequest(b []byte) (Frame, error) {
	name := untilZero(b[2:])
	if len(name) >= nameLen {
		return nil, fmt.Errorf("browse: name of %d bytes in a request", len(name))
	}
	return AnnouncementRequest{Name: name}, nil
}

// Append implements Frame.
func (r AnnouncementRequest) Append(b []byte) ([]byte, error) {
	if err := checkString("name", r.Name, nameLen-1); err != nil {
		return b, err
	}
	b = append(b, opRequest, 0)
	b = append(b, r.Name...)
	return append(b, 0), nil
}

// untilZero returns what stands in front of the first zero byte, or all of b.
func untilZero(b []byte) string {
	front, _, _ := bytes.Cut(b, []byte{0})
	return string(front)
}

func checkString(what, s string, longest int) error {
	if len(s) > longest || strings.Contains(s, "\x00") {
		return fmt.Errorf("browse: %s %q cannot be encoded in %d bytes", what, s, longest)
	}
	return nil
}
