package rpc

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"github.com/google/uuid"

	"messngr/carrier/rpc/fragment"
	"messngr/carrier/rpc/udp"
	"messngr/wire/dcerpc"
)

const (
	// The time to wait for an answer before something is sent again: at first, and at
	// the most, since it doubles each time.
	firstWait = 500 * time.Millisecond
	maxWait   = 8 * time.Second
	// silence is how long we wait for a server from which nothing is heard.
	silence = 15 * time.Second
)

var (
	errSilence   = errors.New("no answer")
	errRestarted = errors.New("the server was restarted during the call")
	errGarbled   = errors.New("answer cannot be understood")
	errRepeated  = errors.New("the server does not know any more whether it has run the call")
	errNobody    = errors.New("nobody receives calls there")
)

// conversation is one activity of ours: the calls to one host, one after the other.
type conversation struct {
	client   *client
	conn     udp.Conn
	server   netip.AddrPort // whom to send to; its port changes if another one answers
	activity uuid.UUID
	sequence uint32
	boot     uint32           // when the server started; 0 while we do not know
	answer   *dcerpc.Datagram // the last packet of ours, if its answer is to be acknowledged
	timer    *time.Timer      // while it is parked
	buffer   []byte
}

// exchange is one call in a conversation.
type exchange struct {
	*conversation
	head    dcerpc.Datagram
	out     *fragment.Transmission
	in      fragment.Assembly
	sent    int  // datagrams that left
	lost    int  // those of them that are known not to have arrived
	heard   bool // whether the server has said anything
	working bool // whether it has said that it has the whole request
	crashed bool // whether we have told a server that it is not the one that we called
	wait    time.Duration
	next    time.Time // when to send something again
	giveUp  time.Time
}

// call makes one call.
func (v *conversation) call(ctx context.Context, call dcerpc.Call) (dcerpc.Answer, error) {
	v.sequence++
	v.answer = nil
	if v.buffer == nil {
		v.buffer = make([]byte, 1<<16)
	}
	x := &exchange{conversation: v, head: dcerpc.Datagram{
		Type: dcerpc.TypeRequest, BigEndian: call.BigEndian, Interface: call.Interface, Activity: v.activity,
		ServerBoot: v.boot, Sequence: v.sequence, Op: call.Op,
		InterfaceHint: dcerpc.NoHint, ActivityHint: dcerpc.NoHint,
	}}
	x.out = fragment.NewTransmission(x.head, call.Stub)
	now := time.Now()
	x.giveUp = now.Add(silence)
	x.expect(now)
	if err := x.send(x.out.Fresh()...); err != nil {
		return dcerpc.Answer{}, unreached{err}
	}
	defer context.AfterFunc(ctx, func() { _ = v.conn.SetReadDeadline(time.Unix(1, 0)) })()
	for {
		over, err := x.step(ctx)
		if err != nil {
			return dcerpc.Answer{}, err
		}
		if over {
			return dcerpc.Answer{Stub: x.in.Stub(), BigEndian: x.answer.BigEndian}, nil
		}
	}
}

// step waits for the next packet, or for the time to send something again. It reports
// whether the call is over.
func (x *exchange) step(ctx context.Context) (over bool, err error) {
	_ = x.conn.SetReadDeadline(earlier(x.next, x.giveUp))
	if ctx.Err() != nil {
		return false, x.abandon(ctx.Err())
	}
	n, from, err := x.conn.ReadFromUDPAddrPort(x.buffer)
	switch {
	case err == nil:
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		d, err := dcerpc.ParseDatagram(x.buffer[:n])
		if err != nil || from.Addr() != x.server.Addr() {
			return false, nil // not from the server
		}
		return x.receive(&d, from)
	case ctx.Err() != nil:
		return false, x.abandon(ctx.Err())
	case isTimeout(err):
		return false, x.again()
	}
	x.noted()
	switch {
	case x.lost >= x.sent && !x.heard && x.sequence == 0:
		return false, unreached{fmt.Errorf("%w: %w", errNobody, cause(err))}
	case x.lost >= x.sent && !x.heard:
		// The server knows the activity. It may have run the call upon a datagram
		// that the network had doubled, and then gone.
		return false, fmt.Errorf("%w: %w", errNobody, cause(err))
	case x.lost == 0:
		return false, err // the socket itself has failed
	}
	return false, nil
}

