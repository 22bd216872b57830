//go:build !linux

package nbt

import (
	"context"
	"slices"
	"time"
)

// watchTick is how often it is looked for changes where the system does not tell them.
const watchTick = 5 * time.Second

// A linkWatch looks for changes of the addresses now and then.
type linkWatch struct{}

func openLinkWatch() (*linkWatch, error) { return &linkWatch{}, nil }

// run tells changes until ctx ends. A link that comes back brings its addresses back.
func (*linkWatch) run(ctx context.Context, changes chan<- linkChange) error {
	before, err := Interfaces()
	if err != nil {
		return err
	}
	for pause(ctx, watchTick) {
		now, err := Interfaces()
		if err != nil || slices.Equal(before, now) {
			continue
		}
		before = now
		select {
		case changes <- linkChange{}:
		case <-ctx.Done():
		}
	}
	return nil
}
