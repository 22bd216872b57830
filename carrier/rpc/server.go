package rpc

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"messngr/carrier/rpc/proof"
	"messngr/wire/dcerpc"
)

// A Handler runs the calls of one interface. from is the address at which the caller has
// answered a callback. What it returns is the stub of the response; a *dcerpc.StatusError
// becomes the Reject or Fault that it says, every other error an unspecified fault.
//
// It may be called by several goroutines at once. The same call of a client is run once,
// unless the client was forgotten, or the whole program restarted, before it was
// repeated, or it was repeated from another address: then Activity and Sequence are the same.
type Handler = func(ctx context.Context, from netip.AddrPort, call dcerpc.Call) ([]byte, error)

// service is one interface that is served.
type service struct {
	syntax dcerpc.Syntax
	name   string
	run    func(ctx context.Context, local, from netip.AddrPort, call dcerpc.Call) ([]byte, error)
}

// server is the called side of the protocol. It never speaks unless it is spoken to: the
// client repeats what got lost, and is answered again.
type server struct {
	log      *slog.Logger
	permit   func(netip.Addr) error
	boot     uint32
	refusals *refusals
	services []service // set before Run

	ctx  context.Context // of running calls
	jobs sync.WaitGroup

	mu         sync.Mutex
	limits     *proof.Limits
	calls      *proof.Memory[strangerKey] // that could not be looked into
	strangers  strangers
	activities activities
	running    int
	queue      []turn             // of complete calls, the first to run next
	from       map[netip.Addr]int // how many calls run or wait, by address
}

func newServer(log *slog.Logger, permit func(netip.Addr) error, boot uint32, refusals *refusals) *server {
	return &server{
		log: log, permit: permit, boot: boot, refusals: refusals, ctx: context.Background(),
		limits: proof.NewLimits(), calls: proof.NewMemory[strangerKey](), strangers: newStrangers(), activities: newActivities(),
		from: make(map[netip.Addr]int),
	}
}

// packet is a datagram that has arrived at one of our sockets.
type packet struct {
	dcerpc.Datagram
	socket *socket
	from   netip.AddrPort
	size   int
	now    time.Time
}

// receive takes one datagram that arrived at socket.
func (s *server) receive(socket *socket, from netip.AddrPort, b []byte) {
	if from.Port() == 0 || !from.Addr().IsValid() || from.Addr().IsMulticast() || from.Addr().IsUnspecified() || from == socket.addr {
		s.refusals.refused(from.Addr(), ReasonSource)
		return
	}
	if s.permit != nil && s.permit(from.Addr()) != nil {
		return // it keeps its own journal
	}
	d, err := dcerpc.ParseDatagram(b)
	if err != nil {
		s.refusals.refused(from.Addr(), ReasonMalformed)
		return
	}
	p := &packet{Datagram: d, socket: socket, from: from, size: len(b), now: time.Now()}
	var out mail
	s.mu.Lock()
	s.handle(p, &out)
	s.mu.Unlock()
	out.send(s.log)
}

// handle does what one packet asks for. The caller holds mu.
func (s *server) handle(p *packet, out *mail) {
	switch p.Type {
	case dcerpc.TypeRequest:
		s.request(p, out)
	case dcerpc.TypePing:
		s.ping(p, out)
	case dcerpc.TypeResponse, dcerpc.TypeReject, dcerpc.TypeFault:
		s.identity(p, out)
	case dcerpc.TypeFack:
		s.fack(p, out)
	case dcerpc.TypeCancel:
		s.cancel(p, out)
	case dcerpc.TypeAck:
		// The answer is kept all the same, for a request that was duplicated on its
		// way and arrives later.
	}
}

// request takes a request or a fragment of one.
func (s *server) request(p *packet, out *mail) {
	if reason := improper(&p.Datagram); reason != "" {
		s.refusals.refused(p.from.Addr(), reason)
		if reason == ReasonAuth {
			s.complain(p, out, dcerpc.UnsupportedAuth, s.boot) // else the client waits for nothing
		}
		return
	}
	if p.ServerBoot != 0 && p.ServerBoot != s.boot {
		// The client knows only the boot time that it has sent.
		s.complain(p, out, dcerpc.WrongBootTime, p.ServerBoot)
		return
	}
	if s.find(p.Interface) == nil {
		s.refusals.refused(p.from.Addr(), ReasonInterface)
		s.complain(p, out, dcerpc.UnknownInterface, s.boot)
		return
	}
	a := s.acquainted(p)
	switch {
	case a == nil || a.contradicts(&p.Datagram):
		s.stranger(p, out)
	case before(p.Sequence, a.sequence):
		// An old one that was long on its way.
	case p.Sequence == a.sequence && a.progress >= running:
		s.report(a, p, out)
	case a.fresh(p, s.boot):
		if p.Sequence != a.sequence {
			s.activities.begin(a, &p.Datagram)
		}
		s.activities.use(a, p.now)
		s.take(a, p, out)
	default:
		s.stranger(p, out)
	}
}

// improper returns why a request is not looked at, and else "".
func improper(d *dcerpc.Datagram) string {
	switch {
	case d.Maybe:
		return ReasonMaybe
	case d.Broadcast:
		return ReasonBroadcast
	case d.Auth != 0:
		return ReasonAuth
	}
	return ""
}

// acquainted returns the activity that p belongs to, if its client has answered a
// callback where p comes from, and is not asked for another one. It is answered from where
// it was heard last: sockets come and go with addresses.
func (s *server) acquainted(p *packet) *activity {
	asked := s.strangers.calls[strangerKey{p.Activity, p.from}] != nil
	a := s.activities.known[activityKey{p.Activity, p.from.Addr()}]
	if a == nil || a.source != p.from || asked {
		return nil
	}
	a.socket = p.socket
	return a
}

