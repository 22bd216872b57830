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

func (p *program) window(args []string) int {
	var min, tray bool
	var first, answer string
	if !p.flags(args, func(set *flag.FlagSet) {
		set.BoolVar(&min, "min", false, "")
		set.BoolVar(&tray, "tray", false, "")
		set.StringVar(&first, "message", "", "")
		set.StringVar(&answer, "reply", "", "")
	}) {
		return exitMisuse
	}
	action, which := actionShow, first
	if answer != "" {
		action, which = actionReply, answer
	}
	id, err := messngr.ParseID(which)
	if err != nil && which != "" {
		fmt.Fprintf(p.env.Stderr, "messngr-desktop: %q is not the id of a message\n", which)
		return exitMisuse
	}
	app := p.open(gtk.Options{ID: "org.messngr.Window", Name: p.words.Window.Title})
	if app == nil {
		return exitFailed
	}
	if !app.Register() {
		app.Remote(action, which)
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
			Minimized: min, Tray: tray, Version: version(), Closed: app.Quit,
		})
		if id != (messngr.ID{}) {
			show[action](id)
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
