package storetest

import (
	"errors"
	"fmt"
	"time"

	"messngr"
	"messngr/store"
)

// readers holds that everybody reads for himself.
func (s *suite) readers() {
	a, b := s.message("a"), s.message("b")
	b.Audience = "bob"
	s.take(a)
	s.take(b)
	t1, t2, t3 := start().Add(time.Minute), start().Add(time.Hour), start().Add(2*time.Hour)
	mark := func(mark store.Mark, reader string, at time.Time, ids ...messngr.ID) {
		s.Helper()
		n, err := s.s.Mark(s.ctx, mark, reader, at, ids...)
		s.must(err)
		s.equal("marked", len(ids), n)
	}
	mark(store.Read, "alice", t1, a.ID, b.ID)
	mark(store.Read, "bob", t2, a.ID)
	mark(store.Read, "bob", t3, a.ID) // the first time stays
	mark(store.Acknowledged, "bob", t3, a.ID)
	mark(store.Unread, "carol", t3, a.ID, b.ID)
	mark(store.Shown, "carol", t1, b.ID)
	s.restart()
	seen := func(reader string, want ...store.Entry) {
		s.Helper()
		list, err := s.s.Inbox(s.ctx, store.Query{Reader: reader, Oldest: true})
		s.must(err)
		s.equal("inbox of "+reader, want, list)
		for i, m := range []*messngr.Message{a, b} {
			e, err := s.s.Entry(s.ctx, m.ID, reader)
			s.must(err)
			s.equal("entry for "+reader, want[i], e)
		}
	}
	first, second := store.Entry{Seq: 1, Message: a}, store.Entry{Seq: 2, Message: b, Shown: t1}
	with := func(e store.Entry, read, acknowledged time.Time) store.Entry {
		e.Read, e.Acknowledged = read, acknowledged
		return e
	}
	seen("alice", with(first, t1, time.Time{}), with(second, t1, time.Time{}))
	seen("bob", with(first, t2, t3), second)
	seen("carol", first, second)
	seen("' OR 1 --", first, second)
	// Nobody in particular: whoever came first.
	seen("", with(first, t1, t3), with(second, t1, time.Time{}))

	mark(store.Unread, "alice", t3, a.ID)
	seen("alice", first, with(second, t1, time.Time{}))
	seen("", with(first, t2, t3), with(second, t1, time.Time{}))
	for reader, want := range map[string][]string{"alice": {"a"}, "bob": {"b"}, "carol": {"b", "a"}, "": {}} {
		s.equal("unread of "+reader, want, s.inbox(store.Query{Reader: reader, Unread: true}))
	}
	s.equal("found among the unread", []string{"b"}, s.inbox(store.Query{Reader: "bob", Unread: true, Search: "b"}))
	s.counts("alice", nil, 2, 1)
	s.counts("alice", []string{"", "alice"}, 1, 1)
	s.counts("bob", []string{"", "bob"}, 2, 1)
	s.counts("carol", nil, 2, 2)
}

// counts holds what a reader has of messages for these audiences.
func (s *suite) counts(reader string, audiences []string, total, unread int) {
	s.Helper()
	t, u, err := s.s.Counts(s.ctx, audiences, reader)
	s.must(err)
	s.equal(fmt.Sprintf("counts of %s for %q", reader, audiences), []int{total, unread}, []int{t, u})
}

// discards holds that what somebody wants to see no more is there for everybody else.
func (s *suite) discards() {
	a, b := s.message("a"), s.message("b")
	b.Audience = "bob"
	s.take(a)
	s.take(b)
	at := start().Add(time.Hour)
	for _, m := range []struct {
		mark   store.Mark
		reader string
		id     messngr.ID
	}{{store.Read, "alice", b.ID}, {store.Read, "bob", a.ID}, {store.Discarded, "bob", a.ID}} {
		_, err := s.s.Mark(s.ctx, m.mark, m.reader, at, m.id)
		s.must(err)
	}
	s.restart()
	s.equal("left to bob", []string{"b"}, s.inbox(store.Query{Reader: "bob"}))
	s.equal("unread of bob", []string{"b"}, s.inbox(store.Query{Reader: "bob", Unread: true}))
	s.equal("found by bob", 0, len(s.inbox(store.Query{Reader: "bob", Search: "a"})))
	if _, err := s.s.Entry(s.ctx, a.ID, "bob"); !errors.Is(err, messngr.ErrNotFound) {
		s.Errorf("entry for bob: %v, want ErrNotFound", err)
	}
	s.equal("left to carol", []string{"b", "a"}, s.inbox(store.Query{Reader: "carol"}))
	s.equal("left", []string{"b", "a"}, s.inbox(store.Query{}))
	s.counts("bob", []string{"", "bob"}, 1, 1)
	s.counts("alice", nil, 2, 1)
	s.counts("", nil, 2, 0)

	_, err := s.s.Delete(s.ctx, b.ID)
	s.must(err)
	s.counts("alice", nil, 1, 1)
	s.counts("bob", nil, 0, 0)
	_, err = s.s.Prune(s.ctx, store.Retention{Age: time.Second}, at)
	s.must(err)
	s.counts("bob", nil, 0, 0)
}

// proven holds that what an attempt has shown is not taken back.
func (s *suite) proven() {
	id := s.queue("hello", "bob")
	n := s.begin(id, 0)
	finish := func(state, want messngr.State) {
		s.Helper()
		s.must(s.s.Finish(s.ctx, store.Attempt{Number: n, Via: "sealed", Ended: start(), Evidence: messngr.Evidence{State: state, Detail: state.String()}}))
		out, err := s.s.SentMessage(s.ctx, id)
		s.must(err)
		ev := out.Recipients[0].Attempts[0].Evidence
		s.equal("evidence after "+state.String(), messngr.Evidence{State: want, Detail: want.String()}, ev)
	}
	finish(messngr.Queued, messngr.Queued)
	finish(messngr.Failed, messngr.Failed)
	finish(messngr.Unknown, messngr.Unknown)
	finish(messngr.Refused, messngr.Unknown)
	finish(messngr.Delivered, messngr.Delivered)
	finish(messngr.Failed, messngr.Delivered)
	finish(messngr.Unknown, messngr.Delivered)
	finish(messngr.Acknowledged, messngr.Acknowledged)
	finish(messngr.Displayed, messngr.Acknowledged)
	finish(messngr.Answered, messngr.Answered)
	finish(messngr.Queued, messngr.Answered)
}
