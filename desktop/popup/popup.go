// Package popup puts messages on the screen that have to be seen: one window at
// a time, a digest when there are many, and every screen in an emergency.
package popup

import (
	"context"
	"errors"
	"slices"
	"time"

	"messngr"
	"messngr/control"
	"messngr/desktop/describe"
	"messngr/desktop/gtk"
	"messngr/desktop/inbox"
	"messngr/desktop/lang"
)

const (
	// patience bounds what is asked of the service.
	patience = 15 * time.Second
	// glance is how long a timer may run at the most: it stands still while the
	// machine sleeps, and what has expired meanwhile is to go soon after.
	glance = time.Minute
)

// Config is what a Presenter needs.
type Config struct {
	App    *gtk.App
	Words  *lang.Catalogue
	Client *control.Client
	// Level is what a message must have at least to be shown.
	Level messngr.Level
	// OpenList shows the window with all messages.
	OpenList func()
	// Idle is called when nothing is left to show; nil: nothing is.
	Idle func()
}

// Presenter shows what has to be seen. Its methods belong to GTK's thread.
type Presenter struct {
	cfg   Config
	queue inbox.Queue
	asked *inbox.Errands
	// shown is what is on the screen, and screen what shows it.
	shown  inbox.View
	screen screen
	stale  bool // render is on its way
	locked bool // the screen is, so that nobody sees what is on it
	// answered is the message that is being answered here; what became of the
	// answer stays on the screen until the person goes on.
	answered messngr.ID
	wake     gtk.Timer
	drafts   map[messngr.ID]string
	// owed are the messages that a person has acknowledged, which the service does
	// not know yet.
	owed map[messngr.ID]bool
}

// screen is what stands on the screen: a card, a digest, or an emergency.
type screen interface {
	// update takes over what has changed around the same content.
	update(v inbox.View)
	// closing takes it off the screen.
	closing()
}

// New returns a presenter, which has to be finished.
func New(cfg Config) *Presenter {
	p := &Presenter{cfg: cfg, asked: inbox.NewErrands(patience), drafts: make(map[messngr.ID]string), owed: make(map[messngr.ID]bool)}
	cfg.App.SetStyle(style)
	cfg.App.OnMonitors(func() {
		if e, ok := p.screen.(*emergency); ok {
			e.monitorsChanged()
		}
	})
	return p
}

// Unread replaces what waits by what the service says.
func (p *Presenter) Unread(list []control.Message) {
	var must []control.Message
	unread := make(map[messngr.ID]bool, len(list))
	for i := range list {
		m := &list[i]
		unread[m.ID] = true
		switch {
		case p.owed[m.ID]: // it was away when the person did it
			p.acknowledge(*m)
		case inbox.MustBeSeen(m, p.cfg.Level):
			must = append(must, *m)
		}
	}
	for _, m := range p.queue.Emergencies() {
		if !unread[m.ID] {
			must = append(must, m)
			p.ask(m.ID)
		}
	}
	p.queue.Keep(must)
	p.changed()
}

// ask takes an emergency off the screen if it was acknowledged or is gone: that
// it was read somewhere is not enough.
func (p *Presenter) ask(id messngr.ID) {
	p.asked.Go(func(ctx context.Context) {
		m, err := p.cfg.Client.Message(ctx, id)
		var declined *control.Error
		if err == nil && m.AcknowledgedAt != nil || errors.As(err, &declined) && declined.Code == "not_found" {
			p.cfg.App.Post(func() { p.remove(id) })
		}
	})
}

// Event takes over what has happened to messages: new ones are shown, and those
// that somebody has dealt with elsewhere leave the screen. An emergency stays
// until it is acknowledged.
func (p *Presenter) Event(e control.Event) {
	var keep func(messngr.ID) bool
	switch e.Kind {
	case control.EventArrived:
		if e.Message.ReadAt == nil && e.Message.AcknowledgedAt == nil {
			p.arrived(*e.Message)
		}
		return
	case control.EventRead:
		keep = p.queue.IsEmergency
	case control.EventAcknowledged, control.EventDeleted, control.EventRetracted:
		keep = func(messngr.ID) bool { return false }
	default:
		return
	}
	p.remove(slices.DeleteFunc(e.IDs, func(id messngr.ID) bool { return id == p.answered || keep(id) })...)
}

