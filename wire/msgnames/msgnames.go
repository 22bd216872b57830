// Package msgnames understands the calls by which the message names of another machine are
// listed and changed, over the pipe \PIPE\msgsvc (MS-MSRP 3.1).
package msgnames

import (
	"fmt"

	"github.com/google/uuid"

	"messngr/wire/dcerpc"
	"messngr/wire/ndr"
)

// Pipe is where the calls are made, as the servers of pipes spell it.
const Pipe = "msgsvc"

// The procedures (MS-MSRP 3.1.4).
const (
	Add     uint16 = 0
	Enum    uint16 = 1
	GetInfo uint16 = 2
	Del     uint16 = 3
)

// The limits in characters of what is read, with the NUL at the end: of names longer than
// any message name can be, so that they can be refused in words.
const (
	maxServer = 1024
	maxName   = 256
)

// MaxEntries is how many names are read from one answer.
const MaxEntries = 1024

// AllBytes is the PrefMaxLen of who wants all names at once.
const AllBytes = 0xFFFFFFFF

// Interface is msgsvc (MS-MSRP 1.9).
func Interface() dcerpc.Syntax {
	return dcerpc.Syntax{ID: uuid.MustParse("17fdd703-1827-4e34-79d4-24a55c53bb37"), Major: 1}
}

// Request is what goes into each of the procedures:
//
//	ServerName   -> string; ignored by servers
//	MsgName      string; not in Enum
//	Enum:        InfoStruct as in Answer, PrefMaxLen u32, ResumeHandle -> u32
//	GetInfo:     Level u32
//
// Strings are of UTF-16, conformant and varying; -> is a unique pointer.
type Request struct {
	Server string
	Name   string
	// Level is 0 for names, 1 for names and where they are forwarded to, which nobody
	// does any more. Others are read, so that they can be refused.
	Level uint32
	// PrefMaxLen is how many bytes the answer to Enum may have; AllBytes: any number.
	PrefMaxLen uint32
	// Resume is the ordinal of the name to begin with, if HasResume: the caller can go on.
	Resume    uint32
	HasResume bool
}

// ParseRequest reads what goes into the procedure op.
func ParseRequest(op uint16, stub []byte, bigEndian bool) (Request, error) {
	r := ndr.NewReader(stub, bigEndian)
	var q Request
	if r.Pointer() {
		q.Server = r.WString(maxServer)
	}
	switch op {
	case Add, Del:
		q.Name = r.WString(maxName)
	case GetInfo:
		q.Name = r.WString(maxName)
		q.Level = r.Uint32()
	case Enum:
		if err := q.readEnum(&r); err != nil {
			return Request{}, err
		}
	default:
		return Request{}, fmt.Errorf("msgnames: procedure %d", op)
	}
	if err := r.Err(); err != nil {
		return Request{}, fmt.Errorf("msgnames: %w", err)
	}
	return q, nil
}

// readEnum reads the arguments of Enum but the first. The union of an unknown level says
// nothing that could be read.
func (q *Request) readEnum(r *ndr.Reader) error {
	level, _, err := readContainer(r)
	if err != nil {
		return err
	}
	q.Level = level
	if level > 1 {
		return nil
	}
	q.PrefMaxLen = r.Uint32()
	if q.HasResume = r.Pointer(); q.HasResume {
		q.Resume = r.Uint32()
	}
	return nil
}

// Append writes what goes into the procedure op.
func (q *Request) Append(b []byte, op uint16, bigEndian bool) []byte {
	w := ndr.NewWriter(b, bigEndian)
	w.Pointer(q.Server != "")
	if q.Server != "" {
		w.WString(q.Server)
	}
	if op != Enum {
		w.WString(q.Name)
		if op == GetInfo {
			w.Uint32(q.Level)
		}
		return w.Data()
	}
	writeContainer(&w, q.Level, nil)
	w.Uint32(q.PrefMaxLen)
	w.Pointer(q.HasResume)
	if q.HasResume {
		w.Uint32(q.Resume)
	}
	return w.Data()
}

