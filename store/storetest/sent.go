package storetest

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"messngr"
	"messngr/store"
)

// queue queues a message to some names and returns its id.
func (s *suite) queue(text string, to ...string) messngr.ID {
	s.Helper()
	out := store.Outgoing{Message: s.message(text)}
	for _, name := range to {
		out.Recipients = append(out.Recipients, store.Recipient{To: name})
	}
	s.must(s.s.Queue(s.ctx, out))
	return out.Message.ID
}

// begin begins an attempt and returns its number.
func (s *suite) begin(id messngr.ID, recipient int) int64 {
	s.Helper()
	n, err := s.s.Begin(s.ctx, store.Attempt{Message: id, Recipient: recipient, Via: "smb", Began: start()})
	s.must(err)
	return n
}

// finish ends an attempt in a state.
func (s *suite) finish(number int64, state messngr.State) {
	s.Helper()
	s.must(s.s.Finish(s.ctx, store.Attempt{
		Number: number, Ended: start(), Evidence: messngr.Evidence{State: state},
	}))
}

// sent returns the texts of sent messages.
func (s *suite) sent(list []store.Outgoing, err error) []string {
	s.Helper()
	s.must(err)
	texts := []string{}
	for _, o := range list {
		texts = append(texts, o.Message.Text)
	}
	return texts
}

func (s *suite) queueAndRead() {
	full := store.Outgoing{
		Message: s.fullMessage(), Owner: "alice", Wait: true,
		Recipients: []store.Recipient{
			{To: "bob@pc-17", Via: "smb", Device: messngr.Device{Name: "BOB", Address: netip.MustParseAddr("10.0.0.17")}},
			{To: "*", Device: messngr.Device{Name: "WORKGROUP", Group: true}},
			{},
		},
	}
	empty := store.Outgoing{Message: s.message("")}
	s.must(s.s.Queue(s.ctx, full))
	s.must(s.s.Queue(s.ctx, empty))
	full.Seq, empty.Seq = 1, 2
	s.restart()
	for _, want := range []store.Outgoing{full, empty} {
		got, err := s.s.SentMessage(s.ctx, want.Message.ID)
		s.must(err)
		s.equal("sent message", want, got)
	}
	list, err := s.s.Sent(s.ctx, store.Query{})
	s.must(err)
	s.equal("sent messages", []store.Outgoing{empty, full}, list)

	again, noID := *full.Message, *full.Message
	noID.ID = messngr.ID{}
	for _, m := range []*messngr.Message{&again, &noID} {
		if err := s.s.Queue(s.ctx, store.Outgoing{Message: m}); err == nil {
			s.Errorf("message %v is queued", m.ID)
		}
	}
	if _, err := s.s.SentMessage(s.ctx, s.message("").ID); !errors.Is(err, messngr.ErrNotFound) {
		s.Errorf("SentMessage of an unknown id: %v, want ErrNotFound", err)
	}
	s.equal("sent messages in the inbox", []string{}, s.inbox(store.Query{}))
}

func (s *suite) attempts() {
	id := s.queue("hello", "bob", "carol")
	first := store.Attempt{Message: id, Recipient: 1, Via: "smb", Began: start().Add(time.Second)}
	n, err := s.s.Begin(s.ctx, first)
	s.must(err)
	first.Number = n
	second := store.Attempt{Message: id, Recipient: 1, Via: "mailslot", Began: start().Add(2 * time.Second), Number: s.begin(id, 0)}
	third, err := s.s.Begin(s.ctx, second)
	s.must(err)
	if third <= second.Number || second.Number <= first.Number {
		s.Errorf("attempts have the numbers %d, %d, %d", first.Number, second.Number, third)
	}
	second.Number = third
	s.restart()
	recipient := func(want ...store.Attempt) {
		s.Helper()
		got, err := s.s.SentMessage(s.ctx, id)
		s.must(err)
		s.equal("attempts", want, got.Recipients[1].Attempts)
	}
	recipient(first, second)

	first.Ended, first.Failure, first.Code = first.Began.Add(time.Second), "no route", "unavailable"
	first.Evidence = messngr.Evidence{
		State: messngr.Failed, Address: netip.MustParseAddrPort("[fe80::1%eth0]:139"), Detail: "timed out", Lossy: true,
	}
	s.must(s.s.Finish(s.ctx, first))
	s.restart()
	recipient(first, second)

	// A receipt that comes later replaces all but the route.
	first.Ended, first.Failure, first.Code = first.Began.Add(time.Hour), "", ""
	first.Evidence = messngr.Evidence{State: messngr.Displayed}
	receipt := first
	receipt.Via = ""
	s.must(s.s.Finish(s.ctx, receipt))
	recipient(first, second)
	first.Via = "sealed"
	s.must(s.s.Finish(s.ctx, first))
	recipient(first, second)
}

