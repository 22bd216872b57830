package nbt

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"messngr/wire/nbss"
	"messngr/wire/netbios"
)

const (
	// maxMessage is the longest message taken in a session, in bytes: what the header of
	// the session service can announce. Direct hosting could announce more.
	maxMessage = nbss.MaxLength
	// firstRead is how much memory a message gets before any of it has arrived.
	firstRead = 512
)

// A session is one session over TCP. It implements carrier.Session.
type session struct {
	conn            net.Conn
	direct          bool
	in              *bufio.Reader
	message, out    []byte
	called, calling netbios.Name
	// first is a header that was read to see how the session begins, and not used.
	first *nbss.Header
	// silentSince is when the other side was last expected to say something, in
	// nanoseconds; zero while it is not its turn.
	silentSince atomic.Int64
}

func newSession(conn net.Conn, direct bool) *session {
	return &session{conn: conn, direct: direct, in: bufio.NewReaderSize(conn, 512)}
}

// header reads the four bytes in front of everything. Of those that cannot be it
// returns the type with the error.
func (s *session) header() (nbss.Header, error) {
	if s.first != nil {
		h := *s.first
		s.first = nil
		return h, nil
	}
	b, err := s.in.Peek(nbss.HeaderLen)
	if err != nil {
		if len(b) > 0 && errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nbss.Header{}, err
	}
	parse := nbss.ParseHeader
	if s.direct {
		parse = nbss.ParseDirectHeader
	}
	h, err := parse(b)
	if err != nil {
		return nbss.Header{Type: nbss.Type(b[0])}, err
	}
	_, err = s.in.Discard(nbss.HeaderLen)
	return h, err
}

// body reads what follows a header. The bytes are valid until the next call.
func (s *session) body(h nbss.Header) ([]byte, error) {
	if h.Length > maxMessage {
		return nil, fmt.Errorf("nbt: message of %d bytes, at most %d are taken", h.Length, maxMessage)
	}
	b := s.message[:0]
	for len(b) < h.Length {
		// Only what has arrived makes room for more, not what was announced.
		had := len(b)
		n := min(h.Length, max(2*had, cap(b), firstRead))
		b = slices.Grow(b, n-had)[:n]
		if _, err := io.ReadFull(s.in, b[had:]); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	s.message = b
	return b, nil
}

// Read implements carrier.Session. Keepalives are passed over (RFC 1002 5.3.1.1).
func (s *session) Read() ([]byte, error) {
	began := s.listen()
	message, err := s.read()
	if !s.heard(began) {
		return nil, errShownOut
	}
	return message, err
}

func (s *session) read() ([]byte, error) {
	for {
		h, err := s.header()
		if err != nil {
			return nil, err
		}
		switch h.Type {
		case nbss.KeepAlive:
		case nbss.Message:
			return s.body(h)
		default:
			return nil, fmt.Errorf("nbt: packet of type %#02x in an open session", byte(h.Type))
		}
	}
}

// errShownOut is the end of a session that was silent while others waited to get in.
var errShownOut = errors.New("nbt: session ended for others that wait")

// shownOut is what silentSince is of a session that had to leave.
const shownOut = -1

// listen notes that it is the other side's turn, and since when.
func (s *session) listen() (began int64) {
	began = time.Now().UnixNano()
	s.silentSince.Store(began)
	return began
}

// heard notes that the other side has spoken. It reports false if the session had to
// leave before: what was said then does not count, since nobody could answer.
func (s *session) heard(began int64) bool {
	return s.silentSince.CompareAndSwap(began, 0)
}

// showOut ends the session if it has been silent since then.
func (s *session) showOut(since int64) bool {
	if !s.silentSince.CompareAndSwap(since, shownOut) {
		return false
	}
	_ = s.conn.Close()
	return true
}

// Write implements carrier.Session: header and message leave in one piece.
func (s *session) Write(message []byte) error {
	h := nbss.Header{Type: nbss.Message, Length: len(message)}
	var err error
	if s.direct {
		s.out, err = h.AppendDirect(s.out[:0])
	} else {
		s.out, err = h.Append(s.out[:0])
	}
	if err != nil {
		return err
	}
	s.out = append(s.out, message...)
	_, err = s.conn.Write(s.out)
	return err
}

// SetDeadline implements carrier.Session.
func (s *session) SetDeadline(t time.Time) error { return s.conn.SetDeadline(t) }

// Called implements carrier.Session.
func (s *session) Called() netbios.Name { return s.called }

// Calling implements carrier.Session.
func (s *session) Calling() netbios.Name { return s.calling }

// Remote implements carrier.Session.
func (s *session) Remote() netip.AddrPort {
	return addrPort(s.conn.RemoteAddr())
}

// Close implements carrier.Session.
func (s *session) Close() error { return s.conn.Close() }

// addrPort returns the address of one end of a TCP connection.
func addrPort(a net.Addr) netip.AddrPort {
	if tcp, ok := a.(*net.TCPAddr); ok {
		at := tcp.AddrPort()
		return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	}
	return netip.AddrPort{}
}
