package policy

import (
	"container/list"
	"fmt"
	"math"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limit is a token bucket: Burst at once, and Rate a second in the long run.
// A Rate of 0 or less does not limit.
type Limit struct {
	Rate  float64 `toml:"rate" comment:"messages a second in the long run; 0: no limit"`
	Burst int     `toml:"burst" comment:"messages at once"`
}

// check refuses a limit that would let nothing through, ever.
func (l Limit) check(key string) error {
	switch {
	case math.IsNaN(l.Rate) || math.IsInf(l.Rate, 0):
		return fmt.Errorf("[policy] %s: rate %v is not a number of messages", key, l.Rate)
	case l.Rate > 0 && l.Burst < 1:
		return fmt.Errorf("[policy] %s: a burst of %d lets nothing through; want at least 1, or rate = 0 for no limit", key, l.Burst)
	}
	return nil
}

func (l Limit) bucket() *rate.Limiter {
	if l.Rate <= 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(l.Rate), l.Burst)
}

// maxSources bounds the memory that strangers can claim. When more sources than
// that are seen, the one that has been quiet for longest is forgotten; it starts
// with full buckets when it comes back, and the limits in all hold still.
const maxSources = 4096

// gauge counts messages per source and in all.
type gauge struct {
	perSource struct{ take, popUp Limit }
	inAll     struct{ take, popUp *rate.Limiter }

	mu      sync.Mutex
	sources map[netip.Addr]*list.Element // of *source
	recent  list.List                    // the same, the latest first
}

type source struct {
	addr        netip.Addr
	take, popUp *rate.Limiter
}

func newGauge(cfg Config) *gauge {
	g := &gauge{sources: make(map[netip.Addr]*list.Element)}
	g.perSource.take, g.perSource.popUp = cfg.TakePerSource, cfg.PopUpPerSource
	g.inAll.take, g.inAll.popUp = cfg.TakeInAll.bucket(), cfg.PopUpInAll.bucket()
	return g
}

// admit says whether one more message may be taken from addr, and if so, whether
// it may pop up. The source's own bucket is asked first, so that a flood from one
// source does not empty the bucket of all.
func (g *gauge) admit(addr netip.Addr, now time.Time) (take, popUp bool) {
	s := g.source(addr)
	take = s.take.AllowN(now, 1) && g.inAll.take.AllowN(now, 1)
	popUp = take && s.popUp.AllowN(now, 1) && g.inAll.popUp.AllowN(now, 1)
	return take, popUp
}

func (g *gauge) source(addr netip.Addr) *source {
	g.mu.Lock()
	defer g.mu.Unlock()
	if e, ok := g.sources[addr]; ok {
		g.recent.MoveToFront(e)
		return e.Value.(*source)
	}
	if len(g.sources) >= maxSources {
		oldest := g.recent.Remove(g.recent.Back()).(*source)
		delete(g.sources, oldest.addr)
	}
	s := &source{addr: addr, take: g.perSource.take.bucket(), popUp: g.perSource.popUp.bucket()}
	g.sources[addr] = g.recent.PushFront(s)
	return s
}
