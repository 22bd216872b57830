// Package storetest is the suite that every store.Store passes.
package storetest

import (
	"context"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr"
	"messngr/store"
)

// Reopen closes a store and opens it again, as a restart of the service does.
type Reopen func(t *testing.T, s store.Store) store.Store

// Run holds a kind of store to its contract. open returns a new, empty store
// for each part of the suite, which closes it. reopen is nil for a store that
// does not outlive its Close.
func Run(t *testing.T, open func(t *testing.T) store.Store, reopen Reopen) {
	tests := []struct {
		name string
		test func(*suite)
	}{
		{"TakeAndRead", (*suite).takeAndRead},
		{"Origin", (*suite).origin},
		{"TakeRefuses", (*suite).takeRefuses},
		{"TakeAtOnce", (*suite).takeAtOnce},
		{"InboxQueries", (*suite).inboxQueries},
		{"Mark", (*suite).mark},
		{"Expire", (*suite).expire},
		{"Delete", (*suite).delete},
		{"Search", (*suite).search},
		{"SearchIsNoLanguage", (*suite).searchIsNoLanguage},
		{"SearchFollows", (*suite).searchFollows},
		{"QueueAndRead", (*suite).queueAndRead},
		{"Attempts", (*suite).attempts},
		{"AttemptRefusals", (*suite).attemptRefusals},
		{"Readers", (*suite).readers},
		{"Discards", (*suite).discards},
		{"Proven", (*suite).proven},
		{"SentQueries", (*suite).sentQueries},
		{"Pending", (*suite).pending},
		{"Settings", (*suite).settings},
		{"PruneAge", (*suite).pruneAge},
		{"PruneClock", (*suite).pruneClock},
		{"PruneCount", (*suite).pruneCount},
		{"PruneOrigins", (*suite).pruneOrigins},
		{"NumbersAreNeverUsedTwice", (*suite).numbersAreNeverUsedTwice},
		{"ContextEnded", (*suite).contextEnded},
		{"Closed", (*suite).closed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &suite{T: t, ctx: t.Context(), s: open(t), reopen: reopen}
			defer func() {
				if err := s.s.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			}()
			tt.test(s)
		})
	}
}

// suite is one part of it with a store of its own.
type suite struct {
	*testing.T
	ctx    context.Context
	s      store.Store
	reopen Reopen
	made   int // messages
}

// restart opens the store again, if that kind of store can be.
func (s *suite) restart() {
	s.Helper()
	if s.reopen != nil {
		s.s = s.reopen(s.T, s.s)
	}
}

// must ends the test if err is not nil.
func (s *suite) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// equal compares; errors of the caller's wording come with what.
func (s *suite) equal(what string, want, got any) {
	s.Helper()
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
		cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
		s.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// start is the time of the first message that a suite makes; each of the
// following is a second later.
func start() time.Time { return time.Date(2026, 3, 29, 2, 30, 0, 123_456_000, time.UTC) }

// message returns a new message with no more than the necessary.
func (s *suite) message(text string) *messngr.Message {
	s.Helper()
	id, err := messngr.NewID()
	s.must(err)
	s.made++
	return &messngr.Message{ID: id, Time: start().Add(time.Duration(s.made) * time.Second), Text: text}
}

// fullMessage returns a message in which every field is set, which it checks,
// so that no field that is added later is forgotten by a store.
func (s *suite) fullMessage() *messngr.Message {
	s.Helper()
	m := s.message("first line\nsecond line: Grüße, Привет, 你好, 😀 and a NUL: \x00.")
	m.From = messngr.From{
		Claimed: "ALICE", Proven: "alice@example.org", Trust: messngr.Vouched,
		Address: netip.MustParseAddr("fe80::1%eth0"),
	}
	m.To, m.Via, m.Audience, m.Terminal = "BOB", "smb", "bob", "pts/3"
	m.Level, m.Drill = messngr.LevelUrgent, true
	m.Title, m.Warning = "Backup", `"unusual" sender`
	m.Answers = []string{"yes", "no, \"never\"\n", ""}
	m.Expires = m.Time.Add(time.Hour)
	m.Replaces, m.InReplyTo = s.message("").ID, s.message("").ID
	s.checkFull(reflect.ValueOf(*m), "Message")
	return m
}

func (s *suite) checkFull(v reflect.Value, name string) {
	s.Helper()
	if v.IsZero() {
		s.Fatalf("the suite does not set %s", name)
	}
	if v.Kind() == reflect.Struct && v.Type().PkgPath() == reflect.TypeFor[messngr.Message]().PkgPath() {
		for i := range v.NumField() {
			s.checkFull(v.Field(i), name+"."+v.Type().Field(i).Name)
		}
	}
}

// take stores a message and returns its entry.
func (s *suite) take(m *messngr.Message) store.Entry {
	s.Helper()
	e, duplicate, err := s.s.Take(s.ctx, store.Incoming{Message: m})
	s.must(err)
	if duplicate {
		s.Fatalf("message %q is called a duplicate", m.Text)
	}
	return e
}

// inbox returns the texts of the messages that q selects.
func (s *suite) inbox(q store.Query) []string {
	s.Helper()
	entries, err := s.s.Inbox(s.ctx, q)
	s.must(err)
	texts := []string{}
	for _, e := range entries {
		texts = append(texts, e.Message.Text)
	}
	return texts
}

// entry returns a message that has to be there.
func (s *suite) entry(id messngr.ID) store.Entry {
	s.Helper()
	e, err := s.s.Entry(s.ctx, id, "")
	s.must(err)
	return e
}
