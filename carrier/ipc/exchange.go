package ipc

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"messngr/wire/smb2"
)

const (
	// maxFrame is the longest message in bytes that is read: what is asked for, and room
	// for the words around it.
	maxFrame = 1 << 17
	// credits are how many requests we ask to be allowed to send at once. One is enough,
	// but servers give what they are asked for, or less.
	credits = 16
	// unasked is the number of messages that answer nothing (MS-SMB2 2.2.1).
	unasked = 1<<64 - 1
)

// message returns the next request, signed where that is possible.
func (s *Session) message(command uint16, body []byte) []byte {
	h := smb2.Header{
		Command: command, Credits: credits, MessageID: s.next, Tree: s.tree, Session: s.id,
		Signed: s.signer != nil && s.cipher == nil,
	}
	s.next++
	m := append(h.Append(nil), body...)
	if h.Signed {
		s.signer.Sign(m)
	}
	return m
}

// ask sends a request and returns its answer, whatever that says.
func (s *Session) ask(ctx context.Context, command uint16, body []byte) (smb2.Header, []byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return smb2.Header{}, nil, s.broken
	}
	h, answer, err := s.exchange(ctx, command, s.message(command, body))
	if err != nil {
		s.broken = err
	}
	return h, answer, err
}

// exchange sends a message, which is the last that was made, and returns its answer.
func (s *Session) exchange(ctx context.Context, command uint16, message []byte) (smb2.Header, []byte, error) {
	until := time.Now().Add(answerTime)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(until) {
		until = deadline
	}
	if err := s.conn.SetDeadline(until); err != nil {
		return smb2.Header{}, nil, err
	}
	defer context.AfterFunc(ctx, func() { _ = s.conn.SetDeadline(time.Unix(1, 0)) })()
	h, answer, err := s.roundTrip(command, message)
	if ctx.Err() != nil && err != nil {
		err = fmt.Errorf("%w: %w", err, ctx.Err())
	}
	return h, answer, err
}

func (s *Session) roundTrip(command uint16, message []byte) (smb2.Header, []byte, error) {
	frame := message
	if s.cipher != nil {
		frame = s.cipher.Seal(message)
	}
	frame = append(binary.BigEndian.AppendUint32(nil, uint32(len(frame))), frame...)
	if _, err := s.conn.Write(frame); err != nil {
		return smb2.Header{}, nil, lost(command, err)
	}
	for {
		answer, err := s.readFrame()
		if err != nil {
			return smb2.Header{}, nil, lost(command, err)
		}
		h, err := s.open(&answer)
		switch {
		case err != nil:
			return smb2.Header{}, nil, err
		case h.MessageID == unasked:
			continue
		case !h.Response || h.Command != command || h.MessageID != s.next-1:
			return smb2.Header{}, nil, fmt.Errorf("%w: it answers another question", ErrNotSMB)
		case h.Status == smb2.Pending && h.Async:
			continue // the answer comes later
		case s.signer != nil && s.cipher == nil && (!h.Signed || !s.signer.Verify(answer)):
			return smb2.Header{}, nil, unsigned(h)
		}
		return h, answer, nil
	}
}

// open decrypts a message, if it has to be encrypted, and reads its header.
func (s *Session) open(answer *[]byte) (smb2.Header, error) {
	b := *answer
	if s.cipher != nil {
		var err error
		if b, err = s.cipher.Open(b); err != nil {
			return smb2.Header{}, fmt.Errorf("%w: %w", ErrForged, err)
		}
	}
	h, err := smb2.ParseHeader(b)
	if err != nil {
		return h, fmt.Errorf("%w: %w", ErrNotSMB, err)
	}
	*answer = b
	return h, nil
}

// unsigned says what an answer means that is not signed: where the server has forgotten
// the session, it has no key to sign with.
func unsigned(h smb2.Header) error {
	if !h.Signed && h.Status != smb2.Success {
		return fmt.Errorf("%w: it says, unsigned: %w", ErrForged, h.Status)
	}
	return ErrForged
}

// readFrame reads one message (MS-SMB2 2.1).
func (s *Session) readFrame() ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(s.conn, length[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > maxFrame {
		return nil, fmt.Errorf("%w: it sends a message of %d bytes", ErrNotSMB, n)
	}
	b := make([]byte, n)
	_, err := io.ReadFull(s.conn, b)
	return b, err
}

// lost says that there is no answer. Who ends the connection at the first message is no
// server of ours.
func lost(command uint16, err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("no answer in time: %w", err)
	case command == smb2.Negotiate:
		return fmt.Errorf("%w: %w", ErrNotSMB, err)
	}
	return fmt.Errorf("connection lost: %w", err)
}
