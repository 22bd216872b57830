package nbt

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"

	"messngr/carrier"
	"messngr/wire/nbss"
	"messngr/wire/netbios"
)

const (
	// requestTime is how long a caller may take to say what it wants.
	requestTime = 10 * time.Second
	// acceptPause is how long the service rests when no connection can be accepted.
	acceptPause = 50 * time.Millisecond
)

// A sessionService is the session service on one interface, with direct hosting
// beside it: it takes connections and hands them to the handler as sessions.
type sessionService struct {
	carrier   *Carrier
	listeners []listener
	wg        sync.WaitGroup // of the sessions
}

// A listener is one TCP port of the service.
type listener struct {
	net.Listener
	direct bool
}

// openSessions opens the ports. Without a handler nobody would serve them.
func openSessions(n *node) *sessionService {
	s := &sessionService{carrier: n.carrier}
	if n.carrier.serve == nil {
		return s
	}
	s.open(n, n.carrier.cfg.Ports.Session, "session service", false)
	s.open(n, n.carrier.cfg.Ports.Direct, "messages without session service", true)
	return s
}

func (s *sessionService) open(n *node, port uint16, purpose string, direct bool) {
	if port == 0 {
		return
	}
	at := netip.AddrPortFrom(n.iface.Addr(), port)
	l, err := net.Listener(nil), n.carrier.keeps("tcp", at)
	if err == nil {
		l, err = listenTCP(at)
	}
	n.report(carrier.Port{Network: "tcp", Address: at, Purpose: purpose, Err: err})
	if err == nil {
		s.listeners = append(s.listeners, listener{l, direct})
	}
}

// listenTCP opens a port at addr and nowhere else. The messages themselves bound the
// time of a session, so TCP need not ask whether the other side is alive; that, and
// several paths, would only cost system calls.
func listenTCP(at netip.AddrPort) (net.Listener, error) {
	config := net.ListenConfig{KeepAlive: -1}
	config.SetMultipathTCP(false)
	return config.Listen(context.Background(), "tcp4", at.String())
}

// run takes connections until ctx ends, and waits for the sessions to end.
func (s *sessionService) run(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() {
		for _, l := range s.listeners {
			l.Close()
		}
	})
	defer stop()
	var accepting sync.WaitGroup
	for _, l := range s.listeners {
		accepting.Go(func() { s.accept(ctx, l) })
	}
	accepting.Wait()
	s.wg.Wait()
}

func (s *sessionService) accept(ctx context.Context, l listener) {
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			s.carrier.log.Warn("connection not accepted", "address", l.Addr(), "err", err)
			select {
			case <-time.After(acceptPause):
			case <-ctx.Done():
			}
			continue
		}
		in := newSession(conn, l.direct)
		in.listen()
		if !s.carrier.doors.enter(in) {
			s.turnAway(in)
			continue
		}
		s.wg.Go(func() {
			defer s.carrier.doors.leave(in)
			s.serve(ctx, in)
		})
	}
}

// turnAway ends a session for which there is no room. It does not wait for what the
// caller wants: a flood would keep it waiting.
func (s *sessionService) turnAway(in *session) {
	if !in.direct {
		_, _ = in.conn.Write(nbss.NoResources.Append(nil))
	}
	in.Close()
}

// serve opens one session and has it served. A panic of the handler ends this session
// and no other.
func (s *sessionService) serve(ctx context.Context, in *session) {
	defer in.Close()
	defer func() {
		if p := recover(); p != nil {
			s.carrier.log.Error("session handler panicked", "remote", in.Remote(), "panic", p, "stack", string(debug.Stack()))
		}
	}()
	if err := s.admit(ctx, in); err != nil {
		s.carrier.log.Debug("session not opened", "remote", in.Remote(), "err", err)
		return
	}
	s.carrier.serve(ctx, in)
}

// admit sees how the session begins. Most callers ask for it by name; some begin with
// a message at once, as Samba's server allows.
func (s *sessionService) admit(ctx context.Context, in *session) error {
	if in.direct {
		return nil
	}
	if err := in.SetDeadline(time.Now().Add(requestTime)); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { in.conn.SetReadDeadline(time.Unix(1, 0)) })()
	began := in.listen()
	h, err := in.header()
	for err == nil && h.Type == nbss.KeepAlive {
		h, err = in.header()
	}
	switch {
	case h.Type == nbss.SessionRequest && err != nil:
		return s.refuse(in, nbss.Unspecified, err)
	case err != nil:
		return err
	case h.Type == nbss.SessionRequest:
		err = s.request(in, h)
	case h.Type == nbss.Message:
		in.first = &h
	default:
		err = fmt.Errorf("session begins with a packet of type %#02x", byte(h.Type))
	}
	if !in.heard(began) {
		return errShownOut
	}
	return err
}

// request answers a session request (RFC 1002 5.3.1.1, figure "session server").
func (s *sessionService) request(in *session, h nbss.Header) error {
	body, err := in.body(h)
	if err != nil {
		return err
	}
	r, err := nbss.ParseRequest(body)
	if err != nil {
		return s.refuse(in, nbss.CalledNameNotPresent, err)
	}
	if !netbios.SameScope(r.CalledScope, s.carrier.cfg.Scope) {
		return s.refuse(in, nbss.CalledNameNotPresent, fmt.Errorf("called in scope %q", r.CalledScope))
	}
	if err := s.carrier.admits(in.Remote().Addr(), r.Called); err != nil {
		code := refusal(err)
		if code == nbss.CalledNameNotPresent && r.Called.Suffix() != netbios.Messenger && s.carrier.names.Claims(r.Called) {
			code = nbss.NotListeningOnCalled // the name is ours, for other things than sessions
		}
		return s.refuse(in, code, err)
	}
	in.called, in.calling = r.Called, r.Calling
	_, err = in.conn.Write(nbss.AppendPositive(nil))
	return err
}

func (s *sessionService) refuse(in *session, code nbss.ErrorCode, why error) error {
	if _, err := in.conn.Write(code.Append(nil)); err != nil {
		return err
	}
	return fmt.Errorf("%w: %w", code, why)
}

// refusal turns the reason for refusing a session into the protocol's answer.
func refusal(err error) nbss.ErrorCode {
	switch {
	case errors.Is(err, carrier.ErrNotListening):
		return nbss.NotListeningForCalling
	case errors.Is(err, carrier.ErrNoName):
		return nbss.CalledNameNotPresent
	case errors.Is(err, carrier.ErrNoResources):
		return nbss.NoResources
	default:
		return nbss.Unspecified
	}
}

// HandleSessions implements carrier.NetBIOS.
func (c *Carrier) HandleSessions(h carrier.SessionHandler) { c.serve = h }

// AdmitSessions makes admits decide, before a session to a called name is granted,
// whether anybody is there to talk to: nil, carrier.ErrNoName, carrier.ErrNotListening
// or carrier.ErrNoResources. It is called before Run. Without it sessions to our own
// names are granted.
func (c *Carrier) AdmitSessions(admits func(remote netip.Addr, called netbios.Name) error) {
	c.admits = admits
}

// admitOwn is what decides where nobody called AdmitSessions.
func (c *Carrier) admitOwn(_ netip.Addr, called netbios.Name) error {
	if !c.names.Claims(called) {
		return carrier.ErrNoName
	}
	return nil
}
