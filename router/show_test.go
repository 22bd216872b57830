package router_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr"
	"messngr/policy"
	"messngr/store"
	"messngr/store/memstore"
)

// display remembers what it was to show; do decides how that ends.
type display struct {
	do    func(ctx context.Context, m *messngr.Message) error
	mu    sync.Mutex
	shown []*messngr.Message
	calls int
}

func (d *display) Show(ctx context.Context, m *messngr.Message) error {
	d.mu.Lock()
	do := d.do
	d.calls++
	d.mu.Unlock()
	if do != nil {
		if err := do(ctx, m); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shown = append(d.shown, m)
	return nil
}

func (d *display) set(do func(ctx context.Context, m *messngr.Message) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.do = do
}

// texts returns what was shown.
func (d *display) texts() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []string
	for _, m := range d.shown {
		list = append(list, m.Text)
	}
	return list
}

func (d *display) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls
}

// wantShown checks what a display has shown so far.
func wantShown(t *testing.T, d *display, want ...string) {
	t.Helper()
	synctest.Wait()
	if diff := cmp.Diff(want, d.texts()); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
}

// wantMarked checks which texts are marked as shown.
func (h *host) wantMarked(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for _, e := range h.inbox(t) {
		if !e.Shown.IsZero() {
			got = append(got, e.Message.Text)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("marked as shown (-want +got):\n%s", diff)
	}
}

func nobody(context.Context, *messngr.Message) error { return messngr.ErrNobody }

// quiet is a policy under which the first message of a source pops up, and no
// other one.
var quiet = policy.Config{PopUpPerSource: policy.Limit{Rate: 1e-9, Burst: 1}}

func TestShowShowsMessagesAsTheyCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		d := &display{}
		h.show(t, d)
		h.accept(t, "one")
		wantShown(t, d, "one")
		h.accept(t, "two")
		h.accept(t, "three")
		wantShown(t, d, "one", "two", "three")
		h.wantMarked(t) // in a moment
		time.Sleep(time.Second)
		h.wantMarked(t, "one", "two", "three")
		if d.shown[0].ID != ids(h, t)[0] {
			t.Error("shown with another id")
		}
		if c := h.Counters(); c["shown"] != 3 {
			t.Errorf("counted %d", c["shown"])
		}
	})
}

// A display that hangs for an hour delays no answer, no other display and no
// mark, and loses nothing.
func TestShowWithADisplayThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		bad, good := &display{}, &display{}
		h.show(t, bad)
		h.show(t, good)
		h.accept(t, "one")
		synctest.Wait()
		bad.set(func(ctx context.Context, _ *messngr.Message) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Hour):
				return nil
			}
		})
		for i := range 300 {
			begin := time.Now()
			h.accept(t, fmt.Sprint(i))
			if d := time.Since(begin); d != 0 {
				t.Fatalf("message %d was answered after %v", i, d)
			}
		}
		synctest.Wait()
		if n := len(good.texts()); n != 301 {
			t.Errorf("the other display shows %d messages, want 301", n)
		}
		time.Sleep(time.Second)
		for _, e := range h.inbox(t) {
			if e.Shown.IsZero() {
				t.Fatalf("%q, which the other display shows, is not marked", e.Message.Text)
			}
		}
	})
}

func TestShowTriesAgainWhatHung(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		d := &display{do: func(ctx context.Context, m *messngr.Message) error {
			if m.Text == "slow" {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}}
		h.show(t, d)
		h.accept(t, "first")
		h.accept(t, "slow")
		h.accept(t, "last")
		wantShown(t, d, "first")
		time.Sleep(time.Second)
		h.wantMarked(t, "first") // though the display hangs with the next one
		time.Sleep(time.Minute)
		wantShown(t, d, "first", "last")
		d.set(nil)
		time.Sleep(2 * time.Minute)
		wantShown(t, d, "first", "last", "slow")
	})
}

func TestMessagesWaitForSomebodyToSeeThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		d := &display{do: nobody}
		h.show(t, d)
		h.accept(t, "one")
		h.accept(t, "two")
		time.Sleep(10 * time.Hour)
		h.accept(t, "three")
		wantShown(t, d)
		h.wantMarked(t)
		d.set(nil)
		h.PeopleChanged()
		wantShown(t, d, "one", "two", "three")
		time.Sleep(24 * time.Hour)
		h.PeopleChanged()
		wantShown(t, d, "one", "two", "three")
		h.wantMarked(t, "one", "two", "three")
	})
}

// A terminal may be ready for messages again without anybody logging on.
func TestMessagesThatWaitAreTriedNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		d := &display{do: nobody}
		h.show(t, d)
		h.accept(t, "one")
		time.Sleep(30 * time.Minute)
		d.set(nil)
		time.Sleep(time.Hour)
		wantShown(t, d, "one")

		// But not so often that it costs anything.
		d.set(nobody)
		h.accept(t, "two")
		synctest.Wait()
		before := d.count()
		time.Sleep(24 * time.Hour)
		if n := d.count() - before; n < 24 || n > 40 {
			t.Errorf("tried %d times in a day", n)
		}
	})
}

// Everybody's messages wait for themselves.
func TestMessagesWaitForTheirAudience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		d := &display{do: func(_ context.Context, m *messngr.Message) error {
			if m.Audience == "alice" {
				return messngr.ErrNobody
			}
			return nil
		}}
		h.show(t, d)
		for i, to := range []string{"ALICE", "PC17", "ALICE", "PC17"} {
			in := inbound(fmt.Sprint(to, " ", i))
			in.To = []string{to}
			if _, err := h.Accept(t.Context(), in); err != nil {
				t.Fatal(err)
			}
		}
		h.PeopleChanged()
		wantShown(t, d, "PC17 1", "PC17 3")
		d.set(nil)
		h.PeopleChanged()
		wantShown(t, d, "PC17 1", "PC17 3", "ALICE 0", "ALICE 2")
	})
}

