package tray

import (
	"context"
	"fmt"
	"strings"
	"time"

	"messngr"
	"messngr/control"
	"messngr/tray/card"
	"messngr/tray/desktop"
	"messngr/tray/feed"
	"messngr/tray/icon"
	"messngr/tray/notification"
	"messngr/wire/oem"
)

// What a person does.

// The keys of the lines of the menu.
const (
	clickShow = "show"
	clickRead = "read"
	clickMute = "mute"
	clickQuit = "quit"
)

// clicked deals with a click on the icon or its menu.
func (a *agent) clicked(ctx context.Context, c click) {
	switch c.key {
	case icon.Activated:
		a.open(ctx, []string{windowTray}, c.token, func() { a.showUnread(ctx) })
	case clickShow:
		a.showUnread(ctx)
	case clickRead:
		a.readAll(ctx)
	case clickMute:
		if err := a.disturb.set(!a.disturb.off()); err != nil {
			a.tell(a.words.App, err.Error())
		}
		a.refresh(ctx)
	case clickQuit:
		a.quit()
	}
}

// called deals with what another instance was told to do.
func (a *agent) called(ctx context.Context, call string) {
	switch call {
	case callShow:
		a.open(ctx, nil, "", func() { a.showUnread(ctx) })
	case callRefresh:
		a.refresh(ctx)
	}
}

// What the window is to do.
const (
	windowShow  = "--message" // and its id
	windowReply = "--reply"   // and its id
	// windowTray has it minimized to the icon, which whoever clicked on it sees.
	windowTray = "--tray"
)

// open opens the window with such options, or does otherwise where it cannot.
func (a *agent) open(ctx context.Context, options []string, token string, otherwise func()) {
	installed := a.program.Window(options, token, func() {
		select {
		case a.results <- otherwise:
		case <-ctx.Done():
		}
	})
	if !installed {
		otherwise()
	}
}

// refresh looks whether nobody is to be disturbed, and does what follows.
func (a *agent) refresh(ctx context.Context) {
	a.muted = a.disturb.off()
	soon(&a.iconAt, a.drawn, 0)
	if a.muted {
		a.program.Stop()
		return
	}
	a.release(ctx)
	if a.popUp <= messngr.LevelNotice {
		soon(&a.popUpAt, a.program.Began(), desktop.Pause)
	}
}

// popIfDue starts the pop-ups if it is time.
func (a *agent) popIfDue(ctx context.Context, now time.Time) {
	if !a.popUpAt.IsZero() && !now.Before(a.popUpAt) {
		a.popUpAt = time.Time{}
		a.pop(ctx, now)
	}
}

// pop starts the program that shows pop-ups, unless it runs. If everything
// pops up it stays, so that the next message finds it there.
func (a *agent) pop(ctx context.Context, now time.Time) {
	if again := a.program.Again(); now.Before(again) {
		a.popUpAt = again
		return
	}
	if a.program.Failing() && !a.waitsForPopUps() {
		return // it has been dealt with meanwhile
	}
	level := a.popUp
	if a.muted {
		level = max(level, a.breakThrough)
	}
	if level < never {
		a.program.Pop(ctx, level, a.muted || level > messngr.LevelNotice, a.locked, now)
	}
}

// mustPop reports whether a message is to be seen in a pop-up.
func (a *agent) mustPop(m *control.Message) bool {
	return m.Level >= a.popUp || len(m.Answers) > 0 && a.popUp < never
}

// waitsForPopUps reports whether something that is to be seen in a pop-up is on
// the screen, or pop-ups are always to run.
func (a *agent) waitsForPopUps() bool {
	if !a.muted && a.popUp <= messngr.LevelNotice {
		return true
	}
	for _, s := range a.shown {
		if a.mustPop(&s.m) {
			return true
		}
	}
	return a.digest.count() > 0 && a.digest.level >= a.popUp
}

// popUpsEnded takes note that they have ended. What came while they were about
// to, and what they are to wait for, are reasons to start them again; and all
// that they have not shown, if they have failed.
func (a *agent) popUpsEnded(err error) {
	p, now := a.program, time.Now()
	p.Over(err, now)
	again := err != nil && a.waitsForPopUps()
	for _, s := range a.shown {
		again = again || s.m.Level >= a.popUp && now.Sub(s.since) < desktop.Pause
	}
	if again || !a.muted && a.popUp <= messngr.LevelNotice && now.Sub(p.Began()) > desktop.Longest {
		soon(&a.popUpAt, p.Began(), desktop.Pause)
	}
}

// popUpsAnew starts pop-ups that have failed, now that the service is back.
func (a *agent) popUpsAnew() {
	if !a.program.Failing() {
		return
	}
	a.program.Forgive()
	a.popUpAt = time.Time{}
	if a.waitsForPopUps() {
		soon(&a.popUpAt, a.program.Began(), desktop.Pause)
	}
}

// showUnread shows the unread messages, because a person asks for them.
func (a *agent) showUnread(ctx context.Context) {
	a.errand(ctx, func(ctx context.Context, c *control.Client) (func(), error) {
		b, err := feed.ReadBacklog(ctx, c)
		if err != nil {
			return nil, err
		}
		return func() { a.showAll(b.Unread) }, nil
	})
}

