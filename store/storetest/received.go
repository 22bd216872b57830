package storetest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"messngr"
	"messngr/store"
)

func (s *suite) takeAndRead() {
	full, empty := s.fullMessage(), s.message("")
	got, duplicate, err := s.s.Take(s.ctx, store.Incoming{Message: full, Origin: "smb/1/1", Quiet: true, Attempt: 7})
	s.must(err)
	if duplicate {
		s.Error("the first hand-over is a duplicate")
	}
	want := store.Entry{Seq: 1, Message: full, Quiet: true, Attempt: 7}
	s.equal("entry from Take", want, got)
	s.equal("second entry from Take", store.Entry{Seq: 2, Message: empty}, s.take(empty))

	s.restart()
	s.equal("full entry", want, s.entry(full.ID))
	s.equal("empty entry", store.Entry{Seq: 2, Message: empty}, s.entry(empty.ID))
	list, err := s.s.Inbox(s.ctx, store.Query{})
	s.must(err)
	s.equal("inbox", []store.Entry{{Seq: 2, Message: empty}, want}, list)

	precise := s.message("nanoseconds")
	zone := time.FixedZone("elsewhere", 3600)
	precise.Time = start().In(zone).Add(999)
	precise.Answers = []string{}
	s.take(precise)
	s.equal("time in microseconds", start(), s.entry(precise.ID).Message.Time)
	s.equal("no answers", []string(nil), s.entry(precise.ID).Message.Answers)

	if _, err := s.s.Entry(s.ctx, s.message("").ID, ""); !errors.Is(err, messngr.ErrNotFound) {
		s.Errorf("Entry of an unknown id: %v, want ErrNotFound", err)
	}
}

func (s *suite) origin() {
	m := s.message("once")
	in := store.Incoming{Message: m, Origin: "smb/ü'\"%/1"}
	_, _, err := s.s.Take(s.ctx, in)
	s.must(err)
	again := func(what string, want store.Entry) {
		s.Helper()
		in.Message = s.message("twice")
		got, duplicate, err := s.s.Take(s.ctx, in)
		s.must(err)
		if !duplicate {
			s.Errorf("%s: it is no duplicate", what)
		}
		s.equal(what, want, got)
	}
	again("same origin", store.Entry{Seq: 1, Message: m})
	_, err = s.s.Mark(s.ctx, store.Shown, "", m.Time, m.ID)
	s.must(err)
	s.restart()
	again("same origin after a restart", store.Entry{Seq: 1, Message: m, Shown: m.Time})
	if _, err := s.s.Delete(s.ctx, m.ID); err != nil {
		s.Fatal(err)
	}
	deleted := store.Entry{Seq: 1, Message: &messngr.Message{ID: m.ID, Time: m.Time}}
	again("same origin after the message was deleted", deleted)
	s.restart()
	again("same origin, deleted, after a restart", deleted)
	s.equal("inbox", []string{}, s.inbox(store.Query{}))

	// Messages without an origin are never the same.
	s.take(s.message("a"))
	s.take(s.message("a"))
	s.equal("inbox", []string{"a", "a"}, s.inbox(store.Query{}))
}

func (s *suite) takeRefuses() {
	m := s.message("there")
	s.take(m)
	again, noID, noTime := *s.message("again"), *s.message("no id"), *s.message("no time")
	again.ID, noID.ID, noTime.Time = m.ID, messngr.ID{}, time.Time{}
	for _, m := range []*messngr.Message{&again, &noID, &noTime} {
		if _, _, err := s.s.Take(s.ctx, store.Incoming{Message: m, Origin: "o"}); err == nil {
			s.Errorf("%q is taken", m.Text)
		} else if errors.Is(err, messngr.ErrUnavailable) {
			s.Errorf("%q: %v, which is not for later", m.Text, err)
		}
	}
	// What was refused left no origin behind.
	if _, duplicate, err := s.s.Take(s.ctx, store.Incoming{Message: s.message("new"), Origin: "o"}); err != nil || duplicate {
		s.Errorf("Take after a refusal: duplicate %v, error %v", duplicate, err)
	}
	s.equal("inbox", []string{"new", "there"}, s.inbox(store.Query{}))
}

