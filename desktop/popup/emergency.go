package popup

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"messngr/control"
	"messngr/desktop/describe"
	"messngr/desktop/gtk"
	"messngr/desktop/inbox"
)

// The measures of an emergency, in thousandths of the height of the screen. On
// a screen of 24 inches letters of a hundred thousandths are 2.2 cm high, which
// reads well from five metres.
const (
	bandSize    = 110 // what it is
	footSize    = 60  // the same along the lower edge
	titleSize   = 100
	titleHeight = 250
	textMost    = 130 // the text, if it is short
	textLeast   = 55  // the text, if it is long; beyond that it scrolls
	longSize    = 42  // that it is a drill, in a sentence
	smallSize   = 30  // who sent it
	buttonSize  = 36
	buttonRoom  = 100 // a button with its frame
	answersMost = 480 // the buttons to answer, beyond that they scroll
	gap         = 18
	margin      = 25
	sideMargin  = 60
)

// emergency covers every screen with one message.
type emergency struct {
	p       *Presenter
	v       inbox.View
	m       control.Message
	guard   guard
	screens []*cover
	// regained is how often it has taken the keyboard back.
	regained int
}

const (
	// regain is how soon an emergency takes the keyboard back from a window that
	// came up behind it, and regainMost how often: nobody is to fight about it.
	regain     = 300 * time.Millisecond
	regainMost = 10
)

func newEmergency(p *Presenter, v inbox.View) *emergency {
	e := &emergency{p: p, v: v, m: v.Message}
	e.cover(p.cfg.App.Monitors())
	if !e.m.Drill {
		p.cfg.App.Beep()
	}
	return e
}

// monitorsChanged covers the screens that there are now, if they are others than
// before: the desktop tells of one change several times.
func (e *emergency) monitorsChanged() {
	now := e.p.cfg.App.Monitors()
	if !slices.EqualFunc(e.screens, now, func(c *cover, m gtk.Monitor) bool { return c.m == m }) {
		e.cover(now)
	}
}

// cover puts a window on each of the screens.
func (e *emergency) cover(monitors []gtk.Monitor) {
	old := e.screens
	e.screens = nil
	for _, m := range monitors {
		e.screens = append(e.screens, newCover(e, m))
	}
	for _, c := range old {
		c.win.Destroy()
	}
	if len(e.screens) > 0 {
		e.screens[0].win.Present()
	}
}

// inactive takes the keyboard back: what comes up behind an emergency cannot be
// seen, and is not to be written into.
func (e *emergency) inactive() {
	if e.regained == regainMost {
		return
	}
	e.regained++
	e.p.cfg.App.After(regain, func() {
		if len(e.screens) > 0 && !slices.ContainsFunc(e.screens, func(c *cover) bool { return c.win.Active() }) {
			e.screens[0].win.Present()
		}
	})
}

func (e *emergency) update(v inbox.View) {
	e.v = v
	for _, c := range e.screens {
		c.update()
	}
}

func (e *emergency) closing() {
	for _, c := range e.screens {
		c.win.Destroy()
	}
	e.screens = nil
}

// cover is the window on one screen.
type cover struct {
	e       *emergency
	m       gtk.Monitor
	win     gtk.Window
	counter gtk.Label
	next    gtk.Button
	sender  gtk.Label
	seen    gtk.Button
	// taken is how many pixels of the height everything but the text takes.
	taken   int
	answers []gtk.Button
}

func newCover(e *emergency, monitor gtk.Monitor) *cover {
	app, words := e.p.cfg.App, e.p.cfg.Words
	c := &cover{e: e, m: monitor}
	word, class := words.Emergency.Real, "messngr-emergency"
	if e.m.Drill {
		word, class = words.Emergency.Drill, "messngr-exercise"
	}
	c.win = app.NewWindow(word)
	c.win.SetIcon(icon)
	c.win.AddClass(class)
	c.win.SetPlain()
	c.win.SetKeepAbove(true)
	c.win.SetUrgent(true)
	c.win.Stick()
	c.win.SetRole(gtk.RoleAlert)
	c.win.SetAccessible(c.spoken(word), describe.Excerpt(&e.m))
	c.win.OnClose(func() {}) // only an answer or the sender ends it
	c.win.OnInactive(e.inactive)
	e.guard.watch(c.win, never)

	root := app.NewColumn(0)
	root.Add(c.band(word, bandSize))
	middle := app.NewColumn(c.px(gap))
	middle.SetMargins(c.px(margin), c.px(sideMargin), c.px(margin), c.px(sideMargin))
	c.content(middle)
	root.AddFilling(middle)
	if e.m.Drill {
		root.Add(c.band(strings.TrimSpace(strings.Repeat(words.Emergency.DrillWord+"   ", 3)), footSize))
	}
	c.win.Add(root)
	c.update()
	c.win.CoverMonitor(monitor)
	return c
}