// What one display has shown, another one that had nobody to show it to does not
// bring up hours later.
func TestMessagesDoNotWaitForEveryDisplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		good, empty := &display{}, &display{do: nobody}
		h.show(t, good)
		h.show(t, empty)
		h.accept(t, "one")
		time.Sleep(time.Second)
		empty.set(nil)
		h.PeopleChanged()
		wantShown(t, empty)
		h.accept(t, "two")
		wantShown(t, empty, "two")
	})
}

func TestMessagesThatSomebodyHasReadDoNotPopUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		d := &display{do: nobody}
		h.show(t, d)
		h.accept(t, "read")
		h.accept(t, "unread")
		synctest.Wait()
		if _, err := h.Mark(t.Context(), admin, store.Read, ids(h, t)[0]); err != nil {
			t.Fatal(err)
		}
		d.set(nil)
		h.PeopleChanged()
		wantShown(t, d, "unread")
	})
}

func TestMessagesThatExpireAreNotShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		d := &display{do: nobody}
		h.show(t, d)
		in := inbound("lunch")
		in.Message.Expires = time.Now().Add(time.Hour)
		if _, err := h.Accept(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		h.accept(t, "for ever")
		time.Sleep(2 * time.Hour)
		d.set(nil)
		h.PeopleChanged()
		wantShown(t, d, "for ever")
		if _, err := h.Accept(t.Context(), in); err != nil { // late already
			t.Fatal(err)
		}
		wantShown(t, d, "for ever")
	})
}

// A display that fails is not one that has shown something.
func TestShowWithADisplayThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		d := &display{do: func(_ context.Context, m *messngr.Message) error {
			if m.Text == "poison" {
				return errors.New("no such font")
			}
			return nil
		}}
		h.show(t, d)
		for _, text := range []string{"one", "poison", "two"} {
			h.accept(t, text)
		}
		wantShown(t, d, "one", "two")
		time.Sleep(24 * time.Hour)
		wantShown(t, d, "one", "two")
		h.wantMarked(t, "one", "two")
		d.set(nil)
		time.Sleep(time.Hour)
		wantShown(t, d, "one", "two", "poison")
	})
}

// After a crash what was not shown is shown, with the same id, and what was
// shown is not.
func TestShowAfterACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{Store: memstore.New()}
		h := newHost(t, options{store: s})
		d := &display{}
		stop := h.show(t, d)
		h.accept(t, "seen")
		time.Sleep(time.Second)
		stop()
		h.accept(t, "one")
		h.accept(t, "two")

		h = newHost(t, options{store: s})
		d = &display{}
		h.show(t, d)
		wantShown(t, d, "one", "two")
		if all := ids(h, t); d.shown[0].ID != all[1] || d.shown[1].ID != all[2] {
			t.Errorf("shown with other ids than %v", all[1:])
		}
	})
}

// The end of a display is no crash: nothing is shown again.
func TestShowMarksWhatItHasShownBeforeItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		d := &display{}
		stop := h.show(t, d)
		h.accept(t, "one")
		synctest.Wait()
		stop()
		h.wantMarked(t, "one")
	})
}

// Nothing is skipped or shown twice, whenever it comes: before the display, as
// it starts, while it shows the backlog, or later.
func TestShowMissesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		var mu sync.Mutex
		var want []string
		add := func(text string) {
			mu.Lock()
			want = append(want, text)
			mu.Unlock()
			h.accept(t, text)
		}
		for i := range 5 {
			add(fmt.Sprint("before ", i))
		}
		first := sync.OnceFunc(func() { add("while the first one is shown") })
		d := &display{do: func(context.Context, *messngr.Message) error {
			time.Sleep(10 * time.Millisecond)
			first()
			return nil
		}}
		var all sync.WaitGroup
		all.Go(func() {
			time.Sleep(5 * time.Millisecond)
			add("as it starts")
		})
		background(t, func(ctx context.Context) error { return h.Show(ctx, "test", d) })
		all.Wait()
		for i := range 300 {
			add(fmt.Sprint("later ", i))
			if i%10 == 0 {
				h.PeopleChanged()
				time.Sleep(7 * time.Millisecond)
			}
		}
		time.Sleep(time.Minute)
		got := d.texts()
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("shown (-want +got):\n%s", diff)
		}
	})
}

func TestShowWhenTheStoreFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		h.store.on("Inbox", fails)
		if err := h.Show(t.Context(), "test", &display{}); !errors.Is(err, errDisk) {
			t.Errorf("Show = %v, want the store's error", err)
		}
		h.store.on("Inbox", nil)
		d := &display{do: nobody}
		h.show(t, d)
		h.accept(t, "one")
		synctest.Wait()
		h.store.on("Inbox", fails)
		d.set(nil)
		h.accept(t, "two")
		h.PeopleChanged()
		wantShown(t, d)
		h.store.on("Inbox", nil)
		time.Sleep(2 * time.Minute) // nothing else happens that would wake it
		got := d.texts()
		slices.Sort(got)
		if diff := cmp.Diff([]string{"one", "two"}, got); diff != "" {
			t.Errorf("shown (-want +got):\n%s", diff)
		}
	})
}

// A failure to read is not the end: nothing else has to happen to try again.
func TestShowReadsAgainWhatCouldNotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		d := &display{}
		h.show(t, d)
		h.store.on("Inbox", fails)
		h.accept(t, "one")
		wantShown(t, d)
		h.store.on("Inbox", nil)
		time.Sleep(10 * time.Second)
		wantShown(t, d, "one")
	})
}
