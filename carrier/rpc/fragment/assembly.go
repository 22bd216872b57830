// Package fragment cuts the stub of a call into the fragments that datagrams carry, and
// puts them together again, whatever is lost or overtaken on the way (C706 10, 12.5.3.4).
package fragment

import (
	"bytes"
	"errors"

	"messngr/wire/dcerpc"
)

// The limits of one call, in either direction.
const (
	// MaxStub is the longest stub in bytes: a message of 65,536 bytes fits.
	MaxStub = 80 << 10
	// maxFragments is into how many fragments it may be cut.
	maxFragments = 256
	// room is how many fragments we offer to take at once.
	room = 32
)

// The errors of Add.
var (
	// ErrInconsistent: the fragments do not fit each other.
	ErrInconsistent = errors.New("fragments do not fit each other")
	// ErrTooLong: the stub is longer than MaxStub.
	ErrTooLong = errors.New("call is too long")
)

// An Assembly puts the fragments of one call together, in whichever order they arrive.
// The zero Assembly has none.
type Assembly struct {
	parts [][]byte // by their numbers; nil where one is missing
	next  int      // the first that is missing
	total int      // how many there are in all; 0 while that is not known
	size  int      // of all parts, in bytes
}

// Add takes a copy of a fragment. It reports false for one that has arrived before: the
// first one counts. A packet that is no fragment is the whole, whatever its number is:
// small servers leave the request's in their answer.
func (a *Assembly) Add(d *dcerpc.Datagram) (fresh bool, err error) {
	number, last := int(d.Number), d.Last
	if !d.Fragment {
		number, last = 0, true
	}
	switch {
	case number >= maxFragments:
		return false, ErrInconsistent
	case a.total > 0 && (number >= a.total || last && number != a.total-1):
		return false, ErrInconsistent
	case last && len(a.parts) > number+1:
		return false, ErrInconsistent
	case number < len(a.parts) && a.parts[number] != nil:
		return false, nil
	case a.size+len(d.Body) > MaxStub:
		return false, ErrTooLong
	}
	for len(a.parts) <= number {
		a.parts = append(a.parts, nil)
	}
	a.parts[number] = append(make([]byte, 0, len(d.Body)), d.Body...)
	a.size += len(d.Body)
	for a.next < len(a.parts) && a.parts[a.next] != nil {
		a.next++
	}
	if last {
		a.total = number + 1
	}
	return true, nil
}

// Begins reports whether the first fragment has arrived.
func (a *Assembly) Begins() bool {
	return a.next > 0
}

// First returns the first fragment; nil if it has not arrived.
func (a *Assembly) First() []byte {
	if !a.Begins() {
		return nil
	}
	return a.parts[0]
}

// Fill adds the fragments that b has and a lacks, as far as they fit; none if the two do not
// begin alike.
func (a *Assembly) Fill(b *Assembly) {
	if a.Begins() && b.Begins() && !bytes.Equal(a.First(), b.First()) {
		return
	}
	for i, part := range b.parts {
		if part != nil {
			_, _ = a.Add(&dcerpc.Datagram{Fragment: true, Number: uint16(i), Last: i == b.total-1, Body: part})
		}
	}
}

// Complete reports whether nothing is missing.
func (a *Assembly) Complete() bool {
	return a.total > 0 && a.next == a.total
}

// Size returns how many bytes have arrived.
func (a *Assembly) Size() int {
	return a.size
}

// Stub returns the whole of a complete Assembly.
func (a *Assembly) Stub() []byte {
	if len(a.parts) == 1 {
		return a.parts[0]
	}
	whole := make([]byte, 0, a.size)
	for _, p := range a.parts {
		whole = append(whole, p...)
	}
	return whole
}

// Fack returns what to say after the fragment d, as an answer to it from the server that
// started at boot, or from a client.
func (a *Assembly) Fack(t dcerpc.PacketType, d *dcerpc.Datagram, boot uint32) dcerpc.Datagram {
	f := dcerpc.Fack{Window: room, MaxTSDU: maxDatagram, MaxFragment: maxFragment, Serial: d.Serial}
	for i := a.next + 1; i < len(a.parts); i++ {
		if a.parts[i] != nil {
			f.Beyond = append(f.Beyond, uint16(i-a.next+1))
		}
	}
	answer := d.Answer(t, boot)
	answer.Number = uint16(a.next - 1)
	answer.Body = f.Append(nil, d.BigEndian)
	return answer
}

// What a fack tells of our sizes: the longest datagram that a system takes, and the
// longest packet that every implementation does (C706 K, MustRecvFragSize).
const (
	maxDatagram = 65507
	maxFragment = 1464
)