// showAll shows messages whether anybody is to be disturbed or not.
func (a *agent) showAll(list []control.Message) {
	if len(list) == 0 {
		a.tell(a.words.App, a.words.Unread[0])
		return
	}
	now := time.Now()
	few := len(list) <= backlogFew
	for i := range list {
		m := &list[i]
		switch s := a.shown[m.ID]; {
		case s != nil:
			a.put(s, "")
		case few && !feed.IsExpired(m, now):
			a.shown[m.ID] = &shown{m: *m}
			a.put(a.shown[m.ID], "")
		default:
			a.digest.add(m, now)
			a.digest.waited = true
		}
	}
}

// readAll marks everything as read.
func (a *agent) readAll(ctx context.Context) {
	a.errand(ctx, func(ctx context.Context, c *control.Client) (func(), error) {
		q := control.MessageQuery{Own: true, Unread: true, Limit: 1000}
		for {
			l, err := c.Messages(ctx, q)
			if err != nil || len(l.Messages) == 0 {
				return nil, err
			}
			var ids []messageID
			for _, m := range l.Messages {
				ids = append(ids, m.ID)
				q.Before = m.Seq
			}
			if _, err := c.Mark(ctx, control.MarkRequest{IDs: ids, As: "read"}); err != nil {
				return nil, err
			}
		}
	})
}

// invoked deals with a button of a notification.
func (a *agent) invoked(ctx context.Context, e notification.Invoked) {
	if e.ID == a.digest.note && e.ID != 0 {
		a.digestInvoked(ctx, e)
		return
	}
	s := a.shown[a.byNote[e.ID]]
	if s == nil {
		return
	}
	switch e.Key {
	case notification.ActionDefault:
		a.open(ctx, []string{windowShow, s.m.ID.String()}, e.Token, func() { a.tell(a.words.Headline(&s.m), fmt.Sprintf(a.words.HowToOpen, s.m.Seq)) })
	case notification.ActionReply:
		a.open(ctx, []string{windowReply, s.m.ID.String()}, e.Token, func() { a.tell(a.words.Headline(&s.m), fmt.Sprintf(a.words.HowToReply, s.m.Seq)) })
	case card.KeyAcknowledge:
		a.acknowledge(ctx, &s.m)
	default:
		if number, ok := card.Answer(&s.m, e.Key); ok {
			a.answer(ctx, s.m, s.m.Answers[number])
		}
	}
}

func (a *agent) digestInvoked(ctx context.Context, e notification.Invoked) {
	switch e.Key {
	case notification.ActionDefault:
		a.open(ctx, nil, e.Token, func() { a.tell(a.words.App, a.words.HowToList) })
	case card.KeyRead:
		var ids []messngr.ID
		for id := range a.digest.ids {
			ids = append(ids, id)
		}
		a.mark(ctx, "read", ids)
	}
}

// replied deals with what a person wrote into a notification.
func (a *agent) replied(ctx context.Context, e notification.Replied) {
	if s := a.shown[a.byNote[e.ID]]; s != nil && strings.TrimSpace(e.Text) != "" {
		a.answer(ctx, s.m, e.Text)
	}
}

// acknowledge says that a person has seen a message, which is then read as well.
// If the service is away it is told when it is back, and the person for now.
func (a *agent) acknowledge(ctx context.Context, m *control.Message) {
	a.owed[m.ID] = true
	headline := a.words.Headline(m)
	a.tellAcknowledged(ctx, m.ID, func() { a.tell(headline, a.words.Owed) })
}

// tellAcknowledged tells the service, and calls failed if that is impossible.
func (a *agent) tellAcknowledged(ctx context.Context, id messageID, failed func()) {
	a.errand(ctx, func(ctx context.Context, c *control.Client) (func(), error) {
		if err := acknowledge(ctx, c, id); err != nil {
			a.log.Warn("acknowledge a message", "id", id, "err", err)
			return failed, nil
		}
		return func() { delete(a.owed, id) }, nil
	})
}

func acknowledge(ctx context.Context, c *control.Client, id messageID) error {
	for _, as := range []string{"acknowledged", "read"} {
		if _, err := c.Mark(ctx, control.MarkRequest{IDs: []messageID{id}, As: as}); err != nil {
			return err
		}
	}
	return nil
}

// answer sends an answer, and acknowledges the message when it has gone.
func (a *agent) answer(ctx context.Context, m control.Message, text string) {
	req, ok := control.ReplyTo(&m)
	if !ok {
		a.tell(a.words.Headline(&m), a.words.CannotReply)
		return
	}
	req.Text = text
	a.errand(ctx, func(ctx context.Context, c *control.Client) (func(), error) {
		answer, _, err := c.Reply(ctx, req)
		reason := ""
		switch {
		case err != nil:
			reason = err.Error()
		case !answer.Reached && len(answer.Recipients) > 0:
			reason = answer.Recipients[0].Error
		}
		if reason != "" {
			return func() { a.tell(a.words.Headline(&m), a.words.NotSent+": "+oem.CleanLine(reason)) }, nil
		}
		return nil, acknowledge(ctx, c, m.ID)
	})
}
