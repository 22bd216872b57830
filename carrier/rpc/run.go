package rpc

import (
	"errors"
	"net/netip"
	"runtime/debug"

	"messngr/carrier/rpc/fragment"
	"messngr/wire/dcerpc"
)

const (
	// maxRunning is how many calls run at once.
	maxRunning = 128
	// maxQueued is how many more may wait for that, and maxFromOne how many of all come
	// from one address; the next ones are told to come later.
	maxQueued  = 4096
	maxFromOne = 1024
)

// turn is the place of a call in the queue.
type turn struct {
	*activity
	sequence uint32
	from     netip.Addr
}

// start has the complete call of a run as soon as there is room for it.
func (s *server) start(a *activity, out *mail) {
	addr := a.source.Addr()
	a.said = saidIn(&a.in)
	if len(s.queue) >= maxQueued || s.from[addr] >= maxFromOne || s.activities.bytes > maxAssembly {
		s.refusals.refused(addr, ReasonBusy)
		s.finish(a, &dcerpc.StatusError{Status: dcerpc.ServerTooBusy, Rejected: true}, nil)
		s.answer(a, out)
		return
	}
	a.progress = running
	s.from[addr]++
	s.queue = append(s.queue, turn{a, a.sequence, addr})
	s.next()
}

// next runs calls of the queue until enough run at once.
func (s *server) next() {
	for s.running < maxRunning && len(s.queue) > 0 {
		t := s.queue[0]
		s.queue = s.queue[1:]
		if t.activity.sequence != t.sequence || t.progress != running {
			s.leave(t.from) // its client has given it up
			continue
		}
		call := dcerpc.Call{
			Interface: t.call.Interface, Op: t.call.Op, Stub: t.in.Stub(), BigEndian: t.call.BigEndian,
			Activity: t.id, Sequence: t.sequence,
		}
		s.activities.bytes -= t.in.Size()
		t.in = fragment.Assembly{}
		s.running++
		service, local, from := s.find(call.Interface), t.socket.addr, t.source
		s.jobs.Go(func() {
			stub, err := s.run(service, local, from, call)
			s.ended(t.activity, from, call.Sequence, stub, err)
		})
	}
}

// leave notes that a call from addr neither runs nor waits any more.
func (s *server) leave(addr netip.Addr) {
	if s.from[addr]--; s.from[addr] == 0 {
		delete(s.from, addr)
	}
}

// run runs one call.
func (s *server) run(service *service, local, from netip.AddrPort, call dcerpc.Call) (stub []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			s.log.Error("call panicked", "interface", service.name, "from", from, "panic", v, "stack", string(debug.Stack()))
			stub, err = nil, errors.New("panic")
		}
	}()
	return service.run(s.ctx, local, from, call)
}

// ended takes what came out of a call.
func (s *server) ended(a *activity, from netip.AddrPort, sequence uint32, stub []byte, err error) {
	var status *dcerpc.StatusError
	if err != nil && !errors.As(err, &status) {
		s.log.Error("call failed", "from", from, "err", err)
		status = &dcerpc.StatusError{Status: dcerpc.UnspecifiedFault}
	}
	var out mail
	s.mu.Lock()
	s.running--
	s.leave(from.Addr())
	s.next()
	if a.sequence == sequence && a.progress == running { // and the client waits for it
		s.finish(a, status, stub)
		s.answer(a, &out)
	}
	s.mu.Unlock()
	if status != nil {
		s.refusals.refused(from.Addr(), status.Status.String())
	}
	out.send(s.log)
}

// finish gives the call of a its answer: the failure, or else a stub.
func (s *server) finish(a *activity, failure *dcerpc.StatusError, stub []byte) {
	t := dcerpc.TypeResponse
	if failure != nil {
		t, stub = dcerpc.TypeFault, failure.Status.AppendStatus(nil, a.call.BigEndian)
		if failure.Rejected {
			t = dcerpc.TypeReject
		}
	}
	head := a.call.Answer(t, s.boot)
	head.Number, head.Serial = 0, 0
	s.activities.bytes -= a.in.Size()
	a.in, a.progress, a.out = fragment.Assembly{}, answered, fragment.NewTransmission(head, stub)
}
