package router_test

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"messngr"
	"messngr/policy"
	"messngr/router"
	"messngr/store"
)

func TestAcceptStoresTheMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{policy: policy.Defaults()})
		in := inbound("Please call me.")
		in.Message.From.Claimed = "ADMIN"
		in.Message.ID, in.Message.Time = uuid.UUID{1}, time.Unix(1, 0)
		in.To = []string{"ALICE"}
		results, err := h.Accept(t.Context(), in)
		if err != nil || len(results) != 1 || results[0] != (messngr.Result{To: "ALICE"}) {
			t.Errorf("Accept = %v, %v; want that ALICE got it", results, err)
		}
		want := []store.Entry{{Seq: 1, Message: &messngr.Message{
			Time: time.Now(), From: in.Message.From, To: "PC17", Via: "smb", Text: "Please call me.",
			Audience: "alice", Warning: "nothing proves that this is ADMIN; the name is easy to forge",
		}}}
		got := h.inbox(t)
		ignore := cmpopts.IgnoreFields(messngr.Message{}, "ID")
		if diff := cmp.Diff(want, got, ignore, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Errorf("stored (-want +got):\n%s", diff)
		}
		if id := got[0].Message.ID; id.Version() != 7 {
			t.Errorf("id %v is not one of the router's", id)
		}
		if in.Message.Audience != "" {
			t.Error("the caller's message was changed")
		}
	})
}

// Whatever can be found wrong is found in the same order, so that nobody learns
// of the policy who asks for a name that is not here.
func TestAcceptOrder(t *testing.T) {
	h := newHost(t, options{policy: policy.Config{
		Block: []string{"10.0.0.66"}, TakePerSource: policy.Limit{Rate: 1e-6, Burst: 1},
	}})
	in := inbound("text")
	in.Route = "nbt/eth0"
	in.To = []string{"NOBODY"}
	in.Message.From.Address = netip.MustParseAddr("10.0.0.66")
	h.store.on("Take", fails)
	h.Pause()
	want := func(step string, target error) {
		t.Helper()
		results, err := h.Accept(t.Context(), in)
		if !errors.Is(err, target) || len(results) != 1 || !errors.Is(results[0].Err, target) {
			t.Errorf("%s: Accept = %v, %v; want %v", step, results, err, target)
		}
	}
	want("paused", messngr.ErrPaused)
	h.Continue()
	if h.Paused() {
		t.Error("it is still paused")
	}
	want("unknown name", messngr.ErrUnknownName)
	in.To[0] = "PC17"
	want("blocked", messngr.ErrRefused)
	in.Message.From.Address = netip.MustParseAddr("10.0.0.7")
	want("store fails", messngr.ErrUnavailable)
	want("too many", messngr.ErrBusy)
	h.store.on("Take", nil)
	in.Message.From.Address = netip.MustParseAddr("10.0.0.8")
	want("good", nil)
}

func TestAcceptOfNobody(t *testing.T) {
	h := newHost(t, options{})
	in := inbound("text")
	in.To = nil
	if _, err := h.Accept(t.Context(), in); !errors.Is(err, messngr.ErrUnknownName) {
		t.Errorf("Accept = %v, want ErrUnknownName", err)
	}
}

func TestAcceptForSeveralRecipients(t *testing.T) {
	h := newHost(t, options{})
	in := inbound("text")
	in.To = []string{"NOBODY", "ALICE", "PC17"}
	in.Origin = "rpc/1"
	for range 2 { // the second hand-over is answered like the first
		results, err := h.Accept(t.Context(), in)
		if err != nil || len(results) != 3 || !errors.Is(results[0].Err, messngr.ErrUnknownName) ||
			results[1].Err != nil || results[2].Err != nil {
			t.Errorf("Accept = %v, %v; want an error for NOBODY alone", results, err)
		}
	}
	var audiences []string
	for _, e := range h.inbox(t) {
		audiences = append(audiences, e.Message.Audience)
	}
	if diff := cmp.Diff([]string{"alice", ""}, audiences); diff != "" {
		t.Errorf("stored for (-want +got):\n%s", diff)
	}
}

