package window

import (
	"context"
	"time"

	"messngr"
	"messngr/control"
	"messngr/desktop/describe"
	"messngr/desktop/inbox"
)

// What a person does to messages.

// read marks the current message as read. What has to be acknowledged or answered
// stays as it is: to look at it is not enough.
func (w *Window) read() {
	now := time.Now()
	m := w.box.at()
	if m == nil || m.ReadAt != nil || inbox.MustBeAnswered(m, now) {
		return
	}
	id := m.ID
	m.ReadAt = &now
	w.list.update(w.box.index())
	w.refresh()
	w.asked.Go(func(ctx context.Context) {
		_, err := w.cfg.Client.Mark(ctx, control.MarkRequest{IDs: []messngr.ID{id}, As: "read"})
		w.report(err)
	})
}

// acknowledge says that the person has seen the current message.
func (w *Window) acknowledge() {
	m := w.box.at()
	if m == nil {
		return
	}
	id := m.ID
	w.asked.Go(func(ctx context.Context) {
		err := inbox.Acknowledge(ctx, w.cfg.Client, id)
		w.report(err)
		if err == nil {
			w.cfg.App.Post(func() { w.acknowledged([]messngr.ID{id}) })
		}
	})
}

// acknowledged shows that messages were acknowledged, here or elsewhere.
func (w *Window) acknowledged(ids []messngr.ID) {
	now := time.Now()
	for _, id := range ids {
		if i := w.box.find(id); i >= 0 {
			w.box.messages[i].AcknowledgedAt = &now
		}
	}
	w.marked(ids, true)
}

// retracted shows that messages no longer hold, as the service keeps them.
func (w *Window) retracted(ids []messngr.ID) {
	now := time.Now()
	for _, id := range ids {
		if i := w.box.find(id); i >= 0 {
			w.box.messages[i].ExpiresAt = &now
		}
	}
	w.refresh()
}

// activated is called when the window gets the keyboard: what is seen is read.
func (w *Window) activated() {
	w.win.SetUrgent(false)
	w.read()
}

// discard takes the current message away; for a while it can be taken back.
func (w *Window) discard() {
	m := w.box.at()
	if m == nil {
		return
	}
	w.discardNow()
	kept := *m
	w.discarded = &kept
	w.drop(kept.ID)
	w.note.offer(w.cfg.Words.Window.Discarded, w.cfg.Words.Window.Undo, w.undo)
	w.regret = w.cfg.App.After(regret, func() {
		w.discardNow()
		w.note.hide()
	})
}

// drop takes a message out of the list.
func (w *Window) drop(id messngr.ID) {
	at := w.box.remove(id)
	if at < 0 {
		return
	}
	w.filling = true
	w.list.Remove(at)
	w.list.Select(w.box.index())
	w.filling = false
	w.refresh()
	if w.win.Active() {
		w.read()
	}
}

// answer sends one of the answers that were asked for.
func (w *Window) answer(m *control.Message, text string) {
	w.note.say(w.cfg.Words.Popup.Sending)
	w.asked.Go(func(ctx context.Context) {
		answer, err := inbox.Reply(ctx, w.cfg.Client, m, text)
		if err != nil || len(answer.Recipients) == 0 {
			w.report(err)
			return
		}
		if answer.Reached {
			w.report(inbox.Acknowledge(ctx, w.cfg.Client, m.ID))
		}
		w.cfg.App.Post(func() { w.note.say(describe.Outcome(w.cfg.Words, &answer.Recipients[0])) })
	})
}

func (w *Window) undo() {
	m := w.discarded
	if m == nil {
		return
	}
	w.regret.Stop()
	w.discarded = nil
	w.note.hide()
	at := w.box.restore(*m)
	w.filling = true
	w.list.insert(m, at)
	w.list.Select(at)
	w.filling = false
	w.refresh()
}

// discardNow deletes the message that could still be taken back.
func (w *Window) discardNow() {
	m := w.discarded
	if m == nil {
		return
	}
	w.regret.Stop()
	w.discarded = nil
	w.asked.Go(func(ctx context.Context) { w.report(w.cfg.Client.Delete(ctx, m.ID)) })
}
