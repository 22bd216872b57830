package router_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestMarksShareTheirFlushes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		var flushes atomic.Int32
		h.store.on("Mark", func() error { flushes.Add(1); return nil })
		d := &display{}
		h.show(t, d)
		for i := range 1200 {
			h.accept(t, fmt.Sprint(i))
		}
		synctest.Wait()
		if n := flushes.Load(); n != 2 {
			t.Errorf("%d flushes for 1200 messages at once, want one for each 500", n)
		}
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		if n := flushes.Load(); n != 3 || len(unshown(h, t)) != 0 {
			t.Errorf("%d flushes and %d messages not marked, want 3 and none", n, len(unshown(h, t)))
		}
		time.Sleep(time.Hour)
		if n := flushes.Load(); n != 3 {
			t.Errorf("%d flushes though nothing happened", n)
		}
	})
}

func TestMarksThatCannotBeWrittenAreTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		h.store.on("Mark", fails)
		d := &display{}
		stop := h.show(t, d)
		h.accept(t, "one")
		h.accept(t, "two")
		time.Sleep(time.Minute)
		h.store.on("Mark", nil)
		time.Sleep(6 * time.Second)
		h.wantMarked(t, "one", "two")
		wantShown(t, d, "one", "two")

		// At the end nothing goes on in the background.
		h.store.on("Mark", fails)
		h.accept(t, "three")
		wantShown(t, d, "one", "two", "three")
		stop()
		h.store.on("Mark", nil)
		time.Sleep(time.Minute)
		h.wantMarked(t, "one", "two")
	})
}
