package policy

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxSources bounds the memory that strangers can claim. When more sources than
// that are seen, those that have been quiet for longest are forgotten; they
// start with a full bucket, and the limits in all still hold.
const maxSources = 4096

// gauge counts messages per source and in all.
type gauge struct {
	cfg        Config
	takeInAll  *rate.Limiter
	popUpInAll *rate.Limiter
	mu         *sync.Mutex
	sources    map[netip.Addr]*source
}

type source struct {
	take, popUp *rate.Limiter
	seen        time.Time
}

func newGauge(cfg Config) gauge {
	return gauge{
		cfg:        cfg,
		takeInAll:  newLimiter(cfg.TakeInAll),
		popUpInAll: newLimiter(cfg.PopUpInAll),
		mu:         new(sync.Mutex),
		sources:    make(map[netip.Addr]*source),
	}
}

// take reports whether one more message may be taken from addr. The source's
// own bucket is asked first, so that a flood from one source does not empty the
// bucket of all.
func (g *gauge) take(addr netip.Addr, now time.Time) bool {
	return g.source(addr, now).take.AllowN(now, 1) && g.takeInAll.AllowN(now, 1)
}

func (g *gauge) popUp(addr netip.Addr, now time.Time) bool {
	return g.source(addr, now).popUp.AllowN(now, 1) && g.popUpInAll.AllowN(now, 1)
}

func (g *gauge) source(addr netip.Addr, now time.Time) *source {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.sources[addr]
	if s == nil {
		if len(g.sources) >= maxSources {
			g.sweep(now)
		}
		s = &source{take: newLimiter(g.cfg.TakePerSource), popUp: newLimiter(g.cfg.PopUpPerSource)}
		g.sources[addr] = s
	}
	s.seen = now
	return s
}

// sweep forgets the older half of the sources, by the time between the oldest
// and now.
func (g *gauge) sweep(now time.Time) {
	oldest := now
	for _, s := range g.sources {
		if s.seen.Before(oldest) {
			oldest = s.seen
		}
	}
	middle := oldest.Add(now.Sub(oldest) / 2)
	for addr, s := range g.sources {
		if !s.seen.After(middle) {
			delete(g.sources, addr)
		}
	}
	for addr := range g.sources { // all at one instant: any of them will do
		if len(g.sources) < maxSources {
			break
		}
		delete(g.sources, addr)
	}
}
