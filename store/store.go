// Package store says what the service keeps and what it promises of it: the
// messages that arrived, the messages that were sent with the evidence of
// every attempt, and the settings that people changed while it ran.
package store

import (
	"context"
	"strings"
	"time"
	"unicode"

	"messngr"
)

// Store keeps messages. When a method that writes returns nil, what it wrote
// survives a power cut; when it returns an error, it wrote nothing. Writers that
// call at the same time may share one flush to the disk, and the failure of one
// is no failure of the others. All methods may be called by several goroutines
// at once.
//
// A writer whose context ends while it waits for its turn returns the context's
// error and has written nothing; once its turn has come it waits for the
// outcome. An error that is the store's own, such as a full disk, is a
// messngr.ErrUnavailable: the same call may work later.
//
// Times are kept in microseconds and come back in UTC.
type Store interface {
	// Take stores an incoming message, and its origin in the same transaction.
	// If the origin is not empty and is known, nothing is stored and the entry
	// of the first hand-over comes back with duplicate true, also if that
	// message was deleted in the meantime: then the entry holds nothing but
	// Seq and the message's ID and Time. The id and the time of a message
	// must be set, and the id may not be there yet.
	Take(ctx context.Context, in Incoming) (e Entry, duplicate bool, err error)
	// Inbox lists received messages.
	Inbox(ctx context.Context, q Query) ([]Entry, error)
	// Entry returns one received message with the marks of a reader, as in Query;
	// messngr.ErrNotFound if there is none, or the reader has discarded it.
	Entry(ctx context.Context, id messngr.ID, reader string) (Entry, error)
	// Mark adds what people and displays did to messages. Everybody reads and
	// acknowledges for himself: reader is the person's login name, or "" for
	// nobody in particular, and means nothing for Shown and everything for
	// Discarded. Ids that are not there are passed over; it returns how many
	// messages were.
	Mark(ctx context.Context, mark Mark, reader string, at time.Time, ids ...messngr.ID) (int, error)
	// Expire ends what these attempts brought (Incoming.Attempt) at that time, unless
	// it ended before, and returns the messages with anybody's marks, the oldest first.
	Expire(ctx context.Context, at time.Time, attempts ...int64) ([]Entry, error)
	// Delete removes received messages, and returns how many.
	Delete(ctx context.Context, ids ...messngr.ID) (int, error)
	// Counts says how many received messages there are for the audiences, and how
	// many of them the reader has not read; both as in Query.
	Counts(ctx context.Context, audiences []string, reader string) (total, unread int, err error)

	// Queue stores a message that is to be sent, before its first attempt. It
	// gives the message its Seq and leaves Recipient.Attempts to Begin. The id
	// and the time must be set, and the id may not have been queued yet.
	Queue(ctx context.Context, out Outgoing) error
	// Begin records that an attempt starts, so that a crash leaves a trace of
	// it, and returns its number. It keeps Message, Recipient, Via and Began,
	// which may not be zero; messngr.ErrNotFound if there is no such recipient.
	Begin(ctx context.Context, a Attempt) (int64, error)
	// Finish records Ended, Via, Evidence, Code and Failure of the attempt with
	// that Number; an empty Via keeps the one that was known, and Ended may not
	// be zero. Later evidence for the same attempt, such as a receipt, replaces
	// what was known, unless it says less: what is proven stays (Attempt.Yields).
	// messngr.ErrNotFound if there is no such attempt.
	Finish(ctx context.Context, a Attempt) error
	// Sent lists sent messages with their attempts. Query.Audiences selects by
	// Outgoing.Owner here, After and Before bound Outgoing.Seq, Search looks at
	// what the sender wrote as recipients too, and Unread and Unshown mean
	// nothing.
	Sent(ctx context.Context, q Query) ([]Outgoing, error)
	// SentMessage returns one of them; messngr.ErrNotFound if there is none.
	SentMessage(ctx context.Context, id messngr.ID) (Outgoing, error)
	// Pending lists, oldest first, the sent messages with a recipient that is
	// Open.
	Pending(ctx context.Context) ([]Outgoing, error)

	// Settings returns all values of one kind by key.
	Settings(ctx context.Context, kind string) (map[string]string, error)
	// Set stores one value; Unset removes it and reports whether it was there.
	Set(ctx context.Context, kind, key, value string) error
	Unset(ctx context.Context, kind, key string) (bool, error)

	// Prune removes what the retention does not keep, and returns how many
	// messages that were. Sent messages that are Pending are always kept. It
	// also forgets the origins that are older than OriginAge. It works in
	// portions, between which others write: an error leaves some of it done.
	Prune(ctx context.Context, r Retention, now time.Time) (int, error)
	// Close waits for the writers that were there before it. Methods that are
	// called later return messngr.ErrUnavailable, a second Close returns nil.
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
	// Attempt is the attempt of a message sent from this host that brought it,
	// so that its sender can learn what becomes of it; 0: it came from outside.
	Attempt int64
}

