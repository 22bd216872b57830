package tray

import (
	"time"

	"golang.org/x/time/rate"

	"messngr"
)

const (
	// maxAtOnce bounds Config.AtOnce, of which twice as many may stay on the
	// screen, and maxUrgent is how many may besides because they are urgent:
	// daemons put them all beside each other, and nobody can use a desktop behind
	// a hundred windows.
	maxAtOnce = 20
	maxUrgent = 10
)

// gate decides which messages are shown one by one.
type gate struct {
	normal, urgent *rate.Limiter
	atOnce         int
}

func newGate(c *Config) *gate {
	perSecond := rate.Limit(c.PerMinute / 60)
	return &gate{
		normal: rate.NewLimiter(perSecond, c.AtOnce),
		urgent: rate.NewLimiter(perSecond, maxUrgent),
		atOnce: c.AtOnce,
	}
}

// admits reports whether one more message may be shown by itself. What is urgent
// has a share of its own, so that no flood of chatter keeps it away.
func (g *gate) admits(level messngr.Level, normal, urgent int, now time.Time) bool {
	if level >= messngr.LevelUrgent {
		return urgent < maxUrgent && g.urgent.AllowN(now, 1)
	}
	return normal < 2*g.atOnce && g.normal.AllowN(now, 1)
}
