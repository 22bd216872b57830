package router

import (
	"context"
	"slices"
	"time"

	"messngr"
	"messngr/store"
)

// backlogLimit is how many messages that waited are shown one by one; more of
// them become a digest.
const backlogLimit = 10

// backlog looks at all messages up to last that nobody has seen yet. A few are
// shown one by one, many as a digest: whoever comes back after a week must not
// click through two hundred windows.
func (l *showLoop) backlog(ctx context.Context) {
	l.tryAt = time.Now().Add(l.patience)
	if l.marks.flush() != nil {
		return // what this display has shown already could not be told apart
	}
	piles, err := l.collect(ctx)
	if err != nil {
		if ctx.Err() == nil {
			l.r.cfg.Log.Error("read messages that wait", "display", l.name, "err", err)
		}
		return
	}
	l.waiting = false
	for _, d := range l.digests {
		d.clear() // what it counted is among the piles
	}
	var single []store.Entry
	for audience, p := range piles {
		single = append(single, p.single...)
		single = append(single, p.few...)
		l.digest(audience).add(p.many...)
	}
	slices.SortFunc(single, func(a, b store.Entry) int { return int(a.Seq - b.Seq) })
	for _, e := range single {
		if ctx.Err() == nil && !e.Message.Expired(time.Now()) {
			l.one(ctx, e)
		}
	}
	l.digestsNow(ctx)
	if l.waiting {
		l.patience = min(2*l.patience, patienceMost)
	} else {
		l.patience = patienceFirst
	}
}

// pile is what waits for one audience, the newest first.
type pile struct {
	single []store.Entry // urgent: shown by itself in any case
	few    []store.Entry // shown one by one, unless they become many
	many   []counted     // for the digest
	isMany bool          // there were too many for few
}

// collect finds all messages up to last that nobody has seen yet, by audience.
func (l *showLoop) collect(ctx context.Context) (map[string]*pile, error) {
	piles := make(map[string]*pile)
	before := l.last + 1
	for {
		page, err := l.r.cfg.Store.Inbox(ctx, store.Query{Unshown: true, Before: before, Limit: showBatch})
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			before = e.Seq
			if !e.Read.IsZero() || e.Message.Expired(time.Now()) {
				continue
			}
			p := piles[e.Message.Audience]
			if p == nil {
				p = new(pile)
				piles[e.Message.Audience] = p
			}
			p.add(e)
		}
		if len(page) < showBatch {
			return piles, nil
		}
	}
}

func (p *pile) add(e store.Entry) {
	switch {
	case e.Message.Level >= messngr.LevelUrgent:
		p.single = append(p.single, e)
	case e.Quiet:
		p.many = append(p.many, countedOf(e))
	case len(p.few) < backlogLimit && !p.isMany:
		p.few = append(p.few, e)
	default:
		for _, few := range p.few {
			p.many = append(p.many, countedOf(few))
		}
		p.few, p.isMany = nil, true
		p.many = append(p.many, countedOf(e))
	}
}