// cause returns what the system said, without the names of its calls.
func cause(err error) error {
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		return errno
	}
	return err
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// noted asks the system which of the datagrams are lost.
func (x *exchange) noted() {
	x.lost += x.client.lost(x.conn, x.server)
}

// send sends packets. The error is that of the first, if none of them left.
func (x *exchange) send(packets ...dcerpc.Datagram) error {
	var b []byte
	var failed error
	for i := range packets {
		var err error
		if b, err = packets[i].Append(b[:0]); err != nil {
			return err
		}
		if _, err = x.conn.WriteToUDPAddrPort(b, x.server); err != nil {
			// The error may be about an earlier datagram.
			x.noted()
			_, err = x.conn.WriteToUDPAddrPort(b, x.server)
		}
		if err == nil {
			x.sent++
		} else if failed == nil {
			failed = err
		}
	}
	if x.sent > 0 {
		return nil
	}
	return failed
}

// expect makes us wait for an answer from now on, for the shortest time.
func (x *exchange) expect(now time.Time) {
	x.wait, x.next = firstWait, now.Add(firstWait)
}

// again sends something again, because there was no answer in time.
func (x *exchange) again() error {
	now := time.Now()
	if !now.Before(x.giveUp) {
		return x.abandon(errSilence)
	}
	if now.Before(x.next) {
		return nil
	}
	x.wait = min(2*x.wait, maxWait)
	x.next = now.Add(x.wait)
	if x.working {
		ping := x.head
		ping.Type = dcerpc.TypePing
		_ = x.send(ping)
	} else {
		_ = x.send(x.out.Again()...)
	}
	return nil
}

// abandon tells the server that nobody waits for the answer any more.
func (x *exchange) abandon(why error) error {
	cancel := x.head
	cancel.Type = dcerpc.TypeCancel
	_ = x.send(cancel)
	if !x.heard {
		return fmt.Errorf("nothing was heard from there: %w", why)
	}
	return why
}

// receive takes a packet from the server's host. It reports whether the call is over.
func (x *exchange) receive(d *dcerpc.Datagram, from netip.AddrPort) (over bool, err error) {
	switch {
	case d.Interface.ID == dcerpc.Conversation().ID && d.Activity != x.activity:
		x.identify(d, from)
		return false, nil
	case d.Activity != x.activity || d.Sequence != x.sequence:
		return false, nil // about an earlier call
	case d.Type == dcerpc.TypeReject:
		return false, x.rejected(d)
	case d.ServerBoot != 0 && x.boot != 0 && d.ServerBoot != x.boot:
		return false, nil // from another server than the one that may have run the call
	}
	switch d.Type {
	case dcerpc.TypeResponse:
		x.hear(d, from)
		return x.response(d)
	case dcerpc.TypeFault:
		x.hear(d, from)
		return false, x.failed(d)
	case dcerpc.TypeWorking:
		x.hear(d, from)
		x.working = true
	case dcerpc.TypeNoCall, dcerpc.TypeFack:
		x.hear(d, from)
		x.progress(d)
	}
	return false, nil
}

// hear notes that the server answers, and from where: a mapper may have passed the call on
// to it.
func (x *exchange) hear(d *dcerpc.Datagram, from netip.AddrPort) {
	x.heard, x.server, x.giveUp = true, from, time.Now().Add(silence)
	if x.boot == 0 {
		x.know(d.ServerBoot)
	}
}

// know notes when the server started, which all further packets tell.
func (x *exchange) know(boot uint32) {
	x.boot, x.head.ServerBoot = boot, boot
	x.out.Tell(boot)
}

// response takes the answer, or a fragment of it.
func (x *exchange) response(d *dcerpc.Datagram) (over bool, err error) {
	if _, err := x.in.Add(d); err != nil {
		return false, fmt.Errorf("%w: %w", errGarbled, err)
	}
	if x.in.Complete() {
		x.acknowledgeLater(d)
		return true, nil
	}
	x.working = true
	x.expect(time.Now())
	if !d.NoFack {
		_ = x.send(x.in.Fack(dcerpc.TypeFack, d, x.boot))
	}
	return false, nil
}