// takeAtOnce has many writers, of which some fail and some are duplicates.
func (s *suite) takeAtOnce() {
	const callers, each = 16, 20
	there := s.message("there")
	s.take(there)
	type outcome struct {
		duplicate bool
		err       error
	}
	outcomes := make([]outcome, callers*each)
	messages := make([]*messngr.Message, len(outcomes))
	for i := range messages {
		messages[i] = s.message(fmt.Sprint(i))
		if i%10 == 7 {
			messages[i].ID = there.ID
		}
	}
	origin := func(i int) messngr.Origin { return messngr.Origin(fmt.Sprint("o/", i/2)) } // pairs
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := c; i < len(outcomes); i += callers {
				_, d, err := s.s.Take(s.ctx, store.Incoming{Message: messages[i], Origin: origin(i)})
				outcomes[i] = outcome{d, err}
			}
		})
	}
	wg.Wait()
	stored := 1
	for i := 0; i < len(outcomes); i += 2 {
		a, b := outcomes[i], outcomes[i+1]
		if a.err != nil {
			s.Errorf("message %d: %v", i, a.err)
		}
		// The odd one of each fifth pair has an id that is there; it fails
		// unless it comes second and is a duplicate anyway.
		switch fails := (i+1)%10 == 7; {
		case fails && !b.duplicate && b.err == nil:
			s.Errorf("message %d is taken in spite of its id", i+1)
		case !fails && (b.err != nil || a.duplicate == b.duplicate):
			s.Errorf("pair %d: %+v and %+v, want one duplicate", i, a, b)
		}
		stored++
	}
	total, _, err := s.s.Counts(s.ctx, nil, "")
	s.must(err)
	s.equal("messages", stored, total)
}

func (s *suite) inboxQueries() {
	audiences := []string{"", "bob", "", "carol", "bob", ""}
	var ids []messngr.ID
	for i, a := range audiences {
		m := s.message(fmt.Sprint(i + 1))
		m.Audience = a
		s.take(m)
		ids = append(ids, m.ID)
	}
	_, err := s.s.Mark(s.ctx, store.Read, "", start(), ids[0], ids[4])
	s.must(err)
	_, err = s.s.Mark(s.ctx, store.Shown, "", start(), ids[1], ids[4])
	s.must(err)
	s.restart()
	tests := []struct {
		name string
		q    store.Query
		want []string
	}{
		{"all", store.Query{}, []string{"6", "5", "4", "3", "2", "1"}},
		{"oldest", store.Query{Oldest: true}, []string{"1", "2", "3", "4", "5", "6"}},
		{"limit", store.Query{Limit: 2}, []string{"6", "5"}},
		{"oldest limit", store.Query{Limit: 2, Oldest: true}, []string{"1", "2"}},
		{"after", store.Query{After: 4}, []string{"6", "5"}},
		{"before", store.Query{Before: 3}, []string{"2", "1"}},
		{"between", store.Query{After: 2, Before: 5, Limit: 1, Oldest: true}, []string{"3"}},
		{"nothing between", store.Query{After: 3, Before: 4}, []string{}},
		{"machine", store.Query{Audiences: []string{""}}, []string{"6", "3", "1"}},
		{"bob and machine", store.Query{Audiences: []string{"bob", ""}}, []string{"6", "5", "3", "2", "1"}},
		{"nobody", store.Query{Audiences: []string{}}, []string{}},
		{"somebody else", store.Query{Audiences: []string{"dave", "' OR 1 --"}}, []string{}},
		{"unread", store.Query{Unread: true}, []string{"6", "4", "3", "2"}},
		{"unshown", store.Query{Unshown: true}, []string{"6", "4", "3", "1"}},
		{"all of it", store.Query{Unread: true, Unshown: true, Audiences: []string{"", "carol"}, After: 3, Oldest: true, Limit: 1}, []string{"4"}},
	}
	for _, tt := range tests {
		s.equal(tt.name, tt.want, s.inbox(tt.q))
	}
	counts := func(audiences []string, wantTotal, wantUnread int) {
		s.Helper()
		total, unread, err := s.s.Counts(s.ctx, audiences, "")
		s.must(err)
		s.equal(fmt.Sprintf("counts of %q", audiences), []int{wantTotal, wantUnread}, []int{total, unread})
	}
	counts(nil, 6, 4)
	counts([]string{}, 0, 0)
	counts([]string{"bob"}, 2, 1)
	counts([]string{"", "carol"}, 4, 3)
}

