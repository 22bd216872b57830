package router

import (
	"context"
	"fmt"
	"time"

	"messngr"
	"messngr/store"
)

const (
	// digestDelay is how long messages are counted before a digest; as long as
	// they keep coming it doubles, up to digestMost, so that a flood does not
	// become a flood of digests.
	digestDelay = 5 * time.Second
	digestMost  = 5 * time.Minute
)

// digest counts messages for one audience that are not shown one by one.
type digest struct {
	seen   []sighting
	source string // who sent them, as far as they have that in common
	mixed  bool

	due   time.Time     // when it is to be shown
	delay time.Duration // how long it counts
	shown time.Time     // when the last one was shown
}

func (l *showLoop) digest(audience string) *digest {
	d := l.digests[audience]
	if d == nil {
		d = &digest{delay: digestDelay}
		l.digests[audience] = d
	}
	return d
}

func (d *digest) clear() { d.seen = nil }

func (d *digest) add(list ...counted) {
	for _, c := range list {
		if len(d.seen) == 0 {
			d.begin(c.source)
		}
		d.mixed = d.mixed || c.source != d.source
		d.seen = append(d.seen, c.sighting)
	}
}

func (d *digest) begin(source string) {
	now := time.Now()
	if now.Sub(d.shown) > 2*d.delay {
		d.delay = digestDelay
	}
	d.source, d.mixed, d.due = source, false, now.Add(d.delay)
}

// counted is what a digest has to know of a message.
type counted struct {
	sighting
	source string
}

// countedOf leaves the attempt out: to be counted is not to be displayed, so the
// sender hears nothing of it.
func countedOf(e store.Entry) counted {
	from := &e.Message.From
	c := counted{sighting{id: e.Message.ID}, from.Claimed}
	if from.Address.IsValid() {
		c.source = fmt.Sprintf("%s (%s)", from.Claimed, from.Address)
	}
	return c
}

func (d *digest) text() string {
	noun, source := "messages", d.source
	if len(d.seen) == 1 {
		noun = "message"
	}
	if d.mixed {
		source = "several senders"
	}
	return fmt.Sprintf("%d more %s from %s, not shown one by one. Read: messngr inbox", len(d.seen), noun, source)
}

// digestsDue shows the digests whose time has come.
func (l *showLoop) digestsDue(ctx context.Context) {
	for audience, d := range l.digests {
		if len(d.seen) > 0 && !time.Now().Before(d.due) {
			l.showDigest(ctx, audience, d)
		}
	}
}

// digestsNow shows all digests.
func (l *showLoop) digestsNow(ctx context.Context) {
	for audience, d := range l.digests {
		if len(d.seen) > 0 {
			l.showDigest(ctx, audience, d)
		}
	}
}

func (l *showLoop) showDigest(ctx context.Context, audience string, d *digest) {
	id, err := messngr.NewID()
	if err != nil {
		l.r.cfg.Log.Error("make a digest", "display", l.name, "err", err)
		d.due = time.Now().Add(d.delay)
		return
	}
	shown := l.show(ctx, &messngr.Message{
		ID: id, Time: time.Now(), Via: Local, To: l.r.cfg.Host, Audience: audience,
		From: messngr.From{Claimed: "messngr", Proven: "messngr", Trust: messngr.Vouched},
		Text: d.text(),
	})
	if shown {
		l.r.counters.Digests.Add(1)
		l.marks.add(d.seen...)
		d.shown, d.delay = time.Now(), min(2*d.delay, digestMost)
	}
	d.clear()
}
