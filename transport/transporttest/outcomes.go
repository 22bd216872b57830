package transporttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"messngr"
)

func testNotTaken(t *testing.T, s Suite) {
	for _, want := range []error{
		messngr.ErrUnknownName, messngr.ErrRefused, messngr.ErrBusy, messngr.ErrPaused, messngr.ErrUnavailable,
	} {
		t.Run(want.Error(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answer := fmt.Errorf("store: %w", want)
				alpha, beta := pair(t, s, func(context.Context, messngr.Inbound) error { return answer })
				ev, err := alpha.send(t.Context(), toBeta(), "hello")
				if s.Answers && (!errors.Is(err, want) || errors.Is(err, messngr.ErrUncertain)) {
					t.Errorf("error %v, want %v", err, want)
				}
				if !s.Answers && (err != nil || ev.State != s.Best) {
					t.Errorf("evidence %+v, %v, want state %v", ev, err, s.Best)
				}
				beta.only(t)
				answer = nil
				if _, err := alpha.send(t.Context(), toBeta(), "again"); err != nil {
					t.Errorf("afterwards: %v", err)
				}
				if got := beta.inbox(); len(got) != 2 {
					t.Errorf("%d messages arrived, want 2", len(got))
				}
			})
		})
	}
}

// slow returns an accepts that needs so long to store what it gets.
func slow(d time.Duration) accepts {
	return func(context.Context, messngr.Inbound) error {
		time.Sleep(d)
		return nil
	}
}

func testAnsweredWhenStored(t *testing.T, s Suite) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, s, slow(5*time.Second))
		start := time.Now()
		if _, err := alpha.send(t.Context(), toBeta(), "hello"); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("answered after %v, want the moment when it is stored, after 5 s", took)
		}
		beta.only(t)
	})
}

func testOthersGoOn(t *testing.T, s Suite) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, s)
		alpha, gamma := n.add("ALPHA", take), n.add("GAMMA", take)
		quick := make(chan time.Time, 1)
		n.add("BETA", func(_ context.Context, in messngr.Inbound) error {
			if in.Message.Text == "slow" {
				time.Sleep(5 * time.Second)
			} else {
				quick <- time.Now()
			}
			return nil
		})
		start := time.Now()
		done := make(chan error, 1)
		go func() {
			_, err := alpha.send(t.Context(), toBeta(), "slow")
			done <- err
		}()
		synctest.Wait()
		if _, err := gamma.send(t.Context(), toBeta(), "quick"); err != nil {
			t.Fatal(err)
		}
		if took := (<-quick).Sub(start); took != 0 {
			t.Errorf("handed over after %v, want at once although another one is being stored", took)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		time.Sleep(time.Hour)
	})
}

func testMany(t *testing.T, s Suite) {
	synctest.Test(t, func(t *testing.T) {
		const n = 50
		alpha, beta := pair(t, s, take)
		done := make(chan error, n)
		for i := range n {
			go func() {
				_, err := alpha.send(t.Context(), toBeta(), fmt.Sprint("message ", i))
				done <- err
			}()
		}
		for range n {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		var texts []string
		origins := make(map[messngr.Origin]bool)
		for _, in := range beta.inbox() {
			texts = append(texts, in.Message.Text)
			if in.Origin != "" && origins[in.Origin] {
				t.Errorf("two messages have the origin %q", in.Origin)
			}
			origins[in.Origin] = true
		}
		slices.Sort(texts)
		if len(texts) != n || len(slices.Compact(texts)) != n {
			t.Errorf("%d messages arrived, want each of %d once: %q", len(texts), n, texts)
		}
	})
}

func testCancel(t *testing.T, s Suite) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, s, take)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		ev, err := alpha.send(ctx, toBeta(), "hello")
		if !errors.Is(err, messngr.ErrUnavailable) || !errors.Is(err, context.Canceled) {
			t.Errorf("evidence %+v, %v, want ErrUnavailable because it was called off", ev, err)
		}
		if got := beta.inbox(); len(got) != 0 {
			t.Errorf("%d messages arrived, want none", len(got))
		}
	})
}

func testCancelLate(t *testing.T, s Suite) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, s, slow(5*time.Second))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		ev, err := alpha.send(ctx, toBeta(), "hello")
		if !errors.Is(err, messngr.ErrUncertain) || time.Since(start) != time.Second {
			t.Errorf("evidence %+v, %v after %v, want ErrUncertain after 1 s", ev, err, time.Since(start))
		}
		beta.only(t)
	})
}

func testStopWhileStoring(t *testing.T, s Suite) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, s, func(ctx context.Context, _ messngr.Inbound) error {
			time.Sleep(5 * time.Second)
			return ctx.Err()
		})
		time.AfterFunc(time.Second, beta.stop)
		ev, err := alpha.send(t.Context(), toBeta(), "hello")
		if err != nil || ev.State != s.Best {
			t.Errorf("evidence %+v, %v, want state %v for a message that was being stored", ev, err, s.Best)
		}
		beta.only(t)
	})
}

func testStop(t *testing.T, s Suite) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, s, take)
		if _, err := alpha.send(t.Context(), toBeta(), "hello"); err != nil {
			t.Fatal(err)
		}
		beta.only(t)
		start := time.Now()
		beta.stopReceiving()
		if took := time.Since(start); took != 0 {
			t.Errorf("Receive ended after %v, want at once", took)
		}
		if ev, err := alpha.send(t.Context(), toBeta(), "late"); s.Answers && err == nil {
			t.Errorf("evidence %+v from a machine that receives no more, want an error", ev)
		}
		if got := beta.inbox(); len(got) != 1 {
			t.Errorf("%d messages were handed over, want 1", len(got))
		}
	})
}
