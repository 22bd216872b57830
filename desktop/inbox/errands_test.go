package inbox_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"messngr/desktop/inbox"
)

// The end waits for what was begun, but not for ever.
func TestErrands(t *testing.T) {
	for _, c := range []struct {
		name         string
		takes, allow time.Duration
		whole        bool
		took         time.Duration
	}{
		{"short", time.Second, time.Minute, true, time.Second},
		{"longer than the end waits", time.Minute, 2 * time.Second, false, 2 * time.Second},
		{"longer than anybody waits", time.Hour, 2 * time.Hour, false, 15 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := inbox.NewErrands(15 * time.Minute)
				whole := false
				e.Go(func(ctx context.Context) {
					select {
					case <-time.After(c.takes):
						whole = true
					case <-ctx.Done():
					}
				})
				if e.Over() {
					t.Error("it is over before it is finished")
				}
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), c.allow)
				defer cancel()
				e.Finish(ctx)
				if took := time.Since(began); whole != c.whole || took != c.took || !e.Over() {
					t.Errorf("whole %v after %v, want %v after %v", whole, took, c.whole, c.took)
				}
			})
		})
	}
}
