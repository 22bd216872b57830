package popup

import (
	"fmt"
	"time"

	"messngr"
	"messngr/control"
	"messngr/desktop/describe"
	"messngr/desktop/gtk"
	"messngr/desktop/inbox"
	"messngr/desktop/lang"
)

// icon is the program's icon in the icon theme.
const icon = "messngr"

// The measures of a card, in characters and lines of the desktop's font.
const (
	cardColumns  = 58
	cardMinLines = 3
	replyLines   = 4
	headLines    = 3 // of a title or a warning
	// measured is how much of a text is looked at to find its height.
	measured = 8 << 10
)

// The measures of a card in pixels, and about how high a window's title is.
const (
	spacing = 12
	border  = 18
	frame   = 40
)

// card is the window that shows one message.
type card struct {
	p     *Presenter
	m     control.Message
	win   gtk.Window
	guard guard
	// width is how wide its content is, in pixels.
	width int

	counter gtk.Label
	next    gtk.Button

	root gtk.Box
	// scroll is what gives room to others, and high how high it is otherwise.
	scroll gtk.Scroll
	high   int

	text    gtk.TextView
	outcome gtk.Label
	hint    gtk.Label
	buttons gtk.Box
	ok      gtk.Button
	// asked is the question. Its answers are in it, or beside the other buttons.
	asked   gtk.Box
	beside  bool
	answers []gtk.Button
	writing *writing
}

func newCard(p *Presenter, v inbox.View) *card {
	app, words := p.cfg.App, p.cfg.Words
	c := &card{p: p, m: v.Message}
	line := describe.Line(words, &c.m)
	c.win = app.NewWindow(fmt.Sprintf(words.Popup.Title, line))
	c.win.SetIcon(icon)
	c.win.SetDialog()
	c.win.SetKeepAbove(true)
	c.win.SetUrgent(true)
	c.win.Stick()
	c.win.Center()
	c.win.SetRole(gtk.RoleAlert)
	c.win.SetAccessible(spoken(words, &c.m), describe.Excerpt(&c.m))
	c.win.OnClose(c.later)
	c.guard.watch(c.win, func() bool { return c.writing.Visible() })
	c.text = app.NewTextView(false)
	c.text.AddClass("messngr-text")
	em, _ := c.text.TextSize("0", 0, 0)
	across, _ := app.Room()
	c.width = min(cardColumns*em, across*8/10)

	c.root = app.NewColumn(spacing)
	c.root.SetBorder(border)
	c.fill(c.root)
	c.win.Add(c.root)
	c.update(v)

	c.win.OnKey(c.key)
	c.win.ShowAll()
	c.focus()
	if draft := p.drafts[c.m.ID]; draft != "" {
		c.writing.open(draft)
	}
	c.win.Present()
	return c
}

// fill puts what is to be read above what can be done. Where that is higher than
// the screen the upper part scrolls, so that the buttons are always there.
func (c *card) fill(root gtk.Box) {
	app := c.p.cfg.App
	upper, lower := app.NewColumn(spacing), app.NewColumn(spacing)
	c.above(upper)
	c.below(lower)
	upper.ShowAll()
	lower.ShowAll()
	_, height := app.Room()
	rest := height - frame - 2*border - spacing - lower.NaturalHeight(c.width)
	if upper.NaturalHeight(c.width) > rest {
		c.scroll, c.high = app.NewScroll(upper, false), rest
		c.scroll.SetMinHeight(rest)
		root.AddFilling(c.scroll)
		app.Post(c.scroll.Top) // whatever gets the keyboard at first
	} else {
		root.AddFilling(upper)
	}
	root.Add(lower)
}

// above is what is to be read, and the answers that were asked for.
func (c *card) above(column gtk.Box) {
	app, words := c.p.cfg.App, c.p.cfg.Words
	column.Add(c.header())
	if w := describe.Warning(words, &c.m); w != "" {
		column.Add(notice(app, w))
	}
	if title := describe.Title(&c.m); title != "" {
		l := app.NewParagraph(title)
		l.AddClass("messngr-title")
		l.SetMaxChars(cardColumns)
		l.SetMaxLines(headLines)
		column.Add(l)
	}
	column.AddFilling(c.body())
	if len(c.m.Answers) > 0 {
		c.asked = c.question(describe.NewLetters(c.okText(), words.Popup.Reply, words.Popup.Next))
		column.Add(c.asked)
	}
}

