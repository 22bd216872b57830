package router

import (
	"context"
	"time"
)

// pruneEvery is how often what the retention does not keep is removed.
const pruneEvery = time.Hour

// pruneNowAndThen removes what the retention does not keep, until ctx ends. For its age it
// removes nothing before the service has run for a while, and nothing soon after the clock
// was set, since somebody may have to set it right before it takes everything for old.
func (r *Router) pruneNowAndThen(ctx context.Context) {
	tick := time.NewTicker(pruneEvery)
	defer tick.Stop()
	for last := time.Now(); ; {
		keep := r.cfg.Retention
		select {
		case <-ctx.Done():
			return
		case <-r.surplus.wait():
			keep.Age = 0
		case <-tick.C:
			now := time.Now()
			wall, elapsed := now.Round(0).Sub(last.Round(0)), now.Sub(last)
			last = now
			if wasSet(wall, elapsed) {
				r.cfg.Log.Warn("the clock was set, so old messages are removed an hour later", "by", (wall - elapsed).Round(time.Second))
				keep.Age = 0
			}
		}
		n, err := r.cfg.Store.Prune(ctx, keep, time.Now())
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			r.cfg.Log.Error("prune the store", "err", err)
		case n > 0:
			r.cfg.Log.Info("removed old messages", "count", n)
		}
	}
}

// countTaken counts a message that was taken, and has some removed before the hour is over
// when the store has grown by a tenth: so a flood does not fill the disk with what is not
// kept anyway.
func (r *Router) countTaken() {
	taken, count := r.counters.Taken.Add(1), int64(r.cfg.Retention.Count)
	if count > 0 && taken%max(count/10, 1) == 0 {
		r.surplus.raise()
	}
}

// wasSet reports whether the clock was set in a time that took wall by that clock and
// elapsed by the one that nobody sets. That one stands still while a machine sleeps, so
// it takes more than a week.
func wasSet(wall, elapsed time.Duration) bool { return (wall - elapsed).Abs() > 7*24*time.Hour }
