package nbt

import (
	"context"
	"fmt"
	"time"

	"messngr/carrier/nbt/link"
)

const (
	// settleTime is waited after a change of the interfaces: changes come in crowds. It is
	// not waited longer for those that never cease.
	settleTime = 500 * time.Millisecond
	// wakeTick is how often it is looked whether the machine has slept.
	wakeTick = 10 * time.Second
	// wakeGap is the least sleep that matters.
	wakeGap = 5 * time.Second
)

// Follow keeps to the interfaces that choose returns until ctx ends, and asks it
// again whenever addresses or links of the system change. When a link comes back, or
// the machine wakes from sleep, all names are renewed. Without a choice the present
// interfaces stay. It returns nil when ctx ends.
func (c *Carrier) Follow(ctx context.Context, choose func() ([]Interface, error)) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	changes := make(chan link.Change, 64)
	w, err := link.OpenWatch()
	if err != nil {
		return fmt.Errorf("nbt: watch interfaces: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx, changes) }()
	err = c.follow(ctx, choose, changes, ended)
	stop()
	if err == nil {
		err = <-ended
	}
	if err != nil {
		return fmt.Errorf("nbt: watch interfaces: %w", err)
	}
	return nil
}

// follow acts on changes until ctx ends, or the watch does.
func (c *Carrier) follow(ctx context.Context, choose func() ([]Interface, error), changes <-chan link.Change, ended <-chan error) error {
	wake := time.NewTicker(wakeTick)
	defer wake.Stop()
	last, renew := time.Now(), false
	settle := time.After(0)
	look := func() {
		if settle == nil {
			settle = time.After(settleTime)
		}
	}
	for {
		select {
		case change := <-changes:
			renew = renew || change.Back
			look()
		case now := <-wake.C:
			if slept(last, now) {
				c.log.Info("the machine has slept, names are registered again")
				renew = true
				look()
			}
			last = now
		case <-settle:
			settle = nil
			if list, err := choose(); err != nil {
				c.log.Warn("no interfaces to use", "error", err)
			} else {
				c.SetInterfaces(list)
			}
			if renew {
				c.Renew()
			}
			renew = false
		case err := <-ended:
			return err
		case <-ctx.Done():
			return nil
		}
	}
}

// slept reports whether the machine slept between two looks at the clock: the wall
// clock went on, the one that counts running time did not.
func slept(before, after time.Time) bool {
	return after.Round(0).Sub(before.Round(0))-after.Sub(before) >= wakeGap
}