func (p *Presenter) arrived(m control.Message) {
	if inbox.MustBeSeen(&m, p.cfg.Level) {
		p.queue.Add(m)
		p.changed()
	}
}

// changed has the screen brought up to date, once for all that changes now.
func (p *Presenter) changed() {
	if p.stale {
		return
	}
	p.stale = true
	p.cfg.App.Post(func() {
		p.stale = false
		p.render()
	})
}

// render brings the screen up to date.
func (p *Presenter) render() {
	now := time.Now()
	v := p.queue.View(now)
	p.wake.Stop()
	if next := p.queue.Wake(now); !next.IsZero() {
		p.wake = p.cfg.App.After(min(next.Sub(now)+time.Millisecond, glance), p.render)
	}
	if p.screen != nil && v.Kind == p.shown.Kind && v.Message.ID == p.shown.Message.ID {
		p.shown = v
		p.screen.update(v)
		return
	}
	old := p.screen
	p.shown, p.screen = v, nil
	switch v.Kind {
	case inbox.Card:
		p.screen = newCard(p, v)
	case inbox.Digest:
		p.screen = newDigest(p, v)
	case inbox.Emergency:
		p.screen = newEmergency(p, v)
	}
	// The new window is there before the old one goes, so that nothing flickers.
	if old != nil {
		old.closing()
	}
	p.markShown()
	if v.Kind == inbox.Nothing && p.queue.Len() == 0 && len(p.owed) == 0 && p.cfg.Idle != nil {
		p.cfg.Idle()
	}
}

// Locked takes over whether the screen is locked. What was put on a locked
// screen counts as shown when that is unlocked.
func (p *Presenter) Locked(on bool) {
	p.locked = on
	p.markShown()
}

// markShown says that the message on the screen was put there, unless nobody can
// see it.
func (p *Presenter) markShown() {
	m := p.shown.Message
	if p.locked || m.ShownAt != nil || p.shown.Kind != inbox.Card && p.shown.Kind != inbox.Emergency {
		return
	}
	p.asked.Go(func(ctx context.Context) {
		// It is the sender who wants to know; here nothing depends on it.
		_, _ = p.cfg.Client.Mark(ctx, control.MarkRequest{IDs: []messngr.ID{m.ID}, As: "shown"})
	})
}

// Finish waits until the service knows what the person did, for as long as ctx
// allows.
func (p *Presenter) Finish(ctx context.Context) { p.asked.Finish(ctx) }

// remove takes messages out of the queue, and off the screen.
func (p *Presenter) remove(ids ...messngr.ID) {
	for _, id := range ids {
		delete(p.drafts, id)
	}
	p.queue.Remove(ids...)
	p.changed()
}

// acknowledge says that a person has seen the message. If the service is away it
// is told when it is back; until it has taken that, the message comes back after
// a while: nobody else knows that it was seen.
func (p *Presenter) acknowledge(m control.Message) {
	p.remove(m.ID)
	p.owed[m.ID] = true
	p.asked.Go(func(ctx context.Context) {
		err := inbox.Acknowledge(ctx, p.cfg.Client, m.ID)
		if p.asked.Over() {
			return
		}
		p.cfg.App.Post(func() {
			if err == nil {
				delete(p.owed, m.ID)
				p.changed() // it may have been the last thing to do
				return
			}
			p.arrived(m)
			p.queue.PutOff(time.Now(), m.ID)
		})
	})
}

// reply sends an answer to m, and calls done with what became of it: a sentence,
// and whether it left.
func (p *Presenter) reply(m control.Message, text string, done func(outcome string, sent bool)) {
	words := p.cfg.Words
	p.answered = m.ID
	p.asked.Go(func(ctx context.Context) {
		answer, err := inbox.Reply(ctx, p.cfg.Client, &m, text)
		outcome, sent := "", false
		switch {
		case err != nil:
			outcome = describe.Trouble(words, err)
		case len(answer.Recipients) > 0:
			outcome, sent = describe.Outcome(words, &answer.Recipients[0]), answer.Reached
		}
		if sent {
			_ = inbox.Acknowledge(ctx, p.cfg.Client, m.ID) // what was answered was seen; at worst it is shown again
		}
		p.cfg.App.Post(func() {
			if !sent {
				p.answered = messngr.ID{}
			}
			done(outcome, sent)
		})
	})
}
