package window

import (
	"messngr/desktop/describe"
	"messngr/desktop/gtk"
)

// listColumns is how wide the list is at first, in characters.
const listColumns = 38

func (w *Window) build() {
	app, words := w.cfg.App, w.cfg.Words
	w.win = app.NewWindow(words.Window.Title)
	w.win.SetIcon(icon)
	em, line := w.win.TextSize("0", 0, 0)
	width, height := app.Room()
	w.across, w.high = width, height
	width, height = min(width, 100*em), min(height, 30*line)
	w.win.SetSize(width, height)
	aside := min(listColumns*em, width*4/10)
	w.deedsWidth, w.deedsHeight = width-aside-4*em, height*3/10
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
	split := app.NewSplit(left, w.message.Box, aside)

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
	row.ShowAll()
	if row.NaturalWidth() > w.across {
		for b, text := range map[gtk.Button]string{
			t.previous: words.Window.Previous, t.next: words.Window.Next, t.reply: words.Window.Reply,
			t.discard: words.Window.Discard, t.send: words.Window.Send,
		} {
			b.IconOnly(describe.Plain(text))
		}
	}
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
