package window

import (
	"context"
	"slices"
	"time"

	"messngr"
	"messngr/control"
	"messngr/desktop/describe"
)

// State says whether the service answers.
func (w *Window) State(err error) {
	if err != nil {
		w.note.warn(describe.Trouble(w.cfg.Words, err))
		return
	}
	w.note.hide()
	w.asked.Go(func(ctx context.Context) {
		status, err := w.cfg.Client.Status(ctx)
		if err != nil {
			return
		}
		w.cfg.App.Post(func() { w.learn(&status) })
	})
}

// learn takes over the names of this computer.
func (w *Window) learn(s *control.Status) {
	w.host, w.workgroup = describe.Clean(s.Name), describe.Clean(s.Workgroup)
	w.names = w.names[:0]
	for _, n := range s.Names {
		if !n.Group && !slices.Contains(w.names, n.Name) {
			w.names = append(w.names, n.Name)
		}
	}
	w.list.sayEmpty()
	w.refresh()
}

// Event takes over what has happened to messages.
func (w *Window) Event(e control.Event) {
	switch e.Kind {
	case control.EventArrived:
		w.arrived(*e.Message)
	case control.EventRead, control.EventUnread:
		w.marked(e.IDs, e.Kind == control.EventRead)
	case control.EventAcknowledged:
		w.acknowledged(e.IDs)
	case control.EventRetracted:
		w.retracted(e.IDs)
	case control.EventDeleted:
		for _, id := range e.IDs {
			w.drop(id)
		}
	case control.EventResync:
		w.reload()
	}
}

// marked shows that messages were read, or are to be taken for unread.
func (w *Window) marked(ids []messngr.ID, read bool) {
	for _, id := range ids {
		i := w.box.find(id)
		if i < 0 || (w.box.messages[i].ReadAt != nil) == read {
			continue
		}
		w.box.messages[i].ReadAt = nil
		if read {
			now := time.Now()
			w.box.messages[i].ReadAt = &now
		}
		w.list.update(i)
	}
	w.refresh()
}

func (w *Window) arrived(m control.Message) {
	if w.box.arrive(m) {
		w.filling = true
		w.list.insert(&m, 0)
		if !w.win.Active() {
			w.box.current = m.ID
		}
		w.list.Select(w.box.index())
		w.filling = false
		w.refresh()
		w.want()
	}
	w.announce()
}

// announce tells the person that something came, once for all that comes now.
func (w *Window) announce() {
	if w.announcing {
		return
	}
	w.announcing = true
	w.cfg.App.Post(func() {
		w.announcing = false
		if w.opts.Sound {
			playSound(w.cfg.App)
		}
		if w.win.Active() {
			w.read()
			return
		}
		w.win.SetUrgent(true)
		if w.opts.PopUp {
			w.win.Present()
		}
	})
}

// Show brings the window to the front, with that message; the zero id means
// whatever is shown.
func (w *Window) Show(id messngr.ID) {
	w.wanted = id
	w.want()
	w.win.Present()
}

// Reply shows that message, and opens the window to answer it.
func (w *Window) Reply(id messngr.ID) {
	w.Show(id)
	w.asked.Go(func(ctx context.Context) {
		m, err := w.cfg.Client.Message(ctx, id)
		if err != nil {
			w.report(err)
			return
		}
		w.cfg.App.Post(func() {
			if _, ok := control.ReplyTo(&m); ok {
				w.openCompose(&m)
			}
		})
	})
}

// want shows the wanted message if it is in the list.
func (w *Window) want() {
	if i := w.box.find(w.wanted); w.wanted != (messngr.ID{}) && i >= 0 {
		w.wanted = messngr.ID{}
		w.choose(i)
	}
}

// searched shows what the service finds.
func (w *Window) searched() {
	w.box.search = w.search.Text()
	w.reload()
}

// reload reads the newest messages, or those that are searched for.
func (w *Window) reload() {
	w.loading++
	nr, search, limit := w.loading, w.box.search, max(page, len(w.box.messages))
	w.asked.Go(func(ctx context.Context) {
		l, err := w.cfg.Client.Messages(ctx, control.MessageQuery{Own: true, Search: search, Limit: limit})
		if err != nil {
			return // the feed tells the person
		}
		w.cfg.App.Post(func() {
			if nr == w.loading {
				w.loaded(l, len(l.Messages) == limit)
			}
		})
	})
}

func (w *Window) loaded(l control.MessageList, more bool) {
	list := w.kept(l.Messages)
	total := l.Total
	if w.discarded != nil {
		total--
	}
	if w.box.search != "" {
		total = len(list) // the service counts the whole inbox
	}
	changed := !w.box.same(list)
	w.box.replace(list, total, more)
	if changed || !w.filled {
		w.filling = true
		w.list.fill(w.box.messages)
		w.list.Select(w.box.index())
		w.filling = false
	}
	if !w.filled {
		w.filled = true
		w.list.Focus()
	}
	w.refresh()
	w.want()
	if w.win.Active() {
		w.read()
	}
}

// kept leaves out what was just discarded.
func (w *Window) kept(list []control.Message) []control.Message {
	return slices.DeleteFunc(list, func(m control.Message) bool { return w.discarded != nil && m.ID == w.discarded.ID })
}

// loadOlder reads the messages before the oldest one in the list.
func (w *Window) loadOlder(then func()) {
	if !w.box.more || w.older {
		return
	}
	w.older = true
	nr, search, before := w.loading, w.box.search, w.box.oldest()
	w.asked.Go(func(ctx context.Context) {
		l, err := w.cfg.Client.Messages(ctx, control.MessageQuery{Own: true, Search: search, Before: before, Limit: page})
		w.cfg.App.Post(func() {
			w.older = false
			if err != nil || nr != w.loading {
				return
			}
			more := len(l.Messages) == page
			list := w.kept(l.Messages)
			w.box.extend(list, more)
			w.filling = true
			for i := range list {
				w.list.insert(&list[i], -1)
			}
			w.filling = false
			w.refresh()
			then()
		})
	})
}
