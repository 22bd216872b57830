// Package window is the window with all messages: WinPopup's, with a list and a
// search.
package window

import (
	"context"
	"fmt"
	"time"

	"messngr"
	"messngr/control"
	"messngr/desktop/describe"
	"messngr/desktop/gtk"
	"messngr/desktop/inbox"
	"messngr/desktop/lang"
	"messngr/desktop/options"
)

const (
	// page is how many messages are read from the service at once.
	page = 200
	// patience bounds what is asked of the service.
	patience = 30 * time.Second
	// regret is for how long a discarded message can be taken back.
	regret = 8 * time.Second
	// icon is the program's icon in the icon theme.
	icon = "messngr"
)

// Config is what a Window needs.
type Config struct {
	App    *gtk.App
	Words  *lang.Catalogue
	Client *control.Client
	// Options is where the options are kept.
	Options string
	// Minimized starts the window as an icon.
	Minimized bool
	// Tray says that an icon in the tray stands for the window when it is an icon,
	// and brings it back: the desktop need not show another one.
	Tray bool
	// Closed is called when the person closes the window.
	Closed func()
}

// Window is the window with all messages. Its methods belong to GTK's thread.
type Window struct {
	cfg   Config
	asked *inbox.Errands
	opts  options.Options
	box   mailbox
	// host and workgroup are this computer's own names, once they are known.
	host, workgroup string
	// names are the message names of this computer.
	names []string
	// loading counts what was asked of the service, to tell old answers.
	loading int
	// wanted is the message to show as soon as it is in the list.
	wanted messngr.ID
	// discarded is the message that may still be taken back.
	discarded *control.Message
	regret    gtk.Timer
	// announcing says that the person is about to be told of something new, older
	// that older messages are being read.
	announcing, older bool
	// filled says that the list was filled once.
	filled bool
	// filling says that the list changes by us, not by the person.
	filling bool

	win     gtk.Window
	root    gtk.Box
	tools   tools
	search  gtk.Entry
	list    list
	message *message
	note    note
	counter gtk.Label
	compose *compose
}

// tools are the buttons along the upper edge.
type tools struct {
	previous, next, reply, discard, send, menu gtk.Button
}

// New builds the window and shows it. It has to be finished.
func New(cfg Config) *Window {
	w := &Window{cfg: cfg, asked: inbox.NewErrands(patience)}
	cfg.App.SetStyle(style)
	opts, err := options.Load(cfg.Options)
	w.opts = opts
	w.build()
	if err != nil {
		w.note.say(fmt.Sprintf(cfg.Words.Trouble.OptionsFile, err))
	}
	w.win.SetKeepAbove(opts.AlwaysOnTop)
	w.refresh()
	if cfg.Tray {
		w.win.OnIconify(w.toTray)
	}
	switch {
	case cfg.Minimized && cfg.Tray:
		w.root.ShowAll()
		return w
	case cfg.Minimized:
		w.win.Iconify()
	}
	w.win.ShowAll()
	return w
}

func (w *Window) build() {
	app, words := w.cfg.App, w.cfg.Words
	w.win = app.NewWindow(words.Window.Title)
	w.win.SetIcon(icon)
	em, line := w.win.TextSize("0", 0, 0)
	w.win.SetSize(fitted(app, 100*em, 30*line))
	w.win.OnClose(w.close)
	w.win.OnActive(w.activated)
	w.win.OnKey(w.key)

	w.search = app.NewSearch()
	w.search.SetPlaceholder(words.Window.Search)
	w.search.SetAccessible(words.Window.Search, "")
	w.search.OnSearch(w.searched)
	w.search.OnStopSearch(func() {
		w.search.SetText("")
		w.list.Focus()
	})
	w.list = newList(w)
	left := app.NewColumn(6)
	left.SetMargins(6, 3, 6, 6)
	left.Add(w.search)
	left.AddFilling(w.list.stack)
	w.message = newMessage(w)
	split := app.NewSplit(left, w.message.Box, 38*em)

	w.note = newNote(app)
	w.counter = app.NewLabel("")
	w.counter.SetRole(gtk.RoleStatusbar)
	w.counter.SetMargins(4, 10, 6, 10)
	w.root = app.NewColumn(0)
	w.root.Add(w.toolbar(), app.NewSeparator())
	w.root.AddFilling(split)
	w.root.Add(w.note.Box, app.NewSeparator(), w.counter)
	w.win.Add(w.root)
}

// toTray leaves the window to the icon in the tray, unless something is being
// written, which has to be found again.
func (w *Window) toTray() {
	if w.compose == nil {
		w.win.HideIcon()
	}
}

// fitted bounds a size to that of the smallest screen.
func fitted(app *gtk.App, width, height int) (int, int) {
	for _, m := range app.WorkAreas() {
		width, height = min(width, m.Width), min(height, m.Height)
	}
	return width, height
}

