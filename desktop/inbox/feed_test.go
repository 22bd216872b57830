package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"messngr"
	"messngr/control"
	"messngr/desktop/inbox"
)

// service is a made-up service: a list of messages, and streams that a test
// plays.
type service struct {
	mu       sync.Mutex
	messages []control.Message // newest first
	down     error
	asked    []control.MessageQuery
	streams  int
	after    int64
	events   chan control.Event // nil closes the stream
}

func (s *service) Messages(_ context.Context, q control.MessageQuery) (control.MessageList, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, q)
	if s.down != nil {
		return control.MessageList{}, s.down
	}
	var l control.MessageList
	for _, m := range s.messages {
		if (q.Before == 0 || m.Seq < q.Before) && (!q.Unread || m.ReadAt == nil) && len(l.Messages) < q.Limit {
			l.Messages = append(l.Messages, m)
		}
	}
	return l, nil
}

func (s *service) Events(ctx context.Context, after int64, own bool, show func(control.Event) error) error {
	s.mu.Lock()
	s.streams++
	s.after = after
	s.mu.Unlock()
	if !own {
		return errors.New("asked for the messages of others")
	}
	if err := show(control.Event{Kind: control.EventResync}); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-s.events:
			if e.Kind == "" {
				return nil
			}
			if err := show(e); err != nil {
				return err
			}
		}
	}
}

// follow runs a feed of the service and writes down what it brings.
func follow(t *testing.T, s *service) (log func() []string, stop func()) {
	t.Helper()
	var mu sync.Mutex
	var lines []string
	write := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, fmt.Sprintf(format, args...))
	}
	f := inbox.Feed{
		Client: s,
		Unread: func(l []control.Message) {
			var seqs []int64
			for _, m := range l {
				seqs = append(seqs, m.Seq)
			}
			write("unread %v", seqs)
		},
		Event: func(e control.Event) { write("%s", e.Kind) },
		State: func(err error) { write("state %v", err) },
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); f.Run(ctx) }()
	return func() []string {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			l := lines
			lines = nil
			return l
		}, func() {
			cancel()
			<-done
		}
}

func want(t *testing.T, got []string, lines ...string) {
	t.Helper()
	if !slices.Equal(got, lines) {
		t.Errorf("\n got %s\nwant %s", strings.Join(got, "; "), strings.Join(lines, "; "))
	}
}

func TestFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		read, acknowledged := msg(2, "read"), msg(4, "acknowledged")
		read.ReadAt, acknowledged.AcknowledgedAt = &start, &start
		s := &service{events: make(chan control.Event), messages: []control.Message{msg(5, "x"), acknowledged, msg(3, "x"), read, msg(1, "x")}}
		log, stop := follow(t, s)
		defer stop()
		want(t, log(), "state <nil>", "unread [1 3 5]", "resync")
		if s.after != 5 {
			t.Errorf("it follows after %d, want 5", s.after)
		}
		m := msg(6, "x")
		s.events <- control.Event{Kind: control.EventArrived, Message: &m}
		s.events <- control.Event{Kind: control.EventArrived} // nonsense
		s.events <- control.Event{Kind: control.EventRead}
		want(t, log(), "arrived", "read")

		// Something was missed: what waits is read again, with what has come since.
		s.mu.Lock()
		s.messages = slices.Insert(s.messages, 0, m)
		s.mu.Unlock()
		s.events <- control.Event{Kind: control.EventResync}
		want(t, log(), "unread [1 3 5 6]", "resync")
	})
}

// An emergency waits until it is acknowledged, also when it was read.
func TestFeedBringsEmergenciesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		emergency := func(n int) control.Message {
			m := msg(n, "x")
			m.Level, m.Trust, m.ReadAt = messngr.LevelEmergency, messngr.Vouched, &start
			return m
		}
		acknowledged, unproven, urgent := emergency(3), emergency(4), emergency(5)
		acknowledged.AcknowledgedAt, unproven.Trust, urgent.Level = &start, messngr.Unverified, messngr.LevelUrgent
		s := &service{events: make(chan control.Event)}
		s.messages = []control.Message{urgent, unproven, acknowledged, emergency(2), msg(1, "x")}
		log, stop := follow(t, s)
		defer stop()
		want(t, log(), "state <nil>", "unread [1 2]", "resync")
	})
}

func TestFeedComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{events: make(chan control.Event), down: control.ErrNoService}
		log, stop := follow(t, s)
		defer stop()
		want(t, log(), "state no service is running")
		time.Sleep(time.Hour)
		s.mu.Lock()
		tries := len(s.asked)
		s.mu.Unlock()
		if tries < 200 || tries > 500 {
			t.Errorf("it tried %d times in an hour, want about every ten seconds", tries)
		}
		log()
		s.mu.Lock()
		s.down = nil
		s.mu.Unlock()
		time.Sleep(20 * time.Second)
		want(t, log(), "state <nil>", "unread []", "resync")
		time.Sleep(time.Minute)
		s.events <- control.Event{} // the service goes away
		want(t, log(), "state unexpected EOF")
		time.Sleep(time.Second)
		want(t, log(), "state <nil>", "unread []", "resync")
	})
}

// A backlog of any length is read in pages, and bounded.
func TestFeedLongBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{events: make(chan control.Event)}
		for i := 12_345; i > 0; i-- {
			s.messages = append(s.messages, msg(i, "x"))
		}
		log, stop := follow(t, s)
		defer stop()
		lines := log()
		if len(lines) != 3 || strings.Count(lines[1], " ") != 10_000 || !strings.HasSuffix(lines[1], " 12345]") {
			t.Errorf("%d lines; the second has %d messages", len(lines), strings.Count(lines[1], " "))
		}
	})
}

func TestMustBeSeen(t *testing.T) {
	for _, tt := range []struct {
		text string
		from string
		want bool
	}{{"info", "info", true}, {"info", "notice", false}, {"urgent", "urgent", true}, {"drill", "urgent", true}, {"question", "emergency", true}} {
		m := msg(1, tt.text)
		level := m.Level
		if err := level.UnmarshalText([]byte(tt.from)); err != nil {
			t.Fatal(err)
		}
		if got := inbox.MustBeSeen(&m, level); got != tt.want {
			t.Errorf("%s from %s: %v, want %v", tt.text, tt.from, got, tt.want)
		}
	}
}

func TestMustBeAnswered(t *testing.T) {
	now := start
	later, earlier := now.Add(time.Second), now
	with := func(m control.Message, change func(*control.Message)) control.Message {
		change(&m)
		return m
	}
	for name, c := range map[string]struct {
		m    control.Message
		want bool
	}{
		"ordinary":     {msg(1, "plain"), false},
		"urgent":       {msg(1, "urgent"), true},
		"emergency":    {msg(1, "emergency"), true},
		"question":     {msg(1, "question"), true},
		"acknowledged": {with(msg(1, "urgent"), func(m *control.Message) { m.AcknowledgedAt = &now }), false},
		"over":         {with(msg(1, "question"), func(m *control.Message) { m.ExpiresAt = &earlier }), false},
		"not over":     {with(msg(1, "question"), func(m *control.Message) { m.ExpiresAt = &later }), true},
		"only claimed": {with(msg(1, "urgent"), func(m *control.Message) { m.Trust = messngr.Unverified }), false},
	} {
		if got := inbox.MustBeAnswered(&c.m, now); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