func TestAcceptOfARepeatedOrigin(t *testing.T) {
	h := newHost(t, options{})
	in := inbound("text")
	in.Origin = "smb/1/1"
	for range 3 {
		if _, err := h.Accept(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	// Also after a restart.
	h = newHost(t, options{store: h.store})
	if _, err := h.Accept(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	in.Origin = "smb/1/2"
	if _, err := h.Accept(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if n := len(h.inbox(t)); n != 2 {
		t.Errorf("%d messages, want one for each origin", n)
	}
}

func TestAcceptForGroups(t *testing.T) {
	h := newHost(t, options{})
	for to, want := range map[string]error{"WORKGROUP": nil, "*": nil, "OTHERS": messngr.ErrUnknownName, "PC17": messngr.ErrUnknownName} {
		in := inbound("text for " + to)
		in.To, in.Group = []string{to}, true
		if _, err := h.Accept(t.Context(), in); !errors.Is(err, want) {
			t.Errorf("Accept for the group %s = %v, want %v", to, err, want)
		}
	}
	for _, e := range h.inbox(t) {
		if e.Message.Audience != "" {
			t.Errorf("%q is for %q, want the machine", e.Message.Text, e.Message.Audience)
		}
	}
}

func TestAcceptCapsTheLevelOfWhoProvesNothing(t *testing.T) {
	h := newHost(t, options{})
	for trust, want := range map[messngr.Trust]messngr.Level{
		messngr.Unverified: messngr.LevelNotice, messngr.FirstContact: messngr.LevelEmergency, messngr.Paired: messngr.LevelEmergency,
	} {
		in := inbound(trust.String())
		in.Message.Level, in.Message.From.Trust = messngr.LevelEmergency, trust
		if _, err := h.Accept(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		for _, e := range h.inbox(t) {
			if e.Message.Text == trust.String() && e.Message.Level != want {
				t.Errorf("%s: level %s, want %s", trust, e.Message.Level, want)
			}
		}
	}
}

func TestAcceptRefusesATextThatIsTooLong(t *testing.T) {
	h := newHost(t, options{})
	if _, err := h.Accept(t.Context(), inbound(strings.Repeat("x", messngr.MaxText))); err != nil {
		t.Errorf("Accept of the longest text = %v", err)
	}
	if _, err := h.Accept(t.Context(), inbound(strings.Repeat("x", messngr.MaxText+1))); !errors.Is(err, messngr.ErrTooLong) {
		t.Errorf("Accept of a longer text = %v, want ErrTooLong", err)
	}
}

func TestAcceptEndsWithItsContext(t *testing.T) {
	h := newHost(t, options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Accept(ctx, inbound("text")); !errors.Is(err, messngr.ErrUnavailable) {
		t.Errorf("Accept = %v, want ErrUnavailable", err)
	}
}

// The way in is taken thousands of times a second.
func BenchmarkAccept(b *testing.B) {
	h := newHost(b, options{policy: policy.Config{}})
	in := inbound("Please call me.")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Accept(b.Context(), in); err != nil {
			b.Fatal(err)
		}
	}
}

// Of a store that fails, the log tells once, and once when it works again.
func TestAcceptTellsOfAStoreThatFails(t *testing.T) {
	h := newHost(t, options{})
	var log strings.Builder
	h.cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	h.Router = router.New(h.cfg)
	h.accept(t, "before")
	h.store.on("Take", fails)
	for range 3 {
		if _, err := h.Accept(t.Context(), inbound("lost")); !errors.Is(err, messngr.ErrUnavailable) {
			t.Errorf("Accept = %v, want ErrUnavailable", err)
		}
	}
	h.store.on("Take", nil)
	h.accept(t, "after")
	h.accept(t, "later")
	var told []string
	for line := range strings.Lines(log.String()) {
		_, rest, _ := strings.Cut(line, "level=")
		told = append(told, strings.TrimSpace(rest))
	}
	want := []string{`ERROR msg="messages cannot be kept" err="disk full: unavailable"`, `INFO msg="messages are kept again"`}
	if !slices.Equal(told, want) {
		t.Errorf("log\n%q, want\n%q", told, want)
	}
}
