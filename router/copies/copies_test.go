package copies_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"messngr/router/copies"
)

func TestOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := copies.New()
		stored := 0
		once := func(text, route string, want bool) {
			t.Helper()
			copied, err := c.Once(t.Context(), copies.KeyOf("BOSS", text), route, func() error { stored++; return nil })
			if err != nil || copied != want {
				t.Errorf("%q by %s: copy %v, %v, want %v", text, route, copied, err, want)
			}
		}
		once("x", "a", false)
		once("x", "b", true)
		once("x", "a", false) // sent again
		once("y", "b", false)
		time.Sleep(11 * time.Second)
		once("x", "b", false)
		if stored != 4 {
			t.Errorf("%d were stored, want 4", stored)
		}
	})
	if copies.KeyOf("a", "bc") == copies.KeyOf("ab", "c") {
		t.Error("different messages have one key")
	}
}

// A copy waits for the first, and takes its place if that is not stored.
func TestOnceThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, broken := copies.New(), errors.New("broken")
		slow := func() error { time.Sleep(time.Second); return broken }
		go func() {
			if _, err := c.Once(context.Background(), copies.KeyOf("x"), "a", slow); !errors.Is(err, broken) {
				t.Errorf("the first: %v", err)
			}
		}()
		synctest.Wait()
		short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := c.Once(short, copies.KeyOf("x"), "b", slow); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who does not wait: %v, want that its time is up", err)
		}
		if copied, err := c.Once(t.Context(), copies.KeyOf("x"), "c", func() error { return nil }); copied || err != nil {
			t.Errorf("the second: copy %v, %v; want it stored", copied, err)
		}
		time.Sleep(time.Minute)
	})
}
