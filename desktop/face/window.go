package face

import (
	"context"
	"flag"
	"fmt"

	"messngr"
	"messngr/control"
	"messngr/desktop/gtk"
	"messngr/desktop/inbox"
	"messngr/desktop/options"
	"messngr/desktop/window"
)

// What another process asks the window for: to come to the front, with the
// message of that id, or "", and to answer that one.
const (
	actionShow  = "show"
	actionReply = "reply"
)

// windowFlags are what the command line asks of the window.
type windowFlags struct {
	min, tray bool
	action    string
	// message is the one to show or answer; zero: none.
	message messngr.ID
}

// parseWindow reads the command line; ok is false if it was not understood.
func (p *program) parseWindow(args []string) (f windowFlags, ok bool) {
	var show, reply string
	ok = p.flags(args, func(set *flag.FlagSet) {
		set.BoolVar(&f.min, "min", false, "")
		set.BoolVar(&f.tray, "tray", false, "")
		set.StringVar(&show, "message", "", "")
		set.StringVar(&reply, "reply", "", "")
	})
	f.action = actionShow
	if reply != "" {
		f.action, show = actionReply, reply
	}
	if !ok || show == "" {
		return f, ok
	}
	id, err := messngr.ParseID(show)
	if err != nil {
		fmt.Fprintf(p.env.Stderr, "messngr-desktop: %q is not the id of a message\n", show)
		return f, false
	}
	f.message = id
	return f, true
}

func (p *program) window(args []string) int {
	f, ok := p.parseWindow(args)
	if !ok {
		return exitMisuse
	}
	app := p.open(gtk.Options{ID: "org.messngr.Window", Name: p.words.Window.Title})
	if app == nil {
		return exitFailed
	}
	if !app.Register() {
		which := ""
		if f.message != (messngr.ID{}) {
			which = f.message.String()
		}
		app.Remote(f.action, which)
		return exitOK
	}
	ctx, cancel := context.WithCancel(p.ctx)
	defer cancel()
	client := p.client()
	var w *window.Window
	show := map[string]func(messngr.ID){
		actionShow:  func(id messngr.ID) { w.Show(id) },
		actionReply: func(id messngr.ID) { w.Reply(id) },
	}
	for name, do := range show {
		app.Handle(name, func(value string) {
			id, _ := messngr.ParseID(value) // what is no id is none
			do(id)
		})
	}
	feed := inbox.Feed{
		Client: client,
		Event:  func(e control.Event) { app.Post(func() { w.Event(e) }) },
		State:  func(err error) { app.Post(func() { w.State(err) }) },
	}
	p.run(ctx, app, func() {
		w = window.New(window.Config{
			App: app, Words: p.words, Client: client, Options: options.Path(p.env.Getenv),
			Minimized: f.min, Tray: f.tray, Version: version(), Closed: app.Quit,
		})
		if f.message != (messngr.ID{}) {
			show[f.action](f.message)
		}
	}, feed.Run)
	if w == nil {
		return exitOK
	}
	last, done := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer done()
	w.Finish(last)
	return exitOK
}
