package popup

import (
	"fmt"
	"strings"

	"messngr/control"
	"messngr/desktop/describe"
	"messngr/desktop/gtk"
	"messngr/desktop/inbox"
)

// writing is the part of a card in which an answer is written.
type writing struct {
	gtk.Box
	c    *card
	text gtk.TextView
	send gtk.Button
	busy bool
}

func newWriting(c *card) *writing {
	app, words := c.p.cfg.App, c.p.cfg.Words
	w := &writing{Box: app.NewColumn(8), c: c}
	w.KeepHidden()
	to, ok := control.ReplyTo(&c.m)
	if !ok {
		return w
	}
	const padding = 6
	w.text = app.NewTextView(true)
	w.text.SetPadding(padding, padding)
	w.text.AddClass("messngr-text")
	_, line := c.win.TextSize("0", 0, 0)
	s := app.NewScroll(w.text, true)
	s.SetMinHeight(replyLines*line + 2*padding)
	title := fmt.Sprintf(words.Popup.ReplyTo, inbox.Addressee(&to))
	label := app.NewMnemonic(describe.Escape(title), w.text)
	w.text.SetAccessible(title, "")

	cancel := app.NewButton(words.Popup.Cancel)
	cancel.OnClick(func() { w.close() })
	w.send = app.NewButton(words.Popup.Send)
	w.send.AddClass("suggested-action")
	w.send.SetTooltip("Ctrl+↵")
	w.send.OnClick(w.onSend)
	row := app.NewRow(8)
	row.AddEnd(w.send, cancel)
	w.Add(label, s, row)
	w.text.OnChange(w.check)
	w.check()
	return w
}

// check allows to send when something is written.
func (w *writing) check() {
	w.send.SetSensitive(!w.busy && strings.TrimSpace(w.text.Text()) != "")
}

// open shows the field to write in, instead of the buttons.
func (w *writing) open(draft string) {
	if !w.text.Valid() {
		return
	}
	if draft != "" {
		w.text.SetText(draft)
	}
	w.c.say("")
	w.c.buttons.SetVisible(false)
	w.c.hint.SetVisible(false)
	w.c.win.ClearDefault()
	w.ShowContent()
	w.c.makeRoom()
	w.text.GrabFocus()
}

// close goes back to the buttons; it reports whether there was something to
// close.
func (w *writing) close() bool {
	if !w.Visible() || w.busy {
		return w.busy
	}
	w.SetVisible(false)
	w.c.scroll.SetMinHeight(w.c.high)
	w.c.buttons.SetVisible(true)
	w.c.hint.SetVisible(true)
	w.c.focus()
	return true
}

// draft is what was written and not sent.
func (w *writing) draft() string {
	if !w.text.Valid() || !w.Visible() {
		return ""
	}
	return w.text.Text()
}

func (w *writing) key(k gtk.Key) bool {
	if (k.Name == "Return" || k.Name == "KP_Enter") && k.Ctrl && w.Visible() {
		w.send.Click()
		return true
	}
	return false
}

func (w *writing) onSend() {
	text := strings.TrimSpace(w.text.Text())
	if text == "" || w.busy {
		return
	}
	w.busy = true
	w.check()
	w.c.say(w.c.p.cfg.Words.Popup.Sending)
	w.c.p.reply(w.c.m, text, func(outcome string, sent bool) {
		if w.c.p.screen != w.c {
			return
		}
		w.busy = false
		w.check()
		w.c.say(outcome)
		if sent {
			w.sent()
		}
	})
}

// sent leaves what became of the answer on the screen, and OK to go on.
func (w *writing) sent() {
	w.text.SetText("")
	w.close()
	if w.c.asked.Valid() {
		w.c.asked.Hide()
	}
	for _, b := range w.c.answers {
		b.Hide()
	}
	w.c.answers = nil
	w.c.ok.SetVisible(true)
	w.c.focus()
}
