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

// actionShow is what another process asks the window for: to come to the front,
// with the message of that id, or "".
const actionShow = "show"

func (p *program) window(args []string) int {
	var min bool
	var first string
	if !p.flags(args, func(set *flag.FlagSet) {
		set.BoolVar(&min, "min", false, "")
		set.StringVar(&first, "message", "", "")
	}) {
		return exitMisuse
	}
	id, err := messngr.ParseID(first)
	if err != nil && first != "" {
		fmt.Fprintf(p.env.Stderr, "messngr-desktop: %q is not the id of a message\n", first)
		return exitMisuse
	}
	app := p.open(gtk.Options{ID: "org.messngr.Window", Name: p.words.Window.Title})
	if app == nil {
		return exitFailed
	}
	if !app.Register() {
		app.Remote(actionShow, first)
		return exitOK
	}
	ctx, cancel := context.WithCancel(p.ctx)
	defer cancel()
	client := p.client()
	var w *window.Window
	app.Handle(actionShow, func(value string) {
		id, _ := messngr.ParseID(value) // what is no id is none
		w.Show(id)
	})
	feed := inbox.Feed{
		Client: client,
		Event:  func(e control.Event) { app.Post(func() { w.Event(e) }) },
		State:  func(err error) { app.Post(func() { w.State(err) }) },
	}
	p.run(ctx, app, func() {
		w = window.New(window.Config{
			App: app, Words: p.words, Client: client, Options: options.Path(p.env.Getenv),
			Minimized: min, Closed: app.Quit,
		})
		if id != (messngr.ID{}) {
			w.Show(id)
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
