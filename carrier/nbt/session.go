package nbt

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"messngr/wire/nbss"
	"messngr/wire/netbios"
)

// maxMessage is the longest message taken in a session, in bytes: what the header of
// the session service can announce. Direct hosting could announce more.
const maxMessage = nbss.MaxLength

// A session is one session over TCP. It implements carrier.Session.
type session struct {
	conn            net.Conn
	direct          bool
	in              *bufio.Reader
	message, out    []byte
	called, calling netbios.Name
	// first is a header that was read to see how the session begins, and not used.
	first *nbss.Header
}

func newSession(conn net.Conn, direct bool) *session {
	return &session{conn: conn, direct: direct, in: bufio.NewReaderSize(conn, 1024)}
}

// header reads the four bytes in front of everything.
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
		return h, err
	}
	_, err = s.in.Discard(nbss.HeaderLen)
	return h, err
}

// body reads what follows a header. The bytes are valid until the next call.
func (s *session) body(h nbss.Header) ([]byte, error) {
	if h.Length > maxMessage {
		return nil, fmt.Errorf("nbt: message of %d bytes, at most %d are taken", h.Length, maxMessage)
	}
	if cap(s.message) < h.Length {
		s.message = make([]byte, max(h.Length, 512))
	}
	b := s.message[:h.Length]
	if _, err := io.ReadFull(s.in, b); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return b, nil
}

// Read implements carrier.Session. Keepalives are passed over (RFC 1002 5.3.1.1).
func (s *session) Read() ([]byte, error) {
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