// Answer is what comes out of each of the procedures:
//
//	Enum:     Level u32, Level again, -> number u32, -> number u32, structures
//	          TotalEntries u32, ResumeHandle -> u32
//	GetInfo:  Level u32, -> structure
//	all:      status u32
//
// A structure is a name (->) of level 0, or of level 1 a name (->), 0, and a null pointer.
type Answer struct {
	Status Status
	Level  uint32
	Names  []string // one at the most for GetInfo
	// Total is TotalEntries.
	Total     uint32
	Resume    uint32
	HasResume bool
}

// Append writes what comes out of the procedure op.
func (a *Answer) Append(b []byte, op uint16, bigEndian bool) []byte {
	w := ndr.NewWriter(b, bigEndian)
	switch op {
	case Enum:
		writeContainer(&w, a.Level, a.Names)
		w.Uint32(a.Total)
		w.Pointer(a.HasResume)
		if a.HasResume {
			w.Uint32(a.Resume)
		}
	case GetInfo:
		w.Uint32(a.Level)
		if a.Level <= 1 {
			w.Pointer(len(a.Names) > 0)
		}
		if len(a.Names) > 0 {
			writeEntries(&w, a.Level, a.Names[:1])
		}
	}
	w.Uint32(uint32(a.Status))
	return w.Data()
}

// ParseAnswer reads what comes out of the procedure op.
func ParseAnswer(op uint16, stub []byte, bigEndian bool) (Answer, error) {
	r := ndr.NewReader(stub, bigEndian)
	var a Answer
	var err error
	switch op {
	case Enum:
		if a.Level, a.Names, err = readContainer(&r); err != nil {
			return Answer{}, err
		}
		a.Total = r.Uint32()
		if a.HasResume = r.Pointer(); a.HasResume {
			a.Resume = r.Uint32()
		}
	case GetInfo:
		if a.Level = r.Uint32(); a.Level <= 1 && r.Pointer() {
			a.Names = readEntries(&r, a.Level, 1)
		}
	}
	a.Status = Status(r.Uint32())
	if err := r.Err(); err != nil {
		return Answer{}, fmt.Errorf("msgnames: %w", err)
	}
	return a, nil
}

// writeContainer writes a MSG_ENUM_STRUCT (MS-MSRP 2.2.2.5).
func writeContainer(w *ndr.Writer, level uint32, names []string) {
	w.Uint32(level)
	w.Uint32(level)
	if level > 1 {
		return
	}
	w.Pointer(true)
	w.Uint32(uint32(len(names)))
	w.Pointer(len(names) > 0)
	if len(names) > 0 {
		w.Uint32(uint32(len(names)))
		writeEntries(w, level, names)
	}
}

// writeEntries writes structures, and behind all of them what they point to.
func writeEntries(w *ndr.Writer, level uint32, names []string) {
	for range names {
		w.Pointer(true)
		if level == 1 {
			w.Uint32(0)
			w.Pointer(false)
		}
	}
	for _, name := range names {
		w.WString(name)
	}
}

func readContainer(r *ndr.Reader) (level uint32, names []string, err error) {
	level = r.Uint32()
	if again := r.Uint32(); r.Err() == nil && again != level {
		return 0, nil, fmt.Errorf("msgnames: levels %d and %d in one structure", level, again)
	}
	if level > 1 || !r.Pointer() {
		return level, nil, nil
	}
	count := r.Uint32()
	if !r.Pointer() {
		return level, nil, nil
	}
	if size := r.Uint32(); r.Err() == nil && (size != count || count > MaxEntries) {
		return 0, nil, fmt.Errorf("msgnames: %d names in an array of %d, at most %d are possible", count, size, MaxEntries)
	}
	return level, readEntries(r, level, int(count)), nil
}

func readEntries(r *ndr.Reader, level uint32, count int) []string {
	if count > len(r.Rest())/4 { // they cannot be there
		r.Bytes(len(r.Rest()) + 1)
		return nil
	}
	present := make([][2]bool, count)
	for i := range present {
		present[i][0] = r.Pointer()
		if level == 1 {
			r.Uint32()
			present[i][1] = r.Pointer()
		}
	}
	var names []string
	for _, p := range present {
		name := ""
		if p[0] {
			name = r.WString(maxName)
		}
		if p[1] {
			r.WString(maxName)
		}
		names = append(names, name)
	}
	if r.Err() != nil {
		return nil
	}
	return names
}
