package smbd

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"time"

	"messngr/wire/mailslot"
)

const (
	// retryTime is how often nmbd is looked for where it does not answer: an attempt
	// costs a few system calls.
	retryTime = 5 * time.Second
	// greetTime is how long nmbd may take to answer. It does one thing at a time, and
	// may be busy with a name server that does not answer.
	greetTime = 30 * time.Second
	// maxPacket is the longest packet that is believed; nmbd cuts them at 1,024 bytes.
	maxPacket = 64 << 10

	// What a program says and hears on nmbd's socket are structures of C, in the byte
	// order of the host (Samba source3/libsmb/unexpected.c):
	//
	//	query:  type (4 bytes, 4 unused), length of the mailslot's name (8), transaction
	//	        (4, 4 unused), the name
	//	answer: one byte
	//	packet: length (8), type (4, 4 unused), time (8), IPv4 address (4), port (4), packet
	queryLen      = 24
	headerLen     = 32
	typeDatagram  = 1
	anyDatagram   = 0xFFFFFFFF
	wordSize      = 64 // the structures above are those of 64-bit systems
	offLength     = 0
	offType       = 8
	offAddress    = 24
	offPort       = 28
	offQueryName  = 8
	offQueryTrans = 16
)

// link is one connection to nmbd, or the attempts to have one.
type link struct {
	err error // nil while it works
}

// ErrNotYet is what Nmbd says before the first attempt has ended.
var ErrNotYet = errors.New("not tried yet")

// Nmbd reports whether nmbd hands its packets to us: nil if it does everywhere where that
// is needed, else why not. asked is false if it is needed nowhere. It may be asked of nil,
// which is no Samba.
func (s *Samba) Nmbd() (asked bool, err error) {
	if s == nil {
		return false, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.links {
		if l.err != nil {
			return true, l.err
		}
	}
	return len(s.links) > 0, nil
}

// Datagrams hands every packet that nmbd receives for the mailslot of the Messenger
// service to take, with the address that it came from, until ctx ends. When nmbd is not
// there, goes or is started anew, it is looked for again.
func (s *Samba) Datagrams(ctx context.Context, take func(packet []byte, from netip.AddrPort)) {
	l := &link{ErrNotYet}
	s.mu.Lock()
	s.links[l] = struct{}{}
	s.mu.Unlock()
	defer s.forget(l)
	for {
		if err := s.hear(ctx, l, take); ctx.Err() == nil {
			s.note(l, err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(s.retry):
		}
	}
}

// note keeps the state of a link, and logs it when it changes.
func (s *Samba) note(l *link, err error) {
	s.mu.Lock()
	before := l.err
	l.err = err
	s.mu.Unlock()
	switch {
	case err == nil:
		s.log.Info("nmbd hands over messages that arrive at its port", "socket", s.unexpected())
	case before == nil || errors.Is(before, ErrNotYet):
		s.log.Warn("nmbd has the port for datagrams, but does not hand messages over", "err", err)
	}
}

func (s *Samba) forget(l *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.links, l)
}

// hear takes packets until the connection or ctx ends, and says why it ended.
func (s *Samba) hear(ctx context.Context, l *link, take func([]byte, netip.AddrPort)) error {
	if strconv.IntSize != wordSize {
		return errors.New("only programs of 64 bits understand nmbd's packets")
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", s.unexpected())
	if err != nil {
		return fmt.Errorf("nmbd: %w", err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	if err := greet(conn); err != nil {
		return fmt.Errorf("nmbd: %w", err)
	}
	s.note(l, nil)
	once := newOnce()
	for buf := make([]byte, headerLen+2048); ; {
		packet, from, err := read(conn, buf)
		if err != nil {
			return fmt.Errorf("nmbd: %w", err)
		}
		if packet != nil && once.first(packet, from, time.Now()) {
			take(packet, from)
		}
	}
}

// greet asks for what is written to the mailslot of the Messenger service.
func greet(conn net.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(greetTime)); err != nil {
		return err
	}
	query := make([]byte, queryLen, queryLen+len(mailslot.Name))
	order := binary.NativeEndian
	order.PutUint32(query, typeDatagram)
	order.PutUint64(query[offQueryName:], uint64(len(mailslot.Name)))
	order.PutUint32(query[offQueryTrans:], anyDatagram)
	if _, err := conn.Write(append(query, mailslot.Name...)); err != nil {
		return err
	}
	var answer [1]byte
	if _, err := io.ReadFull(conn, answer[:]); err != nil {
		return err
	}
	if answer[0] != 0 {
		return fmt.Errorf("answered %#02x", answer[0])
	}
	return conn.SetDeadline(time.Time{})
}

// read returns the next packet, which is valid until the next call, or nil for one that
// was not asked for.
func read(conn io.Reader, buf []byte) ([]byte, netip.AddrPort, error) {
	header := buf[:headerLen]
	if _, err := io.ReadFull(conn, header); err != nil {
		return nil, netip.AddrPort{}, err
	}
	order := binary.NativeEndian
	length, kind := order.Uint64(header[offLength:]), order.Uint32(header[offType:])
	from := netip.AddrPortFrom(
		netip.AddrFrom4([4]byte(header[offAddress:])), uint16(order.Uint32(header[offPort:])))
	if length > maxPacket {
		return nil, from, fmt.Errorf("announced a packet of %d bytes", length)
	}
	packet := buf[headerLen:]
	if length > uint64(len(packet)) {
		packet = make([]byte, length)
	}
	packet = packet[:length]
	if _, err := io.ReadFull(conn, packet); err != nil {
		return nil, from, err
	}
	if kind != typeDatagram {
		return nil, from, nil
	}
	return packet, from, nil
}