func (s *suite) attemptRefusals() {
	id := s.queue("hello", "bob")
	for name, a := range map[string]store.Attempt{
		"unknown message":   {Message: s.message("").ID, Began: start()},
		"unknown recipient": {Message: id, Recipient: 1, Began: start()},
		"negative":          {Message: id, Recipient: -1, Began: start()},
	} {
		if n, err := s.s.Begin(s.ctx, a); !errors.Is(err, messngr.ErrNotFound) {
			s.Errorf("Begin for an %s: attempt %d, error %v; want ErrNotFound", name, n, err)
		}
	}
	n := s.begin(id, 0)
	if err := s.s.Finish(s.ctx, store.Attempt{Number: n + 1, Ended: start()}); !errors.Is(err, messngr.ErrNotFound) {
		s.Errorf("Finish of an unknown attempt: %v, want ErrNotFound", err)
	}
	if err := s.s.Finish(s.ctx, store.Attempt{Number: n}); err == nil {
		s.Error("an attempt ends at no time")
	}
	if _, err := s.s.Begin(s.ctx, store.Attempt{Message: id}); err == nil {
		s.Error("an attempt begins at no time")
	}
}

func (s *suite) sentQueries() {
	for i, owner := range []string{"alice", "", "bob", "alice"} {
		m := s.message(fmt.Sprint(i + 1))
		m.From.Claimed, m.To, m.Audience = "MÜLLER", "TO", "nobody"
		s.must(s.s.Queue(s.ctx, store.Outgoing{
			Message: m, Owner: owner, Recipients: []store.Recipient{{To: "PC-1"}, {To: fmt.Sprint("cellar", i+1)}},
		}))
	}
	s.restart()
	tests := []struct {
		name string
		q    store.Query
		want []string
	}{
		{"all", store.Query{}, []string{"4", "3", "2", "1"}},
		{"oldest", store.Query{Oldest: true, Limit: 3}, []string{"1", "2", "3"}},
		{"between", store.Query{After: 1, Before: 4}, []string{"3", "2"}},
		{"owner", store.Query{Audiences: []string{"alice"}}, []string{"4", "1"}},
		{"machine", store.Query{Audiences: []string{""}}, []string{"2"}},
		{"nobody", store.Query{Audiences: []string{}}, []string{}},
		{"unread and unshown mean nothing", store.Query{Unread: true, Unshown: true, Limit: 1}, []string{"4"}},
		{"sender", store.Query{Search: "muller", Audiences: []string{"bob", "alice"}}, []string{"4", "3", "1"}},
		{"recipient", store.Query{Search: "cellar3"}, []string{"3"}},
		{"recipients", store.Query{Search: "pc-1 cell", After: 1, Oldest: true}, []string{"2", "3", "4"}},
		{"no words", store.Query{Search: "?!"}, []string{}},
		{"blank", store.Query{Search: " ", Limit: 1}, []string{"4"}},
	}
	for _, tt := range tests {
		s.equal(tt.name, tt.want, s.sent(s.s.Sent(s.ctx, tt.q)))
	}
}

func (s *suite) pending() {
	pending := func(want ...string) {
		s.Helper()
		s.equal("pending", append([]string{}, want...), s.sent(s.s.Pending(s.ctx)))
	}
	a, b := s.queue("a", "x", "y"), s.queue("b", "x")
	s.queue("to nobody")
	pending("a", "b")
	a0, b0 := s.begin(a, 0), s.begin(b, 0)
	s.finish(a0, messngr.Accepted)
	s.restart()
	pending("a", "b")
	a1 := s.begin(a, 1)
	s.finish(a1, messngr.Sent)
	pending("b")
	s.finish(b0, messngr.Failed)
	pending()
	s.finish(b0, messngr.Queued)
	pending("b")
	b1 := s.begin(b, 0)
	s.finish(b1, messngr.Failed)
	pending()
	b2 := s.begin(b, 0)
	pending("b")
	s.finish(b2, messngr.Unknown)
	s.restart()
	pending()
	s.begin(a, 0) // a second device, after the first one accepted it
	pending("a")
	list, err := s.s.Pending(s.ctx)
	s.must(err)
	if len(list) == 1 {
		s.equal("attempts of a pending message", []int{2, 1},
			[]int{len(list[0].Recipients[0].Attempts), len(list[0].Recipients[1].Attempts)})
	}
}
