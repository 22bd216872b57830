package router_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"messngr"
	"messngr/policy"
	"messngr/store"
)

func TestQuietMessagesBecomeADigest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{policy: quiet})
		d := &display{}
		h.show(t, d)
		for i := range 18 {
			h.accept(t, fmt.Sprint(i))
		}
		wantShown(t, d, "0")
		time.Sleep(4 * time.Second)
		wantShown(t, d, "0")
		time.Sleep(time.Second)
		text := "17 more messages from BOSS (10.0.0.7), not shown one by one. Read: messngr inbox"
		wantShown(t, d, "0", text)
		want := &messngr.Message{
			Time: time.Now(), Via: "local", To: "PC17", Text: text,
			From: messngr.From{Claimed: "messngr", Proven: "messngr", Trust: messngr.Vouched},
		}
		if diff := cmp.Diff(want, d.shown[1], cmpopts.IgnoreFields(messngr.Message{}, "ID"), addresses); diff != "" {
			t.Errorf("digest (-want +got):\n%s", diff)
		}
		if c := h.Counters(); c["shown"] != 1 || c["digests"] != 1 {
			t.Errorf("counted %v", c)
		}
		time.Sleep(time.Second)
		if list := unshown(h, t); len(list) != 0 {
			t.Errorf("not marked: %v", list)
		}
	})
}

func TestADigestNamesItsSenders(t *testing.T) {
	for want, addresses := range map[string][]string{
		"1 more message from BOSS (10.0.0.7), not shown one by one. Read: messngr inbox": {"10.0.0.7"},
		"3 more messages from several senders, not shown one by one. Read: messngr inbox": {
			"10.0.0.7", "10.0.0.8", "10.0.0.7",
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHost(t, options{policy: policy.Config{PopUpInAll: policy.Limit{Rate: 1e-9, Burst: 1}}})
			d := &display{}
			h.show(t, d)
			h.accept(t, "loud")
			for _, addr := range addresses {
				in := inbound("quiet")
				in.Message.From.Address = ip(addr)
				if _, err := h.Accept(t.Context(), in); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(10 * time.Second)
			wantShown(t, d, "loud", want)
		})
	}
}

// A flood is not answered by a flood of digests, and when it is over, the next
// one is told of as soon as the first.
func TestDigestsComeLessAndLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{policy: quiet})
		d := &display{}
		h.show(t, d)
		h.accept(t, "loud")
		for range 3600 {
			h.accept(t, "flood")
			time.Sleep(time.Second)
		}
		time.Sleep(10 * time.Minute)
		got := d.texts()[1:]
		if len(got) < 10 || len(got) > 20 {
			t.Errorf("%d digests of a flood of an hour", len(got))
		}
		sum := 0
		for _, text := range got {
			var n int
			if _, err := fmt.Sscanf(text, "%d more", &n); err != nil {
				t.Fatal(text)
			}
			sum += n
		}
		if sum != 3600 {
			t.Errorf("the digests count %d messages, want 3600", sum)
		}
		time.Sleep(time.Hour)
		before := len(d.texts())
		h.accept(t, "flood")
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if n := len(d.texts()); n != before+1 {
			t.Error("the next digest is late")
		}
	})
}

// To be counted is not to be displayed: the sender on this host is not told so.
func TestADigestIsNoEvidence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		h.run(t)
		var states []func() messngr.State
		for range 12 {
			_, state := toAlice(t, h)
			states = append(states, state)
		}
		d := &display{}
		h.show(t, d)
		time.Sleep(time.Second)
		wantShown(t, d, "12 more messages from bob, not shown one by one. Read: messngr inbox")
		for _, state := range states {
			if got := state(); got != messngr.Delivered {
				t.Fatalf("the sender knows %v, want delivered", got)
			}
		}
		if list := unshown(h, t); len(list) != 0 {
			t.Errorf("%d messages come again", len(list))
		}
	})
}

func TestUrgentMessagesAreNeverQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{policy: quiet})
		d := &display{}
		h.show(t, d)
		h.accept(t, "loud")
		for _, trust := range []messngr.Trust{messngr.Unverified, messngr.Paired} {
			in := inbound(trust.String())
			in.Message.Level, in.Message.From.Trust = messngr.LevelUrgent, trust
			if _, err := h.Accept(t.Context(), in); err != nil {
				t.Fatal(err)
			}
		}
		wantShown(t, d, "loud", "paired") // who proves nothing is not urgent
	})
}

// Old mail that comes along from another program was seen there.
func TestADigestDoesNotCountWhatWasSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		d := &display{}
		h.show(t, d)
		for i, mark := range []store.Mark{store.Shown, store.Read} {
			m := &messngr.Message{ID: messngr.ID{15: byte(i)}, Time: time.Now(), Text: "old"}
			m.ID[0] = 1
			if _, _, err := h.store.Store.Take(t.Context(), store.Incoming{Message: m, Quiet: true}); err != nil {
				t.Fatal(err)
			}
			if _, err := h.store.Store.Mark(t.Context(), mark, "", time.Now(), m.ID); err != nil {
				t.Fatal(err)
			}
		}
		h.accept(t, "new")
		time.Sleep(time.Hour)
		wantShown(t, d, "new")
	})
}
