package window

import (
	"fmt"

	"messngr/desktop/describe"
	"messngr/desktop/gtk"
)

// dialog makes a small window above the main one, with a button that closes it,
// as Escape does.
func (w *Window) dialog(title string, content gtk.Object) (d gtk.Window, buttons gtk.Box, ok gtk.Button) {
	app := w.cfg.App
	d = app.NewWindow(title)
	d.SetIcon(icon)
	d.SetDialog()
	d.SetParent(w.win, true)
	end := func() { d.Destroy() }
	d.OnClose(end)
	d.OnKey(func(k gtk.Key) bool {
		if k.Name == "Escape" {
			end()
			return true
		}
		return false
	})
	ok = app.NewButton(w.cfg.Words.Options.Close)
	ok.OnClick(end)
	buttons = app.NewRow(8)
	buttons.AddEnd(ok)
	root := app.NewColumn(16)
	root.SetBorder(18)
	root.Add(content, buttons)
	d.Add(root)
	d.SetDefault(ok)
	return d, buttons, ok
}

func (w *Window) showAbout() {
	app, words := w.cfg.App, w.cfg.Words
	columns := w.columns(50)
	text := app.NewParagraph(words.Window.AboutText)
	text.SetChars(columns)
	text.SetMaxChars(columns)
	version := app.NewLabel(w.cfg.Version)
	version.AddClass("messngr-small")
	for _, l := range []gtk.Label{text, version} {
		l.SetSelectable()
	}
	head := app.NewRow(14)
	image := app.NewImage(icon, 48)
	name := app.NewColumn(2)
	title := app.NewLabel(words.Window.Title)
	title.AddClass("messngr-title")
	name.Add(title, version)
	name.SetAlign(gtk.Fill, gtk.Center)
	head.Add(image, name)
	column := app.NewColumn(12)
	column.Add(head, text)
	d, _, ok := w.dialog(describe.Plain(words.Window.About), column)
	d.SetFocus(ok)
	d.ShowAll()
}

func (w *Window) showOptions() {
	app, words := w.cfg.App, w.cfg.Words
	column := app.NewColumn(10)
	option := func(text string, value *bool, changed func()) {
		check := app.NewCheck(text)
		check.Set(*value)
		check.OnChange(func() {
			*value = check.On()
			changed()
			w.save()
		})
		column.Add(check)
	}
	nothing := func() {}
	option(words.Options.Sound, &w.opts.Sound, nothing)
	option(words.Options.OnTop, &w.opts.AlwaysOnTop, func() { w.win.SetKeepAbove(w.opts.AlwaysOnTop) })
	option(words.Options.PopUp, &w.opts.PopUp, nothing)
	option(words.Options.Quote, &w.opts.Quote, nothing)

	forget := app.NewButton(words.Options.Forget)
	forget.SetSensitive(len(w.opts.Recipients) > 0)
	forget.OnClick(func() {
		w.opts.Recipients = []string{}
		w.save()
		forget.SetText(words.Options.Forgotten)
		forget.SetSensitive(false)
	})
	option(words.Options.History, &w.opts.Remember, nothing)
	d, buttons, _ := w.dialog(words.Options.Title, column)
	buttons.Add(forget)
	d.ShowAll()
}

// save writes the options, or says why that is impossible.
func (w *Window) save() {
	if err := w.opts.Save(w.cfg.Options); err != nil {
		w.note.say(fmt.Sprintf(w.cfg.Words.Trouble.OptionsFile, err))
	}
}
