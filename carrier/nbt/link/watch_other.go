//go:build !linux

package link

import (
	"context"
	"slices"
	"time"
)

// watchTick is how often it is looked for changes where the system does not tell them.
const watchTick = 5 * time.Second

// A Watch looks for changes of the addresses now and then.
type Watch struct{}

// OpenWatch begins to watch.
func OpenWatch() (*Watch, error) { return &Watch{}, nil }

// Run tells changes until ctx ends. A link that comes back brings its addresses back.
func (*Watch) Run(ctx context.Context, changes chan<- Change) error {
	before, err := List()
	if err != nil {
		return err
	}
	tick := time.NewTicker(watchTick)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		now, err := List()
		if err != nil || slices.Equal(before, now) {
			continue
		}
		before = now
		select {
		case changes <- Change{}:
		case <-ctx.Done():
			return nil
		}
	}
}
