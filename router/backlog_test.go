package router_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr"
)

func TestABacklogOfTenIsShownOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		var want []string
		for i := range 10 {
			want = append(want, fmt.Sprint(i))
			h.accept(t, fmt.Sprint(i))
		}
		d := &display{}
		h.show(t, d)
		wantShown(t, d, want...)
	})
}

func TestALargerBacklogBecomesOneDigest(t *testing.T) {
	for _, n := range []int{11, 100, 101, 1234} {
		synctest.Test(t, func(t *testing.T) {
			h := newHost(t, options{})
			for i := range n {
				h.accept(t, fmt.Sprint(i))
			}
			d := &display{}
			stop := h.show(t, d)
			wantShown(t, d, fmt.Sprintf("%d more messages from BOSS (10.0.0.7), not shown one by one. Read: messngr inbox", n))
			h.accept(t, "new")
			time.Sleep(time.Hour)
			h.PeopleChanged()
			synctest.Wait()
			if got := d.texts(); len(got) != 2 || got[1] != "new" {
				t.Errorf("shown after the digest: %q", got[1:])
			}
			stop()
			for _, e := range h.inbox(t) {
				if e.Shown.IsZero() {
					t.Fatalf("%q is not marked as shown", e.Message.Text)
				}
			}
		})
	}
}

// Urgent messages are shown in any case, and people do not pay for each other's
// backlog.
func TestABacklogIsCountedForEachAudience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		put := func(to, text string, level messngr.Level) {
			in := inbound(text)
			in.To, in.Message.Level, in.Message.From.Trust = []string{to}, level, messngr.Paired
			if _, err := h.Accept(t.Context(), in); err != nil {
				t.Fatal(err)
			}
		}
		put("ALICE", "one for Alice", messngr.LevelInfo)
		for i := range 15 {
			put("PC17", fmt.Sprint(i), messngr.LevelInfo)
		}
		put("PC17", "leave the building", messngr.LevelEmergency)
		put("ALICE", "two for Alice", messngr.LevelInfo)
		d := &display{}
		h.show(t, d)
		wantShown(t, d, "one for Alice", "leave the building", "two for Alice",
			"15 more messages from BOSS (10.0.0.7), not shown one by one. Read: messngr inbox")
	})
}

// While nobody is there the backlog grows; then it is one digest, not one for
// each time that it was tried.
func TestABacklogThatNobodySees(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{policy: quiet})
		d := &display{do: nobody}
		h.show(t, d)
		for i := range 40 {
			h.accept(t, fmt.Sprint(i)) // the first one loud, the others quiet
			time.Sleep(11 * time.Minute)
		}
		h.wantMarked(t)
		wantShown(t, d)
		d.set(nil)
		h.PeopleChanged()
		wantShown(t, d, "0", "39 more messages from BOSS (10.0.0.7), not shown one by one. Read: messngr inbox")
		time.Sleep(time.Hour)
		h.PeopleChanged()
		synctest.Wait()
		if n := len(d.texts()); n != 2 {
			t.Errorf("%d shown, want the digest once", n)
		}
	})
}

// The display shows the message but the disk is full when that shall be written
// down: then it must not come again with the next person who logs on.
func TestABacklogWhileMarksCannotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		d := &display{}
		h.show(t, d)
		h.store.on("Mark", fails)
		h.accept(t, "one")
		wantShown(t, d, "one")
		d.set(nobody)
		h.accept(t, "two")
		synctest.Wait()
		d.set(nil)
		h.PeopleChanged()
		wantShown(t, d, "one")
		h.store.on("Mark", nil)
		time.Sleep(2 * time.Minute)
		wantShown(t, d, "one", "two")
		h.wantMarked(t, "one", "two")
	})
}

// Whatever happens in whatever order, each message is shown or counted once.
func TestEveryMessageIsShownOrCountedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{policy: quiet})
		d := &display{}
		h.show(t, d)
		total := 0
		for i := range 200 {
			switch i % 7 {
			case 0:
				d.set(nobody)
			case 3:
				d.set(func(context.Context, *messngr.Message) error { time.Sleep(3 * time.Second); return nil })
			case 5:
				h.PeopleChanged()
			}
			in := inbound(fmt.Sprint("message ", i))
			in.Message.From.Address = in.Message.From.Address.Next()
			if i%2 == 0 {
				in.Message.From.Address = ip(fmt.Sprint("10.0.1.", i))
			}
			if _, err := h.Accept(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			total++
			time.Sleep(time.Duration(i%11) * time.Second)
		}
		d.set(nil)
		h.PeopleChanged()
		time.Sleep(time.Hour)
		shown := 0
		var single []string
		for _, text := range d.texts() {
			var n int
			if _, err := fmt.Sscanf(text, "%d more", &n); err == nil {
				shown += n
			} else {
				single = append(single, text)
				shown++
			}
		}
		slices.Sort(single)
		if len(slices.Compact(single)) != len(single) {
			t.Errorf("shown twice: %s", strings.Join(single, ", "))
		}
		if shown != total {
			t.Errorf("%d messages were shown or counted, want %d", shown, total)
		}
		if diff := cmp.Diff(0, len(unshown(h, t))); diff != "" {
			t.Errorf("not marked: %v", unshown(h, t))
		}
	})
}

func unshown(h *host, t *testing.T) []string {
	var list []string
	for _, e := range h.inbox(t) {
		if e.Shown.IsZero() {
			list = append(list, e.Message.Text)
		}
	}
	return list
}
