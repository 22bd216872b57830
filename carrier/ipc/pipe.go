package ipc

import (
	"context"
	"errors"
	"fmt"

	"messngr/wire/smb2"
)

const (
	// readSize is how many bytes of a pipe are asked for at once.
	readSize = 16 << 10
	// maxMessage is the longest message in bytes that is taken from a pipe.
	maxMessage = 1 << 16
)

// A Pipe is open, and carries messages both ways.
type Pipe struct {
	session *Session
	id      smb2.FileID
	name    string
}

// Open opens the pipe of that name, such as "msgsvc". It fails with ErrNoPipe if nobody
// serves it, with ErrDenied if the user may not use it.
func (s *Session) Open(ctx context.Context, name string) (*Pipe, error) {
	h, answer, err := s.ask(ctx, smb2.Create, smb2.AppendCreate(nil, name))
	switch {
	case err != nil:
		return nil, err
	case h.Status == smb2.NameNotFound, h.Status == smb2.PipeNotAvailable:
		return nil, fmt.Errorf(`%w: \PIPE\%s`, ErrNoPipe, name)
	case h.Status == smb2.AccessDenied:
		return nil, fmt.Errorf(`\PIPE\%s: %w`, name, ErrDenied)
	case h.Status != smb2.Success:
		return nil, fmt.Errorf(`\PIPE\%s: %w`, name, h.Status)
	}
	id, err := smb2.ParseCreated(answer)
	if err != nil {
		return nil, err
	}
	return &Pipe{session: s, id: id, name: name}, nil
}

// Write writes a message, which has to be less than 64 KiB.
func (p *Pipe) Write(ctx context.Context, message []byte) error {
	h, answer, err := p.ask(ctx, smb2.Write, smb2.AppendWrite(nil, p.id, message))
	if err != nil {
		return err
	}
	if h.Status != smb2.Success {
		return p.failed(h.Status)
	}
	if n, err := smb2.ParseWritten(answer); err != nil || int64(n) != int64(len(message)) {
		return fmt.Errorf(`\PIPE\%s: %d bytes written of %d: %w`, p.name, n, len(message), errors.Join(err, ErrNotSMB))
	}
	return nil
}

// Transceive writes a message, which has to be less than 64 KiB, and returns the next one
// of the other side.
func (p *Pipe) Transceive(ctx context.Context, message []byte) ([]byte, error) {
	h, answer, err := p.ask(ctx, smb2.Ioctl, smb2.AppendTransceive(nil, p.id, message, readSize))
	if err != nil {
		return nil, err
	}
	return p.rest(ctx, h.Status, answer, smb2.ParseTransceived)
}

// Read returns the next message of the other side.
func (p *Pipe) Read(ctx context.Context) ([]byte, error) {
	h, answer, err := p.ask(ctx, smb2.Read, smb2.AppendRead(nil, p.id, readSize))
	if err != nil {
		return nil, err
	}
	return p.rest(ctx, h.Status, answer, smb2.ParseRead)
}

// rest reads what is left of a message of which the beginning has been read.
func (p *Pipe) rest(ctx context.Context, status smb2.Status, answer []byte, parse func([]byte) ([]byte, error)) ([]byte, error) {
	var message []byte
	for {
		if status != smb2.Success && status != smb2.BufferOverflow {
			return nil, p.failed(status)
		}
		data, err := parse(answer)
		if err != nil {
			return nil, err
		}
		if message = append(message, data...); len(message) > maxMessage {
			return nil, fmt.Errorf(`\PIPE\%s: message of more than %d bytes`, p.name, maxMessage)
		}
		if status == smb2.Success {
			return message, nil
		}
		if len(data) == 0 {
			return nil, fmt.Errorf(`\PIPE\%s: a message goes on without end`, p.name)
		}
		var h smb2.Header
		if h, answer, err = p.ask(ctx, smb2.Read, smb2.AppendRead(nil, p.id, readSize)); err != nil {
			return nil, err
		}
		status, parse = h.Status, smb2.ParseRead
	}
}

func (p *Pipe) ask(ctx context.Context, command uint16, body []byte) (smb2.Header, []byte, error) {
	h, answer, err := p.session.ask(ctx, command, body)
	if err != nil {
		return h, nil, fmt.Errorf(`\PIPE\%s: %w`, p.name, err)
	}
	return h, answer, nil
}

func (p *Pipe) failed(status smb2.Status) error {
	if status == smb2.AccessDenied {
		return fmt.Errorf(`\PIPE\%s: %w`, p.name, ErrDenied)
	}
	return fmt.Errorf(`\PIPE\%s: %w`, p.name, status)
}

// Close closes the pipe. The session stays.
func (p *Pipe) Close(ctx context.Context) error {
	_, _, err := p.ask(ctx, smb2.Close, smb2.AppendClose(nil, p.id))
	return err
}
