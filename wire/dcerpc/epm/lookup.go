package epm

import (
	"bytes"
	"fmt"

	"github.com/google/uuid"

	"messngr/wire/dcerpc"
	"messngr/wire/ndr"
)

// The inquiry types of ept_lookup: which of its other parameters count (C706 O).
const (
	AllElements uint32 = 0
	ByInterface uint32 = 1
	ByObject    uint32 = 2
	ByBoth      uint32 = 3
)

// The version options of ept_lookup: which versions of the interface fit (C706 O).
const (
	AllVersions   uint32 = 1
	CompatibleVer uint32 = 2
	ExactVersion  uint32 = 3
	MajorVersion  uint32 = 4
	UpToVersion   uint32 = 5
)

// A LookupQuestion is what goes into ept_lookup.
type LookupQuestion struct {
	Inquiry   uint32
	Object    uuid.UUID
	Interface dcerpc.Syntax
	Versions  uint32
	Handle    Handle
	// Max is how many entries the client has room for.
	Max uint32
}

// Append appends the stub to b.
func (q *LookupQuestion) Append(b []byte, bigEndian bool) []byte {
	w := ndr.NewWriter(b, bigEndian)
	w.Uint32(q.Inquiry)
	w.Uint32(1)
	w.UUID(q.Object)
	w.Uint32(2)
	w.UUID(q.Interface.ID)
	w.Uint16(q.Interface.Major)
	w.Uint16(q.Interface.Minor)
	w.Uint32(q.Versions)
	w.Bytes(q.Handle[:])
	w.Uint32(q.Max)
	return w.Data()
}

// ParseLookupQuestion reads the stub that goes into ept_lookup.
func ParseLookupQuestion(stub []byte, bigEndian bool) (LookupQuestion, error) {
	r := ndr.NewReader(stub, bigEndian)
	q := LookupQuestion{Inquiry: r.Uint32()}
	if r.Uint32() != 0 {
		q.Object = r.UUID()
	}
	if r.Uint32() != 0 {
		q.Interface = dcerpc.Syntax{ID: r.UUID(), Major: r.Uint16(), Minor: r.Uint16()}
	}
	q.Versions = r.Uint32()
	copy(q.Handle[:], r.Bytes(len(q.Handle)))
	q.Max = r.Uint32()
	if err := r.Err(); err != nil {
		return LookupQuestion{}, fmt.Errorf("epm: %w", err)
	}
	return q, nil
}

// Wants reports whether the question is about an interface that is served.
func (q *LookupQuestion) Wants(served dcerpc.Syntax) bool {
	if q.Inquiry == AllElements {
		return true
	}
	if q.Inquiry != ByInterface || q.Interface.ID != served.ID {
		return false
	}
	want := q.Interface
	switch q.Versions {
	case AllVersions:
		return true
	case CompatibleVer:
		return served.Major == want.Major && served.Minor >= want.Minor
	case ExactVersion:
		return served == want
	case MajorVersion:
		return served.Major == want.Major
	case UpToVersion:
		return served.Major < want.Major || served.Major == want.Major && served.Minor <= want.Minor
	}
	return false
}

// maxAnnotation is the size of the field for it, with a NUL at the end.
const maxAnnotation = 64

// An Entry is one endpoint that a mapper knows.
type Entry struct {
	Object uuid.UUID
	Tower  Tower
	// Annotation says what it is, in at most 63 bytes.
	Annotation string
}

// A LookupAnswer is what comes out of ept_lookup.
type LookupAnswer struct {
	Handle  Handle
	Entries []Entry
	Status  Status
}

// Append appends the stub to b, as the answer to somebody who asked for at most so many
// entries. Annotations that are too long are cut.
func (a *LookupAnswer) Append(b []byte, most uint32, bigEndian bool) []byte {
	w := ndr.NewWriter(b, bigEndian)
	w.Bytes(a.Handle[:])
	w.Uint32(uint32(len(a.Entries)))
	w.Uint32(most)
	w.Uint32(0)
	w.Uint32(uint32(len(a.Entries)))
	for i, e := range a.Entries {
		text := e.Annotation[:min(len(e.Annotation), maxAnnotation-1)]
		w.UUID(e.Object)
		w.Uint32(uint32(firstReferent + i))
		w.Uint32(0)
		w.Uint32(uint32(len(text) + 1))
		w.Bytes([]byte(text))
		w.Uint8(0)
		w.Align(4)
	}
	for _, e := range a.Entries {
		writeTower(&w, e.Tower)
	}
	w.Uint32(uint32(a.Status))
	return w.Data()
}

// ParseLookupAnswer reads the stub that comes out of ept_lookup.
func ParseLookupAnswer(stub []byte, bigEndian bool) (LookupAnswer, error) {
	r := ndr.NewReader(stub, bigEndian)
	var a LookupAnswer
	copy(a.Handle[:], r.Bytes(len(a.Handle)))
	r.Uint32()
	count, err := readCounts(&r)
	if err != nil {
		return LookupAnswer{}, err
	}
	present := make([]bool, count)
	for i := range present {
		e := Entry{Object: r.UUID()}
		present[i] = r.Uint32() != 0
		offset, actual := r.Uint32(), r.Uint32()
		if offset != 0 || actual > maxAnnotation {
			return LookupAnswer{}, fmt.Errorf("epm: annotation of %d bytes at offset %d", actual, offset)
		}
		text, _, _ := bytes.Cut(r.Bytes(int(actual)), []byte{0})
		e.Annotation = string(text[:min(len(text), maxAnnotation-1)])
		r.Align(4)
		if r.Err() != nil {
			return LookupAnswer{}, r.Err()
		}
		a.Entries = append(a.Entries, e)
	}
	for i := range present {
		if present[i] {
			if a.Entries[i].Tower, err = readTower(&r); err != nil {
				return LookupAnswer{}, err
			}
		}
	}
	a.Status = Status(r.Uint32())
	if err := r.Err(); err != nil {
		return LookupAnswer{}, fmt.Errorf("epm: %w", err)
	}
	return a, nil
}
