package nbt

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"messngr/carrier"
	"messngr/wire/nbss"
	"messngr/wire/netbios"
)

// dialTime bounds the opening of one session, request and response included.
const dialTime = 10 * time.Second

// Dial implements carrier.NetBIOS. The error of a session that the other side did not
// grant is a carrier.ErrNoName, ErrNotListening or ErrNoResources and wraps the
// nbss.ErrorCode. Where a name was not found is forgotten, so that the next call has it
// asked for again: its machine may have got another address.
func (c *Carrier) Dial(ctx context.Context, addr netip.Addr, called, calling netbios.Name) (carrier.Session, error) {
	if c.cfg.Ports.Session == 0 {
		return nil, fmt.Errorf("nbt: session service: %w", carrier.ErrOff)
	}
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	at := netip.AddrPortFrom(addr, c.cfg.Ports.Session)
	s, retarget, err := c.call(ctx, at, called, calling)
	if retarget.IsValid() {
		s, retarget, err = c.call(ctx, retarget, called, calling)
		if retarget.IsValid() {
			err = fmt.Errorf("nbt: %v sends callers from one place to another", addr)
		}
	}
	if err != nil {
		c.names.Forget(called)
		return nil, fmt.Errorf("call %v at %v: %w", called, at, err)
	}
	return s, nil
}

// call opens one connection and asks for a session. A valid retarget is where to ask
// instead.
func (c *Carrier) call(ctx context.Context, at netip.AddrPort, called, calling netbios.Name) (
	s *session, retarget netip.AddrPort, err error,
) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp4", at.String())
	if err != nil {
		return nil, retarget, err
	}
	defer func() {
		if s == nil {
			conn.Close()
		}
	}()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	opened := newSession(conn, false)
	opened.called, opened.calling = called, calling
	retarget, err = opened.ask(c.cfg.Scope)
	if !stop() && err == nil && !retarget.IsValid() {
		err = ctx.Err()
	}
	if err != nil || retarget.IsValid() {
		return nil, retarget, err
	}
	return opened, retarget, nil
}

// ask sends the session request and reads its response (RFC 1002 5.3.1.1).
func (s *session) ask(scope string) (retarget netip.AddrPort, err error) {
	request := nbss.Request{Called: s.called, Calling: s.calling, CalledScope: scope, CallingScope: scope}
	b, err := request.Append(nil)
	if err != nil {
		return retarget, err
	}
	if _, err := s.conn.Write(b); err != nil {
		return retarget, err
	}
	h, err := s.header()
	for err == nil && h.Type == nbss.KeepAlive {
		h, err = s.header()
	}
	if err != nil {
		return retarget, err
	}
	body, err := s.body(h)
	if err != nil {
		return retarget, err
	}
	switch h.Type {
	case nbss.PositiveResponse:
		return retarget, nil
	case nbss.NegativeResponse:
		code, err := nbss.ParseNegative(body)
		if err != nil {
			return retarget, err
		}
		return retarget, fmt.Errorf("%w: %w", refused(code), code)
	case nbss.RetargetResponse:
		return s.retarget(body)
	default:
		return retarget, fmt.Errorf("nbt: packet of type %#02x in answer to a session request", byte(h.Type))
	}
}

// retarget reads where the other side sends its callers. Another port of the same
// machine is followed; another machine is not, since whoever answers here could make us
// call any service of any machine in our name.
func (s *session) retarget(body []byte) (netip.AddrPort, error) {
	to, err := nbss.ParseRetarget(body)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if to.Addr() != s.Remote().Addr() {
		return netip.AddrPort{}, fmt.Errorf("nbt: sent on to another machine, %v: %w", to, carrier.ErrNotListening)
	}
	return to, nil
}

// refused turns the answer of the other side into the carrier's error.
func refused(code nbss.ErrorCode) error {
	switch code {
	case nbss.NotListeningOnCalled, nbss.NotListeningForCalling:
		return carrier.ErrNotListening
	case nbss.CalledNameNotPresent:
		return carrier.ErrNoName
	case nbss.NoResources:
		return carrier.ErrNoResources
	default:
		return errors.New("session not granted")
	}
}