// failed takes a fault.
func (x *exchange) failed(d *dcerpc.Datagram) error {
	status, err := d.Status()
	if err != nil {
		return fmt.Errorf("%w: %w", errGarbled, err)
	}
	x.acknowledgeLater(d)
	return &dcerpc.StatusError{Status: status}
}

// rejected takes a reject. It says that this server did not run the call; if an earlier
// one at that address may have done so, that is not enough.
//
// If the server was restarted since the last call, and if no other than the new one can
// have got this one, it is made once more: with the same number, by which a server that
// remembers calls for longer would know it.
func (x *exchange) rejected(d *dcerpc.Datagram) error {
	status, err := d.Status()
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errGarbled, err)
	case status == dcerpc.WrongBootTime && x.sent == 1 && x.boot != 0:
		x.know(0)
		x.expect(time.Now())
		return x.send(x.out.Restart()...)
	case status == dcerpc.WrongBootTime || x.crashed || d.ServerBoot != 0 && x.boot != 0 && d.ServerBoot != x.boot:
		return errRestarted
	case status == dcerpc.ProtocolError && x.sent > 1:
		return errRepeated
	}
	return &dcerpc.StatusError{Status: status, Rejected: true}
}

// progress takes what the server tells of the fragments that it has.
func (x *exchange) progress(d *dcerpc.Datagram) {
	if len(d.Body) == 0 {
		if arrived, _ := x.out.Arrived(); d.Type == dcerpc.TypeNoCall && (x.working || arrived > 0) {
			x.working = false // it has forgotten what it had
			_ = x.send(x.out.Restart()...)
		}
		return
	}
	f, err := d.ParseFack()
	if err != nil {
		return
	}
	before, _ := x.out.Arrived()
	_ = x.send(x.out.Acknowledge(d.Number, &f)...)
	arrived, all := x.out.Arrived()
	if arrived > before {
		x.expect(time.Now())
	}
	x.working = all
}

// identify answers a callback: the server, at whichever of its ports, wants to know
// whether a call is ours.
func (x *exchange) identify(d *dcerpc.Datagram, from netip.AddrPort) {
	answer := d.Answer(dcerpc.TypeResponse, x.client.boot)
	answer.NoFack = true
	q, err := dcerpc.ParseQuestion(d.Body, d.BigEndian)
	switch {
	case d.Type == dcerpc.TypePing:
		answer.Type = dcerpc.TypeNoCall // we would have answered
	case d.Type != dcerpc.TypeRequest:
		return
	case err != nil || d.Op > dcerpc.AreYouThere:
		answer.Type = dcerpc.TypeReject
		answer.Body = dcerpc.OpRange.AppendStatus(nil, d.BigEndian)
	default:
		answer.Body = x.identity(q).Append(nil, d.Op, d.BigEndian)
	}
	b, err := answer.Append(nil)
	if err != nil {
		return
	}
	if _, err := x.conn.WriteToUDPAddrPort(b, from); err == nil {
		now := time.Now()
		x.heard, x.giveUp = true, now.Add(silence)
		x.expect(now)
	}
}

// identity says whether the activity is ours. A server that was started after the one
// that may have run the call must not run it.
func (x *exchange) identity(q dcerpc.Question) dcerpc.Identity {
	who := dcerpc.Identity{Sequence: x.sequence, Client: x.client.id}
	switch {
	case q.Activity != x.activity:
		who.Status = dcerpc.BadActivity
	case x.boot == 0:
		x.know(q.Boot)
	case q.Boot != 0 && q.Boot != x.boot:
		who.Status, x.crashed = dcerpc.YouCrashed, true
	}
	return who
}

// acknowledgeLater notes that the server is to be told that its answer has arrived.
func (x *exchange) acknowledgeLater(d *dcerpc.Datagram) {
	ack := d.Answer(dcerpc.TypeAck, x.boot)
	x.answer = &ack
}

// acknowledge tells the server that its answer has arrived.
func (v *conversation) acknowledge() {
	if v.answer == nil {
		return
	}
	if b, err := v.answer.Append(nil); err == nil {
		_, _ = v.conn.WriteToUDPAddrPort(b, v.server)
	}
	v.answer = nil
}

// leave ends the conversation.
func (v *conversation) leave() {
	v.acknowledge()
	_ = v.conn.Close()
}