func (s *suite) mark() {
	a, b := s.message("a"), s.message("b")
	s.take(a)
	s.take(b)
	mark := func(want int, mark store.Mark, at time.Time, ids ...messngr.ID) {
		s.Helper()
		got, err := s.s.Mark(s.ctx, mark, "", at, ids...)
		s.must(err)
		s.equal(fmt.Sprintf("messages with mark %d", mark), want, got)
	}
	t1, t2 := start().Add(time.Minute), start().Add(time.Hour)
	mark(2, store.Shown, t1.Add(999), a.ID, s.message("").ID, b.ID, a.ID)
	mark(1, store.Shown, t2, a.ID)
	mark(1, store.Read, t2, a.ID)
	mark(1, store.Acknowledged, t2, b.ID)
	mark(0, store.Read, t2)
	mark(0, store.Read, t2, s.message("").ID)
	s.restart()
	s.equal("a", store.Entry{Seq: 1, Message: a, Shown: t1, Read: t2}, s.entry(a.ID))
	s.equal("b", store.Entry{Seq: 2, Message: b, Shown: t1, Acknowledged: t2}, s.entry(b.ID))
	mark(2, store.Unread, t2, a.ID, b.ID)
	s.equal("a unread", store.Entry{Seq: 1, Message: a, Shown: t1}, s.entry(a.ID))
	mark(1, store.Read, t1, a.ID)
	s.equal("a read again", store.Entry{Seq: 1, Message: a, Shown: t1, Read: t1}, s.entry(a.ID))
	if _, err := s.s.Mark(s.ctx, store.Discarded+1, "", t1, a.ID); err == nil {
		s.Error("an unknown mark is set")
	}
}

func (s *suite) expire() {
	list := []*messngr.Message{s.message("outside"), s.message("a"), s.message("over"), s.message("b"), s.message("c")}
	at := start().Add(time.Minute)
	list[1].Expires, list[2].Expires = at.Add(time.Hour), at.Add(-time.Second)
	for i, m := range list {
		_, _, err := s.s.Take(s.ctx, store.Incoming{Message: m, Attempt: []int64{0, 7, 7, 8, 9}[i]})
		s.must(err)
	}
	got, err := s.s.Expire(s.ctx, at, 8, 7, 0, 7, 100)
	s.must(err)
	var ended []string
	for _, e := range got {
		ended = append(ended, e.Message.Text)
	}
	s.equal("ended", []string{"a", "over", "b"}, ended)
	s.restart()
	for i, want := range []time.Time{{}, at, at.Add(-time.Second), at, {}} {
		s.equal("end of "+list[i].Text, want, s.entry(list[i].ID).Message.Expires)
	}
	s.equal("what was handed in", at.Add(time.Hour), list[1].Expires)
	got, err = s.s.Expire(s.ctx, at)
	s.must(err)
	s.equal("messages of no attempt", 0, len(got))
}

func (s *suite) delete() {
	a, b, c := s.message("a"), s.message("b"), s.message("c")
	s.take(a)
	s.take(b)
	s.take(c)
	n, err := s.s.Delete(s.ctx, a.ID, s.message("").ID, c.ID, a.ID)
	s.must(err)
	s.equal("deleted messages", 2, n)
	s.restart()
	s.equal("inbox", []string{"b"}, s.inbox(store.Query{}))
	if _, err := s.s.Entry(s.ctx, a.ID, ""); !errors.Is(err, messngr.ErrNotFound) {
		s.Errorf("Entry of a deleted message: %v, want ErrNotFound", err)
	}
	n, err = s.s.Delete(s.ctx)
	s.must(err)
	s.equal("deleted messages for no ids", 0, n)
}
