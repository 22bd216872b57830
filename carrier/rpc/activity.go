package rpc

import (
	"container/list"
	"crypto/sha256"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"messngr/carrier/rpc/fragment"
	"messngr/wire/dcerpc"
)

const (
	// idleTime is how long an activity without a call is remembered, and with it the
	// answer to its last call (C706 10, TIMEOUT_IDLE).
	idleTime = 300 * time.Second
	// callTime is how long we wait for the next fragment of a call.
	callTime = 15 * time.Second
	// maxActivities and maxAssembly bound the memory for all of them. The one that was
	// used longest ago makes room.
	maxActivities = 8192
	maxAssembly   = 16 << 20
)

// progress says how far the call of an activity is.
type progress uint8

const (
	awaited    progress = iota // nothing of the call has arrived, or it was given up
	assembling                 // some fragments are missing
	running
	answered
)

// An activityKey tells activities apart. The address is a part of it, so that nobody can
// meddle with the calls of another one.
type activityKey struct {
	id   uuid.UUID
	addr netip.Addr
}

// An activity is one client's sequence of calls, of which it makes one at a time. The
// client has answered a callback at source.
type activity struct {
	activityKey
	socket   *socket
	source   netip.AddrPort
	proven   time.Time
	sequence uint32 // of the call that it is at
	progress progress
	call     dcerpc.Datagram // the header of that call
	in       fragment.Assembly
	said     said                   // what the call says; zero until it is complete
	out      *fragment.Transmission // the answer
	used     time.Time
	place    *list.Element
}

// activities are all that we know of.
type activities struct {
	known map[activityKey]*activity
	order *list.List // used longest ago first
	bytes int        // of all fragments that have not become a call
}

func newActivities() activities {
	return activities{known: make(map[activityKey]*activity), order: list.New()}
}

// enter returns the activity with that key, which is made if it is not known.
func (t *activities) enter(key activityKey, now time.Time) (a *activity, known bool) {
	a, known = t.known[key]
	if !known {
		a = &activity{activityKey: key}
		t.known[key] = a
		a.place = t.order.PushBack(a)
	}
	t.use(a, now)
	return a, known
}

func (t *activities) use(a *activity, now time.Time) {
	a.used = now
	t.order.MoveToBack(a.place)
}

func (t *activities) remove(a *activity) {
	t.order.Remove(a.place)
	delete(t.known, a.activityKey)
	t.bytes -= a.in.Size()
}

// begin makes a ready for the call with that number, whatever became of the one before.
func (t *activities) begin(a *activity, d *dcerpc.Datagram) {
	t.bytes -= a.in.Size()
	a.sequence, a.progress, a.call, a.in, a.out = d.Sequence, awaited, *d, fragment.Assembly{}, nil
	a.call.Body, a.said = nil, said{}
}

// said is by what we know a call again that has the number of another one: by its first
// fragment, and by all of it.
type said struct {
	first, whole [sha256.Size]byte
}

// saidIn returns what a complete call says.
func saidIn(in *fragment.Assembly) said {
	return said{sha256.Sum256(in.First()), sha256.Sum256(in.Stub())}
}

// another reports whether what has arrived of a call is not the one with its number that a
// has answered: programs there are that give all their calls the same number.
func (a *activity) another(in *fragment.Assembly) bool {
	switch {
	case a.progress != answered || a.said == said{} || !in.Begins():
		return false
	case in.Complete():
		return a.said != saidIn(in)
	}
	return a.said.first != sha256.Sum256(in.First())
}

// contradicts reports whether a packet cannot be one of the call that a is at.
func (a *activity) contradicts(d *dcerpc.Datagram) bool {
	if a.progress != answered || d.Sequence != a.sequence {
		return false
	}
	var in fragment.Assembly
	_, err := in.Add(d)
	return err == nil && a.another(&in)
}

// trim forgets activities until there is room for the rest.
func (t *activities) trim() {
	for e := t.order.Front(); e != nil && (len(t.known) > maxActivities || t.bytes > maxAssembly); {
		a := e.Value.(*activity)
		e = e.Next()
		if a.progress != running && (len(t.known) > maxActivities || a.in.Size() > 0) {
			t.remove(a)
		}
	}
}

// expire forgets what has not been used for too long.
func (t *activities) expire(now time.Time) {
	for e := t.order.Front(); e != nil; {
		a := e.Value.(*activity)
		e = e.Next()
		idle := now.Sub(a.used)
		switch {
		case idle < callTime:
			return
		case a.progress == running:
		case idle >= idleTime:
			t.remove(a)
		case a.progress == assembling:
			t.begin(a, &a.call)
		}
	}
}
