// Package store says what the service keeps and what it promises of it: the
// messages that arrived, the messages that were sent with the evidence of
// every attempt, and the settings that people changed while it ran.
package store

import (
	"context"
	"time"

	"messngr"
)

// Store keeps messages. When a method that writes returns nil, what it wrote
// survives a power cut. Writers that call at the same time may share one flush
// to the disk. All methods may be called by several goroutines at once.
type Store interface {
	// Take stores an incoming message, and its origin in the same transaction.
	// If the origin is not empty and is known, nothing is stored and the entry
	// of the first hand-over comes back with duplicate true, also if that
	// message was deleted in the meantime.
	Take(ctx context.Context, in Incoming) (e Entry, duplicate bool, err error)
	// Inbox lists received messages.
	Inbox(ctx context.Context, q Query) ([]Entry, error)
	// Entry returns one received message; messngr.ErrNotFound if there is none.
	Entry(ctx context.Context, id messngr.ID) (Entry, error)
	// Mark adds what people and displays did to messages. Ids that are not
	// there are passed over; it returns how many were.
	Mark(ctx context.Context, mark Mark, at time.Time, ids ...messngr.ID) (int, error)
	// Delete removes received messages, and returns how many.
	Delete(ctx context.Context, ids ...messngr.ID) (int, error)
	// Counts says how many received messages there are, and how many unread,
	// for the audiences; nil means all.
	Counts(ctx context.Context, audiences []string) (total, unread int, err error)

	// Queue stores a message that is to be sent, before its first attempt.
	Queue(ctx context.Context, out Outgoing) error
	// Begin records that an attempt starts, so that a crash leaves a trace of
	// it, and returns its number.
	Begin(ctx context.Context, a Attempt) (int64, error)
	// Finish records what an attempt showed. Later evidence for the same
	// attempt, such as a receipt, replaces what was known.
	Finish(ctx context.Context, attempt int64, ended time.Time, via string, ev messngr.Evidence, failure string) error
	// Sent lists sent messages with their attempts, newest first; Query.Audiences
	// selects by Outgoing.Owner here.
	Sent(ctx context.Context, q Query) ([]Outgoing, error)
	// SentMessage returns one of them; messngr.ErrNotFound if there is none.
	SentMessage(ctx context.Context, id messngr.ID) (Outgoing, error)
	// Pending lists, oldest first, the sent messages with a recipient that is
	// Queued by Recipient.State, or with an attempt that was begun and not
	// finished.
	Pending(ctx context.Context) ([]Outgoing, error)

	// Settings returns all values of one kind by key.
	Settings(ctx context.Context, kind string) (map[string]string, error)
	// Set stores one value; Unset removes it and reports whether it was there.
	Set(ctx context.Context, kind, key, value string) error
	Unset(ctx context.Context, kind, key string) (bool, error)

	// Prune removes what the retention does not keep, and returns how many
	// messages that were.
	Prune(ctx context.Context, r Retention, now time.Time) (int, error)
	Close() error
}

// Incoming is a message to be taken.
type Incoming struct {
	Message *messngr.Message
	// Origin is empty for transports on which a hand-over cannot be repeated.
	Origin messngr.Origin
	// Quiet keeps the message from popping up by itself: it is in the inbox and
	// is counted in a digest.
	Quiet bool
}

// Entry is one received message and what was done with it.
type Entry struct {
	// Seq numbers the messages of this store in the order of their taking,
	// from 1 upwards, and is never used twice.
	Seq     int64
	Message *messngr.Message
	Quiet   bool
	// When it was first displayed, read, and acknowledged by a person; zero if
	// it was not.
	Shown, Read, Acknowledged time.Time
}

// Mark is something that happened to a received message.
type Mark uint8

// The marks. Each is set once and keeps its first time; Unread removes the
// time of reading.
const (
	Shown Mark = iota
	Read
	Unread
	Acknowledged
)

// Query selects messages. The zero value selects the newest 100 of all.
type Query struct {
	// Audiences selects by audience (of a sent message: by owner); nil: all.
	// The machine's own messages are those of the audience "".
	Audiences []string
	// Unread and Unshown select messages that were not read, or not shown yet.
	Unread, Unshown bool
	// Search selects messages that contain all these words in sender, recipient,
	// title or text, whatever their case and accents; the last word may be the
	// beginning of a word. It is never a query language: every character is safe.
	Search string
	// After and Before bound Entry.Seq, both exclusively; 0: no bound.
	After, Before int64
	// Oldest lists the oldest first instead of the newest.
	Oldest bool
	// Limit is the largest number of messages; 0: 100, at most 10,000.
	Limit int
}

// Outgoing is one message that was sent from here.
type Outgoing struct {
	Message *messngr.Message
	// Owner is the login name of the person who sent it; "" for the machine.
	Owner string
	// Wait allows the message to wait for a route until it expires.
	Wait       bool
	Recipients []Recipient
}

// Recipient is whom the sender addressed.
type Recipient struct {
	// To is what the sender wrote.
	To string
	// Device is where that leads.
	Device messngr.Device
	// Via is the only route allowed; "" for the best.
	Via string
	// Attempts are the tries, oldest first.
	Attempts []Attempt
}

// Attempt is one try to hand a message to a device.
type Attempt struct {
	Number    int64 // given by Begin
	Message   messngr.ID
	Recipient int // index in Outgoing.Recipients
	Via       string
	Began     time.Time
	Ended     time.Time // zero while it runs, or if a crash cut it off
	Evidence  messngr.Evidence
	// Failure is why it ended without success, for a person; "" if it did not.
	Failure string
}

// State is what is known of the message's way to r: the best that any attempt
// has shown. An attempt that runs, or that a crash cut off, counts as Queued;
// failed attempts count only if nothing better is known.
func (r *Recipient) State() messngr.State {
	best := messngr.Queued
	for i, a := range r.Attempts {
		if a.Ended.IsZero() {
			continue
		}
		if s := a.Evidence.State; i == 0 || rank(s) >= rank(best) {
			best = s
		}
	}
	return best
}

// rank orders states by how much they say about the message's whereabouts.
func rank(s messngr.State) int {
	switch s {
	case messngr.Queued:
		return 0
	case messngr.Failed:
		return 1
	case messngr.Refused:
		return 2
	case messngr.Expired, messngr.Retracted:
		return 3
	case messngr.Unknown:
		return 4
	default:
		return 5 + int(s)
	}
}

// Retention says what is kept. Zero fields do not limit.
type Retention struct {
	// Age is how long messages are kept. Unread messages are kept as well as
	// read ones: age is age.
	Age time.Duration
	// Count is how many received, and how many sent messages are kept.
	Count int
}

// OriginAge is how long the origins of messages are remembered at the least,
// even after the messages were deleted or pruned.
const OriginAge = 24 * time.Hour
