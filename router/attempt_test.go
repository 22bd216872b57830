package router_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"messngr"
	"messngr/router"
	"messngr/store"
)

// trail tells the attempts of the only recipient in short: route, state, code.
func trail(out store.Outgoing) []string {
	var list []string
	for _, a := range out.Recipients[0].Attempts {
		list = append(list, strings.TrimSpace(fmt.Sprint(a.Via, " ", a.Evidence.State, " ", a.Code)))
	}
	return list
}

func TestRoutesAreTriedInTheirOrder(t *testing.T) {
	uncertain := fmt.Errorf("%w: %w", messngr.ErrUncertain, messngr.ErrUnavailable)
	tests := []struct {
		name          string
		first, second error
		want          []string
	}{
		{"the first takes it", nil, nil, []string{"a accepted"}},
		{"unavailable", messngr.ErrUnavailable, nil, []string{"a queued unavailable", "b accepted"}},
		{"unknown name", messngr.ErrUnknownName, nil, []string{"a queued unknown_name", "b accepted"}},
		{"too long", messngr.ErrTooLong, nil, []string{"a queued too_long", "b accepted"}},
		{"both unavailable", messngr.ErrUnavailable, messngr.ErrUnavailable, []string{"a queued unavailable", "b failed unavailable"}},
		{"not on any", messngr.ErrUnknownName, messngr.ErrUnknownName, []string{"a queued unknown_name", "b failed unknown_name"}},
		{"refused", messngr.ErrRefused, nil, []string{"a refused refused"}},
		{"busy", messngr.ErrBusy, nil, []string{"a refused busy"}},
		{"paused", messngr.ErrPaused, nil, []string{"a refused paused"}},
		{"answer lost", messngr.ErrUncertain, nil, []string{"a unknown uncertain"}},
		{"answer lost for want of a route", uncertain, nil, []string{"a unknown uncertain"}},
		{"answer lost at last", messngr.ErrUnavailable, uncertain, []string{"a queued unavailable", "b unknown uncertain"}},
		{"cut off", context.DeadlineExceeded, nil, []string{"a unknown uncertain"}},
		{"anything else", errors.New("printer on fire"), nil, []string{"a failed internal"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHost(t, options{routes: []router.Route{
				{Via: "a", Sender: declines(tt.first), Best: messngr.Accepted},
				{Via: "b", Sender: declines(tt.second), Best: messngr.Accepted},
			}})
			h.run(t)
			sent, err := h.Send(t.Context(), router.Request{Principal: alice, To: []string{"PC18"}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, trail(sent.Outgoing)); diff != "" {
				t.Errorf("attempts (-want +got):\n%s", diff)
			}
			if want := strings.HasSuffix(tt.want[len(tt.want)-1], "accepted"); sent.AllReached() != want {
				t.Errorf("reached = %v", sent.AllReached())
			}
		})
	}
}

func TestAMessageThatMayWaitIsTriedAgain(t *testing.T) {
	down, gone, busy, long := messngr.ErrUnavailable, messngr.ErrUnknownName, messngr.ErrBusy, messngr.ErrTooLong
	tests := []struct {
		name     string
		routes   [][]error
		expires  time.Duration
		want     []string
		attempts []time.Duration // when they were made
	}{
		{
			"until it works", [][]error{{down, down, gone, messngr.ErrPaused, busy, nil}}, 24 * time.Hour,
			[]string{"a queued unavailable", "a queued unavailable", "a queued unknown_name", "a queued paused", "a queued busy", "a accepted"},
			seconds(0, 5, 15, 35, 75, 155),
		},
		{
			"less and less often", [][]error{{down}}, 15 * time.Minute,
			[]string{
				"a queued unavailable", "a queued unavailable", "a queued unavailable", "a queued unavailable", "a queued unavailable",
				"a queued unavailable", "a queued unavailable", "a queued unavailable", "expired expired",
			},
			seconds(0, 5, 15, 35, 75, 155, 315, 615),
		},
		{
			"until it expires", [][]error{{down}}, 12 * time.Second,
			[]string{"a queued unavailable", "a queued unavailable", "expired expired"}, seconds(0, 5),
		},
		{
			"on all routes", [][]error{{down, down}, {gone, nil}}, time.Hour,
			[]string{"a queued unavailable", "b queued unknown_name", "a queued unavailable", "b accepted"}, seconds(0, 5),
		},
		{
			"on the one that can carry it", [][]error{{down, nil}, {long}}, time.Hour,
			[]string{"a queued unavailable", "b queued too_long", "a accepted"}, seconds(0, 5),
		},
		{"not if it never fits", [][]error{{long}, {long}}, time.Hour, []string{"a queued too_long", "b failed too_long"}, seconds(0)},
		{"not if it is refused", [][]error{{down, messngr.ErrRefused}}, time.Hour, []string{"a queued unavailable", "a refused refused"}, seconds(0, 5)},
		{"not if the answer is lost", [][]error{{down, messngr.ErrUncertain}}, time.Hour, []string{"a queued unavailable", "a unknown uncertain"}, seconds(0, 5)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var routes []router.Route
				first := declines(tt.routes[0]...)
				routes = append(routes, router.Route{Via: "a", Sender: first, Best: messngr.Accepted})
				if len(tt.routes) > 1 {
					routes = append(routes, router.Route{Via: "b", Sender: declines(tt.routes[1]...), Best: messngr.Accepted})
				}
				h := newHost(t, options{routes: routes})
				h.run(t)
				begin := time.Now()
				sent, err := h.Send(t.Context(), router.Request{
					Principal: alice, To: []string{"PC18"}, Wait: true, Want: state(messngr.Queued),
					Message: messngr.Message{Expires: begin.Add(tt.expires)},
				})
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(24 * time.Hour)
				out, err := h.store.SentMessage(t.Context(), sent.Message.ID)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, trail(out)); diff != "" {
					t.Errorf("attempts (-want +got):\n%s", diff)
				}
				var at []time.Duration
				for _, c := range first.calls() {
					at = append(at, c.At.Sub(begin))
				}
				if diff := cmp.Diff(tt.attempts, at); diff != "" {
					t.Errorf("times (-want +got):\n%s", diff)
				}
				last := out.Recipients[0].Attempts[len(out.Recipients[0].Attempts)-1]
				if last.Code == "expired" && last.Ended.Sub(begin) != tt.expires {
					t.Errorf("it expired after %v, want %v", last.Ended.Sub(begin), tt.expires)
				}
				if pending, err := h.store.Pending(t.Context()); err != nil || len(pending) > 0 {
					t.Errorf("still pending: %v, %v", pending, err)
				}
			})
		})
	}
}

