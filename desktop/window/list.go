package window

import (
	"fmt"
	"time"

	"messngr/control"
	"messngr/desktop/describe"
	"messngr/desktop/gtk"
)

// list is the list of messages.
type list struct {
	gtk.List
	w      *Window
	scroll gtk.Scroll
	// stack shows the list, or that it is empty.
	stack gtk.Stack
	none  gtk.Label
	hint  gtk.Label
	rows  []row
}

// row is what may change in a row.
type row struct {
	name, fresh gtk.Label
}

func newList(w *Window) list {
	app, words := w.cfg.App, w.cfg.Words
	l := list{List: app.NewList(), w: w}
	l.SetAccessible(words.Window.List, "")
	l.none, l.hint = app.NewParagraph(words.Window.Empty), app.NewParagraph("")
	empty := app.NewColumn(6)
	empty.SetBorder(24)
	for _, label := range []gtk.Label{l.none, l.hint} {
		label.SetCentered()
		label.SetMaxChars(30)
		label.AddClass("messngr-dim")
		empty.Add(label)
	}
	empty.SetAlign(gtk.Fill, gtk.Center)
	l.OnSelect(func(n int) {
		if !w.filling && n >= 0 {
			w.choose(n)
		}
	})
	l.OnKey(func(k gtk.Key) bool {
		switch k.Name {
		case "Delete":
			w.tools.discard.Click()
		// The list is one stop of many: GTK would go through all messages, which
		// would then be read.
		case "Tab":
			w.message.text.GrabFocus()
		case "ISO_Left_Tab":
			w.search.GrabFocus()
		default:
			return false
		}
		return true
	})
	l.scroll = app.NewScroll(l, true)
	l.scroll.OnScroll(func(below float64) {
		const near = 200
		if below < near && !w.filling {
			w.loadOlder(func() {})
		}
	})
	l.stack = app.NewStack()
	l.stack.Add(pageList, l.scroll)
	l.stack.Add(pageNone, empty)
	return l
}

// pageList is the page of the stack with the list.
const pageList = "list"

// fill shows these messages and no others.
func (l *list) fill(messages []control.Message) {
	for range l.rows {
		l.List.Remove(0)
	}
	l.rows = l.rows[:0]
	for i := range messages {
		l.insert(&messages[i], -1)
	}
	l.sayEmpty()
	l.choosePage()
}

// sayEmpty brings up to date what is said where there are no messages.
func (l *list) sayEmpty() {
	words, searched := l.w.cfg.Words, l.w.box.search != ""
	l.none.SetText(words.Window.Empty)
	l.hint.SetText(fmt.Sprintf(words.Window.EmptyHint, l.w.host))
	if searched {
		l.none.SetText(words.Window.NotFound)
	}
	l.hint.SetVisible(!searched && l.w.host != "")
}

// insert puts a message before the row with that number; -1: at the end.
func (l *list) insert(m *control.Message, at int) {
	app, words := l.w.cfg.App, l.w.cfg.Words
	sender := describe.Of(words, m)
	name := app.NewLabel(sender.Name)
	fresh := app.NewLabel(words.Window.New)
	fresh.SetWhole()
	fresh.AddClass("messngr-new")
	fresh.KeepHidden()
	when := app.NewLabel(describe.ShortTime(words, m.ReceivedAt, time.Now()))
	when.SetWhole()
	when.AddClass("messngr-small")
	first := app.NewRow(8)
	first.Add(name)
	first.AddEnd(when, fresh)

	trust := app.NewLabel(sender.Trust)
	trust.SetWhole()
	trust.AddClass("messngr-tag")
	if sender.Proven {
		trust.AddClass("messngr-tag-proven")
	}
	text := app.NewLabel(describe.Excerpt(m))
	text.AddClass("messngr-dim")
	second := app.NewRow(8)
	second.Add(trust)
	second.AddFilling(text)

	column := app.NewColumn(3)
	column.SetMargins(6, 8, 6, 8)
	column.Add(first, second)
	r := row{name: name, fresh: fresh}
	if at < 0 {
		at = len(l.rows)
	}
	l.rows = append(l.rows, row{})
	copy(l.rows[at+1:], l.rows[at:])
	l.rows[at] = r
	l.List.Insert(column, l.spoken(m), at)
	l.mark(r, m)
	l.choosePage()
}

func (l *list) choosePage() {
	if len(l.rows) == 0 {
		l.stack.Choose(pageNone)
	} else {
		l.stack.Choose(pageList)
	}
}

// spoken is what a screen reader says of a row.
func (l *list) spoken(m *control.Message) string {
	words := l.w.cfg.Words
	format := words.Window.Row
	if m.ReadAt == nil {
		format = words.Window.RowNew
	}
	s := describe.Of(words, m)
	return fmt.Sprintf(format, s.Name, s.Trust, describe.Time(words, m.ReceivedAt, time.Now()), describe.Excerpt(m))
}

// mark shows whether a message is new.
func (l *list) mark(r row, m *control.Message) {
	r.fresh.SetVisible(m.ReadAt == nil)
	if m.ReadAt == nil {
		r.name.AddClass("messngr-strong")
	} else {
		r.name.RemoveClass("messngr-strong")
	}
}

// update shows anew what may change in a row.
func (l *list) update(n int) {
	if n < 0 || n >= len(l.rows) {
		return
	}
	m := &l.w.box.messages[n]
	l.mark(l.rows[n], m)
	l.SetRowName(n, l.spoken(m))
}

// Remove takes a row away.
func (l *list) Remove(n int) {
	l.List.Remove(n)
	l.rows = append(l.rows[:n], l.rows[n+1:]...)
	l.choosePage()
}