func (w *Window) toolbar() gtk.Box {
	app, words := w.cfg.App, w.cfg.Words
	button := func(icon, text string, f func()) gtk.Button {
		b := app.NewIconButton(icon, text)
		b.OnClick(f)
		return b
	}
	t := &w.tools
	t.previous = button("go-previous-symbolic", words.Window.Previous, w.previous)
	t.next = button("go-next-symbolic", words.Window.Next, w.next)
	t.reply = button("mail-reply-sender-symbolic", words.Window.Reply, w.reply)
	t.discard = button("user-trash-symbolic", words.Window.Discard, w.discard)
	t.send = button("mail-send-symbolic", words.Window.Send, w.send)
	t.previous.SetTooltip("Alt+←")
	t.next.SetTooltip("Alt+→")
	t.reply.SetTooltip("Ctrl+R")
	t.discard.SetTooltip("Ctrl+D")
	t.send.SetTooltip("Ctrl+N")
	t.send.AddClass("suggested-action")

	menuButton, menu := app.NewMenuButton("open-menu-symbolic", words.Window.Menu)
	menu.Add(words.Window.Options, w.showOptions)
	menu.Add(words.Window.About, w.showAbout)
	menu.AddLine()
	menu.Add(words.Window.Quit, w.close)

	row := app.NewRow(6)
	row.SetBorder(6)
	row.SetRole(gtk.RoleToolbar)
	row.AddClass("messngr-tools")
	row.Add(t.previous, t.next, t.reply, t.discard)
	t.menu = menuButton
	row.AddEnd(menuButton, t.send)
	return row
}

// key does what keys do anywhere in the window.
func (w *Window) key(k gtk.Key) bool {
	switch {
	case k.Alt && k.Name == "Left":
		w.tools.previous.Click()
	case k.Alt && k.Name == "Right":
		w.tools.next.Click()
	case k.Ctrl && k.Name == "r":
		w.tools.reply.Click()
	case k.Ctrl && k.Name == "d":
		w.tools.discard.Click()
	case k.Ctrl && k.Name == "n":
		w.tools.send.Click()
	case k.Ctrl && k.Name == "f":
		w.search.GrabFocus()
	case k.Name == "F10":
		w.tools.menu.Click()
	case k.Ctrl && k.Name == "q":
		w.close()
	default:
		return false
	}
	return true
}

// refresh brings everything but the list up to date with the mailbox.
func (w *Window) refresh() {
	words := w.cfg.Words
	m := w.box.at()
	w.tools.previous.SetSensitive(w.box.hasPrevious())
	w.tools.next.SetSensitive(w.box.hasNext())
	w.tools.discard.SetSensitive(m != nil)
	answerable := false
	if m != nil {
		_, answerable = inbox.ReplyTo(m)
	}
	w.tools.reply.SetSensitive(answerable)
	switch {
	case m == nil:
		w.counter.SetText(words.Window.CounterNone)
	case w.box.search != "":
		w.counter.SetText(fmt.Sprintf(words.Window.CounterFound, w.box.number(), w.box.total))
	default:
		w.counter.SetText(fmt.Sprintf(words.Window.Counter, w.box.number(), w.box.total))
	}
	title := words.Window.Title
	if w.host != "" {
		title = fmt.Sprintf(words.Window.TitleOf, w.host)
	}
	if n := w.box.unread(); n > 0 {
		title = fmt.Sprintf("(%d) %s", n, title)
	}
	w.win.SetTitle(title)
	w.message.show(m)
}

// previous goes to the next older message.
func (w *Window) previous() { w.step(1) }

// next goes to the next newer message.
func (w *Window) next() { w.step(-1) }

func (w *Window) step(by int) {
	i := w.box.index() + by
	if i == len(w.box.messages) && w.box.more {
		w.loadOlder(func() { w.choose(i) })
		return
	}
	if i >= 0 && i < len(w.box.messages) {
		w.choose(i)
	}
}

// choose makes a message of the list the current one, and it is read.
func (w *Window) choose(i int) {
	w.box.selectAt(i)
	w.filling = true
	w.list.Select(i)
	w.list.FocusFollows()
	w.list.Reveal(w.list.scroll, i)
	w.filling = false
	w.refresh()
	w.read()
}

// read marks the current message as read.
func (w *Window) read() {
	m := w.box.at()
	if m == nil || m.ReadAt != nil {
		return
	}
	id, now := m.ID, time.Now()
	m.ReadAt = &now
	w.list.update(w.box.index())
	w.refresh()
	w.asked.Go(func(ctx context.Context) {
		_, err := w.cfg.Client.Mark(ctx, control.MarkRequest{IDs: []messngr.ID{id}, As: "read"})
		w.report(err)
	})
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

// Finish does what must not be forgotten when the program ends: the message that
// was discarded last is deleted, and the service gets to know what the person
// did, for as long as ctx allows.
func (w *Window) Finish(ctx context.Context) {
	if m := w.discarded; m != nil {
		w.discarded = nil
		_ = w.cfg.Client.Delete(ctx, m.ID) // at worst it is there again
	}
	w.asked.Finish(ctx)
}

func (w *Window) close() { w.cfg.Closed() }

// report says that the service could not do something, from any goroutine.
func (w *Window) report(err error) {
	if err != nil && !w.asked.Over() {
		w.cfg.App.Post(func() { w.note.say(describe.Trouble(w.cfg.Words, err)) })
	}
}
