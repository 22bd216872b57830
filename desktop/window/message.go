package window

import (
	"strings"
	"time"

	"messngr"
	"messngr/control"
	"messngr/desktop/describe"
	"messngr/desktop/gtk"
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
	question, answers           gtk.Box
	text                        gtk.TextView
	scroll                      gtk.Scroll
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
	m.question = app.NewRow(8)
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
	if m.shown == msg.ID {
		return
	}
	m.shown = msg.ID
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
	if describe.Level(msg) >= messngr.LevelUrgent {
		level = append(level, words.Popup.Urgent)
	}
	if msg.Drill {
		level = append(level, words.Popup.Drill)
	}
	setText(m.level.Widget, m.level, strings.Join(level, " · "))
	setText(m.warning.Widget, m.warningText, describe.Warning(words, msg))
	setText(m.title.Widget, m.title, describe.Title(msg))
	m.ask(msg)
	m.text.SetText(describe.Text(msg))
	m.scroll.Top()
}

// ask shows a button for each of the answers that are asked for.
func (m *message) ask(msg *control.Message) {
	if m.answers.Valid() {
		m.answers.Destroy()
		m.answers = gtk.Box{}
	}
	m.question.SetVisible(len(msg.Answers) > 0)
	if len(msg.Answers) == 0 {
		return
	}
	app, words := m.w.cfg.App, m.w.cfg.Words
	m.answers = app.NewRow(8)
	m.answers.Add(app.NewLabel(words.Popup.Choose))
	asked := *msg
	for _, answer := range describe.Answers(msg) {
		b := app.NewButton(describe.Escape(answer))
		b.OnClick(func() { m.w.answer(&asked, answer) })
		m.answers.Add(b)
	}
	m.question.Add(m.answers)
	m.answers.ShowAll()
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
