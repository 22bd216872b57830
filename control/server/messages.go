package server

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"messngr"
	"messngr/control"
	"messngr/store"
)

// keepalive is how often a stream without messages sends an empty line.
const keepalive = 30 * time.Second

// list returns received messages that the asker may read, the newest first, and
// the counts of the whole inbox.
func (s *Service) list(ctx context.Context, who messngr.Principal, in control.MessageQuery) (
	answer control.MessageList, messages iter.Seq2[control.Message, error], err error,
) {
	who = asOwner(who, in.Own)
	q := queryOf(&in)
	q.Audiences, q.Reader = who.Audiences(), who.Login
	answer.Messages = []control.Message{}
	answer.Total, answer.Unread, err = s.Store.Counts(ctx, who.Audiences(), who.Login)
	read := func(q store.Query) ([]store.Entry, error) { return s.Store.Inbox(ctx, q) }
	entries := pages(q, read, func(e *store.Entry) int64 { return e.Seq })
	return answer, converted(entries, message), err
}

// asOwner is the principal as whom a list is asked for: one who administers the
// service is asked like anybody else if only the own messages are wanted.
func asOwner(who messngr.Principal, own bool) messngr.Principal {
	if own {
		who.Admin = false
	}
	return who
}

// queryOf is the store's query for the same messages, of whatever audience.
func queryOf(q *control.MessageQuery) store.Query {
	return store.Query{
		Unread: q.Unread, Search: q.Search, After: q.After, Before: q.Before, Oldest: q.Oldest, Limit: q.Limit,
	}
}

// message turns a stored message into what the API shows.
func message(e store.Entry) control.Message {
	m := e.Message
	out := control.Message{
		ID: m.ID, Seq: e.Seq, From: m.From.Claimed, To: m.To, Text: m.Text, Via: m.Via,
		Trust: m.From.Trust, Proven: m.From.Proven, ReceivedAt: m.Time, Level: m.Level, Drill: m.Drill,
		Title: m.Title, Answers: m.Answers, Warning: m.Warning, Audience: m.Audience,
		Quiet: e.Quiet, ExpiresAt: when(m.Expires), ShownAt: when(e.Shown), ReadAt: when(e.Read), AcknowledgedAt: when(e.Acknowledged),
	}
	if m.From.Address.IsValid() {
		out.Address = m.From.Address.String()
	}
	if m.InReplyTo != (messngr.ID{}) {
		out.InReplyTo = m.InReplyTo.String()
	}
	return out
}

func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// messageRef names a message in a path.
type messageRef struct {
	ID messngr.ID `path:"id"`
}

// show returns one received message.
func (s *Service) show(ctx context.Context, who messngr.Principal, in messageRef) (control.Message, error) {
	e, err := s.Store.Entry(ctx, in.ID, who.Login)
	switch {
	case errors.Is(err, messngr.ErrNotFound), err == nil && !who.MaySee(e.Message.Audience):
		return control.Message{}, noMessage(in.ID)
	case err != nil:
		return control.Message{}, err
	}
	return message(e), nil
}

// noMessage is said of messages that are not there, and in the same words of
// those that the asker may not see.
func noMessage(id messngr.ID) error { return fmt.Errorf("message %v: %w", id, messngr.ErrNotFound) }

// delete removes one received message. One that is for the machine goes for the asker
// alone, unless the asker administers the service or the configuration says otherwise.
func (s *Service) delete(ctx context.Context, who messngr.Principal, in messageRef) (nothing, error) {
	ctx = context.WithoutCancel(ctx) // a client that leaves now did it all the same, and all others have to hear of it
	gone := s.affected(ctx, who, in.ID)
	n, err := s.Router.Delete(ctx, who, in.ID)
	switch {
	case err != nil:
		return nothing{}, err
	case n == 0:
		return nothing{}, noMessage(in.ID)
	}
	reader := ""
	if !s.Router.DeletesForAll(who) && len(gone) == 1 && gone[0].audience == "" {
		reader = who.Login // it stays for the others
	}
	s.changes.publish(control.EventDeleted, reader, gone)
	return nothing{}, nil
}

// maxMarks is how many messages one request can mark.
const maxMarks = 10_000

// mark marks received messages, and returns how many of them were there. Everybody
// reads and acknowledges for himself.
func (s *Service) mark(ctx context.Context, who messngr.Principal, in control.MarkRequest) (control.CountAnswer, error) {
	marks := map[string]store.Mark{"shown": store.Shown, "read": store.Read, "unread": store.Unread, "acknowledged": store.Acknowledged}
	mark, ok := marks[in.As]
	switch {
	case !ok:
		return control.CountAnswer{}, bad("as=%q: want shown, read, unread or acknowledged", in.As)
	case len(in.IDs) > maxMarks:
		return control.CountAnswer{}, bad("%d messages at once, at most %d are possible", len(in.IDs), maxMarks)
	}
	ctx = context.WithoutCancel(ctx) // as in delete
	n, err := s.Router.Mark(ctx, who, mark, in.IDs...)
	if err == nil && mark != store.Shown {
		s.changes.publish(in.As, who.Login, s.affected(ctx, who, in.IDs...))
	}
	return control.CountAnswer{Count: n}, err
}

// watch streams messages as they come, one JSON object a line, the oldest first;
// with events=true it streams events. A line without an object says that the
// service is still there. It ends when the client leaves or the service stops.
func (s *Service) watch(ctx context.Context, who messngr.Principal, in control.WatchQuery, open func() (*stream, error)) error {
	who = asOwner(who, in.Own)
	q := store.Query{Audiences: who.Audiences(), Reader: who.Login, Search: in.Search}
	newest, err := s.newest(ctx)
	if err != nil {
		return err
	}
	if q.After = newest; in.After != nil {
		// A client that is ahead has seen another store, before somebody put this one
		// in its place: what comes from now on is news to it.
		q.After = min(*in.After, newest)
	}
	out, err := open()
	if err != nil {
		return nil // the client has gone
	}
	var f *follower
	if in.Events {
		f = s.changes.follow(who)
		defer s.changes.leave(f)
	}
	s.tell(ctx, q, f, out)
	return nil
}

// newest returns the number of the newest message of all; 0 if there is none.
func (s *Service) newest(ctx context.Context) (int64, error) {
	list, err := s.Store.Inbox(ctx, store.Query{Limit: 1})
	if err != nil || len(list) == 0 {
		return 0, err
	}
	return list[0].Seq, nil
}
