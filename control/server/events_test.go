package server_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr"
	"messngr/control"
	"messngr/control/server"
	"messngr/names"
	"messngr/policy"
	"messngr/router"
	"messngr/store"
	"messngr/store/memstore"
	"messngr/wire/netbios"
	"messngr/wire/oem"
)

// inboxes is a service for three people, each of whom has a socket: root, who
// administers it, Alice and Bob.
type inboxes struct {
	service          *server.Service
	store            *memstore.Store
	router           *router.Router
	root, alice, bob *control.Client
}

func newInboxes(t *testing.T) *inboxes {
	t.Helper()
	h := &inboxes{store: memstore.New()}
	log := slog.New(slog.DiscardHandler)
	table := names.New(oem.Page{}, nil, h.store, log)
	for _, e := range []names.Entry{
		{Name: "PC17", Suffix: netbios.Messenger, Kind: names.Computer},
		{Name: "ALICE", Suffix: netbios.Messenger, Kind: names.User, User: "alice"},
		{Name: "BOB", Suffix: netbios.Messenger, Kind: names.User, User: "bob"},
	} {
		if err := table.Own(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	rules, err := policy.New(t.Context(), policy.Config{}, h.store)
	if err != nil {
		t.Fatal(err)
	}
	h.router = router.New(router.Config{Store: h.store, Names: table, Policy: rules, Log: log, Host: "PC17", Workgroup: "WORKGROUP"})
	s := &server.Service{Router: h.router, Status: func(context.Context) control.Status { return control.Status{} }, Store: h.store, Names: table, Policy: rules, Log: log}
	h.service = s
	h.root = h.serve(t, s, messngr.Principal{Login: "root", Admin: true})
	h.alice = h.serve(t, s, messngr.Principal{UID: 1000, Login: "alice"})
	h.bob = h.serve(t, s, messngr.Principal{UID: 1001, Login: "bob"})
	return h
}

// serve serves s on a socket at which everybody is who.
func (h *inboxes) serve(t *testing.T, s *server.Service, who messngr.Principal) *control.Client {
	t.Helper()
	dir, err := os.MkdirTemp("", "m")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", dir+"/s")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: s.Handler(func(*http.Request) (messngr.Principal, bool) { return who, true })}
	var done sync.WaitGroup
	done.Go(func() { srv.Serve(l) })
	t.Cleanup(func() {
		srv.Close()
		done.Wait()
		os.RemoveAll(dir)
	})
	return control.NewClient(dir + "/s")
}

// arrive brings a message to PC17, ALICE or BOB.
func (h *inboxes) arrive(t *testing.T, to, text string) messngr.ID {
	t.Helper()
	_, err := h.router.Accept(t.Context(), messngr.Inbound{
		To: []string{to}, Message: messngr.Message{From: messngr.From{Claimed: "BOSS"}, To: to, Text: text, Via: "smb"},
	})
	if err != nil {
		t.Fatal(err)
	}
	newest, err := h.store.Inbox(t.Context(), store.Query{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	return newest[0].Message.ID
}

// events follows the inbox of a client until the test ends.
func events(t *testing.T, c *control.Client, after int64, own bool) <-chan control.Event {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ch := make(chan control.Event, 100)
	var done sync.WaitGroup
	done.Go(func() {
		if err := c.Events(ctx, after, own, func(e control.Event) error { ch <- e; return nil }); err != nil {
			t.Errorf("Events = %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		done.Wait()
	})
	return ch
}

// next is the next event in short: its kind, and the text of the message or the
// ids.
type short struct {
	Kind, Text string
	IDs        []messngr.ID
}

func next(t *testing.T, ch <-chan control.Event) short {
	t.Helper()
	select {
	case e := <-ch:
		s := short{Kind: e.Kind, IDs: e.IDs}
		if e.Message != nil {
			s.Text = e.Message.Text
		}
		return s
	case <-time.After(5 * time.Second):
		t.Fatal("no event came")
		return short{}
	}
}

func expect(t *testing.T, ch <-chan control.Event, want short) {
	t.Helper()
	if diff := cmp.Diff(want, next(t, ch)); diff != "" {
		t.Errorf("event, -want +got:\n%s", diff)
	}
}

func quiet(t *testing.T, ch <-chan control.Event) {
	t.Helper()
	select {
	case e := <-ch:
		t.Errorf("an event came: %+v", e)
	case <-time.After(50 * time.Millisecond):
	}
}

func TestEventsTellWhatBecomesOfMessages(t *testing.T) {
	h := newInboxes(t)
	old := h.arrive(t, "ALICE", "old")
	ch := events(t, h.alice, -1, true)
	expect(t, ch, short{Kind: control.EventResync})
	id := h.arrive(t, "ALICE", "new")
	expect(t, ch, short{Kind: control.EventArrived, Text: "new"})

	for _, as := range []string{"read", "unread", "acknowledged"} {
		if n, err := h.alice.Mark(t.Context(), control.MarkRequest{IDs: []messngr.ID{id, old}, As: as}); err != nil || n != 2 {
			t.Fatalf("Mark(%s) = %d, %v", as, n, err)
		}
		expect(t, ch, short{Kind: as, IDs: []messngr.ID{id, old}})
	}
	// That a display has shown it concerns nobody else.
	if n, err := h.alice.Mark(t.Context(), control.MarkRequest{IDs: []messngr.ID{id}, As: "shown"}); err != nil || n != 1 {
		t.Fatalf("Mark(shown) = %d, %v", n, err)
	}
	if e, err := h.store.Entry(t.Context(), id, "alice"); err != nil || e.Shown.IsZero() {
		t.Errorf("after Mark(shown) the store says %v, %v", e.Shown, err)
	}
	if err := h.root.Delete(t.Context(), old); err != nil { // by somebody else
		t.Fatal(err)
	}
	expect(t, ch, short{Kind: control.EventDeleted, IDs: []messngr.ID{old}})
	quiet(t, ch)
}

// What its sender takes back is told to those who have it, and to nobody else.
func TestEventsOfARetraction(t *testing.T) {
	h := newInboxes(t)
	sent, in, now := messngr.ID{1}, messngr.ID{2}, time.Now()
	queue := store.Outgoing{
		Message: &messngr.Message{ID: sent, Time: now, Text: "wrong"}, Owner: "alice",
		Recipients: []store.Recipient{{To: "bob"}},
	}
	if err := h.store.Queue(t.Context(), queue); err != nil {
		t.Fatal(err)
	}
	attempt := store.Attempt{Message: sent, Via: router.Local, Began: now}
	number, err := h.store.Begin(t.Context(), attempt)
	if err != nil {
		t.Fatal(err)
	}
	attempt.Number, attempt.Ended, attempt.Evidence.State = number, now, messngr.Delivered
	if err := h.store.Finish(t.Context(), attempt); err != nil {
		t.Fatal(err)
	}
	got := &messngr.Message{ID: in, Time: now, Text: "wrong", Audience: "bob"}
	if _, _, err := h.store.Take(t.Context(), store.Incoming{Message: got, Attempt: number}); err != nil {
		t.Fatal(err)
	}
	alices, bobs := events(t, h.alice, -1, true), events(t, h.bob, -1, true)
	expect(t, alices, short{Kind: control.EventResync})
	expect(t, bobs, short{Kind: control.EventResync})
	if _, err := h.bob.Retract(t.Context(), sent); err == nil {
		t.Error("Bob takes back what Alice has sent")
	}
	if a, err := h.alice.Retract(t.Context(), sent); err != nil || a.Count != 1 || len(a.Beyond) != 0 {
		t.Errorf("Retract = %+v, %v; want one message", a, err)
	}
	expect(t, bobs, short{Kind: control.EventRetracted, IDs: []messngr.ID{in}})
	if e, err := h.store.Entry(t.Context(), in, ""); err != nil || !e.Message.Expired(time.Now()) {
		t.Errorf("in Bob's inbox: %+v, %v; want it there, and over", e.Message, err)
	}
	quiet(t, alices)
}

// Whoever marks a message or deletes it may leave before the answer: a pop-up does.
func TestEventsOfAClientThatLeaves(t *testing.T) {
	h := newInboxes(t)
	id := h.arrive(t, "ALICE", "new")
	ch := events(t, h.alice, -1, true)
	expect(t, ch, short{Kind: control.EventResync})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	alice := h.service.Handler(func(*http.Request) (messngr.Principal, bool) {
		return messngr.Principal{UID: 1000, Login: "alice"}, true
	})
	mark := fmt.Sprintf(`{"ids":[%q],"as":"acknowledged"}`, id)
	for _, c := range []struct{ method, path, body, kind string }{
		{"POST", "/v1/messages/mark", mark, control.EventAcknowledged},
		{"DELETE", "/v1/messages/" + id.String(), "", control.EventDeleted},
	} {
		r := httptest.NewRequestWithContext(gone, c.method, c.path, strings.NewReader(c.body))
		alice.ServeHTTP(httptest.NewRecorder(), r)
		expect(t, ch, short{Kind: c.kind, IDs: []messngr.ID{id}})
	}
}

func TestEventsAfterANumber(t *testing.T) {
	h := newInboxes(t)
	h.arrive(t, "ALICE", "one")
	h.arrive(t, "ALICE", "two")
	ch := events(t, h.alice, 1, true)
	if first, second := next(t, ch), next(t, ch); first.Kind != control.EventResync || second.Text != "two" {
		t.Errorf("got %+v, %+v; want a resync and the second message", first, second)
	}
}

// What is for one person is no event for another; and an administrator who asks
// for own messages is a person like all others.
func TestEventsOfOthers(t *testing.T) {
	h := newInboxes(t)
	bob, own, all := events(t, h.bob, -1, true), events(t, h.root, -1, true), events(t, h.root, -1, false)
	for _, ch := range []<-chan control.Event{bob, own, all} {
		expect(t, ch, short{Kind: control.EventResync})
	}
	secret := h.arrive(t, "ALICE", "for alice")
	expect(t, all, short{Kind: control.EventArrived, Text: "for alice"})
	if n, err := h.bob.Mark(t.Context(), control.MarkRequest{IDs: []messngr.ID{secret}, As: "read"}); err != nil || n != 0 {
		t.Errorf("Bob marks Alice's message: %d, %v", n, err)
	}
	if _, err := h.alice.Mark(t.Context(), control.MarkRequest{IDs: []messngr.ID{secret}, As: "read"}); err != nil {
		t.Fatal(err)
	}
	quiet(t, all) // everybody reads for himself
	if err := h.alice.Delete(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	expect(t, all, short{Kind: control.EventDeleted, IDs: []messngr.ID{secret}})
	h.arrive(t, "PC17", "for the machine")
	for _, ch := range []<-chan control.Event{bob, own, all} {
		expect(t, ch, short{Kind: control.EventArrived, Text: "for the machine"})
		quiet(t, ch)
	}
}

func TestOwnMessagesOfAnAdministrator(t *testing.T) {
	h := newInboxes(t)
	h.arrive(t, "ALICE", "for alice")
	h.arrive(t, "PC17", "for the machine")
	for own, want := range map[bool]int{true: 1, false: 2} {
		l, err := h.root.Messages(t.Context(), control.MessageQuery{Own: own})
		if err != nil || len(l.Messages) != want || l.Total != want || l.Unread != want {
			t.Errorf("own=%v: %d messages of %d, %d unread, %v; want %d", own, len(l.Messages), l.Total, l.Unread, err, want)
		}
	}
}

// What is for the machine is read and deleted by everybody for himself, and by an
// administrator for all.
func TestMessagesForTheMachine(t *testing.T) {
	h := newInboxes(t)
	alices, bobs := events(t, h.alice, -1, true), events(t, h.bob, -1, true)
	for _, ch := range []<-chan control.Event{alices, bobs} {
		expect(t, ch, short{Kind: control.EventResync})
	}
	id := h.arrive(t, "PC17", "for all")
	for _, ch := range []<-chan control.Event{alices, bobs} {
		expect(t, ch, short{Kind: control.EventArrived, Text: "for all"})
	}
	for _, as := range []string{"read", "acknowledged"} {
		if n, err := h.bob.Mark(t.Context(), control.MarkRequest{IDs: []messngr.ID{id}, As: as}); n != 1 || err != nil {
			t.Fatalf("Mark = %d, %v", n, err)
		}
		expect(t, bobs, short{Kind: as, IDs: []messngr.ID{id}})
	}
	quiet(t, alices)
	for who, unread := range map[*control.Client]int{h.alice: 1, h.bob: 0, h.root: 1} {
		l, err := who.Messages(t.Context(), control.MessageQuery{})
		if err != nil || l.Unread != unread || (l.Messages[0].ReadAt == nil) != (unread == 1) || (l.Messages[0].AcknowledgedAt == nil) != (unread == 1) {
			t.Errorf("%d unread, %+v, %v; want %d", l.Unread, l.Messages, err, unread)
		}
		m, err := who.Message(t.Context(), id)
		if err != nil || (m.ReadAt == nil) != (unread == 1) {
			t.Errorf("the message is %+v, %v", m, err)
		}
		if st, err := who.Status(t.Context()); err != nil || st.Unread != unread {
			t.Errorf("status tells of %d unread, %v; want %d", st.Unread, err, unread)
		}
	}
	if err := h.bob.Delete(t.Context(), id); err != nil {
		t.Errorf("bob deletes it: %v", err)
	}
	expect(t, bobs, short{Kind: control.EventDeleted, IDs: []messngr.ID{id}})
	quiet(t, alices)
	if l, err := h.bob.Messages(t.Context(), control.MessageQuery{}); err != nil || len(l.Messages) != 0 || l.Total != 0 {
		t.Errorf("left to bob: %+v, %v; want nothing", l, err)
	}
	var lost *control.Error
	if m, err := h.bob.Message(t.Context(), id); !errors.As(err, &lost) || lost.Code != "not_found" {
		t.Errorf("bob asks for it by its number: %+v, %v; want that it is not found", m, err)
	}
	if err := h.bob.Delete(t.Context(), id); !errors.As(err, &lost) || lost.Code != "not_found" {
		t.Errorf("bob deletes it again: %v, want that it is not found", err)
	}
	quiet(t, bobs)
	if err := h.root.Delete(t.Context(), id); err != nil {
		t.Errorf("root deletes it: %v", err)
	}
	expect(t, alices, short{Kind: control.EventDeleted, IDs: []messngr.ID{id}})
}

// A client that reads nothing is told to look again, and costs nothing.
func TestChangesThatNobodyReads(t *testing.T) {
	h := newInboxes(t)
	id := h.arrive(t, "ALICE", "hello")
	hang := make(chan struct{})
	release := sync.OnceFunc(func() { close(hang) })
	defer release()
	kinds := make(map[string]int)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var done sync.WaitGroup
	done.Go(func() {
		h.alice.Events(ctx, -1, true, func(e control.Event) error {
			kinds[e.Kind]++
			<-hang
			if e.Kind == control.EventDeleted {
				return errors.New("enough")
			}
			return nil
		})
	})
	time.Sleep(50 * time.Millisecond)
	for i := range 1000 {
		as := []string{"read", "unread"}[i%2]
		if _, err := h.alice.Mark(t.Context(), control.MarkRequest{IDs: slices.Repeat([]messngr.ID{id}, 50), As: as}); err != nil {
			t.Fatal(err)
		}
	}
	release()
	if err := h.root.Delete(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	done.Wait()
	if kinds[control.EventResync] < 2 {
		t.Errorf("events were %v; want a second resync", kinds)
	}
}

func TestImport(t *testing.T) {
	h := newInboxes(t)
	sent := time.Date(2005, 3, 1, 14, 2, 11, 0, time.Local)
	req := control.ImportRequest{Program: "linpopup", Messages: []control.OldMessage{
		{From: "ALICE", Host: "WIN98", To: "LINUX", Text: "Lunch?\x14In the\x1b[31m canteen", Sent: sent, Read: true},
		{From: "BOSS", To: "LINUX", Text: "Now!", Sent: sent.Add(time.Hour)},
	}}
	ch := events(t, h.bob, -1, true)
	expect(t, ch, short{Kind: control.EventResync})
	if a, err := h.bob.Import(t.Context(), req); err != nil || a.Taken != 2 || a.Known != 0 {
		t.Fatalf("Import = %+v, %v; want 2 taken", a, err)
	}
	expect(t, ch, short{Kind: control.EventResync})
	expect(t, ch, short{Kind: control.EventArrived, Text: "Lunch?\nIn the^[[31m canteen"})
	if a, err := h.bob.Import(t.Context(), req); err != nil || a.Taken != 0 || a.Known != 2 {
		t.Errorf("a second time: %+v, %v; want 2 known", a, err)
	}
	l, err := h.bob.Messages(t.Context(), control.MessageQuery{Oldest: true})
	if err != nil || len(l.Messages) != 2 || l.Unread != 1 {
		t.Fatalf("the inbox has %d messages, %d unread, %v", len(l.Messages), l.Unread, err)
	}
	m := l.Messages[0]
	got := []string{m.From, m.To, m.Title, m.Via, m.Audience, m.Trust.String()}
	want := []string{"ALICE", "LINUX", "LinPopUp, 2005-03-01 14:02:11, WIN98", "linpopup", "bob", "unverified"}
	if diff := cmp.Diff(want, got); diff != "" || !m.Quiet || m.ReadAt == nil || l.Messages[1].ReadAt != nil {
		t.Errorf("quiet %v, read %v and %v; -want +got:\n%s", m.Quiet, m.ReadAt, l.Messages[1].ReadAt, diff)
	}
	if l, err := h.alice.Messages(t.Context(), control.MessageQuery{}); err != nil || l.Total != 0 {
		t.Errorf("Alice sees %d messages, %v", l.Total, err)
	}
}

func TestImportForOthers(t *testing.T) {
	h := newInboxes(t)
	old := []control.OldMessage{{From: "BOSS", Text: "hello", Sent: time.Now()}}
	for _, tt := range []struct {
		who  *control.Client
		req  control.ImportRequest
		code string
	}{
		{h.bob, control.ImportRequest{Program: "linpopup", User: "alice"}, "forbidden"},
		{h.bob, control.ImportRequest{Program: "linpopup", Machine: true}, "forbidden"},
		{h.root, control.ImportRequest{Program: "linpopup", Machine: true, User: "alice"}, "bad_request"},
		{h.root, control.ImportRequest{Program: "smb"}, "bad_request"},
		{h.bob, control.ImportRequest{Program: "linpopup", User: "bob"}, ""},
		{h.root, control.ImportRequest{Program: "linpopup", User: "alice"}, ""},
		{h.root, control.ImportRequest{Program: "linpopup", Machine: true}, ""},
	} {
		tt.req.Messages = old
		_, err := tt.who.Import(t.Context(), tt.req)
		var declined *control.Error
		if errors.As(err, &declined); tt.code == "" && err != nil || tt.code != "" && (declined == nil || declined.Code != tt.code) {
			t.Errorf("Import(%+v) = %v, want %q", tt.req, err, tt.code)
		}
	}
	if l, err := h.alice.Messages(t.Context(), control.MessageQuery{}); err != nil || l.Total != 2 {
		t.Errorf("Alice sees %d messages, %v; want her own and the machine's", l.Total, err)
	}
}
