package router_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"messngr"
	"messngr/router"
	"messngr/store"
)

func TestMarkAndDeleteWhatOneMaySee(t *testing.T) {
	h := newHost(t, options{})
	for _, to := range []string{"PC17", "ALICE"} {
		in := inbound("for " + to)
		in.To = []string{to}
		if _, err := h.Accept(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	all := append(ids(h, t), uuid.UUID{9}) // and one that is not there
	for _, tt := range []struct {
		who  messngr.Principal
		want int
	}{{bob, 1}, {alice, 2}, {admin, 2}} {
		if n, err := h.Mark(t.Context(), tt.who, store.Read, all...); n != tt.want || err != nil {
			t.Errorf("%s marks %d, %v; want %d", tt.who.Login, n, err, tt.want)
		}
		_, _ = h.Mark(t.Context(), tt.who, store.Unread, all...)
	}
	if n, err := h.Delete(t.Context(), bob, all[1]); n != 0 || err != nil {
		t.Errorf("bob deletes %d of Alice's messages, %v", n, err)
	}
	if n, err := h.Delete(t.Context(), alice, all...); n != 2 || err != nil {
		t.Errorf("alice deletes %d, %v; want her own and, for herself, the machine's", n, err)
	}
	for reader, want := range map[string]int{"alice": 0, "bob": 1} {
		left, err := h.store.Store.Inbox(t.Context(), store.Query{Reader: reader})
		if err != nil || len(left) != want {
			t.Errorf("%d messages are left to %s, %v; want %d", len(left), reader, err, want)
		}
	}
	if n, err := h.Delete(t.Context(), admin, all...); n != 1 || err != nil {
		t.Errorf("root deletes %d, %v; want 1", n, err)
	}
	free := newHost(t, options{rights: router.Rights{Delete: true}})
	free.accept(t, "for PC17")
	if n, err := free.Delete(t.Context(), bob, ids(free, t)...); n != 1 || err != nil {
		t.Errorf("where everybody may, bob deletes %d, %v; want 1", n, err)
	}
}

// What root reads of other people's mail is not what they have read.
func TestAnAdministratorReadsForHimself(t *testing.T) {
	h := newHost(t, options{})
	h.run(t)
	id, state := toAlice(t, h)
	for _, mark := range []store.Mark{store.Read, store.Acknowledged} {
		if n, err := h.Mark(t.Context(), admin, mark, id); n != 1 || err != nil {
			t.Fatalf("Mark = %d, %v", n, err)
		}
	}
	if got := state(); got != messngr.Delivered {
		t.Errorf("the sender knows %v, want delivered", got)
	}
	if e, err := h.store.Entry(t.Context(), id, "alice"); err != nil || !e.Read.IsZero() {
		t.Errorf("for alice it is %+v, %v; want it unread", e, err)
	}
}

// ids returns the ids of all received messages, oldest first.
func ids(h *host, t *testing.T) []messngr.ID {
	t.Helper()
	var list []messngr.ID
	for _, e := range h.inbox(t) {
		list = append(list, e.Message.ID)
	}
	return list
}

func TestMarkThatFails(t *testing.T) {
	h := newHost(t, options{})
	h.accept(t, "text")
	h.store.on("Mark", fails)
	if _, err := h.Mark(t.Context(), admin, store.Read, ids(h, t)...); !errors.Is(err, errDisk) {
		t.Errorf("Mark = %v, want the store's error", err)
	}
}

// toAlice sends a message to Alice on this host, and returns its id there and
// what its sender knows of it.
func toAlice(t *testing.T, h *host) (id messngr.ID, state func() messngr.State) {
	t.Helper()
	sent, err := h.Send(t.Context(), router.Request{Principal: bob, To: []string{"alice"}})
	if err != nil {
		t.Fatal(err)
	}
	list := ids(h, t)
	return list[len(list)-1], func() messngr.State {
		out, err := h.store.SentMessage(t.Context(), sent.Message.ID)
		if err != nil {
			t.Fatal(err)
		}
		return out.Recipients[0].State()
	}
}

func TestMarksOfALocalMessageReachItsSender(t *testing.T) {
	for _, tt := range []struct {
		marks []store.Mark
		want  messngr.State
	}{
		{nil, messngr.Delivered},
		{[]store.Mark{store.Shown}, messngr.Displayed},
		{[]store.Mark{store.Read}, messngr.Displayed}, // in the inbox
		{[]store.Mark{store.Read, store.Unread}, messngr.Displayed},
		{[]store.Mark{store.Acknowledged}, messngr.Acknowledged},
		{[]store.Mark{store.Shown, store.Acknowledged}, messngr.Acknowledged},
		{[]store.Mark{store.Acknowledged, store.Shown, store.Read}, messngr.Acknowledged},
	} {
		h := newHost(t, options{})
		h.run(t)
		id, state := toAlice(t, h)
		for _, mark := range tt.marks {
			if n, err := h.Mark(t.Context(), alice, mark, id); n != 1 || err != nil {
				t.Fatalf("Mark = %d, %v", n, err)
			}
		}
		if got := state(); got != tt.want {
			t.Errorf("after %v: %v, want %v", tt.marks, got, tt.want)
		}
	}
}

// A display and a person may mark the same message at the same time; what is
// known never gets less, whoever is slower.
func TestMarksAtOnce(t *testing.T) {
	h := newHost(t, options{})
	h.run(t)
	id, state := toAlice(t, h)
	begun := make(chan struct{})
	var others atomic.Bool
	h.store.on("Finish", func() error {
		if !others.Swap(true) { // that of the display
			close(begun)
			time.Sleep(50 * time.Millisecond)
		}
		return nil
	})
	var display sync.WaitGroup
	display.Go(func() {
		if _, err := h.Mark(t.Context(), alice, store.Shown, id); err != nil {
			t.Error(err)
		}
	})
	<-begun
	if _, err := h.Mark(t.Context(), alice, store.Acknowledged, id); err != nil {
		t.Error(err)
	}
	display.Wait()
	if got := state(); got != messngr.Acknowledged {
		t.Errorf("the sender knows %v, want acknowledged", got)
	}
}

// A display may be faster than the books: then its evidence waits for the end of
// the attempt.
func TestEvidenceBeforeTheEndOfTheAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		h.run(t)
		h.show(t, &display{})
		h.store.on("Finish", func() error { // is slow the first time
			h.store.on("Finish", nil)
			time.Sleep(2 * time.Second)
			return nil
		})
		begin := time.Now()
		sent, err := h.Send(t.Context(), router.Request{Principal: bob, To: []string{"alice"}, Want: state(messngr.Displayed)})
		if err != nil || !sent.AllReached() {
			t.Errorf("Send = %v, %v after %v", trail(sent.Outgoing), err, time.Since(begin))
		}
		time.Sleep(time.Minute)
		out, err := h.store.SentMessage(t.Context(), sent.Message.ID)
		if err != nil || out.Recipients[0].State() != messngr.Displayed {
			t.Errorf("later it is %v, %v; want it still displayed", trail(out), err)
		}
	})
}

func TestReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var number int64
		s := &sender{do: func(context.Context, messngr.Device, *messngr.Message) (messngr.Evidence, error) {
			return messngr.Evidence{State: messngr.Delivered}, nil
		}}
		h := newHost(t, options{routes: []router.Route{{Via: "sealed", Sender: s, Rich: true, Best: messngr.Delivered}}})
		h.run(t)
		time.AfterFunc(time.Second, func() {
			list, err := h.store.Sent(t.Context(), query)
			if err != nil || len(list) != 1 {
				t.Errorf("sent %v, %v", list, err)
				return
			}
			number = list[0].Recipients[0].Attempts[0].Number
			err = h.Report(t.Context(), number, "sealed", messngr.Evidence{State: messngr.Answered, Detail: "Yes"})
			if err != nil {
				t.Error(err)
			}
		})
		begin := time.Now()
		sent, err := h.Send(t.Context(), router.Request{Principal: alice, To: []string{"PC18"}, Want: state(messngr.Answered)})
		if err != nil || !sent.AllReached() || time.Since(begin) != time.Second {
			t.Errorf("Send = %v, %v after %v; want it to end with the receipt", trail(sent.Outgoing), err, time.Since(begin))
		}
		if a := sent.Recipients[0].Attempts[0]; a.Evidence.Detail != "Yes" {
			t.Errorf("the receipt says %q", a.Evidence.Detail)
		}
		if err := h.Report(t.Context(), number+100, "sealed", messngr.Evidence{State: messngr.Displayed}); err != nil {
			t.Errorf("Report for an attempt that was pruned = %v, want nil", err)
		}
		h.store.on("Finish", fails)
		if err := h.Report(t.Context(), number, "sealed", messngr.Evidence{State: messngr.Displayed}); !errors.Is(err, errDisk) {
			t.Errorf("Report = %v, want the store's error", err)
		}
	})
}

func TestEvidenceForAMessageThatWasDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		h.run(t)
		d := &display{}
		h.show(t, d)
		_, state := toAlice(t, h)
		synctest.Wait()
		if !slices.Equal(d.texts(), []string{""}) {
			t.Fatalf("shown %q", d.texts())
		}
		if _, err := h.Delete(t.Context(), alice, ids(h, t)...); err != nil { // before the mark is written
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if got := state(); got != messngr.Delivered {
			t.Errorf("the sender knows %v, want delivered", got)
		}
	})
}
