package smbmessage

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"messngr"
	"messngr/carrier"
	"messngr/wire/netbios"
)

const (
	// messageTime is how long one message may take from its start to its end, however
	// busy its sender is: 65,536 bytes in blocks of 128 are 512 round trips.
	messageTime = 2 * time.Minute
	// writeTime is how long an answer may wait for a peer that does not read.
	writeTime = 10 * time.Second
)

// Receive implements messngr.Receiver. It is called once. A message that is being
// stored when ctx ends is still answered.
func (t *Transport) Receive(ctx context.Context, accept messngr.Accept) error {
	return t.intake.Receive(ctx, accept)
}

// serve talks to one peer until that closes the session, says nothing for too long, or
// talks nonsense. It is the carrier.SessionHandler.
func (t *Transport) serve(ctx context.Context, s carrier.Session) {
	accept, leave, err := t.intake.Join(ctx)
	if err != nil {
		return
	}
	defer leave()
	remote := s.Remote()
	// Sessions that began with a called name have been admitted.
	if s.Called() == (netbios.Name{}) {
		if err := t.permit(remote.Addr()); err != nil {
			t.log.Debug("session refused", "remote", remote, "err", err)
			return
		}
	}
	v := &visit{session: s}
	defer context.AfterFunc(ctx, v.end)()
	defer context.AfterFunc(t.intake.Ending(), v.end)()
	c := t.converse(accept, remote.Addr(), s.Calling())
	if err := v.talk(context.WithoutCancel(ctx), c, t.idle); err != nil {
		t.log.Debug("session ended", "remote", remote, "err", err)
	}
}

// visit is the life of one session. Its end interrupts a Read, but never the time from
// a message's last block to its answer: who answers nothing for a stored message makes
// its sender send it again.
type visit struct {
	session carrier.Session

	mu        sync.Mutex
	listening bool
	ended     bool
}

func (v *visit) end() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ended = true
	if v.listening {
		_ = v.session.SetDeadline(time.Unix(1, 0))
	}
}

// listen reads the next request. It returns io.EOF at the end of the visit.
func (v *visit) listen(until time.Time) ([]byte, error) {
	if err := v.open(until); err != nil {
		return nil, err
	}
	defer v.close()
	return v.session.Read()
}

func (v *visit) open(until time.Time) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.ended {
		return io.EOF
	}
	v.listening = true
	return v.session.SetDeadline(until)
}

func (v *visit) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.listening = false
}

// talk answers what the peer says.
func (v *visit) talk(ctx context.Context, c *conversation, idle time.Duration) error {
	var answer []byte
	for {
		request, err := v.listen(c.patience(time.Now(), idle))
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var nonsense error
		answer, nonsense = c.answer(ctx, request, answer[:0])
		if len(answer) > 0 {
			if err := v.session.SetDeadline(time.Now().Add(writeTime)); err != nil {
				return err
			}
			if err := v.session.Write(answer); err != nil {
				return err
			}
		}
		if nonsense != nil {
			return nonsense
		}
	}
}
