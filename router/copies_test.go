package router_test

import (
	"context"
	"errors"
	"fmt"
	"messngr/policy"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"messngr"
)

// arrive hands over a broadcast message that came by a route.
func (h *host) arrive(t *testing.T, text, route string) error {
	t.Helper()
	in := inbound(text)
	in.To, in.Group, in.Route = []string{"WORKGROUP"}, true, route
	_, err := h.Accept(t.Context(), in)
	return err
}

func TestCopies(t *testing.T) {
	type step struct {
		wait        time.Duration
		route, text string
		copy        bool
	}
	for name, steps := range map[string][]step{
		"two routes":                 {{0, "a", "x", false}, {0, "b", "x", true}},
		"three routes":               {{0, "a", "x", false}, {0, "b", "x", true}, {0, "c", "x", true}},
		"twice by one route":         {{0, "a", "x", false}, {0, "a", "x", false}},
		"twice by two routes":        {{0, "a", "x", false}, {0, "a", "x", false}, {0, "b", "x", true}, {0, "b", "x", true}},
		"twice, alternating":         {{0, "a", "x", false}, {0, "b", "x", true}, {0, "a", "x", false}, {0, "b", "x", true}},
		"more by the second route":   {{0, "a", "x", false}, {0, "b", "x", true}, {0, "b", "x", false}, {0, "a", "x", true}},
		"another text":               {{0, "a", "x", false}, {0, "b", "y", false}},
		"at the end of the window":   {{0, "a", "x", false}, {10 * time.Second, "b", "x", true}},
		"after the window":           {{0, "a", "x", false}, {10*time.Second + 1, "b", "x", false}},
		"repeated every six seconds": {{0, "a", "x", false}, {1, "b", "x", true}, {6 * time.Second, "a", "x", false}, {1, "b", "x", true}, {6 * time.Second, "a", "x", false}, {1, "b", "x", true}},
		"no routes at all":           {{0, "", "x", false}, {0, "", "x", false}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost(t, options{})
				stored, copied := 0, int64(0)
				for i, s := range steps {
					time.Sleep(s.wait)
					if err := h.arrive(t, s.text, s.route); err != nil {
						t.Fatal(err)
					}
					if s.copy {
						copied++
					} else {
						stored++
					}
					if n, c := len(h.inbox(t)), h.Counters()["copies"]; n != stored || c != copied {
						t.Errorf("step %d: %d stored and %d copies, want %d and %d", i+1, n, c, stored, copied)
					}
				}
			})
		})
	}
}

// What came by two networks is one message to those who limit how many may pop up.
func TestCopiesDoNotCountAgainstTheLimits(t *testing.T) {
	h := newHost(t, options{policy: policy.Config{
		TakePerSource: policy.Limit{Rate: 0.001, Burst: 3}, PopUpPerSource: policy.Limit{Rate: 0.001, Burst: 2},
	}})
	for _, text := range []string{"first", "second", "third"} {
		for _, route := range []string{"a", "b"} {
			if err := h.arrive(t, text, route); err != nil {
				t.Errorf("%s by %s: %v", text, route, err)
			}
		}
	}
	var quiet []bool
	for _, e := range h.inbox(t) {
		quiet = append(quiet, e.Quiet)
	}
	if want := []bool{false, false, true}; !slices.Equal(quiet, want) {
		t.Errorf("quiet are %v, want %v", quiet, want)
	}
	if err := h.arrive(t, "fourth", "a"); !errors.Is(err, messngr.ErrBusy) {
		t.Errorf("one too many: %v, want ErrBusy", err)
	}
}

