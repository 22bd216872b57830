package rpc

import (
	"github.com/google/uuid"

	"messngr/carrier/rpc/proof"
	"messngr/wire/dcerpc"
)

// stranger takes a request, or a fragment of one, of a client that we do not know. It is
// kept for as long as the client may need to say who it is.
func (s *server) stranger(p *packet, out *mail) {
	key := strangerKey{p.Activity, p.from}
	c := s.strangers.calls[key]
	if c != nil && c.call.Sequence != p.Sequence {
		if before(p.Sequence, c.call.Sequence) {
			return
		}
		s.strangers.remove(c)
		c = nil
	}
	news := c == nil
	if news {
		if c = s.meet(key, p); c == nil {
			return
		}
	}
	c.socket = p.socket
	size := c.in.Size()
	fresh, err := c.in.Add(&p.Datagram)
	s.strangers.bytes += c.in.Size() - size
	if err != nil {
		s.refusals.refused(p.from.Addr(), ReasonMalformed)
		s.strangers.remove(c)
		s.complain(p, out, dcerpc.ProtocolError, s.boot)
		return
	}
	if news || !fresh {
		c.began = p.now
		s.strangers.order.MoveToBack(c.place)
		s.ask(c, p, out)
	}
	for e := s.strangers.excess(); e != nil; e = s.strangers.excess() {
		s.dismiss(e)
	}
}

// meet takes in a new stranger, of whom p is heard first; nil if nobody may be asked.
func (s *server) meet(key strangerKey, p *packet) *stranger {
	if !s.mayAsk(p) {
		s.refusals.refused(p.from.Addr(), ReasonShort)
		return nil
	}
	callback, err := uuid.NewRandom() // which nobody can guess
	if err != nil {
		s.log.Error("no callback is possible", "err", err)
		return nil
	}
	c := &stranger{strangerKey: key, call: p.Datagram, callback: callback}
	c.call.Body = nil
	s.strangers.add(c)
	return c
}

// mayAsk reports whether a callback is not longer than the packet that it answers, or goes
// to an address that has proven itself.
func (s *server) mayAsk(p *packet) bool {
	return p.size >= questionSize || s.limits.Proven(p.from.Addr(), p.now)
}

// ask sends the callback for a call of which a packet, p, has just arrived, or arrived
// again. All fragments of a call may do so at once.
func (s *server) ask(c *stranger, p *packet, out *mail) {
	if !s.mayAsk(p) || p.now.Sub(c.askedAt) < askTime {
		return
	}
	addr := c.source.Addr()
	if !s.limits.Allow(addr, proof.Ask, p.now) &&
		!(s.calls.Repeated(c.strangerKey, p.now) && s.limits.Allow(addr, proof.AskAgain, p.now)) {
		return // if another client there proves the address in time, it is asked
	}
	out.add(c.socket, c.source, c.question(s.boot, p.now))
}

// dismiss forgets a stranger who did not answer.
func (s *server) dismiss(c *stranger) {
	s.strangers.remove(c)
	if c.asked > 0 {
		s.refusals.refused(c.source.Addr(), ReasonNoProof)
	} else {
		s.refusals.refused(c.source.Addr(), ReasonFlood)
	}
}

// identity takes the answer to a callback.
func (s *server) identity(p *packet, out *mail) {
	c := s.strangers.callbacks[p.Activity]
	if c == nil || c.source != p.from || p.Interface.ID != dcerpc.Conversation().ID || !before(p.Sequence, c.asked) {
		return // not an answer to anything that we have asked there
	}
	c.socket = p.socket
	s.proven(c, p, out)
	if p.Type != dcerpc.TypeResponse {
		// It does not know that procedure: it is asked in the other way, and no more
		// than once.
		if p.Sequence+1 == c.asked && c.asked == 1 {
			out.add(c.socket, c.source, c.question(s.boot, p.now))
		}
		return
	}
	who, err := dcerpc.ParseIdentity(p.Body, questionOp(p.Sequence), p.BigEndian)
	switch {
	case err != nil:
		s.refusals.refused(p.from.Addr(), ReasonMalformed)
	case who.Status != 0:
		s.refusals.refused(p.from.Addr(), ReasonDenied)
		s.strangers.remove(c)
		d := c.call.Answer(dcerpc.TypeReject, s.boot)
		d.Body = dcerpc.WhoAreYouFailed.AppendStatus(nil, c.call.BigEndian)
		out.add(c.socket, c.source, d)
	case before(c.call.Sequence, who.Sequence):
		s.strangers.remove(c) // the client is past that call already
	default:
		s.admit(c, p, out)
	}
}

// proven notes that the address of c is not forged. Others at that address that could
// not be asked for fear of that are asked now.
func (s *server) proven(c *stranger, p *packet, out *mail) {
	if !s.limits.Prove(c.source.Addr(), p.now) {
		return
	}
	for e := s.strangers.order.Front(); e != nil; e = e.Next() {
		if other := e.Value.(*stranger); other.asked == 0 && other.source.Addr() == c.source.Addr() {
			out.add(other.socket, other.source, other.question(s.boot, p.now))
		}
	}
}

// admit makes a stranger's call the call of an activity that we know. A client may repeat
// its call from another port, or go on with it; but what differs there is another call, of
// a program that gives all of them the same number.
func (s *server) admit(c *stranger, p *packet, out *mail) {
	s.strangers.remove(c)
	a, known := s.activities.enter(activityKey{c.activity, c.source.Addr()}, p.now)
	if known && before(c.call.Sequence, a.sequence) {
		return // overtaken by a later call from elsewhere
	}
	same := known && c.call.Sequence == a.sequence
	past := same && a.progress >= running && !a.another(&c.in)
	if past && !c.in.Begins() {
		// Whether it is the one that we know shows in its beginning.
		out.add(c.socket, c.source, c.call.Answer(dcerpc.TypeNoCall, s.boot))
		return
	}
	if same {
		c.in.Fill(&a.in)
	}
	a.socket, a.source, a.proven = c.socket, c.source, p.now
	if past {
		p.Datagram = c.call
		s.report(a, p, out)
		return
	}
	s.activities.begin(a, &c.call)
	a.in, a.progress = c.in, assembling
	s.activities.bytes += a.in.Size()
	switch {
	case a.in.Complete():
		s.start(a, out)
	case a.in.Begins():
		out.add(a.socket, a.source, a.in.Fack(dcerpc.TypeFack, &c.call, s.boot))
	default:
		// It may be that the client believes us to have the beginning.
		out.add(a.socket, a.source, c.call.Answer(dcerpc.TypeNoCall, s.boot))
	}
	s.activities.trim()
}