// below is what became of an answer, the field to write one, and the buttons.
func (c *card) below(column gtk.Box) {
	app := c.p.cfg.App
	c.outcome = app.NewParagraph("")
	c.outcome.AddClass("messngr-error")
	c.outcome.SetMaxChars(cardColumns)
	c.outcome.KeepHidden()
	c.writing = newWriting(c)
	c.buttons = c.buttonRow()
	column.Add(c.outcome, c.writing.Box, c.buttons, c.footer())
}

// spoken is what a screen reader says first when the message comes up.
func spoken(words *lang.Catalogue, m *control.Message) string {
	s := fmt.Sprintf(words.Popup.Spoken, describe.Line(words, m))
	if m.Drill {
		s = words.Popup.Drill + ". " + s
	}
	if describe.Level(m) >= messngr.LevelUrgent {
		s = words.Popup.Urgent + ". " + s
	}
	return s
}

// header says who sent the message, how that is proven, and when it came.
func (c *card) header() gtk.Box {
	app, words := c.p.cfg.App, c.p.cfg.Words
	sender := describe.Of(words, &c.m)

	name := app.NewLabel(sender.Name)
	name.AddClass("messngr-claim")
	trust := app.NewLabel(sender.Trust)
	trust.SetWhole()
	trust.AddClass("messngr-badge")
	trust.AddClass("messngr-unverified")
	if sender.Proven {
		name.RemoveClass("messngr-claim")
		name.AddClass("messngr-name")
		trust.RemoveClass("messngr-unverified")
		trust.AddClass("messngr-proven")
	}
	trust.SetAlign(gtk.Start, gtk.Center)
	first := app.NewRow(10)
	first.Add(name, trust)
	if describe.Level(&c.m) >= messngr.LevelUrgent {
		first.AddEnd(badge(app, words.Popup.Urgent, "messngr-urgent"))
	}
	if c.m.Drill {
		first.AddEnd(badge(app, words.Popup.Drill, "messngr-drill"))
	}

	long := app.NewParagraph(sender.Long)
	long.SetMaxChars(cardColumns)
	long.AddClass("messngr-small")
	received := app.NewLabel(describe.Received(words, &c.m, time.Now()))
	received.AddClass("messngr-small")
	received.AddClass("messngr-dim")

	column := app.NewColumn(4)
	column.Add(first, long, received)
	row := app.NewRow(14)
	image := app.NewImage(c.icon(), 36)
	image.SetAlign(gtk.Center, gtk.Start)
	row.Add(image)
	row.AddFilling(column)
	return row
}

func (c *card) icon() string {
	switch {
	case len(c.m.Answers) > 0:
		return "dialog-question-symbolic"
	case describe.Level(&c.m) >= messngr.LevelUrgent:
		return "dialog-warning-symbolic"
	}
	return "mail-unread-symbolic"
}

func badge(app *gtk.App, text, class string) gtk.Label {
	l := app.NewLabel(text)
	l.SetWhole()
	l.AddClass("messngr-badge")
	l.AddClass(class)
	l.SetAlign(gtk.End, gtk.Center)
	return l
}

// notice is a line that asks the reader to be careful.
func notice(app *gtk.App, text string) gtk.Box {
	row := app.NewRow(10)
	row.AddClass("messngr-warning")
	row.Add(app.NewImage("dialog-warning-symbolic", 16))
	l := app.NewParagraph(text)
	l.SetMaxChars(cardColumns)
	l.SetMaxLines(headLines)
	row.AddFilling(l)
	return row
}

