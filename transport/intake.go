package transport

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"messngr"
)

// startTime is how long who comes early waits for the service to start.
const startTime = 5 * time.Second

// An Intake is how a transport that is called from outside, by a carrier or by the API,
// comes to the middle of the service. It is the transport's messngr.Receiver.
type Intake struct {
	begun  chan struct{} // closed by Receive, which has set accept before
	accept messngr.Accept
	ending context.Context
	end    context.CancelFunc
	mu     sync.Mutex // held to join open, and to end
	open   sync.WaitGroup
}

// NewIntake returns one through which nothing comes before Receive.
func NewIntake() *Intake {
	i := &Intake{begun: make(chan struct{})}
	i.ending, i.end = context.WithCancel(context.Background())
	return i
}

// Receive implements messngr.Receiver: until ctx ends, Join works. It is called once. It
// returns when all who joined have left, so that a message that is being stored when ctx
// ends is still answered.
func (i *Intake) Receive(ctx context.Context, accept messngr.Accept) error {
	i.accept = accept
	close(i.begun)
	<-ctx.Done()
	i.mu.Lock()
	i.end()
	i.mu.Unlock()
	i.open.Wait()
	return nil
}

// Join returns whom to hand messages to, and what to call when that is done. Who comes
// while the service starts waits for it, for five seconds at the most. The error wraps
// messngr.ErrUnavailable: nothing is received, or nothing any more.
func (i *Intake) Join(ctx context.Context) (accept messngr.Accept, leave func(), err error) {
	select {
	case <-i.begun:
	case <-ctx.Done():
		return nil, nil, fmt.Errorf("%w: %w", messngr.ErrUnavailable, ctx.Err())
	case <-time.After(startTime):
		return nil, nil, fmt.Errorf("%w: the service does not receive", messngr.ErrUnavailable)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.ending.Err() != nil {
		return nil, nil, fmt.Errorf("%w: the service does not receive any more", messngr.ErrUnavailable)
	}
	i.open.Add(1)
	return i.accept, i.open.Done, nil
}

// Ending is done as soon as nothing more is received; who joined is then waited for.
func (i *Intake) Ending() context.Context { return i.ending }

// IsLocal reports whether name is a message name of this host.
func (e Env) IsLocal(name string) bool { return e.Local == nil || e.Local(name) }

// Recipient returns the message name that a sender means. One that knows nothing but an
// address or a DNS name, as smbclient's users may type them, calls the machine by that.
func (e Env) Recipient(typed string) string {
	name := e.Page.Upper(typed)
	if e.IsLocal(name) {
		return name
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return e.Host
	}
	if label, _, dotted := strings.Cut(name, "."); dotted && e.IsLocal(label) {
		return label
	}
	return name
}
