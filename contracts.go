package messngr

import "context"

// Result is what became of a hand-over for one of its recipients.
type Result struct {
	// To is the recipient as Inbound.To named it.
	To string
	// Err is nil if the message was taken for that recipient.
	Err error
}

// Results has one Result per recipient, in the order of Inbound.To.
type Results []Result

// Accept takes responsibility for a message. When it returns without error the
// message is on stable storage for at least one recipient, and the peer is
// answered at once: nothing waits for a display. It returns ErrUnknownName,
// ErrRefused, ErrBusy, ErrPaused or ErrUnavailable when it took nothing.
//
// A second hand-over with the same origin is answered like the first.
type Accept func(ctx context.Context, in Inbound) (Results, error)

// Receiver is a transport that brings messages.
type Receiver interface {
	// Receive hands every message that arrives to accept until ctx ends. It
	// returns nil when ctx has ended and everything that it opened is closed.
	Receive(ctx context.Context, accept Accept) error
}

// Sender is a transport that carries messages away.
type Sender interface {
	// Send makes one attempt to hand m to a device. It returns ErrUnavailable
	// or ErrUnknownName if nothing left this host or nothing can have been
	// taken, ErrRefused or ErrBusy if the other side said so, ErrTooLong before
	// anything is sent, and ErrUncertain if the answer to the last step was
	// lost. It never tries again by itself once the message may have arrived.
	Send(ctx context.Context, to Device, m *Message) (Evidence, error)
}

// Display puts messages in front of people.
type Display interface {
	// Show returns nil when the message is visible, and ErrNobody when nobody
	// is there to see it, so that it has to wait. It may be called by several
	// goroutines at once and must return soon after ctx ends.
	Show(ctx context.Context, m *Message) error
}

// A Withdrawer is a Display that can take a shown message off the screen.
type Withdrawer interface {
	// Withdraw removes the message with that id, if it is still shown.
	Withdraw(ctx context.Context, id ID) error
}