// px turns thousandths of the screen's height into pixels. A screen that is
// higher than wide is measured by its width.
func (c *cover) px(thousandths int) int {
	return min(c.m.Height, c.m.Width*3/4) * thousandths / 1000
}

func (c *cover) spoken(word string) string {
	words := c.e.p.cfg.Words
	s := word + ". " + fmt.Sprintf(words.Popup.Spoken, describe.Line(words, &c.e.m))
	if c.e.m.Drill {
		s = words.Emergency.Drill + ". " + words.Emergency.DrillLong + " " + fmt.Sprintf(words.Popup.Spoken, describe.Line(words, &c.e.m))
	}
	return s
}

// band says what this is, along an edge of the screen; for a drill on stripes.
func (c *cover) band(text string, size int) gtk.Box {
	app := c.e.p.cfg.App
	l := app.NewLabel(text)
	l.SetCentered()
	l.SetAlign(gtk.Center, gtk.Center)
	c.taken += c.size(l.Widget, text, c.px(size))
	row := app.NewRow(0)
	row.AddClass("messngr-band")
	if c.e.m.Drill {
		row.AddClass("messngr-stripes")
	}
	row.AddFilling(l)
	return row
}

// size gives a widget a font of that size, and returns the height that the text
// takes.
func (c *cover) size(w gtk.Widget, text string, px int) int {
	w.SetStyle(fmt.Sprintf("* { font-size: %dpx; }", px))
	_, height := c.win.TextSize(text, c.width(), px)
	return height
}

func (c *cover) content(column gtk.Box) {
	words, m := c.e.p.cfg.Words, &c.e.m
	c.taken += 2*c.px(margin) + c.px(buttonRoom)
	answers := c.answerRows()
	if m.Drill {
		_, band := c.win.TextSize(words.Emergency.DrillWord, 0, c.px(footSize))
		c.taken += band
		column.Add(c.line(words.Emergency.DrillLong, c.px(longSize)))
	}
	if title := describe.Title(m); title != "" {
		l := c.line(title, c.fit(title, titleSize, c.px(titleHeight)))
		l.AddClass("messngr-strong")
		column.Add(l)
	}
	sender := describe.Of(words, m)
	c.sender = c.line(fmt.Sprintf(words.Emergency.From, sender.Name, sender.Trust, describe.Time(words, m.ReceivedAt, time.Now())), c.px(smallSize))
	column.AddFilling(c.body())
	column.Add(c.sender)
	if answers.Valid() {
		column.Add(answers)
	}
	column.Add(c.buttons())
}

// line is a line of its own in the middle, wrapped if it must be.
func (c *cover) line(text string, px int) gtk.Label {
	l := c.e.p.cfg.App.NewParagraph(text)
	l.SetCentered()
	c.taken += c.size(l.Widget, text, px) + c.px(gap)
	return l
}

// fit is the largest size of a font, in pixels, at which the text is not higher
// than room, and at most so many thousandths of the screen.
func (c *cover) fit(text string, most, room int) int {
	text = text[:min(len(text), measured)]
	for size := c.px(most); size > c.px(textLeast); size = size * 95 / 100 {
		if _, h := c.win.TextSize(text, c.width(), size); h <= room {
			return size
		}
	}
	return c.px(textLeast)
}

// width is how wide a text may be.
func (c *cover) width() int { return c.m.Width - 2*c.px(sideMargin) - 2*c.px(gap) }

