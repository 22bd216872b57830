package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"messngr"
	"messngr/store"
)

func (s *suite) settings() {
	values := func(kind string, want map[string]string) {
		s.Helper()
		got, err := s.s.Settings(s.ctx, kind)
		s.must(err)
		s.equal("settings of "+kind, want, got)
	}
	values("name", map[string]string{})
	s.must(s.s.Set(s.ctx, "name", "BACKUP", "claimed"))
	s.must(s.s.Set(s.ctx, "name", "", ""))
	s.must(s.s.Set(s.ctx, "rule", "BACKUP", "ü\x00\"'"))
	s.must(s.s.Set(s.ctx, "name", "BACKUP", "kept"))
	s.restart()
	values("name", map[string]string{"BACKUP": "kept", "": ""})
	values("rule", map[string]string{"BACKUP": "ü\x00\"'"})
	for _, want := range []bool{true, false} {
		was, err := s.s.Unset(s.ctx, "name", "BACKUP")
		s.must(err)
		s.equal("Unset found it", want, was)
	}
	s.restart()
	values("name", map[string]string{"": ""})
}

func (s *suite) prune(want int, r store.Retention, now time.Time) {
	s.Helper()
	n, err := s.s.Prune(s.ctx, r, now)
	s.must(err)
	s.equal(fmt.Sprintf("messages that %+v removes", r), want, n)
	s.restart()
}

func (s *suite) pruneAge() {
	for i := range 4 {
		m := s.message(fmt.Sprint(i + 1))
		m.Time = start().Add(time.Duration(i) * time.Hour)
		s.take(m)
		s.must(s.s.Queue(s.ctx, store.Outgoing{Message: m, Recipients: []store.Recipient{{To: "x"}}}))
		if i != 1 { // the second one waits
			s.finish(s.begin(m.ID, 0), messngr.Accepted)
		}
	}
	now := start().Add(4 * time.Hour)
	s.prune(0, store.Retention{}, now)
	s.prune(0, store.Retention{Age: 4 * time.Hour}, now)
	s.prune(3, store.Retention{Age: 3*time.Hour - time.Microsecond, Count: 10}, now)
	s.equal("received", []string{"4", "3"}, s.inbox(store.Query{}))
	s.equal("sent", []string{"4", "3", "2"}, s.sent(s.s.Sent(s.ctx, store.Query{})))
	s.equal("pending", []string{"2"}, s.sent(s.s.Pending(s.ctx)))
	s.prune(4, store.Retention{Age: time.Minute}, now.Add(time.Hour))
	s.equal("received", []string{}, s.inbox(store.Query{}))
	s.equal("sent", []string{"2"}, s.sent(s.s.Sent(s.ctx, store.Query{})))
}

// pruneClock holds that a clock that was wrong for a while takes no message away.
func (s *suite) pruneClock() {
	now := start().Add(24 * time.Hour)
	for _, taken := range []struct {
		text string
		age  time.Duration
	}{
		{"old", 24 * time.Hour},
		{"young", 2 * time.Hour},
		{"the clock is years behind", 20_000 * time.Hour},
		{"and years ahead", -20_000 * time.Hour},
		{"right again", time.Hour},
	} {
		m := s.message(taken.text)
		m.Time = now.Add(-taken.age)
		s.take(m)
		s.must(s.s.Queue(s.ctx, store.Outgoing{Message: m, Recipients: []store.Recipient{{To: "x"}}}))
		s.finish(s.begin(m.ID, 0), messngr.Accepted)
	}
	s.prune(2, store.Retention{Age: 12 * time.Hour}, now)
	s.equal("received", []string{"right again", "and years ahead", "the clock is years behind", "young"}, s.inbox(store.Query{}))
	s.prune(4, store.Retention{Age: 90 * time.Minute}, now)
	s.equal("sent", []string{"right again", "and years ahead"}, s.sent(s.s.Sent(s.ctx, store.Query{})))
}

func (s *suite) pruneCount() {
	for i := range 1200 {
		m := s.message(fmt.Sprint("n", i+1))
		s.take(m)
		if i < 5 {
			s.must(s.s.Queue(s.ctx, store.Outgoing{Message: m}))
		}
	}
	s.equal("found", []string{"n1200"}, s.inbox(store.Query{Search: "n1200"}))
	now := start()
	s.prune(0, store.Retention{Count: 1200}, now)
	s.prune(1199, store.Retention{Count: 3}, now)
	s.equal("received", []string{"n1200", "n1199", "n1198"}, s.inbox(store.Query{}))
	s.equal("sent", []string{"n5", "n4", "n3"}, s.sent(s.s.Sent(s.ctx, store.Query{})))
	s.equal("found", []string{}, s.inbox(store.Query{Search: "n1197"}))
	s.equal("found", []string{"n1199"}, s.inbox(store.Query{Search: "n1199"}))
}

