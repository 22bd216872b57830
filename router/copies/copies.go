// Package copies recognises the copies of one message that came by different routes:
// a broadcast is sent once per protocol and interface, and arrives as often.
package copies

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sync"
	"time"
)

// window is how long messages that are alike are taken for copies of one.
const window = 10 * time.Second

// maxArrivals bounds the memory of the copies that are remembered. Beyond it all
// are forgotten, so that a copy may be taken for a message of its own: nothing
// is lost by that.
const maxArrivals = 8192

// Recent remembers the messages of the last ten seconds. Each arrival is a copy of
// the oldest message like it that its route has not brought yet. So the same text
// sent twice is two messages, however many routes bring it. Its methods may be called
// by several goroutines at once.
type Recent struct {
	mu    sync.Mutex
	known map[Key][]*arrival // oldest first
	count int
}

// New returns a Recent that remembers nothing yet.
func New() *Recent { return &Recent{known: make(map[Key][]*arrival)} }

// Key stands for what is the same in all copies: sender, recipient and text.
type Key [sha256.Size]byte

// arrival is one message and the routes that have brought it.
type arrival struct {
	at     time.Time
	routes []string
	stored chan struct{} // closed when err is known
	err    error         // why it could not be stored
}

// KeyOf returns the key of these parts, in their order.
func KeyOf(parts ...string) Key {
	b := make([]byte, 0, 512) // a datagram's length
	for _, part := range parts {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	return sha256.Sum256(b)
}

// Once calls store for a message that arrived by route, and returns its error, unless
// that is a copy of another one: then it waits until that one is stored, and says so.
// The error is that of ctx if it ends before.
func (c *Recent) Once(ctx context.Context, k Key, route string, store func() error) (copied bool, err error) {
	for {
		a, first := c.arrive(k, route, time.Now())
		if first {
			if a.err = store(); a.err != nil {
				c.forget(k, a)
			}
			close(a.stored)
			return false, a.err
		}
		select {
		case <-a.stored:
		case <-ctx.Done():
			return false, ctx.Err()
		}
		if a.err == nil {
			return true, nil
		}
		// The other one was not stored: this one may be the first now.
	}
}

// arrive records that route brought such a message, and returns which one it is.
func (c *Recent) arrive(k Key, route string, now time.Time) (a *arrival, first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expire(k, now)
	for _, a := range c.known[k] {
		if !slices.Contains(a.routes, route) {
			a.routes = append(a.routes, route)
			return a, false
		}
	}
	if c.count >= maxArrivals {
		for k := range c.known {
			c.expire(k, now)
		}
	}
	if c.count >= maxArrivals {
		clear(c.known)
		c.count = 0
	}
	a = &arrival{at: now, routes: []string{route}, stored: make(chan struct{})}
	c.known[k] = append(c.known[k], a)
	c.count++
	return a, true
}

// expire forgets the arrivals of one key that are too old to have copies.
func (c *Recent) expire(k Key, now time.Time) {
	c.remove(k, func(a *arrival) bool { return now.Sub(a.at) > window })
}

// forget forgets an arrival that was not stored.
func (c *Recent) forget(k Key, gone *arrival) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(k, func(a *arrival) bool { return a == gone })
}

// remove forgets some of the arrivals of one key. The caller holds mu.
func (c *Recent) remove(k Key, gone func(*arrival) bool) {
	before := c.known[k]
	after := slices.DeleteFunc(before, gone)
	c.count -= len(before) - len(after)
	if len(after) == 0 {
		delete(c.known, k)
	} else {
		c.known[k] = after
	}
}
