package router_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"messngr"
	"messngr/router"
	"messngr/store"
)

// What stays on this host keeps all its fields, and is not written into the text.
func TestALocalMessageArrivesAsItWasSent(t *testing.T) {
	h := newHost(t, options{rights: router.Rights{Emergency: true}})
	h.run(t)
	m := messngr.Message{
		Text: "Coffee?", Title: "Break", Level: messngr.LevelEmergency, Drill: true, Answers: []string{"Yes", "No"},
		Expires: time.Now().Add(time.Hour), InReplyTo: uuid.UUID{7}, Replaces: uuid.UUID{8}, Terminal: "pts/3",
	}
	sent, err := h.Send(t.Context(), router.Request{Principal: bob, To: []string{"alice"}, Message: m})
	if err != nil || !sent.AllReached() {
		t.Fatalf("Send = %+v, %v", sent, err)
	}
	want := m
	want.From = messngr.From{Claimed: "bob", Proven: "bob", Trust: messngr.Vouched}
	want.To, want.Via, want.Audience = "ALICE", router.Local, "alice"
	got := h.inbox(t)
	if len(got) != 1 {
		t.Fatalf("%d messages arrived", len(got))
	}
	ignore := cmpopts.IgnoreFields(messngr.Message{}, "ID", "Time")
	if diff := cmp.Diff(&want, got[0].Message, ignore, addresses, cmpopts.EquateApproxTime(time.Microsecond)); diff != "" {
		t.Errorf("arrived (-want +got):\n%s", diff)
	}
	if got[0].Message.ID == sent.Message.ID || got[0].Attempt != sent.Recipients[0].Attempts[0].Number {
		t.Errorf("arrived as %v of attempt %d; want an id of its own and attempt %d", got[0].Message.ID, got[0].Attempt, sent.Recipients[0].Attempts[0].Number)
	}
}

func TestWallIsForTheMachine(t *testing.T) {
	h := newHost(t, options{})
	h.run(t)
	sent, err := h.Send(t.Context(), router.Request{Principal: bob, Wall: true, Message: messngr.Message{Text: "Down at six."}})
	if err != nil || !sent.AllReached() || sent.Message.To != "PC17" {
		t.Fatalf("Send = %+v, %v", sent, err)
	}
	if e := h.inbox(t)[0]; e.Message.Audience != "" || e.Message.To != "PC17" {
		t.Errorf("arrived %+v, want it for the machine", e.Message)
	}
}

func TestSendToSomebodyWhoIsNotHere(t *testing.T) {
	h := newHost(t, options{})
	h.sessions.list = []string{"Carol"}
	h.run(t)
	for to, want := range map[string]string{
		"bob@localhost":   "unknown_name",
		"CAROL@localhost": "", // logged on, but the name is not ours, as when another machine has it
		"PC18":            "unavailable",
	} {
		sent, err := h.Send(t.Context(), router.Request{Principal: bob, To: []string{to}})
		if err != nil {
			t.Fatal(err)
		}
		if a := sent.Recipients[0].Attempts; len(a) != 1 || a[0].Code != want {
			t.Errorf("%s: %+v, want the code %q", to, a, want)
		}
	}
	if got := h.inbox(t); len(got) != 1 || got[0].Message.Audience != "Carol" {
		t.Errorf("arrived %+v, want one for Carol", got)
	}
	h.sessions.err = errors.New("no logind")
	sent, err := h.Send(t.Context(), router.Request{Principal: bob, To: []string{"bob@localhost"}})
	if err != nil || sent.Recipients[0].State() != messngr.Failed {
		t.Errorf("Send = %+v, %v; want that bob was not found", sent, err)
	}
}

func TestALocalMessageThatCannotBeStored(t *testing.T) {
	h := newHost(t, options{})
	h.run(t)
	h.store.on("Take", fails)
	sent, err := h.Send(t.Context(), router.Request{Principal: bob, To: []string{"alice"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []store.Attempt{{Via: "local", Evidence: messngr.Evidence{State: messngr.Failed}, Code: "unavailable"}}
	ignore := cmpopts.IgnoreFields(store.Attempt{}, "Number", "Message", "Began", "Ended", "Failure")
	if diff := cmp.Diff(want, sent.Recipients[0].Attempts, ignore, addresses); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
	if failure := sent.Recipients[0].Attempts[0].Failure; strings.Count(failure, "unavailable") != 1 {
		t.Errorf("the failure %q says it twice", failure)
	}
}

// Who is not logged on finds the message in the inbox later.
func TestSendToSomebodyWhoCouldLogOn(t *testing.T) {
	h := newHost(t, options{})
	h.sessions.list, h.sessions.accounts = []string{"carol"}, []string{"carol", "dave.longer.than.a.name"}
	h.run(t)
	for to, detail := range map[string]string{
		"carol@localhost":                    "",
		"CAROL@pc17":                         "",
		"dave.longer.than.a.name@localhost":  "dave.longer.than.a.name is not logged on here",
		"dave.longer.than.a.name@127.0.0.1":  "dave.longer.than.a.name is not logged on here",
		"dave.longer.than.a.name@10.0.0.17":  "dave.longer.than.a.name is not logged on here", // our address on the network
		"dave.longer.than.a.name@self.local": "dave.longer.than.a.name is not logged on here",
	} {
		sent, err := h.Send(t.Context(), router.Request{Principal: bob, To: []string{to}})
		if err != nil || !sent.AllReached() {
			t.Errorf("%s: %+v, %v", to, sent.Recipients, err)
			continue
		}
		if a := sent.Recipients[0].Attempts[0]; a.Via != router.Local || a.Evidence.Detail != detail {
			t.Errorf("%s went by %s, detail %q; want local and %q", to, a.Via, a.Evidence.Detail, detail)
		}
	}
	if got := h.inbox(t); len(got) != 6 {
		t.Errorf("%d messages arrived, want 6", len(got))
	}
	h.sessions.err, h.sessions.list = errors.New("no logind"), nil
	sent, err := h.Send(t.Context(), router.Request{Principal: bob, To: []string{"carol@localhost"}})
	if err != nil || !sent.AllReached() || sent.Recipients[0].Attempts[0].Evidence.Detail != "" {
		t.Errorf("where nobody tells who is logged on: %+v, %v", sent.Recipients, err)
	}
}

func TestSendToLocalhost(t *testing.T) {
	h := newHost(t, options{})
	h.run(t)
	sent, err := h.Send(t.Context(), router.Request{Principal: bob, To: []string{"localhost"}})
	if err != nil || !sent.AllReached() || sent.Recipients[0].Attempts[0].Via != router.Local {
		t.Fatalf("Send = %+v, %v", sent.Recipients, err)
	}
	if e := h.inbox(t)[0]; e.Message.Audience != "" || e.Message.To != "PC17" {
		t.Errorf("arrived %+v, want it for the machine", e.Message)
	}
}

// While the books cannot be written nobody waits for what will not be known.
func TestBooksThatCannotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		h.run(t)
		h.store.on("Begin", fails)
		begin := time.Now()
		for _, to := range []string{"alice", "nowhere.example"} {
			sent, err := h.Send(t.Context(), router.Request{Principal: bob, To: []string{to}})
			if err != nil || sent.AllReached() {
				t.Fatalf("Send = %+v, %v", sent, err)
			}
			if r := &sent.Recipients[0]; r.State() != messngr.Failed || r.Attempts[0].Code != "unavailable" {
				t.Errorf("%s: %v, %+v; want it failed as unavailable", to, r.State(), r.Attempts)
			}
		}
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("it took %v", waited)
		}
	})
}
