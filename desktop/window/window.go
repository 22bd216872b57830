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
	// Version says which program this is.
	Version string
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
	// across and high are the size of the smallest screen.
	across, high int
	// deedsWidth and deedsHeight are how many pixels the buttons below a message
	// may take.
	deedsWidth, deedsHeight int
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
	w.root.ShowAll() // a stack knows only what can be seen
	w.refresh()
	if cfg.Tray {
		w.win.OnIconify(w.toTray)
	}
	switch {
	case cfg.Minimized && cfg.Tray:
		return w
	case cfg.Minimized:
		w.win.Iconify()
	}
	w.win.ShowAll()
	return w
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
		_, answerable = control.ReplyTo(m)
	}
	w.tools.reply.SetSensitive(answerable)
	switch {
	case !w.filled:
		w.counter.SetText("") // nobody knows yet
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
	if n := w.box.unread(); n != "" {
		title = fmt.Sprintf("(%s) %s", n, title)
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
		w.cfg.App.Post(func() { w.note.warn(describe.Trouble(w.cfg.Words, err)) })
	}
}