func (s *suite) pruneOrigins() {
	in := func(origin messngr.Origin, at time.Time) bool {
		s.Helper()
		m := s.message("")
		m.Time = at
		_, duplicate, err := s.s.Take(s.ctx, store.Incoming{Message: m, Origin: origin})
		s.must(err)
		return duplicate
	}
	old, young := start(), start().Add(time.Hour)
	for i := range 1100 {
		in(messngr.Origin(fmt.Sprint("old/", i)), old)
	}
	in("young", young)
	s.prune(1100, store.Retention{Count: 1}, old.Add(store.OriginAge))
	s.equal("after a day an origin is known", true, in("old/1", young))
	s.prune(0, store.Retention{}, old.Add(store.OriginAge+time.Second))
	s.equal("after more than a day an origin is known", false, in("old/1", young))
	s.equal("the last old origin is known", false, in("old/999", young))
	s.equal("a younger origin is known", true, in("young", young))
}

func (s *suite) numbersAreNeverUsedTwice() {
	a, b := s.message("a"), s.message("b")
	s.take(a)
	s.take(b)
	q := s.queue("q", "x")
	n := s.begin(q, 0)
	s.finish(n, messngr.Accepted)
	_, err := s.s.Delete(s.ctx, a.ID, b.ID)
	s.must(err)
	s.prune(1, store.Retention{Age: time.Second}, start().Add(time.Hour))
	s.equal("number of the next message", int64(3), s.take(s.message("c")).Seq)
	r := s.queue("r", "x")
	got, err := s.s.SentMessage(s.ctx, r)
	s.must(err)
	s.equal("number of the next sent message", int64(2), got.Seq)
	if again := s.begin(r, 0); again <= n {
		s.Errorf("attempt %d has a number that was given", again)
	}
}

func (s *suite) contextEnded() {
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	m := s.message("never")
	if _, _, err := s.s.Take(ctx, store.Incoming{Message: m}); !errors.Is(err, context.Canceled) {
		s.Errorf("Take: %v, want context.Canceled", err)
	}
	if _, err := s.s.Inbox(ctx, store.Query{}); !errors.Is(err, context.Canceled) {
		s.Errorf("Inbox: %v, want context.Canceled", err)
	}
	s.equal("inbox", []string{}, s.inbox(store.Query{}))
	s.take(m)
}

func (s *suite) closed() {
	s.must(s.s.Close())
	s.must(s.s.Close())
	id := s.message("").ID
	calls := map[string]func() error{
		"Take":        func() error { _, _, err := s.s.Take(s.ctx, store.Incoming{Message: s.message("")}); return err },
		"Inbox":       func() error { _, err := s.s.Inbox(s.ctx, store.Query{}); return err },
		"Search":      func() error { _, err := s.s.Inbox(s.ctx, store.Query{Search: "x"}); return err },
		"Entry":       func() error { _, err := s.s.Entry(s.ctx, id, ""); return err },
		"Mark":        func() error { _, err := s.s.Mark(s.ctx, store.Read, "", start(), id); return err },
		"Delete":      func() error { _, err := s.s.Delete(s.ctx, id); return err },
		"Counts":      func() error { _, _, err := s.s.Counts(s.ctx, nil, ""); return err },
		"Queue":       func() error { return s.s.Queue(s.ctx, store.Outgoing{Message: s.message("")}) },
		"Begin":       func() error { _, err := s.s.Begin(s.ctx, store.Attempt{Message: id, Began: start()}); return err },
		"Finish":      func() error { return s.s.Finish(s.ctx, store.Attempt{Number: 1, Ended: start()}) },
		"Sent":        func() error { _, err := s.s.Sent(s.ctx, store.Query{}); return err },
		"SentMessage": func() error { _, err := s.s.SentMessage(s.ctx, id); return err },
		"Pending":     func() error { _, err := s.s.Pending(s.ctx); return err },
		"Settings":    func() error { _, err := s.s.Settings(s.ctx, "x"); return err },
		"Set":         func() error { return s.s.Set(s.ctx, "x", "y", "z") },
		"Unset":       func() error { _, err := s.s.Unset(s.ctx, "x", "y"); return err },
		"Prune":       func() error { _, err := s.s.Prune(s.ctx, store.Retention{Count: 1}, start()); return err },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, messngr.ErrUnavailable) {
			s.Errorf("%s after Close: %v, want ErrUnavailable", name, err)
		}
	}
}