// Entry is one received message and what was done with it.
type Entry struct {
	// Seq numbers the messages of this store in the order of their taking,
	// from 1 upwards, and is never used twice.
	Seq     int64
	Message *messngr.Message
	Quiet   bool
	Attempt int64 // as in Incoming
	// Shown is when it was first displayed; Read and Acknowledged when the reader
	// of the query first read and acknowledged it, or anybody if that named none;
	// zero if it was not.
	Shown, Read, Acknowledged time.Time
}

// Mark is something that happened to a received message.
type Mark uint8

// The marks. Each is set once and keeps its first time; Unread removes the
// reader's time of reading. What a reader has Discarded is in no list and no count of
// his any more, and as it was for all others.
const (
	Shown Mark = iota
	Read
	Unread
	Acknowledged
	Discarded
)

// Query selects messages. The zero value selects the newest 100 of all.
type Query struct {
	// Audiences selects by audience (of a sent message: by owner); nil: all.
	// The machine's own messages are those of the audience "".
	Audiences []string
	// Reader is the login name of the person whose marks count, and whose discarded
	// messages are left out; "": anybody's, and none.
	Reader string
	// Unread and Unshown select messages that the reader has not read, or that were
	// not shown yet.
	Unread, Unshown bool
	// Search selects messages that contain all these words in sender, recipient,
	// title or text, whatever their case and accents; the last word may be the
	// beginning of a word. See Words. It is never a query language: every
	// character is safe.
	Search string
	// After and Before bound Entry.Seq, both exclusively; 0: no bound.
	After, Before int64
	// Oldest lists the oldest first instead of the newest.
	Oldest bool
	// Limit is the largest number of messages; see Max.
	Limit int
}

// Max returns how many messages the query may list: Limit, but 100 if that is
// not positive and never more than 10,000.
func (q *Query) Max() int {
	if q.Limit <= 0 {
		return 100
	}
	return min(q.Limit, 10_000)
}

// Words returns the words of Search: what stands between white space, unless it
// holds neither letter nor digit. Letters and digits that something else
// separates, as in "PC-17" or "10.0.0.7", have to follow each other in the
// message in the same way. A Search of white space selects like an empty one; a
// Search that has no words in spite of other characters selects nothing.
func (q *Query) Words() []string {
	var words []string
	for word := range strings.FieldsFuncSeq(q.Search, isGap) {
		if strings.ContainsFunc(word, isWordRune) {
			words = append(words, strings.ToValidUTF8(word, "\uFFFD"))
		}
	}
	return words
}

// Searches reports whether Search selects at all.
func (q *Query) Searches() bool {
	return strings.ContainsFunc(q.Search, func(r rune) bool { return !isGap(r) })
}

func isGap(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

func isWordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

// Outgoing is one message that was sent from here.
type Outgoing struct {
	// Seq numbers the sent messages of this store in the order of their
	// queueing, from 1 upwards, and is never used twice. Queue sets it.
	Seq     int64
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
	Number    int64 // given by Begin, never used twice
	Message   messngr.ID
	Recipient int // index in Outgoing.Recipients
	Via       string
	Began     time.Time
	Ended     time.Time // zero while it runs, or if a crash cut it off
	Evidence  messngr.Evidence
	// Failure is why it ended without success, for a person, and Code the
	// stable word for it (messngr.Code); both "" if it succeeded.
	Failure, Code string
}

// Yields reports whether evidence of the state next replaces what is known of a: it
// does while a runs, and afterwards if it says no less.
func (a *Attempt) Yields(next messngr.State) bool {
	return a.Ended.IsZero() || rank(next) >= rank(a.Evidence.State)
}

// State is what is known of the message's way to r: the best that any attempt
// has shown. An attempt that runs, or that a crash cut off, counts as Queued.
// Queued and Failed say nothing about the message's whereabouts, so of these
// the last one counts, and any other state is better than both: a message that
// failed on one route and waits for another is Queued.
func (r *Recipient) State() messngr.State {
	best := messngr.Queued
	for _, a := range r.Attempts {
		s := a.Evidence.State
		if a.Ended.IsZero() {
			s = messngr.Queued
		}
		if rank(s) >= rank(best) {
			best = s
		}
	}
	return best
}

// Open reports whether there is still something to do about r: it is Queued,
// or an attempt was begun and never finished, so that somebody has to find out
// or to say that it is not known what became of it.
func (r *Recipient) Open() bool {
	for _, a := range r.Attempts {
		if a.Ended.IsZero() {
			return true
		}
	}
	return r.State() == messngr.Queued
}

// rank orders states by how much they say about the message's whereabouts.
func rank(s messngr.State) int {
	switch s {
	case messngr.Queued, messngr.Failed:
		return 0
	case messngr.Refused:
		return 1
	case messngr.Expired, messngr.Retracted:
		return 2
	case messngr.Unknown:
		return 3
	default:
		return 4 + int(s)
	}
}

// Retention says what is kept. Zero fields do not limit.
type Retention struct {
	// Age is how long messages are kept. Unread messages are kept as well as
	// read ones: age is age. A message that was taken after one that is young
	// enough is so too, whatever its time: the clock was wrong then.
	Age time.Duration
	// Count is how many received, and how many sent messages are kept.
	Count int
}

// OriginAge is how long the origins of messages are remembered at the least,
// even after the messages were deleted or pruned.
const OriginAge = 24 * time.Hour
