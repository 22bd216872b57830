package feed_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"messngr"
	"messngr/control"
	"messngr/control/controltest"
	"messngr/tray/feed"
)

// follow runs a feed of the fake until the test ends.
func follow(t *testing.T, connect func() *control.Client) (next func() feed.News) {
	t.Helper()
	f := feed.New(connect)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); f.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return func() feed.News {
		t.Helper()
		select {
		case n := <-f.News():
			return n
		case <-time.After(20 * time.Second):
			t.Fatal("no news in twenty seconds")
		}
		return feed.News{}
	}
}

func TestFeed(t *testing.T) {
	fake := controltest.New() // with messages 4, 5 that was read, and 7
	socket := controltest.Start(t, fake)
	next := follow(t, func() *control.Client { return control.NewClient(socket) })
	n := next()
	if n.Backlog == nil || n.Backlog.Newest != 7 || !slices.Equal(numbers(n.Backlog), []int64{4, 7}) {
		t.Fatalf("it begins with %+v", n)
	}
	if n = next(); n.Event == nil || n.Event.Kind != control.EventResync {
		t.Fatalf("then comes %+v", n)
	}
	fake.Arrive(control.Message{From: "BOSS", Text: "x"})
	if n = next(); n.Event == nil || n.Event.Kind != control.EventArrived || n.Event.Message.Seq != 8 {
		t.Fatalf("then comes %+v", n)
	}
	fake.HangUp()
	if n = next(); n.Away == nil {
		t.Fatalf("then comes %+v", n)
	}
	// What comes meanwhile comes when the service is back, and nothing twice.
	fake.Arrive(control.Message{From: "BOSS", Text: "y"})
	if n = next(); n.Event == nil || n.Event.Kind != control.EventResync {
		t.Fatalf("then comes %+v", n)
	}
	if n = next(); n.Event == nil || n.Event.Kind != control.EventArrived || n.Event.Message.Seq != 9 {
		t.Fatalf("then comes %+v", n)
	}
}

func TestServiceThatIsAway(t *testing.T) {
	none := t.TempDir() + "/none"
	next := follow(t, func() *control.Client { return control.NewClient(none) })
	for range 2 {
		if n := next(); n.Away == nil {
			t.Errorf("without a service comes %+v", n)
		}
	}
}

func numbers(b *feed.Backlog) []int64 {
	var list []int64
	for _, m := range b.Unread {
		list = append(list, m.Seq)
	}
	return list
}

// What waits is what was not read, and emergencies until they are acknowledged.
func TestReadBacklog(t *testing.T) {
	fake := controltest.New()
	fake.Messages = nil
	c := control.NewClient(controltest.Start(t, fake))
	at := controltest.Time()
	for _, m := range []control.Message{
		{Level: messngr.LevelEmergency, ReadAt: &at},
		{},
		{ReadAt: &at},
		{Level: messngr.LevelUrgent, ReadAt: &at},
		{Level: messngr.LevelEmergency, ReadAt: &at, AcknowledgedAt: &at},
		{Level: messngr.LevelEmergency},
	} {
		fake.Arrive(m)
	}
	b, err := feed.ReadBacklog(t.Context(), c)
	if err != nil || b.Newest != 6 || !slices.Equal(numbers(b), []int64{1, 2, 6}) {
		t.Fatalf("got %+v, %v", b, err)
	}
	// The emergency is found behind many others.
	for range 2500 {
		fake.Arrive(control.Message{ReadAt: &at})
	}
	b, err = feed.ReadBacklog(t.Context(), c)
	if err != nil || !slices.Equal(numbers(b), []int64{1, 2, 6}) {
		t.Errorf("got %d messages, %v", len(b.Unread), err)
	}
}

func TestSettled(t *testing.T) {
	fake := controltest.New()
	fake.Messages = nil
	c := control.NewClient(controltest.Start(t, fake))
	at := controltest.Time()
	for _, m := range []control.Message{
		{}, {ReadAt: &at}, {AcknowledgedAt: &at}, {Level: messngr.LevelEmergency, ReadAt: &at}, {Level: messngr.LevelEmergency, AcknowledgedAt: &at},
	} {
		fake.Arrive(m)
	}
	ids := []messngr.ID{controltest.ID(1), controltest.ID(2), controltest.ID(3), controltest.ID(4), controltest.ID(5), controltest.ID(77)}
	gone, err := feed.Settled(t.Context(), c, ids)
	if want := []messngr.ID{ids[1], ids[2], ids[4], ids[5]}; err != nil || !slices.Equal(gone, want) {
		t.Errorf("settled are %v, %v; want %v", gone, err, want)
	}
	m := control.Message{ExpiresAt: &at}
	if feed.IsExpired(&m, at.Add(-time.Second)) || !feed.IsExpired(&m, at) || feed.IsExpired(&control.Message{}, at) {
		t.Error("it expires at another time than it says")
	}
}