// body shows the text, as high as it is as long as that leaves room on the
// screen for all else.
func (c *card) body() gtk.Scroll {
	app := c.p.cfg.App
	const padding = 8
	c.text.SetPadding(padding, padding)
	c.text.SetAccessible(c.p.cfg.Words.Popup.Message, "")
	text := describe.Text(&c.m)
	c.text.SetText(text)
	s := app.NewScroll(c.text, true)

	_, height := app.Room()
	_, line := c.text.TextSize("0", 0, 0)
	_, high := c.text.TextSize(text[:min(len(text), measured)], c.width-2*padding, 0)
	c.high = min(max(high, cardMinLines*line)+2*padding, height*4/10)
	s.SetMinSize(c.width, -1)
	s.SetMinHeight(c.high)
	c.scroll = s
	return s
}

// makeRoom makes what scrolls as much lower as the card is too high for the
// screen, for as long as an answer is written.
func (c *card) makeRoom() {
	_, height := c.p.cfg.App.Room()
	over := c.root.NaturalHeight(c.width) + frame - height
	c.scroll.SetMinHeight(c.high - max(over, 0))
}

// buttonRow has OK, or the answers of a question, and Reply.
func (c *card) buttonRow() gtk.Box {
	app, words := c.p.cfg.App, c.p.cfg.Words
	row := app.NewRow(8)
	c.next = app.NewButton(words.Popup.Next)
	c.next.OnClick(c.guard.click(c.onNext))
	c.next.KeepHidden()
	c.counter = app.NewLabel("")
	c.counter.SetWhole()
	row.Add(c.counter, c.next)
	c.ok = app.NewButton(c.okText())
	c.ok.OnClick(c.guard.click(func() { c.p.acknowledge(c.m) }))
	if len(c.answers) > 0 {
		c.ok.KeepHidden()
	} else {
		c.ok.AddClass("suggested-action")
	}
	reply := app.NewButton(words.Popup.Reply)
	if _, ok := control.ReplyTo(&c.m); !ok {
		reply.SetSensitive(false)
		reply.SetTooltip(words.Popup.NoReply)
	}
	reply.OnClick(c.guard.click(func() { c.writing.open("") }))
	row.AddEnd(c.ok)
	for i := len(c.answers) - 1; i >= 0 && c.beside; i-- {
		row.AddEnd(c.answers[i])
	}
	row.AddEnd(reply)
	return row
}

// footer says what closing does, and until when the message holds.
func (c *card) footer() gtk.Box {
	app, words := c.p.cfg.App, c.p.cfg.Words
	row := app.NewRow(12)
	c.hint = app.NewLabel(fmt.Sprintf(words.Popup.Later, int(inbox.PutOff/time.Minute)))
	c.hint.AddClass("messngr-dim")
	c.hint.AddClass("messngr-small")
	row.Add(c.hint)
	if c.m.ExpiresAt != nil {
		until := app.NewLabel(fmt.Sprintf(words.Popup.Until, describe.Time(words, *c.m.ExpiresAt, time.Now())))
		until.SetWhole()
		until.AddClass("messngr-small")
		row.AddEnd(until)
	}
	return row
}

// focus gives the keyboard to OK; for a question to the text, so that a key
// pressed in haste is no answer.
func (c *card) focus() {
	if len(c.answers) > 0 {
		c.win.SetFocus(c.text)
		return
	}
	c.win.SetDefault(c.ok)
	c.win.SetFocus(c.ok)
}

func (c *card) update(v inbox.View) {
	c.counter.SetText("")
	if v.Count > 1 {
		c.counter.SetText(fmt.Sprintf(c.p.cfg.Words.Popup.Counter, v.Number, v.Count))
	}
	c.next.SetVisible(v.Count > 1)
}

func (c *card) closing() {
	if draft := c.writing.draft(); draft != "" && c.p.queue.Has(c.m.ID) {
		c.p.drafts[c.m.ID] = draft
	}
	c.win.Destroy()
}

func (c *card) onNext() {
	c.p.queue.Next(time.Now())
	c.p.changed()
}

// later closes the card without an answer; it comes back.
func (c *card) later() {
	c.p.queue.PutOff(time.Now(), c.m.ID)
	c.p.changed()
}

func (c *card) key(k gtk.Key) bool {
	if k.Name != "Escape" {
		return c.writing.key(k)
	}
	if !c.writing.close() {
		c.later()
	}
	return true
}

// say shows a line about what happens.
func (c *card) say(text string) {
	c.outcome.SetText(text)
	c.outcome.SetVisible(text != "")
}
