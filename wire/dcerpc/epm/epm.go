// Package epm reads and writes the two calls of the endpoint mapper by which clients and
// scanners ask where an interface is served: ept_map and ept_lookup (C706 O, MS-RPCE
// 2.2.1.2).
package epm

import (
	"fmt"

	"github.com/google/uuid"

	"messngr/wire/dcerpc"
	"messngr/wire/ndr"
)

// Interface is the endpoint mapper's own.
func Interface() dcerpc.Syntax {
	return dcerpc.Syntax{ID: uuid.MustParse("e1af8308-5d1f-11c9-91a4-08002b14a0fa"), Major: 3}
}

// The procedures.
const (
	Lookup     uint16 = 2 // ept_lookup
	Map        uint16 = 3 // ept_map
	FreeHandle uint16 = 4 // ept_lookup_handle_free
)

// maxAnswers bounds how many towers and entries are read, and how many a question asks
// for.
const maxAnswers = 500

// A Status is the last of what comes out of each procedure.
type Status uint32

// The codes (MS-RPCE 2.2.1.2.4, 2.2.1.2.5).
const (
	Success Status = 0
	// NotRegistered: there is nothing, or nothing more, that fits (ept_s_not_registered).
	NotRegistered Status = 0x16C9A0D6
)

// A Handle says where a lookup in several calls goes on; the zero value at its beginning
// and end.
type Handle [20]byte

// A MapQuestion is what goes into ept_map: which endpoints fit a tower.
type MapQuestion struct {
	// Object is the zero UUID if the client does not care.
	Object uuid.UUID
	Tower  Tower
	Handle Handle
	// Max is how many towers the client has room for.
	Max uint32
}

// A MapAnswer is what comes out of ept_map.
type MapAnswer struct {
	Handle Handle
	Towers []Tower
	Status Status
}

// The values of the full pointers that we write, whose only meaning is not to be zero.
const firstReferent = 3

// Append appends the stub to b.
func (q *MapQuestion) Append(b []byte, bigEndian bool) []byte {
	w := ndr.NewWriter(b, bigEndian)
	w.Uint32(1)
	w.UUID(q.Object)
	w.Uint32(2)
	writeTower(&w, q.Tower)
	w.Align(4)
	w.Bytes(q.Handle[:])
	w.Uint32(q.Max)
	return w.Data()
}

// ParseMapQuestion reads the stub that goes into ept_map.
func ParseMapQuestion(stub []byte, bigEndian bool) (MapQuestion, error) {
	r := ndr.NewReader(stub, bigEndian)
	var q MapQuestion
	if r.Uint32() != 0 {
		q.Object = r.UUID()
	}
	if r.Uint32() != 0 {
		var err error
		if q.Tower, err = readTower(&r); err != nil {
			return MapQuestion{}, err
		}
	}
	r.Align(4)
	copy(q.Handle[:], r.Bytes(len(q.Handle)))
	q.Max = r.Uint32()
	if err := r.Err(); err != nil {
		return MapQuestion{}, fmt.Errorf("epm: %w", err)
	}
	return q, nil
}

// Append appends the stub to b, as the answer to somebody who asked for at most so many
// towers.
func (a *MapAnswer) Append(b []byte, most uint32, bigEndian bool) []byte {
	w := ndr.NewWriter(b, bigEndian)
	w.Bytes(a.Handle[:])
	w.Uint32(uint32(len(a.Towers)))
	w.Uint32(most)
	w.Uint32(0)
	w.Uint32(uint32(len(a.Towers)))
	for i := range a.Towers {
		w.Uint32(uint32(firstReferent + i))
	}
	for _, t := range a.Towers {
		writeTower(&w, t)
	}
	w.Uint32(uint32(a.Status))
	return w.Data()
}

// ParseMapAnswer reads the stub that comes out of ept_map.
func ParseMapAnswer(stub []byte, bigEndian bool) (MapAnswer, error) {
	r := ndr.NewReader(stub, bigEndian)
	var a MapAnswer
	copy(a.Handle[:], r.Bytes(len(a.Handle)))
	r.Uint32()
	count, err := readCounts(&r)
	if err != nil {
		return MapAnswer{}, err
	}
	present := make([]bool, count)
	for i := range present {
		present[i] = r.Uint32() != 0
	}
	for _, p := range present {
		var t Tower
		if p {
			if t, err = readTower(&r); err != nil {
				return MapAnswer{}, err
			}
		}
		a.Towers = append(a.Towers, t)
	}
	a.Status = Status(r.Uint32())
	if err := r.Err(); err != nil {
		return MapAnswer{}, fmt.Errorf("epm: %w", err)
	}
	return a, nil
}

// readCounts reads the counts of a conformant and varying array.
func readCounts(r *ndr.Reader) (int, error) {
	maximum, offset, actual := r.Uint32(), r.Uint32(), r.Uint32()
	if offset != 0 || actual > maximum || actual > maxAnswers {
		return 0, fmt.Errorf("epm: %d elements at offset %d of %d", actual, offset, maximum)
	}
	return int(actual), nil
}
