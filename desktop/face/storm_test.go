package face_test

import (
	"fmt"
	"testing"
	"time"

	"messngr/desktop/xtest"
)

// A thousand messages at once are one window.
func TestStormIsOneDigest(t *testing.T) {
	s := setUp(t, xtest.Options{}, legacy("BOSS", "the first one"))
	s.popup()
	s.reader.Await("push button", "OK")
	time.Sleep(2 * time.Second) // somebody reads it
	before := s.face.RSS()
	began := time.Now()
	for i := range 999 {
		s.arrive(legacy(fmt.Sprintf("PC%02d", i%40), fmt.Sprintf("Disk full (%d)", i)))
	}
	s.arrive(legacy("BOSS", "the last one"))
	s.reader.Await("push button", "OK")
	most := 0
	s.Until("the counter", func() bool {
		most = max(most, len(s.Windows(".*Message from.*|.*Many messages.*")))
		_, ok := s.reader.Tree().Find("label", "1 of 1001")
		return ok
	})
	t.Logf("1,000 messages were counted after %v; memory %d kB, before %d kB", time.Since(began).Round(time.Millisecond), s.face.RSS(), before)
	if most > 1 {
		t.Errorf("there were %d windows, want 1", most)
	}
	readable()
	s.Keys("Return")
	alert := s.reader.Await("alert", "1000 messages are waiting")
	for _, want := range []string{"“PC00”", "25 messages", "and 36 more senders", "Nothing is lost: all of them are in the list, unread."} {
		if _, ok := alert.Find("label", want); !ok {
			t.Errorf("%q is not shown in\n%s", want, alert)
		}
	}
	if n := len(s.Windows("^Many messages")); n != 1 {
		t.Errorf("there are %d windows, want 1", n)
	}

	// The digest follows what comes.
	s.fake.Lock()
	last := s.fake.Messages[len(s.fake.Messages)-1].Seq
	s.fake.Unlock()
	s.arrive(legacy("BOSS", "one more"))
	s.reader.Await("label", "1001 messages are waiting")
	s.reader.Await("label", "“PC00”")
	if last == 0 {
		t.Fatal("nothing arrived")
	}

	// One by one, and then away; everything stays unread.
	readable()
	s.Keys("alt+o")
	s.reader.Await("label", "1 of 1001")
	readable()
	s.Keys("Escape")
	s.reader.Await("label", "1 of 1000")
	unread := 0
	s.fake.Lock()
	for _, m := range s.fake.Messages {
		if m.ReadAt == nil && m.AcknowledgedAt == nil {
			unread++
		}
	}
	s.fake.Unlock()
	if unread != 1001 {
		t.Errorf("%d messages are unread, want 1001", unread)
	}
	s.clean()
}

// What waited while nobody was there is one digest, from which the list opens.
func TestBacklogOpensTheList(t *testing.T) {
	t.Parallel()
	s := setUp(t, xtest.Options{}, legacy("BOSS", "1"), legacy("BOSS", "2"), legacy("BOSS", "3"), legacy("BOSS", "4"),
		legacy("BOSS", "5"), legacy("ALICE", "6"), legacy("ALICE", "7"), legacy("ALICE", "8"), legacy("ALICE", "9"))
	s.fake.State.Name = "PC17"
	s.popup()
	s.reader.Await("alert", "9 messages are waiting")
	s.announced("9 messages are waiting")
	readable()
	s.Keys("Return")
	s.Until("the list", func() bool { return len(s.Windows("Messages – PC17")) == 1 })
	s.Until("the digest to go", func() bool { return len(s.Windows("^Many messages")) == 0 })
	if m := s.message(3); m.ReadAt != nil {
		t.Error("a message that nobody looked at is read")
	}
}