func seconds(list ...int) []time.Duration {
	out := make([]time.Duration, len(list))
	for i, n := range list {
		out[i] = time.Duration(n) * time.Second
	}
	return out
}

// An attempt does not outlive the message.
func TestAnAttemptEndsWhenTheMessageExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sender{do: func(ctx context.Context, _ messngr.Device, _ *messngr.Message) (messngr.Evidence, error) {
			<-ctx.Done()
			return messngr.Evidence{}, fmt.Errorf("%w: %w", messngr.ErrUnavailable, ctx.Err())
		}}
		h := newHost(t, options{routes: []router.Route{smb(s)}})
		h.run(t)
		begin := time.Now()
		sent, err := h.Send(t.Context(), router.Request{
			Principal: alice, To: []string{"PC18"}, Wait: true, Timeout: time.Minute,
			Message: messngr.Message{Expires: begin.Add(4 * time.Second)},
		})
		if err != nil || time.Since(begin) != 4*time.Second || sent.Recipients[0].State() != messngr.Expired {
			t.Errorf("Send = %v, %v after %v; want it expired after 4s", trail(sent.Outgoing), err, time.Since(begin))
		}
	})
}

func TestAttemptsAtOnceAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int32
		s := &sender{do: func(ctx context.Context, _ messngr.Device, _ *messngr.Message) (messngr.Evidence, error) {
			n := now.Add(1)
			defer now.Add(-1)
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			select {
			case <-ctx.Done():
				return messngr.Evidence{}, messngr.ErrUnavailable
			case <-time.After(3 * time.Second):
				return messngr.Evidence{State: messngr.Accepted}, nil
			}
		}}
		h := newHost(t, options{routes: []router.Route{smb(s)}})
		h.run(t)
		to := make([]string, 300)
		for i := range to {
			to[i] = fmt.Sprint("HOST", i)
		}
		begin := time.Now()
		sent, err := h.Send(t.Context(), router.Request{Principal: alice, To: to})
		if err != nil || time.Since(begin) != 10*time.Second {
			t.Fatalf("Send = %v after %v", err, time.Since(begin))
		}
		if most.Load() != 64 {
			t.Errorf("%d attempts of one sender at once, want 64", most.Load())
		}
		// Those whose turn did not come in time have failed and say so: a message
		// that may not wait does not go out later.
		states := map[string]int{}
		for i := range sent.Recipients {
			a := sent.Recipients[i].Attempts[0]
			states[fmt.Sprint(sent.Recipients[i].State(), " ", a.Code)]++
		}
		if diff := cmp.Diff(map[string]int{"accepted ": 192, "failed unavailable": 108}, states); diff != "" {
			t.Errorf("states (-want +got):\n%s", diff)
		}
	})
}

func TestAttemptsThatCannotBeRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := accepts()
		h := newHost(t, options{routes: []router.Route{smb(s)}})
		h.run(t)
		h.store.on("Begin", fails)
		time.AfterFunc(time.Minute, func() { h.store.on("Begin", nil) })
		req := router.Request{
			Principal: alice, To: []string{"PC18"}, Wait: true, Timeout: 5 * time.Minute,
			Message: messngr.Message{Expires: time.Now().Add(time.Hour)},
		}
		sent, err := h.Send(t.Context(), req)
		if err != nil || !sent.AllReached() {
			t.Errorf("Send = %v, %v; want it sent when the books are open again", trail(sent.Outgoing), err)
		}
		if n := len(s.calls()); n != 1 {
			t.Errorf("%d attempts, want none that was not in the books", n)
		}
	})
}

// Who stops the service cuts off what is on its way, and that is written down.
func TestShutdownWhileAttemptsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		do := func(err error) *sender {
			return &sender{do: func(ctx context.Context, _ messngr.Device, _ *messngr.Message) (messngr.Evidence, error) {
				<-ctx.Done()
				return messngr.Evidence{}, err
			}}
		}
		h := newHost(t, options{routes: []router.Route{
			{Via: "early", Sender: do(messngr.ErrUnavailable), Best: messngr.Accepted},
			{Via: "late", Sender: do(messngr.ErrUncertain), Best: messngr.Accepted},
			{Via: "down", Sender: declines(messngr.ErrUnavailable), Best: messngr.Accepted},
		}})
		stop := h.run(t)
		type test struct {
			via  string
			wait bool
			want []string
			open bool
		}
		results := make(chan func(), 4)
		for _, tt := range []test{
			{"early", false, []string{"early failed unavailable"}, false},
			{"late", false, []string{"late unknown uncertain"}, false},
			{"early", true, []string{"early queued unavailable"}, true},
			{"down", true, []string{"down queued unavailable"}, true},
		} {
			go func() {
				sent, err := h.Send(t.Context(), router.Request{
					Principal: alice, To: []string{"PC18"}, Via: tt.via, Wait: tt.wait, Timeout: time.Minute,
					Message: messngr.Message{Expires: time.Now().Add(time.Hour)},
				})
				results <- func() {
					if err != nil {
						t.Errorf("%+v: %v", tt, err)
					}
					if diff := cmp.Diff(tt.want, trail(sent.Outgoing)); diff != "" || sent.Recipients[0].Open() != tt.open {
						t.Errorf("%+v: open = %v, -want +got:\n%s", tt, sent.Recipients[0].Open(), diff)
					}
				}
			}()
		}
		time.Sleep(2 * time.Second)
		begin := time.Now()
		stop()
		for range 4 {
			(<-results)()
		}
		if d := time.Since(begin); d > time.Second {
			t.Errorf("the shutdown took %v", d)
		}
	})
}
