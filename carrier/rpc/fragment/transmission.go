package fragment

import (
	"messngr/wire/dcerpc"
)

// Size is how much of a stub in bytes goes into one packet: all packets are then of 1,024
// bytes at the most, which Windows NT 4 and every other system takes unasked.
const Size = 1024 - dcerpc.HeaderSize

// maxWindow is how many fragments are on their way at once, at the most.
const maxWindow = room

// A Transmission sends the stub of one call, in as many fragments as it takes. It knows
// which of them the other side has.
//
// It begins with one fragment, since the other side may be an endpoint mapper that only
// passes it on, and sends twice as many whenever some have arrived.
type Transmission struct {
	head   dcerpc.Datagram // what all fragments have in common
	stub   []byte
	count  int      // how many fragments there are
	base   int      // the first that is not known to have arrived
	next   int      // the next to send
	sent   int      // the first that was never sent
	window int      // how many may be under way
	serial uint16   // of the next packet
	last   []uint16 // the serial under which each fragment was sent last
	known  []bool   // which have arrived
	heard  bool     // whether the other side has told of any
}

// NewTransmission returns one whose packets are all like head, but for what is said of
// fragments and for the body.
func NewTransmission(head dcerpc.Datagram, stub []byte) *Transmission {
	count := max(1, (len(stub)+Size-1)/Size)
	t := &Transmission{head: head, stub: stub, count: count, window: 1}
	if count > 1 {
		t.last, t.known = make([]uint16, count), make([]bool, count)
	}
	return t
}

// Tell makes all further packets say when the server started.
func (t *Transmission) Tell(boot uint32) {
	t.head.ServerBoot = boot
}

// Arrived returns how many fragments are known to have arrived, without a hole, and
// whether that is all of them.
func (t *Transmission) Arrived() (n int, all bool) {
	return t.base, t.base == t.count
}

// packet returns fragment i. With fack the other side is asked to tell what it has.
func (t *Transmission) packet(i int, fack bool) dcerpc.Datagram {
	d := t.head
	if t.count == 1 {
		d.NoFack, d.Body = true, t.stub
		return d
	}
	d.Fragment, d.Last, d.NoFack = true, i == t.count-1, !fack
	d.Number, d.Serial = uint16(i), t.serial
	d.Body = t.stub[i*Size : min(len(t.stub), (i+1)*Size)]
	t.last[i] = t.serial
	t.serial++
	return d
}

// Fresh returns the fragments that may be sent now. The last of them asks for a fack.
func (t *Transmission) Fresh() []dcerpc.Datagram {
	end := min(t.count, t.base+t.window)
	var out []dcerpc.Datagram
	for ; t.next < end; t.next++ {
		if t.count == 1 || !t.known[t.next] {
			out = append(out, t.packet(t.next, false))
		}
	}
	if n := len(out); n > 0 && t.count > 1 {
		out[n-1].NoFack = false
	}
	t.sent = max(t.sent, t.next)
	return out
}

// Again returns what to send when nothing was heard for too long: all that is not known
// to have arrived, beginning with a small window; or from the beginning, if all is known to
// have arrived, since the other side seems to have lost it. To an other side that has never
// told of any it is more each time, since it may be one that sends no facks.
func (t *Transmission) Again() []dcerpc.Datagram {
	if t.heard {
		t.window = max(1, t.window/2)
	} else if t.count > 1 {
		t.window = min(maxWindow, 2*t.window)
	}
	t.next = t.base
	if out := t.Fresh(); len(out) > 0 {
		return out
	}
	return t.Restart()
}

// Restart returns the beginning of the stub once more, for an other side that has
// forgotten what it had.
func (t *Transmission) Restart() []dcerpc.Datagram {
	t.base, t.next, t.window = 0, 0, 1
	clear(t.known)
	return t.Fresh()
}

// Acknowledge takes a fack, and returns what is to be sent upon it: fragments that were
// overtaken, and new ones.
func (t *Transmission) Acknowledge(number uint16, f *dcerpc.Fack) []dcerpc.Datagram {
	first := int(number + 1) // the first that is missing; 0 if none has arrived
	if t.count == 1 || first > t.sent {
		return nil // it tells of what was never sent
	}
	t.heard = true
	if first > t.base {
		t.base, t.window = first, 2*t.window
	}
	t.next = max(t.next, t.base)
	highest := t.base
	for _, n := range f.Beyond {
		if i := int(number + n); i < t.sent {
			t.known[i] = true
			highest = max(highest, i)
		}
	}
	t.window = min(max(t.window, 1), int(f.Window), maxWindow)
	var out []dcerpc.Datagram
	for i := t.base; i < min(highest, t.next); i++ {
		// Sent again already, and the other side did not know that yet?
		if !t.known[i] && int16(f.Serial-t.last[i]) >= 0 {
			out = append(out, t.packet(i, true))
		}
	}
	return append(out, t.Fresh()...)
}