// fresh reports whether p, which is about a's call or a later one, can go on without
// another callback. A client that starts a call without knowing us has lost its memory,
// or is another one.
func (a *activity) fresh(p *packet, boot uint32) bool {
	return p.now.Sub(a.proven) < proof.Time && (p.ServerBoot == boot || p.Sequence == a.sequence)
}

// take adds a fragment to the call of a, and runs the call when it is complete.
func (s *server) take(a *activity, p *packet, out *mail) {
	before := a.in.Size()
	_, err := a.in.Add(&p.Datagram)
	s.activities.bytes += a.in.Size() - before
	switch {
	case err != nil:
		s.refusals.refused(p.from.Addr(), ReasonMalformed)
		s.finish(a, &dcerpc.StatusError{Status: dcerpc.ProtocolError, Rejected: true}, nil)
		s.answer(a, out)
	case a.in.Complete():
		s.start(a, out)
	default:
		a.progress = assembling
		if !p.NoFack {
			out.add(p.socket, p.from, a.in.Fack(dcerpc.TypeFack, &p.Datagram, s.boot))
		}
		s.activities.trim()
	}
}

// answer sends the answer of a for the first time.
func (s *server) answer(a *activity, out *mail) {
	for _, d := range a.out.Fresh() {
		out.add(a.socket, a.source, d)
	}
}

// report says again what became of the call that p is about.
func (s *server) report(a *activity, p *packet, out *mail) {
	s.activities.use(a, p.now)
	if a.progress == running {
		out.add(p.socket, p.from, p.Answer(dcerpc.TypeWorking, s.boot))
		return
	}
	for _, d := range a.out.Again() {
		out.add(a.socket, a.source, d)
	}
}

// find returns who serves an interface; nil if nobody does.
func (s *server) find(want dcerpc.Syntax) *service {
	for i := range s.services {
		if s.services[i].syntax.Serves(want) {
			return &s.services[i]
		}
	}
	return nil
}

// ping says what became of a call.
func (s *server) ping(p *packet, out *mail) {
	if p.ServerBoot != 0 && p.ServerBoot != s.boot {
		s.complain(p, out, dcerpc.WrongBootTime, p.ServerBoot)
		return
	}
	a := s.acquainted(p)
	switch {
	case a == nil:
		s.reply(p, out, p.Answer(dcerpc.TypeNoCall, s.boot))
	case before(p.Sequence, a.sequence):
	case before(a.sequence, p.Sequence) || a.progress == awaited:
		out.add(p.socket, p.from, p.Answer(dcerpc.TypeNoCall, s.boot))
	case a.progress == assembling:
		s.activities.use(a, p.now)
		out.add(p.socket, p.from, a.in.Fack(dcerpc.TypeNoCall, &p.Datagram, s.boot))
	default:
		s.report(a, p, out)
	}
}

// fack goes on with an answer in fragments.
func (s *server) fack(p *packet, out *mail) {
	a := s.acquainted(p)
	if a == nil || a.progress != answered || p.Sequence != a.sequence {
		return
	}
	f, err := p.ParseFack()
	if err != nil {
		s.refusals.refused(p.from.Addr(), ReasonMalformed)
		return
	}
	for _, d := range a.out.Acknowledge(p.Number, &f) {
		out.add(a.socket, a.source, d)
	}
}

// cancel gives up a call that has not begun to run, and says so. One that runs is not
// disturbed: whatever it does shall be done to its end. Of a call that is not known nothing
// runs, and from now on nothing will, which a quack without a body says (C706 12.5.3.2).
func (s *server) cancel(p *packet, out *mail) {
	a := s.acquainted(p)
	c, gentle, err := p.ParseCancel()
	quack := p.Answer(dcerpc.TypeQuack, s.boot)
	switch {
	case err != nil, a != nil && before(p.Sequence, a.sequence):
		return
	case a == nil:
		if c := s.strangers.calls[strangerKey{p.Activity, p.from}]; c != nil && c.call.Sequence == p.Sequence {
			s.strangers.remove(c)
		}
		s.reply(p, out, quack)
		return
	}
	if gentle {
		quack.Body = (dcerpc.Quack{ID: c.ID}).Append(nil, p.BigEndian)
	} else if a.progress == assembling && p.Sequence == a.sequence {
		s.activities.begin(a, &a.call)
	}
	out.add(p.socket, p.from, quack)
}

// complain rejects a request, if that may be told to somebody who has not proven himself.
func (s *server) complain(p *packet, out *mail, status dcerpc.Status, boot uint32) {
	d := p.Answer(dcerpc.TypeReject, boot)
	d.Body = status.AppendStatus(nil, p.BigEndian)
	s.reply(p, out, d)
}

// reply sends d as the answer to p, if it is not longer than p and not too much is said
// to that address already, or if the address has proven itself.
func (s *server) reply(p *packet, out *mail, d dcerpc.Datagram) {
	addr := p.from.Addr()
	if s.limits.Proven(addr, p.now) ||
		dcerpc.HeaderSize+len(d.Body) <= p.size && s.limits.Allow(addr, proof.Complain, p.now) {
		out.add(p.socket, p.from, d)
	}
}

// housekeeping forgets what is over. It is called about once a second.
func (s *server) housekeeping(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits.Expire(now)
	s.activities.expire(now)
	for late := s.strangers.late(now); late != nil; late = s.strangers.late(now) {
		s.dismiss(late)
	}
}
