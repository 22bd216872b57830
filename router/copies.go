package router

import (
	"sync"
	"time"

	"messngr"
)

// copyWindow is how long copies of one message that came by different routes
// are taken for one (spam_abuse: one message is broadcast once per protocol and
// interface, and arrives as often).
const copyWindow = 10 * time.Second

// maxCopies bounds the memory of the copies that are remembered.
const maxCopies = 8192

// copies recognises the copies of one broadcast message. Per message it counts
// how often it came by each route: the n-th arrival by one route is a copy if
// some other route has brought it n times already. So the same text sent twice
// is two messages, however many routes bring it.
type copies struct {
	mu    *sync.Mutex
	known map[copyKey]*copyCount
}

type copyKey struct{ from, to, text string }

type copyCount struct {
	first  time.Time
	routes map[string]int
}

func newCopies() copies {
	return copies{mu: new(sync.Mutex), known: make(map[copyKey]*copyCount)}
}

// seen records one arrival and reports whether it is a copy. undo takes the
// arrival back, for a message that could not be stored.
func (c *copies) seen(in *messngr.Inbound, now time.Time) (undo func(), copied bool) {
	if in.Route == "" {
		return func() {}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	k := copyKey{in.Message.From.Claimed, in.Message.To, in.Message.Text}
	count := c.known[k]
	if count == nil || now.Sub(count.first) > copyWindow {
		c.expire(now)
		count = &copyCount{first: now, routes: make(map[string]int)}
		c.known[k] = count
	}
	most := 0
	for route, n := range count.routes {
		if route != in.Route {
			most = max(most, n)
		}
	}
	count.routes[in.Route]++
	undo = func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		count.routes[in.Route]--
	}
	return undo, count.routes[in.Route] <= most
}

// expire forgets what is too old, and everything if that is not enough.
func (c *copies) expire(now time.Time) {
	if len(c.known) < maxCopies/2 {
		return
	}
	for k, count := range c.known {
		if now.Sub(count.first) > copyWindow {
			delete(c.known, k)
		}
	}
	if len(c.known) >= maxCopies {
		clear(c.known)
	}
}
