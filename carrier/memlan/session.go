package memlan

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"messngr/carrier"
	"messngr/wire/netbios"
)

// window is how many messages a session holds that nobody has read yet.
const window = 16

// Dial implements carrier.NetBIOS. A host that is off or takes no sessions refuses the
// connection. Calling the zero name is direct hosting: nobody is asked who is there.
func (h *Host) Dial(ctx context.Context, addr netip.Addr, called, calling netbios.Name) (carrier.Session, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h.lan.mu.Lock()
	defer h.lan.mu.Unlock()
	if h.running == nil {
		return nil, carrier.ErrOff
	}
	other := h.lan.hosts[addr]
	if other == nil || other.running == nil || other.serve == nil {
		return nil, fmt.Errorf("dial %v: %w", addr, syscall.ECONNREFUSED)
	}
	if err := other.admit(h.addr, called); err != nil {
		return nil, fmt.Errorf("dial %s at %v: %w", called, addr, err)
	}
	here, there := pipe()
	here.called, here.calling, here.remote = called, calling, netip.AddrPortFrom(addr, 139)
	there.called, there.calling, there.remote = called, calling, netip.AddrPortFrom(h.addr, 1024)
	running := other.running
	other.sessions.Go(func() {
		defer there.Close()
		other.serve(running, there)
	})
	return here, nil
}

func (h *Host) admit(remote netip.Addr, called netbios.Name) error {
	if called == (netbios.Name{}) {
		return nil
	}
	if h.admits != nil {
		return h.admits(remote, called)
	}
	if _, ours := h.names[called]; !ours {
		return carrier.ErrNoName
	}
	return nil
}

// session is one end of a session.
type session struct {
	in, out         chan []byte
	closed, parted  chan struct{} // this end, and the other one, was closed
	close           func()
	deadline        deadline
	called, calling netbios.Name
	remote          netip.AddrPort
}

// pipe returns the two ends of a session.
func pipe() (*session, *session) {
	forth, back := make(chan []byte, window), make(chan []byte, window)
	a, b := make(chan struct{}), make(chan struct{})
	here := &session{in: back, out: forth, closed: a, parted: b, close: sync.OnceFunc(func() { close(a) })}
	there := &session{in: forth, out: back, closed: b, parted: a, close: sync.OnceFunc(func() { close(b) })}
	return here, there
}

// Read implements carrier.Session.
func (s *session) Read() ([]byte, error) {
	late, err := s.usable()
	if err != nil {
		return nil, err
	}
	select {
	case m := <-s.in:
		return m, nil
	case <-s.closed:
		return nil, net.ErrClosed
	case <-late:
		return nil, os.ErrDeadlineExceeded
	case <-s.parted:
	}
	select { // what was written before the other end was closed
	case m := <-s.in:
		return m, nil
	default:
		return nil, io.EOF
	}
}

// Write implements carrier.Session.
func (s *session) Write(message []byte) error {
	late, err := s.usable()
	if err != nil {
		return err
	}
	select {
	case <-s.parted:
		return syscall.EPIPE
	default:
	}
	select {
	case s.out <- append([]byte(nil), message...):
		return nil
	case <-s.closed:
		return net.ErrClosed
	case <-s.parted:
		return syscall.EPIPE
	case <-late:
		return os.ErrDeadlineExceeded
	}
}

// usable returns why nothing can be read or written any more, and otherwise a channel
// that is closed when that becomes late.
func (s *session) usable() (late <-chan struct{}, err error) {
	late = s.deadline.passed()
	select {
	case <-s.closed:
		return nil, net.ErrClosed
	default:
	}
	select {
	case <-late:
		return nil, os.ErrDeadlineExceeded
	default:
	}
	return late, nil
}

// SetDeadline implements carrier.Session.
func (s *session) SetDeadline(t time.Time) error {
	s.deadline.set(t)
	return nil
}

// Called implements carrier.Session.
func (s *session) Called() netbios.Name { return s.called }

// Calling implements carrier.Session.
func (s *session) Calling() netbios.Name { return s.calling }

// Remote implements carrier.Session.
func (s *session) Remote() netip.AddrPort { return s.remote }

// Close implements carrier.Session.
func (s *session) Close() error {
	s.close()
	s.deadline.set(time.Time{})
	return nil
}

// deadline is a moment that can be moved, also while somebody waits for it.
type deadline struct {
	mu     sync.Mutex
	timer  *time.Timer
	moment chan struct{} // closed when it has passed
}

// passed returns a channel that is closed when the deadline has passed.
func (d *deadline) passed() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.channel()
}

func (d *deadline) channel() chan struct{} {
	if d.moment == nil {
		d.moment = make(chan struct{})
	}
	return d.moment
}

// set moves the deadline to t; the zero time means that there is none.
func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil && !d.timer.Stop() {
		<-d.channel() // it has fired, or is about to
	}
	d.timer = nil
	select {
	case <-d.channel():
		d.moment = make(chan struct{})
	default:
	}
	if t.IsZero() {
		return
	}
	moment := d.channel()
	if wait := time.Until(t); wait > 0 {
		d.timer = time.AfterFunc(wait, func() { close(moment) })
		return
	}
	close(moment)
}
