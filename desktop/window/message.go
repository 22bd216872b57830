package window

import (
	"strings"
	"time"

	"messngr"
	"messngr/control"
	"messngr/desktop/describe"
	"messngr/desktop/gtk"
	"messngr/desktop/inbox"
)

// message is the part of the window that shows one message.
type message struct {
	gtk.Box
	w     *Window
	shown messngr.ID
	stack gtk.Stack

	name, trust, long, to, date gtk.Label
	level                       gtk.Label
	warning                     gtk.Box
	warningText                 gtk.Label
	title                       gtk.Label
	// pending says that something is to be done with the message, and deeds are the
	// buttons for that.
	pending  bool
	question gtk.Box
	deeds    gtk.Scroll
	text     gtk.TextView
	scroll   gtk.Scroll
}

// The pages of the stack.
const (
	pageMessage = "message"
	pageNone    = "none"
)

func newMessage(w *Window) *message {
	app, words := w.cfg.App, w.cfg.Words
	m := &message{w: w, Box: app.NewColumn(0), stack: app.NewStack()}
	page := app.NewColumn(10)
	page.SetMargins(10, 12, 6, 9)
	page.Add(m.header())

	m.warningText = app.NewParagraph("")
	m.warning = app.NewRow(10)
	m.warning.AddClass("messngr-warning")
	m.warning.Add(app.NewImage("dialog-warning-symbolic", 16))
	m.warning.AddFilling(m.warningText)
	m.warning.ShowAll()
	m.warning.Hide()
	m.warning.KeepHidden()
	m.title = app.NewParagraph("")
	m.title.AddClass("messngr-title")
	m.title.SetMaxLines(3)
	m.title.KeepHidden()
	const padding = 8
	m.text = app.NewTextView(false)
	m.text.SetPadding(padding, padding)
	m.text.AddClass("messngr-text")
	m.text.SetAccessible(words.Window.Text, "")
	m.scroll = app.NewScroll(m.text, true)
	m.question = app.NewColumn(0)
	m.question.KeepHidden()
	page.Add(m.warning, m.title)
	page.AddFilling(m.scroll)
	page.Add(m.question)

	m.stack.Add(pageMessage, page)
	m.stack.Add(pageNone, app.NewRow(0))
	m.AddFilling(m.stack)
	return m
}

// header has the lines that WinPopup had: from whom, to whom, when.
func (m *message) header() gtk.Grid {
	app, words := m.w.cfg.App, m.w.cfg.Words
	m.name, m.trust, m.long = app.NewLabel(""), app.NewLabel(""), app.NewParagraph("")
	m.to, m.date, m.level = app.NewLabel(""), app.NewLabel(""), app.NewLabel("")
	m.trust.SetWhole()
	m.trust.AddClass("messngr-badge")
	m.trust.SetAlign(gtk.Start, gtk.Center)
	m.level.SetWhole()
	m.level.AddClass("messngr-badge")
	m.level.AddClass("messngr-urgent")
	m.level.KeepHidden()
	m.long.AddClass("messngr-small")
	who := app.NewRow(10)
	who.Add(m.name, m.trust, m.level)

	grid := app.NewGrid(4, 12)
	put := func(row int, label string, value, of gtk.Object) {
		if label != "" {
			caption := app.NewCaption(label, of)
			caption.AddClass("messngr-caption")
			grid.Put(caption, 0, row)
		}
		grid.Put(value, 1, row)
	}
	put(0, words.Window.MessageFrom, who, m.name)
	put(1, "", m.long, nil)
	put(2, words.Window.To, m.to, m.to)
	put(3, words.Window.Date, m.date, m.date)
	return grid
}

// show shows a message, or that there is none.
func (m *message) show(msg *control.Message) {
	if msg == nil {
		m.shown = messngr.ID{}
		m.stack.Choose(pageNone)
		return
	}
	m.stack.Choose(pageMessage)
	pending := inbox.MustBeAnswered(msg, time.Now())
	if m.shown == msg.ID && m.pending == pending {
		return
	}
	again := m.shown == msg.ID
	m.shown, m.pending = msg.ID, pending
	m.ask(msg)
	if again {
		return // what is marked in the text stays
	}
	words := m.w.cfg.Words
	sender := describe.Of(words, msg)
	m.name.SetText(sender.Name)
	setClass(m.name.Widget, "messngr-name", "messngr-claim", sender.Proven)
	m.trust.SetText(sender.Trust)
	setClass(m.trust.Widget, "messngr-proven", "messngr-unverified", sender.Proven)
	m.long.SetText(sender.Long)
	m.to.SetText(describe.To(msg))
	m.date.SetText(describe.Time(words, msg.ReceivedAt, time.Now()))

	var level []string
	switch l := describe.Level(msg); {
	case l >= messngr.LevelEmergency:
		level = append(level, words.Emergency.Real)
	case l == messngr.LevelUrgent:
		level = append(level, words.Popup.Urgent)
	}
	if msg.Drill {
		level = append(level, words.Popup.Drill)
	}
	setText(m.level.Widget, m.level, strings.Join(level, " · "))
	setText(m.warning.Widget, m.warningText, describe.Warning(words, msg))
	setText(m.title.Widget, m.title, describe.Title(msg))
	m.text.SetText(describe.Text(msg))
	m.scroll.Top()
}

// ask shows a button for each of the answers that are asked for, and one to
// acknowledge what has to be.
func (m *message) ask(msg *control.Message) {
	if m.deeds.Valid() {
		m.deeds.Destroy()
		m.deeds = gtk.Scroll{}
	}
	m.question.SetVisible(m.pending || len(msg.Answers) > 0)
	app, words := m.w.cfg.App, m.w.cfg.Words
	column := app.NewColumn(8)
	var buttons []gtk.Button
	asked := *msg
	for _, answer := range describe.Answers(msg) {
		b := app.NewButton(describe.Escape(answer))
		b.OnClick(func() { m.w.answer(&asked, answer) })
		buttons = append(buttons, b)
	}
	if len(buttons) > 0 {
		column.Add(app.NewLabel(words.Popup.Choose))
	}
	if m.pending {
		seen := app.NewButton(describe.Plain(words.Emergency.Seen))
		if len(buttons) == 0 {
			seen.AddClass("suggested-action")
		}
		seen.OnClick(m.w.acknowledge)
		buttons = append(buttons, seen)
	}
	column.AddWrapped(buttons, 8, m.w.deedsWidth, gtk.Start)
	column.ShowAll()
	m.deeds = app.NewScroll(column, false)
	m.deeds.SetMinHeight(min(column.NaturalHeight(m.w.deedsWidth), m.w.deedsHeight))
	m.question.Add(m.deeds)
	m.deeds.ShowAll()
}

// setText shows a text, or hides what it stands in if there is none.
func setText(place gtk.Widget, l gtk.Label, text string) {
	l.SetText(text)
	place.SetVisible(text != "")
}

// setClass gives the widget one class or the other.
func setClass(w gtk.Widget, yes, no string, on bool) {
	if !on {
		yes, no = no, yes
	}
	w.AddClass(yes)
	w.RemoveClass(no)
}
