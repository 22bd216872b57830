package wins

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxSources is how many machines are told apart. For one more, another is forgotten: who
// invents addresses shall not keep those out that are real.
const maxSources = 8192

// limits bound what one machine may ask.
type limits struct {
	rate  rate.Limit // 0: no limit
	burst int

	mu      sync.Mutex
	sources map[netip.Addr]*rate.Limiter
}

func newLimits(perSecond float64, burst int) *limits {
	return &limits{rate: rate.Limit(perSecond), burst: burst, sources: make(map[netip.Addr]*rate.Limiter)}
}

// allow reports whether a machine may ask once more.
func (l *limits) allow(from netip.Addr, now time.Time) bool {
	if l.rate == 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	source := l.sources[from]
	if source == nil {
		if len(l.sources) >= maxSources {
			l.forgetOne(now)
		}
		source = rate.NewLimiter(l.rate, l.burst)
		l.sources[from] = source
	}
	return source.AllowN(now, 1)
}

// forgetOne forgets, of a few machines, the one that has asked least lately. The caller
// holds mu.
func (l *limits) forgetOne(now time.Time) {
	const few = 8
	var quietest netip.Addr
	most, seen := 0.0, 0
	for from, source := range l.sources {
		if tokens := source.TokensAt(now); !quietest.IsValid() || tokens > most {
			quietest, most = from, tokens
		}
		if seen++; seen == few {
			break
		}
	}
	delete(l.sources, quietest)
}

// sweep forgets the machines that have been quiet.
func (l *limits) sweep(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for from, source := range l.sources {
		if source.TokensAt(now) >= float64(l.burst) {
			delete(l.sources, from)
		}
	}
}