// One message by two routes to two names is two messages, one for each.
func TestCopiesAreCountedForEachRecipient(t *testing.T) {
	h := newHost(t, options{})
	for _, tt := range []struct {
		route string
		to    []string
		want  int
	}{
		{"a", []string{"PC17", "ALICE"}, 2},
		{"b", []string{"ALICE"}, 2},
		{"b", []string{"BACKUP"}, 3},
		{"c", []string{"PC17", "ALICE", "BACKUP"}, 3},
	} {
		in := inbound("text")
		in.To, in.Route = tt.to, tt.route
		if _, err := h.Accept(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		if n := len(h.inbox(t)); n != tt.want {
			t.Errorf("%d messages after %s by %s, want %d", n, tt.to, tt.route, tt.want)
		}
	}
}

func TestCopiesAreOfOneSender(t *testing.T) {
	h := newHost(t, options{})
	in := inbound("text")
	in.Route = "a"
	_, _ = h.Accept(t.Context(), in)
	in.Route, in.Message.From.Claimed = "b", "ALICE"
	_, _ = h.Accept(t.Context(), in)
	if n := len(h.inbox(t)); n != 2 {
		t.Errorf("%d messages of two senders, want 2", n)
	}
}

// What was not stored was not taken: the copy takes its place, whether it comes
// later or at the same time.
func TestACopyOfWhatWasNotStoredIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		h.store.on("Take", fails)
		if err := h.arrive(t, "text", "a"); !errors.Is(err, messngr.ErrUnavailable) {
			t.Errorf("Accept = %v, want ErrUnavailable", err)
		}
		h.store.on("Take", nil)
		if err := h.arrive(t, "text", "b"); err != nil {
			t.Fatal(err)
		}
		if err := h.arrive(t, "text", "a"); err != nil {
			t.Fatal(err)
		}
		if got := h.texts(t); len(got) != 1 {
			t.Errorf("stored %q, want one", got)
		}

		h.store.on("Take", func() error {
			time.Sleep(time.Second)
			h.store.on("Take", nil)
			return errDisk
		})
		failed := make(chan error)
		go func() { failed <- h.arrive(t, "at once", "a") }()
		synctest.Wait()
		if err := h.arrive(t, "at once", "b"); err != nil {
			t.Errorf("the copy of what could not be stored: %v", err)
		}
		if err := <-failed; !errors.Is(err, messngr.ErrUnavailable) {
			t.Errorf("the first = %v, want ErrUnavailable", err)
		}
		if got := h.texts(t); !slices.Equal(got, []string{"text", "at once"}) {
			t.Errorf("stored %q", got)
		}
	})
}

// A copy is answered when the message is on stable storage, not before.
func TestACopyWaitsForTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		h.store.on("Take", func() error { time.Sleep(3 * time.Second); return nil })
		var all sync.WaitGroup
		begin := time.Now()
		for i := range 3 {
			all.Go(func() {
				time.Sleep(time.Duration(i) * time.Second)
				if err := h.arrive(t, "text", fmt.Sprint("route ", i)); err != nil {
					t.Error(err)
				}
				if d := time.Since(begin); d != 3*time.Second {
					t.Errorf("arrival %d was answered after %v", i, d)
				}
			})
		}
		time.Sleep(time.Second + 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		in := inbound("text")
		in.To, in.Group, in.Route = []string{"WORKGROUP"}, true, "impatient"
		if _, err := h.Accept(ctx, in); !errors.Is(err, messngr.ErrUnavailable) {
			t.Errorf("Accept of a copy whose context ends = %v, want ErrUnavailable", err)
		}
		all.Wait()
		if n := len(h.inbox(t)); n != 1 {
			t.Errorf("%d messages, want 1", n)
		}
	})
}

func TestCopiesNeedBoundedMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, options{})
		h.store.on("Take", func() error { return errNotKept })
		flood := func(n int, text string) {
			for i := range n {
				if err := h.arrive(t, fmt.Sprint(i, text), "a"); err != nil {
					t.Fatal(err)
				}
			}
		}
		before := heap()
		flood(1000, strings.Repeat("x", 32<<10))
		if grown := int64(heap()) - int64(before); grown > 2<<20 {
			t.Errorf("memory grew by %d bytes by long texts", grown)
		}
		flood(20000, "short")
		if grown := int64(heap()) - int64(before); grown > 4<<20 {
			t.Errorf("memory grew by %d bytes by many texts", grown)
		}
		time.Sleep(time.Minute)
		flood(20000, "short")
		if grown := int64(heap()) - int64(before); grown > 4<<20 {
			t.Errorf("memory grew by %d bytes a minute later", grown)
		}
		runtime.KeepAlive(h)
		// What is recent is still recognised.
		flood(1, "last")
		if err := h.arrive(t, "0last", "b"); err != nil {
			t.Fatal(err)
		}
		if n := h.Counters()["copies"]; n != 1 {
			t.Errorf("%d copies are recognised, want 1", n)
		}
	})
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
