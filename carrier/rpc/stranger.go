package rpc

import (
	"container/list"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"messngr/carrier/rpc/fragment"
	"messngr/wire/dcerpc"
)

const (
	// strangerTime is how long a client may take to answer a callback.
	strangerTime = 2 * time.Second
	// askTime is how long a client is not asked again.
	askTime = 100 * time.Millisecond
	// maxStrangers and maxStrangerBytes bound how many calls wait for that. The oldest
	// makes room: in the worst flood an honest client still has the time to answer.
	maxStrangers     = 4096
	maxStrangerBytes = 8 << 20
)

// A strangerKey tells calls of strangers apart. Their source is a part of it, so that
// nobody can meddle with the call of another address.
type strangerKey struct {
	activity uuid.UUID
	source   netip.AddrPort
}

// A stranger is a client that has sent a call and has not yet been heard to answer at the
// address that the call came from. Nothing of the call is run before that.
type stranger struct {
	strangerKey
	socket *socket
	call   dcerpc.Datagram // the header of the call
	in     fragment.Assembly
	began  time.Time
	// The callback: its activity is random, so that only who got it can answer, and
	// its sequence number counts how often we have asked.
	callback uuid.UUID
	asked    uint32
	askedAt  time.Time
	place    *list.Element
}

// strangers are the calls that wait for their clients to say who they are.
type strangers struct {
	calls     map[strangerKey]*stranger
	callbacks map[uuid.UUID]*stranger
	order     *list.List // oldest first
	bytes     int
}

func newStrangers() strangers {
	return strangers{
		calls: make(map[strangerKey]*stranger), callbacks: make(map[uuid.UUID]*stranger), order: list.New(),
	}
}

// add takes in a new one.
func (t *strangers) add(s *stranger) {
	s.place = t.order.PushBack(s)
	t.calls[s.strangerKey] = s
	t.callbacks[s.callback] = s
}

// remove forgets one. Its fragments are no longer counted.
func (t *strangers) remove(s *stranger) {
	t.order.Remove(s.place)
	delete(t.calls, s.strangerKey)
	delete(t.callbacks, s.callback)
	t.bytes -= s.in.Size()
}

// excess returns the oldest if there is no room for all, and else nil.
func (t *strangers) excess() *stranger {
	if len(t.calls) <= maxStrangers && t.bytes <= maxStrangerBytes {
		return nil
	}
	return t.order.Front().Value.(*stranger)
}

// late returns one that has taken too long to answer, and else nil.
func (t *strangers) late(now time.Time) *stranger {
	if first := t.order.Front(); first != nil {
		if s := first.Value.(*stranger); now.Sub(s.began) >= strangerTime {
			return s
		}
	}
	return nil
}

// question returns the callback for the next time that s is asked, which is now. Windows asks in one
// way and the DCE runtime in the other (MS-RPCE 3.2.3.1.8): we take turns.
func (s *stranger) question(boot uint32, now time.Time) dcerpc.Datagram {
	d := dcerpc.Datagram{
		Type: dcerpc.TypeRequest, Idempotent: true, BigEndian: s.call.BigEndian,
		Interface: dcerpc.Conversation(), Activity: s.callback, Sequence: s.asked, Op: questionOp(s.asked),
		InterfaceHint: dcerpc.NoHint, ActivityHint: dcerpc.NoHint,
		Body: dcerpc.Question{Activity: s.activity, Boot: boot}.Append(nil, s.call.BigEndian),
	}
	s.asked++
	s.askedAt = now
	return d
}

// questionOp is the procedure of the callback with that sequence number.
func questionOp(sequence uint32) uint16 {
	if sequence%2 == 0 {
		return dcerpc.WhoAreYou2
	}
	return dcerpc.WhoAreYou
}

// questionSize is the length in bytes of a callback.
const questionSize = dcerpc.HeaderSize + 20

// before reports whether sequence number a is older than b, which may have wrapped.
func before(a, b uint32) bool {
	return int32(a-b) < 0
}