// body shows the text in the middle, as large as there is room for it.
func (c *cover) body() gtk.Box {
	app := c.e.p.cfg.App
	text := describe.Text(&c.e.m)
	room := max(c.m.Height-c.taken-2*c.px(gap), c.px(2*textLeast))
	size := c.fit(text, textMost, room)
	view := app.NewTextView(false)
	view.SetText(text)
	view.SetCentered()
	view.HideCursor()
	view.SetPadding(0, c.px(gap))
	view.SetAccessible(c.e.p.cfg.Words.Popup.Message, "")
	high := c.size(view.Widget, text[:min(len(text), measured)], size)
	s := app.NewScroll(view, false)
	s.SetMinHeight(min(high, room))
	box := app.NewColumn(0)
	box.Add(s)
	box.SetAlign(gtk.Fill, gtk.Center)
	return box
}

// answerRows has the answers that were asked for, in as many rows as the screen
// needs; it is not valid if there are none.
func (c *cover) answerRows() gtk.Scroll {
	app, words, e := c.e.p.cfg.App, c.e.p.cfg.Words, c.e
	taken := describe.NewLetters(words.Emergency.Seen, words.Emergency.Next)
	for _, answer := range describe.Answers(&e.m) {
		b := c.button(taken.Mark(answer))
		b.OnClick(e.guard.click(func() { e.answer(answer) }))
		c.answers = append(c.answers, b)
	}
	if len(c.answers) == 0 {
		return gtk.Scroll{}
	}
	column := app.NewColumn(c.px(gap))
	rows := column.AddWrapped(c.answers, c.px(gap), c.width(), gtk.Center)
	s := app.NewScroll(column, false)
	high := min(rows*c.px(buttonRoom), c.px(answersMost))
	s.SetMinHeight(high)
	c.taken += high
	return s
}

// button makes a button that can be read and hit from further away.
func (c *cover) button(text string) gtk.Button {
	b := c.e.p.cfg.App.NewButton(text)
	b.SetStyle(fmt.Sprintf("* { font-size: %dpx; border-width: 2px; padding: 0.4em 1.2em; }", c.px(buttonSize)))
	return b
}

func (c *cover) buttons() gtk.Box {
	app, words, e := c.e.p.cfg.App, c.e.p.cfg.Words, c.e
	row := app.NewRow(c.px(gap))
	row.SetAlign(gtk.Center, gtk.End)
	c.counter = app.NewLabel("")
	c.counter.SetWhole()
	c.size(c.counter.Widget, "", c.px(smallSize))
	c.next = c.button(words.Emergency.Next)
	c.next.KeepHidden()
	c.next.OnClick(e.guard.click(func() {
		e.p.queue.Next(time.Now())
		e.p.changed()
	}))
	c.seen = c.button(words.Emergency.Seen)
	c.seen.OnClick(e.guard.click(func() { e.p.acknowledge(e.m) }))
	row.Add(c.counter, c.next, c.seen)
	if len(c.answers) > 0 {
		c.seen.KeepHidden()
		return row
	}
	c.win.SetDefault(c.seen)
	c.win.SetFocus(c.seen)
	return row
}

func (c *cover) update() {
	v := c.e.v
	c.counter.SetText("")
	if v.Count > 1 {
		c.counter.SetText(fmt.Sprintf(c.e.p.cfg.Words.Popup.Counter, v.Number, v.Count))
	}
	c.next.SetVisible(v.Count > 1)
}

// answer sends one of the answers that were asked for.
func (e *emergency) answer(text string) {
	e.each(func(c *cover) { c.say(e.p.cfg.Words.Popup.Sending, false) })
	e.p.reply(e.m, text, func(outcome string, sent bool) {
		if e.p.screen != e {
			return
		}
		if sent {
			e.p.remove(e.m.ID)
			return
		}
		// Nobody is kept behind a screen that cannot be answered.
		e.each(func(c *cover) {
			c.say(outcome, true)
			c.seen.SetVisible(true)
		})
	})
}

func (e *emergency) each(f func(*cover)) {
	for _, c := range e.screens {
		f(c)
	}
}

// say shows a line about what happens, in the place of the sender.
func (c *cover) say(text string, usable bool) {
	c.sender.SetText(text)
	for _, b := range c.answers {
		b.SetSensitive(usable)
	}
}
