package router_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"messngr"
	"messngr/router"
)

func TestRetract(t *testing.T) {
	h := newHost(t, options{routes: allRoutes()})
	h.run(t)
	h.accept(t, "from elsewhere")
	sent, err := h.Send(t.Context(), router.Request{Principal: bob, To: []string{"alice", "PC18"}, Message: messngr.Message{Text: "wrong"}})
	if err != nil {
		t.Fatal(err)
	}
	id := sent.Message.ID
	if _, _, err := h.Retract(t.Context(), alice, id); !errors.Is(err, messngr.ErrNotFound) {
		t.Errorf("somebody else takes it back: %v, want ErrNotFound", err)
	}
	for range 2 { // the second time it is no error
		ended, beyond, err := h.Retract(t.Context(), bob, id)
		if err != nil || len(ended) != 1 || ended[0].Message.Text != "wrong" || !slices.Equal(beyond, []string{"PC18"}) {
			t.Errorf("Retract = %v, %q, %v; want one message, and PC18 out of reach", ended, beyond, err)
		}
	}
	for _, e := range h.inbox(t) {
		if got, want := e.Message.Expired(time.Now()), e.Message.Text == "wrong"; got != want {
			t.Errorf("%q is over: %v, want %v", e.Message.Text, got, want)
		}
	}
	out, err := h.store.SentMessage(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if ev := out.Recipients[0].Attempts[0].Evidence; ev.State != messngr.Delivered || ev.Detail != "taken back" {
		t.Errorf("the sender knows %+v, want delivered and taken back", ev)
	}
	if _, _, err := h.Retract(t.Context(), bob, messngr.ID{1}); !errors.Is(err, messngr.ErrNotFound) {
		t.Errorf("no such message: %v, want ErrNotFound", err)
	}
}
